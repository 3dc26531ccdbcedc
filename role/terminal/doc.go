// Package terminal is the point of sale: it takes a payment from a card that is
// tapped or inserted, keeps the proof, and brings the day's proofs to the
// acquirer.
//
// It promises three things. An approved sale is never lost: its record is
// durable before anyone is told. Nobody is debited twice: what may have been
// debited is written down before the card is asked, and the next presentation
// of that card is read for the answer before it pays again. A decline never
// takes money silently: once the card may have paid, the outcome is Approved,
// Recovered or Unknown, and what cannot be completed is uploaded flagged, so
// that the issuer gives the money back when the card next proves its balance.
//
//	select -> GPO -> rules -> [pending fsync] -> last record -> ODA -> [approved fsync] -> success   tap
//	select -> GPO -> records -> rules -> DDA -> PIN -> [intent fsync] -> GENERATE AC -> [approved fsync]  insert
//	              torn here ----^ the next presentation reads the card's log, ATC and balance first
//
// The state is a fold over a journal of entries (entry.go, state.go); replaying
// it after a crash at any point gives a consistent terminal. A failed append
// leaves the disk unknown, so the terminal folds the journal again before it
// does anything else.
//
// It refuses to know readers, sockets, files and clocks: card, host, store, keys,
// time and randomness are arguments. It starts no goroutine and is not safe for
// concurrent use: one till, one sale at a time. Start with Open, then Purchase,
// Load and Settle.
package terminal

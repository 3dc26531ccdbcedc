// Package journey plays whole journeys across the floors of the house: a real card
// in a real terminal, real keys in real vaults, and a host whose line can be cut.
//
// It is tests only. Roles never import one another, not even in their tests, so
// what two of them promise together is shown here: that no fault of the card, the
// line, the disk or the process, at any step, loses an approved sale, debits
// anybody twice, or takes money behind a decline. The faults are enumerated, not
// sampled, wherever their number allows: each command lost before or after the
// card heard it, each journal entry lost, kept but reported as failed, or followed
// by the death of the process, each message to the host lost on its way or back.
//
// Start with scene_test.go (the stage) and tear_test.go (the faults).
package journey

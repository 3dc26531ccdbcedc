// Package wallet holds a person's or a merchant's coins: it withdraws them from
// the mint, pays and is paid without it, and deposits them.
//
// Every operation writes what it is about to do, does it, and writes what came of
// it. Whatever dies in between is ended by Resume, and the same request is never
// paid twice. A coin is in one of these states:
//
//	withdrawing --> available --> paying ------> gone: the payee's receipt, Delivered,
//	 (pending)         |  ^      (pending)              or the mint's word (Reclaim)
//	                   |  '-------------------- given change, or withdrawn anew
//	                   v
//	               depositing (pending) --> credited, or refused: see Refused
//	restored (recoverable) --> claiming (pending) --> credited, and withdrawn anew
//
// Balance gives available, pending and recoverable apart. Their sum changes only
// when an operation is first written or finally answered, never by a crash: an
// ordered withdrawal counts from its first write, a payment until somebody says
// that it arrived. A payment that was never handed over cannot be cancelled: its
// coins have answered, and a second answer would name their owner. It stays
// pending; the same bytes may be handed over later, or Reclaim asks the mint for
// the coins once the request has expired. Reclaim proves ownership without a
// second answer, so a payee who deposits late is paid all the same.
//
// Restore needs the 24 words and the mint: it finds the coins that were withdrawn,
// which stay recoverable, and cannot be paid, until the mint has been asked
// (Refresh): the lost wallet may have paid them, so recoverable is the most that
// can come back. The words do not bring back money
// received from others and not deposited: for that there is Backup, whose state
// knows that it is a copy and is treated the same way.
//
// A note is one coin of which any part can be paid. Its parts can be linked to each
// other, and a claim takes all that is left of it: so Reclaim leaves pieces that
// were paid and not handed over alone, and Restore claims a note whole.
//
// With a card (Card) the wallet alone can neither pay nor pay twice: each coin
// waits for one answer of the card, checked before it is used. If the card is
// lost, coins that were withdrawn are claimed from the mint (Reclaim, Refresh),
// which needs no card; money received from others waits for the card. If the phone
// is lost too, the words find coins again only together with the card. If the
// phone alone is lost, words and card are enough.
//
// Blinding factors come from the words, so that anonymity rests on a
// pseudo-random function and never on discrete logarithms; the anonymity of the
// scheme itself is perfect. A payment shows value, epoch and number of hands. The
// words have a price: a mint that hid a withdrawal from Restore could have the
// new wallet make the same coin once more, so restore from a Backup if you have
// one, and only at the mint whose keys you know.
//
// The package knows no file, network, clock or dice: they are in World. Start with
// New, RefreshKeys, Enrol, Withdraw; then Ask, Pay, Receive, TakeReceipt.
package wallet

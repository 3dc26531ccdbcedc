// Package auditor trusts no role. It takes what the journal says, as
// book.Verify recomputed it, and the evidence from outside the book, and shows
// that no money appeared or vanished:
//
//	from the book:   Float(card) + InFlight(card)
//	from outside:    balance on the card
//	               + payments that the card made and the issuer has not booked
//	               + loads on their way that are not on the card
//	               + the balance of a closure on its way that has left the card
//
// for every card whose file is at hand, and in total. A payment counts as made
// if the card's own log or counter says so, whatever a terminal claims. A card
// without a file is listed as unseen: its float is known, not proved. Where a
// cloned card spent, the journal must hold the second payment in suspense, and
// the difference must be exactly the payments that the card at hand did not make.
//
// Of coins (blind electronic cash) it counts what was issued, came back and expired,
// entry by entry, and compares that with the mint's accounts; every payment for a coin
// must take one spent key and every spent key must be paid for; every proof of guilt
// must hold, and name an account that was opened for coins (coins.go).
//
// Audit is a pure function of its evidence; it reads the journal a second time
// only for coins and to explain a difference. Findings are faults, notes are things to know.
package auditor

import (
	"context"

	"jiaozi/book"
	"jiaozi/value/ident"
	"jiaozi/value/lang"
	"jiaozi/value/money"
	"jiaozi/wire/purse"
)

// Journal reads the book that was verified; *book.Ledger and *book.Reader do.
type Journal interface {
	// Journal streams the batches.
	Journal(ctx context.Context, from uint64, fn func(book.Batch) error) error
	// GetOnce reads the value of a once-key, if it is taken.
	GetOnce(ctx context.Context, space string, key []byte) (value []byte, taken bool, err error)
}

// Evidence is all that an audit looks at.
type Evidence struct {
	Currency money.Currency // of Report.Float
	Book     book.Report    // by book.Verify
	Journal  Journal        // the journal that Book was made from
	Cards    []Card
	// Payments are those that the book may not have yet: what terminals hold,
	// what acquirers hold, and what the issuer keeps undecided. One that the
	// book has accepted does no harm here, nor does one that is named twice.
	Payments []Payment
	Mint     *Mint // nil: a scheme without coins
}

// Card is what one card's file says.
type Card struct {
	Ref     ident.CardRef
	ATC     uint16
	Balance money.Amount
	Log     []Debit // the latest debits
	// LogComplete says that the log dropped nothing: it is not full yet.
	LogComplete bool
	// Closing is the balance of a card whose closure the issuer answered and
	// whose empty purse it has not seen proved: it may be on the card or not.
	Closing money.Amount
}

// Debit is one line of a card's log.
type Debit struct {
	ATC    uint16
	Amount money.Amount
}

// Payment is a record found outside the book. Its Flag says whether the holder
// calls it approved (purse.None) or undecided.
type Payment struct {
	Ref    ident.CardRef
	Where  string // who holds it
	Record purse.Record
}

// Finding is a fault, or in Report.Notes something worth knowing.
type Finding struct {
	Code  Code
	Where string
	Text  lang.Text
}

// Report is the outcome of an audit.
type Report struct {
	Conserved bool // no findings
	Entries   uint64
	Float     money.Amount // what issuers owe the bearers of cards
	Findings  []Finding
	Notes     []Finding
	Totals    []Total     // by currency
	Coins     []CoinTotal // by epoch and currency
}

// Total is the equation summed up in one currency.
type Total struct {
	Currency  money.Currency
	Float     money.Amount // owed to the bearers of cards
	InFlight  money.Amount // loads not known to be on a card
	OnCards   money.Amount // by the card files
	Uncleared money.Amount // paid by cards, not in the book
	OnTheWay  money.Amount // loads that are not on their card, and closures that left theirs
	Unseen    money.Amount // float and loads of cards without a file
	Suspense  money.Amount // paid for spends that no float covers
}

// Audit recomputes the float from both sides.
func Audit(ctx context.Context, e Evidence) (Report, error) {
	a := &audit{evidence: e, totals: map[money.Currency]*Total{}}
	a.report.Entries = e.Book.Entries
	for _, f := range e.Book.Findings {
		a.find(Code(f.Code), f.Where, "%s", f.What)
	}
	if e.Book.Books != nil {
		a.control(e.Book.Books.Accounts())
		if err := a.cards(ctx); err != nil {
			return Report{}, err
		}
		if err := a.coins(ctx); err != nil {
			return Report{}, err
		}
	}
	return a.finish(), nil
}

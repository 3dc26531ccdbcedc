package issuer

import (
	"fmt"

	"jiaozi/value/clock"
	"jiaozi/value/ident"
	"jiaozi/value/lang"
	"jiaozi/value/money"
)

// Status is what the issuer lets a card do.
type Status uint8

const (
	Active  Status = iota + 1
	Blocked        // by the issuer or the cardholder: listed, no loads
	Closing        // closure answered, the empty balance not yet proved
	Closed         // refunded: nothing more to come but late records
	Cloned         // a copy exists: listed for good
)

var statusWords = [...]lang.Text{
	Active:  {EN: "active", ZH: "正常"},
	Blocked: {EN: "blocked", ZH: "已停用"},
	Closing: {EN: "closing", ZH: "销户中"},
	Closed:  {EN: "closed", ZH: "已销户"},
	Cloned:  {EN: "cloned", ZH: "被克隆"},
}

func (s Status) known() bool { return s >= Active && int(s) < len(statusWords) }

// In names the status in a language.
func (s Status) In(l lang.Lang) string {
	if !s.known() {
		return fmt.Sprintf("status(%d)", uint8(s))
	}
	return statusWords[s].In(l)
}

func (s Status) String() string { return s.In(lang.EN) }

// Card is the issuer's record of one card. It is kept in the book under the
// card's pseudonym and changes in the same command as the card's money, so the
// version of the record orders everything that happens to the card.
type Card struct {
	PAN      ident.PAN // the card keys are derived from it; masks itself
	PSN      ident.PSN
	Account  string // the cardholder's account: loads come from it, refunds go to it
	Currency money.Currency
	Status   Status
	Listed   bool // on the blacklist
	Expiry   clock.Date
	Limit    money.Amount // the highest balance that a load may reach
	Label    string       // free text, such as the name of the card's file

	PINRef   []byte // the vault's reference value; empty = the card has no online PIN
	PINTries uint8  // wrong PINs that are left

	// Shadow is the card's balance as the issuer knows it: the Float account of
	// the card, kept here too so that a decision needs one read. The card's own
	// balance is lower by the payments that are still on their way.
	Shadow money.Amount
	// Online is the counter of the last online request that verified; an older
	// one is a replay.
	Online uint16

	Load    *Order    // the load in flight, if any: at most one
	Close   *Order    // the closure in flight, if any
	Flagged []Flagged // payments of which it is not known whether the card debited
	Seen    History   // what the card proved lately
}

// OrderKind says where the money of an order comes from or goes to.
type OrderKind uint8

const (
	LoadAccount OrderKind = iota + 1 // 600000: from the card's own account
	LoadOther                        // 620000: from the account of another card
	LoadCash                         // 630000: cash taken by the merchant
	Closure                          // 290000: the balance goes back to the account
)

func (k OrderKind) known() bool { return k >= LoadAccount && k <= Closure }

// Order is an approved online request whose script has not been confirmed.
type Order struct {
	Kind     OrderKind
	Trace    Trace
	Acquirer ident.Inst
	MID      ident.MID
	Amount   money.Amount
	Source   string // the account that paid; empty for cash
	ATC      uint16
	AC       [8]byte // the ARQC, which the script MAC answers
	// Before is the balance that the card proved in the request.
	Before money.Amount
	// Sent tells that the terminal reported handing the script to the card: it
	// can no longer be reversed, only found out.
	Sent bool
	// Record is the request as clearing sees it; only cash loads have one.
	Record []byte
}

// Flagged is an uploaded payment that was not completed at the till. If its
// record carried a proved balance, Before is what the card held ahead of it.
type Flagged struct {
	ATC    uint16
	AC     [8]byte // zero if the cryptogram is lost: then the counter is a guess
	Amount money.Amount
	Before money.Amount
	Proved bool
}

// maxFlagged bounds the open questions of one card; more are refused, which
// leaves the money on the card's account for an officer to look at.
const maxFlagged = 32

// open reports whether any question about the card waits for proof.
func (c *Card) open() bool { return c.Load != nil || c.Close != nil || len(c.Flagged) > 0 }

// inFlight is the money of the load in flight.
func (c *Card) inFlight() money.Minor {
	if c.Load == nil {
		return 0
	}
	return c.Load.Amount.Minor()
}

func (c *Card) amount(m money.Minor) money.Amount { return money.New(c.Currency, m) }

// clone copies the record deeply enough that changing the copy leaves the
// original alone; orders are replaced, never changed in place.
func (c *Card) clone() *Card {
	d := *c
	d.Flagged = append([]Flagged(nil), c.Flagged...)
	d.Seen = append(History(nil), c.Seen...)
	return &d
}

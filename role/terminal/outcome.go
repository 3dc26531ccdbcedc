package terminal

import (
	"jiaozi/crypt/pin"
	"jiaozi/value/ident"
	"jiaozi/value/money"
	"jiaozi/value/reason"
	"jiaozi/wire/purse"
)

// Result is how a payment or a load ended. The zero Result is Unknown, so that
// nothing is approved or declined by omission.
type Result uint8

// The results.
const (
	// Unknown: the card or the account may have been debited. Present the same
	// card again (payment) or call Flush (load); do not hand over goods.
	Unknown Result = iota
	Approved
	Declined
	// Recovered: an earlier, interrupted payment of this card and amount is
	// completed; nothing was debited again.
	Recovered
)

// String gives the word that scripts compare.
func (r Result) String() string {
	return [...]string{"unknown", "approved", "declined", "recovered"}[r]
}

// Sale is one payment at the till.
type Sale struct {
	Amount money.Amount
	Entry  purse.Entry
	// PIN asks the holder, when the card wants an offline PIN. Nil means that the
	// till has no PIN pad. Its error means that nobody typed one.
	PIN func() (pin.PIN, error)
}

// Outcome is what the till shows, prints and reports.
type Outcome struct {
	Result    Result
	Reason    reason.Code
	Amount    money.Amount
	PAN       ident.PAN
	PSN       ident.PSN
	ATC       uint16
	Balance   money.Amount // on the card, as it says; no currency when not known
	Batch     uint32
	STAN      uint32
	AfterTorn bool   // an earlier tap of this card was torn and is now decided
	Flagged   bool   // the card may have paid; the record goes to the issuer, who gives the money back
	Receipt   string // for the printer
	Err       error  // what happened underneath, for the log; never shown to the holder
}

// stop ends a transaction before its happy end: why, and what was underneath.
// A nil *stop means: go on.
type stop struct {
	code reason.Code
	err  error
}

func because(code reason.Code, err error) *stop { return &stop{code, err} }

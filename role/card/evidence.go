package card

import (
	"jiaozi/value/clock"
	"jiaozi/value/ident"
	"jiaozi/value/money"
	"jiaozi/value/must"
	"jiaozi/wire/observer"
)

// Evidence is what the card itself holds to be true, for showing it and for an
// auditor. It is read from the memory, not proved: proofs are cryptograms.
type Evidence struct {
	AID               ident.AID
	Label             string
	PAN               ident.PAN
	PSN               ident.PSN
	Effective, Expiry clock.Date
	Currency          money.Currency
	ATC               uint16
	LastOnlineATC     uint16
	Balance           money.Amount
	BalanceLimit      money.Amount
	SingleLimit       money.Amount
	ResetThreshold    money.Amount
	HasPIN            bool
	PINTries          uint8
	Blocked           bool
	Log               []LogEntry  // newest first
	LogComplete       bool        // the log has dropped nothing yet
	Loads             []LoadEntry // newest first
	Coins             *CoinEvidence
}

// CoinEvidence is what the coin application says of itself; nil in a card without.
type CoinEvidence struct {
	Certificate observer.Certificate
	Low, Next   uint32 // indices below Low are closed, from Next on none was prepared
	Open        int    // prepared and not closed
	AirLeft     uint8  // answers left over the air
	Paired      bool   // a wallet may speak over the air
}

// Evidence reads the card without power and without a terminal.
func (c *Card) Evidence() Evidence {
	a, s := c.applet, c.state
	e := Evidence{
		AID: a.AID, Label: a.Label, PAN: a.PAN, PSN: a.PSN,
		Effective: a.Effective, Expiry: a.Expiry, Currency: a.Currency,
		ATC: s.atc, LastOnlineATC: s.onlineATC,
		Balance: s.balance, BalanceLimit: s.balanceLimit,
		SingleLimit: s.singleLimit, ResetThreshold: s.threshold,
		HasPIN: s.hasPIN(), PINTries: s.pinTries, Blocked: s.blocked,
	}
	if a := c.coin; a != nil {
		w := &a.state.window
		e.Coins = &CoinEvidence{
			Certificate: a.Certificate, Low: w.low, Next: w.next, Open: w.open(),
			AirLeft: a.state.airLeft, Paired: !a.state.pairing.IsZero(),
		}
	}
	e.LogComplete = len(s.payments) < logSize
	for _, b := range s.payments {
		entry, err := parsePayment(b)
		must.Hold(err == nil, "card: an unreadable entry in the card's own log")
		e.Log = append(e.Log, entry)
	}
	for _, b := range s.loads {
		entry, err := parseLoad(b, a.Currency)
		must.Hold(err == nil, "card: an unreadable entry in the card's own log")
		e.Loads = append(e.Loads, entry)
	}
	return e
}

package card

import (
	"errors"
	"fmt"
	"math"

	"jiaozi/crypt/emvkey"
	"jiaozi/crypt/oda"
	"jiaozi/crypt/pin"
	"jiaozi/value/clock"
	"jiaozi/value/ident"
	"jiaozi/value/money"
	"jiaozi/wire/emv"
)

// Profile is what a personalisation writes into a blank card.
//
// The card's certificates cover its own data, so they come last: fill in the
// rest, have Static(Contact) and Static(Contactless) certified, then Format.
type Profile struct {
	AID       ident.AID
	Label     string // tag 50: 1 to 16 letters, digits, spaces
	Holder    string // tag 5F20: 2 to 26 characters, shown over the contacts only
	PAN       ident.PAN
	PSN       ident.PSN
	Effective clock.Date
	Expiry    clock.Date
	Country   uint16 // ISO 3166 numeric
	Currency  money.Currency

	DKI     byte // which of the issuer's master keys the card's keys come from
	Keys    emvkey.CardKeys
	Private oda.PrivateKey

	CAIndex     byte
	Issuer      oda.Certificate // tags 90, 92, 9F32
	Contact     oda.Certificate // tags 9F46, 9F48, 9F47 over Static(Contact)
	Contactless oda.Certificate // the same key over Static(Contactless)

	TryLimit uint8        // PIN tries; 0 in a card without PIN
	PINAbove money.Amount // payments above this need the PIN; unused without PIN

	// What follows is where the card starts. Later the card and the issuer's
	// scripts change it, and the profile no longer says anything about it.
	PIN            pin.PIN // zero for a card without PIN
	Balance        money.Amount
	BalanceLimit   money.Amount // 9F77
	SingleLimit    money.Amount // 9F78
	ResetThreshold money.Amount // 9F6D: below this the card wants to go online

	Coins CoinProfile // zero for a card with a purse alone
}

// Interface is the side from which the card is spoken to. Rules differ: the PIN
// is for contacts only, a tap is decided within one command.
type Interface uint8

// The two interfaces.
const (
	Contact Interface = iota
	Contactless
)

// String is the word for it.
func (i Interface) String() string {
	if i == Contactless {
		return "contactless"
	}
	return "contact"
}

// maxTryLimit keeps the counter inside the one nibble of 63Cx.
const maxTryLimit = 15

// check refuses what could not be a working card.
func (p *Profile) check() error {
	switch {
	case len(p.AID) < 5:
		return errors.New("profile has no application identifier")
	case len(p.Label) < 1 || len(p.Label) > 16:
		return errors.New("profile label must have 1 to 16 characters")
	case len(p.Holder) < 2 || len(p.Holder) > 26:
		return errors.New("profile holder name must have 2 to 26 characters")
	case p.PAN.IsZero():
		return errors.New("profile has no card number")
	case p.PSN > 99:
		return errors.New("profile sequence number is above 99")
	case !p.Effective.Valid() || !p.Expiry.Valid() || p.Effective > p.Expiry:
		return errors.New("profile dates are not a period of validity")
	case p.Country > 999:
		return errors.New("profile country is not an ISO 3166 number")
	case p.Keys.AC.IsZero() || p.Keys.MAC.IsZero() || p.Keys.ENC.IsZero():
		return errors.New("profile lacks a card key")
	case p.Private.IsZero():
		return errors.New("profile lacks the card's RSA key")
	}
	if err := p.Coins.check(); err != nil {
		return err
	}
	return p.checkStart()
}

// checkStart refuses starting values that break the card's own invariants.
func (p *Profile) checkStart() error {
	if p.PIN.IsZero() != (p.TryLimit == 0) || p.TryLimit > maxTryLimit {
		return fmt.Errorf("profile needs a PIN and 1 to %d tries, or neither", maxTryLimit)
	}
	for _, a := range []money.Amount{p.Balance, p.BalanceLimit, p.SingleLimit, p.ResetThreshold, p.PINAbove} {
		if a.Currency() != p.Currency || a.Sign() < 0 {
			return fmt.Errorf("profile amounts must be zero or more of %s", p.Currency)
		}
	}
	if p.PINAbove.Minor() > math.MaxUint32 {
		return errors.New("profile needs the PIN above an amount that a CVM list has no room for")
	}
	if p.Balance.Minor() > p.BalanceLimit.Minor() {
		return errors.New("profile balance is above the balance limit")
	}
	// Ten digits is what the issuer application data has room to prove.
	if _, err := emv.BalanceValue(p.BalanceLimit); err != nil {
		return fmt.Errorf("profile balance limit has more than ten digits: %w", err)
	}
	return nil
}

// start is the state of a new card.
func (p *Profile) start() *state {
	s := &state{
		balance:      p.Balance,
		balanceLimit: p.BalanceLimit,
		singleLimit:  p.SingleLimit,
		threshold:    p.ResetThreshold,
		pinTries:     p.TryLimit,
	}
	if !p.PIN.IsZero() {
		s.pin = pin.Format2(p.PIN)
	}
	return s
}

// Format personalises a blank memory. The card is usable once it returns nil; a
// memory whose Format was interrupted is refused by Open.
func Format(m Memory, p Profile) error {
	if err := p.check(); err != nil {
		return err
	}
	if _, err := newApplet(&p); err != nil {
		return err
	}
	var blank [PageSize]byte
	for _, n := range everyFirst {
		if err := m.WritePage(n, &blank); err != nil {
			return fmt.Errorf("erase card memory: %w", err)
		}
	}
	// An earlier card must be gone before the new one's balance is written.
	if err := m.Sync(); err != nil {
		return fmt.Errorf("erase card memory: %w", err)
	}
	if err := writeSlot(m, purseSlots, 1, p.start().append(nil)); err != nil {
		return err
	}
	if err := p.Coins.format(m); err != nil {
		return err
	}
	// Last, so that a card is either whole or not there at all.
	return writeBlock(m, purseArea, 1, p.append(nil))
}

package terminal

import (
	"crypto/ed25519"
	"errors"
	"fmt"

	"jiaozi/crypt/oda"
	"jiaozi/crypt/vault"
	"jiaozi/value/ident"
	"jiaozi/value/lang"
	"jiaozi/value/money"
	"jiaozi/wire/emv"
	"jiaozi/wire/iso8583"
)

// Config is what a terminal is told once: who it is, whom it trusts, how much it
// may take.
type Config struct {
	TID          ident.TID
	MID          ident.MID
	MerchantName string // on receipts and, in 9F4E, in the card's log
	Serial       string // of the device: 9F1E and field 62 of sign-on
	Operator     string // field 63 of sign-on; "01" if empty

	Country  uint16 // ISO 3166 numeric, 156
	Currency money.Currency
	// ECLimit (9F7B) is the most an insert may take offline, TapLimit the most a
	// tap may. CVMLimit is the most a tap may take without the holder's proof.
	ECLimit, TapLimit, CVMLimit money.Amount
	// ListFloor is the most a sale may take without a valid blacklist. Zero, the
	// safe default, means that a terminal without a list, or with an expired one,
	// takes nothing.
	ListFloor   money.Amount
	OfflineOnly bool // a card that wants the issuer is told beforehand

	AIDs    []ident.AID // tried in this order when the card has no directory
	CAKeys  []oda.CAKey
	ListKey ed25519.PublicKey // who signs blacklists
	TAC     ActionCodes

	Profile       vault.Profile
	TMK, TPK, TAK vault.Handle // the master key and where sign-on puts the working keys
	TPDU          iso8583.TPDU
	Header        iso8583.Header

	Lang    lang.Lang
	Columns int // of the receipt: 48 (80 mm paper) or 42; 0 means 48
}

// ActionCodes are the terminal's side of terminal action analysis.
type ActionCodes struct{ Denial, Online, Default emv.TVR }

// DefaultActionCodes decline offline what must not pass without the issuer:
// authentication that failed or was not done, a listed, expired, not yet
// effective or forbidden card, a failed PIN. Attacks 4 and 6 (downgrade, induced
// ODA failure) end here.
func DefaultActionCodes() ActionCodes {
	var denial emv.TVR
	for _, bit := range []emv.TVRBit{
		emv.TVRODANotPerformed, emv.TVRSDAFailed, emv.TVRDataMissing, emv.TVROnExceptionFile, emv.TVRDDAFailed, emv.TVRCDAFailed,
		emv.TVRExpired, emv.TVRNotYetEffective, emv.TVRServiceNotAllowed,
		emv.TVRCVMFailed, emv.TVRPINTriesExceeded,
	} {
		denial.Set(bit)
	}
	return ActionCodes{Denial: denial}
}

const (
	wideReceipt   = 48
	narrowReceipt = 42
)

// withDefaults checks the configuration and fills what has a safe default.
func (c Config) withDefaults() (Config, error) {
	if _, err := ident.ParseTID(string(c.TID)); err != nil {
		return c, fmt.Errorf("terminal configuration: %w", err)
	}
	if _, err := ident.ParseMID(string(c.MID)); err != nil {
		return c, fmt.Errorf("terminal configuration: %w", err)
	}
	if !c.Currency.Known() {
		return c, errors.New("terminal configuration: the currency is missing or unknown")
	}
	for _, limit := range []*money.Amount{&c.ECLimit, &c.TapLimit, &c.CVMLimit, &c.ListFloor} {
		if *limit == (money.Amount{}) {
			*limit = money.Zero(c.Currency)
		}
		if limit.Currency() != c.Currency || limit.Sign() < 0 {
			return c, errors.New("terminal configuration: a limit is negative or not in the terminal's currency")
		}
	}
	if len(c.AIDs) > maxCandidates {
		return c, fmt.Errorf("terminal configuration: more than %d applications", maxCandidates)
	}
	if len(c.ListKey) != ed25519.PublicKeySize {
		return c, errors.New("terminal configuration: the blacklist's public key is missing")
	}
	if c.Columns == 0 {
		c.Columns = wideReceipt
	}
	if c.Columns != wideReceipt && c.Columns != narrowReceipt {
		return c, fmt.Errorf("terminal configuration: receipts have %d or %d columns", narrowReceipt, wideReceipt)
	}
	if c.TAC == (ActionCodes{}) {
		c.TAC = DefaultActionCodes()
	}
	if c.Operator == "" {
		c.Operator = "01"
	}
	if c.Header == (iso8583.Header{}) {
		c.Header = iso8583.DefaultHeader
	}
	return c, nil
}

// key finds the scheme key that a card names.
func (c *Config) key(aid ident.AID, index byte) (oda.CAKey, bool) {
	for _, k := range c.CAKeys {
		if k.RID == aid.RID() && k.Index == index {
			return k, true
		}
	}
	return oda.CAKey{}, false
}

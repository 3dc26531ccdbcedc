// Package purse is the record of one offline payment with electronic cash: what
// the terminal logs before it says "approved", what the acquirer carries, what
// the issuer verifies, and what the auditor adds up. All of them mean the same
// thing by it because the bytes are made here and nowhere else.
//
//	terminal --Append--> log --F55--> acquirer --Append--> clearing file --> issuer
//
// Append writes the one canonical form of a record, a template E1 of BER-TLV in
// fixed order; Decode refuses every other form, so equal records are equal
// bytes. F55 and SetF55 are the chip field of a POS message. ACInput gives the
// bytes that the card's cryptogram covers, Proof names the payment by what the
// card alone said, so that a record uploaded twice, by whatever path, is known.
//
// A Flag marks a record that is no plain proof of payment (torn, authentication
// failed, no cryptogram): the issuer decides it by the next balance that the
// card MACs. The package verifies no cryptogram and decides nothing.
package purse

import (
	"errors"
	"fmt"
	"time"

	"jiaozi/value/clock"
	"jiaozi/value/ident"
	"jiaozi/value/money"
	"jiaozi/wire/emv"
)

// Entry is how card and terminal met; the values are those of tag 9F39 and of
// the first two digits of field 22.
type Entry byte

// The two ways.
const (
	Contact     Entry = 0x05
	Contactless Entry = 0x07
)

// Flag says why a record is not a plain proof.
type Flag byte

// The flags; they are also the value of DF01 in field 62 of an upload.
const (
	None         Flag = 0 // the card proved the payment
	Torn         Flag = 1 // the card left before it was known to have paid
	ODAFailed    Flag = 2 // it paid, but its authentication failed; no goods left
	NoCryptogram Flag = 3 // its log shows a payment whose cryptogram is lost

	lastFlag = NoCryptogram
)

var flagNames = [...]string{"none", "torn", "oda_failed", "no_cryptogram"}

// String is a stable code for logs and JSON.
func (f Flag) String() string {
	if f > lastFlag {
		return "unknown"
	}
	return flagNames[f]
}

// Bounds of a record. MaxBytes is generous: a record takes about 200 bytes.
const (
	MaxBytes   = 400
	maxIAD     = 32
	maxPSN     = 99
	maxSTAN    = 999_999
	maxBatch   = 999_999
	maxCountry = 999
)

// Record is one payment. When has seconds and is read in the scheme's zone.
type Record struct {
	PAN           ident.PAN
	PSN           ident.PSN
	Amount, Other money.Amount // Other is cashback, zero of the same currency
	When          time.Time
	TID           ident.TID
	MID           ident.MID
	STAN, Batch   uint32
	Entry         Entry
	AC            [8]byte
	CID           emv.CID
	ATC           uint16
	IAD           []byte // as the card sent it; empty without a cryptogram
	UN            [4]byte
	TVR           emv.TVR
	AIP           emv.AIP
	TxnType       byte
	Country       uint16  // ISO 3166 numeric, of the terminal
	Caps          [3]byte // terminal capabilities, 9F33
	ECAuth        [6]byte // 9F74; zero if the card sent none
	ListVersion   uint32  // blacklist that the terminal held
	Flag          Flag
}

// ErrRecord is wrapped by every refusal of a record's content.
var ErrRecord = errors.New("purse: not a valid payment record")

// Validate reports the first rule that the record breaks. A valid record can be
// written and read back.
func (r Record) Validate() error {
	for _, rule := range []struct {
		broken bool
		what   string
	}{
		{r.PAN.IsZero() || r.PSN > maxPSN, "the card number or its sequence number is missing"},
		{!payable(r.Amount) || !payable(r.Other), "an amount does not fit twelve digits"},
		{r.Amount.Currency() != r.Other.Currency(), "the two amounts are of different currencies"},
		{r.Amount.Currency() == 0 || r.Amount.Currency() > 999, "the currency is missing"},
		{!tidOK(r.TID) || !midOK(r.MID), "the terminal or merchant id is malformed"},
		{r.STAN > maxSTAN || r.Batch > maxBatch, "the trace or batch number has more than six digits"},
		{r.Entry != Contact && r.Entry != Contactless, "the entry mode is neither contact nor contactless"},
		{!whenOK(r.When), "the time is missing or has no EMV form"},
		{len(r.IAD) > maxIAD, "the issuer application data is too long"},
		{r.Country > maxCountry || !isBCD(r.TxnType), "the country or transaction type is malformed"},
		{r.Flag > lastFlag, "the flag is unknown"},
		{(r.Flag == None || r.Flag == ODAFailed) && len(r.IAD) == 0, "the cryptogram is missing and no flag says so"},
		{r.Flag == NoCryptogram && (len(r.IAD) != 0 || r.AC != [8]byte{}), "it has a cryptogram and is flagged as having none"},
	} {
		if rule.broken {
			return fmt.Errorf("%s: %w", rule.what, ErrRecord)
		}
	}
	return nil
}

// HasCryptogram reports whether the card's proof came with the record.
func (r Record) HasCryptogram() bool { return len(r.IAD) > 0 }

// Date is the business date of the payment at the terminal.
func (r Record) Date() clock.Date { return clock.DateOf(r.When) }

func payable(a money.Amount) bool {
	_, err := a.N12()
	return err == nil
}

func tidOK(t ident.TID) bool {
	_, err := ident.ParseTID(string(t))
	return err == nil
}

func midOK(m ident.MID) bool {
	_, err := ident.ParseMID(string(m))
	return err == nil
}

// whenOK: tag 9A has two digits of the year, so a century is assumed, and 9F21
// has no fractions of a second. A time in any other form of Go's (another
// zone, a fraction) would not read back as itself.
func whenOK(t time.Time) bool {
	year := t.In(clock.Zone).Year()
	return year >= 2000 && year < 2050 && t.Nanosecond() == 0
}

func isBCD(b byte) bool { return b>>4 <= 9 && b&0xF <= 9 }

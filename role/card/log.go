package card

import (
	"fmt"
	"slices"

	"jiaozi/value/bcd"
	"jiaozi/value/clock"
	"jiaozi/value/money"
	"jiaozi/wire/emv"
	"jiaozi/wire/tlv"
)

// The files of the logs, readable without a transaction so that a terminal can
// learn what became of a torn tap.
const (
	sfiPayments = 0x0B
	sfiLoads    = 0x0C
)

// paymentFormat (tag 9F4F) is what the card keeps of each offline payment.
var paymentFormat = tlv.DOL{
	{Tag: emv.TagDate, Len: 3},
	{Tag: emv.TagTime, Len: 3},
	{Tag: emv.TagAmount, Len: 6},
	{Tag: emv.TagAmountOther, Len: 6},
	{Tag: emv.TagTerminalCountry, Len: 2},
	{Tag: emv.TagCurrency, Len: 2},
	{Tag: emv.TagMerchantName, Len: 20},
	{Tag: emv.TagTxnType, Len: 1},
	{Tag: emv.TagATC, Len: 2},
}

// loadFormat (tag DF4F) is the tail of a load log record. Before it stand P1 P2
// of the PUT DATA and the balance before and after; PBOC lists none of these in
// the format, as one tag cannot stand for two values.
var loadFormat = tlv.DOL{
	{Tag: emv.TagDate, Len: 3},
	{Tag: emv.TagTime, Len: 3},
	{Tag: emv.TagTerminalCountry, Len: 2},
	{Tag: emv.TagMerchantName, Len: 20},
	{Tag: emv.TagATC, Len: 2},
}

const loadHead = 2 + 6 + 6

// LogEntry is one offline payment in the card's own log.
type LogEntry struct {
	ATC      uint16
	Amount   money.Amount
	Type     byte // tag 9C
	Date     clock.Date
	Time     string // hhmmss
	Country  uint16
	Merchant string
}

// LoadEntry is one change of the balance by the issuer.
type LoadEntry struct {
	ATC           uint16
	Before, After money.Amount
	Date          clock.Date
}

// pushed returns the log with entry in front and the oldest dropped, leaving
// the old log as it was.
func pushed(log [][]byte, entry []byte) [][]byte {
	log = slices.Insert(slices.Clone(log), 0, entry)
	return log[:min(len(log), logSize)]
}

// logValues makes the lookup that a log format is filled from.
func (c *Card) logValues() func(tlv.Tag) ([]byte, bool) {
	return func(t tlv.Tag) ([]byte, bool) {
		if t == emv.TagATC {
			return be16(c.session.atc), true
		}
		return c.session.terms.Find(t)
	}
}

func (c *Card) paymentEntry() []byte { return paymentFormat.Build(c.logValues(), emv.Fill) }

func (c *Card) loadEntry(before, after []byte) []byte {
	head := append(emv.TagECBalance.Append(nil), before...)
	return append(append(head, after...), loadFormat.Build(c.logValues(), emv.Fill)...)
}

// parsePayment reads an entry back. Date and time are the terminal's words and
// may be nonsense; they are shown, never believed.
func parsePayment(b []byte) (LogEntry, error) {
	list, err := paymentFormat.Split(b)
	if err != nil {
		return LogEntry{}, fmt.Errorf("card log: %w", err)
	}
	get := func(t tlv.Tag) []byte { v, _ := list.Find(t); return v }
	currency, err := money.CurrencyFromBCD(get(emv.TagCurrency))
	if err != nil {
		return LogEntry{}, fmt.Errorf("card log currency: %w", err)
	}
	paid, err := money.FromN12(currency, get(emv.TagAmount))
	if err != nil {
		return LogEntry{}, fmt.Errorf("card log amount: %w", err)
	}
	e := LogEntry{ATC: u16(get(emv.TagATC)), Amount: paid, Type: get(emv.TagTxnType)[0], Merchant: text(get(emv.TagMerchantName))}
	e.Date, _ = clock.FromYYMMDD([3]byte(get(emv.TagDate)))
	e.Time, _ = bcd.Decode(get(emv.TagTime))
	if n, err := money.CurrencyFromBCD(get(emv.TagTerminalCountry)); err == nil {
		e.Country = uint16(n) // the same n3 form
	}
	return e, nil
}

func parseLoad(b []byte, c money.Currency) (LoadEntry, error) {
	before, err := money.FromN12(c, b[2:8])
	if err != nil {
		return LoadEntry{}, fmt.Errorf("card load log: %w", err)
	}
	after, err := money.FromN12(c, b[8:14])
	if err != nil {
		return LoadEntry{}, fmt.Errorf("card load log: %w", err)
	}
	list, err := loadFormat.Split(b[loadHead:])
	if err != nil {
		return LoadEntry{}, fmt.Errorf("card load log: %w", err)
	}
	atc, _ := list.Find(emv.TagATC)
	day, _ := list.Find(emv.TagDate)
	e := LoadEntry{ATC: u16(atc), Before: before, After: after}
	e.Date, _ = clock.FromYYMMDD([3]byte(day))
	return e, nil
}

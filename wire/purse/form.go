package purse

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"strconv"
	"time"

	"jiaozi/value/bcd"
	"jiaozi/value/clock"
	"jiaozi/value/ident"
	"jiaozi/value/money"
	"jiaozi/value/must"
	"jiaozi/wire/emv"
	"jiaozi/wire/tlv"
)

// Tags of our own, in the private class, used only inside template E1.
const (
	TagRecord      tlv.Tag = 0xE1
	TagBatch       tlv.Tag = 0xC1
	TagFlag        tlv.Tag = 0xC2
	TagListVersion tlv.Tag = 0xC3
)

// field is one object of a record: how it is written and how it is read. read
// gets a value of exactly size bytes, or of any length if size is 0.
type field struct {
	tag   tlv.Tag
	size  int
	write func(*Record) []byte
	read  func(*Record, []byte) error
}

// The objects of template E1, in their canonical order.
var fields = []field{
	{emv.TagPAN, 0, writePAN, readPAN},
	{emv.TagPSN, 1, func(r *Record) []byte { return number(uint32(r.PSN), 1) }, readPSN},
	currencyField, amountField, otherField, dateField, timeField,
	{emv.TagTerminalID, 8, func(r *Record) []byte { return []byte(r.TID) }, readTID},
	{emv.TagMerchantID, 15, func(r *Record) []byte { return []byte(r.MID) }, readMID},
	{emv.TagTxnCounter, 4, func(r *Record) []byte { return number(r.STAN, 4) }, func(r *Record, v []byte) error { return readNumber(&r.STAN, v) }},
	{TagBatch, 3, func(r *Record) []byte { return number(r.Batch, 3) }, func(r *Record, v []byte) error { return readNumber(&r.Batch, v) }},
	{emv.TagPOSEntry, 1, func(r *Record) []byte { return []byte{byte(r.Entry)} }, func(r *Record, v []byte) error { r.Entry = Entry(v[0]); return nil }},
	acField, cidField, atcField, iadField, unField, tvrField, aipField, typeField, countryField, capsField, ecAuthField, listField,
	{TagFlag, 1, func(r *Record) []byte { return []byte{byte(r.Flag)} }, func(r *Record, v []byte) error { r.Flag = Flag(v[0]); return nil }},
}

// The objects that the chip field of a POS message carries as well. The amounts
// are read with the currency, which therefore precedes them.
var (
	currencyField = field{emv.TagCurrency, 2, writeCurrency, readCurrency}
	amountField   = field{emv.TagAmount, 6, func(r *Record) []byte { return n12(r.Amount) }, func(r *Record, v []byte) error { return readN12(r, &r.Amount, v) }}
	otherField    = field{emv.TagAmountOther, 6, func(r *Record) []byte { return n12(r.Other) }, func(r *Record, v []byte) error { return readN12(r, &r.Other, v) }}
	dateField     = field{emv.TagDate, 3, writeDate, readDate}
	timeField     = field{emv.TagTime, 3, writeTime, readTime}
	acField       = field{emv.TagAC, 8, func(r *Record) []byte { return r.AC[:] }, func(r *Record, v []byte) error { r.AC = [8]byte(v); return nil }}
	cidField      = field{emv.TagCID, 1, func(r *Record) []byte { return []byte{byte(r.CID)} }, func(r *Record, v []byte) error { r.CID = emv.CID(v[0]); return nil }}
	atcField      = field{emv.TagATC, 2, func(r *Record) []byte { return binary.BigEndian.AppendUint16(nil, r.ATC) }, func(r *Record, v []byte) error { r.ATC = binary.BigEndian.Uint16(v); return nil }}
	iadField      = field{emv.TagIAD, 0, func(r *Record) []byte { return r.IAD }, readIAD}
	unField       = field{emv.TagUN, 4, func(r *Record) []byte { return r.UN[:] }, func(r *Record, v []byte) error { r.UN = [4]byte(v); return nil }}
	tvrField      = field{emv.TagTVR, 5, func(r *Record) []byte { return r.TVR[:] }, func(r *Record, v []byte) error { r.TVR = emv.TVR(v); return nil }}
	aipField      = field{emv.TagAIP, 2, func(r *Record) []byte { return r.AIP[:] }, func(r *Record, v []byte) error { r.AIP = emv.AIP(v); return nil }}
	typeField     = field{emv.TagTxnType, 1, func(r *Record) []byte { return []byte{r.TxnType} }, func(r *Record, v []byte) error { r.TxnType = v[0]; return nil }}
	countryField  = field{emv.TagTerminalCountry, 2, func(r *Record) []byte { return number(uint32(r.Country), 2) }, readCountry}
	capsField     = field{emv.TagTerminalCaps, 3, func(r *Record) []byte { return r.Caps[:] }, func(r *Record, v []byte) error { r.Caps = [3]byte(v); return nil }}
	ecAuthField   = field{emv.TagECIssuerAuth, 6, func(r *Record) []byte { return r.ECAuth[:] }, func(r *Record, v []byte) error { r.ECAuth = [6]byte(v); return nil }}
	listField     = field{TagListVersion, 4, func(r *Record) []byte { return binary.BigEndian.AppendUint32(nil, r.ListVersion) }, func(r *Record, v []byte) error { r.ListVersion = binary.BigEndian.Uint32(v); return nil }}
)

// Append writes the canonical form. The record must be valid: the terminal made
// it, so anything else is a bug.
func Append(dst []byte, r Record) []byte {
	err := r.Validate()
	must.Hold(err == nil, "%v", err)
	body := make([]byte, 0, MaxBytes)
	for _, f := range fields {
		body = tlv.Append(body, f.tag, f.write(&r))
	}
	return tlv.Append(dst, TagRecord, body)
}

// Decode reads the canonical form and nothing else: all objects, once, in
// order, in their one encoding. The record does not alias b.
func Decode(b []byte) (Record, error) {
	if len(b) > MaxBytes {
		return Record{}, fmt.Errorf("%d bytes: %w", len(b), ErrRecord)
	}
	outer, rest, err := tlv.Next(b)
	if err != nil {
		return Record{}, fmt.Errorf("payment record: %w", err)
	}
	if outer.Tag != TagRecord || len(rest) != 0 {
		return Record{}, fmt.Errorf("not one template %v: %w", TagRecord, ErrRecord)
	}
	var r Record
	if err := r.readAll(outer.Value); err != nil {
		return Record{}, err
	}
	if err := r.Validate(); err != nil {
		return Record{}, err
	}
	// Some values have several encodings (padding of a card number, zeros
	// before a number): only the one that we write is a record.
	if !bytes.Equal(Append(make([]byte, 0, len(b)), r), b) {
		return Record{}, fmt.Errorf("not in canonical form: %w", ErrRecord)
	}
	return r, nil
}

func (r *Record) readAll(body []byte) error {
	for _, f := range fields {
		it, rest, err := tlv.Next(body)
		if err != nil {
			return fmt.Errorf("payment record: %w", err)
		}
		if it.Tag != f.tag {
			return fmt.Errorf("%v stands where %v belongs: %w", it.Tag, f.tag, ErrRecord)
		}
		if err := f.set(r, it.Value); err != nil {
			return err
		}
		body = rest
	}
	if len(body) != 0 {
		return fmt.Errorf("%d bytes trail the record: %w", len(body), ErrRecord)
	}
	return nil
}

// set checks the length before the value is read.
func (f field) set(r *Record, v []byte) error {
	if f.size != 0 && len(v) != f.size {
		return fmt.Errorf("%v has %d bytes, not %d: %w", f.tag, len(v), f.size, ErrRecord)
	}
	if err := f.read(r, v); err != nil {
		return fmt.Errorf("%v: %w: %w", f.tag, err, ErrRecord)
	}
	return nil
}

func writePAN(r *Record) []byte {
	digits := r.PAN.Reveal()
	v, err := bcd.EncodeLeft(digits, (len(digits)+1)/2)
	must.Hold(err == nil, "purse: a PAN is digits")
	return v
}

func readPAN(r *Record, v []byte) error {
	digits, err := bcd.DecodeLeft(v)
	if err != nil {
		return err
	}
	r.PAN, err = ident.ParsePAN(digits)
	return err
}

func readPSN(r *Record, v []byte) error {
	var n uint32
	err := readNumber(&n, v)
	r.PSN = ident.PSN(n)
	return err
}

func readTID(r *Record, v []byte) (err error) {
	r.TID, err = ident.ParseTID(string(v))
	return err
}

func readMID(r *Record, v []byte) (err error) {
	r.MID, err = ident.ParseMID(string(v))
	return err
}

func readCountry(r *Record, v []byte) error {
	var n uint32
	err := readNumber(&n, v)
	r.Country = uint16(n)
	return err
}

func readIAD(r *Record, v []byte) error {
	if len(v) > maxIAD {
		return fmt.Errorf("%d bytes", len(v))
	}
	r.IAD = append([]byte(nil), v...)
	return nil
}

func writeCurrency(r *Record) []byte {
	code := r.Amount.Currency().BCD()
	return code[:]
}

// readCurrency gives both amounts their currency before they are read.
func readCurrency(r *Record, v []byte) error {
	c, err := money.CurrencyFromBCD(v)
	r.Amount, r.Other = money.Zero(c), money.Zero(c)
	return err
}

func n12(a money.Amount) []byte {
	v, err := a.N12()
	must.Hold(err == nil, "purse: an amount does not fit twelve digits")
	return v[:]
}

func readN12(r *Record, to *money.Amount, v []byte) (err error) {
	*to, err = money.FromN12(r.Amount.Currency(), v)
	return err
}

func writeDate(r *Record) []byte {
	v := clock.DateOf(r.When).YYMMDD()
	return v[:]
}

// readDate sets the day and midnight; readTime follows it.
func readDate(r *Record, v []byte) error {
	d, err := clock.FromYYMMDD([3]byte(v))
	if err != nil {
		return err
	}
	r.When = d.Time()
	return nil
}

func writeTime(r *Record) []byte {
	hour, minute, second := r.When.In(clock.Zone).Clock()
	return number(uint32(hour*10000+minute*100+second), 3)
}

func readTime(r *Record, v []byte) error {
	var n uint32
	if err := readNumber(&n, v); err != nil {
		return err
	}
	hour, minute, second := n/10000, n/100%100, n%100
	if hour > 23 || minute > 59 || second > 59 {
		return fmt.Errorf("not a time of day")
	}
	r.When = r.When.Add(time.Duration(hour)*time.Hour + time.Duration(minute)*time.Minute + time.Duration(second)*time.Second)
	return nil
}

// number writes n as BCD in size bytes; the limits of Validate make it fit.
func number(n uint32, size int) []byte {
	v, err := bcd.EncodeRight(strconv.FormatUint(uint64(n), 10), size)
	must.Hold(err == nil, "purse: %d does not fit %d bytes", n, size)
	return v
}

func readNumber(to *uint32, v []byte) error {
	digits, err := bcd.Decode(v)
	if err != nil {
		return err
	}
	n, err := strconv.ParseUint(digits, 10, 32)
	*to = uint32(n)
	return err
}

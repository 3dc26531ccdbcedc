package purse

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
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

// field is one object of a record: how its value is written behind dst and how
// it is read. read gets a value of exactly size bytes, or of any length if size
// is 0.
type field struct {
	tag   tlv.Tag
	size  int
	write func(dst []byte, r *Record) []byte
	read  func(*Record, []byte) error
}

// The objects of template E1, in their canonical order.
var fields = []field{
	{emv.TagPAN, 0, writePAN, readPAN},
	{emv.TagPSN, 1, writePSN, readPSN},
	currencyField, amountField, otherField, dateField, timeField,
	{emv.TagTerminalID, 8, func(dst []byte, r *Record) []byte { return append(dst, r.TID...) }, readTID},
	{emv.TagMerchantID, 15, func(dst []byte, r *Record) []byte { return append(dst, r.MID...) }, readMID},
	{emv.TagTxnCounter, 4, func(dst []byte, r *Record) []byte { return appendNumber(dst, r.STAN, 4) }, func(r *Record, v []byte) error { return readNumber(&r.STAN, v) }},
	{TagBatch, 3, func(dst []byte, r *Record) []byte { return appendNumber(dst, r.Batch, 3) }, func(r *Record, v []byte) error { return readNumber(&r.Batch, v) }},
	{emv.TagPOSEntry, 1, func(dst []byte, r *Record) []byte { return append(dst, byte(r.Entry)) }, func(r *Record, v []byte) error { r.Entry = Entry(v[0]); return nil }},
	acField, cidField, atcField, iadField, unField, tvrField, aipField, typeField, countryField, capsField, ecAuthField, listField,
	{TagFlag, 1, func(dst []byte, r *Record) []byte { return append(dst, byte(r.Flag)) }, func(r *Record, v []byte) error { r.Flag = Flag(v[0]); return nil }},
}

// The objects that the chip field of a POS message carries as well. The amounts
// are read with the currency, which therefore precedes them.
var (
	currencyField = field{emv.TagCurrency, 2, writeCurrency, readCurrency}
	amountField   = field{emv.TagAmount, 6, func(dst []byte, r *Record) []byte { return appendN12(dst, r.Amount) }, func(r *Record, v []byte) error { return readN12(r, &r.Amount, v) }}
	otherField    = field{emv.TagAmountOther, 6, func(dst []byte, r *Record) []byte { return appendN12(dst, r.Other) }, func(r *Record, v []byte) error { return readN12(r, &r.Other, v) }}
	dateField     = field{emv.TagDate, 3, writeDate, readDate}
	timeField     = field{emv.TagTime, 3, writeTime, readTime}
	acField       = field{emv.TagAC, 8, func(dst []byte, r *Record) []byte { return append(dst, r.AC[:]...) }, func(r *Record, v []byte) error { r.AC = [8]byte(v); return nil }}
	cidField      = field{emv.TagCID, 1, func(dst []byte, r *Record) []byte { return append(dst, byte(r.CID)) }, func(r *Record, v []byte) error { r.CID = emv.CID(v[0]); return nil }}
	atcField      = field{emv.TagATC, 2, func(dst []byte, r *Record) []byte { return binary.BigEndian.AppendUint16(dst, r.ATC) }, func(r *Record, v []byte) error { r.ATC = binary.BigEndian.Uint16(v); return nil }}
	iadField      = field{emv.TagIAD, 0, func(dst []byte, r *Record) []byte { return append(dst, r.IAD...) }, readIAD}
	unField       = field{emv.TagUN, 4, func(dst []byte, r *Record) []byte { return append(dst, r.UN[:]...) }, func(r *Record, v []byte) error { r.UN = [4]byte(v); return nil }}
	tvrField      = field{emv.TagTVR, 5, func(dst []byte, r *Record) []byte { return append(dst, r.TVR[:]...) }, func(r *Record, v []byte) error { r.TVR = emv.TVR(v); return nil }}
	aipField      = field{emv.TagAIP, 2, func(dst []byte, r *Record) []byte { return append(dst, r.AIP[:]...) }, func(r *Record, v []byte) error { r.AIP = emv.AIP(v); return nil }}
	typeField     = field{emv.TagTxnType, 1, func(dst []byte, r *Record) []byte { return append(dst, r.TxnType) }, func(r *Record, v []byte) error { r.TxnType = v[0]; return nil }}
	countryField  = field{emv.TagTerminalCountry, 2, writeCountry, readCountry}
	capsField     = field{emv.TagTerminalCaps, 3, func(dst []byte, r *Record) []byte { return append(dst, r.Caps[:]...) }, func(r *Record, v []byte) error { r.Caps = [3]byte(v); return nil }}
	ecAuthField   = field{emv.TagECIssuerAuth, 6, func(dst []byte, r *Record) []byte { return append(dst, r.ECAuth[:]...) }, func(r *Record, v []byte) error { r.ECAuth = [6]byte(v); return nil }}
	listField     = field{TagListVersion, 4, func(dst []byte, r *Record) []byte { return binary.BigEndian.AppendUint32(dst, r.ListVersion) }, func(r *Record, v []byte) error { r.ListVersion = binary.BigEndian.Uint32(v); return nil }}
)

// Append writes the canonical form. The record must be valid: the terminal made
// it, so anything else is a bug.
func Append(dst []byte, r Record) []byte {
	err := r.Validate()
	must.Hold(err == nil, "%v", err)
	body, scratch := make([]byte, 0, MaxBytes), make([]byte, 0, maxIAD)
	for i := range fields {
		body = tlv.Append(body, fields[i].tag, fields[i].write(scratch, &r))
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
	for i := range fields {
		f := &fields[i]
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
func (f *field) set(r *Record, v []byte) error {
	if f.size != 0 && len(v) != f.size {
		return fmt.Errorf("%v has %d bytes, not %d: %w", f.tag, len(v), f.size, ErrRecord)
	}
	if err := f.read(r, v); err != nil {
		return fmt.Errorf("%v: %w: %w", f.tag, err, ErrRecord)
	}
	return nil
}

func writePAN(dst []byte, r *Record) []byte {
	digits := r.PAN.Reveal()
	v, err := bcd.EncodeLeft(digits, (len(digits)+1)/2)
	must.Hold(err == nil, "purse: a PAN is digits")
	return append(dst, v...)
}

func readPAN(r *Record, v []byte) error {
	digits, err := bcd.DecodeLeft(v)
	if err != nil {
		return err
	}
	r.PAN, err = ident.ParsePAN(digits)
	return err
}

func writePSN(dst []byte, r *Record) []byte { return appendNumber(dst, uint32(r.PSN), 1) }

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

func writeCountry(dst []byte, r *Record) []byte { return appendNumber(dst, uint32(r.Country), 2) }

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

func writeCurrency(dst []byte, r *Record) []byte {
	code := r.Amount.Currency().BCD()
	return append(dst, code[:]...)
}

// readCurrency gives both amounts their currency before they are read.
func readCurrency(r *Record, v []byte) error {
	c, err := money.CurrencyFromBCD(v)
	r.Amount, r.Other = money.Zero(c), money.Zero(c)
	return err
}

func appendN12(dst []byte, a money.Amount) []byte {
	v, err := a.N12()
	must.Hold(err == nil, "purse: the amount does not fit twelve digits")
	return append(dst, v[:]...)
}

func readN12(r *Record, to *money.Amount, v []byte) (err error) {
	*to, err = money.FromN12(r.Amount.Currency(), v)
	return err
}

func writeDate(dst []byte, r *Record) []byte {
	v := clock.DateOf(r.When).YYMMDD()
	return append(dst, v[:]...)
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

func writeTime(dst []byte, r *Record) []byte {
	hour, minute, second := r.When.In(clock.Zone).Clock()
	return appendNumber(dst, uint32(hour*10000+minute*100+second), 3)
}

func readTime(r *Record, v []byte) error {
	var n uint32
	if err := readNumber(&n, v); err != nil {
		return err
	}
	hour, minute, second := n/10000, n/100%100, n%100
	if hour > 23 || minute > 59 || second > 59 {
		return errors.New("not a time of day")
	}
	r.When = r.When.Add(time.Duration(hour)*time.Hour + time.Duration(minute)*time.Minute + time.Duration(second)*time.Second)
	return nil
}

// appendNumber writes n as BCD in size bytes; the limits of Validate make it
// fit.
func appendNumber(dst []byte, n uint32, size int) []byte {
	end := len(dst) + size
	dst = append(dst, make([]byte, size)...)
	for i := end - 1; i >= end-size; i-- {
		dst[i] = byte(n/10%10<<4 | n%10)
		n /= 100
	}
	must.Hold(n == 0, "purse: a number does not fit %d bytes", size)
	return dst
}

func readNumber(to *uint32, v []byte) error {
	n := uint32(0)
	for _, b := range v {
		if !isBCD(b) {
			return errors.New("a nibble above 9")
		}
		n = n*100 + uint32(b>>4)*10 + uint32(b&0xF)
	}
	*to = n
	return nil
}

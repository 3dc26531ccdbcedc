package purse

import (
	"fmt"

	"jiaozi/wire/emv"
	"jiaozi/wire/tlv"
)

// chipFields follows the order in which the POS dialect lists its chip data,
// save that the currency stands before the amounts, which are read with it;
// 9F21 and our C3 follow, because field 12 has no date and field 63 is taken.
var chipFields = []field{
	acField, cidField, iadField, unField, atcField, tvrField, dateField, typeField, currencyField, amountField,
	aipField, countryField, otherField, capsField, ecAuthField, timeField, listField,
}

// optional objects may be missing in a message from elsewhere. The cryptogram
// is among them: a flagged record may have none, and Validate judges that.
var optional = map[tlv.Tag]bool{
	emv.TagAC: true, emv.TagCID: true, emv.TagIAD: true, emv.TagUN: true, emv.TagAmountOther: true,
	emv.TagTerminalCaps: true, emv.TagECIssuerAuth: true, emv.TagTime: true, TagListVersion: true,
}

// approvedOffline is the response code (8A) of an offline approval.
const approvedOffline = "Y1"

// maxF55 is the length of field 55 in the dialect.
const maxF55 = 255

// F55 is the chip data of the upload: the proof and what it covers, and 8A
// "Y1" as the dialect wants it. Objects that the record lacks are left out.
func (r Record) F55() []byte {
	out, scratch := make([]byte, 0, maxF55), make([]byte, 0, maxIAD)
	for i := range chipFields {
		if f := &chipFields[i]; r.carries(f.tag) {
			out = tlv.Append(out, f.tag, f.write(scratch, &r))
		}
	}
	return tlv.Append(out, emv.TagARC, []byte(approvedOffline))
}

func (r Record) carries(t tlv.Tag) bool {
	switch t {
	case emv.TagAC, emv.TagCID, emv.TagIAD:
		return r.HasCryptogram()
	case emv.TagECIssuerAuth:
		return r.ECAuth != [6]byte{}
	}
	return true
}

// SetF55 takes the chip data of a message over into the record; what the chip
// does not say (card, terminal, merchant, trace, batch, entry, flag) stays as
// it is. Objects that a record does not hold are ignored; without a time (9F21)
// When is midnight, for the caller to complete from field 12. Online requests
// carry the same objects, so ACInput serves them as well. The caller sets the
// rest and then asks Validate.
func (r *Record) SetF55(b []byte) error {
	if len(b) > maxF55 {
		return fmt.Errorf("chip data of %d bytes: %w", len(b), ErrRecord)
	}
	list, err := tlv.Decode(b)
	if err != nil {
		return fmt.Errorf("chip data: %w", err)
	}
	if arc, ok := list.Find(emv.TagARC); ok && string(arc) != approvedOffline {
		return fmt.Errorf("the response code %v is not an offline approval: %w", emv.TagARC, ErrRecord)
	}
	next := r.withoutChip()
	for i := range chipFields {
		if err := next.take(&chipFields[i], list); err != nil {
			return err
		}
	}
	*r = next
	return nil
}

// withoutChip keeps what the chip does not say, so that nothing of an earlier
// message remains.
func (r *Record) withoutChip() Record {
	return Record{
		PAN: r.PAN, PSN: r.PSN, TID: r.TID, MID: r.MID, STAN: r.STAN, Batch: r.Batch,
		Entry: r.Entry, Flag: r.Flag,
	}
}

func (r *Record) take(f *field, list tlv.List) error {
	v, ok := list.Find(f.tag)
	if ok {
		return f.set(r, v)
	}
	if !optional[f.tag] {
		return fmt.Errorf("chip data lacks %v: %w", f.tag, ErrRecord)
	}
	return nil
}

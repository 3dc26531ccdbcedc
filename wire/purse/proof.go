package purse

import (
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"

	"jiaozi/wire/emv"
	"jiaozi/wire/tlv"
)

// ErrCVN: the card used a cryptogram version that the scheme does not know.
var ErrCVN = errors.New("purse: cryptogram version is neither 01 nor 17")

// ACInput gives the bytes that the card's cryptogram covers, without padding.
// Which they are depends on the version that the card put into its IAD:
//
//	CVN 01  9F02 9F03 9F1A 95 5F2A 9A 9C 9F37 82 9F36 and the CVR with its length
//	CVN 17  9F02 9F37 9F36 and the first CVR byte
//
// With CVN 17 the TVR, the date and the place are not covered: what they say is
// the terminal's word only.
func ACInput(r Record) ([]byte, error) {
	iad, err := emv.ParseIAD(r.IAD)
	if err != nil {
		return nil, fmt.Errorf("cryptogram input: %w", err)
	}
	amount, err := r.Amount.N12()
	if err != nil {
		return nil, fmt.Errorf("cryptogram input: %w", err)
	}
	switch iad.CVN {
	case emv.CVN01:
		return inputCVN01(r, amount, iad.CVR)
	case emv.CVN17:
		in := append(make([]byte, 0, 13), amount[:]...)
		in = append(in, r.UN[:]...)
		in = binary.BigEndian.AppendUint16(in, r.ATC)
		return append(in, iad.CVR[0]), nil
	}
	return nil, fmt.Errorf("version %02X: %w", iad.CVN, ErrCVN)
}

func inputCVN01(r Record, amount [6]byte, cvr emv.CVR) ([]byte, error) {
	other, err := r.Other.N12()
	if err != nil {
		return nil, fmt.Errorf("cryptogram input: %w", err)
	}
	if r.Country > maxCountry || !whenOK(r.When) {
		return nil, fmt.Errorf("cryptogram input: country or date: %w", ErrRecord)
	}
	in := append(make([]byte, 0, 37), amount[:]...)
	in = append(in, other[:]...)
	in = writeCountry(in, &r)
	in = append(in, r.TVR[:]...)
	in = writeCurrency(in, &r)
	in = writeDate(in, &r)
	in = append(in, r.TxnType)
	in = append(in, r.UN[:]...)
	in = append(in, r.AIP[:]...)
	in = binary.BigEndian.AppendUint16(in, r.ATC)
	return append(in, byte(len(cvr)), cvr[0], cvr[1], cvr[2]), nil
}

const (
	proofDomain   = "jiaozi/purse/proof/1"
	recordDomain  = "jiaozi/purse/record/1"
	tagProofInput = tlv.Tag(0xC4)
)

// Proof names the payment by what the card said and signed, and by nothing that
// a terminal or acquirer could change: the same payment uploaded through two
// terminals or in two batches has one Proof, two payments that claim the same
// counter have two. A record without a cryptogram of a known form has no such
// name; it is named by the whole record.
func (r Record) Proof() [32]byte {
	input, err := ACInput(r)
	if err != nil {
		return sha256.Sum256(Append([]byte(recordDomain), r))
	}
	b := append(make([]byte, 0, 160), proofDomain...)
	b = tlv.Append(b, emv.TagPAN, writePAN(nil, &r))
	b = tlv.Append(b, emv.TagPSN, writePSN(nil, &r))
	b = tlv.Append(b, emv.TagAC, r.AC[:])
	b = tlv.Append(b, emv.TagIAD, r.IAD)
	return sha256.Sum256(tlv.Append(b, tagProofInput, input))
}

package terminal

import (
	"fmt"
	"strings"
	"unicode/utf8"

	"jiaozi/value/clock"
	"jiaozi/wire/emv"
	"jiaozi/wire/purse"
	"jiaozi/wire/tlv"
)

// What this terminal can do (EMV Book 4, Annex A).
var (
	// Contact chip; plain and online PIN, no CVM; DDA.
	capabilities = []byte{0x20, 0xC8, 0x40}
	// Goods, services, cash; numeric, function keys; print and display, both languages.
	addlCapabilities = []byte{0x60, 0x00, 0xB0, 0xA0, 0x01}
	// Attended by a merchant: 22 offline with online capability, 23 offline only.
	typeOnline, typeOffline = byte(0x22), byte(0x23)
	version                 = []byte{0x00, 0x30}
	// Offline approved; unable to go online, declined (EMV Book 4, Annex A6).
	arcApproved, arcDeclined = []byte("Y1"), []byte("Z3")
)

const (
	posContact     byte = 0x05
	posContactless byte = 0x07
	serialLen           = 8
	merchantLen         = 20
)

// own answers a card's data object list: what the terminal knows of itself and of
// this transaction. An object of the card itself is given back to it.
func (s *session) own(tag tlv.Tag) ([]byte, bool) {
	if v, ok := s.transaction(tag); ok {
		return v, true
	}
	if v, ok := s.device(tag); ok {
		return v, true
	}
	v, ok := s.data[tag]
	return v, ok
}

func (s *session) transaction(tag tlv.Tag) ([]byte, bool) {
	switch tag {
	case emv.TagAmount:
		return s.n12[:], true
	case emv.TagAmountOther:
		return make([]byte, 6), true
	case emv.TagCurrency:
		currency := s.amount.Currency().BCD()
		return currency[:], true
	case emv.TagDate:
		date := clock.DateOf(s.when).YYMMDD()
		return date[:], true
	case emv.TagTime:
		return bcdDigits(s.when.Format("150405")), true
	case emv.TagTxnType:
		return []byte{s.txnType}, true
	case emv.TagUN:
		return s.un[:], true
	case emv.TagTVR:
		return s.tvr[:], true
	case emv.TagCVMResults:
		return s.cvm[:], true
	case emv.TagTxnCounter:
		return bcdDigits(fmt.Sprintf("%08d", s.trace.STAN)), true
	case emv.TagARC:
		return s.arc, true
	case emv.TagTTQ:
		ttq := s.qualifiers()
		return ttq[:], true
	case emv.TagECSupport:
		return []byte{boolByte(s.txnType == txnPurchase)}, true
	}
	return nil, false
}

func (s *session) device(tag tlv.Tag) ([]byte, bool) {
	c := &s.t.cfg
	switch tag {
	case emv.TagTerminalCountry:
		return bcdDigits(fmt.Sprintf("%04d", c.Country)), true
	case emv.TagTerminalCaps:
		return capabilities, true
	case emv.TagAddlCaps:
		return addlCapabilities, true
	case emv.TagTerminalType:
		if c.OfflineOnly {
			return []byte{typeOffline}, true
		}
		return []byte{typeOnline}, true
	case emv.TagTerminalVersion:
		return version, true
	case emv.TagTerminalID:
		return []byte(c.TID), true
	case emv.TagMerchantID:
		return []byte(c.MID), true
	case emv.TagMerchantName:
		return fixedText(c.MerchantName, merchantLen), true
	case emv.TagSerial:
		return fixedText(c.Serial, serialLen), true
	case emv.TagECTerminalLimit:
		limit, err := c.ECLimit.N12()
		return limit[:], err == nil
	case emv.TagPOSEntry:
		if s.entry == purse.Contactless {
			return []byte{posContactless}, true
		}
		return []byte{posContact}, true
	}
	return nil, false
}

// qualifiers are what a tap is asked for: qPBOC with fDDA version 01, never mag
// stripe (attack 12), a proof of the holder above the limit.
func (s *session) qualifiers() emv.TTQ {
	var ttq emv.TTQ
	ttq.Set(emv.TTQqPBOC)
	ttq.Set(emv.TTQContact)
	ttq.Set(emv.TTQCDCVM)
	ttq.Set(emv.TTQfDDAVersion01)
	if s.t.cfg.OfflineOnly {
		ttq.Set(emv.TTQOfflineOnly)
	}
	if more(s.amount, s.t.cfg.CVMLimit) {
		ttq.Set(emv.TTQCVMRequired)
	}
	return ttq
}

// bcdDigits packs digits that the terminal has formatted itself.
func bcdDigits(digits string) []byte {
	out := make([]byte, len(digits)/2)
	for i := range out {
		out[i] = digits[2*i]<<4&0xF0 | digits[2*i+1]&0x0F
	}
	return out
}

// fixedText cuts a text, never inside a character, and fills it with spaces: texts
// have a fixed number of bytes here.
func fixedText(text string, n int) []byte {
	for len(text) > n {
		_, size := utf8.DecodeLastRuneInString(text)
		text = text[:len(text)-size]
	}
	return append([]byte(text), strings.Repeat(" ", n-len(text))...)
}

func boolByte(v bool) byte {
	if v {
		return 1
	}
	return 0
}

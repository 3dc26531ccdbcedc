package tlv

import (
	"encoding/hex"
	"strings"
)

// Tag is a BER tag exactly as its bytes read: 0x5A, 0x9F02, 0xBF0C, 0xDF8101.
type Tag uint32

const (
	maxTagBytes     = 4
	constructedBit  = 0x20
	longForm        = 0x1F // these five bits set: the tag goes on
	moreBit         = 0x80 // in a later tag byte: the tag still goes on
	leadingZeroByte = 0x80 // BER forbids this as the first later byte
)

// DecodeTag reads the tag at the head of b and says how many bytes it takes.
// Unlike general BER, EMV uses the long form for numbers below 31 (9F02), so
// that is allowed here; the tag 00, which EMV calls filler, is not.
func DecodeTag(b []byte) (Tag, int, error) {
	if len(b) == 0 {
		return 0, 0, ErrTruncated
	}
	if b[0] == 0 {
		return 0, 0, ErrTag
	}
	tag := Tag(b[0])
	if b[0]&longForm != longForm {
		return tag, 1, nil
	}
	for n := 1; n < maxTagBytes; n++ {
		if n == len(b) {
			return 0, 0, ErrTruncated
		}
		if n == 1 && b[n] == leadingZeroByte {
			return 0, 0, ErrTag
		}
		tag = tag<<8 | Tag(b[n])
		if b[n]&moreBit == 0 {
			return tag, n + 1, nil
		}
	}
	return 0, 0, ErrTag
}

// Append writes the bytes of the tag.
func (t Tag) Append(dst []byte) []byte {
	for shift := 8 * (t.size() - 1); shift >= 0; shift -= 8 {
		dst = append(dst, byte(t>>shift))
	}
	return dst
}

// Valid reports whether the tag would be read back as itself.
func (t Tag) Valid() bool {
	var buf [maxTagBytes]byte
	b := t.Append(buf[:0])
	got, n, err := DecodeTag(b)
	return err == nil && n == len(b) && got == t
}

// String is the hexadecimal that people write: "9F02".
func (t Tag) String() string {
	var buf [maxTagBytes]byte
	return strings.ToUpper(hex.EncodeToString(t.Append(buf[:0])))
}

// Constructed reports whether the tag is a template: its value is TLV again.
func Constructed(t Tag) bool {
	return byte(t>>(8*(t.size()-1)))&constructedBit != 0
}

func (t Tag) size() int {
	switch {
	case t > 0xFFFFFF:
		return 4
	case t > 0xFFFF:
		return 3
	case t > 0xFF:
		return 2
	default:
		return 1
	}
}

package pin

import (
	"crypto/subtle"
	"errors"
	"strings"

	"jiaozi/value/ident"
	"jiaozi/value/must"
)

// ErrBlock says that a PIN block is not of its format, or was made for another
// card or under another key. It never says where it is wrong.
var ErrBlock = errors.New("PIN block is malformed: it was made for another card, under another key or in another format")

// Control nibbles of ISO 9564-1.
const (
	control0 = 0
	control2 = 2
)

// Format0 makes the clear block of ISO 9564-1 format 0: the PIN mixed with the
// rightmost twelve digits of the PAN, its check digit left out. It must be
// enciphered before it leaves the terminal.
func Format0(p PIN, pan ident.PAN) [8]byte {
	return mix(plain(control0, p), pan)
}

// ParseFormat0 is the strict inverse of Format0.
func ParseFormat0(block [8]byte, pan ident.PAN) (PIN, error) {
	return parse(control0, mix(block, pan))
}

// Format2 makes the block that VERIFY carries to a contact card.
func Format2(p PIN) [8]byte { return plain(control2, p) }

// ParseFormat2 is the strict inverse of Format2.
func ParseFormat2(block [8]byte) (PIN, error) { return parse(control2, block) }

// plain is control nibble, length nibble, digits, fill to fourteen nibbles.
func plain(control byte, p PIN) [8]byte {
	must.Hold(p.d != nil, "PIN block of no PIN")
	d := *p.d
	block := [8]byte{control<<4 | d.n}
	for i := 0; i < MaxDigits; i += 2 {
		block[1+i/2] = d.value[i]<<4 | d.value[i+1]
	}
	block[7] = fill<<4 | fill
	return block
}

// mix applies the account number field, its own inverse.
func mix(block [8]byte, pan ident.PAN) [8]byte {
	must.Hold(!pan.IsZero(), "PIN block of no PAN")
	number := pan.Reveal()
	account := strings.Repeat("0", MaxDigits) + number[:len(number)-1]
	account = account[len(account)-MaxDigits:]
	for i := 0; i < MaxDigits; i += 2 {
		block[2+i/2] ^= account[i]&15<<4 | account[i+1]&15
	}
	return block
}

// parse looks at every nibble before it decides, so that its time does not tell
// where a block is wrong.
func parse(control byte, block [8]byte) (PIN, error) {
	n := int(block[0] & 15)
	ok := subtle.ConstantTimeByteEq(block[0]>>4, control)
	ok &= subtle.ConstantTimeLessOrEq(MinDigits, n) & subtle.ConstantTimeLessOrEq(n, MaxDigits)
	d := digits{n: byte(n)}
	for i := range d.value {
		nibble := block[1+i/2] >> (4 * (1 - i%2)) & 15
		isDigit := subtle.ConstantTimeLessOrEq(int(nibble), 9)
		isFill := subtle.ConstantTimeByteEq(nibble, fill)
		inside := subtle.ConstantTimeLessOrEq(i+1, n)
		ok &= subtle.ConstantTimeSelect(inside, isDigit, isFill)
		d.value[i] = nibble
	}
	ok &= subtle.ConstantTimeByteEq(block[7], fill<<4|fill)
	if ok != 1 {
		return PIN{}, ErrBlock
	}
	return newPIN(d), nil
}

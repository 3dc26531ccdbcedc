// Package pin holds a cardholder's PIN and its blocks: ISO 9564-1 format 0,
// which travels enciphered to the issuer, and format 2, which a contact card is
// shown by VERIFY.
//
// A PIN never shows itself in fmt, JSON or logs, not even its length; Reveal is
// the one way out. Parsing a block is strict (control nibble, length, digits and
// fill are all checked) and takes the same time wherever the block is wrong;
// every failure is the one error ErrBlock, so that a caller who can send blocks
// learns nothing about the digits inside. Format 4 (AES) comes with a later
// issue. Start with Parse and Format0.
package pin

import (
	"crypto/subtle"
	"errors"
	"fmt"
	"io"
	"log/slog"
)

// Lengths that ISO 9564-1 allows.
const (
	MinDigits = 4
	MaxDigits = 12
)

// ErrPIN says that the characters are no PIN. It never repeats them.
var ErrPIN = errors.New("not a PIN: 4 to 12 digits")

// PIN is a personal identification number. The zero PIN is none. The digits lie
// behind two pointers, because fmt prints unexported fields without asking them
// and follows one pointer under some verbs.
type PIN struct{ d **digits }

type digits struct {
	n     byte
	value [MaxDigits]byte // 0..9, then fill
}

// fill is the nibble behind the last digit.
const fill = 0xF

// Parse takes 4 to 12 decimal digits.
func Parse(s string) (PIN, error) {
	if len(s) < MinDigits || len(s) > MaxDigits {
		return PIN{}, ErrPIN
	}
	d := digits{n: byte(len(s))}
	bad := 0
	for i := range d.value {
		d.value[i] = fill
		if i < len(s) {
			d.value[i] = s[i] - '0'
			bad |= subtle.ConstantTimeLessOrEq(10, int(d.value[i]))
		}
	}
	if bad != 0 {
		return PIN{}, ErrPIN
	}
	return newPIN(d), nil
}

func newPIN(d digits) PIN {
	p := &d
	return PIN{&p}
}

// IsZero reports whether there is no PIN.
func (p PIN) IsZero() bool { return p.d == nil }

// Equal compares in constant time. Two absent PINs are not equal: nothing was
// proven by either.
func (p PIN) Equal(q PIN) bool {
	if p.d == nil || q.d == nil {
		return false
	}
	return subtle.ConstantTimeCompare((*p.d).value[:], (*q.d).value[:]) == 1
}

// Reveal gives the digits. Search for its callers to see every place where a
// PIN leaves the type.
func (p PIN) Reveal() string {
	if p.d == nil {
		return ""
	}
	out := make([]byte, (*p.d).n)
	for i := range out {
		out[i] = '0' + (*p.d).value[i]
	}
	return string(out)
}

// String hides digits and length.
func (p PIN) String() string { return "pin(hidden)" }

// Format is String under every verb.
func (p PIN) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, p.String()) }

// MarshalText is String, for JSON and every other text encoding.
func (p PIN) MarshalText() ([]byte, error) { return []byte(p.String()), nil }

// LogValue is String, for structured logs.
func (p PIN) LogValue() slog.Value { return slog.StringValue(p.String()) }

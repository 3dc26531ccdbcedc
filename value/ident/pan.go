package ident

import (
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"unique"
)

// PAN is a primary account number: 12 to 19 digits whose last is the Luhn check
// digit (ISO/IEC 7812-1). It is comparable; its zero value is no PAN.
//
// The digits stand behind a handle because package fmt does not call the Format
// of an unexported field: a struct that holds a PAN would print plain digits.
// With the handle it prints an address.
type PAN struct{ digits unique.Handle[string] }

// ErrPAN says that the digits are no card number. It never repeats them.
var ErrPAN = errors.New("not a card number: 12 to 19 digits with a Luhn check digit")

// ParsePAN checks length, digits and check digit.
func ParsePAN(s string) (PAN, error) {
	if len(s) < 12 || len(s) > 19 || !digitsOnly(s) || luhn(s) != 0 {
		return PAN{}, ErrPAN
	}
	return PAN{unique.Make(s)}, nil
}

// UncheckedPAN takes 12 to 19 digits without a check digit. Published test
// vectors and some private-label cards have none; everything else uses ParsePAN.
func UncheckedPAN(s string) (PAN, error) {
	if len(s) < 12 || len(s) > 19 || !digitsOnly(s) {
		return PAN{}, ErrPAN
	}
	return PAN{unique.Make(s)}, nil
}

// WithLuhn appends the check digit that makes the digits a PAN.
func WithLuhn(digits string) string {
	if !digitsOnly(digits) {
		return ""
	}
	sum := luhn(digits + "0")
	return digits + string(rune('0'+(10-sum)%10))
}

// luhn gives the weighted digit sum modulo ten; zero for a valid number.
func luhn(s string) int {
	sum := 0
	for i := 0; i < len(s); i++ {
		d := int(s[len(s)-1-i] - '0')
		if i%2 == 1 {
			if d *= 2; d > 9 {
				d -= 9
			}
		}
		sum += d
	}
	return sum % 10
}

// Reveal gives the digits in the clear. Search for its callers to see every
// place where a card number leaves the type.
func (p PAN) Reveal() string {
	if p.IsZero() {
		return ""
	}
	return p.digits.Value()
}

// IsZero reports whether there is no PAN.
func (p PAN) IsZero() bool { return p == PAN{} }

// Masked shows the first six and the last four digits, the most that PCI DSS
// requirement 3.4.1 allows on a display.
func (p PAN) Masked() string {
	if p.IsZero() {
		return ""
	}
	digits := p.Reveal()
	return digits[:6] + strings.Repeat("*", len(digits)-10) + digits[len(digits)-4:]
}

// String is Masked.
func (p PAN) String() string { return p.Masked() }

// GoString is Masked, so that %#v does not leak either.
func (p PAN) GoString() string { return "PAN(" + p.Masked() + ")" }

// Format masks under every verb, %x and %q included.
func (p PAN) Format(f fmt.State, _ rune) { fmt.Fprint(f, p.Masked()) }

// MarshalText masks in JSON and in every text encoding.
func (p PAN) MarshalText() ([]byte, error) { return []byte(p.Masked()), nil }

// LogValue masks in structured logs.
func (p PAN) LogValue() slog.Value { return slog.StringValue(p.Masked()) }

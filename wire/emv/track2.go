package emv

import (
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"unique"

	"jiaozi/value/bcd"
	"jiaozi/value/ident"
)

const maxTrack2Bytes = 19

// ErrTrack2 never repeats the digits.
var ErrTrack2 = errors.New("emv: malformed track 2 (PAN, separator D, expiry YYMM, service code, discretionary data)")

// Track2 is the track 2 equivalent data (tag 57). It holds a card number and
// what a forger needs, so it prints itself masked; Reveal is the way out. It is
// comparable; its zero value is no track. The digits stand behind a handle for
// the reason that ident.PAN gives: package fmt would print them out of a struct
// that keeps a track in an unexported field.
type Track2 struct{ digits unique.Handle[trackDigits] }

type trackDigits struct {
	pan                            ident.PAN
	expiry, service, discretionary string
}

// NewTrack2 puts a track together; expiry is YYMM, service three digits.
func NewTrack2(pan ident.PAN, expiry, service, discretionary string) (Track2, error) {
	if pan.IsZero() || len(expiry) != 4 || len(service) != 3 || !digits(expiry+service+discretionary) {
		return Track2{}, ErrTrack2
	}
	t := Track2{unique.Make(trackDigits{pan, expiry, service, discretionary})}
	if len(t.Reveal()) > 2*maxTrack2Bytes-1 {
		return Track2{}, ErrTrack2
	}
	return t, nil
}

// ParseTrack2 reads the value of tag 57. One F nibble may fill the last byte,
// and only when the digits are odd in number.
func ParseTrack2(b []byte) (Track2, error) {
	if len(b) == 0 || len(b) > maxTrack2Bytes {
		return Track2{}, ErrTrack2
	}
	text := strings.TrimSuffix(fmt.Sprintf("%X", b), "F")
	number, rest, ok := strings.Cut(text, "D")
	if !ok || len(rest) < 7 {
		return Track2{}, ErrTrack2
	}
	pan, err := ident.ParsePAN(number)
	if err != nil {
		return Track2{}, fmt.Errorf("track 2: %w", err)
	}
	return NewTrack2(pan, rest[:4], rest[4:7], rest[7:])
}

// Append writes the value of tag 57.
func (t Track2) Append(dst []byte) []byte {
	text := t.Reveal()
	if len(text)%2 != 0 {
		text += "F"
	}
	for i := 0; i < len(text); i += 2 {
		dst = append(dst, hexNibble(text[i])<<4|hexNibble(text[i+1]))
	}
	return dst
}

// IsZero reports whether there is no track.
func (t Track2) IsZero() bool { return t == Track2{} }

func (t Track2) parts() trackDigits {
	if t.IsZero() {
		return trackDigits{}
	}
	return t.digits.Value()
}

// PAN is the card number.
func (t Track2) PAN() ident.PAN { return t.parts().pan }

// Expiry is YYMM.
func (t Track2) Expiry() string { return t.parts().expiry }

// ServiceCode is three digits (ISO 7813).
func (t Track2) ServiceCode() string { return t.parts().service }

// Reveal gives the whole track in clear, with D as separator; nothing for no
// track.
func (t Track2) Reveal() string {
	if t.IsZero() {
		return ""
	}
	d := t.parts()
	return d.pan.Reveal() + "D" + d.expiry + d.service + d.discretionary
}

// Masked shows the masked card number and the expiry and hides the rest.
func (t Track2) Masked() string {
	if t.IsZero() {
		return ""
	}
	d := t.parts()
	return d.pan.Masked() + "D" + d.expiry + strings.Repeat("*", len(d.service)+len(d.discretionary))
}

// String is Masked.
func (t Track2) String() string { return t.Masked() }

// Format masks under every verb.
func (t Track2) Format(f fmt.State, _ rune) { fmt.Fprint(f, t.Masked()) }

// MarshalText masks in every text encoding.
func (t Track2) MarshalText() ([]byte, error) { return []byte(t.Masked()), nil }

// LogValue masks in structured logs.
func (t Track2) LogValue() slog.Value { return slog.StringValue(t.Masked()) }

// MaskPAN renders the value of tag 5A (format cn) for people. What is not a
// card number is hidden altogether.
func MaskPAN(b []byte) string {
	if text, err := bcd.DecodeLeft(b); err == nil {
		if pan, err := ident.UncheckedPAN(text); err == nil {
			return pan.Masked()
		}
	}
	return strings.Repeat("*", 2*len(b))
}

func digits(s string) bool {
	for i := range len(s) {
		if s[i] < '0' || s[i] > '9' {
			return false
		}
	}
	return true
}

func hexNibble(c byte) byte {
	switch {
	case c == 'D':
		return 0xD
	case c == 'F':
		return 0xF
	default:
		return c - '0'
	}
}

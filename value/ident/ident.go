// Package ident holds the names of the trade: card numbers, card references,
// terminals, merchants, institutions and applications.
//
// It promises that a card number never reaches a log by accident: a PAN masks
// itself in %v, JSON and slog, and its digits are had only through the loudly
// named Reveal. The other names are checked when parsed, so that a value of the
// type is always well formed. Start with ParsePAN, ParseTID, ParseMID.
package ident

import (
	"encoding/hex"
	"fmt"
	"strings"
)

// PSN is the PAN sequence number (tag 5F34): it tells cards of one PAN apart.
type PSN uint8

// CardRef is a card's pseudonym: a keyed hash of PAN and PSN. Books, files and
// logs name cards by it, so that reading them does not reveal card numbers.
type CardRef [16]byte

// String gives the 32 hex digits.
func (r CardRef) String() string { return hex.EncodeToString(r[:]) }

// TID is a terminal id: exactly eight letters or digits (field 41).
type TID string

// ParseTID checks the form.
func ParseTID(s string) (TID, error) {
	if len(s) != 8 || !alphanumeric(s) {
		return "", fmt.Errorf("terminal id %q is not eight letters or digits", clip(s))
	}
	return TID(s), nil
}

// MID is a merchant id: exactly fifteen letters or digits (field 42).
type MID string

// ParseMID checks the form.
func ParseMID(s string) (MID, error) {
	if len(s) != 15 || !alphanumeric(s) {
		return "", fmt.Errorf("merchant id %q is not fifteen letters or digits", clip(s))
	}
	return MID(s), nil
}

// Inst is an institution: an issuer, an acquirer or the scheme, as the 8 to 11
// digits of fields 32 and 33.
type Inst string

// ParseInst checks the form.
func ParseInst(s string) (Inst, error) {
	if len(s) < 8 || len(s) > 11 || !digitsOnly(s) {
		return "", fmt.Errorf("institution id %q is not 8 to 11 digits", clip(s))
	}
	return Inst(s), nil
}

// AID is an application identifier, 5 to 16 raw bytes in a comparable string.
type AID string

// ParseAID checks the length (ISO 7816-5: a 5-byte RID and up to 11 bytes).
func ParseAID(b []byte) (AID, error) {
	if len(b) < 5 || len(b) > 16 {
		return "", fmt.Errorf("application id of %d bytes: it has 5 to 16", len(b))
	}
	return AID(b), nil
}

// Hex gives upper-case hex digits.
func (a AID) Hex() string { return strings.ToUpper(hex.EncodeToString([]byte(a))) }

// String is Hex.
func (a AID) String() string { return a.Hex() }

// RID gives the registered provider, the first five bytes.
func (a AID) RID() [5]byte {
	var rid [5]byte
	copy(rid[:], a)
	return rid
}

func alphanumeric(s string) bool {
	for i := 0; i < len(s); i++ {
		c := s[i]
		if (c < '0' || c > '9') && (c < 'A' || c > 'Z') && (c < 'a' || c > 'z') {
			return false
		}
	}
	return true
}

func digitsOnly(s string) bool {
	for i := 0; i < len(s); i++ {
		if s[i] < '0' || s[i] > '9' {
			return false
		}
	}
	return s != ""
}

// clip keeps an error message short when the input is not.
func clip(s string) string {
	if len(s) > 24 {
		return s[:24] + "..."
	}
	return s
}

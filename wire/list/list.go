// Package list is the blacklist as it travels from issuer to terminal: numbered,
// dated, signed, and sorted so that a terminal finds a card in a few steps.
//
//	"JZL1" | id 2 | number 4 | salt 16 | issued 8 | expires 8 | count 4 | count x entry 8 | Ed25519 64
//
// An entry is the first 8 bytes of HMAC-SHA256(salt, PAN digits || card sequence
// number): whoever finds a lost terminal does not find card numbers, although
// someone with the salt can try numbers; the list is not a secret, only quiet.
//
// It promises that Decode accepts nothing but the one canonical form with a valid
// signature, and that Accept never lets a terminal go back to an older list. It
// knows no clock: the caller says what time it is.
//
// Start with Build and Append at the issuer, Decode, Accept and Contains at the
// terminal.
package list

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"slices"
	"time"

	"jiaozi/value/ident"
)

// Domain begins every message that is signed as a list: it is the magic of the
// format, so no other signature can pass for one over a list.
const Domain = "JZL1"

// MaxEntries bounds a list: with 999 chunks of 480 bytes, which is what the terminal
// dialect can carry, 59,926 fit.
const MaxEntries = 59_000

type entry [8]byte

// Card names one card to put on a list.
type Card struct {
	PAN ident.PAN
	PSN ident.PSN
}

// List is one numbered edition. Two editions of one list share the ID.
type List struct {
	ID      uint16
	Number  uint32
	Salt    [16]byte
	Issued  time.Time
	Expires time.Time
	entries []entry // strictly ascending
}

// Build makes an edition. Cards may come in any order and repeat.
func Build(id uint16, number uint32, salt [16]byte, issued, expires time.Time, cards []Card) (*List, error) {
	if len(cards) > MaxEntries {
		return nil, fmt.Errorf("build list: %d cards are more than the %d that terminals can load; split the list by id", len(cards), MaxEntries)
	}
	if !expires.After(issued) {
		return nil, errors.New("build list: it would expire before it is issued; set a later expiry")
	}
	l := &List{ID: id, Number: number, Salt: salt,
		Issued: time.Unix(issued.Unix(), 0), Expires: time.Unix(expires.Unix(), 0)}
	for _, c := range cards {
		l.entries = append(l.entries, l.entry(c.PAN, c.PSN))
	}
	slices.SortFunc(l.entries, compare)
	l.entries = slices.Compact(l.entries)
	return l, nil
}

// Len gives the number of cards listed.
func (l *List) Len() int { return len(l.entries) }

// Contains tells whether the card is listed. A false alarm has a chance of one in
// 2^64 per entry.
func (l *List) Contains(pan ident.PAN, psn ident.PSN) bool {
	_, found := slices.BinarySearchFunc(l.entries, l.entry(pan, psn), compare)
	return found
}

func (l *List) entry(pan ident.PAN, psn ident.PSN) entry {
	h := hmac.New(sha256.New, l.Salt[:])
	h.Write([]byte(pan.Reveal()))
	h.Write([]byte{byte(psn)})
	return entry(h.Sum(nil)[:8])
}

func compare(a, b entry) int {
	x, y := binary.BigEndian.Uint64(a[:]), binary.BigEndian.Uint64(b[:])
	switch {
	case x < y:
		return -1
	case x > y:
		return 1
	}
	return 0
}

// Why a terminal does not use an edition.
var (
	// ErrRollback: keep the edition at hand and report the sender.
	ErrRollback = errors.New("the list is older than the one in use: somebody replays an old list; keep the newer one")
	// ErrOther: an edition of another list cannot replace this one.
	ErrOther = errors.New("this is another list: ask for the one that the terminal uses")
	// ErrExpired: fetch a newer edition; until then no offline sale.
	ErrExpired = errors.New("the list has expired: fetch a newer one before the next offline sale")
	// ErrNotYet: the clock is wrong, or the issuer dated the list ahead.
	ErrNotYet = errors.New("the list is not valid yet: check the terminal's clock")
)

// Accept tells whether next may replace current (nil if there is none). The same
// edition again is fine.
func Accept(current, next *List, now time.Time) error {
	if current != nil {
		if next.ID != current.ID {
			return fmt.Errorf("%w: list %d is in use, list %d came", ErrOther, current.ID, next.ID)
		}
		if next.Number < current.Number {
			return fmt.Errorf("%w: edition %d is in use, edition %d came", ErrRollback, current.Number, next.Number)
		}
	}
	return next.Usable(now)
}

// Usable tells whether the edition may decide a sale at this time.
func (l *List) Usable(now time.Time) error {
	if now.Before(l.Issued) {
		return fmt.Errorf("%w: issued %s", ErrNotYet, l.Issued.UTC().Format(time.RFC3339))
	}
	if !now.Before(l.Expires) {
		return fmt.Errorf("%w: expired %s", ErrExpired, l.Expires.UTC().Format(time.RFC3339))
	}
	return nil
}

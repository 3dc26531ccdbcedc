package emv

import (
	"errors"
	"fmt"
)

const (
	aflEntryBytes = 4
	maxSFI        = 30
)

// ErrAFL: the card's list of records makes no sense; the card is refused.
var ErrAFL = errors.New("emv: malformed application file locator")

// AFLEntry names the records First to Last of one file; the first Signed of
// them enter offline data authentication.
type AFLEntry struct {
	SFI, First, Last, Signed byte
}

// AFL is the application file locator (tag 94): the records to read, in order.
type AFL []AFLEntry

// ParseAFL reads a locator (EMV Book 3, 10.2). An empty one is refused.
func ParseAFL(b []byte) (AFL, error) {
	if len(b) == 0 || len(b)%aflEntryBytes != 0 || len(b) > 252 {
		return nil, fmt.Errorf("%d bytes: %w", len(b), ErrAFL)
	}
	afl := make(AFL, 0, len(b)/aflEntryBytes)
	for ; len(b) > 0; b = b[aflEntryBytes:] {
		e := AFLEntry{SFI: b[0] >> 3, First: b[1], Last: b[2], Signed: b[3]}
		if b[0]&7 != 0 || !e.valid() {
			return nil, fmt.Errorf("entry %d: %w", len(afl)+1, ErrAFL)
		}
		afl = append(afl, e)
	}
	return afl, nil
}

func (e AFLEntry) valid() bool {
	return e.SFI >= 1 && e.SFI <= maxSFI && e.First >= 1 && e.Last >= e.First &&
		int(e.Signed) <= int(e.Last)-int(e.First)+1
}

// Append writes the locator.
func (a AFL) Append(dst []byte) []byte {
	for _, e := range a {
		dst = append(dst, e.SFI<<3, e.First, e.Last, e.Signed)
	}
	return dst
}

// Records counts the records to read.
func (a AFL) Records() int {
	n := 0
	for _, e := range a {
		n += int(e.Last) - int(e.First) + 1
	}
	return n
}

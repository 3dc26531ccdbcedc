package archive

import (
	"encoding/hex"
	"fmt"
	"strconv"
	"strings"

	"jiaozi/book"
	"jiaozi/value/clock"
	"jiaozi/value/money"
)

// The words of a line. Reading is only as strict as it must be to give a value:
// that the line has its one form is checked on the whole line.
type (
	hash     book.Hash
	id       [16]byte
	key      []byte
	date     clock.Date
	kind     book.Kind
	side     book.Side
	code     book.Code
	currency money.Currency
	minor    money.Minor
	number   uint64
	seconds  int64
)

func (v hash) MarshalText() ([]byte, error) { return hex.AppendEncode(nil, v[:]), nil }
func (v id) MarshalText() ([]byte, error)   { return hex.AppendEncode(nil, v[:]), nil }
func (v key) MarshalText() ([]byte, error)  { return hex.AppendEncode([]byte{}, v), nil }

func (v *hash) UnmarshalText(b []byte) error { return unhex(v[:], b) }
func (v *id) UnmarshalText(b []byte) error   { return unhex(v[:], b) }

func (v *key) UnmarshalText(b []byte) error {
	*v = make(key, len(b)/2)
	return unhex(*v, b)
}

func unhex(to, b []byte) error {
	if len(b) != 2*len(to) {
		return fmt.Errorf("%d hex digits, not %d", len(b), 2*len(to))
	}
	_, err := hex.Decode(to, b)
	return err
}

func (v date) MarshalText() ([]byte, error) { return []byte(clock.Date(v).String()), nil }

// A date is read without looking at the calendar, which the book does: its years
// go beyond those that package time reads.
func (v *date) UnmarshalText(b []byte) error {
	n, err := strconv.ParseUint(strings.ReplaceAll(string(b), "-", ""), 10, 32)
	*v = date(n)
	return err
}

func (v minor) MarshalText() ([]byte, error)   { return strconv.AppendInt(nil, int64(v), 10), nil }
func (v number) MarshalText() ([]byte, error)  { return strconv.AppendUint(nil, uint64(v), 10), nil }
func (v seconds) MarshalText() ([]byte, error) { return strconv.AppendInt(nil, int64(v), 10), nil }

func (v *minor) UnmarshalText(b []byte) error   { return parseInt(v, b) }
func (v *seconds) UnmarshalText(b []byte) error { return parseInt(v, b) }

func parseInt[T ~int64](to *T, b []byte) error {
	n, err := strconv.ParseInt(string(b), 10, 64)
	*to = T(n)
	return err
}

func (v *number) UnmarshalText(b []byte) error {
	n, err := strconv.ParseUint(string(b), 10, 64)
	*v = number(n)
	return err
}

// A currency is its letters, or its digits where the house knows no letters.
func (v currency) MarshalText() ([]byte, error) { return []byte(money.Currency(v).Code()), nil }

func (v *currency) UnmarshalText(b []byte) error {
	if c, err := money.ParseCurrency(string(b)); err == nil {
		*v = currency(c)
		return nil
	}
	n, err := strconv.ParseUint(string(b), 10, 16)
	*v = currency(n)
	return err
}

func (v kind) MarshalText() ([]byte, error) { return []byte(book.Kind(v).String()), nil }
func (v side) MarshalText() ([]byte, error) { return []byte(book.Side(v).String()), nil }
func (v code) MarshalText() ([]byte, error) { return []byte(book.Code(v).String()), nil }

func (v *kind) UnmarshalText(b []byte) error { return word(v, b, kinds) }
func (v *side) UnmarshalText(b []byte) error { return word(v, b, sides) }
func (v *code) UnmarshalText(b []byte) error { return word(v, b, codes) }

var (
	kinds = named(func(k book.Kind) bool { return k <= book.HandIn })
	sides = named(func(s book.Side) bool { return s == book.Debit || s == book.Credit })
	codes = named(book.Code.Kept)
)

// named lists the values of a small type by their names.
func named[T interface {
	~uint8
	fmt.Stringer
}](known func(T) bool) map[string]uint8 {
	names := make(map[string]uint8)
	for i := range 256 {
		if v := T(i); known(v) {
			names[v.String()] = uint8(i)
		}
	}
	return names
}

func word[T ~uint8](to *T, b []byte, names map[string]uint8) error {
	v, ok := names[string(b)]
	if !ok {
		return fmt.Errorf("%q is not known here", b[:min(len(b), 40)])
	}
	*to = T(v)
	return nil
}

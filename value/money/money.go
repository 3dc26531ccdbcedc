// Package money is an integer of minor units together with its currency.
//
// It promises that no arithmetic wraps, rounds silently or mixes currencies:
// every operation that could fail returns an error (ErrOverflow, ErrCurrency).
// There is no float and no implicit currency. An Amount is a plain value: copy
// it, compare it with ==.
//
// Start with New or Parse, then Add, Sub, Cmp; N12 and FromN12 are the twelve
// BCD digits that cards and ISO 8583 carry.
package money

import (
	"errors"
	"fmt"
	"math"
	"math/bits"
	"strconv"
	"strings"

	"jiaozi/value/bcd"
	"jiaozi/value/lang"
)

// Minor counts the smallest units of a currency: fen, cents.
type Minor int64

// Amount is a sum of money, possibly negative. Its zero value is nothing of no
// currency, which no operation mixes with money of a currency.
type Amount struct {
	minor    Minor
	currency Currency
}

// MaxN12 is the largest amount that twelve digits hold.
const MaxN12 Minor = 999_999_999_999

// Errors that callers tell apart.
var (
	// ErrOverflow: the result does not fit; refuse the operation.
	ErrOverflow = errors.New("money: the amount is too large")
	// ErrCurrency: the two amounts are of different currencies; convert first.
	ErrCurrency = errors.New("money: amounts of different currencies do not mix")
)

// New makes an amount of m minor units of c.
func New(c Currency, m Minor) Amount { return Amount{m, c} }

// Zero is nothing of c.
func Zero(c Currency) Amount { return Amount{currency: c} }

// Minor gives the number of minor units.
func (a Amount) Minor() Minor { return a.minor }

// Currency gives the currency.
func (a Amount) Currency() Currency { return a.currency }

// IsZero reports whether nothing is there, whatever the currency.
func (a Amount) IsZero() bool { return a.minor == 0 }

// Sign gives -1, 0 or 1.
func (a Amount) Sign() int {
	switch {
	case a.minor < 0:
		return -1
	case a.minor > 0:
		return 1
	}
	return 0
}

// Add gives a+b, or ErrOverflow or ErrCurrency.
func (a Amount) Add(b Amount) (Amount, error) {
	if a.currency != b.currency {
		return Amount{}, ErrCurrency
	}
	sum := a.minor + b.minor
	if (sum > a.minor) != (b.minor > 0) && b.minor != 0 {
		return Amount{}, ErrOverflow
	}
	return Amount{sum, a.currency}, nil
}

// Sub gives a-b, or ErrOverflow or ErrCurrency.
func (a Amount) Sub(b Amount) (Amount, error) {
	if a.currency != b.currency {
		return Amount{}, ErrCurrency
	}
	diff := a.minor - b.minor
	if (diff < a.minor) != (b.minor > 0) && b.minor != 0 {
		return Amount{}, ErrOverflow
	}
	return Amount{diff, a.currency}, nil
}

// Neg gives -a; only the most negative number has none.
func (a Amount) Neg() (Amount, error) {
	if a.minor == math.MinInt64 {
		return Amount{}, ErrOverflow
	}
	return Amount{-a.minor, a.currency}, nil
}

// Cmp gives -1, 0 or 1 as a is less than, equal to or more than b.
func (a Amount) Cmp(b Amount) (int, error) {
	if a.currency != b.currency {
		return 0, ErrCurrency
	}
	switch {
	case a.minor < b.minor:
		return -1, nil
	case a.minor > b.minor:
		return 1, nil
	}
	return 0, nil
}

// RatePPM is a proportion in millionths: 3500 is 0.35 %.
type RatePPM uint32

// Rate gives the proportion r of a, rounded half away from zero per item, as
// fee schedules of card schemes do.
func (a Amount) Rate(r RatePPM) (Amount, error) {
	abs, neg := uint64(a.minor), a.minor < 0
	if neg {
		abs = -abs
	}
	hi, lo := bits.Mul64(abs, uint64(r))
	lo, carry := bits.Add64(lo, 500_000, 0)
	if hi += carry; hi >= 1_000_000 {
		return Amount{}, ErrOverflow
	}
	q, _ := bits.Div64(hi, lo, 1_000_000)
	if q > math.MaxInt64 {
		return Amount{}, ErrOverflow
	}
	if neg {
		return Amount{-Minor(q), a.currency}, nil
	}
	return Amount{Minor(q), a.currency}, nil
}

// Parse reads a decimal such as "12.34" of currency c: at most as many decimals
// as the currency has, an optional leading minus, nothing else.
func Parse(c Currency, s string) (Amount, error) {
	bad := func() (Amount, error) {
		return Amount{}, fmt.Errorf("amount %q is not a number with at most %d decimals", s, c.Exponent())
	}
	digits, neg := strings.CutPrefix(s, "-")
	whole, frac, dotted := strings.Cut(digits, ".")
	if whole == "" || (dotted && frac == "") || len(frac) > c.Exponent() || len(whole) > 19 {
		return bad()
	}
	all := whole + frac + strings.Repeat("0", c.Exponent()-len(frac))
	for i := 0; i < len(all); i++ {
		if all[i] < '0' || all[i] > '9' {
			return bad()
		}
	}
	n, err := strconv.ParseInt(all, 10, 64)
	if err != nil {
		return Amount{}, ErrOverflow
	}
	if neg {
		n = -n
	}
	return Amount{Minor(n), c}, nil
}

// String gives the plain decimal, "12.34", without the currency.
func (a Amount) String() string {
	abs, sign := uint64(a.minor), ""
	if a.minor < 0 {
		abs, sign = -abs, "-"
	}
	e := a.currency.Exponent()
	if e == 0 {
		return sign + strconv.FormatUint(abs, 10)
	}
	digits := fmt.Sprintf("%0*d", e+1, abs)
	return sign + digits[:len(digits)-e] + "." + digits[len(digits)-e:]
}

// Format gives the amount as a person reads it: "CNY 1,234.50", "¥1,234.50".
func (a Amount) Format(l lang.Lang) string {
	s, sign := a.String(), ""
	if s[0] == '-' {
		s, sign = s[1:], "-"
	}
	symbol := currencies[a.currency].symbol.In(l)
	if symbol == "" {
		symbol = a.currency.Code() + " "
	}
	return sign + symbol + group(s)
}

func group(s string) string {
	whole, frac, dotted := strings.Cut(s, ".")
	var b strings.Builder
	for i := range len(whole) {
		if i > 0 && (len(whole)-i)%3 == 0 {
			b.WriteByte(',')
		}
		b.WriteByte(whole[i])
	}
	if dotted {
		b.WriteString("." + frac)
	}
	return b.String()
}

// N12 gives the twelve BCD digits of tags 9F02, 9F79 and field 4; negative or
// larger amounts do not fit and are refused.
func (a Amount) N12() ([6]byte, error) {
	var out [6]byte
	if a.minor < 0 || a.minor > MaxN12 {
		return out, ErrOverflow
	}
	n := a.minor
	for i := 5; i >= 0; i-- {
		out[i] = byte(n%10) | byte(n/10%10)<<4
		n /= 100
	}
	return out, nil
}

// FromN12 reads six BCD bytes as an amount of c.
func FromN12(c Currency, b []byte) (Amount, error) {
	if len(b) != 6 {
		return Amount{}, fmt.Errorf("money: n12 is 6 bytes, not %d", len(b))
	}
	digits, err := bcd.Decode(b)
	if err != nil {
		return Amount{}, err
	}
	n, err := strconv.ParseInt(digits, 10, 64)
	if err != nil {
		return Amount{}, ErrOverflow
	}
	return Amount{Minor(n), c}, nil
}

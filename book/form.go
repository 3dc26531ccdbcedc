package book

import (
	"math"
	"slices"
	"strings"
	"unicode/utf8"

	"jiaozi/value/money"
)

// Bounds of a command and of a batch. A command that a batch cannot hold would
// never be booked, so the sizes are checked where commands come in.
const (
	MaxBatch   = 8192     // commands in a batch, and in one call of Apply
	MaxBody    = 32 << 20 // bytes of a batch
	MaxCommand = 8 << 20  // bytes of a command
	MaxLegs    = 4096
	MaxOpen    = 4096
	MaxOnce    = 4096
	MaxPut     = 4096
	MaxOut     = 64
	MaxDone    = 4096
	MaxTerms   = 4096 // limits, and closures
	MaxName    = 128  // bytes of an event, space, topic or account name
	MaxKey     = 256
	MaxValue   = 4 << 20
	MaxNote    = 1024
)

// form checks what can be said about a command without looking at the book.
func form(c *Command) Code {
	switch {
	case c.ID == ID{}, c.Kind > HandIn, !name(c.Event), len(c.Note) > MaxNote:
		return Malformed
	case len(c.Legs) > MaxLegs, len(c.Open) > MaxOpen, len(c.Once) > MaxOnce:
		return Malformed
	case len(c.Put) > MaxPut, len(c.Out) > MaxOut, len(c.Done) > MaxDone:
		return Malformed
	case len(c.Limit) > MaxTerms, len(c.Close) > MaxTerms, !c.Date.Valid():
		return Malformed
	case !kindFields(c), !handoverFits(c), !legsFit(c), !opensFit(c), !termsFit(c), !keysFit(c):
		return Malformed
	}
	if c.Kind == Transfer || c.Kind == Capture {
		return balanced(c.Legs)
	}
	return OK
}

// kindFields checks that a field is used only by the kinds that know it.
func kindFields(c *Command) bool {
	hasHold := c.Hold != ID{}
	if c.Kind != Transfer && c.Reverses != (ID{}) {
		return false
	}
	switch c.Kind {
	case Leave, Stay, HandOut, HandIn:
		return true // see handoverFits
	case Transfer:
		return !hasHold && !c.Final && c.Expires == 0 && (c.Reverses == ID{} || len(c.Legs) > 0)
	case Hold:
		// The hold is kept where its account is.
		return !hasHold && !c.Final && c.Expires >= 0 && len(c.Legs) == 1 && c.ID.Part() == c.Legs[0].Account.Part()
	case Capture:
		return hasHold && c.Expires == 0 && len(c.Legs) > 0
	default:
		return hasHold && !c.Final && c.Expires == 0 && len(c.Legs) == 0
	}
}

func legsFit(c *Command) bool {
	for i := range c.Legs {
		leg := &c.Legs[i]
		if leg.Amount.Sign() <= 0 || leg.Amount.Currency() == 0 || !side(leg.Side) {
			return false
		}
	}
	return true
}

func opensFit(c *Command) bool {
	for i := range c.Open {
		a := &c.Open[i]
		if a.ID == (AccountID{}) || !name(a.Name) || !side(a.Normal) || a.Currency == 0 {
			return false
		}
		if a.Line < 0 || (a.Line > 0 && !a.NeverNegative) {
			return false
		}
	}
	return true
}

// termsFit checks limits, closures and business days, none of them named twice.
func termsFit(c *Command) bool {
	for i := range c.Limit {
		if c.Limit[i].Account == (AccountID{}) || c.Limit[i].Line < 0 {
			return false
		}
	}
	if c.Days != (Days{}) && (!c.Days.From.Valid() || !c.Days.To.Valid() || c.Days.From > c.Days.To) {
		return false
	}
	return !repeats(len(c.Limit), func(i int) AccountID { return c.Limit[i].Account }) &&
		!repeats(len(c.Close), func(i int) AccountID { return c.Close[i] }) &&
		!slices.Contains(c.Close, AccountID{})
}

// keysFit bounds the records and refuses a key named twice in one command: the
// second would contradict the first.
func keysFit(c *Command) bool {
	for i := range c.Once {
		o := &c.Once[i]
		if !space(o.Space) || len(o.Key) > MaxKey || len(o.Value) > MaxValue {
			return false
		}
	}
	for i := range c.Put {
		p := &c.Put[i]
		if !space(p.Space) || len(p.Key) > MaxKey || len(p.Value) > MaxValue || p.Expect > math.MaxInt64 {
			return false
		}
	}
	for i := range c.Out {
		o := &c.Out[i]
		if !name(o.Topic) || len(o.Key) > MaxKey || len(o.Body) > MaxValue {
			return false
		}
	}
	for _, number := range c.Done {
		if number > math.MaxInt64 { // the engines' integers are signed
			return false
		}
	}
	return !repeats(len(c.Once), func(i int) Key { return c.Once[i].key() }) &&
		!repeats(len(c.Put), func(i int) Key { return c.Put[i].key() })
}

func (o *Once) key() Key { return Key{o.Space, string(o.Key)} }
func (p *Put) key() Key  { return Key{p.Space, string(p.Key)} }

func repeats[K comparable](n int, key func(int) K) bool {
	if n < 2 {
		return false
	}
	seen := make(map[K]struct{}, n)
	for i := range n {
		seen[key(i)] = struct{}{}
	}
	return len(seen) < n
}

func side(s Side) bool { return s == Debit || s == Credit }

// space refuses the book's own: nobody writes there but by the fields made for it.
func space(s string) bool { return name(s) && !strings.HasPrefix(s, SpaceBook) }

func name(s string) bool { return s != "" && len(s) <= MaxName && utf8.ValidString(s) }

// balanced checks that debits equal credits in every currency.
func balanced(legs []Leg) Code {
	var small [4]currencySum
	sums := small[:0]
	for i := range legs {
		m := legs[i].Amount.Minor()
		if legs[i].Side == Credit {
			m = -m
		}
		var ok bool
		if sums, ok = addTo(sums, legs[i].Amount.Currency(), m); !ok {
			return Overflow
		}
	}
	for i := range sums {
		if sums[i].net != 0 {
			return Unbalanced
		}
	}
	return OK
}

type currencySum struct {
	currency money.Currency
	net      money.Minor
}

func addTo(sums []currencySum, c money.Currency, m money.Minor) ([]currencySum, bool) {
	for i := range sums {
		if sums[i].currency == c {
			net, ok := addMinor(sums[i].net, m)
			sums[i].net = net
			return sums, ok
		}
	}
	return append(sums, currencySum{c, m}), true
}

// addMinor adds and reports whether the sum is in range. The most negative
// number is out of range, so that every balance has a negative.
func addMinor(a, b money.Minor) (money.Minor, bool) {
	sum := a + b
	if (b > 0 && sum < a) || (b < 0 && sum > a) || sum == math.MinInt64 {
		return 0, false
	}
	return sum, true
}

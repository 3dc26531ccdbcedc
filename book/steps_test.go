package book_test

import (
	"fmt"
	"maps"
	"slices"

	"jiaozi/book"
	"jiaozi/value/clock"
	"jiaozi/value/money"

	"pgregory.net/rapid"
)

// step is a command of the model's little language. Accounts are 1 to 5, and 0
// is none. A step that reverses names the accounts and amount of what it undoes.
type step struct {
	ID                     string
	Kind                   book.Kind
	From, To               int
	Amount                 int64
	Hold                   string
	Final                  bool
	At                     int64 // of a Hold, when it expires
	Once                   string
	Record                 string
	Expect                 int
	Delete                 bool
	Linked                 bool
	Reverses               string
	LimitOf                int
	Limit                  int64 // the new line and one more; 0 is none
	Close                  int
	Date, DaysFrom, DaysTo int // days after the first; DaysTo 0 leaves them
	Bad                    bool
}

const (
	testCurrency money.Currency = 156
	firstDay     clock.Date     = 20261101
)

func (s step) date() clock.Date { return firstDay + clock.Date(s.Date) }

// opens are the accounts that the command of a step opens.
func (s step) opens() []int {
	switch {
	case s.Reverses != "" || s.Kind >= book.Release || s.From == 0:
		return nil
	case s.Kind == book.Hold:
		return []int{s.From}
	}
	return []int{s.From, s.To}
}

// testAccount 5 has a credit line from the start.
func testAccount(n int) book.Account {
	name := fmt.Sprint("account ", n)
	a := book.Account{ID: book.AccountID(book.DeriveID(name).At(0)), Name: name, Normal: book.Credit, Currency: testCurrency, NeverNegative: n > 2}
	if n == 5 {
		a.Line = 7
	}
	return a
}

// command translates a step for the book.
func (s step) command() book.Command {
	c := book.Command{ID: book.DeriveID(s.ID).At(0), Kind: s.Kind, Event: "model", Date: s.date(), Final: s.Final, Linked: s.Linked}
	for _, a := range s.opens() {
		c.Open = append(c.Open, testAccount(a))
	}
	c.Legs = s.legs()
	if s.Kind == book.Hold {
		c.Expires = s.At
	}
	if s.Kind >= book.Capture {
		c.Hold, c.At = book.DeriveID(s.Hold).At(0), s.At
	}
	if s.Reverses != "" {
		c.Reverses = book.DeriveID(s.Reverses).At(0)
	}
	if s.Limit > 0 {
		c.Limit = []book.Limit{{Account: testAccount(s.LimitOf).ID, Line: money.Minor(s.Limit - 1)}}
	}
	if s.Close > 0 {
		c.Close = []book.AccountID{testAccount(s.Close).ID}
	}
	if s.DaysTo > 0 {
		c.Days = book.Days{From: firstDay + clock.Date(s.DaysFrom), To: firstDay + clock.Date(s.DaysTo)}
	}
	if s.Bad {
		c.Event = ""
	}
	s.records(&c)
	return c
}

func (s step) legs() []book.Leg {
	if s.Kind >= book.Release || s.From == 0 {
		return nil
	}
	amount := money.New(testCurrency, money.Minor(s.Amount))
	out, in := book.Debit, book.Credit
	if s.Reverses != "" {
		out, in = in, out
	}
	legs := []book.Leg{{Account: testAccount(s.From).ID, Side: out, Amount: amount}}
	if s.Kind == book.Hold {
		return legs
	}
	return append(legs, book.Leg{Account: testAccount(s.To).ID, Side: in, Amount: amount})
}

func (s step) records(c *book.Command) {
	if s.Once != "" {
		c.Once = []book.Once{{Space: "once", Key: []byte(s.Once), Value: []byte(s.ID)}}
	}
	if s.Record != "" {
		p := book.Put{Space: "record", Key: []byte(s.Record), Expect: uint64(s.Expect), Value: []byte(s.ID)}
		if s.Delete {
			p.Value = nil
		}
		c.Put = []book.Put{p}
	}
}

var stepIDs = rapid.SampledFrom([]string{"a", "b", "c", "d", "e", "f", "g", "h", "i", "j", "k", "l", "m", "n", "o", "p", "q", "r", "s", "t", "u", "v"})

// drawStep makes a step that collides with what the model has seen, on purpose.
func drawStep(t *rapid.T, m *model) step {
	rare := func(what string, n int) bool { return rapid.IntRange(1, n).Draw(t, what) == n }
	if known := slices.Sorted(maps.Keys(m.answers)); len(known) > 0 && rare("again", 8) {
		return m.answers[rapid.SampledFrom(known).Draw(t, "which")].step
	}
	s := step{
		ID:   stepIDs.Draw(t, "id"),
		Kind: rapid.SampledFrom([]book.Kind{book.Transfer, book.Transfer, book.Transfer, book.Hold, book.Capture, book.Release, book.Expire}).Draw(t, "kind"),
		Date: rapid.IntRange(0, 3).Draw(t, "date"), Linked: rare("linked", 4), Bad: rare("bad", 30),
	}
	drawMoney(t, &s)
	if s.Kind == book.Transfer && rare("reverse", 5) {
		s.Reverses = stepIDs.Draw(t, "reverses")
		if of := m.answers[s.Reverses].step; of.From > 0 && of.To > 0 {
			s.From, s.To, s.Amount = of.From, of.To, of.Amount
		}
	}
	s.Once = rapid.SampledFrom([]string{"", "", "", "", "x", "y"}).Draw(t, "once")
	if s.Record = rapid.SampledFrom([]string{"", "", "r", "q"}).Draw(t, "record"); s.Record != "" {
		s.Expect = rapid.IntRange(0, 3).Draw(t, "expect")
		s.Delete = rare("delete", 4)
	}
	if rare("limit", 6) {
		s.LimitOf, s.Limit = rapid.IntRange(1, 5).Draw(t, "limit of"), rapid.Int64Range(1, 20).Draw(t, "line")
	}
	if rare("close", 8) {
		s.Close = rapid.IntRange(1, 5).Draw(t, "close of")
	}
	if rare("days", 10) {
		s.DaysFrom = rapid.IntRange(0, 2).Draw(t, "from day")
		s.DaysTo = rapid.IntRange(max(1, s.DaysFrom), 3).Draw(t, "to day")
	}
	return s
}

func drawMoney(t *rapid.T, s *step) {
	if s.Kind >= book.Capture {
		s.Hold = stepIDs.Draw(t, "hold")
		s.Final = s.Kind == book.Capture && rapid.Bool().Draw(t, "final")
	}
	if s.Kind != book.Transfer {
		s.At = rapid.Int64Range(0, 3).Draw(t, "at")
	}
	if s.Kind <= book.Capture {
		s.From, s.Amount = rapid.IntRange(1, 5).Draw(t, "from"), rapid.Int64Range(1, 20).Draw(t, "amount")
		if s.Kind != book.Hold {
			s.To = rapid.IntRange(1, 5).Draw(t, "to")
		}
	}
}

package archive

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"math"
	"testing"

	"jiaozi/book"
	"jiaozi/value/clock"
	"jiaozi/value/money"

	"pgregory.net/rapid"
)

// store is a journal in memory. Its Append fails once after that many rows.
type store struct {
	noTables
	chain     uint16
	rows      []book.Row
	failAfter int
}

type noTables struct{ book.View }

var errDisk = errors.New("the disk is full")

func (s *store) Chain() uint16 { return s.chain }
func (s *store) Close() error  { return nil }

func (s *store) View(context.Context) (book.View, error) { return s, nil }

func (s *store) Head(context.Context) (book.Head, error) {
	if len(s.rows) == 0 {
		return book.Head{}, nil
	}
	last := s.rows[len(s.rows)-1]
	return book.Head{Seq: last.Seq, Hash: last.Hash}, nil
}

func (s *store) Append(_ context.Context, row *book.Row) error {
	if s.failAfter > 0 && len(s.rows) == s.failAfter {
		s.failAfter = 0
		return errDisk
	}
	s.rows = append(s.rows, *row)
	return nil
}

func (s *store) Row(_ context.Context, seq uint64) (book.Row, bool, error) {
	if seq == 0 || seq > uint64(len(s.rows)) {
		return book.Row{}, false, nil
	}
	return s.rows[seq-1], true, nil
}

func (s *store) Journal(_ context.Context, from uint64, fn func(book.Row) error) error {
	for i := max(from, 1) - 1; i < uint64(len(s.rows)); i++ {
		if err := fn(s.rows[i]); err != nil {
			return err
		}
	}
	return nil
}

// book adds a batch of these entries.
func (s *store) book(entries ...book.Entry) {
	head, _ := s.Head(context.Background())
	var raw [][]byte
	for i := range entries {
		raw = append(raw, book.AppendEntry(nil, &entries[i]))
	}
	row := book.Row{Part: s.chain, Seq: head.Seq + 1, Prev: head.Hash, Body: book.AppendBody(nil, raw)}
	row.Hash = book.Link(row.Part, row.Seq, row.Prev, row.Body)
	s.rows = append(s.rows, row)
}

// example is a journal of a few batches, the same each time.
func example() *store {
	s := &store{chain: 3}
	for seed := range 6 {
		var entries []book.Entry
		for i := range 1 + seed%3 {
			entries = append(entries, rapid.Custom(drawEntry).Example(10*seed+i))
		}
		s.book(entries...)
	}
	return s
}

func exported(t testing.TB, s *store, from uint64) []byte {
	t.Helper()
	var b bytes.Buffer
	_, err := Export(t.Context(), &b, s, s.chain, from)
	must(t, err)
	return b.Bytes()
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func expect(t testing.TB, what string, got, want error) {
	t.Helper()
	if !errors.Is(got, want) {
		t.Errorf("%s: got %v, want %v", what, got, want)
	}
}

// drawEntry draws an entry that the book would keep, of any kind and with any
// of its fields.
func drawEntry(t *rapid.T) book.Entry {
	currency := rapid.SampledFrom([]money.Currency{money.CNY, money.JPY, 36, 999, 65535})
	amount := rapid.Custom(func(t *rapid.T) money.Amount {
		return money.New(currency.Draw(t, "currency"), money.Minor(rapid.Int64Range(1, math.MaxInt64/8192).Draw(t, "minor")))
	})
	c := book.Command{ID: book.ID(draw16(t, "id")), Event: drawName(t), Date: drawDate(t), Linked: rapid.Bool().Draw(t, "linked")}
	if rapid.IntRange(0, 5).Draw(t, "step of a part") == 0 {
		return drawStep(t)
	}
	c.Kind = rapid.SampledFrom([]book.Kind{book.Transfer, book.Hold, book.Capture, book.Release, book.Expire}).Draw(t, "kind")
	c.At = rapid.SampledFrom([]int64{0, 1, -1, math.MaxInt64, math.MinInt64}).Draw(t, "at")
	if c.Kind >= book.Capture {
		c.Hold = book.ID(draw16(t, "hold"))
	}
	switch c.Kind {
	case book.Hold:
		c.Legs = []book.Leg{{Account: book.AccountID(draw16(t, "account")), Side: book.Debit, Amount: amount.Draw(t, "amount")}}
		copy(c.ID[:2], c.Legs[0].Account[:])
		c.Expires = rapid.Int64Range(0, math.MaxInt64).Draw(t, "expires")
	case book.Transfer, book.Capture:
		for range rapid.IntRange(1, 3).Draw(t, "pairs") {
			a := amount.Draw(t, "amount")
			c.Legs = append(c.Legs, book.Leg{Account: book.AccountID(draw16(t, "debit")), Side: book.Debit, Amount: a},
				book.Leg{Account: book.AccountID(draw16(t, "credit")), Side: book.Credit, Amount: a})
		}
		c.Final = c.Kind == book.Capture && rapid.Bool().Draw(t, "final")
		if c.Kind == book.Transfer && rapid.Bool().Draw(t, "reverses") {
			c.Reverses = book.ID(draw16(t, "reversed"))
		}
	}
	drawRest(t, &c, currency)
	e := book.Entry{Command: c, Result: book.Result{Code: rapid.SampledFrom(keptCodes()).Draw(t, "code")}}
	for _, leg := range c.Legs {
		if e.Result.Code == book.OK {
			m := rapid.Int64().Draw(t, "balance")
			e.Result.Balances = append(e.Result.Balances, money.New(leg.Amount.Currency(), money.Minor(m)))
		}
	}
	return e
}

// drawStep draws a step of a part that moves.
func drawStep(t *rapid.T) book.Entry {
	small := rapid.Uint16Range(0, book.Parts-1)
	c := book.Command{ID: book.ID(draw16(t, "id")), Event: drawName(t), Date: drawDate(t)}
	c.Kind = rapid.SampledFrom([]book.Kind{book.Leave, book.Stay, book.HandOut, book.HandIn}).Draw(t, "kind")
	c.Handover = book.Handover{Part: small.Draw(t, "part"), Chain: small.Draw(t, "chain")}
	e := book.Entry{Command: c, Result: book.Result{Code: book.OK}}
	if c.Kind < book.HandOut {
		return e
	}
	h := &e.Command.Handover
	h.Count, h.Head.Seq = rapid.Uint64Range(0, 1<<39-1).Draw(t, "count"), rapid.Uint64Range(1, math.MaxUint64).Draw(t, "seq")
	for _, b := range []*book.Hash{&h.Digest, &h.State, &h.Head.Hash} {
		copy(b[:], rapid.SliceOfN(rapid.Byte(), 32, 32).Draw(t, "hash"))
	}
	if rapid.Bool().Draw(t, "balance") {
		a := book.CarriedAccount(0, h.Chain, money.CNY)
		e.Command.Open = []book.Account{a}
		e.Command.Legs = []book.Leg{{Account: a.ID, Side: book.Credit, Amount: money.New(money.CNY, 7)}}
		e.Result.Balances = []money.Amount{money.New(money.CNY, -7)}
	}
	return e
}

func keptCodes() (kept []book.Code) {
	for c := range 256 {
		if book.Code(c).Kept() {
			kept = append(kept, book.Code(c))
		}
	}
	return kept
}

// drawRest draws what any command may carry.
func drawRest(t *rapid.T, c *book.Command, currency *rapid.Generator[money.Currency]) {
	few := func(what string) int { return rapid.IntRange(0, 2).Draw(t, what) }
	blob := rapid.SliceOfN(rapid.Byte(), 0, 40)
	for i := range few("open") {
		a := book.Account{ID: book.AccountID(draw16(t, "open id")), Name: drawName(t), Normal: book.Credit, Currency: currency.Draw(t, "of"), NeverNegative: i == 1}
		if a.NeverNegative {
			a.Line = money.Minor(rapid.Int64Range(0, math.MaxInt64).Draw(t, "line"))
		}
		c.Open = append(c.Open, a)
	}
	for i := range few("limit") {
		c.Limit = append(c.Limit, book.Limit{Account: book.AccountID{byte(i), 1}, Line: money.Minor(i)})
	}
	for i := range few("close") {
		c.Close = append(c.Close, book.AccountID{byte(i), 2})
	}
	for i := range few("once") {
		c.Once = append(c.Once, book.Once{Space: drawName(t), Key: append(blob.Draw(t, "key"), byte(i)), Value: blob.Draw(t, "value")})
	}
	for i := range few("put") {
		p := book.Put{Space: drawName(t), Key: append(blob.Draw(t, "put key"), byte(i)), Expect: uint64(rapid.Int64Range(0, math.MaxInt64).Draw(t, "expect"))}
		if rapid.Bool().Draw(t, "kept") {
			p.Value = append([]byte{}, blob.Draw(t, "put value")...)
		}
		c.Put = append(c.Put, p)
	}
	for range few("out") {
		c.Out = append(c.Out, book.Out{Topic: drawName(t), Key: blob.Draw(t, "out key"), Body: blob.Draw(t, "body")})
	}
	for range few("done") {
		c.Done = append(c.Done, uint64(rapid.Int64Range(0, math.MaxInt64).Draw(t, "number")))
	}
	if rapid.Bool().Draw(t, "days") {
		c.Days.From = drawDate(t)
		c.Days.To = max(c.Days.From, drawDate(t))
	}
	c.Note = blob.Draw(t, "note")
}

func draw16(t *rapid.T, what string) (id [16]byte) {
	copy(id[:], rapid.SliceOfN(rapid.Byte(), 16, 16).Draw(t, what))
	id[15] |= 1
	return id
}

// drawName draws names that JSON writes in unusual ways as well.
func drawName(t *rapid.T) string {
	odd := rapid.SampledFrom([]string{"plain", "a\"b\\c", "<&>", "\x00\x1f\x7f", "行", "\u2028\u2029", "\ufffd", "😀", ",,,,", "a b"})
	return odd.Draw(t, "name") + fmt.Sprint(rapid.IntRange(0, 1<<30).Draw(t, "n"))
}

func drawDate(t *rapid.T) clock.Date {
	return rapid.SampledFrom([]clock.Date{20261122, 20240229, 101, 19991231, 99991231, 100000101}).Draw(t, "date")
}

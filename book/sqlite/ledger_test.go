package sqlite

import (
	"fmt"
	"path/filepath"
	"strings"
	"testing"

	"jiaozi/book"
	"jiaozi/value/money"
)

// command is one step of a small book that has a row in every table.
func command(n int) book.Command {
	named := func(name string, normal book.Side) book.Account {
		return book.Account{ID: book.AccountID(book.DeriveID(name)), Name: name, Normal: normal, Currency: cny, NeverNegative: normal == book.Credit}
	}
	bank, alice := named("bank", book.Debit), named("alice", book.Credit)
	amount := money.New(cny, money.Minor(100+n))
	c := book.Command{
		ID: book.DeriveID("sample", n), Event: "sample", Date: 20261122, Open: []book.Account{bank, alice},
		Once: []book.Once{{Space: "tap", Key: fmt.Appendf(nil, "card-%d", n), Value: []byte("proof")}},
		Put:  []book.Put{{Space: "cards", Key: []byte("k"), Expect: uint64(n), Value: fmt.Appendf(nil, "value %d", n)}},
		Out:  []book.Out{{Topic: "issuer", Key: []byte("key"), Body: fmt.Appendf(nil, "body %d", n)}},
		Note: []byte(strings.Repeat("note ", 20)),
		Legs: []book.Leg{{Account: bank.ID, Side: book.Debit, Amount: amount}, {Account: alice.ID, Side: book.Credit, Amount: amount}},
	}
	if n%3 == 2 {
		copy(c.ID[:2], alice.ID[:2]) // a hold lives where its account does
		c.Kind, c.Legs = book.Hold, []book.Leg{{Account: alice.ID, Side: book.Debit, Amount: money.New(cny, 50)}}
	}
	return c
}

func openLedger(t testing.TB, path string) *book.Ledger {
	t.Helper()
	engine, err := Open(path)
	if err != nil {
		t.Fatal(err)
	}
	l, err := book.Open(t.Context(), engine)
	if err != nil {
		t.Fatal(err)
	}
	return l
}

func book1(t testing.TB, l *book.Ledger, n int) {
	t.Helper()
	r, err := l.Apply(t.Context(), []book.Command{command(n)})
	if err != nil || r[0].Code != book.OK {
		t.Fatalf("command %d: %v %v", n, r, err)
	}
}

// booked is a store with n batches: crashed, with all of them in the log, or
// closed and without one.
func booked(t testing.TB, n int, closed bool) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "book.db")
	l := openLedger(t, path)
	for i := range n {
		book1(t, l, i)
	}
	if !closed {
		defer l.Close()
		return snapshotOf(t, path)
	}
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	return snapshotOf(t, path)
}

// found reports whether an audit of the store sees anything wrong.
func found(t testing.TB, path string) bool {
	t.Helper()
	report, err := Verify(t.Context(), path)
	return err != nil || len(report.Findings) > 0
}

func sound(t testing.TB, path string) book.Report {
	t.Helper()
	report, err := Verify(t.Context(), path)
	if err != nil || len(report.Findings) > 0 {
		t.Fatalf("findings %v, error %v", report.Findings, err)
	}
	return report
}

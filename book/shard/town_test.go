package shard

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"testing"
	"time"

	"jiaozi/book"
	"jiaozi/book/booktest"
	"jiaozi/value/clock"
	"jiaozi/value/money"
)

const (
	day      clock.Date     = 20261122
	currency money.Currency = 156
)

func cny(m money.Minor) money.Amount { return money.New(currency, m) }

// town is some shards in memory that can be closed and opened again.
type town struct {
	testing.TB
	*Shards
	m      Map
	stores map[string]*booktest.Memory
	faulty map[string]*booktest.Faulty // taken at the next opening, once
	opener Opener                      // nil: stores
	dir    string                      // of the indexes; "" keeps them in memory
}

// newTown has shards a, b and c with a third of the parts each.
func newTown(t testing.TB) *town {
	m, err := New([]Shard{
		{Name: "a", Parts: Ranges{{From: 0, To: 999}}, Store: "a", Chain: 0},
		{Name: "b", Parts: Ranges{{From: 1000, To: 1999}}, Store: "b", Chain: 1000},
		{Name: "c", Parts: Ranges{{From: 2000, To: 4095}}, Store: "c", Chain: 2345},
	})
	if err != nil {
		t.Fatal(err)
	}
	w := &town{TB: t, m: m, stores: map[string]*booktest.Memory{}, faulty: map[string]*booktest.Faulty{}}
	for _, s := range m.Shards() {
		w.stores[s.Name] = &booktest.Memory{Number: s.Chain}
	}
	w.open()
	t.Cleanup(func() { w.Close() })
	return w
}

// engine is the opener.
func (w *town) engine(_ context.Context, s Shard) (book.Engine, error) {
	if f := w.faulty[s.Name]; f != nil {
		delete(w.faulty, s.Name)
		f.Engine = w.stores[s.Name]
		return f, nil
	}
	if w.dir != "" {
		w.stores[s.Name].Index = filepath.Join(w.dir, s.Name)
	}
	return w.stores[s.Name], nil
}

func (w *town) tryOpen() error {
	reload := func(context.Context) (Map, error) { return w.m, nil }
	opener := w.opener
	if opener == nil {
		opener = w.engine
	}
	s, err := Open(context.Background(), w.m, opener, Options{Reload: reload, Ledger: book.Options{Behind: time.Hour}})
	if err == nil {
		w.Shards = s
	}
	return err
}

func (w *town) open() {
	w.Helper()
	if err := w.tryOpen(); err != nil {
		w.Fatal(err)
	}
}

// reopen is a crash of the process and a new one.
func (w *town) reopen() {
	w.Helper()
	w.Close() // what a stopped ledger says does not matter
	w.open()
}

// crash loses what was not written behind, and opens everything again.
func (w *town) crash() {
	w.Helper()
	w.open()
}

// account is one that lives in a part.
func account(part uint16, name string) book.Account {
	id := book.DeriveID("account", name).At(part)
	return book.Account{ID: book.AccountID(id), Name: name, Normal: book.Credit, Currency: currency, NeverNegative: true}
}

// fund opens an account and puts value on it, from a bank in the same part.
func fund(a book.Account, amount money.Minor) book.Command {
	bank := account(a.ID.Part(), "bank of "+a.Name)
	bank.Normal, bank.NeverNegative = book.Debit, false
	c := book.Command{ID: book.DeriveID("fund", a.Name), Event: "fund", Date: day, Open: []book.Account{a, bank}}
	if amount > 0 {
		c.Legs = []book.Leg{
			{Account: bank.ID, Side: book.Debit, Amount: cny(amount)},
			{Account: a.ID, Side: book.Credit, Amount: cny(amount)},
		}
	}
	return c
}

func pay(id string, from, to book.Account, amount money.Minor) Transfer {
	return Transfer{ID: book.DeriveID(id), From: from.ID, To: to.ID, Amount: cny(amount), Event: "pay", Date: day}
}

func (w *town) ok(cmds ...book.Command) {
	w.Helper()
	results, err := w.Apply(context.Background(), cmds)
	if err != nil {
		w.Fatal(err)
	}
	for i, r := range results {
		if r.Code != book.OK {
			w.Fatalf("command %d: %s", i, r.Code)
		}
	}
}

func (w *town) transfer(want book.Code, tr Transfer) book.Result {
	w.Helper()
	results, err := w.Transfer(context.Background(), []Transfer{tr})
	if err != nil {
		w.Fatal(err)
	}
	if results[0].Code != want {
		w.Fatalf("%s, want %s", results[0].Code, want)
	}
	return results[0]
}

func (w *town) pump(want int) {
	w.Helper()
	n, err := w.Pump(context.Background(), day)
	if err != nil || n != want {
		w.Fatalf("%d messages arrived (%v), want %d", n, err, want)
	}
}

func (w *town) has(a book.Account, want money.Minor) {
	w.Helper()
	have, open, err := w.Balance(context.Background(), a.ID)
	if err != nil || !open || have != cny(want) {
		w.Fatalf("%s has %v (open %v, %v), want %v", a.Name, have, open, err, cny(want))
	}
}

// sound audits between the shards and every shard by itself.
func (w *town) sound() Report {
	w.Helper()
	report, err := w.Audit(context.Background())
	if err != nil {
		w.Fatal(err)
	}
	for _, f := range report.Findings {
		w.Errorf("finding: %s", f)
	}
	for _, s := range w.Map().Shards() {
		l, err := w.Ledger(s.Name)
		if err != nil {
			w.Fatal(err)
		}
		of, err := l.Verify(context.Background())
		if err = errors.Join(err, l.Sound()); err != nil {
			w.Fatal(err)
		}
		for _, f := range of.Findings {
			w.Errorf("shard %s: %s", s.Name, f)
		}
	}
	return report
}

// between is what a report says of a pair, as "sent received on-the-way".
func between(r Report, from, to string) string {
	for _, p := range r.Pairs {
		if p.From == from && p.To == to {
			return fmt.Sprint(p.Sent.Minor(), " ", p.Received.Minor(), " ", p.InFlight.Minor())
		}
	}
	return "nothing"
}

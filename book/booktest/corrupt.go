package booktest

import (
	"context"
	"slices"
	"strings"
	"testing"

	"jiaozi/book"
	"jiaozi/value/money"
)

// Corruptible is a store whose facts can be changed behind the book's back.
type Corruptible struct {
	Store Store
	// Verify looks at the closed store; nil is Verify of package book.
	Verify func(context.Context) (book.Report, error)
	// Rewind makes the tables take a change to the last batch once more; nil if
	// they take it anyway.
	Rewind func() error
	// Raw changes what no operation of an engine can; nil leaves those out.
	Raw Raw
}

// Raw writes to a closed store as somebody with the password could.
type Raw interface {
	DropAccount(book.AccountID) error
	DropRecord(book.Key) error
	// DropRow deletes a batch, PutRow writes one, over what is there.
	DropRow(seq uint64) error
	PutRow(book.Row) error
	PutKept(book.Head) error
}

// RunCorruptions changes one fact of a sound store, for every kind of fact, and
// expects that Verify names what is wrong by its code. A sound store, and one
// that is only behind, must give no finding. Prefixes, if any, choose among the
// names of the kinds.
func RunCorruptions(t *testing.T, fresh func(t *testing.T) Corruptible, prefixes ...string) {
	kinds := slices.Concat(tableKinds(), ruleKinds(), indexKinds(), rawKinds())
	for _, kind := range kinds {
		chosen := func(prefix string) bool { return strings.HasPrefix(kind.name, prefix) }
		if len(prefixes) > 0 && !slices.ContainsFunc(prefixes, chosen) {
			continue
		}
		t.Run(kind.name, func(t *testing.T) {
			t.Parallel() // most of the time is waiting for the disk
			v := newVictim(t, fresh(t))
			if kind.raw && v.Raw == nil {
				t.Skip("this engine has no hook for it")
			}
			if !kind.damage(v) {
				t.Skip("this engine keeps no index on disk")
			}
			report := v.verify()
			found := func(f book.Finding) bool { return f.Code == kind.code }
			switch {
			case kind.code == "" && len(report.Findings) > 0:
				t.Fatalf("a sound book has findings: %v", report.Findings)
			case kind.code != "" && !slices.ContainsFunc(report.Findings, found):
				t.Fatalf("%q is not among the findings: %v", kind.code, report.Findings)
			}
		})
	}
}

// corruption is one kind of it: what is done, and the finding that must name it.
// Damage reports whether it could be done.
type corruption struct {
	name, code string
	raw        bool
	damage     func(*victim) bool
}

// victim is a store with a bit of everything in it, closed.
type victim struct {
	*testing.T
	Corruptible
	head     book.Head
	chain    uint16
	balances map[book.AccountID]money.Minor
	rows     []book.Row
	outbox   []book.Pending
}

func newVictim(t *testing.T, c Corruptible) *victim {
	t.Helper()
	h := &harness{T: t, store: c.Store}
	h.reopen()
	fillVictim(h)
	v := &victim{T: t, Corruptible: c, chain: h.engine.Chain(), balances: map[book.AccountID]money.Minor{}}
	err := h.ledger.Accounts(h.ctx(), func(a book.AccountRow) error { v.balances[a.ID] = a.Balance; return nil })
	if err != nil {
		t.Fatal(err)
	}
	if v.outbox, err = h.ledger.Outbox(h.ctx(), "out", 0, 9); err != nil || len(v.outbox) != 2 {
		t.Fatal(v.outbox, err)
	}
	h.close()
	v.open(func(e book.Engine) error {
		view, err := e.View(t.Context())
		if err != nil {
			return err
		}
		defer view.Close()
		if v.head, err = view.Head(t.Context()); err != nil {
			return err
		}
		return view.Journal(t.Context(), 1, func(row book.Row) error { v.rows = append(v.rows, row); return nil })
	})
	return v
}

// gone is closed at the end of the story.
var gone = account("gone", book.Credit, true)

func fillVictim(h *harness) {
	tap := note("tap")
	tap.Once = []book.Once{{Space: "tap", Key: []byte("card"), Value: []byte("first")}}
	tap.Out = []book.Out{{Topic: "out", Key: []byte("k"), Body: []byte("one")}, {Topic: "out", Body: []byte("two")}}
	deleted := put("put 3", "deleted", "", 1)
	deleted.Put[0].Value = nil
	pay := move("pay", alice, bob, 30)
	h.ok(days("days", day, day+5), move("fund", bank, alice, 1000), move("gift", bank, gone, 5), tap)
	h.ok(put("put 1", "kept", "v", 0), put("put 2", "deleted", "v", 0), deleted, hold("h", alice, 50, 1000), pay)
	h.ok(move("overdraw", carol, bob, 40), move("away", gone, bob, 5), shut("shut", gone), capture("part", "h", alice, bob, 10, false))
	h.ok(chained(move("first", alice, bob, 1), undo("second", pay))...)
	h.codes([]book.Code{book.LinkRefused, book.Insufficient}, chained(note("refused"), move("poor", carol, alice, 61))...)
}

// open does something with the engine while nobody else has the store.
func (v *victim) open(fn func(book.Engine) error) {
	v.Helper()
	engine, err := v.Store()
	if err == nil {
		err = fn(engine)
	}
	if err != nil {
		v.Fatal(err)
	}
	if err := engine.Close(); err != nil {
		v.Fatal(err)
	}
}

func (v *victim) verify() (report book.Report) {
	v.Helper()
	var err error
	if v.Verify != nil {
		report, err = v.Verify(v.Context())
	} else {
		v.open(func(e book.Engine) (err error) {
			report, err = book.Verify(v.Context(), v.chain, e)
			return err
		})
	}
	if err != nil {
		v.Fatal(err)
	}
	return report
}

// flush tells the tables something that the journal does not say.
func (v *victim) flush(c book.Change) {
	v.Helper()
	if c.At == (book.Head{}) {
		c.At = v.head
	}
	if v.Rewind != nil {
		if err := v.Rewind(); err != nil {
			v.Fatal(err)
		}
	}
	v.open(func(e book.Engine) error { return e.Flush(v.Context(), &c) })
}

// account reads a row of the tables.
func (v *victim) account(a book.Account) (row book.AccountRow) {
	v.Helper()
	v.open(func(e book.Engine) error {
		loaded, err := e.Load(v.Context(), book.Touch{Accounts: []book.AccountID{a.ID}})
		if err == nil {
			row = loaded.Accounts[0]
		}
		return err
	})
	return row
}

// forge appends a batch that nobody planned, with the right hashes.
func (v *victim) forge(entries ...book.Entry) {
	v.Helper()
	var raws [][]byte
	for i := range entries {
		raws = append(raws, book.AppendEntry(nil, &entries[i]))
	}
	row := book.Row{Part: v.chain, Seq: v.head.Seq + 1, Prev: v.head.Hash, Body: book.AppendBody(nil, raws)}
	row.Hash = book.Link(row.Part, row.Seq, row.Prev, row.Body)
	v.open(func(e book.Engine) error { return e.Append(v.Context(), &row) })
	v.head = book.Head{Seq: row.Seq, Hash: row.Hash}
}

// said is an entry with an answer that adds up.
func (v *victim) said(c book.Command, code book.Code) book.Entry {
	e := book.Entry{Command: c, Result: book.Result{Code: code}}
	if code != book.OK {
		return e
	}
	if c.Kind != book.Hold {
		for _, leg := range c.Legs {
			m := leg.Amount.Minor()
			if (leg.Side == book.Debit) != (leg.Account == bank.ID) { // all others are credit accounts
				m = -m
			}
			v.balances[leg.Account] += m
		}
	}
	for _, leg := range c.Legs {
		e.Result.Balances = append(e.Result.Balances, money.New(leg.Amount.Currency(), v.balances[leg.Account]))
	}
	return e
}

// forged makes a corruption of commands that are booked as if plan had allowed it.
func forged(name, code string, cmds ...book.Command) corruption {
	return corruption{name: name, code: code, damage: func(v *victim) bool {
		var entries []book.Entry
		for _, c := range cmds {
			entries = append(entries, v.said(c, book.OK))
		}
		v.forge(entries...)
		return true
	}}
}

package cluster_test

import (
	"bytes"
	"context"
	"slices"
	"testing"

	"jiaozi/book"
	"jiaozi/book/postgres"
	"jiaozi/value/money"
)

// journal is every entry that a database has, by the id of its command.
func journal(ctx context.Context, t *testing.T, dsn string) map[book.ID]book.Entry {
	t.Helper()
	entries := make(map[book.ID]book.Entry)
	evidence(ctx, t, dsn, func(view book.View) error {
		return view.Journal(ctx, 0, func(row book.Row) error {
			list, err := book.DecodeBody(row.Seq, row.Body)
			for _, e := range list {
				if _, twice := entries[e.Command.ID]; twice {
					t.Errorf("batch %d: %s is booked twice", row.Seq, e.Command.ID)
				}
				e.Result.Seq = row.Seq
				entries[e.Command.ID] = e
			}
			return err
		})
	})
	return entries
}

func evidence(ctx context.Context, t *testing.T, dsn string, look func(book.View) error) {
	t.Helper()
	reader, err := postgres.OpenReader(ctx, dsn, postgres.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer reader.Close()
	view, err := reader.View(ctx)
	if err != nil {
		t.Fatal(err)
	}
	defer view.Close()
	if err := look(view); err != nil {
		t.Fatal(err)
	}
}

// mustHold looks for every payment that was answered until now: it is in the journal once, with the answer that was given.
func (l *load) mustHold(ctx context.Context, t *testing.T, dsn, when string) {
	t.Helper()
	promised := l.promised()
	entries, lost := journal(ctx, t, dsn), 0
	for _, p := range promised {
		e, ok := entries[p.ID]
		if !ok {
			lost++
		} else if !sameAnswer(e.Result, p.Result) {
			t.Errorf("%s: answered %+v, booked %+v", when, p.Result, e.Result)
		}
	}
	if lost > 0 {
		t.Errorf("%s: %d of %d answers are lost", when, lost, len(promised))
	}
}

// sameAnswer compares all but whether it was repeated.
func sameAnswer(a, b book.Result) bool {
	return a.Code == b.Code && a.Seq == b.Seq && bytes.Equal(a.Prior, b.Prior) && slices.Equal(a.Balances, b.Balances)
}

// mustBalance ends the load and checks the whole book: what was answered, and nothing else, is in the journal, in the
// balances, and in whatever an audit can compare.
func (l *load) mustBalance(ctx context.Context, t *testing.T) {
	t.Helper()
	l.end()
	l.mustHold(ctx, t, l.dsn, "at the end")
	if booked := len(journal(ctx, t, l.dsn)); booked != len(l.told) {
		t.Errorf("%d commands are booked, %d were answered", booked, len(l.told))
	}
	report, err := l.ledger.Verify(ctx)
	if err != nil || len(report.Findings) > 0 || report.Entries != uint64(len(l.told)) {
		t.Errorf("the audit found %v in %d entries: %v", report.Findings, report.Entries, err)
	}
	if err := l.ledger.Close(); err != nil {
		t.Error(err)
	}
	want := make(map[book.AccountID]money.Minor)
	repeated := 0
	for _, p := range l.told {
		if p.Replayed {
			repeated++
		}
		want[p.Legs[0].Account] -= p.Legs[0].Amount.Minor()
		want[p.Legs[1].Account] += p.Legs[1].Amount.Minor()
	}
	evidence(ctx, t, l.dsn, func(view book.View) error {
		return view.Accounts(ctx, book.AccountID{}, func(a book.AccountRow) error {
			if a.Balance != want[a.ID] {
				t.Errorf("%s has %d, the answers say %d", a.Name, a.Balance, want[a.ID])
			}
			delete(want, a.ID)
			return nil
		})
	})
	if len(want) > 0 {
		t.Errorf("%d accounts are not in the tables", len(want))
	}
	t.Logf("%d answers, %d of them repeated after a lost one; the ledger was opened again %d times", len(l.told), repeated, l.reopened)
}

package book_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"testing"

	"jiaozi/book"
	"jiaozi/book/booktest"
)

// evidence is a sound book seen through a glass that changes what tables, rows
// and the kept head say.
type evidence struct {
	*booktest.Memory
	kept func(book.Head) book.Head
	row  func(book.Row) []book.Row
	err  error // of reading accounts
}

func (e *evidence) Kept(ctx context.Context) (book.Head, error) {
	head, err := e.Memory.Kept(ctx)
	if e.kept != nil {
		head = e.kept(head)
	}
	return head, err
}

func (e *evidence) View(ctx context.Context) (book.View, error) {
	v, err := e.Memory.View(ctx)
	return &glass{v, e}, err
}

type glass struct {
	book.View
	e *evidence
}

func (g *glass) Journal(ctx context.Context, from uint64, fn func(book.Row) error) error {
	return g.View.Journal(ctx, from, func(row book.Row) error {
		if g.e.row == nil {
			return fn(row)
		}
		for _, r := range g.e.row(row) {
			if err := fn(r); err != nil {
				return err
			}
		}
		return nil
	})
}

func (g *glass) Accounts(ctx context.Context, after book.AccountID, fn func(book.AccountRow) error) error {
	if g.e.err != nil {
		return g.e.err
	}
	return g.View.Accounts(ctx, after, fn)
}

func soundBook(t *testing.T) *booktest.Memory {
	t.Helper()
	m := &booktest.Memory{}
	ledger, err := book.Open(t.Context(), m)
	if err != nil {
		t.Fatal(err)
	}
	for i := range 4 {
		s := step{ID: fmt.Sprint(i), Amount: 5, From: 1, To: 2}
		if _, err := ledger.Apply(t.Context(), []book.Command{s.command()}); err != nil {
			t.Fatal(err)
		}
	}
	if err := ledger.Close(); err != nil {
		t.Fatal(err)
	}
	return m
}

// Goal: each break of the chain is found as what it is, even when everything
// else is in order. Method: one change to the rows or to the head.
func TestVerifyNamesBreaksOfTheChain(t *testing.T) {
	change := func(seq uint64, fn func(*book.Row)) func(book.Row) []book.Row {
		return func(row book.Row) []book.Row {
			if row.Seq == seq {
				fn(&row)
			}
			return []book.Row{row}
		}
	}
	for why, tt := range map[string]struct {
		code string
		e    evidence
	}{
		"a row is missing": {"chain", evidence{row: func(r book.Row) []book.Row {
			if r.Seq == 2 {
				return nil
			}
			return []book.Row{r}
		}}},
		"a row is there twice":  {"chain", evidence{row: func(r book.Row) []book.Row { return []book.Row{r, r}[:1+r.Seq%2] }}},
		"other part":            {"hash", evidence{row: change(3, func(r *book.Row) { r.Part = 1 })}},
		"other seq":             {"hash", evidence{row: change(4, func(r *book.Row) { r.Seq = 5 })}},
		"other prev":            {"hash", evidence{row: change(3, func(r *book.Row) { r.Prev[0] ^= 1 })}},
		"other body":            {"hash", evidence{row: change(3, func(r *book.Row) { r.Body = append(slices.Clone(r.Body), 0) })}},
		"unreadable body":       {"body", evidence{row: change(3, func(r *book.Row) { r.Body = r.Body[:5] })}},
		"other hash at the end": {"head", evidence{row: change(4, func(r *book.Row) { r.Hash[0] ^= 1 })}},
		"another history":       {"head", evidence{kept: func(h book.Head) book.Head { h.Hash[0] ^= 1; return h }}},
		"a tail is lost":        {"head", evidence{kept: func(h book.Head) book.Head { h.Seq++; return h }}},
	} {
		tt.e.Memory = soundBook(t)
		report, err := book.Verify(t.Context(), 0, &tt.e)
		if err != nil || !slices.ContainsFunc(report.Findings, func(f book.Finding) bool { return f.Code == tt.code }) {
			t.Errorf("%s: %v %v", why, report.Findings, err)
		}
	}
	behind := evidence{Memory: soundBook(t), kept: func(book.Head) book.Head { return book.Head{} }}
	if report, err := book.Verify(t.Context(), 0, &behind); err != nil || len(report.Findings) > 0 {
		t.Errorf("a head that is only old: %v %v", report.Findings, err)
	}
}

// What cannot be read is damage if the engine says so, and otherwise a reason to
// say that nothing was verified.
func TestVerifyTellsDamageFromTrouble(t *testing.T) {
	trouble := errors.New("no permission")
	report, err := book.Verify(t.Context(), 0, &evidence{Memory: soundBook(t), err: trouble})
	if !errors.Is(err, trouble) || len(report.Findings) > 0 {
		t.Errorf("trouble: %v %v", report.Findings, err)
	}
	report, err = book.Verify(t.Context(), 0, &evidence{Memory: soundBook(t), err: book.ErrDamaged})
	if err != nil || len(report.Findings) != 1 || report.Findings[0].Code != "table" {
		t.Errorf("damage: %v %v", report.Findings, err)
	}
}

// A report has an end, however bad the book is.
func TestReportIsBounded(t *testing.T) {
	e := &evidence{Memory: &booktest.Memory{}}
	ledger, err := book.Open(t.Context(), e.Memory)
	if err != nil {
		t.Fatal(err)
	}
	defer ledger.Close()
	for i := range book.MaxFindings {
		if _, err := ledger.Apply(t.Context(), []book.Command{note(fmt.Sprint(i))}); err != nil {
			t.Fatal(err)
		}
	}
	e.row = func(r book.Row) []book.Row { r.Hash[0] ^= 1; return []book.Row{r} }
	report, err := book.Verify(t.Context(), 0, e)
	if err != nil || len(report.Findings) != book.MaxFindings {
		t.Fatalf("%d findings, %v", len(report.Findings), err)
	}
}

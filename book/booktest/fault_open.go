package booktest

import (
	"context"
	"errors"
	"testing"
	"time"

	"jiaozi/book"
)

// storyOnly is a book with a story in its journal and nothing in its tables.
func storyOnly(t *testing.T, store Store) *harness {
	t.Helper()
	h := &harness{T: t, store: store, options: book.Options{Behind: time.Hour}}
	h.reopen()
	for _, batch := range story() {
		h.answers(batch, h.apply(batch...))
	}
	return h
}

// faultsOnOpening lets each operation fail that rolling forward needs. Opening
// then fails, or needs it no more; the next opening finds everything.
func faultsOnOpening(t *testing.T, store Store) {
	h := storyOnly(t, store)
	for _, fault := range []Fault{FailLoad, FailView} {
		for k, failed := 1, true; failed; k++ {
			h.mortal.dead.Store(true) // nothing is written behind, so there is all to do
			if err := h.ledger.Close(); err != nil && !errors.Is(err, ErrInjected) {
				t.Fatal(err)
			}
			h.ledger = nil
			engine, err := store()
			if err != nil {
				t.Fatal(err)
			}
			ledger, err := book.OpenWith(h.ctx(), &mortal{Engine: &Faulty{Engine: engine, Fault: fault, At: k}}, h.options)
			if failed = err != nil; failed && !errors.Is(err, ErrInjected) {
				t.Fatal(err)
			}
			if failed {
				err = engine.Close()
			} else {
				err = ledger.Close()
			}
			if err != nil && !failed {
				t.Fatal(err)
			}
			h.reopen()
			if failed {
				h.storyIsTold(h.ledger)
			}
			if k > 100 {
				t.Fatal("opening never succeeds")
			}
		}
	}
	h.sound()
	h.close()
}

// storyIsTold looks at what the story leaves.
func (h *harness) storyIsTold(ask Asker) {
	h.Helper()
	for _, a := range []book.Account{alice, bob, bank} {
		if have, open, err := ask.Balance(h.ctx(), a.ID); err != nil || !open || !have.IsZero() {
			h.Fatalf("%s has %s (open %v, %v)", a.Name, have, open, err)
		}
	}
}

// faultsOfReaders lets each operation of its view fail under a reader: it says so
// or answers right.
func faultsOfReaders(t *testing.T, store Store) {
	h := storyOnly(t, store)
	defer h.close()
	for k, failed := 1, true; failed; k++ {
		shaky := &shakyEvidence{Evidence: h.engine, at: k}
		reader, err := book.OpenReader(h.ctx(), h.engine.Chain(), shaky)
		if err == nil {
			err = CheckHistory(h.ctx(), reader)
			err = errors.Join(err, reader.Close())
		}
		if failed = shaky.seen >= k; failed && err == nil {
			t.Fatalf("operation %d failed, and nobody was told", k)
		}
		if err != nil && !errors.Is(err, ErrInjected) {
			t.Fatalf("operation %d: %v", k, err)
		}
		if k > 1000 {
			t.Fatal("a reader never succeeds")
		}
	}
}

// shakyEvidence fails once, at the at-th operation of its views.
type shakyEvidence struct {
	book.Evidence
	at, seen int
}

func (s *shakyEvidence) fails() error {
	if s.seen++; s.seen == s.at {
		return ErrInjected
	}
	return nil
}

func (s *shakyEvidence) View(ctx context.Context) (book.View, error) {
	if err := s.fails(); err != nil {
		return nil, err
	}
	v, err := s.Evidence.View(ctx)
	return &shakyView{v, s}, err
}

type shakyView struct {
	book.View
	s *shakyEvidence
}

func (v *shakyView) Applied(ctx context.Context) (book.Head, error) {
	if err := v.s.fails(); err != nil {
		return book.Head{}, err
	}
	return v.View.Applied(ctx)
}

func (v *shakyView) Journal(ctx context.Context, from uint64, fn func(book.Row) error) error {
	if err := v.s.fails(); err != nil {
		return err
	}
	return v.View.Journal(ctx, from, fn)
}

func (v *shakyView) Row(ctx context.Context, seq uint64) (book.Row, bool, error) {
	if err := v.s.fails(); err != nil {
		return book.Row{}, false, err
	}
	return v.View.Row(ctx, seq)
}

func (v *shakyView) Account(ctx context.Context, id book.AccountID) (book.AccountRow, bool, error) {
	if err := v.s.fails(); err != nil {
		return book.AccountRow{}, false, err
	}
	return v.View.Account(ctx, id)
}

func (v *shakyView) Accounts(ctx context.Context, after book.AccountID, fn func(book.AccountRow) error) error {
	if err := v.s.fails(); err != nil {
		return err
	}
	return v.View.Accounts(ctx, after, fn)
}

// oldFlushDoesNothing sends flushes in the wrong order, as a keeper might who was
// taken for dead. It may be refused or ignored; the tables must not go back.
func oldFlushDoesNothing(t *testing.T, store Store) {
	h := storyOnly(t, store)
	var old book.Head
	err := h.ledger.Journal(h.ctx(), 1, func(b book.Batch) error {
		if b.Seq == 2 {
			old = book.Head{Seq: b.Seq, Hash: b.Hash}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	h.close() // all is written behind
	h.ledger = nil
	engine, err := store()
	if err != nil {
		t.Fatal(err)
	}
	rich := book.AccountRow{Account: alice, AccountState: book.AccountState{Balance: 1000}}
	if err := engine.Flush(h.ctx(), &book.Change{At: old, Opened: []book.AccountRow{rich}}); err != nil {
		t.Log(err)
	}
	if err := engine.Close(); err != nil {
		t.Fatal(err)
	}
	h.reopen()
	h.storyIsTold(h.ledger)
	h.sound()
	h.close()
}

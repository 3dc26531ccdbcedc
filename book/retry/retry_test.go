package retry

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"testing"
	"testing/synctest"
	"time"

	"jiaozi/book"
	"jiaozi/book/booktest"
)

// script answers each attempt with the next error, and then books.
type script struct {
	errs     []error
	attempts []time.Time
	ledger   Applier
}

func (s *script) Apply(ctx context.Context, cmds []book.Command) ([]book.Result, error) {
	s.attempts = append(s.attempts, time.Now())
	if len(s.errs) > 0 {
		err := s.errs[0]
		s.errs = s.errs[1:]
		return nil, err
	}
	if s.ledger == nil {
		return []book.Result{{Code: book.OK}}, nil
	}
	return s.ledger.Apply(ctx, cmds)
}

func backoff() Backoff {
	return Backoff{First: 10 * time.Millisecond, Most: 40 * time.Millisecond, Draw: rand.N[time.Duration]}
}

func note() []book.Command {
	return []book.Command{{ID: book.ID{1}, Event: "test", Date: 20261122}}
}

// The waits double up to the longest, each between half and all of itself.
func TestWaitsGrowAndDiffer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &script{errs: []error{book.ErrBusy, fmt.Errorf("line lost: %w", book.ErrUnknown), book.ErrBusy, book.ErrBusy, book.ErrBusy}}
		results, err := Apply(t.Context(), s, note(), backoff())
		if err != nil || results[0].Code != book.OK {
			t.Fatal(results, err)
		}
		for i, most := range []time.Duration{10, 20, 40, 40, 40} {
			most *= time.Millisecond
			if wait := s.attempts[i+1].Sub(s.attempts[i]); wait < most/2 || wait > most {
				t.Errorf("wait %d is %s, want %s to %s", i, wait, most/2, most)
			}
		}
	})
}

// Nothing is asked again that would be answered the same, or that nobody waits for.
func TestAttemptsEnd(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		for why, err := range map[string]error{"full": book.ErrFull, "closed": book.ErrClosed, "too large": book.ErrTooLarge, "stopped": book.ErrStopped} {
			s := &script{errs: []error{err}}
			if _, have := Apply(t.Context(), s, note(), backoff()); !errors.Is(have, err) || len(s.attempts) != 1 {
				t.Errorf("%s: %v after %d attempts", why, have, len(s.attempts))
			}
		}
		ctx, stop := context.WithTimeout(t.Context(), time.Second)
		defer stop()
		s := &script{}
		for range 1000 {
			s.errs = append(s.errs, book.ErrBusy)
		}
		if _, err := Apply(ctx, s, note(), backoff()); !errors.Is(err, book.ErrBusy) || errors.Is(err, book.ErrUnknown) {
			t.Error(err)
		}
	})
}

// Once an attempt may have been booked, no later error hides that.
func TestUnknownStaysUnknown(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &script{errs: []error{book.ErrUnknown, book.ErrFull}}
		if _, err := Apply(t.Context(), s, note(), backoff()); !errors.Is(err, book.ErrUnknown) || !errors.Is(err, book.ErrFull) {
			t.Fatal(err)
		}
	})
}

// A ledger that stopped in the middle is opened again, and the answer is the
// first one: booked once.
func TestStoppedLedgerIsAskedAgainAfterReopening(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		store := &booktest.Memory{}
		first, err := book.Open(t.Context(), &booktest.Faulty{Engine: store, Fault: booktest.FailSync, At: 1})
		if err != nil {
			t.Fatal(err)
		}
		tries := 0
		var second *book.Ledger
		b := backoff()
		b.Reopen = func(ctx context.Context) (Applier, error) {
			if tries++; tries < 3 {
				return nil, errors.New("the disk is not back yet")
			}
			if err := first.Close(); err != nil {
				return nil, err
			}
			second, err = book.Open(ctx, store)
			return second, err
		}
		results, err := Apply(t.Context(), first, note(), b)
		if err != nil || results[0].Code != book.OK || !results[0].Replayed || tries != 3 {
			t.Fatalf("%+v %v after %d tries", results, err, tries)
		}
		if err := second.Close(); err != nil {
			t.Fatal(err)
		}
	})
}

// Package retry asks the book again until it answers: when it was busy, and when
// an answer was lost. The ids of the commands stay the same, so that asking twice
// books once.
//
// Promises: commands are never changed; the waits grow and differ from caller to
// caller, so that those who were refused together do not come back together; an
// error says ErrUnknown if any of the attempts may have been booked. Clock and
// dice are the caller's. Start with Apply.
package retry

import (
	"context"
	"errors"
	"fmt"
	"time"

	"jiaozi/book"
)

// Applier books commands: a ledger, a door, or somebody who asks one.
type Applier interface {
	Apply(ctx context.Context, cmds []book.Command) ([]book.Result, error)
}

// Backoff says how to wait.
type Backoff struct {
	First time.Duration // about the first wait; 0 is ten milliseconds
	Most  time.Duration // the longest; 0 is two seconds
	// Draw returns a random duration below limit, which is positive:
	// rand.N[time.Duration] of math/rand/v2 does.
	Draw func(limit time.Duration) time.Duration
	// Reopen gives the ledger that took the place of one which has stopped. Nil
	// means that nobody opens it again, so that stopping ends the attempts.
	Reopen func(ctx context.Context) (Applier, error)
}

// Apply books commands as a.Apply does, and asks again as long as the book was
// busy or the outcome is unknown, until ctx ends.
func Apply(ctx context.Context, a Applier, cmds []book.Command, b Backoff) ([]book.Result, error) {
	wait, unknown := b.first(), false
	for {
		results, err := a.Apply(ctx, cmds)
		if err == nil {
			return results, nil
		}
		unknown = unknown || errors.Is(err, book.ErrUnknown)
		again := errors.Is(err, book.ErrBusy) || errors.Is(err, book.ErrUnknown)
		if errors.Is(err, book.ErrStopped) {
			if again = b.Reopen != nil; again {
				a, err = b.reopen(ctx, a, err)
			}
		}
		if again && err != nil {
			again = b.pause(ctx, wait)
			wait = min(2*wait, b.most())
		}
		if !again {
			return nil, verdict(err, unknown)
		}
	}
}

// reopen tries once; a ledger that cannot be opened yet leaves the old one, which
// says again that it has stopped.
func (b Backoff) reopen(ctx context.Context, old Applier, stopped error) (Applier, error) {
	a, err := b.Reopen(ctx)
	if err != nil {
		return old, errors.Join(stopped, err)
	}
	return a, nil
}

// verdict keeps in mind that an earlier attempt may have been booked.
func verdict(err error, unknown bool) error {
	if unknown && !errors.Is(err, book.ErrUnknown) {
		return fmt.Errorf("%w: an earlier attempt may be booked: %w", book.ErrUnknown, err)
	}
	return err
}

// pause waits between half and all of a duration, and reports whether ctx lasted.
func (b Backoff) pause(ctx context.Context, wait time.Duration) bool {
	timer := time.NewTimer(wait/2 + b.Draw(wait/2+1))
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-ctx.Done():
		return false
	}
}

func (b Backoff) first() time.Duration {
	if b.First > 0 {
		return b.First
	}
	return 10 * time.Millisecond
}

func (b Backoff) most() time.Duration {
	if b.Most > 0 {
		return b.Most
	}
	return 2 * time.Second
}

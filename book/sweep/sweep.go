// Package sweep gives back holds whose time has passed. The book has no clock and
// expires nothing by itself; somebody must say the time, and this is who.
//
//	every so often: which holds are due? --> one Expire command for each
//
// Promises: the command for a hold always has the same id, so that two sweepers,
// or one that was interrupted, give a hold back once; a hold that was captured or
// released meanwhile is left alone; what fails is tried again at the next turn.
// It starts no goroutine: that is the caller's.
//
// Start with Sweeper.Run, or call Sweeper.Turn from a schedule of your own.
package sweep

import (
	"context"
	"errors"
	"fmt"
	"time"

	"jiaozi/book"
	"jiaozi/value/clock"
)

// Ledger is what a sweeper needs of a ledger.
type Ledger interface {
	Expired(ctx context.Context, now int64, max int) ([]book.ID, error)
	Apply(ctx context.Context, cmds []book.Command) ([]book.Result, error)
}

// Sweeper expires holds of one ledger.
type Sweeper struct {
	Ledger Ledger
	Clock  clock.Clock
	Event  string // of the Expire commands
	// Date is the business date to book on; nil is the clock's.
	Date func() clock.Date
	// Trouble is told what a turn of Run failed with; nil tells nobody.
	Trouble func(error)
}

// page is how many holds one call of Apply gives back.
const page = 1024

// ErrRefused: a hold that is due could not be given back.
var ErrRefused = errors.New("sweep: the book refuses to give a hold back")

// CommandID is the id of the command that expires a hold.
func CommandID(hold book.ID) book.ID { return book.DeriveID("book/sweep", hold[:]) }

// Run takes a turn at once and then one every so often, until ctx ends or a turn
// finds the ledger closed or stopped. It returns why.
func (s *Sweeper) Run(ctx context.Context, every time.Duration) error {
	for {
		_, err := s.Turn(ctx)
		switch {
		case ctx.Err() != nil:
			return context.Cause(ctx)
		case errors.Is(err, book.ErrClosed), errors.Is(err, book.ErrStopped):
			return err
		case err != nil && s.Trouble != nil:
			s.Trouble(err)
		}
		timer := time.NewTimer(every)
		select {
		case <-timer.C:
		case <-ctx.Done():
			timer.Stop()
			return context.Cause(ctx)
		}
	}
}

// Turn gives back every hold that is due, and says how many it were.
func (s *Sweeper) Turn(ctx context.Context) (swept int, err error) {
	for {
		now := s.Clock.Now()
		due, err := s.Ledger.Expired(ctx, now.Unix(), page)
		if err != nil || len(due) == 0 {
			return swept, err
		}
		n, err := s.expire(ctx, now, due)
		if swept += n; err != nil || len(due) < page {
			return swept, err
		}
	}
}

func (s *Sweeper) expire(ctx context.Context, now time.Time, due []book.ID) (swept int, err error) {
	date := clock.DateOf(now)
	if s.Date != nil {
		date = s.Date()
	}
	cmds := make([]book.Command, len(due))
	for i, hold := range due {
		cmds[i] = book.Command{ID: CommandID(hold), Kind: book.Expire, Event: s.Event, Date: date, Hold: hold, At: now.Unix()}
	}
	results, err := s.Ledger.Apply(ctx, cmds)
	if err != nil {
		return 0, err
	}
	for i, r := range results {
		switch r.Code {
		case book.OK:
			swept++
		case book.HoldUnknown, book.IDReused: // somebody was faster
		default:
			err = errors.Join(err, fmt.Errorf("%w: hold %s: %s", ErrRefused, due[i], r.Code.Explain()))
		}
	}
	return swept, err
}

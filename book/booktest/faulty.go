package booktest

import (
	"context"
	"errors"
	"sync"

	"jiaozi/book"
)

// ErrInjected is the failure that Faulty makes.
var ErrInjected = errors.New("booktest: injected failure")

// Fault is one way in which an operation of an engine can fail.
type Fault uint8

const (
	// FailLoad: a batch cannot be loaded.
	FailLoad Fault = iota
	// FailAppend: nothing is written.
	FailAppend
	// FailFull: nothing is written, for want of room.
	FailFull
	// FailAfterAppend: all is written, and then something fails.
	FailAfterAppend
	// FailSync: all is written, but it is not known to be on the disk.
	FailSync
	// LoseSync: nothing is written, and it is not known to be on the disk.
	LoseSync
	// FailBlind: all is written, and the store cannot be read to see that.
	FailBlind
	// FailTwice: the row is sent twice, as by a network that lost the first answer.
	// The second is refused, or known to be the first again.
	FailTwice
	// FailView: an earlier entry cannot be read.
	FailView
	// FailFlush: the tables are not written behind.
	FailFlush
	// FailAfterFlush: they are, and then something fails.
	FailAfterFlush
	// Faults is the number of them.
	Faults
)

// Faulty lets one operation of an engine fail: the At-th of its kind, counted
// from 1, in the way of Fault.
type Faulty struct {
	book.Engine
	Fault Fault
	At    int

	mu    sync.Mutex // loads and flushes come from two goroutines
	seen  int
	blind bool
}

func (f *Faulty) hit() bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.seen++
	return f.seen == f.At
}

// View is a fault's place only for FailView.
func (f *Faulty) View(ctx context.Context) (book.View, error) {
	if f.Fault == FailView && f.hit() {
		return nil, ErrInjected
	}
	return f.Engine.View(ctx)
}

// Flush writes behind, or not.
func (f *Faulty) Flush(ctx context.Context, c *book.Change) error {
	if (f.Fault != FailFlush && f.Fault != FailAfterFlush) || !f.hit() {
		return f.Engine.Flush(ctx, c)
	}
	if f.Fault == FailFlush {
		return ErrInjected
	}
	return errors.Join(f.Engine.Flush(ctx, c), ErrInjected)
}

// Load is a fault's place only for FailLoad.
func (f *Faulty) Load(ctx context.Context, t book.Touch) (book.Loaded, error) {
	if f.Fault == FailLoad && f.hit() {
		return book.Loaded{}, ErrInjected
	}
	return f.Engine.Load(ctx, t)
}

// Append is where the other faults are.
func (f *Faulty) Append(ctx context.Context, row *book.Row) error {
	if f.Fault == FailLoad || f.Fault >= FailView || !f.hit() {
		return f.Engine.Append(ctx, row)
	}
	switch f.Fault {
	case FailAppend:
		return ErrInjected
	case FailFull:
		return errors.Join(book.ErrFull, ErrInjected)
	case LoseSync:
		return errors.Join(book.ErrNotDurable, ErrInjected)
	}
	if err := f.Engine.Append(ctx, row); err != nil {
		return err
	}
	if f.Fault == FailTwice {
		return f.Engine.Append(ctx, row)
	}
	if f.Fault == FailSync {
		return errors.Join(book.ErrNotDurable, ErrInjected)
	}
	f.blind = f.Fault == FailBlind
	return ErrInjected
}

// Head cannot be read after FailBlind.
func (f *Faulty) Head(ctx context.Context) (book.Head, error) {
	if f.blind {
		return book.Head{}, ErrInjected
	}
	return f.Engine.Head(ctx)
}

// Hit reports whether the fault has happened.
func (f *Faulty) Hit() bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.seen >= f.At
}

// Carry and Forget are those of the engine below.
func (f *Faulty) Carry(ctx context.Context, rows []book.CarriedRow) error {
	return f.Engine.(book.Carrier).Carry(ctx, rows)
}

func (f *Faulty) Forget(ctx context.Context, part, chain uint16) error {
	return f.Engine.(book.Carrier).Forget(ctx, part, chain)
}

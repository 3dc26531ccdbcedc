package booktest

import (
	"context"
	"errors"

	"jiaozi/book"
)

// ErrInjected is the failure that Faulty makes.
var ErrInjected = errors.New("booktest: injected failure")

// Fault is one way in which an operation of an engine can fail.
type Fault uint8

const (
	// FailLoad: a batch cannot be loaded.
	FailLoad Fault = iota
	// FailCommit: nothing is written.
	FailCommit
	// FailFull: nothing is written, for want of room.
	FailFull
	// FailAfterCommit: all is written, and then something fails.
	FailAfterCommit
	// FailSync: all is written, but it is not known to be on the disk.
	FailSync
	// LoseSync: nothing is written, and it is not known to be on the disk.
	LoseSync
	// FailBlind: all is written, and the store cannot be read to see that.
	FailBlind
	// Faults is the number of them.
	Faults
)

// Faulty lets one operation of an engine fail: the At-th load or commit,
// counted from 1, in the way of Fault.
type Faulty struct {
	book.Engine
	Fault Fault
	At    int
	seen  int
	blind bool
}

func (f *Faulty) hit() bool {
	f.seen++
	return f.seen == f.At
}

// Load is a fault's place only for FailLoad.
func (f *Faulty) Load(ctx context.Context, t book.Touch) (book.Loaded, error) {
	if f.Fault == FailLoad && f.hit() {
		return book.Loaded{}, ErrInjected
	}
	return f.Engine.Load(ctx, t)
}

// Commit is where the other faults are.
func (f *Faulty) Commit(ctx context.Context, c *book.Change) error {
	if f.Fault == FailLoad || !f.hit() {
		return f.Engine.Commit(ctx, c)
	}
	switch f.Fault {
	case FailCommit:
		return ErrInjected
	case FailFull:
		return errors.Join(book.ErrFull, ErrInjected)
	case LoseSync:
		return errors.Join(book.ErrNotDurable, ErrInjected)
	}
	if err := f.Engine.Commit(ctx, c); err != nil {
		return err
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

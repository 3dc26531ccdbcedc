package book

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"jiaozi/value/must"
)

// write is the single writer. An idle writer commits what comes at once; what
// comes during a commit is the next batch.
func (l *Ledger) write() {
	defer close(l.stopped)
	for {
		requests, open := l.next()
		if len(requests) == 0 {
			if !open {
				return
			}
			<-l.wake
			continue
		}
		l.serve(requests)
	}
}

// next takes as many whole requests as a batch holds, first come first served.
func (l *Ledger) next() (taken []*request, open bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	n, commands, bytes := 0, 0, 0
	for n < len(l.queue) {
		r := l.queue[n]
		if n > 0 && (commands+len(r.batch) > MaxBatch || bytes+r.bytes > MaxBody) {
			break
		}
		r.taken = true
		commands += len(r.batch)
		bytes += r.bytes
		n++
	}
	taken = slices.Clone(l.queue[:n])
	l.queue = slices.Delete(l.queue, 0, n)
	l.commands -= commands
	l.bytes -= bytes
	return taken, !l.closed
}

// serve books the requests as one batch and answers each.
func (l *Ledger) serve(requests []*request) {
	batch := requests[0].batch
	if len(requests) > 1 {
		batch = nil
		for _, r := range requests {
			batch = append(batch, r.batch...)
		}
	}
	results, err := l.process(context.Background(), batch)
	for _, r := range requests {
		if err != nil {
			r.reply <- reply{err: err}
			continue
		}
		n := len(r.batch)
		r.reply <- reply{results: results[:n:n]}
		results = results[n:]
	}
}

// process is one turn: load, plan, commit. It runs without the callers'
// contexts, because a batch belongs to many of them.
func (l *Ledger) process(ctx context.Context, batch []candidate) ([]Result, error) {
	if err := l.halted(); err != nil {
		return nil, err
	}
	loaded, err := l.engine.Load(ctx, touch(batch))
	if err != nil {
		return nil, fmt.Errorf("book: nothing was booked: load: %w", err)
	}
	st, err := newState(l.head.Seq+1, loaded)
	if err != nil {
		return nil, fmt.Errorf("book: nothing was booked: %w", err)
	}
	results := plan(st, batch)
	change := st.changes(l.engine.Part(), l.head.Hash)
	if change == nil {
		return results, nil
	}
	must.Hold(len(change.Row.Body) <= MaxBody+bodyHeader && change.Row.Seq <= maxSeq, "batch %d has %d bytes", change.Row.Seq, len(change.Row.Body))
	if err := l.commit(ctx, change); err != nil {
		return nil, err
	}
	return results, nil
}

// commit writes the change. After an error it finds out which of the two states
// the store is in, and if it cannot know, the ledger stops.
func (l *Ledger) commit(ctx context.Context, change *Change) error {
	next := Head{Seq: change.Row.Seq, Hash: change.Row.Hash}
	err := l.engine.Commit(ctx, change)
	if err == nil {
		l.head = next
		return nil
	}
	if errors.Is(err, ErrNotDurable) || errors.Is(err, ErrFenced) {
		return l.halt(err)
	}
	now, headErr := l.engine.Head(ctx)
	switch {
	case headErr != nil:
		return l.halt(errors.Join(err, headErr))
	case now == next: // committed, and only then did something fail
		l.head = next
		return nil
	case now == l.head:
		return fmt.Errorf("book: nothing was booked: %w", err)
	default:
		return l.halt(fmt.Errorf("%w: the head is %s: %w", ErrFenced, now, err))
	}
}

// halt makes the ledger refuse from here on. The outcome of the batch at hand
// is unknown; after opening again the same ids tell it.
func (l *Ledger) halt(cause error) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.broken = fmt.Errorf("%w (%w)", ErrStopped, cause)
	return fmt.Errorf("%w: %w", ErrUnknown, l.broken)
}

// halted is what a batch that was waiting when the ledger stopped is told.
func (l *Ledger) halted() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.broken
}

// Sound tells whether the ledger still books: nil, or why it stopped. What is booked
// can be read either way, so reading proves nothing.
func (l *Ledger) Sound() error { return l.halted() }

// touch lists what the batch may read.
func touch(batch []candidate) Touch {
	var t Touch
	for i := range batch {
		c := batch[i].cmd
		t.Commands = append(t.Commands, c.ID)
		if batch[i].form != OK {
			continue
		}
		for k := range c.Legs {
			t.Accounts = append(t.Accounts, c.Legs[k].Account)
		}
		for k := range c.Open {
			t.Accounts = append(t.Accounts, c.Open[k].ID)
		}
		for k := range c.Once {
			t.Onces = append(t.Onces, c.Once[k].key())
		}
		for k := range c.Put {
			t.Records = append(t.Records, c.Put[k].key())
		}
		if c.Hold != (ID{}) {
			t.Holds = append(t.Holds, c.Hold)
		}
	}
	t.dedupe()
	return t
}

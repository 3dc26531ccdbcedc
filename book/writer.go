package book

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

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
			l.linger()
			continue
		}
		l.serve(requests)
	}
}

// linger gives more callers the chance to be in the batch.
func (l *Ledger) linger() {
	if l.options.Linger <= 0 {
		return
	}
	timer := time.NewTimer(l.options.Linger)
	defer timer.Stop()
	<-timer.C
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
		batch = l.joined[:0]
		for _, r := range requests {
			batch = append(batch, r.batch...)
		}
		l.joined = batch
	}
	err := l.process(context.Background(), batch, func(results []Result) {
		for _, r := range requests {
			n := len(r.batch)
			r.reply <- reply{results: results[:n:n]}
			results = results[n:]
		}
	})
	if err == nil {
		return
	}
	for _, r := range requests {
		r.reply <- reply{err: err}
	}
}

// process is one turn: load, plan, append, publish. It answers once, or fails. It
// runs without the callers' contexts, because a batch belongs to many of them.
func (l *Ledger) process(ctx context.Context, batch []candidate, answer func([]Result)) error {
	if err := l.halted(); err != nil {
		return err
	}
	if err := l.sound(ctx); err != nil {
		return fmt.Errorf("book: nothing was booked: %w", err)
	}
	m := l.known
	if err := l.keeper.room(m); err != nil {
		return fmt.Errorf("book: nothing was booked: %w", err)
	}
	st := newState(m.head.Seq+1, m, len(batch))
	results, err := m.decide(ctx, l.engine, st, batch)
	if err != nil {
		if errors.Is(err, ErrFenced) { // the store has another writer now
			err = l.stop(err)
		}
		return fmt.Errorf("book: nothing was booked: %w", err)
	}
	row := st.row(l.engine.Chain(), m.head.Hash)
	if row == nil {
		answer(results)
		return nil
	}
	must.Hold(len(row.Body) <= MaxBody+bodyHeader && row.Seq <= maxSeq, "batch %d has %d bytes", row.Seq, len(row.Body))
	if err := l.append(ctx, row); err != nil {
		return err
	}
	m.publish(st, Head{row.Seq, row.Hash}, func() { answer(results) })
	return nil
}

// append commits the row. After an error it finds out which of the two states
// the store is in, and if it cannot know, the ledger stops.
func (l *Ledger) append(ctx context.Context, row *Row) error {
	next := Head{Seq: row.Seq, Hash: row.Hash}
	err := l.engine.Append(ctx, row)
	if err == nil {
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
		return nil
	case now == l.known.head:
		l.doubt = true
		return fmt.Errorf("book: nothing was booked: %w", err)
	default:
		return l.halt(fmt.Errorf("%w: the head is %s: %w", ErrFenced, now, err))
	}
}

// sound makes the memory anew after an engine failed: what it holds was right,
// and a store that has just failed is reason enough to read it again.
func (l *Ledger) sound(ctx context.Context) error {
	if !l.doubt {
		return nil
	}
	l.keeper.work.Lock()
	defer l.keeper.work.Unlock()
	if err := l.remember(ctx); err != nil {
		return err
	}
	l.doubt = false
	return nil
}

// halt stops the ledger in the middle of a batch. Its outcome is unknown; after
// opening again the same ids tell it.
func (l *Ledger) halt(cause error) error {
	return fmt.Errorf("%w: %w", ErrUnknown, l.stop(cause))
}

// stop makes the ledger refuse from here on.
func (l *Ledger) stop(cause error) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.broken = fmt.Errorf("%w (%w)", ErrStopped, cause)
	return l.broken
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

package book

import (
	"context"
	"fmt"
	"slices"
	"sync"

	"jiaozi/value/must"
)

// Bounds of the queue before the writer; beyond them Apply answers ErrBusy.
const (
	maxWaitingCommands = 8 * MaxBatch
	maxWaitingBytes    = 4 * MaxBody
)

// Ledger is one shard of the book: an engine and its single writer.
// All methods may be called from any goroutine.
type Ledger struct {
	engine Engine
	head   Head // the writer's own

	mu       sync.Mutex
	queue    []*request
	commands int // waiting in the queue
	bytes    int
	closed   bool
	broken   error // why the ledger stopped; nil while it is sound

	wake    chan struct{} // holds one token when the queue has work or is closed
	stopped chan struct{} // closed when the writer has returned
}

// request is one call of Apply on its way through the writer.
type request struct {
	batch []candidate
	bytes int
	taken bool       // by the writer; guarded by Ledger.mu
	reply chan reply // room for one, so that the writer never waits
}

type reply struct {
	results []Result
	err     error
}

// Open starts the writer of a shard. The ledger owns the engine from here on.
func Open(ctx context.Context, engine Engine) (*Ledger, error) {
	head, err := engine.Head(ctx)
	if err != nil {
		return nil, fmt.Errorf("open book: %w", err)
	}
	l := &Ledger{
		engine:  engine,
		head:    head,
		wake:    make(chan struct{}, 1),
		stopped: make(chan struct{}),
	}
	go l.write()
	return l, nil
}

// Apply books commands and returns one result for each, in order. All of one
// call go into one batch; a batch may hold the commands of many callers.
//
// The ledger reads cmds until it answers. If ctx ends first, the error is that
// of ctx when nothing was taken yet, and wraps ErrUnknown when the commands are
// with the writer: then leave cmds unchanged and send them again to learn the
// answer.
func (l *Ledger) Apply(ctx context.Context, cmds []Command) ([]Result, error) {
	if len(cmds) == 0 {
		return nil, nil
	}
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	r, err := newRequest(cmds)
	if err != nil {
		return nil, err
	}
	if err := l.enqueue(r); err != nil {
		return nil, err
	}
	select {
	case answer := <-r.reply:
		return answer.results, answer.err
	case <-ctx.Done():
		return l.abandon(ctx, r)
	}
}

// newRequest checks the form of the commands and writes their canonical bytes,
// in the caller's goroutine, because there are many callers and one writer.
func newRequest(cmds []Command) (*request, error) {
	if len(cmds) > MaxBatch {
		return nil, fmt.Errorf("%w: %d commands, the limit is %d", ErrTooLarge, len(cmds), MaxBatch)
	}
	r := &request{batch: make([]candidate, len(cmds)), reply: make(chan reply, 1)}
	for i := range cmds {
		c := candidate{cmd: &cmds[i], form: form(&cmds[i])}
		c.raw = appendCommand(nil, c.cmd)
		if len(c.raw) > MaxCommand {
			c.form = Malformed
		}
		r.batch[i] = c
		r.bytes += len(c.raw) + resultRoom(c.cmd)
	}
	if r.bytes > MaxBody {
		return nil, fmt.Errorf("%w: %d bytes, the limit is %d", ErrTooLarge, r.bytes, MaxBody)
	}
	return r, nil
}

// resultRoom bounds the bytes of a result in the journal.
func resultRoom(c *Command) int { return 16 + 8*len(c.Legs) }

func (l *Ledger) enqueue(r *request) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if err := l.refusal(); err != nil {
		return err
	}
	if l.commands+len(r.batch) > maxWaitingCommands || l.bytes+r.bytes > maxWaitingBytes {
		return fmt.Errorf("%w (%d commands)", ErrBusy, l.commands)
	}
	l.queue = append(l.queue, r)
	l.commands += len(r.batch)
	l.bytes += r.bytes
	l.signal()
	return nil
}

// refusal is why nothing more is taken. The caller holds mu.
func (l *Ledger) refusal() error {
	if l.broken == nil && l.closed {
		return ErrClosed
	}
	return l.broken
}

// abandon gives up on a request whose caller has gone.
func (l *Ledger) abandon(ctx context.Context, r *request) ([]Result, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	select {
	case answer := <-r.reply: // it came at the same moment
		return answer.results, answer.err
	default:
	}
	if r.taken {
		return nil, fmt.Errorf("%w: %w", ErrUnknown, context.Cause(ctx))
	}
	i := slices.Index(l.queue, r)
	must.Hold(i >= 0, "a request is neither taken nor waiting")
	l.queue = slices.Delete(l.queue, i, i+1)
	l.commands -= len(r.batch)
	l.bytes -= r.bytes
	return nil, context.Cause(ctx)
}

func (l *Ledger) signal() {
	select {
	case l.wake <- struct{}{}:
	default:
	}
}

// Close books what is waiting, stops the writer and closes the engine.
func (l *Ledger) Close() error {
	l.mu.Lock()
	again := l.closed
	l.closed = true
	l.signal()
	l.mu.Unlock()
	<-l.stopped
	if again {
		return nil
	}
	return l.engine.Close()
}

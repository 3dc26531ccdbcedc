package book

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"jiaozi/book/index"
	"jiaozi/value/must"
)

// Bounds of the queue before the writer; beyond them Apply answers ErrBusy.
const (
	maxWaitingCommands = 8 * MaxBatch
	maxWaitingBytes    = 4 * MaxBody
)

// Options of a ledger. The zero value is what most want.
type Options struct {
	// Linger is how long the writer waits for more commands before it commits.
	// 0 commits at once: what comes during a commit is the next batch anyway.
	Linger time.Duration
	// Accounts is how many accounts are kept in memory; 0 is DefaultAccounts.
	Accounts int
	// Behind is how long a change may wait before it is written to the tables;
	// 0 is three seconds. Reading through the ledger never waits for it.
	Behind time.Duration
	// Parts are the virtual parts that the shard keeps; none named is all of them.
	Parts []PartRange

	piece, large int // for tests; 0 is pieceSize and largeSize
}

// Ledger is one shard of the book: an engine, its single writer, and the keeper
// that writes tables and index behind it. All methods may be called from any
// goroutine.
type Ledger struct {
	desk
	engine  Engine
	options Options
	keys    *index.Index
	lines   *index.Index
	known   *memory // replaced whole after an engine error
	memMu   sync.RWMutex

	verifying sync.Mutex
	doubt     bool // the writer's: the engine failed, so the memory is to be made anew

	requests sync.Pool   // *request, to be used again
	joined   []candidate // the writer's: a batch of many requests

	mu       sync.Mutex
	queue    []*request
	commands int // waiting in the queue
	bytes    int
	closed   bool
	broken   error // why the ledger stopped; nil while it is sound

	wake    chan struct{} // holds one token when the queue has work or is closed
	stopped chan struct{} // closed when the writer has returned
	keeper  *keeper
}

// request is one call of Apply on its way through the writer.
type request struct {
	batch []candidate
	parts [2]batcher // of the batch; small ones have one
	bytes int
	taken bool       // by the writer; guarded by Ledger.mu
	reply chan reply // room for one, so that the writer never waits
}

type reply struct {
	results []Result
	err     error
}

// Open reads what the tables and the index lack from the journal, and starts the
// writer of a shard. The ledger owns the engine from here on.
func Open(ctx context.Context, engine Engine) (*Ledger, error) {
	return OpenWith(ctx, engine, Options{})
}

// OpenWith is Open with options. If it fails, the engine stays the caller's.
func OpenWith(ctx context.Context, engine Engine, o Options) (*Ledger, error) {
	if o.Accounts < 0 || o.Behind < 0 || o.Linger < 0 || slices.ContainsFunc(o.Parts, PartRange.wrong) {
		return nil, fmt.Errorf("open book: options out of range: %+v", o)
	}
	if o.Accounts == 0 {
		o.Accounts = DefaultAccounts
	}
	if o.Behind == 0 {
		o.Behind = 3 * time.Second
	}
	l := &Ledger{
		engine: engine, options: o,
		wake: make(chan struct{}, 1), stopped: make(chan struct{}),
	}
	l.desk = desk{memory: l.mem, source: engine, slots: make(chan struct{}, deskViews)}
	if err := l.remember(ctx); err != nil {
		return nil, errors.Join(fmt.Errorf("open book: %w", err), l.closeIndexes())
	}
	l.keeper = newKeeper(l)
	go l.keeper.run()
	go l.keeper.merge()
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
	r, err := l.newRequest(cmds)
	if err != nil {
		return nil, err
	}
	for i := range cmds {
		if cmds[i].moves() {
			r.batch[i].form = Malformed // the ledger alone makes these
		}
	}
	return l.await(ctx, r)
}

// await passes a request to the writer and waits for the answer.
func (l *Ledger) await(ctx context.Context, r *request) ([]Result, error) {
	if err := l.enqueue(r); err != nil {
		return nil, err
	}
	select {
	case answer := <-r.reply:
		l.recycle(r)
		return answer.results, answer.err
	case <-ctx.Done():
		return l.abandon(ctx, r)
	}
}

// recycle keeps the arrays of an answered request for another one, unless they
// are unusually large.
func (l *Ledger) recycle(r *request) {
	if cap(r.parts[0].raw)+cap(r.parts[1].raw) > maxRecycled {
		return
	}
	clear(r.batch) // what the caller sent is the caller's
	l.requests.Put(r)
}

const maxRecycled = 4 << 20

// newRequest checks the form of the commands, writes their canonical bytes and
// hashes their keys, in the caller's goroutine, because there are many callers
// and one writer. A large call is divided between two goroutines.
func (l *Ledger) newRequest(cmds []Command) (*request, error) {
	if len(cmds) > MaxBatch {
		return nil, fmt.Errorf("%w: %d commands, the limit is %d", ErrTooLarge, len(cmds), MaxBatch)
	}
	r, _ := l.requests.Get().(*request)
	if r == nil {
		r = &request{reply: make(chan reply, 1)}
	}
	r.taken = false
	r.batch = slices.Grow(r.batch[:0], len(cmds))[:len(cmds)]
	m, half := l.mem(), len(cmds)
	if len(cmds) >= m.large {
		half /= 2
	}
	secret := m.keys.Secret()
	var other sync.WaitGroup
	if half < len(cmds) {
		other.Go(func() { r.parts[1].write(secret, r.batch[half:], cmds[half:]) })
	}
	r.parts[0].write(secret, r.batch[:half], cmds[:half])
	other.Wait()
	if r.bytes = r.parts[0].bytes; half < len(cmds) {
		r.bytes += r.parts[1].bytes
	}
	if r.bytes > MaxBody {
		return nil, fmt.Errorf("%w: more than %d bytes", ErrTooLarge, MaxBody)
	}
	if last := &r.batch[len(cmds)-1]; last.linked {
		last.form, last.linked = Malformed, false // a chain ends inside one call
	}
	return r, nil
}

// batcher turns commands into candidates. What they consist of lies in its two
// arrays.
type batcher struct {
	hash  *hasher
	raw   []byte
	keys  []keyHash
	bytes int // that the candidates may take in the journal
}

// write fills the batch, in the arrays of the batch before. It goes no further
// when there is too much.
func (b *batcher) write(secret [16]byte, batch []candidate, cmds []Command) {
	raw, keys := 0, 0
	for i := range cmds {
		raw += sizeHint(&cmds[i])
		keys += 2 + len(cmds[i].Once)
	}
	*b = batcher{hash: newHasher(secret), raw: slices.Grow(b.raw[:0], raw), keys: slices.Grow(b.keys[:0], keys)}
	for i := range cmds {
		b.candidate(&batch[i], &cmds[i])
		if b.bytes += len(batch[i].raw) + resultRoom(&cmds[i]); b.bytes > MaxBody {
			return
		}
	}
}

func (b *batcher) candidate(c *candidate, cmd *Command) {
	c.cmd, c.form, c.linked = cmd, form(cmd), cmd.Linked
	from := len(b.raw)
	b.raw = appendCommand(b.raw, cmd)
	c.raw = b.raw[from:len(b.raw):len(b.raw)]
	if len(c.raw) > MaxCommand {
		c.form = Malformed
	}
	at := len(b.keys)
	b.keys = append(b.keys, b.hash.id(cmd.ID))
	if c.form == OK {
		for i := range cmd.Once {
			b.keys = append(b.keys, b.hash.once(cmd.Once[i].Space, cmd.Once[i].Key))
		}
		if cmd.Reverses != (ID{}) {
			b.keys = append(b.keys, b.hash.once(SpaceBook+"reversed", cmd.Reverses[:]))
		}
	}
	c.keys = b.keys[at:len(b.keys):len(b.keys)]
}

// sizeHint is about as many bytes as the command will take.
func sizeHint(c *Command) int {
	n := 64 + len(c.Event) + len(c.Note) + 27*len(c.Legs) + 64*len(c.Open) + 24*(len(c.Limit)+len(c.Close)) + 9*len(c.Done)
	for i := range c.Once {
		n += 12 + len(c.Once[i].Space) + len(c.Once[i].Key) + len(c.Once[i].Value)
	}
	for i := range c.Put {
		n += 16 + len(c.Put[i].Space) + len(c.Put[i].Key) + len(c.Put[i].Value)
	}
	for i := range c.Out {
		n += 12 + len(c.Out[i].Topic) + len(c.Out[i].Key) + len(c.Out[i].Body)
	}
	return n
}

// resultRoom bounds the bytes of a result in the journal, its length included.
func resultRoom(c *Command) int { return 16 + entryHeader + 8*len(c.Legs) }

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

// Close books what is waiting, writes everything behind, and closes the engine.
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
	return l.keeper.close()
}

// WriteBehind brings tables and index forward to the last batch now, instead of
// within Options.Behind: for readers of the tables, and before a hand-over.
func (l *Ledger) WriteBehind(ctx context.Context) error {
	// A layer may be on its way already; what came after it is the next turn's.
	return errors.Join(l.keeper.turn(ctx), l.keeper.turn(ctx))
}

// mem is what the ledger knows now.
func (l *Ledger) mem() *memory {
	l.memMu.RLock()
	defer l.memMu.RUnlock()
	return l.known
}

// Verify recomputes the whole shard beside the running writer, for one caller
// after the other.
func (l *Ledger) Verify(ctx context.Context) (Report, error) {
	l.verifying.Lock()
	defer l.verifying.Unlock()
	return Verify(ctx, l.engine.Chain(), l.engine)
}

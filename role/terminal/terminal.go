package terminal

import (
	"errors"
	"fmt"
	"io"
	"time"

	"jiaozi/value/clock"
	"jiaozi/wire/list"
	"jiaozi/wire/purse"
)

// Terminal is one till. See the package comment for what it promises.
type Terminal struct {
	cfg   Config
	store Store
	keys  Keys
	host  Host
	clock clock.Clock
	rand  io.Reader

	state     state
	list      *list.List    // state.list, verified once
	counter   uint64        // trace numbers given out, without wrapping
	unknown   bool          // an append failed: fold the journal again first
	signedOn  bool          // the vault holds working keys that the host accepted
	grownBy   int           // bytes appended since the journal was last rewritten
	signalled trace         // the last sale whose outcome this process has returned
	guarded   *purse.Record // a sale that nobody may have been told of; see shield
	seen      time.Time     // the latest time seen: a clock put back revives no card and no list
}

// Open folds the journal into a terminal. A new journal is started for cfg.TID;
// one of another terminal is refused with ErrOtherTerminal.
func Open(cfg Config, store Store, keys Keys, host Host, clk clock.Clock, rand io.Reader) (*Terminal, error) {
	cfg, err := cfg.withDefaults()
	if err != nil {
		return nil, err
	}
	t := &Terminal{cfg: cfg, store: store, keys: keys, host: host, clock: clk, rand: rand}
	if err := t.fold(); err != nil {
		return nil, err
	}
	if t.state.identity == (opened{}) {
		if err := t.record(opened{cfg.TID, cfg.MID, cfg.Currency}); err != nil {
			return nil, err
		}
	}
	return t, nil
}

// Close marks that the last sale was signalled. It is not needed
// for safety: without it the next Open guards the last sale for a few minutes.
func (t *Terminal) Close() error {
	if r := t.state.unsaid; t.unknown || r == nil || traceOf(r) != t.signalled {
		return nil
	}
	return t.record(said{})
}

// fold replays the journal from nothing. What an unflushed append left behind
// is then part of the state or is not; both are consistent.
func (t *Terminal) fold() error {
	t.state, t.grownBy = state{}, 0
	err := t.store.Replay(func(b []byte) error {
		e, err := decode(b)
		if err != nil {
			return err
		}
		t.grownBy += len(b)
		return t.state.apply(e)
	})
	if err != nil {
		return fmt.Errorf("read the terminal's journal: %w", err)
	}
	if id := t.state.identity; id != (opened{}) && id != (opened{t.cfg.TID, t.cfg.MID, t.cfg.Currency}) {
		return fmt.Errorf("%s at %s: %w", id.TID, id.MID, ErrOtherTerminal)
	}
	if r := t.state.unsaid; r != nil && traceOf(r) != t.signalled {
		t.guarded = r
	}
	t.counter, t.unknown, t.seen = t.state.reserved, false, t.state.latest()
	return t.readList()
}

func (t *Terminal) readList() error {
	t.list = nil
	if len(t.state.list) == 0 {
		return nil
	}
	l, err := list.Decode(t.state.list, t.cfg.ListKey)
	if err != nil {
		return fmt.Errorf("blacklist in the terminal's journal: %w", err)
	}
	t.list = l
	return nil
}

// sound makes the state known again after a failed append.
func (t *Terminal) sound() error {
	if !t.unknown {
		return nil
	}
	return t.fold()
}

// errUnknown: an earlier append failed, and the journal was not read since.
var errUnknown = errors.New("the terminal's journal failed a moment ago; it is read again before the next operation")

// record makes a fact durable, then part of the state. After an error nobody
// knows whether the fact is on the disk, so nothing else may happen before fold.
func (t *Terminal) record(e entry) error {
	if t.unknown {
		return errUnknown
	}
	b := encode(e)
	if err := t.store.Append(b); err != nil {
		t.unknown = true
		return fmt.Errorf("write the terminal's journal: %w", err)
	}
	t.grownBy += len(b)
	if err := t.state.apply(e); err != nil {
		t.unknown = true
		return err
	}
	return nil
}

// rewriteAbove is the journal size at which it is worth shortening.
const rewriteAbove = 1 << 20

// shorten replaces the journal by a snapshot.
func (t *Terminal) shorten() error {
	var entries [][]byte
	for _, e := range t.state.snapshot() {
		entries = append(entries, encode(e))
	}
	if err := t.store.Rewrite(entries); err != nil {
		t.unknown = true
		return fmt.Errorf("shorten the terminal's journal: %w", err)
	}
	t.grownBy = 0
	return nil
}

// nextTrace gives a trace number that was never used in this batch, not even by
// a process that died before it could write what it was for.
func (t *Terminal) nextTrace() (trace, error) {
	for range maxBatch + maxOutbox + 1 {
		if t.counter >= t.state.reserved {
			if err := t.record(reserved{t.counter + stanBlock}); err != nil {
				return trace{}, err
			}
		}
		t.counter++
		next := trace{t.state.batch, uint32((t.counter-1)%lastSTAN) + 1}
		if !t.state.used(next) {
			return next, nil
		}
	}
	return trace{}, errors.New("every trace number of the batch is used: settle the batch")
}

// now is the clock, to the second and never before what was already seen.
func (t *Terminal) now() time.Time {
	now := t.clock.Now().In(clock.Zone).Truncate(time.Second)
	if now.Before(t.seen) {
		return t.seen
	}
	t.seen = now
	return now
}

// Uncleared lists what cards have paid, or may have paid, here and the acquirer
// has not acknowledged. A record without a flag is approved; a payment that is
// still open carries the flag with which it would be uploaded.
func (t *Terminal) Uncleared() []purse.Record {
	var out []purse.Record
	for i := range t.state.sales {
		if !t.state.sales[i].acked {
			out = append(out, t.state.sales[i].record)
		}
	}
	for _, p := range t.state.pending {
		out = append(out, p.torn())
	}
	return out
}

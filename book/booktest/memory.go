package booktest

import (
	"bytes"
	"cmp"
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"

	"jiaozi/book"
)

// Memory is an engine without a disk: for tests of roles, and for simulated
// towns. It keeps its promises until the process ends. The zero value is empty.
type Memory struct {
	mu    sync.Mutex
	state memoryState
}

var _ book.Engine = (*Memory)(nil)

// memoryState is replaced as a whole by each commit, so that a view keeps its
// own. The maps are cloned on write; the values in them never change.
type memoryState struct {
	rows     []book.Row
	commands map[book.ID]book.Position
	accounts map[book.AccountID]book.AccountRow
	onces    map[book.Key][]byte
	records  map[book.Key]book.Record
	holds    map[book.ID]book.HoldRow
	outbox   map[uint64]book.Pending
}

func (s *memoryState) head() book.Head {
	if len(s.rows) == 0 {
		return book.Head{}
	}
	last := s.rows[len(s.rows)-1]
	return book.Head{Seq: last.Seq, Hash: last.Hash}
}

func (m *memoryState) apply(c *book.Change) memoryState {
	next := memoryState{
		rows: append(m.rows, c.Row), commands: grow(m.commands), accounts: grow(m.accounts),
		onces: grow(m.onces), records: grow(m.records), holds: grow(m.holds), outbox: grow(m.outbox),
	}
	for _, id := range c.Commands {
		next.commands[id.ID] = id.At
	}
	for _, a := range c.Accounts {
		next.accounts[a.ID] = a
	}
	for _, o := range c.Onces {
		next.onces[o.Key] = slices.Concat([]byte{}, o.Value)
	}
	for _, r := range c.Records {
		next.records[r.Key] = book.Record{Value: bytes.Clone(r.Record.Value), Version: r.Record.Version}
	}
	for _, h := range c.Holds {
		next.holds[h.ID] = h.Row
		if h.Gone {
			delete(next.holds, h.ID)
		}
	}
	for _, p := range c.Outbox {
		p.Key, p.Body = slices.Concat([]byte{}, p.Key), slices.Concat([]byte{}, p.Body)
		next.outbox[p.Number] = p
	}
	for _, number := range c.Done {
		delete(next.outbox, number)
	}
	return next
}

func grow[K comparable, V any](m map[K]V) map[K]V {
	if m == nil {
		return map[K]V{}
	}
	return maps.Clone(m)
}

func (m *Memory) now() memoryState {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.state
}

func (m *Memory) Part() uint16 { return 0 }
func (m *Memory) Close() error { return nil }

func (m *Memory) Head(context.Context) (book.Head, error) {
	s := m.now()
	return s.head(), nil
}

func (m *Memory) Load(_ context.Context, t book.Touch) (book.Loaded, error) {
	s := m.now()
	l := book.Loaded{
		Commands: pick(s.commands, t.Commands), Bodies: map[uint64][]byte{},
		Accounts: pick(s.accounts, t.Accounts), Onces: pick(s.onces, t.Onces),
		Records: pick(s.records, t.Records), Holds: pick(s.holds, t.Holds),
	}
	for _, at := range l.Commands {
		l.Bodies[at.Seq] = s.rows[at.Seq-1].Body
	}
	for _, h := range l.Holds {
		l.Accounts[h.Leg.Account] = s.accounts[h.Leg.Account]
	}
	return l, nil
}

func pick[K comparable, V any](from map[K]V, keys []K) map[K]V {
	out := map[K]V{}
	for _, k := range keys {
		if v, ok := from[k]; ok {
			out[k] = v
		}
	}
	return out
}

func (m *Memory) Commit(_ context.Context, c *book.Change) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if have := m.state.head().Seq; c.Row.Seq != have+1 {
		return fmt.Errorf("%w: batch %d after %d", book.ErrFenced, c.Row.Seq, have)
	}
	m.state = m.state.apply(c)
	return nil
}

func (m *Memory) Kept(ctx context.Context) (book.Head, error) { return m.Head(ctx) }

func (m *Memory) Inspect(context.Context) ([]book.Finding, error) { return nil, nil }

func (m *Memory) View(context.Context) (book.View, error) { return &memoryView{m.now()}, nil }

type memoryView struct{ s memoryState }

func (v *memoryView) Close() error { return nil }

func (v *memoryView) Head(context.Context) (book.Head, error) { return v.s.head(), nil }

func (v *memoryView) Journal(_ context.Context, from uint64, fn func(book.Row) error) error {
	for _, row := range v.s.rows {
		if row.Seq < from {
			continue
		}
		if err := fn(row); err != nil {
			return err
		}
	}
	return nil
}

func (v *memoryView) Account(_ context.Context, id book.AccountID) (book.AccountRow, bool, error) {
	a, ok := v.s.accounts[id]
	return a, ok, nil
}

func (v *memoryView) Accounts(_ context.Context, fn func(book.AccountRow) error) error {
	return inOrder(v.s.accounts, order16, func(_ book.AccountID, a book.AccountRow) error { return fn(a) })
}

func (v *memoryView) Once(_ context.Context, key book.Key) ([]byte, bool, error) {
	value, ok := v.s.onces[key]
	return value, ok, nil
}

func (v *memoryView) Onces(_ context.Context, fn func(book.Key, []byte) error) error {
	return inOrder(v.s.onces, orderKeys, fn)
}

func (v *memoryView) Record(_ context.Context, key book.Key) (book.Record, bool, error) {
	r, ok := v.s.records[key]
	return r, ok, nil
}

func (v *memoryView) Records(_ context.Context, space string, prefix []byte, fn func([]byte, book.Record) error) error {
	return inOrder(v.s.records, orderKeys, func(key book.Key, r book.Record) error {
		if key.Space != space || !strings.HasPrefix(key.Key, string(prefix)) {
			return nil
		}
		return fn([]byte(key.Key), r)
	})
}

func (v *memoryView) AllRecords(_ context.Context, fn func(book.Key, book.Record) error) error {
	return inOrder(v.s.records, orderKeys, fn)
}

func (v *memoryView) Holds(_ context.Context, fn func(book.ID, book.HoldRow) error) error {
	return inOrder(v.s.holds, order16, fn)
}

func (v *memoryView) Outbox(_ context.Context, topic string, after uint64, max int) (list []book.Pending, err error) {
	err = inOrder(v.s.outbox, cmp.Compare, func(number uint64, p book.Pending) error {
		if p.Topic == topic && number > after && len(list) < max {
			list = append(list, p)
		}
		return nil
	})
	return list, err
}

func (v *memoryView) AllOutbox(_ context.Context, fn func(book.Pending) error) error {
	return inOrder(v.s.outbox, cmp.Compare, func(_ uint64, p book.Pending) error { return fn(p) })
}

func (v *memoryView) Commands(_ context.Context, fn func(book.ID, book.Position) error) error {
	return inOrder(v.s.commands, order16, fn)
}

func inOrder[K comparable, V any](m map[K]V, order func(a, b K) int, fn func(K, V) error) error {
	for _, k := range slices.SortedFunc(maps.Keys(m), order) {
		if err := fn(k, m[k]); err != nil {
			return err
		}
	}
	return nil
}

func order16[T ~[16]byte](a, b T) int {
	x, y := [16]byte(a), [16]byte(b)
	return bytes.Compare(x[:], y[:])
}

func orderKeys(a, b book.Key) int {
	return cmp.Or(strings.Compare(a.Space, b.Space), strings.Compare(a.Key, b.Key))
}

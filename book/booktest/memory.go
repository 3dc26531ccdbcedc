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
	Number uint16 // of the chain
	Index  string // folder of the index; "" keeps that in memory too

	mu    sync.Mutex
	state memoryState
	kept  *book.Head // if it is not the head
}

var (
	_ book.Engine      = (*Memory)(nil)
	_ book.Carrier     = (*Memory)(nil)
	_ book.CarriedView = (*memoryView)(nil)
)

// memoryState is replaced as a whole by each change, so that a view keeps its
// own. The maps are cloned on write; the values in them never change.
type memoryState struct {
	rows     []book.Row
	applied  book.Head
	accounts map[book.AccountID]book.AccountRow
	records  map[book.Key]book.Record
	holds    map[book.ID]book.HoldRow
	outbox   map[uint64]book.Pending
	carried  map[slice][]book.CarriedRow
}

// slice names the entries of a part that a chain had.
type slice struct{ part, chain uint16 }

func (s *memoryState) head() book.Head {
	if len(s.rows) == 0 {
		return book.Head{}
	}
	last := s.rows[len(s.rows)-1]
	return book.Head{Seq: last.Seq, Hash: last.Hash}
}

func (s *memoryState) flush(c *book.Change) (memoryState, error) {
	next := memoryState{
		rows: s.rows, applied: c.At, accounts: grow(s.accounts),
		records: grow(s.records), holds: grow(s.holds), outbox: grow(s.outbox), carried: s.carried,
	}
	for _, part := range c.Gone {
		maps.DeleteFunc(next.accounts, func(id book.AccountID, _ book.AccountRow) bool { return id.Part() == part })
		maps.DeleteFunc(next.records, func(key book.Key, _ book.Record) bool { return key.Part() == part })
		maps.DeleteFunc(next.holds, func(_ book.ID, h book.HoldRow) bool { return h.Leg.Account.Part() == part })
	}
	for _, a := range c.Opened {
		next.accounts[a.ID] = a
	}
	for _, a := range c.Accounts {
		row, ok := next.accounts[a.ID]
		if !ok {
			return next, fmt.Errorf("%w (account %s is to change and is not there)", book.ErrDamaged, a.ID)
		}
		row.AccountState = a.AccountState
		next.accounts[a.ID] = row
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
	return next, nil
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

func (m *Memory) Chain() uint16    { return m.Number }
func (m *Memory) IndexDir() string { return m.Index }
func (m *Memory) Close() error     { return nil }

func (m *Memory) Head(context.Context) (book.Head, error) {
	s := m.now()
	return s.head(), nil
}

func (m *Memory) Load(_ context.Context, t book.Touch) (l book.Loaded, err error) {
	s := m.now()
	for _, id := range t.Accounts {
		if a, ok := s.accounts[id]; ok {
			l.Accounts = append(l.Accounts, a)
		}
	}
	for _, key := range t.Records {
		if r, ok := s.records[key]; ok {
			l.Records = append(l.Records, book.RecordRow{Key: key, Record: r})
		}
	}
	for _, id := range t.Holds {
		if h, ok := s.holds[id]; ok {
			l.Holds = append(l.Holds, book.HoldChange{ID: id, Row: h})
		}
	}
	return l, nil
}

func (m *Memory) Append(_ context.Context, row *book.Row) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if have := m.state.head().Seq; row.Seq != have+1 {
		return fmt.Errorf("%w: batch %d after %d", book.ErrFenced, row.Seq, have)
	}
	kept := *row
	kept.Body = bytes.Clone(row.Body)
	m.state.rows = append(m.state.rows, kept)
	return nil
}

func (m *Memory) Flush(_ context.Context, c *book.Change) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if c.At.Seq < m.state.applied.Seq {
		return fmt.Errorf("flush batch %d after %d", c.At.Seq, m.state.applied.Seq)
	}
	next, err := m.state.flush(c)
	if err == nil {
		m.state = next
	}
	return err
}

// Kept is the head, unless PutKept said otherwise.
func (m *Memory) Kept(ctx context.Context) (book.Head, error) {
	if m.kept != nil {
		return *m.kept, nil
	}
	return m.Head(ctx)
}

func (m *Memory) Inspect(context.Context) ([]book.Finding, error) { return nil, nil }

func (m *Memory) View(context.Context) (book.View, error) { return &memoryView{m.now()}, nil }

// Carry adds rows of slices; one that is there stays.
func (m *Memory) Carry(_ context.Context, rows []book.CarriedRow) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.state.carried = grow(m.state.carried)
	for _, r := range rows {
		key := slice{r.Part, r.Chain}
		have := m.state.carried[key]
		switch n := uint64(len(have)); {
		case r.N == n:
			m.state.carried[key] = append(have[:n:n], r)
		case r.N > n:
			return fmt.Errorf("carried row %d of part %d after %d", r.N, r.Part, n)
		}
	}
	return nil
}

// Forget removes a slice.
func (m *Memory) Forget(_ context.Context, part, chain uint16) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.state.carried = grow(m.state.carried)
	delete(m.state.carried, slice{part, chain})
	return nil
}

type memoryView struct{ s memoryState }

func (v *memoryView) Close() error { return nil }

func (v *memoryView) Head(context.Context) (book.Head, error) { return v.s.head(), nil }

func (v *memoryView) Applied(context.Context) (book.Head, error) { return v.s.applied, nil }

func (v *memoryView) Row(_ context.Context, seq uint64) (book.Row, bool, error) {
	i, found := slices.BinarySearchFunc(v.s.rows, seq, func(r book.Row, seq uint64) int { return cmp.Compare(r.Seq, seq) })
	if !found {
		return book.Row{}, false, nil
	}
	return v.s.rows[i], true, nil
}

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

func (v *memoryView) Accounts(_ context.Context, after book.AccountID, fn func(book.AccountRow) error) error {
	return inOrder(v.s.accounts, order16, func(id book.AccountID, a book.AccountRow) error {
		if order16(id, after) <= 0 {
			return nil
		}
		return fn(a)
	})
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

func (v *memoryView) Carried(_ context.Context, part, chain uint16, from uint64, max int, fn func(book.CarriedRow) error) error {
	rows := v.s.carried[slice{part, chain}]
	rows = rows[min(from, uint64(len(rows))):]
	for _, r := range rows[:min(max, len(rows))] {
		if err := fn(r); err != nil {
			return err
		}
	}
	return nil
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

var _ Raw = (*Memory)(nil)

// DropAccount is damage.
func (m *Memory) DropAccount(id book.AccountID) error {
	return m.damage(func(s *memoryState) { delete(s.accounts, id) })
}

// DropRecord is damage.
func (m *Memory) DropRecord(key book.Key) error {
	return m.damage(func(s *memoryState) { delete(s.records, key) })
}

// DropRow is damage.
func (m *Memory) DropRow(seq uint64) error {
	return m.damage(func(s *memoryState) {
		s.rows = slices.DeleteFunc(s.rows, func(r book.Row) bool { return r.Seq == seq })
	})
}

// PutRow is damage.
func (m *Memory) PutRow(row book.Row) error {
	return m.damage(func(s *memoryState) {
		if i := slices.IndexFunc(s.rows, func(r book.Row) bool { return r.Seq == row.Seq }); i >= 0 {
			s.rows[i] = row
		} else {
			s.rows = append(s.rows, row)
		}
	})
}

// PutKept is damage.
func (m *Memory) PutKept(head book.Head) error { m.kept = &head; return nil }

// damage keeps the head outside as it was.
func (m *Memory) damage(fn func(*memoryState)) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.kept == nil {
		head := m.state.head()
		m.kept = &head
	}
	m.state.rows = slices.Clone(m.state.rows)
	fn(&m.state)
	return nil
}

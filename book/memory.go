package book

import (
	"slices"
	"sync"

	"jiaozi/book/index"
)

// memory is what a shard knows besides the tables and the sealed index: accounts
// it has read, and every change that is committed but not written behind yet.
//
// The writer alone changes it, by publish, and the keeper alone takes a layer
// away once the tables and the index have it. Readers, and the keeper, take mu;
// the writer reads without it what only the writer changes.
type memory struct {
	mu     sync.RWMutex
	cache  *cache
	active *layer
	frozen *layer // on its way into tables and index, or nil
	spare  *layer // written and emptied, or nil; the keeper's
	head   Head
	days   calendar
	parts  *ownership

	keys  *index.Index // command ids and once-keys
	lines *index.Index // accounts that entries touch
	hash  *hasher      // the writer's
	asker *asker       // the writer's, or for him
	// scratch is what the writer plans in; it is used for one batch after another.
	scratch *state
	piece   int // commands looked up and planned at a time
	large   int // from how many on others help with a batch
	// applied is what the tables reflect; changes up to it are not made again.
	applied uint64
}

// layer is a run of batches that the tables and the index lack.
type layer struct {
	number  uint32
	last    uint64   // its last batch
	dirty   []uint32 // slots of the cache
	opened  map[AccountID]*Account
	records map[string]map[string]Record // by space and key
	holds   map[ID]HoldChange
	outbox  []Pending // ascending
	done    map[uint64]struct{}
	gone    []uint16 // parts whose rows go before anything else is written
	keys    keySet
	lines   []index.Entry
	changes int // how much it holds, roughly
	bytes   int
	change  *Change // for the tables; made when the layer is frozen
}

func newLayer(number uint32) *layer {
	return &layer{
		number: number, opened: map[AccountID]*Account{}, records: map[string]map[string]Record{},
		holds: map[ID]HoldChange{}, done: map[uint64]struct{}{},
	}
}

// next begins the layer after the active one, in what a written layer left of memory: it
// is as large as a layer gets, and need not grow again.
func (m *memory) next() *layer {
	l := newLayer(m.active.number + 1)
	if s := m.spare; s != nil {
		l.keys, l.lines, m.spare = s.keys, s.lines, nil
	}
	return l
}

// emptied gives back a written layer's memory, unless growing would have taken less:
// one layer that had to wait would make all after it as large.
func (l *layer) emptied() *layer {
	l.keys.reset()
	if cap(l.lines) > 2*len(l.lines) {
		l.lines = nil
	}
	l.lines = l.lines[:0]
	return l
}

// each visits the layers that hold something, newest first.
func (m *memory) each(fn func(*layer) bool) {
	if fn(m.active) && m.frozen != nil {
		fn(m.frozen)
	}
}

// record finds a record that the tables may not have yet.
func (m *memory) record(key Key) (r Record, found bool) {
	m.each(func(l *layer) bool {
		r, found = l.records[key.Space][key.Key]
		return !found
	})
	return r, found
}

func (m *memory) hold(id ID) (h HoldChange, found bool) {
	m.each(func(l *layer) bool {
		h, found = l.holds[id]
		return !found && !slices.Contains(l.gone, id.Part()) // older layers have it as it was before its part left
	})
	return h, found
}

// find lists the positions of a key, sealed or not.
func (m *memory) find(h keyHash) (list []uint64, err error) {
	err = m.findEach([]uint64{h.index}, func(_ int, pos uint64) { list = append(list, pos) })
	slices.Sort(list)
	return slices.Compact(list), err
}

// findEach is find for many keys. The same position may come twice, when it is
// being sealed.
func (m *memory) findEach(hashes []uint64, hit func(i int, pos uint64)) error {
	var found []uint64
	m.each(func(l *layer) bool {
		for i, hash := range hashes {
			for _, pos := range l.keys.find(hash, found[:0]) {
				hit(i, pos)
			}
		}
		return true
	})
	return m.keys.FindEach(hashes, hit)
}

// publish makes a committed batch visible. What the tables or the index have
// already, because the batch is an old one that is being read again, is left out.
//
// It calls answer when it has taken over all that belongs to the callers. They need
// not wait while balances, holds and keys find their places: whoever asks for one
// meanwhile does, at the lock.
func (m *memory) publish(st *state, head Head, answer func()) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.head = head
	m.active.last = head.Seq
	m.publishParts(st)
	if len(st.turns) > 0 {
		m.days = m.days.with(st.turns)
		m.putRecord(m.days.record())
	}
	for i := range st.records {
		if r := &st.records[i]; r.changed {
			m.putRecord(RecordRow{r.key, r.Record})
		}
	}
	m.publishOutbox(st)
	m.publishLines(st)
	keys := m.newKeys(st)
	answer()
	for i := range st.accounts {
		if w := &st.accounts[i]; w.changed {
			m.publishAccount(w)
		}
	}
	for id, h := range st.holds {
		if h.changed {
			m.active.holds[id] = HoldChange{ID: id, Row: h.row, Gone: !h.there}
			m.active.changes++
		}
	}
	m.active.keys.addEach(keys)
}

// publishParts takes parts away and in.
func (m *memory) publishParts(st *state) {
	if len(m.parts.travels) != len(st.parts.travels) {
		m.parts = st.parts
		m.putRecord(m.parts.record())
	}
	for _, part := range st.leaving {
		m.leave(part)
	}
	for _, a := range st.arriving {
		m.arrive(a)
		m.publishArrival(a, st.seq)
	}
}

func (m *memory) publishAccount(w *working) {
	i := uint32(w.slot)
	if w.slot < 0 {
		i = m.cache.add(&AccountRow{Account: *w.opened, AccountState: w.AccountState})
		m.active.opened[w.id] = w.opened
	}
	s := &m.cache.slots[i]
	s.balance, s.held, s.line, s.closed = w.Balance, w.Held, w.Line, w.Closed
	if s.dirty != m.active.number {
		s.dirty = m.active.number
		m.active.dirty = append(m.active.dirty, i)
		m.active.changes++
	}
}

func (m *memory) putRecord(r RecordRow) {
	space := m.active.records[r.Key.Space]
	if space == nil {
		space = map[string]Record{}
		m.active.records[r.Key.Space] = space
	}
	space[r.Key.Key] = Record{Value: slices.Clone(r.Record.Value), Version: r.Record.Version}
	m.active.changes++
	m.active.bytes += len(r.Key.Key) + len(r.Record.Value)
}

func (m *memory) publishOutbox(st *state) {
	l := m.active
	for _, p := range st.outs {
		p.Key, p.Body = slices.Clone(p.Key), slices.Clone(p.Body)
		l.outbox = append(l.outbox, p)
		l.bytes += len(p.Key) + len(p.Body)
	}
	for _, number := range st.done {
		l.done[number] = struct{}{}
	}
	l.changes += len(st.outs) + len(st.done)
}

// newKeys lists the keys of a batch that the index does not have.
func (m *memory) newKeys(st *state) []index.Entry {
	list := st.keys[:0]
	if st.seq <= m.keys.Seq() {
		return list
	}
	for i := range st.kept {
		e, pos := &st.kept[i], Position{st.seq, i}.number()
		list = append(list, index.Entry{Hash: e.c.keys[0].index, Pos: pos})
		for k := 1; k < len(e.c.keys) && e.result.Code == OK; k++ {
			list = append(list, index.Entry{Hash: e.c.keys[k].index, Pos: pos})
		}
	}
	st.keys = list
	return list
}

// publishLines adds the batch to what the index of statements will be told.
func (m *memory) publishLines(st *state) {
	if st.seq <= m.lines.Seq() {
		return
	}
	for i := range st.kept {
		e := &st.kept[i]
		m.active.lines = appendLines(m.active.lines, e.c.cmd, e.result, Position{st.seq, i}.number())
	}
}

// posts reports whether an entry changed balances.
func posts(c *Command, r *Result) bool { return r.Code == OK && c.Kind != Hold && len(c.Legs) > 0 }

// appendLines lists the accounts that an entry posts to, each once.
func appendLines(list []index.Entry, c *Command, r *Result, pos uint64) []index.Entry {
	if !posts(c, r) {
		return list
	}
	at := len(list)
	for i := range c.Legs {
		e := index.Entry{Hash: lineHash(c.Legs[i].Account), Pos: pos}
		if !slices.Contains(list[at:], e) {
			list = append(list, e)
		}
	}
	return list
}

// Bounds of a layer: when it is passed on, and when the writer waits.
const (
	layerKeys    = 1 << 20
	layerChanges = 1 << 19
	layerBytes   = 128 << 20
)

func (l *layer) empty() bool { return l.last == 0 }

// full reports whether the layer is times as large as one should be.
func (l *layer) full(times int) bool {
	return l.keys.used >= times*layerKeys || len(l.lines) >= 2*times*layerKeys ||
		l.changes >= times*layerChanges || l.bytes >= times*layerBytes
}

package book

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
)

// source is where memory looks for what it does not have.
type source interface {
	Load(ctx context.Context, t Touch) (Loaded, error)
	View(ctx context.Context) (View, error)
}

// suspect is a place in the journal where a key may have been used before.
type suspect struct {
	at Position
	question
}

// pieceSize is about how many commands are looked up and planned at a time. What
// they touch then still lies in the processor's own cache when they are planned.
const pieceSize = 1024

// decide finds what a batch touches and plans it, piece by piece. What a command
// is told depends on its own keys and accounts and on the commands before it, so
// the size of the pieces shows nowhere.
func (m *memory) decide(ctx context.Context, src source, st *state, batch []candidate) ([]Result, error) {
	results := make([]Result, len(batch))
	for from := 0; from < len(batch); {
		to := m.pieceEnd(batch, from)
		if err := m.load(ctx, src, st, batch[from:to]); err != nil {
			return nil, err
		}
		plan(st, batch[from:to], results[from:to])
		from = to
	}
	return results, nil
}

// pieceEnd is where the piece ends that begins at from: a chain is not divided.
func (m *memory) pieceEnd(batch []candidate, from int) int {
	to := min(from+m.piece, len(batch))
	for to < len(batch) && batch[to-1].linked {
		to++
	}
	return to
}

// loader finds everything that a piece of a batch touches, in at most one round to
// the tables and one to the journal, the second only when a key was seen before.
type loader struct {
	m        *memory
	st       *state
	legs     int // of the piece that have their place
	touch    Touch
	suspects []suspect
}

// load fills st with what the piece touches and no piece before it did.
func (m *memory) load(ctx context.Context, src source, st *state, batch []candidate) error {
	l := &loader{m: m, st: st}
	st.refs, st.questions, st.hashes = st.refs[:0], st.questions[:0], st.hashes[:0]
	if err := l.look(batch); err != nil {
		return err
	}
	if err := l.fetch(ctx, src); err != nil {
		return fmt.Errorf("load: %w", err)
	}
	if err := l.receive(ctx, src, batch); err != nil {
		return err
	}
	return l.recall(ctx, src)
}

// look goes through memory and index.
func (l *loader) look(batch []candidate) error {
	l.m.mu.RLock()
	defer l.m.mu.RUnlock()
	l.room(batch)
	l.findLegs(batch)
	for i := range batch {
		c := &batch[i]
		l.ask(c)
		if c.form != OK {
			continue
		}
		l.lookAccounts(c)
		l.lookRecords(c)
		if c.cmd.Hold != (ID{}) {
			l.lookHold(c.cmd.Hold)
		}
	}
	return l.lookKeys()
}

// room sees to it that the places of a piece lie in one array that does not move.
func (l *loader) room(batch []candidate) {
	n := 0
	for i := range batch {
		c := batch[i].cmd
		n += len(c.Legs) + len(c.Open) + len(c.Limit) + len(c.Close) + len(c.Put)
	}
	l.st.refs = slices.Grow(l.st.refs, n)
}

// question is a key that may have been used before.
type question struct {
	c   *candidate
	key int // 0 is the id, then the once-keys, then the reversal; -1 the entry that is reversed
}

// ask notes the keys of a command.
func (l *loader) ask(c *candidate) {
	for k, h := range c.keys {
		l.st.questions = append(l.st.questions, question{c, k})
		l.st.hashes = append(l.st.hashes, h.index)
	}
	if c.form == OK && c.cmd.Reverses != (ID{}) {
		h := l.m.hash.id(c.cmd.Reverses)
		l.st.questions = append(l.st.questions, question{c, -1})
		l.st.hashes = append(l.st.hashes, h.index)
	}
}

// lookKeys notes where in the journal the keys may be. What comes later than the
// batch is the batch itself, read again.
func (l *loader) lookKeys() error {
	return l.m.findEach(l.st.hashes, func(i int, pos uint64) {
		if at := position(pos); l.before(at) {
			l.suspects = append(l.suspects, suspect{at, l.st.questions[i]})
		}
	})
}

// before reports whether an entry was here before the batch.
func (l *loader) before(at Position) bool {
	if !at.Carried() {
		return at.Seq < l.st.seq
	}
	part, chain, _ := at.carried()
	return l.st.found.arrivedFrom(part, chain, l.st.seq)
}

// receive reads the slices of the parts that the batch hands in.
func (l *loader) receive(ctx context.Context, src source, batch []candidate) error {
	for i := range batch {
		c := &batch[i]
		if c.cmd.Kind != HandIn || c.form != OK {
			continue
		}
		view, err := src.View(ctx)
		if err != nil {
			return err
		}
		c.arrival, err = readArrival(ctx, view, &c.cmd.Handover)
		if err = errors.Join(err, view.Close()); err != nil {
			return fmt.Errorf("receive part %d: %w", c.cmd.Handover.Part, err)
		}
	}
	return nil
}

// findLegs looks for the accounts of all legs in the cache.
func (l *loader) findLegs(batch []candidate) {
	st := l.st
	st.legs, st.legCells = st.legs[:0], st.legCells[:0]
	for i := range batch {
		c := &batch[i]
		for k := range c.cmd.Legs {
			if c.form == OK {
				st.legs = append(st.legs, &c.cmd.Legs[k].Account)
			}
		}
	}
	st.legCells = l.m.cache.byID.findEach(l.m.cache.slots, st.legs, st.legCells)
}

func (l *loader) lookAccounts(c *candidate) {
	at := len(l.st.refs)
	for i := range c.cmd.Legs {
		l.st.refs = append(l.st.refs, l.place(c.cmd.Legs[i].Account, l.st.legCells[l.legs]))
		l.legs++
	}
	for i := range c.cmd.Open {
		l.st.refs = append(l.st.refs, l.account(c.cmd.Open[i].ID))
	}
	for i := range c.cmd.Limit {
		l.st.refs = append(l.st.refs, l.account(c.cmd.Limit[i].Account))
	}
	for i := range c.cmd.Close {
		l.st.refs = append(l.st.refs, l.account(c.cmd.Close[i]))
	}
	c.accounts = l.st.refs[at:]
}

// account finds the place of an account in the batch, from the cache if it is
// there, else to be fetched.
func (l *loader) account(id AccountID) int32 {
	return l.place(id, l.m.cache.cell(id))
}

// place is account for an id whose cell of the cache is known.
func (l *loader) place(id AccountID, cell uint32) int32 {
	cache, st := l.m.cache, l.st
	if cell != 0 {
		i := cell - 1
		s := &cache.slots[i]
		s.used = true
		if s.batch != cache.batch {
			s.batch, s.work = cache.batch, uint32(len(st.accounts))
			st.accounts = append(st.accounts, workingOf(s, int32(i)))
		}
		return int32(s.work)
	}
	ref, ok := st.absent[id]
	if !ok {
		ref = int32(len(st.accounts))
		st.absent[id] = ref
		st.accounts = append(st.accounts, working{id: id, slot: -1})
		l.touch.Accounts = append(l.touch.Accounts, id)
	}
	return ref
}

func workingOf(s *slot, i int32) working {
	return working{
		id: s.id, slot: i, open: true, terms: terms{s.named, s.normal, s.never, s.currency}, AccountState: s.state(),
	}
}

func (l *loader) lookRecords(c *candidate) {
	at := len(l.st.refs)
	for i := range c.cmd.Put {
		key := c.cmd.Put[i].key()
		ref, fresh := l.st.recordRef(key)
		l.st.refs = append(l.st.refs, ref)
		if !fresh {
			continue
		}
		if r, ok := l.m.record(key); ok {
			l.st.records[ref].Record = r
		} else {
			l.touch.Records = append(l.touch.Records, key)
		}
	}
	c.puts = l.st.refs[at:]
}

func (l *loader) lookHold(id ID) {
	if _, ok := l.st.holds[id]; ok {
		return
	}
	h := &workingHold{account: -1}
	l.st.holds[id] = h
	if change, ok := l.m.hold(id); ok {
		h.row, h.there = change.Row, !change.Gone
		h.account = l.account(h.row.Leg.Account)
	} else if !l.fresh(id.Part()) {
		l.touch.Holds = append(l.touch.Holds, id)
	}
}

// fresh reports whether a part arrived after what the tables reflect: then all of
// it is in memory, and what the tables have is from an earlier stay.
func (l *loader) fresh(part uint16) bool {
	t, found := l.st.found.arrival(part, l.st.seq)
	return found && t.seq > l.m.applied
}

// fetch reads from the tables what memory lacks. The account of a hold is known
// only when the hold is, so holds may take a second round.
func (l *loader) fetch(ctx context.Context, src source) error {
	for !l.touch.empty() {
		l.touch.dedupe()
		loaded, err := src.Load(ctx, l.touch)
		if err != nil {
			return err
		}
		l.touch = Touch{}
		l.takeAccounts(loaded.Accounts)
		for i := range loaded.Records {
			ref, _ := l.st.recordRef(loaded.Records[i].Key)
			l.st.records[ref].Record = loaded.Records[i].Record
		}
		l.takeHolds(loaded.Holds)
	}
	return nil
}

func (l *loader) takeAccounts(rows []AccountRow) {
	if len(rows) == 0 {
		return
	}
	l.m.mu.Lock()
	defer l.m.mu.Unlock()
	cache := l.m.cache
	for i := range rows {
		ref, wanted := l.st.absent[rows[i].ID]
		if !wanted || !l.st.found.has(rows[i].ID.Part()) {
			continue // the tables have not learned yet that its part is gone
		}
		at := cache.add(&rows[i])
		s := &cache.slots[at]
		s.batch, s.work = cache.batch, uint32(ref)
		l.st.accounts[ref] = workingOf(s, int32(at))
	}
}

func (l *loader) takeHolds(rows []HoldChange) {
	l.m.mu.RLock()
	defer l.m.mu.RUnlock()
	for i := range rows {
		h := l.st.holds[rows[i].ID]
		if h == nil {
			continue
		}
		h.row, h.there = rows[i].Row, true
		h.account = l.account(h.row.Leg.Account)
	}
}

// recall reads from the journal the entries that seem to have used a key of the
// batch, and believes those that did.
func (l *loader) recall(ctx context.Context, src source) error {
	if len(l.suspects) == 0 {
		return nil
	}
	slices.SortStableFunc(l.suspects, func(a, b suspect) int {
		return cmp.Or(cmp.Compare(a.at.Seq, b.at.Seq), cmp.Compare(a.at.Index, b.at.Index))
	})
	view, err := src.View(ctx)
	if err != nil {
		return fmt.Errorf("recall: %w", err)
	}
	defer view.Close()
	r := rowReader{view: view}
	for i := range l.suspects {
		s := &l.suspects[i]
		e, raw, err := r.entry(ctx, s.at)
		if err != nil {
			return err
		}
		l.believe(s, &e, raw)
	}
	return nil
}

// believe takes over what an earlier entry says about a key, if it is about it.
func (l *loader) believe(s *suspect, e *Entry, raw []byte) {
	cmd := &e.Command
	switch once := s.key - 1; {
	case s.key == 0 && cmd.ID == s.c.cmd.ID, s.key == -1 && cmd.ID == s.c.cmd.Reverses:
		if id := l.m.hash.id(cmd.ID); l.st.answered.find(id) == nil {
			first := candidate{cmd: cmd, raw: raw[:len(raw)-resultSize(&e.Result)]}
			l.st.answered.add(id, answer{&first, &e.Result})
		}
	case s.key <= 0 || e.Result.Code != OK:
	case once == len(s.c.cmd.Once):
		if cmd.Reverses == s.c.cmd.Reverses {
			l.st.taken(s.c.keys[s.key], nil)
		}
	default:
		want := &s.c.cmd.Once[once]
		if value, ok := cmd.once(want.Space, want.Key); ok {
			l.st.taken(s.c.keys[s.key], value)
		}
	}
}

// once is the value that a command gives to a once-key.
func (c *Command) once(space string, key []byte) ([]byte, bool) {
	for i := range c.Once {
		if c.Once[i].Space == space && bytes.Equal(c.Once[i].Key, key) {
			return c.Once[i].Value, true
		}
	}
	return nil, false
}

// rowReader takes entries out of the journal and remembers the last row.
type rowReader struct {
	view View
	row  Row
}

func (r *rowReader) entry(ctx context.Context, at Position) (Entry, []byte, error) {
	if at.Carried() {
		return r.carried(ctx, at)
	}
	if r.row.Seq != at.Seq {
		row, ok, err := r.view.Row(ctx, at.Seq)
		if err != nil {
			return Entry{}, nil, err
		}
		if !ok {
			return Entry{}, nil, fmt.Errorf("%w (journal row %d is missing)", ErrDamaged, at.Seq)
		}
		r.row = row
	}
	e, raw, err := entryAt(at.Seq, r.row.Body, at.Index)
	if err != nil {
		return e, nil, fmt.Errorf("%w: journal row %d: %w", ErrDamaged, at.Seq, err)
	}
	return e, raw, nil
}

// carried reads an entry that came with a part from another chain.
func (r *rowReader) carried(ctx context.Context, at Position) (e Entry, raw []byte, err error) {
	part, chain, n := at.carried()
	view, ok := carriedView(r.view)
	if !ok {
		return e, nil, ErrNoCarrier
	}
	seq := uint64(0)
	err = view.Carried(ctx, part, chain, n, 1, func(row CarriedRow) error {
		if row.N == n {
			raw, seq = row.Entry, row.Seq
		}
		return nil
	})
	if err != nil {
		return e, nil, err
	}
	if raw == nil {
		return e, nil, fmt.Errorf("%w (row %d that part %d brought from chain %d is missing)", ErrDamaged, n, part, chain)
	}
	if e, err = DecodeEntry(seq, raw); err != nil {
		err = fmt.Errorf("%w: carried row %d of part %d: %w", ErrDamaged, n, part, err)
	}
	return e, raw, err
}

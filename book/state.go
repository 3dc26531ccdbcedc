package book

import (
	"bytes"
	"encoding/binary"
	"slices"

	"jiaozi/book/index"
	"jiaozi/value/money"
	"jiaozi/value/must"
)

// state is what plan works on: everything that the batch touches, as the
// commands so far left it. Nobody else sees it before the batch is committed.
type state struct {
	seq   uint64
	days  Days
	parts *ownership
	found *ownership          // parts as they were before the batch; what it touches is looked up by them
	name  func(string) uint64 // hash of an account's name
	hash  *hasher

	accounts []working
	absent   map[AccountID]int32 // those of accounts that were not in the cache
	records  []workingRecord
	recordAt map[Key]int32
	holds    map[ID]*workingHold
	onces    hashed[[]byte] // taken before or in this batch, with their values
	answered hashed[answer] // by id, before or in this batch

	kept     []answer // by this batch, in order
	outs     []Pending
	done     []uint64
	leaving  []uint16   // parts that are handed out
	arriving []*arrival // and those that are handed in
	turns    []turn
	balances []money.Amount // what results point into
	bytes    []byte         // of the body
	refs     []int32        // what candidates point into
	// What may have been used before, and its hashes, side by side.
	questions []question
	hashes    []uint64
	keys      []index.Entry // of the batch, for the index
	legs      []*AccountID  // of the piece, and what the cache has of each
	legCells  []uint32
	touched   []int32 // accounts of the command under judgement
	ordinal   uint32  // of that command, from 1
	undo      *undo   // not nil while a chain is being booked
}

// terms are what never changes about an account, its name by hash.
type terms struct {
	named    uint64
	normal   Side
	never    bool
	currency money.Currency
}

// working is an account in the batch.
type working struct {
	id     AccountID
	slot   int32 // of the cache, or -1
	open   bool
	opened *Account // by this batch
	terms
	AccountState
	changed bool
	// What the command under judgement does to it; valid if mark is its ordinal.
	mark            uint32
	change, release money.Minor
}

type workingRecord struct {
	key Key
	Record
	changed bool
}

type workingHold struct {
	row     HoldRow
	account int32 // into accounts
	there   bool
	changed bool
}

// answer is what was said to a command.
type answer struct {
	c      *candidate
	result *Result
}

// newState begins a batch of n commands. What the last batch filled is used
// again, if it was of about that size: emptying a big map for a small batch would
// cost more than the batch.
func newState(seq uint64, m *memory, n int) *state {
	st := m.scratch
	if st == nil || cap(st.kept) > 64+8*n {
		st = &state{
			absent: map[AccountID]int32{}, recordAt: map[Key]int32{}, holds: map[ID]*workingHold{},
		}
		m.scratch = st
	}
	clear(st.absent)
	clear(st.recordAt)
	clear(st.holds)
	st.onces.reset()
	st.answered.reset()
	clear(st.kept) // they hold what callers sent
	clear(st.accounts)
	clear(st.questions)
	clear(st.legs)
	*st = state{
		seq: seq, days: m.days.last(), parts: m.parts, found: m.parts, name: m.cache.nameHash, hash: m.hash,
		absent: st.absent, recordAt: st.recordAt, holds: st.holds, onces: st.onces, answered: st.answered,
		accounts: st.accounts[:0], records: st.records[:0], kept: st.kept[:0],
		touched: st.touched[:0], refs: st.refs[:0], questions: st.questions[:0], hashes: st.hashes[:0], keys: st.keys[:0], bytes: st.bytes,
		legs: st.legs[:0], legCells: st.legCells[:0],
	}
	m.cache.batch++
	st.kept = slices.Grow(st.kept, n)
	st.balances = make([]money.Amount, 0, 2*n) // results keep it
	return st
}

func (st *state) termsOf(a *Account) terms {
	return terms{named: st.name(a.Name), normal: a.Normal, never: a.NeverNegative, currency: a.Currency}
}

// keep makes an answer final. The result stays where it is until the batch is
// committed.
func (st *state) keep(c *candidate, r *Result) {
	st.answered.add(c.keys[0], answer{c, r})
	st.kept = append(st.kept, answer{c, r})
}

// book does what judge allowed.
func (st *state) book(c *candidate) {
	cmd := c.cmd
	for i := range cmd.Open {
		st.open(c.openRef(i), &cmd.Open[i])
	}
	for i := range cmd.Limit {
		st.saveAccount(c.limitRef(i)).Line = cmd.Limit[i].Line
	}
	switch cmd.Kind {
	case Hold:
		st.reserve(c)
	case Capture, Release, Expire:
		st.useHold(c)
	}
	for _, ref := range st.touched {
		st.change(ref)
	}
	for i := range cmd.Close {
		st.saveAccount(c.closeRef(i)).Closed = true
	}
	st.bookRecords(c)
	if cmd.moves() {
		st.bookHandover(c)
	}
	if cmd.Days != (Days{}) {
		st.days = cmd.Days
		st.turns = append(st.turns, turn{Position{st.seq, len(st.kept)}.number(), cmd.Days})
	}
}

func (st *state) bookRecords(c *candidate) {
	cmd := c.cmd
	for i := range cmd.Once {
		st.onces.add(c.keys[1+i], cmd.Once[i].Value)
	}
	if cmd.Reverses != (ID{}) {
		st.onces.add(c.keys[1+len(cmd.Once)], nil)
	}
	for i := range cmd.Put {
		st.put(c.puts[i], cmd.Put[i].Value)
	}
	index := len(st.kept)
	for k := range cmd.Out {
		p := Pending{Number: outNumber(st.seq, index, k), Part: home(cmd), Out: cmd.Out[k]}
		st.outs = append(st.outs, p)
	}
	for _, number := range cmd.Done {
		if number < outNumber(st.seq, index+1, 0) { // a message that is yet to come is unknown
			st.done = append(st.done, number)
		}
	}
}

// saveAccount marks an account as changed, and keeps what it was if the change
// may have to be taken back.
func (st *state) saveAccount(ref int32) *working {
	w := &st.accounts[ref]
	if st.undo != nil {
		st.undo.accounts = append(st.undo.accounts, savedAccount{ref, *w})
	}
	w.changed = true
	return w
}

func (st *state) open(ref int32, a *Account) {
	if st.accounts[ref].open {
		return
	}
	w := st.saveAccount(ref)
	w.open, w.opened, w.terms = true, a, st.termsOf(a)
	w.AccountState = AccountState{Line: a.Line}
}

func (st *state) change(ref int32) {
	w := st.saveAccount(ref)
	w.Balance += w.change
	w.Held -= w.release
	if w.Held < 0 || (w.never && w.Balance-w.Held < -w.Line) { // asked here, because passing arguments costs more
		must.Hold(false, "account %s: balance %d with %d held", w.id, w.Balance, w.Held)
	}
}

func (st *state) reserve(c *candidate) {
	leg := c.cmd.Legs[0]
	st.saveAccount(c.legRef(0)).Held += leg.Amount.Minor()
	h := st.saveHold(c.cmd.ID)
	*h = workingHold{row: HoldRow{Leg: leg, Expires: c.cmd.Expires}, account: c.legRef(0), there: true, changed: true}
}

func (st *state) saveHold(id ID) *workingHold {
	h := st.holds[id]
	if st.undo != nil {
		st.undo.saveHold(id, h)
	}
	if h == nil {
		h = &workingHold{}
		st.holds[id] = h
	}
	return h
}

// useHold takes what is captured or given back off the hold; change does the
// same to what the account holds.
func (st *state) useHold(c *candidate) {
	h := st.saveHold(c.cmd.Hold)
	left := h.row.Leg.Amount.Minor() - st.accounts[h.account].release
	must.Hold(left >= 0, "hold %s: %d left", c.cmd.Hold, left)
	h.changed, h.there = true, left > 0
	h.row.Leg.Amount = money.New(h.row.Leg.Amount.Currency(), left)
}

// taken notes that a once-key was taken before the batch.
func (st *state) taken(key keyHash, value []byte) {
	if st.onces.find(key) == nil {
		st.onces.add(key, value)
	}
}

func (st *state) put(ref int32, value []byte) {
	r := &st.records[ref]
	if st.undo != nil {
		st.undo.records = append(st.undo.records, savedRecord{ref, *r})
	}
	r.Record = Record{Value: value, Version: r.Version + 1}
	r.changed = true
}

// recordRef finds or makes the place of a record in the batch.
func (st *state) recordRef(key Key) (ref int32, fresh bool) {
	if ref, ok := st.recordAt[key]; ok {
		return ref, false
	}
	ref = int32(len(st.records))
	st.recordAt[key] = ref
	st.records = append(st.records, workingRecord{key: key})
	return ref, true
}

// balancesOf are the balances that a booked command left.
func (st *state) balancesOf(c *candidate) []money.Amount {
	n := len(c.cmd.Legs)
	if n == 0 {
		return nil
	}
	at := len(st.balances)
	for i := range n {
		amount := money.New(c.cmd.Legs[i].Amount.Currency(), st.accounts[c.legRef(i)].Balance)
		st.balances = append(st.balances, amount)
	}
	return st.balances[at : at+n : at+n]
}

// body writes the canonical bytes of the batch, where those of the last one were.
func (st *state) body() []byte {
	size := bodyHeader
	for i := range st.kept {
		size += entryHeader + len(st.kept[i].c.raw) + resultSize(st.kept[i].result)
	}
	b := append(slices.Grow(st.bytes[:0], size), bodyVersion)
	b = binary.AppendUvarint(b, uint64(len(st.kept)))
	for i := range st.kept {
		e := &st.kept[i]
		b = binary.AppendUvarint(b, uint64(len(e.c.raw)+resultSize(e.result)))
		b = append(b, e.c.raw...)
		b = appendResult(b, e.result)
	}
	st.bytes = b
	return b
}

// row makes the journal row of the batch, or nil if nothing was kept.
func (st *state) row(chain uint16, prev Hash) *Row {
	if len(st.kept) == 0 {
		return nil
	}
	body := st.body()
	return &Row{Part: chain, Seq: st.seq, Prev: prev, Hash: Link(chain, st.seq, prev, body), Body: body}
}

// again is a first answer said once more.
func (a *answer) again(raw []byte) Result {
	if !bytes.Equal(a.c.raw, raw) {
		return Result{Code: IDReused, Seq: a.result.Seq}
	}
	r := *a.result
	r.Replayed = true
	r.Balances = append([]money.Amount(nil), r.Balances...) // two callers, two slices
	return r
}

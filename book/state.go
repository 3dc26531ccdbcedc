package book

import (
	"encoding/binary"
	"fmt"
	"maps"
	"slices"

	"jiaozi/value/money"
	"jiaozi/value/must"
)

// state is what plan works on: everything that the batch touches, as the
// commands so far left it, and the marks of what changed.
type state struct {
	seq      uint64
	answered map[ID]answer
	accounts map[AccountID]*AccountRow
	onces    map[Key][]byte
	records  map[Key]Record
	holds    map[ID]HoldRow

	kept         []keptEntry
	dirtyAccount map[AccountID]struct{}
	newOnce      map[Key]struct{}
	dirtyRecord  map[Key]struct{}
	dirtyHold    map[ID]struct{}
	outs         []Pending
	done         []uint64
	nets         []net // scratch of the command under judgement
}

type answer struct {
	raw    []byte
	result Result
}

type keptEntry struct {
	id     ID
	raw    []byte
	result Result
}

// newState starts the batch seq from what the engine loaded.
func newState(seq uint64, l Loaded) (*state, error) {
	st := &state{
		seq:      seq,
		answered: make(map[ID]answer, len(l.Commands)),
		accounts: make(map[AccountID]*AccountRow, len(l.Accounts)),
		onces:    orEmpty(l.Onces), records: orEmpty(l.Records),
		holds:        orEmpty(l.Holds),
		dirtyAccount: map[AccountID]struct{}{}, newOnce: map[Key]struct{}{},
		dirtyRecord: map[Key]struct{}{}, dirtyHold: map[ID]struct{}{},
	}
	for id, row := range l.Accounts {
		st.accounts[id] = &row
	}
	return st, st.recall(l)
}

func orEmpty[K comparable, V any](m map[K]V) map[K]V {
	if m == nil {
		return map[K]V{}
	}
	return m
}

// recall reads the first answers of ids that were used before.
func (st *state) recall(l Loaded) error {
	bodies := make(map[uint64][]Entry)
	for id, at := range l.Commands {
		entries, ok := bodies[at.Seq]
		if !ok {
			var err error
			if entries, err = DecodeBody(at.Seq, l.Bodies[at.Seq]); err != nil {
				return fmt.Errorf("%w: journal row %d: %w", ErrDamaged, at.Seq, err)
			}
			bodies[at.Seq] = entries
		}
		if at.Index < 0 || at.Index >= len(entries) || entries[at.Index].Command.ID != id {
			return fmt.Errorf("%w: command %s is not at journal row %d, entry %d", ErrDamaged, id, at.Seq, at.Index)
		}
		e := &entries[at.Index]
		st.answered[id] = answer{raw: appendCommand(nil, &e.Command), result: e.Result}
	}
	return nil
}

func (st *state) keep(c *candidate, r Result) {
	st.answered[c.cmd.ID] = answer{raw: c.raw, result: r}
	st.kept = append(st.kept, keptEntry{id: c.cmd.ID, raw: c.raw, result: r})
}

func (st *state) open(a *Account) {
	if _, ok := st.accounts[a.ID]; ok {
		return
	}
	st.accounts[a.ID] = &AccountRow{Account: *a}
	st.dirtyAccount[a.ID] = struct{}{}
}

func (st *state) change(n *net) {
	row := st.accounts[n.id]
	row.Balance += n.change
	row.Held -= n.release
	must.Hold(row.Held >= 0, "account %s: held %d", n.id, row.Held)
	must.Hold(!row.NeverNegative || row.Balance >= row.Held, "account %s: balance %d below held %d", n.id, row.Balance, row.Held)
	st.dirtyAccount[n.id] = struct{}{}
}

func (st *state) reserve(c *Command) {
	leg := c.Legs[0]
	st.accounts[leg.Account].Held += leg.Amount.Minor()
	st.dirtyAccount[leg.Account] = struct{}{}
	st.holds[c.ID] = HoldRow{Leg: leg, Expires: c.Expires}
	st.dirtyHold[c.ID] = struct{}{}
}

// useHold takes what is captured or given back off the hold; st.nets does the
// same to what the account holds.
func (st *state) useHold(c *Command) {
	h := st.holds[c.Hold]
	left := h.Leg.Amount.Minor() - st.netOf(h.Leg.Account).release
	must.Hold(left >= 0, "hold %s: %d left", c.Hold, left)
	if left == 0 {
		delete(st.holds, c.Hold)
	} else {
		h.Leg.Amount = money.New(h.Leg.Amount.Currency(), left)
		st.holds[c.Hold] = h
	}
	st.dirtyHold[c.Hold] = struct{}{}
}

func (st *state) take(o *Once) {
	key := o.key()
	st.onces[key] = o.Value
	st.newOnce[key] = struct{}{}
}

func (st *state) put(p *Put) {
	key := p.key()
	st.dirtyRecord[key] = struct{}{}
	st.records[key] = Record{Value: p.Value, Version: st.records[key].Version + 1}
}

// body writes the canonical bytes of the batch.
func (st *state) body() []byte {
	size := 16
	for i := range st.kept {
		size += len(st.kept[i].raw) + 8*len(st.kept[i].result.Balances) + 8
	}
	b := make([]byte, 0, size)
	b = append(b, bodyVersion)
	b = binary.AppendUvarint(b, uint64(len(st.kept)))
	for i := range st.kept {
		b = append(b, st.kept[i].raw...)
		b = appendResult(b, &st.kept[i].result)
	}
	return b
}

// changes gathers what must be written, or nil if nothing was kept.
func (st *state) changes(part uint16, prev Hash) *Change {
	if len(st.kept) == 0 {
		return nil
	}
	body := st.body()
	c := &Change{
		Row:    Row{Part: part, Seq: st.seq, Prev: prev, Hash: link(part, st.seq, prev, body), Body: body},
		Outbox: st.outs,
		Done:   st.done,
	}
	for i := range st.kept {
		c.Commands = append(c.Commands, IDAt{st.kept[i].id, Position{st.seq, i}})
	}
	slices.SortFunc(c.Commands, func(a, b IDAt) int { return compare16(a.ID, b.ID) })
	for _, id := range sortedIDs(st.dirtyAccount) {
		c.Accounts = append(c.Accounts, *st.accounts[id])
	}
	for _, key := range sortedKeys(st.newOnce) {
		c.Onces = append(c.Onces, OnceRow{key, st.onces[key]})
	}
	for _, key := range sortedKeys(st.dirtyRecord) {
		c.Records = append(c.Records, RecordRow{key, st.records[key]})
	}
	for _, id := range sortedIDs(st.dirtyHold) {
		row, ok := st.holds[id]
		c.Holds = append(c.Holds, HoldChange{id, row, !ok})
	}
	return c
}

func sortedIDs[T ~[16]byte](set map[T]struct{}) []T {
	return slices.SortedFunc(maps.Keys(set), compare16)
}

func sortedKeys(set map[Key]struct{}) []Key {
	return slices.SortedFunc(maps.Keys(set), compareKeys)
}

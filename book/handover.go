package book

import (
	"encoding/binary"

	"jiaozi/value/money"
)

// A part moves from one chain to another in steps, each an entry of a
// journal:
//
//	Leave    source: from here on nothing is booked on the part; what was, is
//	         its slice: every entry that touches the part, in order
//	Stay     source: it does not move after all; takes Leave back
//	HandOut  source: the slice is complete and has this digest; the part's
//	         accounts, records and holds are no longer here
//	HandIn   target: the slice has arrived with this digest; they are here
//
// The balances of the part leave against an account named after the other chain,
// and arrive against one, so that each chain's debits equal its credits before and
// after, and the two accounts are each other's mirror.
//
// The steps are made by (*Ledger).Leave, Stay, HandOut and HandIn; Apply refuses them.

// Handover is what a step says about the slice of a part.
type Handover struct {
	Part   uint16
	Chain  uint16 // the other one: where to, or where from
	Count  uint64 // entries of the slice
	Digest Hash   // of the slice
	// State is the digest of the part's accounts as the source had them. The target
	// makes them from the slice, by other code, and they must be the same.
	State Hash
	// Head is the source's: HandOut: the batch up to which its journal was read;
	// HandIn: the batch with the HandOut.
	Head Head
}

// moves reports whether the command is a step of a part.
func (c *Command) moves() bool { return c.Kind >= Leave && c.Kind <= HandIn }

// usesHold reports whether the command ends a hold, or a piece of one.
func (c *Command) usesHold() bool { return c.Kind >= Capture && c.Kind <= Expire }

func (h *Handover) append(b []byte) []byte {
	b = binary.BigEndian.AppendUint16(b, h.Part)
	b = binary.BigEndian.AppendUint16(b, h.Chain)
	b = binary.BigEndian.AppendUint64(b, h.Count)
	b = append(b, h.Digest[:]...)
	b = append(b, h.State[:]...)
	b = binary.BigEndian.AppendUint64(b, h.Head.Seq)
	return append(b, h.Head.Hash[:]...)
}

func (r *reader) handover() (h Handover) {
	h.Part, h.Chain, h.Count = r.uint16(), r.uint16(), r.uint64()
	copy(h.Digest[:], r.take(32))
	copy(h.State[:], r.take(32))
	h.Head.Seq = r.uint64()
	copy(h.Head.Hash[:], r.take(32))
	return h
}

// handoverFits checks that only steps say something of a slice, and nothing else
// of what other commands say.
func handoverFits(c *Command) bool {
	if !c.moves() {
		return c.Handover == (Handover{})
	}
	h := &c.Handover
	other := len(c.Once)+len(c.Put)+len(c.Out)+len(c.Done)+len(c.Limit)+len(c.Close) > 0 ||
		c.Hold != (ID{}) || c.Reverses != (ID{}) || c.Final || c.Linked || c.Expires != 0 || c.Days != (Days{})
	if other || h.Part >= Parts || h.Chain >= Parts || h.Count > maxCarried {
		return false
	}
	if c.Kind == Leave || c.Kind == Stay {
		return len(c.Legs)+len(c.Open) == 0 && *h == Handover{Part: h.Part, Chain: h.Chain}
	}
	return len(c.Open) == len(c.Legs) && h.Head.Seq > 0
}

// CarriedAccount is the account of a chain against which balances leave for
// another chain, on its debit side, and arrive from there, on its credit side. It
// lives in the chain's home: the part with its number.
func CarriedAccount(chain, other uint16, c money.Currency) Account {
	id := DeriveID("book", "carried", other, c.Code()).At(chain)
	return Account{ID: AccountID(id), Name: "book/carried/" + partName(other) + "/" + c.Code(), Normal: Debit, Currency: c}
}

// judgeHandover checks a step against those before it.
func (st *state) judgeHandover(c *Command) Code {
	if !c.moves() {
		return OK
	}
	h, own := &c.Handover, st.parts.chain
	last, travelled := st.parts.last(h.Part)
	if h.Part == own || h.Chain == own {
		return Malformed // the home stays, and a part moves to another chain
	}
	for i := range c.Legs {
		if account := CarriedAccount(own, h.Chain, c.Legs[i].Amount.Currency()); c.Legs[i].Account != account.ID || c.Open[i] != account {
			return Malformed
		}
	}
	switch c.Kind {
	case Leave:
		if !st.parts.keeps[h.Part] {
			return PartMoved
		}
	case Stay:
		if !travelled || last.kind != Leave || last.chain != h.Chain {
			return PartMoved
		}
	case HandOut:
		if !travelled || last.kind != Leave || last.chain != h.Chain || last.seq >= st.seq || h.Head.Seq < last.seq {
			return PartMoved
		}
	case HandIn:
		if travelled && last.kind != HandOut || st.parts.arrivedFrom(h.Part, h.Chain, st.seq+1) {
			return PartMoved
		}
	}
	return OK
}

// bookHandover does a step.
func (st *state) bookHandover(c *candidate) {
	h := &c.cmd.Handover
	st.parts = st.parts.with(travel{kind: c.cmd.Kind, part: h.Part, chain: h.Chain, seq: st.seq, date: c.cmd.Date, count: h.Count, digest: h.Digest})
	switch c.cmd.Kind {
	case HandOut:
		st.leaving = append(st.leaving, h.Part)
	case HandIn:
		st.arriving = append(st.arriving, c.arrival)
	}
}

// leave takes what a part that was handed out had in memory away. Its rows in the
// tables go with the next flush.
func (m *memory) leave(part uint16) {
	for i := range m.cache.slots {
		if s := &m.cache.slots[i]; s.id != (AccountID{}) && s.id.Part() == part {
			m.cache.byID.remove(m.cache.slots, &s.id)
			*s = slot{used: true} // free, when the hand comes by twice
		}
	}
	l := m.active
	kept := l.dirty[:0:0]
	for _, i := range l.dirty {
		if m.cache.slots[i].dirty == l.number {
			kept = append(kept, i)
		}
	}
	l.dirty = kept
	for id := range l.opened {
		if id.Part() == part {
			delete(l.opened, id)
		}
	}
	for space, records := range l.records {
		for key := range records {
			if (Key{space, key}).Part() == part {
				delete(records, key)
			}
		}
	}
	for id, h := range l.holds {
		if h.Row.Leg.Account.Part() == part {
			delete(l.holds, id)
		}
	}
	l.gone = append(l.gone, part)
	l.changes++
}

// arrive takes a part in that came with its slice.
func (m *memory) arrive(a *arrival) {
	l := m.active
	for i := range a.accounts {
		row := &a.accounts[i]
		at := m.cache.add(row)
		spec := row.Account
		l.opened[row.ID] = &spec
		m.cache.slots[at].dirty = l.number
		l.dirty = append(l.dirty, at)
	}
	for _, r := range a.records {
		m.putRecord(r)
	}
	for _, h := range a.holds {
		l.holds[h.ID] = h
	}
	l.changes += len(a.accounts) + len(a.holds)
}

// publishArrival adds the keys and lines of a slice to what the index will be told.
func (m *memory) publishArrival(a *arrival, seq uint64) {
	if seq > m.keys.Seq() {
		for i := range a.keys {
			m.active.keys.add(m.hashOf(&a.keys[i]).index, a.keys[i].at)
		}
	}
	if seq > m.lines.Seq() {
		m.active.lines = append(m.active.lines, a.lines...)
	}
}

func (m *memory) hashOf(k *carriedKey) keyHash {
	if k.space == "" {
		return m.hash.id(k.id)
	}
	return m.hash.once(k.space, k.key)
}

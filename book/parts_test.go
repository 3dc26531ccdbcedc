package book

import (
	"bytes"
	"errors"
	"fmt"
	"slices"
	"testing"

	"jiaozi/book/index"
	"jiaozi/value/money"
)

// The auditor's fold finds a step of a part that does not fit what was booked, by
// itself, even in a journal whose hashes are right.
func TestFoldFindsBrokenSteps(t *testing.T) {
	bank := Account{ID: AccountID(ID{}.At(7)), Name: "bank", Normal: Debit, Currency: 156}
	bank.ID[15] = 1
	alice := Account{ID: AccountID{0x80}, Name: "alice", Normal: Credit, Currency: 156}
	pay := Command{ID: ID{1}, Open: []Account{bank, alice}, Legs: []Leg{{bank.ID, Debit, money.New(156, 5)}, {alice.ID, Credit, money.New(156, 5)}}}
	out := handedOut()
	state := newStater(7)
	if err := state.add(&AccountRow{bank, AccountState{Balance: 5}}); err != nil {
		t.Fatal(err)
	}
	out.Handover.State = state.digest()
	booked := func(c Command, balances ...money.Minor) *Entry {
		e := &Entry{Command: c, Result: Result{Code: OK}}
		for _, b := range balances {
			e.Result.Balances = append(e.Result.Balances, money.New(156, b))
		}
		return e
	}
	change := func(fn func(*Command)) *Entry {
		c := out
		c.Legs, c.Open = slices.Clone(out.Legs), slices.Clone(out.Open)
		fn(&c)
		return booked(c, 5)
	}
	leave := Command{ID: ID{2}, Kind: Leave, Handover: Handover{Part: 7, Chain: 9}}
	steps := func(last ...*Entry) []*Entry { return append([]*Entry{booked(pay, 5, 5), booked(leave)}, last...) }
	in := Command{ID: ID{4}, Kind: HandIn, Handover: Handover{Part: 8, Chain: 9}}
	occupied := Command{ID: ID{5}, Kind: HandIn, Handover: Handover{Part: 7, Chain: 8}}
	for why, tt := range map[string]struct {
		entries []*Entry
		broken  bool
	}{
		"sound":                   {steps(booked(out, 5)), false},
		"not left":                {[]*Entry{booked(pay, 5, 5), booked(out, 5)}, true},
		"left twice":              {steps(booked(leave)), true},
		"booked after the fence":  {steps(booked(Command{ID: ID{5}, Legs: pay.Legs}, 10, 10)), true},
		"other chain":             {steps(change(func(c *Command) { c.Handover.Chain = 8 })), true},
		"other count":             {steps(change(func(c *Command) { c.Handover.Count = 2 })), true},
		"other digest":            {steps(change(func(c *Command) { c.Handover.Digest = Hash{2} })), true},
		"other state":             {steps(change(func(c *Command) { c.Handover.State = Hash{2} })), true},
		"other balance":           {steps(change(func(c *Command) { c.Legs[0].Amount = money.New(156, 6) })), true},
		"other side":              {steps(change(func(c *Command) { c.Legs[0].Side = Credit })), true},
		"no balance":              {steps(change(func(c *Command) { c.Legs, c.Open = nil, nil })), true},
		"against another account": {steps(change(func(c *Command) { c.Legs[0].Account = alice.ID })), true},
		"slice that is not there": {[]*Entry{booked(in)}, true},
		"nothing that comes":      {[]*Entry{booked(in)}, false},
		"came twice":              {[]*Entry{booked(in), booked(in)}, true},
		"came and was here":       {[]*Entry{booked(pay, 5, 5), booked(occupied)}, true},
	} {
		b := newBooks()
		b.parts.slice = func(uint16, uint64) (uint64, Hash, error) { return out.Handover.Count, out.Handover.Digest, nil }
		b.parts.arrived = func(*Handover) (*arrival, error) {
			if why == "slice that is not there" {
				return nil, ErrDamaged
			}
			return &arrival{}, nil
		}
		found := ""
		for i, e := range tt.entries {
			if c := b.entry(Position{1, i}, e); c != nil {
				found += c.code + ": " + c.what + "; "
			}
		}
		if (found != "") != tt.broken {
			t.Errorf("%s: found %q", why, found)
		}
	}
}

// The record of the parts that moved reads back as it was written, and a damaged
// one is refused.
func TestTravelsReadBack(t *testing.T) {
	list := []travel{{Leave, 7, 9, 3, 20261122, 0, Hash{}}, {HandOut, 7, 9, 4, 20261122, 12, Hash{1}}, {HandIn, 7, 8, 9, 20261123, 20, Hash{2}}}
	o := newOwnership(3, list)
	r := o.record()
	have, err := parseTravels(r.Record)
	if err != nil || fmt.Sprint(have) != fmt.Sprint(list) || r.Record.Version != 3 {
		t.Fatalf("%v (%v)", have, err)
	}
	for _, b := range [][]byte{r.Record.Value[:10], append([]byte{9}, r.Record.Value[1:]...), append(r.Record.Value[:len(r.Record.Value):len(r.Record.Value)], 1)} {
		if _, err := parseTravels(Record{Value: b}); !errors.Is(err, ErrDamaged) {
			t.Errorf("%x: %v", b, err)
		}
	}
}

// The journal has the last word on a part, and the map on all that never moved.
func TestOwnershipFollowsTheJournal(t *testing.T) {
	o := newOwnership(0, []travel{{kind: Leave, part: 1}, {kind: HandIn, part: 3000}}).within([]PartRange{{0, 99}})
	for part, want := range map[uint16]bool{0: true, 1: false, 99: true, 100: false, 3000: true, Parts: false} {
		if o.has(part) != want {
			t.Errorf("part %d: kept %v", part, !want)
		}
	}
	if !o.shows(1) || o.shows(100) {
		t.Error("a part that is leaving can be read, and one that was never here cannot")
	}
}

// A carried position has all three numbers, and none of the journal is one.
func TestCarriedPositions(t *testing.T) {
	for _, n := range []uint64{0, 1, 8191, 8192, maxCarried} {
		at := position(carriedPosition(Parts-1, 7, n))
		part, chain, back := at.carried()
		if !at.Carried() || part != Parts-1 || chain != 7 || back != n || position(at.number()) != at {
			t.Errorf("%d: %d %d %d", n, part, chain, back)
		}
	}
	if (Position{Seq: maxSeq, Index: MaxBatch - 1}).Carried() {
		t.Error("the journal runs into the carried rows")
	}
}

func FuzzTravels(f *testing.F) {
	f.Add(newOwnership(3, []travel{{HandIn, 7, 8, 9, 20261123, 20, Hash{2}}}).record().Record.Value)
	f.Fuzz(func(t *testing.T, b []byte) {
		list, err := parseTravels(Record{Value: b})
		if err == nil && !bytes.Equal(newOwnership(3, list).record().Record.Value, b) && len(b) > 0 {
			t.Fatalf("%x is read as %v", b, list)
		}
	})
}

// What stands in the same batch as the arrival of a part is not booked on it: its
// keys and accounts were looked up before the part was here.
func TestArrivalCountsFromTheNextBatch(t *testing.T) {
	m := remembering(t)
	out := newOwnership(0, []travel{{kind: Leave, part: 3, chain: 9, seq: 1}, {kind: HandOut, part: 3, chain: 9, seq: 2}})
	m.parts = out
	in := Command{ID: ID{1}, Kind: HandIn, Event: "part-in", Date: 20261122, Handover: Handover{Part: 3, Chain: 9, Head: Head{Seq: 1}}}
	tap := Command{ID: ID{2}, Event: "tap", Date: 20261122, Once: []Once{{Space: "tap", Key: []byte{0, 3 << 4}}}}
	for _, want := range []Code{PartMoved, OK} {
		batch := candidatesOf(m, []Entry{{Command: in}, {Command: tap}})
		st := newState(3, m, len(batch))
		batch[0].arrival = &arrival{}
		results := make([]Result, len(batch))
		if plan(st, batch, results); results[0].Code != OK && want == PartMoved || results[1].Code != want {
			t.Fatalf("%+v, want %s", results, want)
		}
		m.parts = st.parts
	}
}

// remembering is a memory without a store.
func remembering(t *testing.T) *memory {
	keys, lines, err := openIndexes("", index.Open)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { keys.Close(); lines.Close() })
	return newMemory(keys, lines, 0, Options{Accounts: 16})
}

// A hold that is still being written does not come back with a part that left and
// came home meanwhile.
func TestHoldOfAnOlderLayerIsGoneWithItsPart(t *testing.T) {
	m := remembering(t)
	id := ID{}.At(3)
	m.active.last, m.active.holds[id] = 1, HoldChange{ID: id, Row: HoldRow{Leg: Leg{Account: AccountID(id)}}}
	m.freeze()
	if _, found := m.hold(id); !found {
		t.Fatal("the hold is not there")
	}
	m.leave(3)
	m.arrive(&arrival{})
	if _, found := m.hold(id); found {
		t.Error("the hold came back")
	}
}

package book

import (
	"errors"
	"io/fs"
	"testing"

	"jiaozi/value/money"
)

// notes are commands that touch nothing but a once-key.
func notes(n int) (list []Entry) {
	for i := range n {
		c := Command{ID: ID{1, byte(i)}, Event: "e", Date: 20261122, Once: []Once{{Space: "s", Key: []byte{byte(i)}, Value: []byte("v")}}}
		list = append(list, Entry{Command: c})
	}
	return list
}

// An index that fails ends the batch, whoever asked it, and nobody asks on.
func TestFailedIndexEndsTheBatch(t *testing.T) {
	for _, large := range []int{1, 100} {
		m := remembering(t)
		m.piece, m.large = 2, large
		batch := candidatesOf(m, notes(20))
		st := newState(1, m, len(batch))
		if _, err := m.decide(t.Context(), nowhere{}, st, batch); err != nil {
			t.Fatal(err)
		}
		m.keys.Close()
		if _, err := m.decide(t.Context(), nowhere{}, newState(1, m, len(batch)), batch); !errors.Is(err, fs.ErrClosed) {
			t.Error(err)
		}
		h := m.asker.goAhead(batch)
		if _, err := h.next(nil); !errors.Is(err, fs.ErrClosed) {
			t.Error(err)
		}
		if h.stop(); len(h.answers) > 0 {
			t.Error("asked on")
		}
	}
}

// What is found for the pieces is the same as for the whole, in its order.
func TestAskingAheadFindsAll(t *testing.T) {
	m := remembering(t)
	for i := range 10 {
		m.active.keys.add(m.hash.id(ID{1, byte(2 * i)}).index, Position{1, i}.number())
	}
	m.asker.seq, m.piece = 2, 3
	batch := candidatesOf(m, notes(20))
	h := m.asker.goAhead(batch)
	defer h.stop()
	var found []suspect
	for range (len(batch) + m.piece - 1) / m.piece {
		some, err := h.next(nil)
		if err != nil {
			t.Fatal(err)
		}
		found = append(found, some...)
	}
	if len(found) != 10 {
		t.Fatal(found)
	}
	for i, s := range found {
		if s.at != (Position{1, i}) || s.c != &batch[2*i] || s.key != 0 {
			t.Errorf("%d: %+v", i, s)
		}
	}
}

// The scribe has all of a body that is as foreseen, and only then.
func TestScribeForeseesWhatIsBooked(t *testing.T) {
	sum := money.New(156, 5)
	for why, change := range map[string]func([]Entry){
		"booked": nil,
		"refused": func(list []Entry) {
			list[7].Command.Legs = []Leg{{AccountID{2}, Debit, sum}, {AccountID{1}, Credit, sum}}
		},
		"repeated":  func(list []Entry) { list[7] = list[3] },
		"malformed": func(list []Entry) { list[7].Command.Event = "" },
		"no date":   func(list []Entry) { list[19].Command.Date = 0 },
	} {
		m, list := remembering(t), notes(20)
		m.piece, m.large = 3, 2
		a, b := Account{ID: AccountID{1}, Name: "a", Normal: Debit, Currency: 156}, Account{ID: AccountID{2}, Name: "b", Normal: Credit, Currency: 156, NeverNegative: true}
		for i := range list {
			list[i].Command.Note = make([]byte, 90+10*i%100) // entries on both sides of a length of one byte
		}
		list[0].Command.Open = []Account{a, b}
		if change != nil {
			change(list)
		}
		batch := candidatesOf(m, list)
		st := newState(1, m, len(batch))
		st.employ(0, Hash{1}, batch, m.piece)
		if _, err := m.decide(t.Context(), nowhere{}, st, batch); err != nil {
			t.Fatal(err)
		}
		s := st.scribe
		row := st.row(0, Hash{1})
		if s.whole != (why == "booked") || row.Hash != Link(0, 1, Hash{1}, row.Body) || string(row.Body) != string(st.body()) {
			t.Errorf("%s: %+v", why, s.whole)
		}
	}
}

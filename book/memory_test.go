package book

import (
	"context"
	"testing"

	"jiaozi/value/money"
)

// From the answer on, what a caller sent is the caller's again, whatever is still
// to be done with it.
func TestPublishNeedsNothingAfterItsAnswer(t *testing.T) {
	m := remembering(t)
	a, b := AccountID{1}, AccountID{2}
	sum := money.New(156, 5)
	cmd := Command{
		ID: ID{1}, Event: "e", Date: 20261122, Legs: []Leg{{a, Debit, sum}, {b, Credit, sum}},
		Open: []Account{{ID: a, Name: "a", Normal: Debit, Currency: 156}, {ID: b, Name: "b", Normal: Credit, Currency: 156}},
		Once: []Once{{Space: "s", Key: []byte("k"), Value: []byte("v")}},
		Put:  []Put{{Space: "s", Key: []byte("k"), Value: []byte("v")}},
		Out:  []Out{{Topic: "t", Key: []byte("k"), Body: []byte("b")}},
	}
	batch := candidatesOf(m, []Entry{{Command: cmd}})
	batch[0].cmd = &cmd
	st := newState(1, m, len(batch))
	results, err := m.decide(t.Context(), nowhere{}, st, batch)
	if err != nil || results[0].Code != OK {
		t.Fatal(results, err)
	}
	m.publish(st, Head{Seq: 1}, func() {
		for _, b := range [][]byte{cmd.Once[0].Key, cmd.Once[0].Value, cmd.Put[0].Key, cmd.Put[0].Value, cmd.Out[0].Key, cmd.Out[0].Body} {
			clear(b)
		}
		clear(cmd.Legs)
		clear(cmd.Open)
		clear(batch[0].keys)
		clear(results)
		cmd = Command{}
		batch[0] = candidate{}
	})
	for _, h := range []keyHash{m.hash.id(ID{1}), m.hash.once("s", []byte("k"))} {
		if found, err := m.find(h); err != nil || len(found) != 1 {
			t.Error("a key is not there", found, err)
		}
	}
	l := m.active
	if len(l.lines) != 2 || l.lines[0].Hash != lineHash(a) || l.opened[b].Name != "b" || string(l.outbox[0].Body) != "b" {
		t.Errorf("%+v", l)
	}
	if r, _ := m.record(Key{"s", "k"}); string(r.Value) != "v" {
		t.Errorf("%+v", r)
	}
}

// nowhere is a source that has nothing.
type nowhere struct{ source }

func (nowhere) Load(context.Context, Touch) (Loaded, error) { return Loaded{}, nil }

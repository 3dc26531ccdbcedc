package shard

import (
	"context"
	"fmt"
	"testing"

	"jiaozi/book"
	"jiaozi/book/booktest"
	"jiaozi/value/money"

	"pgregory.net/rapid"
)

// way is a transfer there and one that comes back.
var way = []Transfer{pay("there", alice, bob, 30), pay("back", alice, account(1600, "nobody"), 40), pay("on", bob, carol, 10)}

// insist transfers and pumps until all is done, opening everything again after an
// error, as a process manager would.
func (w *town) insist(list []Transfer) (failures int) {
	w.Helper()
	for {
		err := w.attempt(list)
		if err == nil {
			return failures
		}
		if failures++; failures > 4 {
			w.Fatalf("it does not end: %v", err)
		}
		w.reopen()
	}
}

func (w *town) attempt(list []Transfer) error {
	for _, tr := range list {
		if _, err := w.Transfer(context.Background(), []Transfer{tr}); err != nil {
			return err
		}
		if _, err := w.Pump(context.Background(), day); err != nil {
			return err
		}
	}
	return nil
}

// Whatever operation of whatever store fails, in whatever way: after opening
// again and carrying on, all balances are those of a run without the fault.
func TestCrashAnywhereLosesAndDoublesNothing(t *testing.T) {
	for fault := range booktest.Faults {
		for _, name := range []string{"a", "b", "c"} {
			t.Run(fmt.Sprintf("fault %d of %s", fault, name), func(t *testing.T) {
				hits := 0
				for k := 1; ; k++ {
					if !crashAt(t, name, fault, k) {
						break
					}
					hits++
				}
				if hits == 0 && fault != booktest.FailFlush && fault != booktest.FailAfterFlush {
					t.Error("no operation was hit")
				}
			})
		}
	}
}

// crashAt reports whether the fault was reached.
func crashAt(t *testing.T, name string, fault booktest.Fault, k int) bool {
	t.Helper()
	w := newTown(t)
	w.people()
	w.Close()
	f := &booktest.Faulty{Fault: fault, At: k}
	w.faulty[name] = f
	if err := w.tryOpen(); err != nil {
		w.open()
	}
	w.insist(way)
	w.reopen()
	w.has(alice, 70)
	w.has(bob, 20)
	w.has(carol, 10)
	r := w.sound()
	for _, pair := range []struct{ from, to, want string }{
		{"a", "b", "70 70 0"}, {"b", "a", "40 40 0"}, {"b", "c", "10 10 0"}, {"a", "c", "nothing"},
	} {
		if have := between(r, pair.from, pair.to); have != pair.want {
			t.Fatalf("operation %d: from %s to %s: %s, want %s", k, pair.from, pair.to, have, pair.want)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return f.Hit()
}

// Random transfers among shards, with crashes, retries, pumps and moves of parts, leave
// what a single book would have: money is where the accepted transfers put it,
// and every audit on the way adds up.
func TestRandomTransfersAddUp(t *testing.T) {
	rapid.Check(t, func(r *rapid.T) {
		w := newTown(t)
		if rapid.Bool().Draw(r, "index on disk") {
			w.onDisk(t.TempDir())
		}
		defer func() { w.Close() }()
		people := []book.Account{alice, bob, carol, dave}
		model := map[book.AccountID]money.Minor{}
		for _, p := range people {
			w.ok(fund(p, 1000))
			model[p.ID] = 1000
		}
		nobody := account(1999, "nobody")
		var sent []Transfer
		for i := range rapid.IntRange(1, 25).Draw(r, "steps") {
			switch rapid.IntRange(0, 8).Draw(r, "step") {
			case 0:
				w.reopen()
			case 7:
				w.crash()
			case 8:
				part := rapid.SampledFrom(people).Draw(r, "who").ID.Part()
				w.moveAnywhere(part, rapid.SampledFrom([]string{"a", "b", "c"}).Draw(r, "to"))
			case 1:
				if _, err := w.Pump(context.Background(), day); err != nil {
					r.Fatal(err)
				}
			case 2:
				w.sound()
			case 3:
				if len(sent) > 0 {
					w.transfer(book.OK, rapid.SampledFrom(sent).Draw(r, "again"))
				}
			default:
				from := rapid.SampledFrom(people).Draw(r, "from")
				to := rapid.SampledFrom(append(people, nobody)).Draw(r, "to")
				amount := money.Minor(rapid.IntRange(1, 900).Draw(r, "amount"))
				if w.send(fmt.Sprint("t", i), from, to, amount, model) {
					sent = append(sent, pay(fmt.Sprint("t", i), from, to, amount))
				}
			}
		}
		if _, err := w.Pump(context.Background(), day); err != nil {
			r.Fatal(err)
		}
		w.sound()
		for _, p := range people {
			w.has(p, model[p.ID])
		}
	})
}

// moveAnywhere moves a part, if it can be moved there.
func (w *town) moveAnywhere(part uint16, to string) {
	w.Helper()
	from := w.Map().Of(part).Name
	if from == to {
		return
	}
	chain := w.stores[from].Number
	if v, _ := w.stores[to].View(context.Background()); v != nil {
		been := false
		v.(book.CarriedView).Carried(context.Background(), part, chain, 0, 1, func(book.CarriedRow) error { been = true; return nil })
		if been {
			return // it came from there before
		}
	}
	w.move(part, from, to)
}

// send makes a transfer, and the same one in the model. What is on its way arrives
// before, because the model knows no way.
func (w *town) send(id string, from, to book.Account, amount money.Minor, model map[book.AccountID]money.Minor) bool {
	w.Helper()
	if _, err := w.Pump(context.Background(), day); err != nil {
		w.Fatal(err)
	}
	_, known := model[to.ID]
	want := book.OK
	switch here := w.Map().Of(from.ID.Part()).Name == w.Map().Of(to.ID.Part()).Name; {
	case here && !known:
		want = book.UnknownAccount // elsewhere this is learned later
	case model[from.ID] < amount && from.ID != to.ID:
		want = book.Insufficient
	case known:
		model[from.ID] -= amount
		model[to.ID] += amount
	}
	w.transfer(want, pay(id, from, to, amount))
	return want == book.OK
}

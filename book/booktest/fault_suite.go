package booktest

import (
	"errors"
	"fmt"
	"testing"

	"jiaozi/book"
)

// RunFaults lets the k-th operation of an engine fail, for every k and in every
// way, under a customer who retries with the same ids and opens the ledger again
// when it stopped. At the end the book must be what it would have been without
// the fault: nothing lost, nothing booked twice, no answer taken back.
func RunFaults(t *testing.T, fresh func(t *testing.T) Store) {
	for fault := range Faults {
		t.Run(fmt.Sprint("fault ", fault), func(t *testing.T) {
			t.Parallel() // most of the time is waiting for the disk
			for k := 1; k <= len(story()); k++ {
				faultAt(t, fresh(t), fault, k)
			}
		})
	}
	t.Run("while rolling forward", func(t *testing.T) { faultsOnOpening(t, fresh(t)) })
	t.Run("of a reader", func(t *testing.T) { faultsOfReaders(t, fresh(t)) })
	t.Run("an old flush", func(t *testing.T) { oldFlushDoesNothing(t, fresh(t)) })
}

// story is a run of batches that use every kind of command.
func story() [][]book.Command {
	card := func(id string, expect uint64) book.Command {
		c := put(id, "card", id, expect)
		c.Once = []book.Once{{Space: "tap", Key: []byte(id), Value: []byte(id)}}
		c.Out = []book.Out{{Topic: "out", Body: []byte(id)}}
		return c
	}
	return [][]book.Command{
		{move("fund", bank, alice, 1000), move("fund bob", bank, bob, 10)},
		{hold("h", alice, 500, 0), card("tap 1", 0)},
		{capture("c1", "h", alice, bob, 200, false), card("tap 2", 1), move("poor", alice, bob, 501)},
		{end("r", "h", book.Release, 0), move("pay", alice, bob, 800)},
		{card("tap 3", 2), move("back", bob, bank, 1010)},
	}
}

func faultAt(t *testing.T, store Store, fault Fault, k int) {
	t.Helper()
	inject := Store(func() (book.Engine, error) {
		engine, err := store()
		return &Faulty{Engine: engine, Fault: fault, At: k}, err
	})
	h := &harness{T: t, store: inject}
	if !h.tryOpen() {
		h.store = store
		h.reopen()
	}
	h.store = store // after a stop the fault is over
	failures := 0
	for _, batch := range story() {
		failures += h.insist(batch)
		if err := h.ledger.WriteBehind(h.ctx()); err != nil && !errors.Is(err, ErrInjected) {
			t.Fatalf("operation %d: %v", k, err)
		}
	}
	switch {
	case !ofAppend(fault) && failures > 1, fault == FailAfterAppend && failures > 0:
		t.Fatalf("operation %d: %d failures were reported", k, failures)
	case ofAppend(fault) && fault != FailAfterAppend && fault != FailTwice && failures == 0:
		t.Fatalf("operation %d: the failure was hidden", k)
	}
	h.reopen() // without the fault, if it never came
	h.balance(alice, 0)
	h.balance(bob, 0)
	h.balance(bank, 0)
	if report := h.sound(); report.Batches != uint64(len(story())) {
		t.Fatalf("operation %d: %d batches", k, report.Batches)
	}
	h.close()
}

// ofAppend are the faults of an operation that every batch does once.
func ofAppend(f Fault) bool { return f > FailLoad && f < FailView }

// tryOpen opens with the fault in place; a view may fail at once.
func (h *harness) tryOpen() bool {
	h.Helper()
	engine, err := h.store()
	if err != nil {
		h.Fatal(err)
	}
	ledger, err := book.Open(h.ctx(), engine)
	if err != nil {
		if !errors.Is(err, ErrInjected) {
			h.Fatal(err)
		}
		if err := engine.Close(); err != nil {
			h.Fatal(err)
		}
		return false
	}
	h.engine, h.ledger = engine, ledger
	return true
}

// insist applies a batch until it is answered, and checks that an error which
// promises "nothing was booked" kept its word.
func (h *harness) insist(batch []book.Command) (failures int) {
	h.Helper()
	for {
		results, err := h.ledger.Apply(h.ctx(), batch)
		if err == nil {
			h.answers(batch, results)
			return failures
		}
		if failures++; failures > 2 {
			h.Fatalf("the fault does not end: %v", err)
		}
		unknown := errors.Is(err, book.ErrUnknown)
		if unknown != errors.Is(err, book.ErrStopped) {
			h.Fatalf("an unknown outcome must stop the ledger, and nothing else may: %v", err)
		}
		if !unknown {
			continue
		}
		if err := h.ledger.Sound(); !errors.Is(err, book.ErrStopped) {
			h.Errorf("a stopped ledger says that it is sound: %v", err)
		}
		if _, err := h.ledger.Apply(h.ctx(), batch); !errors.Is(err, book.ErrStopped) {
			h.Fatalf("a stopped ledger went on: %v", err)
		}
		h.reopen()
	}
}

func (h *harness) answers(batch []book.Command, results []book.Result) {
	h.Helper()
	for i, r := range results {
		want := book.OK
		if batch[i].ID == named("poor") {
			want = book.Insufficient
		}
		if r.Code != want {
			h.Fatalf("%s of command %d, want %s", r.Code, i, want)
		}
	}
}

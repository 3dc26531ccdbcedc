package load

import (
	"bytes"
	"testing"

	"jiaozi/book"

	"pgregory.net/rapid"
)

// Whatever the sizes, an independent judge accepts every command: balanced legs,
// new ids and once-keys, no account below zero, captures of open holds only. The
// bare core accepts the same moves.
func TestWorkloadMakesOnlySoundCommands(t *testing.T) {
	dir := t.TempDir()
	rapid.Check(t, func(t *rapid.T) {
		w := newWorkload(rapid.IntRange(hotPayees, 50).Draw(t, "accounts"), rapid.IntRange(0, 200).Draw(t, "lag"))
		judge, desk := newNaive(), new(clerk)
		if err := w.open(t.Context(), judge, w.accounts); err != nil {
			t.Fatal(err)
		}
		log, err := newChecked(dir)
		if err != nil {
			t.Fatal(err)
		}
		defer log.file.Close()
		bare := newCore(w.accounts, log)
		for range rapid.IntRange(1, 5).Draw(t, "batches") {
			orders := w.spends(rapid.IntRange(1, 300).Draw(t, "size"), rapid.SampledFrom([]int{0, hotPayees}).Draw(t, "hot"))
			if err := apply(t.Context(), judge, desk.write(orders)); err != nil {
				t.Fatal(err)
			}
			if err := bare.apply(orders); err != nil {
				t.Fatal(err)
			}
		}
	})
}

// The mix is what it says: one in twenty reserves, one in twenty captures, every
// command takes a key of its own, and hot payees are few.
func TestMixHasItsShares(t *testing.T) {
	const n = 20_000
	w := newWorkload(1000, 100)
	payees, keys := map[book.AccountID]bool{}, map[string]bool{}
	var kinds [book.Expire + 1]int
	for _, c := range new(clerk).write(w.spends(n, hotPayees)) {
		kinds[c.Kind]++
		if len(c.Once) != 1 || len(c.Once[0].Key) != keyBytes {
			t.Fatal("a command without a once-key of 32 bytes")
		}
		keys[string(c.Once[0].Key)] = true
		if len(c.Legs) == 2 {
			payees[c.Legs[1].Account] = true
		}
	}
	for _, kind := range []book.Kind{book.Hold, book.Capture} {
		if got := float64(kinds[kind]) / n; got < 0.04 || got > 0.06 {
			t.Errorf("%s: %.3f of all", kind, got)
		}
	}
	if len(payees) != hotPayees || len(keys) != n {
		t.Errorf("%d payees, %d keys", len(payees), len(keys))
	}
}

// Commands of a batch share memory; growing a slice of one must not reach into
// the next.
func TestCommandsOfABatchDoNotOverlap(t *testing.T) {
	cmds := new(clerk).write(newWorkload(10, 0).spends(2, 0))
	before := bytes.Clone(cmds[1].Once[0].Key)
	_ = append(cmds[0].Legs, book.Leg{})
	_ = append(cmds[0].Once, book.Once{})
	if cmds[1].Legs[0].Amount.IsZero() || !bytes.Equal(cmds[1].Once[0].Key, before) {
		t.Error("the second command changed")
	}
}

// The bare core refuses what the book would refuse, or its speed would be that
// of a machine that checks nothing.
func TestBareCoreChecks(t *testing.T) {
	log, err := newChecked(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	defer log.file.Close()
	a, b, id := book.AccountID{1}, book.AccountID{2}, book.ID{1}
	c := newCore([]book.AccountID{a, b}, log)
	if err := c.apply([]order{{id: id, from: a, to: b, minor: startMinor}}); err != nil {
		t.Fatal(err)
	}
	for why, m := range map[string]order{
		"id again":      {id: id, from: b, to: a, minor: 1},
		"no money":      {id: book.ID{2}, from: a, to: b, minor: 1},
		"unknown payer": {id: book.ID{3}, from: book.AccountID{9}, to: b, minor: 1},
		"unknown payee": {id: book.ID{4}, from: b, to: book.AccountID{9}, minor: 1},
	} {
		if c.apply([]order{m}) == nil {
			t.Error(why)
		}
	}
	k := &keys{map[[keyBytes]byte]struct{}{}, log}
	orders := newWorkload(0, 0).keysOnly(3)
	if err := k.apply(orders); err != nil || k.apply(orders[2:]) == nil {
		t.Error("a key twice")
	}
}

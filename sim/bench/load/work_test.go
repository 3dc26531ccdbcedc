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
		judge := newNaive()
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
			b := w.spends(rapid.IntRange(1, 300).Draw(t, "size"), rapid.SampledFrom([]int{0, hotPayees}).Draw(t, "hot"))
			if err := apply(t.Context(), judge, b.cmds); err != nil {
				t.Fatal(err)
			}
			if err := bare.apply(b.moves); err != nil {
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
	for _, c := range w.spends(n, hotPayees).cmds {
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
	cmds := newWorkload(10, 0).spends(2, 0).cmds
	before := bytes.Clone(cmds[1].Once[0].Key)
	_ = append(cmds[0].Legs, book.Leg{})
	_ = append(cmds[0].Once, book.Once{})
	_ = append(cmds[0].Once[0].Key, make([]byte, keyBytes)...)
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
	if err := c.apply([]move{{id, a, b, startMinor}}); err != nil {
		t.Fatal(err)
	}
	for why, m := range map[string]move{
		"id again": {id, b, a, 1}, "no money": {book.ID{2}, a, b, 1},
		"unknown payer": {book.ID{3}, book.AccountID{9}, b, 1}, "unknown payee": {book.ID{4}, b, book.AccountID{9}, 1},
	} {
		if c.apply([]move{m}) == nil {
			t.Error(why)
		}
	}
	k := &keys{map[[keyBytes]byte]struct{}{}, log}
	cmds := newWorkload(0, 0).keysOnly(3).cmds
	if err := k.apply(cmds); err != nil || k.apply(cmds[2:]) == nil {
		t.Error("a key twice")
	}
}

package brands

import (
	"errors"
	"math/bits"
	"testing"

	"pgregory.net/rapid"

	"jiaozi/value/money"
)

func noteInfo(depth uint8) KeyInfo {
	return KeyInfo{Kind: KindNote, Depth: depth, Value: money.Minor(10) << depth}
}

// TestAnyAmountComesOutOfANote: every amount up to what is left is paid with nodes that are free, apart from each other
// and worth exactly the amount; a part of a note that was always spent this way takes at most Depth nodes.
func TestAnyAmountComesOutOfANote(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		info := noteInfo(rapid.Uint8Range(1, MaxDepth).Draw(t, "depth"))
		var used Used
		for info.Rest(used) > 0 {
			units := rapid.Int64Range(1, int64(info.Rest(used)/info.Leaf())).Draw(t, "units")
			amount := info.Leaf() * money.Minor(units)
			nodes, after, err := info.Allocate(used, amount)
			if err != nil {
				t.Fatalf("%d of %d left: %v", amount, info.Rest(used), err)
			}
			if want := bits.OnesCount64(uint64(units)); len(nodes) != want || len(nodes) > max(1, int(info.Depth)) {
				t.Fatalf("%d units took %d nodes, not %d", units, len(nodes), want)
			}
			checkAllocation(t, info, used, after, nodes, amount)
			used = after
		}
	})
}

// TestANoteWithGapsStillPays: whatever leaves are gone, for instance because payments were undone before they left, every
// amount that is left can be paid.
func TestANoteWithGapsStillPays(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		info := noteInfo(rapid.Uint8Range(1, MaxDepth).Draw(t, "depth"))
		used := Used(rapid.Uint64().Draw(t, "used")) & leavesOf(1, info.Depth)
		left := int64(info.Rest(used) / info.Leaf())
		if left == 0 {
			return
		}
		amount := info.Leaf() * money.Minor(rapid.Int64Range(1, left).Draw(t, "units"))
		nodes, after, err := info.Allocate(used, amount)
		if err != nil {
			t.Fatal(err)
		}
		checkAllocation(t, info, used, after, nodes, amount)
	})
}

func checkAllocation(t *rapid.T, info KeyInfo, used, after Used, nodes []uint16, amount money.Minor) {
	var sum money.Minor
	marked := used
	for _, n := range nodes {
		v, err := info.NodeValue(n)
		if err != nil {
			t.Fatal(err)
		}
		leaves := leavesOf(n, info.Depth)
		if marked&leaves != 0 {
			t.Fatalf("node %d was paid in part or whole, and is paid again: used %b", n, marked)
		}
		marked |= leaves
		sum += v
	}
	if sum != amount || marked != after || info.Rest(after) != info.Rest(used)-amount {
		t.Fatalf("nodes %v pay %d, want %d; used %b, want %b", nodes, sum, amount, after, marked)
	}
}

// TestANoteRefusesWhatItCannotPay: too much, nothing, or less than a leaf.
func TestANoteRefusesWhatItCannotPay(t *testing.T) {
	info := noteInfo(3) // 8 leaves of 10
	for _, amount := range []money.Minor{-10, 0, 5, 15, 90} {
		if _, _, err := info.Allocate(0, amount); !errors.Is(err, ErrNoteRest) {
			t.Errorf("amount %d: %v", amount, err)
		}
	}
	if _, _, err := info.Allocate(0x0f, 50); !errors.Is(err, ErrNoteRest) {
		t.Error("paid 50 of 40")
	}
	if _, _, err := (KeyInfo{Kind: KindCoin, Value: 10}).Allocate(0, 10); !errors.Is(err, ErrNoteRest) {
		t.Error("a coin was divided")
	}
}

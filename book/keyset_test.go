package book

import (
	"math/rand/v2"
	"slices"
	"testing"

	"jiaozi/book/index"

	"pgregory.net/rapid"
)

// Keys that are added together are found as those that are added one by one.
func TestKeySetTakesManyAsOne(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var one, many keySet
		pos := uint64(0)
		for range rapid.IntRange(1, 4).Draw(t, "batches") {
			var list []index.Entry
			for range rapid.IntRange(0, 1500).Draw(t, "keys") {
				pos++
				hash := pos * 0x9e3779b97f4a7c15
				if pos%7 == 0 {
					hash = pos % 5 // some fall together
				}
				list = append(list, index.Entry{Hash: hash, Pos: pos})
				one.add(hash, pos)
			}
			many.addEach(list)
		}
		for _, e := range one.entries() {
			a, b := one.find(e.Hash, nil), many.find(e.Hash, nil)
			slices.Sort(a)
			slices.Sort(b)
			if !slices.Contains(b, e.Pos) || !slices.Equal(a, b) {
				t.Fatalf("%v: one by one %v, together %v", e, a, b)
			}
		}
		if len(one.entries()) != len(many.entries()) || one.used != many.used || 2*many.used > len(many.table) {
			t.Fatal(one.used, many.used, len(many.table))
		}
	})
}

// An emptied set has nothing of what was in it, and keeps its table only if that was used.
func TestEmptiedKeySetIsEmpty(t *testing.T) {
	var k keySet
	for _, n := range []int{5000, 4500, 1, 300, 0} {
		list := make([]index.Entry, n)
		for i := range list {
			list[i] = index.Entry{Hash: rand.Uint64(), Pos: uint64(i + 1)}
		}
		k.addEach(list)
		if got := k.entries(); len(got) != n || k.used != n {
			t.Fatalf("%d entries, %d used, of %d", len(got), k.used, n)
		}
		room := len(k.table)
		k.reset()
		for _, e := range list {
			if found := k.find(e.Hash, nil); len(found) > 0 {
				t.Fatalf("%d entries: found %v in an empty set", n, found)
			}
		}
		if kept := len(k.table); kept != 0 && (kept != room || kept > 4*n) || kept == 0 && n >= 3000 {
			t.Errorf("%d entries in a table of %d: %d kept", n, room, kept)
		}
	}
}

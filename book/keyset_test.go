package book

import (
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

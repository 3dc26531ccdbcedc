package book

import (
	"maps"
	"testing"

	"pgregory.net/rapid"
)

// Goal: a hashed behaves as a map does that can be taken back to an earlier state.
// Method: random steps with hashes that meet in few cells.
func TestHashedIsAMap(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var h hashed[int]
		want := []map[keyHash]int{{}} // after each add
		key := rapid.Custom(func(t *rapid.T) keyHash {
			return keyHash{rapid.Uint64Range(0, 3).Draw(t, "index"), rapid.Uint64Range(0, 99).Draw(t, "rest")}
		})
		for n := range rapid.IntRange(0, 300).Draw(t, "steps") {
			now := want[len(want)-1]
			switch k := key.Draw(t, "key"); rapid.IntRange(0, 20).Draw(t, "step") {
			case 0:
				h.reset()
				want = want[:1]
			case 1, 2:
				to := rapid.IntRange(0, len(now)).Draw(t, "cut")
				h.cut(to)
				want = want[:to+1]
			default:
				value, there := now[k]
				if found := h.find(k); (found != nil) != there || there && *found != value {
					t.Fatalf("%v: found %v, want %d %v", k, found, value, there)
				}
				if !there {
					h.add(k, n)
					next := maps.Clone(now)
					next[k] = n
					want = append(want, next)
				}
			}
		}
		for k, value := range want[len(want)-1] {
			if found := h.find(k); found == nil || *found != value {
				t.Fatalf("%v: found %v, want %d", k, found, value)
			}
		}
	})
}

package card

import (
	"bytes"
	"testing"

	"jiaozi/wire/observer"

	"pgregory.net/rapid"
)

// TestNoIndexOpensTwice plays a small window against a model that remembers
// everything: over many turns of the ring every index tells what became of it, and
// none that was closed is ever open again.
func TestNoIndexOpensTwice(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		size := rapid.SampledFrom([]int{8, 16, 64}).Draw(rt, "size")
		w := newWindow(size)
		if start := rapid.SampledFrom([]uint32{0, 1<<32 - 100}).Draw(rt, "start"); start > 0 {
			w.low, w.next = start, start
		}
		first, shut := w.low, map[uint32]bool{}
		for range rapid.IntRange(1, 300).Draw(rt, "steps") {
			pick := func(name string) uint32 {
				return w.low + uint32(rapid.IntRange(0, int(w.next-w.low)).Draw(rt, name))
			}
			switch rapid.SampledFrom([]string{"prepare", "close", "close", "retire"}).Draw(rt, "step") {
			case "prepare":
				r := observer.Range{First: pick("first"), Count: uint8(rapid.IntRange(1, 8).Draw(rt, "count"))}
				if w.fits(r) {
					w.prepare(r)
				} else if r.End() <= uint64(w.low)+uint64(size) && r.End() < 1<<32 {
					rt.Fatalf("no room for %v between %d and %d", r, w.low, w.next)
				}
			case "close":
				if index := pick("index"); w.state(index) == observer.Open {
					w.close(index)
					shut[index] = true
				}
			case "retire":
				below := pick("below")
				for index := w.low; index < below; index++ {
					shut[index] = true
				}
				w.retire(below)
			}
			checkWindow(rt, &w, first, shut)
		}
	})
}

func checkWindow(rt *rapid.T, w *window, first uint32, shut map[uint32]bool) {
	open := 0
	for index := first; index < w.next; index++ {
		want := observer.Open
		if shut[index] {
			want = observer.Closed
		} else {
			open++
		}
		if got := w.state(index); got != want {
			rt.Fatalf("index %d is %v, want %v", index, got, want)
		}
	}
	if w.state(w.next) != observer.Unknown || w.open() != open {
		rt.Fatalf("next %d is %v, %d open of %d", w.next, w.state(w.next), w.open(), open)
	}
	again, rest, err := cutWindow(append(w.append(nil), 0xAB), int(w.size()))
	if err != nil || len(rest) != 1 || !bytes.Equal(again.append(nil), w.append(nil)) {
		rt.Fatalf("reading back %X: %v", w.append(nil), err)
	}
}

// TestMillionsOfIndicesInBoundedMemory runs the window as a card has it through a
// long life: the oldest coins paid in any order, the newest prepared.
func TestMillionsOfIndicesInBoundedMemory(t *testing.T) {
	w := newWindow(openIndices)
	size := len(w.append(nil))
	const life = 3_000_000
	for w.next < life {
		r := observer.Range{First: w.next, Count: 8}
		w.prepare(r)
		for _, i := range []uint32{5, 1, 7, 0, 2, 6, 3, 4} {
			w.close(r.First + i)
		}
		old := (r.First * 7919) % (r.First + 1)
		if w.state(old) != observer.Closed {
			t.Fatalf("index %d is %v again at %d", old, w.state(old), w.next)
		}
	}
	if w.low != life || len(w.append(nil)) != size {
		t.Fatalf("low %d of %d, %d bytes", w.low, life, len(w.append(nil)))
	}
}

func TestLastIndexIsTheLast(t *testing.T) {
	w := newWindow(openIndices)
	w.low, w.next = 1<<32-4, 1<<32-4
	if r := (observer.Range{First: w.next, Count: 4}); w.fits(r) {
		t.Fatal("the index behind the last would be 0 again")
	}
	w.prepare(observer.Range{First: w.next, Count: 3})
	w.retire(w.next)
	if w.low != 1<<32-1 || w.state(0) != observer.Closed {
		t.Fatalf("low %d", w.low)
	}
}

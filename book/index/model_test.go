package index

import (
	"maps"
	"math"
	"slices"
	"testing"

	"pgregory.net/rapid"
)

// TestIndexIsAMap plays random seals, merges, reopenings and questions against a set of entries, with hashes so few that
// they collide, lie side by side in blocks and fill whole ones.
func TestIndexIsAMap(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		m := &model{dir: newMemory(), known: make(map[Entry]bool)}
		m.reopen(t)
		t.Repeat(map[string]func(*rapid.T){
			"seal":   m.seal,
			"merge":  m.merge,
			"reopen": m.reopen,
			"find":   m.find,
			"before": m.before,
			"":       m.check,
		})
	})
}

type model struct {
	dir   *memory
	x     *Index
	seq   uint64
	known map[Entry]bool
}

var (
	hashes    = rapid.SampledFrom([]uint64{0, 1, 2, 1 << 20, 1<<20 + 1, 1 << 63, math.MaxUint64 - 1, math.MaxUint64})
	positions = rapid.OneOf(rapid.Uint64Range(0, 2000), rapid.SampledFrom([]uint64{1 << 63, math.MaxUint64}))
)

func (m *model) seal(t *rapid.T) {
	var entries []Entry
	for range rapid.IntRange(0, 3).Draw(t, "stretches") {
		hash, pos := hashes.Draw(t, "hash"), positions.Draw(t, "pos")
		for i := range rapid.SampledFrom([]uint64{1, 2, 40, 254, 255, 256, 700}).Draw(t, "entries") {
			entries = append(entries, Entry{hash, pos + i}) // may wrap: any position will do
		}
	}
	seq := m.seq + rapid.SampledFrom([]uint64{0, 1, 5}).Draw(t, "seq")
	if seq > m.seq {
		for _, e := range entries {
			m.known[e] = true
		}
		m.seq = seq
	}
	if err := m.x.Seal(entries, seq, testMark); err != nil {
		t.Fatal(err)
	}
}

func (m *model) merge(t *rapid.T) {
	if _, err := m.x.Merge(); err != nil {
		t.Fatal(err)
	}
}

func (m *model) reopen(t *rapid.T) {
	if m.x != nil {
		m.x.Close()
	}
	var err error
	if m.x, err = open(m.dir, Options{Filter: rapid.Bool().Draw(t, "filter")}); err != nil {
		t.Fatal(err)
	}
}

// under is what is known under a hash, ascending.
func (m *model) under(hash uint64) (positions []uint64) {
	for e := range m.known {
		if e.Hash == hash {
			positions = append(positions, e.Pos)
		}
	}
	slices.Sort(positions)
	return positions
}

func (m *model) find(t *rapid.T) {
	hash, pos, limit := hashes.Draw(t, "hash"), positions.Draw(t, "pos"), rapid.IntRange(-1, 600).Draw(t, "limit")
	all := m.under(hash)
	if got, err := m.x.Find(hash, nil); err != nil || !slices.Equal(got, all) {
		t.Fatalf("find %x: %d, want %d (%v)", hash, got, all, err)
	}
	i, _ := slices.BinarySearch(all, pos)
	want := all[i:][:min(len(all)-i, max(limit, 0))]
	if got, err := m.x.From(hash, pos, limit, nil); err != nil || !slices.Equal(got, want) {
		t.Fatalf("%d from (%x, %d): %d, want %d (%v)", limit, hash, pos, got, want, err)
	}
}

func (m *model) before(t *rapid.T) {
	hash, pos := hashes.Draw(t, "hash"), positions.Draw(t, "pos")
	all := m.under(hash)
	i, _ := slices.BinarySearch(all, pos)
	got, ok, err := m.x.Before(hash, pos)
	if err != nil || ok != (i > 0) || ok && got != all[i-1] {
		t.Fatalf("before (%x, %d): %d %v %v; known %d", hash, pos, got, ok, err, all)
	}
}

func (m *model) check(t *rapid.T) {
	if sealed := m.seq > 0; sealed != (m.x.Mark() == testMark) {
		t.Fatalf("mark %x after batch %d", m.x.Mark(), m.seq)
	}
	if m.x.Seq() != m.seq || m.x.Len() < uint64(len(m.known)) {
		t.Fatalf("seq %d, want %d; %d entries, at least %d", m.x.Seq(), m.seq, m.x.Len(), len(m.known))
	}
	got, err := walked(m.x)
	if err != nil || !slices.Equal(got, slices.SortedFunc(maps.Keys(m.known), compare)) {
		t.Fatalf("walk: %d entries, want %d (%v)", len(got), len(m.known), err)
	}
}

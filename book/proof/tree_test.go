package proof

import (
	"bytes"
	"context"
	"testing"

	"jiaozi/book"
)

// long is a journal that crosses two ends of tiles, one of them inside a row.
func long() rows {
	sizes := []int{1, 1, 300}
	for n := 302; n < 2*tileLeaves+100; n += sizes[len(sizes)-1] {
		sizes = append(sizes, 1+n%777)
	}
	return rows(nil).grow(1, sizes...)
}

// Goal: the tree is that of RFC 6962 over one leaf an entry. Method: another
// implementation, at every row, tiles kept from row to row.
func TestTheTreeIsThatOfTheStandard(t *testing.T) {
	r := long()
	tree, entries := New(testChain), 0
	for n := 0; n <= len(r); n++ {
		tip, err := tree.Grow(t.Context(), r, uint64(n))
		must(t, err)
		leaves, _ := r[:n].leavesOf(t)
		entries = len(leaves)
		if tip.Size != uint64(entries) || tip.Root != naiveRoot(leaves) {
			t.Fatalf("after row %d: %d entries, root %x", n, tip.Size, tip.Root)
		}
		if n > 0 && tip.Head != (book.Head{Seq: r[n-1].Seq, Hash: r[n-1].Hash}) {
			t.Fatalf("head %v", tip.Head)
		}
	}
	if len(tree.tiles) != 2 || entries < 2*tileLeaves {
		t.Fatalf("%d tiles of %d entries", len(tree.tiles), entries)
	}
	// An older tip can still be had.
	leaves, _ := r[:3].leavesOf(t)
	if tip, err := tree.Grow(t.Context(), r, 3); err != nil || tip.Root != naiveRoot(leaves) || len(tree.tiles) != 2 {
		t.Fatal(tip, err)
	}
}

// Goal: kept tiles are worth exactly as much as the journal. Method: go on from
// each kept state, from damaged ones, and from those of another book.
func TestAKeptTreeIsBelievedOnlyIfItFits(t *testing.T) {
	r, h := long(), newHouse(t, "bank")
	whole := New(testChain)
	c, _ := h.day(t, whole, r, 22)
	kept := whole.Append(nil)
	other := New(testChain)
	h.day(t, other, rows(nil).grow(99, 3000, 3000, 3000), 22)
	lying := &Tree{chain: testChain, tiles: []tile{{end: place{1 << 40, 1}}}}
	caches := map[string][]byte{"none": nil, "whole": kept, "behind": New(testChain).Append(nil), "foreign": other.Append(nil),
		"beyond the journal": lying.Append(nil), "of another chain": New(3).Append(nil), "cut": kept[:len(kept)-1]}
	for i := range kept {
		flipped := bytes.Clone(kept)
		flipped[i] ^= 1
		if _, err := decodeTree(flipped); err == nil {
			t.Fatalf("flip at %d is not seen", i)
		}
	}
	for name, cache := range caches {
		tree, err := Open(t.Context(), r, testChain, cache, &c)
		if err != nil || !bytes.Equal(tree.Append(nil), kept) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if tree, err := Open(t.Context(), r, testChain, kept, nil); err != nil || len(tree.tiles) != 0 {
		t.Error("tiles that no checkpoint vouches for were kept", err)
	}
}

// Goal: nothing is signed over a changed past. Method: every way of changing it
// that leaves a journal which could be read.
func TestAChangedJournalIsNotSignedAgain(t *testing.T) {
	r, h := long(), newHouse(t, "bank")
	tree := New(testChain)
	c, _ := h.day(t, tree, r, 22)
	kept := tree.Append(nil)
	relinked := append(rows(nil), r[:4]...).grow(5, 10)
	for len(relinked) < len(r) {
		relinked = relinked.grow(6, 10)
	}
	altered := append(rows(nil), r...)
	altered[2].Body = bytes.Clone(altered[2].Body)
	altered[2].Body[len(altered[2].Body)-1] ^= 1
	rehashed := append(rows(nil), altered...)
	rehashed[2].Hash = book.Link(testChain, 3, rehashed[2].Prev, rehashed[2].Body)
	for name, j := range map[string]rows{
		"written again from row 5": relinked, "one bit": altered, "one bit and its hash": rehashed,
		"cut": r[:len(r)-1], "empty": nil, "without row 2": append(append(rows(nil), r[0]), r[2:]...), "first row gone": r[1:],
	} {
		_, err := Open(t.Context(), j, testChain, kept, &c)
		// Inside a kept tile a changed row is seen only without the tile: audit
		// reads every row, the daily checkpoint what is new.
		if name != "one bit" && name != "one bit and its hash" {
			expect(t, name, err, ErrHistory)
		}
		_, err = Open(t.Context(), j, testChain, nil, &c)
		expect(t, name+", read whole", err, ErrHistory)
	}
	_, err := Open(t.Context(), r, 1, kept, &c)
	expect(t, "another chain", err, ErrHistory)
}

func FuzzKeptTree(f *testing.F) {
	tree := &Tree{chain: 1, tiles: []tile{{end: place{1, 4096}}, {end: place{2, 4096}}}}
	f.Add(tree.Append(nil))
	f.Add(New(0).Append(nil))
	f.Fuzz(func(t *testing.T, b []byte) {
		got, err := decodeTree(b)
		if err == nil && !bytes.Equal(got.Append(nil), b) {
			t.Fatal("not written the one way")
		}
	})
}

// many is a long journal that takes no memory: each row has the same entries.
type many struct {
	body   []byte
	hashes []book.Hash
}

func newMany(rowCount, size int) many {
	m := many{body: rows(nil).grow(1, size)[0].Body, hashes: make([]book.Hash, 1, rowCount+1)}
	for seq := 1; seq <= rowCount; seq++ {
		m.hashes = append(m.hashes, book.Link(testChain, uint64(seq), m.hashes[seq-1], m.body))
	}
	return m
}

func (m many) Row(_ context.Context, seq uint64) (book.Row, bool, error) {
	if seq == 0 || seq >= uint64(len(m.hashes)) {
		return book.Row{}, false, nil
	}
	return book.Row{Part: testChain, Seq: seq, Prev: m.hashes[seq-1], Hash: m.hashes[seq], Body: m.body}, true, nil
}

func (m many) Journal(ctx context.Context, from uint64, fn func(book.Row) error) error {
	for seq := max(from, 1); seq < uint64(len(m.hashes)); seq++ {
		row, _, _ := m.Row(ctx, seq)
		if err := fn(row); err != nil {
			return err
		}
	}
	return nil
}

const benchRows, benchSize = 250, 4000 // a million entries

func BenchmarkGrow(b *testing.B) {
	j := newMany(benchRows, benchSize)
	b.ReportAllocs()
	for b.Loop() {
		if _, err := New(testChain).Grow(b.Context(), j, benchRows); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/(benchRows*benchSize), "ns/entry")
}

func BenchmarkProve(b *testing.B) {
	j, h, tree := newMany(benchRows, benchSize), newHouse(b, "bank"), New(testChain)
	tip, err := tree.Grow(b.Context(), j, benchRows)
	must(b, err)
	signed, err := Sign(tip.Checkpoint(h.signer.Name(), testChain, 20261122), h.signer)
	must(b, err)
	for b.Loop() {
		_, err := tree.Prove(b.Context(), j, benchRows/2, benchSize/2, signed, h.keys)
		must(b, err)
	}
}

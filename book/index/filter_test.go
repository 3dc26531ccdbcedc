package index

import (
	"math/rand/v2"
	"testing"
)

// TestEveryBitOfAFilterCounts: a block with any one bit changed, any word lost, or in another place or run, has another
// checksum.
func TestEveryBitOfAFilterCounts(t *testing.T) {
	for range 50 {
		var block [filterBlock]byte
		for i := range filterSumAt {
			block[i] = byte(rand.Uint32())
		}
		seed, place := rand.Uint32(), rand.Uint64N(maxFilter/filterBlock)
		sum := filterSum(seed, place, &block)
		for bit := range filterBits {
			block[bit/8] ^= 1 << (bit % 8)
			if filterSum(seed, place, &block) == sum {
				t.Fatalf("bit %d of %x", bit, block)
			}
			block[bit/8] ^= 1 << (bit % 8)
		}
		for word := range filterWords {
			lost := block
			clear(lost[8*word : min(8*word+8, filterSumAt)])
			if lost != block && filterSum(seed, place, &lost) == sum {
				t.Fatalf("word %d of %x", word, block)
			}
		}
		if filterSum(seed, place, &[filterBlock]byte{}) == 0 {
			t.Fatal("an empty page is a good one")
		}
		if filterSum(seed, place+1, &block) == sum || filterSum(seed+1, place, &block) == sum {
			t.Fatalf("the block's place does not count: %x", block)
		}
	}
}

// TestFilterIsAskedAsItIsWritten: the loads of a word at a time find the bits that were set byte by byte.
func TestFilterIsAskedAsItIsWritten(t *testing.T) {
	for range 10_000 {
		hash := rand.Uint64()
		w := filterWriter{blocks: 1}
		if err := w.add(hash); err != nil {
			t.Fatal(err)
		}
		if !inFilterBlock(hash, &w.block) {
			t.Fatalf("%016x is not in %x", hash, w.block)
		}
		for i := range w.block { // no bit may be missing
			if lost := w.block; lost[i] != 0 {
				lost[i] &= lost[i] - 1
				if inFilterBlock(hash, &lost) {
					t.Fatalf("%016x is found in %x without byte %d", hash, w.block, i)
				}
			}
		}
	}
}

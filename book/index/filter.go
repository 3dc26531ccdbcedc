package index

import (
	"math/bits"
	"slices"
)

// A filter is an approximate set of hashes: it never says no to a member, and
// says yes to about one stranger in 240. Each hash has a block of one cache line
// and some bits in it (a Bloom filter in blocks). The block comes from the upper
// bits of the hash, so a run, which is written in the order of its hashes, fills
// its filter from front to back. That costs a tenth of the time of a binary fuse
// filter, which is smaller by a fifth but has to see all hashes at once.
type filter []uint64

const (
	filterWords = 8 // in a block
	filterBlock = filterWords * 8
	bitsPerHash = 12
	bitsSet     = 7
)

// newFilter has room for that many hashes.
func newFilter(hashes uint64) filter {
	blocks := (hashes*bitsPerHash + filterBlock*8 - 1) / (filterBlock * 8)
	return make(filter, blocks*filterWords)
}

// place is the block of a hash and the numbers of its bits, 9 bits each.
func (f filter) place(hash uint64) (block *[filterWords]uint64, numbers uint64) {
	i, _ := bits.Mul64(hash, uint64(len(f)/filterWords))
	numbers = (hash ^ hash>>32) * 0x9e3779b97f4a7c15
	numbers = (numbers ^ numbers>>29) * 0xbf58476d1ce4e5b9
	return (*[filterWords]uint64)(f[i*filterWords:]), numbers ^ numbers>>32
}

func (f filter) add(hash uint64) {
	block, n := f.place(hash)
	for range bitsSet {
		block[n>>6%filterWords] |= 1 << (n % 64)
		n >>= 9
	}
}

// maybe reports whether the hash may be a member; without a filter any may.
func (f filter) maybe(hash uint64) bool {
	if len(f) == 0 {
		return true
	}
	block, n := f.place(hash)
	for range bitsSet {
		if block[n>>6%filterWords]&(1<<(n%64)) == 0 {
			return false
		}
		n >>= 9
	}
	return true
}

// encode calls write with the filter's bytes, piece by piece.
func (f filter) encode(write func([]byte) error) error {
	b := make([]byte, 0, pageSize)
	for words := range slices.Chunk(f, pageSize/8) {
		b = b[:0]
		for _, word := range words {
			b = little.AppendUint64(b, word)
		}
		if err := write(b); err != nil {
			return err
		}
	}
	return nil
}

func decodeFilter(b []byte) filter {
	f := make(filter, len(b)/8)
	for i := range f {
		f[i] = little.Uint64(b[8*i:])
	}
	return f
}

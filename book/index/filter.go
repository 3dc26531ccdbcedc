package index

import (
	"bufio"
	"hash"
	"hash/crc32"
	"io"
	"math/bits"
)

// A filter is an approximate set of hashes: it never says no to a member, and
// says yes to about one stranger in 240. Each hash has a block of one cache line
// and some bits in it (a Bloom filter in blocks). The block comes from the upper
// bits of the hash, so a run, which is written in the order of its hashes, fills
// its filter from front to back and need not hold it. That costs a tenth of the
// time of a binary fuse filter, which is smaller by a fifth but has to see all
// hashes at once.
//
// A filter lies in the file of its run and is mapped. The kernel may drop a page
// of it and read it again whenever it likes, and a bit that is lost on the way
// would be a key that nobody used. So every block has its own checksum, and a no
// counts only with it; a yes is looked up in the run and needs none. The checksum
// of the whole filter has another polynomial: the CRC of what ends with its own
// CRC is the same whatever it is.
type filter struct {
	blocks []byte
	seed   uint32
}

const (
	filterBlock    = 64
	filterSumAt    = filterBlock - 4
	filterBits     = filterSumAt * 8
	bitsPerHash    = 12
	hashesPerBlock = filterBits / bitsPerHash
	bitsSet        = 7
)

// filterSize is how many bytes, in whole pages, have room for that many hashes.
func filterSize(hashes uint64) uint64 {
	blocks := (hashes + hashesPerBlock - 1) / hashesPerBlock
	return (blocks*filterBlock + pageSize - 1) / pageSize * pageSize
}

// filterPlace is the block of a hash, of so many.
func filterPlace(hash, blocks uint64) uint64 {
	i, _ := bits.Mul64(hash, blocks)
	return i
}

// filterNumbers holds the numbers of a hash's bits, 9 bits each, of which
// filterBit makes a number below filterBits.
func filterNumbers(hash uint64) uint64 {
	numbers := (hash ^ hash>>32) * 0x9e3779b97f4a7c15
	numbers = (numbers ^ numbers>>29) * 0xbf58476d1ce4e5b9
	return numbers ^ numbers>>32
}

func filterBit(numbers uint64) (at uint64, shift uint8) {
	n := numbers & 511 * filterBits >> 9
	return n >> 3, uint8(n & 7)
}

// filterSum is the checksum of a block that stands in its place in its run.
func filterSum(seed uint32, place uint64, block []byte) uint32 {
	return crc32.Update(seed+uint32(place), castagnoli, block[:filterSumAt])
}

// glance is for how many hashes at a time the filter is asked: first their blocks
// are fetched, all at once as far as the processor can, and then looked at.
const glance = 16

// ask appends the places of those hashes that may be members. It is false if a
// block is not what was written.
func (f *filter) ask(hashes []uint64, to []int) ([]int, bool) {
	var places [glance]uint64
	var sums [glance]uint32
	blocks := uint64(len(f.blocks) / filterBlock)
	for first := 0; len(hashes) > 0; first += glance {
		part := hashes[:min(glance, len(hashes))]
		hashes = hashes[len(part):]
		for i, hash := range part {
			places[i] = filterPlace(hash, blocks)
			sums[i] = little.Uint32(f.blocks[places[i]*filterBlock+filterSumAt:])
		}
		for i, hash := range part {
			block := (*[filterBlock]byte)(f.blocks[places[i]*filterBlock:])
			if inFilterBlock(hash, block) {
				to = append(to, first+i)
			} else if sums[i] != filterSum(f.seed, places[i], block[:]) {
				return to, false
			}
		}
	}
	return to, true
}

// inFilterBlock looks at all bits: which one is the first that is missing cannot
// be foretold, and a wrong guess costs the processor more.
func inFilterBlock(hash uint64, block *[filterBlock]byte) bool {
	n := filterNumbers(hash)
	set := byte(1)
	for range bitsSet {
		at, shift := filterBit(n)
		set &= block[at&(filterBlock-1)] >> shift
		n >>= 9
	}
	return set != 0
}

// A filterWriter writes a filter from hashes in ascending order and holds one
// block of it.
type filterWriter struct {
	out    *bufio.Writer
	sum    hash.Hash32
	seed   uint32
	blocks uint64
	at     uint64 // the block at hand
	block  [filterBlock]byte
}

// newFilterWriter writes size bytes to a place in a file.
func newFilterWriter(f io.WriterAt, at int64, size uint64, seed uint32) *filterWriter {
	w := &filterWriter{sum: crc32.NewIEEE(), seed: seed, blocks: size / filterBlock}
	to := io.MultiWriter(io.NewOffsetWriter(f, at), w.sum)
	w.out = bufio.NewWriterSize(to, int(min(size, writeBuffer)))
	return w
}

func (w *filterWriter) add(hash uint64) error {
	if err := w.fill(filterPlace(hash, w.blocks)); err != nil {
		return err
	}
	n := filterNumbers(hash)
	for range bitsSet {
		at, shift := filterBit(n)
		w.block[at] |= 1 << shift
		n >>= 9
	}
	return nil
}

// fill ends all blocks below one.
func (w *filterWriter) fill(to uint64) error {
	for ; w.at < to; w.at++ {
		little.PutUint32(w.block[filterSumAt:], filterSum(w.seed, w.at, w.block[:]))
		if _, err := w.out.Write(w.block[:]); err != nil {
			return err
		}
		clear(w.block[:])
	}
	return nil
}

// finish writes what is left and gives the checksum of all.
func (w *filterWriter) finish() (uint32, error) {
	if err := w.fill(w.blocks); err != nil {
		return 0, err
	}
	err := w.out.Flush()
	return w.sum.Sum32(), err
}

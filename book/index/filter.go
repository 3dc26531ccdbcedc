package index

import (
	"bufio"
	"hash"
	"hash/crc32"
	"io"
	"math/bits"
)

// A filter is an approximate set of hashes: it never says no to a member, and
// says yes to about one stranger in 240. Each hash has a block of one cache line,
// eight words, and a bit in each of them (a Bloom filter in split blocks), so that
// looking at all takes eight loads and no branch. The block comes from the upper
// bits of the hash, so a run, which is written in the order of its hashes, fills
// its filter from front to back and need not hold it. That costs a tenth of the
// time of a binary fuse filter, which is smaller by a fifth but has to see all
// hashes at once.
//
// A filter lies in the file of its run and is mapped. The kernel may drop a page
// of it and read it again whenever it likes, and a bit that is lost on the way
// would be a key that nobody used. So every block has its own checksum, in half of
// its last word, and a no counts only with it; a yes is looked up in the run and
// needs none.
type filter struct {
	blocks []byte
	seed   uint32
}

const (
	filterBlock    = 64
	filterWords    = filterBlock / 8
	filterHalfAt   = filterBlock - 8 // the half of a word that still takes bits
	filterSumAt    = filterBlock - 4
	filterBits     = filterSumAt * 8
	bitsPerHash    = 12
	hashesPerBlock = filterBits / bitsPerHash
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

// filterNumbers holds the numbers of a hash's bits in the words of its block, six
// bits for each word.
func filterNumbers(hash uint64) uint64 {
	numbers := (hash ^ hash>>32) * 0x9e3779b97f4a7c15
	numbers = (numbers ^ numbers>>29) * 0xbf58476d1ce4e5b9
	return numbers ^ numbers>>32
}

// filterSum is the checksum of a block that stands in its place in its run: each
// word times an odd number of its own (square roots of primes), of the sum the
// upper half. Nobody forges filters; what it must find is a bit, a word or a page
// that is not what it was.
func filterSum(seed uint32, place uint64, b *[filterBlock]byte) uint32 {
	s := uint64(seed)*0x9e3779b97f4a7c15 + place*0xbf58476d1ce4e5b9
	s += little.Uint64(b[0:8])*0x6a09e667f3bcc909 + little.Uint64(b[8:16])*0xbb67ae8584caa73b
	s += little.Uint64(b[16:24])*0x3c6ef372fe94f82b + little.Uint64(b[24:32])*0xa54ff53a5f1d36f1
	s += little.Uint64(b[32:40])*0x510e527fade682d1 + little.Uint64(b[40:48])*0x9b05688c2b3e6c1f
	s += little.Uint64(b[48:56])*0x1f83d9abfb41bd6b + uint64(little.Uint32(b[filterHalfAt:filterSumAt]))*0x5be0cd19137e2179
	return uint32(s >> 32)
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
			} else if sums[i] != filterSum(f.seed, places[i], block) {
				return to, false
			}
		}
	}
	return to, true
}

// inFilterBlock looks at all bits: which one is the first that is missing cannot
// be foretold, and a wrong guess costs the processor more.
func inFilterBlock(hash uint64, b *[filterBlock]byte) bool {
	n := filterNumbers(hash)
	set := little.Uint64(b[0:8]) >> (n & 63)
	set &= little.Uint64(b[8:16]) >> (n >> 6 & 63)
	set &= little.Uint64(b[16:24]) >> (n >> 12 & 63)
	set &= little.Uint64(b[24:32]) >> (n >> 18 & 63)
	set &= little.Uint64(b[32:40]) >> (n >> 24 & 63)
	set &= little.Uint64(b[40:48]) >> (n >> 30 & 63)
	set &= little.Uint64(b[48:56]) >> (n >> 36 & 63)
	set &= uint64(little.Uint32(b[filterHalfAt:filterSumAt])) >> (n >> 42 & 31)
	return set&1 != 0
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
	for word := range filterWords {
		bit := n & 63
		if word == filterWords-1 {
			bit = n & 31
		}
		w.block[8*word+int(bit/8)] |= 1 << (bit % 8) // little endian
		n >>= 6
	}
	return nil
}

// fill ends all blocks below one.
func (w *filterWriter) fill(to uint64) error {
	for ; w.at < to; w.at++ {
		little.PutUint32(w.block[filterSumAt:], filterSum(w.seed, w.at, &w.block))
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

package index

import (
	"errors"
	"fmt"
	"slices"

	"github.com/FastFilter/xorfilter"
)

// A run's filter is many filters side by side, each over its own range of
// hashes, so that building one stays in the cache, however big the run is.
const filterHashes = 1 << 16

// fuse is an approximate set of hashes: never says no to a member, and yes to
// one stranger in 256.
type fuse = xorfilter.BinaryFuse[uint8]

// filters are in the order of their ranges; a range ends where the next begins.
type filters struct {
	first []uint64
	sets  []fuse
}

// maybe reports whether the hash may be a member; without filters any may.
func (f *filters) maybe(hash uint64) bool {
	if len(f.first) == 0 {
		return true
	}
	i, found := slices.BinarySearch(f.first, hash)
	if !found {
		i--
	}
	return i >= 0 && f.sets[i].Contains(hash)
}

// printed is the size of all fingerprints.
func (f *filters) printed() (bytes uint64) {
	for i := range f.sets {
		bytes += uint64(len(f.sets[i].Fingerprints))
	}
	return bytes
}

// appendTo writes the filters' part of the directory.
func (f *filters) appendTo(b []byte) []byte {
	for i, set := range f.sets {
		b = little.AppendUint64(b, f.first[i])
		b = little.AppendUint64(b, set.Seed)
		b = little.AppendUint32(b, set.SegmentLength)
		b = little.AppendUint32(b, set.SegmentCount)
		b = little.AppendUint64(b, uint64(checksum(set.Fingerprints)))
	}
	return b
}

// decodeFilter reads one filter's part of the directory: where its range begins,
// its parameters, the size of its fingerprints and their checksum. With these
// parameters a lookup stays inside that size, whatever the hash.
func decodeFilter(b []byte) (first uint64, set fuse, size uint64, sum uint32, err error) {
	first = little.Uint64(b)
	set.Seed = little.Uint64(b[8:])
	set.SegmentLength, set.SegmentCount = little.Uint32(b[16:]), little.Uint32(b[20:])
	length, count := uint64(set.SegmentLength), uint64(set.SegmentCount)
	size = (count + 2) * length
	const most = 1 << 30
	if length == 0 || length&(length-1) != 0 || count == 0 || count > most || length > most || size > most || little.Uint32(b[28:]) != 0 {
		return 0, fuse{}, 0, 0, fmt.Errorf("a filter claims %d segments of %d", count, length)
	}
	set.SegmentLengthMask, set.SegmentCountLength = set.SegmentLength-1, set.SegmentLength*set.SegmentCount
	return first, set, size, little.Uint32(b[24:]), nil
}

// A filterBuilder is fed the hashes of a run in ascending order.
type filterBuilder struct {
	filters
	hashes  []uint64
	builder xorfilter.BinaryFuseBuilder
}

func (b *filterBuilder) add(hash uint64) error {
	if n := len(b.hashes); n > 0 && b.hashes[n-1] == hash {
		return nil
	} else if n == filterHashes {
		if err := b.build(); err != nil {
			return err
		}
	}
	b.hashes = append(b.hashes, hash)
	return nil
}

// build ends the range of the hashes at hand.
func (b *filterBuilder) build() error {
	if len(b.hashes) == 0 {
		return nil
	}
	first := b.hashes[0]
	set, err := xorfilter.BuildBinaryFuse[uint8](&b.builder, b.hashes)
	if err != nil {
		return errors.Join(errors.New("build filter"), err)
	}
	set.Fingerprints = slices.Clone(set.Fingerprints) // the builder uses its own again
	b.first, b.sets, b.hashes = append(b.first, first), append(b.sets, set), b.hashes[:0]
	return nil
}

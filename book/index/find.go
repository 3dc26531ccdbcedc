package index

import (
	"math"
	"slices"
)

// Find appends every position sealed under the hash, ascending. A hash that was
// never sealed costs no allocation and, with filters, hardly ever a read.
func (x *Index) Find(hash uint64, to []uint64) ([]uint64, error) {
	return x.From(hash, 0, math.MaxInt, to)
}

// From appends the positions under the hash that are not below pos, ascending,
// at most limit.
func (x *Index) From(hash, pos uint64, limit int, to []uint64) ([]uint64, error) {
	s, err := x.acquire()
	if err != nil {
		return to, err
	}
	defer s.release()
	start := len(to)
	for _, r := range s.runs {
		if limit > 0 && r.has(hash) {
			if to, err = r.from(hash, pos, limit, to); err != nil {
				return to[:start], err
			}
		}
	}
	found := to[start:]
	slices.Sort(found)
	found = slices.Compact(found)
	return to[:start+min(len(found), max(limit, 0))], nil
}

// Before is the greatest position below pos under the hash, if there is one.
func (x *Index) Before(hash, pos uint64) (uint64, bool, error) {
	s, err := x.acquire()
	if err != nil {
		return 0, false, err
	}
	defer s.release()
	greatest, any := uint64(0), false
	for _, r := range s.runs {
		if !r.has(hash) {
			continue
		}
		found, ok, err := r.before(hash, pos)
		if err != nil {
			return 0, false, err
		}
		if ok {
			greatest, any = max(greatest, found), true
		}
	}
	return greatest, any, nil
}

// FindEach calls hit with every position sealed under each of the hashes, in no
// order, the same position perhaps twice. It asks one run after the other about
// all hashes, which lets the processor wait for many places of a filter at once:
// for a batch that is several times faster than Find for each.
func (x *Index) FindEach(hashes []uint64, hit func(i int, pos uint64)) error {
	s, err := x.acquire()
	if err != nil {
		return err
	}
	defer s.release()
	var found []uint64
	for _, r := range s.runs {
		for i, hash := range hashes {
			if !r.has(hash) {
				continue
			}
			if found, err = r.from(hash, 0, math.MaxInt, found[:0]); err != nil {
				return err
			}
			for _, pos := range found {
				hit(i, pos)
			}
		}
	}
	return nil
}

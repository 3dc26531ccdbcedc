package index

import (
	"math"
	"runtime"
	"runtime/debug"
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
		ok, err := r.may(hash)
		if err == nil && ok && limit > 0 {
			to, err = r.from(hash, pos, limit, to)
		}
		if err != nil {
			return to[:start], err
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
		found, ok := uint64(0), false
		may, err := r.may(hash)
		if err == nil && may {
			found, ok, err = r.before(hash, pos)
		}
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
	var may []int
	var found []uint64
	for _, r := range s.runs {
		if may, err = r.sift(hashes, may[:0]); err != nil {
			return err
		}
		for _, i := range may {
			if found, err = r.from(hashes[i], 0, math.MaxInt, found[:0]); err != nil {
				return err
			}
			for _, pos := range found {
				hit(i, pos)
			}
		}
	}
	return nil
}

// may reports whether the run may hold the hash.
func (r *run) may(hash uint64) (bool, error) {
	if hash < r.summary[0].Hash || r.last.Hash < hash {
		return false, nil
	}
	var room [1]int
	list, err := r.sift([]uint64{hash}, room[:0])
	return len(list) > 0, err
}

// sift appends the places of those hashes that the run may hold. It reads no
// file, but the filter is one, mapped.
func (r *run) sift(hashes []uint64, to []int) (_ []int, err error) {
	if r.filterSize == 0 {
		for i := range hashes {
			to = append(to, i)
		}
		return to, nil
	}
	defer r.catch(debug.SetPanicOnFault(true), &err)
	to, sound := r.filter.ask(hashes, to)
	if !sound {
		err = r.damaged("a part of the filter has a wrong checksum")
	}
	return to, err
}

// catch makes an error of a fault in mapped memory, which is how the kernel says
// that it could not read a page of a file again: the disk fails, or somebody has
// cut the file short.
func (r *run) catch(before bool, err *error) {
	debug.SetPanicOnFault(before)
	switch fault := recover().(type) {
	case nil:
	case interface {
		runtime.Error
		Addr() uintptr
	}:
		*err = r.damaged("a part of the filter that was there cannot be read any more")
	default:
		panic(fault)
	}
}

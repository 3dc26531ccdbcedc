package index

import (
	"errors"
	"fmt"
	"io"
	"slices"
	"sync"
	"sync/atomic"
)

// A run is an open file of entries. Only holders changes.
type run struct {
	head
	headSum uint32
	dir     folder
	file    file
	fences  []Entry // the first entry of each block
	filter
	holders atomic.Int64 // states that list it
	gone    atomic.Bool  // merged away: its file goes with the last holder
}

func (r *run) name() string { return runName(r.number) }

func (r *run) hold() { r.holders.Add(1) }

// release closes the file after the last holder. A file that cannot be removed
// is swept away by the next Open, so errors do no harm.
func (r *run) release() {
	if r.holders.Add(-1) > 0 {
		return
	}
	r.file.Close()
	if r.gone.Load() {
		r.dir.remove(r.name())
	}
}

// openRun opens the run that a manifest lists and checks all of it but the
// blocks, which are checked when they are read.
func openRun(dir folder, want listed) (_ *run, err error) {
	name := runName(want.number)
	f, err := dir.open(name)
	if err != nil {
		return nil, fmt.Errorf("open run of the index: %w", err)
	}
	r := &run{dir: dir, file: f, headSum: want.headSum}
	defer func() {
		if err != nil {
			f.Close()
		}
	}()
	b, err := r.read(0, pageSize)
	if err != nil {
		return nil, err
	}
	if r.head, err = decodeHead(b); err != nil {
		return nil, damaged(dir, name, "%v", err)
	}
	size, err := f.Size()
	if err != nil {
		return nil, err
	}
	switch {
	case r.number != want.number || r.count != want.count || little.Uint32(b[checksumAt:]) != want.headSum:
		return nil, damaged(dir, name, "another run than the manifest lists")
	case size != r.size():
		return nil, damaged(dir, name, "%d bytes, not %d", size, r.size())
	}
	// The file is as long as its head says, which bounds what is allocated now.
	if err := r.readDirectory(); err != nil {
		return nil, err
	}
	return r, r.readFilter()
}

func (r *run) readDirectory() error {
	b, err := r.read(r.directoryAt(), r.directorySize())
	if err != nil {
		return err
	}
	if checksum(b) != r.directory {
		return damaged(r.dir, r.name(), "the directory's checksum is wrong")
	}
	r.fences = make([]Entry, r.blocks())
	for i := range r.fences {
		r.fences[i] = getEntry(b[i*entrySize:])
		if i > 0 && !r.fences[i-1].less(r.fences[i]) {
			return damaged(r.dir, r.name(), "blocks out of order")
		}
	}
	if r.last.less(r.fences[len(r.fences)-1]) {
		return damaged(r.dir, r.name(), "blocks out of order")
	}
	return nil
}

func (r *run) readFilter() error {
	b, err := r.read(r.filterAt(), int64(r.filterSize))
	if err != nil {
		return err
	}
	if checksum(b) != r.filterSum {
		return damaged(r.dir, r.name(), "the filter's checksum is wrong")
	}
	r.filter = decodeFilter(b)
	return nil
}

func (r *run) read(at, size int64) ([]byte, error) {
	b := make([]byte, size)
	return b, r.readInto(b, at)
}

func (r *run) readInto(b []byte, at int64) error {
	switch n, err := r.file.ReadAt(b, at); {
	case n == len(b):
		return nil
	case errors.Is(err, io.EOF):
		return damaged(r.dir, runName(r.number), "cut short")
	default:
		return fmt.Errorf("read index: %w", err)
	}
}

func (r *run) readBlock(n uint64, b *page) error {
	if err := r.readInto(b[:], blockAt(n)); err != nil {
		return err
	}
	return r.check(n, b[:])
}

func (r *run) check(n uint64, b []byte) error {
	if why := checkBlock(b, r.number, n, r.fences[n]); why != "" {
		return damaged(r.dir, r.name(), "block %d: %s", n, why)
	}
	return nil
}

// has reports whether the run may hold the hash, without touching the disk.
func (r *run) has(hash uint64) bool {
	return r.fences[0].Hash <= hash && hash <= r.last.Hash && r.maybe(hash)
}

// seek is the block in which the last entry below e lies, if there is one; the
// first entry that is not below e lies in it or begins the next.
func (r *run) seek(e Entry) (block uint64, below bool) {
	i, _ := slices.BinarySearchFunc(r.fences, e, compare)
	return uint64(max(i-1, 0)), i > 0
}

var pages = sync.Pool{New: func() any { return new(page) }}

// from appends the positions under the hash that are not below pos, ascending,
// at most limit.
func (r *run) from(hash, pos uint64, limit int, to []uint64) ([]uint64, error) {
	p := pages.Get().(*page)
	defer pages.Put(p)
	e := Entry{hash, pos}
	for n, _ := r.seek(e); n < r.blocks() && r.fences[n].Hash <= hash; n++ {
		if err := r.readBlock(n, p); err != nil {
			return to, err
		}
		end := r.inBlock(n)
		for i := lowerBound(p[:], end, e); i < end; i++ {
			found := getEntry(p[i*entrySize:])
			if found.Hash != hash || limit == 0 {
				return to, nil
			}
			to = append(to, found.Pos)
			limit--
		}
	}
	return to, nil
}

// before is the greatest position below pos under the hash.
func (r *run) before(hash, pos uint64) (uint64, bool, error) {
	e := Entry{hash, pos}
	n, below := r.seek(e)
	if !below {
		return 0, false, nil
	}
	p := pages.Get().(*page)
	defer pages.Put(p)
	if err := r.readBlock(n, p); err != nil {
		return 0, false, err
	}
	i := lowerBound(p[:], r.inBlock(n), e) // at least 1: the block begins below e
	found := getEntry(p[(i-1)*entrySize:])
	return found.Pos, found.Hash == hash, nil
}

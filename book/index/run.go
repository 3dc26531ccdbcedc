package index

import (
	"errors"
	"fmt"
	"hash/crc32"
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
	summary []Entry // the first entry of each group
	filter  filter
	holders atomic.Int64 // states that list it
	gone    atomic.Bool  // merged away: its file goes with the last holder
}

func (r *run) name() string { return runName(r.number) }

func (r *run) damaged(why string, args ...any) error {
	return damaged(r.dir, r.name(), why, args...)
}

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
// groups, which are checked when they are read.
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
		return nil, r.damaged("another run than the manifest lists")
	case size != r.size():
		return nil, r.damaged("%d bytes, not %d", size, r.size())
	}
	// The file is as long as its head says, which bounds what is allocated now.
	if err := r.readSummary(); err != nil {
		return nil, err
	}
	if err := r.checkFilter(); err != nil {
		return nil, err
	}
	return r, r.mapFilter()
}

func (r *run) readSummary() error {
	b, err := r.read(r.summaryAt(), r.summarySize())
	if err != nil {
		return err
	}
	if checksum(b) != r.summarySum {
		return r.damaged("the summary's checksum is wrong")
	}
	r.summary = make([]Entry, r.groups())
	for i := range r.summary {
		r.summary[i] = getEntry(b[i*entrySize:])
		if i > 0 && !r.summary[i-1].less(r.summary[i]) {
			return r.damaged("groups out of order")
		}
	}
	if r.last.less(r.summary[len(r.summary)-1]) {
		return r.damaged("groups out of order")
	}
	return nil
}

// checkFilter reads all of the filter once. A file that cannot be read says so
// here in the usual way, before it is mapped.
func (r *run) checkFilter() error {
	sum := uint32(0)
	b := make([]byte, min(r.filterSize, groupPages*pageSize))
	for done := uint64(0); done < r.filterSize; {
		b = b[:min(uint64(len(b)), r.filterSize-done)]
		if err := r.readInto(b, filterAt+int64(done)); err != nil {
			return err
		}
		sum = crc32.Update(sum, crc32.IEEETable, b)
		done += uint64(len(b))
	}
	if sum != r.filterSum {
		return r.damaged("the filter's checksum is wrong")
	}
	return nil
}

// mapFilter makes the filter ready to be asked, until the file is closed.
func (r *run) mapFilter() error {
	if r.filterSize == 0 {
		return nil
	}
	b, err := r.file.Map(filterAt + int64(r.filterSize))
	if err != nil {
		return fmt.Errorf("map the filter of the index: %w", err)
	}
	r.filter = filter{blocks: b[filterAt:], seed: uint32(r.number)}
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

// A directory is the one that was read last.
type directory struct {
	page
	run   *run
	group uint64
}

// list reads the directory of a group, unless that is the one at hand.
func (r *run) list(g uint64, d *directory) error {
	if d.run == r && d.group == g {
		return nil
	}
	d.run = nil
	if err := r.readInto(d.page[:], r.directoryAt(g)); err != nil {
		return err
	}
	if why := checkBlock(d.page[:], r.number, isDirectory|g, r.summary[g]); why != "" {
		return r.damaged("directory %d: %s", g, why)
	}
	d.run, d.group = r, g
	return nil
}

// first is the first entry of a block.
func (r *run) first(n uint64, d *directory) (Entry, error) {
	if err := r.list(n/perBlock, d); err != nil {
		return Entry{}, err
	}
	return getEntry(d.page[n%perBlock*entrySize:]), nil
}

// check looks at block n, which begins with first.
func (r *run) check(n uint64, first Entry, b []byte) error {
	if why := checkBlock(b, r.number, n, first); why != "" {
		return r.damaged("block %d: %s", n, why)
	}
	return nil
}

// A finger points at a block.
type finger struct {
	list  directory
	block page
}

var fingers = sync.Pool{New: func() any { return new(finger) }}

// lift gives a finger back; it must not keep the run.
func (f *finger) lift() {
	f.list.run = nil
	fingers.Put(f)
}

// seek is the block in which the last entry below e lies, if there is one; the
// first entry that is not below e lies in it or begins the next.
func (r *run) seek(e Entry, d *directory) (block uint64, below bool, err error) {
	i, _ := slices.BinarySearchFunc(r.summary, e, compare)
	if i == 0 {
		return 0, false, nil
	}
	g := uint64(i - 1)
	if err := r.list(g, d); err != nil {
		return 0, false, err
	}
	i = lowerBound(d.page[:], r.inGroup(g), e) // at least 1: the group begins below e
	return g*perBlock + uint64(i-1), true, nil
}

// open reads block n.
func (r *run) open(n uint64, f *finger) error {
	first, err := r.first(n, &f.list)
	if err != nil {
		return err
	}
	if err := r.readInto(f.block[:], r.blockAt(n)); err != nil {
		return err
	}
	return r.check(n, first, f.block[:])
}

// from appends the positions under the hash that are not below pos, ascending,
// at most limit.
func (r *run) from(hash, pos uint64, limit int, to []uint64) ([]uint64, error) {
	f := fingers.Get().(*finger)
	defer f.lift()
	e := Entry{hash, pos}
	n, _, err := r.seek(e, &f.list)
	for ; err == nil && n < r.blocks(); n++ {
		if err = r.open(n, f); err != nil {
			break
		}
		end := r.inBlock(n)
		for i := lowerBound(f.block[:], end, e); i < end; i++ {
			found := getEntry(f.block[i*entrySize:])
			if found.Hash != hash || limit == 0 {
				return to, nil
			}
			to = append(to, found.Pos)
			limit--
		}
	}
	return to, err
}

// before is the greatest position below pos under the hash.
func (r *run) before(hash, pos uint64) (uint64, bool, error) {
	f := fingers.Get().(*finger)
	defer f.lift()
	e := Entry{hash, pos}
	n, below, err := r.seek(e, &f.list)
	if err != nil || !below {
		return 0, false, err
	}
	if err := r.open(n, f); err != nil {
		return 0, false, err
	}
	i := lowerBound(f.block[:], r.inBlock(n), e) // at least 1: the block begins below e
	found := getEntry(f.block[(i-1)*entrySize:])
	return found.Pos, found.Hash == hash, nil
}

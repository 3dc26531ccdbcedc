package index

import "slices"

const (
	// mergeFactor runs of about one size become one that is about so many times
	// bigger, so n entries lie in fewer than 8 runs for each power of 8, and each
	// entry is written once for each power of 8.
	mergeFactor = 8
	// Below this many entries size does not matter: a merge costs less than the
	// syncs of the seals that it follows.
	smallRun = 4096
)

// Seal adds entries, in any order, and says that the index now reflects the
// journal up to seq, where the hash is mark. It neither changes nor keeps the
// slice. When it returns nil the entries are on the disk. With a seq that is reflected already it does nothing: rolling
// forward may offer the same again. After an error the entries are not found,
// and the same call may be repeated unless the error says to open again.
func (x *Index) Seal(entries []Entry, seq uint64, mark [32]byte) error {
	x.sealing.Lock()
	defer x.sealing.Unlock()
	if err := x.writable(); err != nil || seq <= x.Seq() {
		return err
	}
	if len(entries) == 0 {
		return x.install(nil, nil, point{seq, mark})
	}
	fresh, err := x.writeRun(seq, uint64(len(entries)), func(w *runWriter) error {
		for _, e := range sorted(entries) {
			if err := w.add(e); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return err
	}
	return x.install(nil, fresh, point{seq, mark})
}

// Merge makes one run of several, if there are enough of a size, and reports
// whether another merge is due. It streams, filter and all: its memory does not
// depend on the size. Nothing that is found changes.
func (x *Index) Merge() (more bool, err error) {
	x.merging.Lock()
	defer x.merging.Unlock()
	if err := x.writable(); err != nil {
		return false, err
	}
	s, err := x.acquire()
	if err != nil {
		return false, err
	}
	defer s.release()
	due := dueForMerge(s.runs)
	if due == nil {
		return false, nil
	}
	fresh, err := x.writeRun(newest(due), count(due), func(w *runWriter) error {
		return stream(due, func(e Entry) error {
			if w.filled == perBlock && x.closed.Load() {
				return errClosed
			}
			return w.add(e)
		})
	})
	if err != nil {
		return false, err
	}
	if err := x.install(due, fresh, point{}); err != nil {
		return false, err
	}
	return dueForMerge(x.now.Load().runs) != nil, nil
}

// dueForMerge picks the oldest runs of the smallest size that has enough of them.
func dueForMerge(runs []*run) []*run {
	var tiers [64][]*run
	for _, r := range runs {
		t := tier(r.count)
		tiers[t] = append(tiers[t], r)
	}
	for _, t := range tiers {
		if len(t) >= mergeFactor {
			return t[:mergeFactor]
		}
	}
	return nil
}

func tier(count uint64) (t int) {
	for size := uint64(smallRun); size <= count; size *= mergeFactor {
		t++
	}
	return t
}

func newest(runs []*run) (seq uint64) {
	for _, r := range runs {
		seq = max(seq, r.seq)
	}
	return seq
}

// Walk visits every entry once, in order, as they are when it begins. An error
// of fn ends the walk and is returned.
func (x *Index) Walk(fn func(Entry) error) error {
	s, err := x.acquire()
	if err != nil {
		return err
	}
	defer s.release()
	return stream(s.runs, fn)
}

// stream visits the entries of several runs in order, those in several once. Its
// cursors are a heap, the lowest entry first.
func stream(runs []*run, fn func(Entry) error) error {
	var heap []*cursor
	for _, r := range runs {
		c := &cursor{run: r}
		if _, err := c.step(); err != nil { // a run is never empty
			return err
		}
		heap = append(heap, c)
	}
	slices.SortFunc(heap, func(a, b *cursor) int { return compare(a.at, b.at) })
	var last Entry
	for first := true; len(heap) > 0; first = false {
		top := heap[0]
		if e := top.at; first || e != last {
			if err := fn(e); err != nil {
				return err
			}
			last = e
		}
		more, err := top.step()
		if err != nil {
			return err
		}
		if !more {
			heap[0] = heap[len(heap)-1]
			heap = heap[:len(heap)-1]
		}
		sink(heap)
	}
	return nil
}

// sink moves the top of the heap down to where it belongs.
func sink(heap []*cursor) {
	for i := 0; ; {
		low := 2*i + 1
		if low >= len(heap) {
			return
		}
		if right := low + 1; right < len(heap) && heap[right].at.less(heap[low].at) {
			low = right
		}
		if !heap[low].at.less(heap[i].at) {
			return
		}
		heap[i], heap[low] = heap[low], heap[i]
		i = low
	}
}

// cursorBlocks is how many blocks a cursor reads at once.
const cursorBlocks = 32

// A cursor steps through a run.
type cursor struct {
	run   *run
	at    Entry
	left  []byte // entries of the block that are still to come
	next  uint64 // block
	list  directory
	ahead []byte // blocks that were read and not begun
	buf   []byte
}

// step moves to the next entry, or reports that there is none.
func (c *cursor) step() (bool, error) {
	begun := c.next > 0
	if len(c.left) == 0 {
		if more, err := c.nextBlock(); !more {
			return false, err
		}
	}
	e := getEntry(c.left)
	if begun && !c.at.less(e) {
		return false, c.run.damaged("entries out of order before block %d", c.next)
	}
	c.at, c.left = e, c.left[entrySize:]
	return true, nil
}

func (c *cursor) nextBlock() (bool, error) {
	blocks := c.run.blocks()
	if c.next == blocks {
		if c.at != c.run.last {
			return false, c.run.damaged("ends with entry %x, not %x", c.at, c.run.last)
		}
		return false, nil
	}
	first, err := c.run.first(c.next, &c.list)
	if err != nil {
		return false, err
	}
	if len(c.ahead) == 0 {
		if c.buf == nil {
			c.buf = make([]byte, min(cursorBlocks, blocks)*pageSize)
		}
		c.ahead = c.buf[:min(cursorBlocks, blocks-c.next, perBlock-c.next%perBlock)*pageSize]
		if err := c.run.readInto(c.ahead, c.run.blockAt(c.next)); err != nil {
			return false, err
		}
	}
	if err := c.run.check(c.next, first, c.ahead[:pageSize]); err != nil {
		return false, err
	}
	c.left = c.ahead[:c.run.inBlock(c.next)*entrySize]
	c.ahead = c.ahead[pageSize:]
	c.next++
	return true, nil
}

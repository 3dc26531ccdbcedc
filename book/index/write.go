package index

import (
	"fmt"
	"slices"
)

const (
	writeBuffer = 64 << 10
	// A merge may write gigabytes beside the journal, on the same disk. Syncing
	// often keeps each wait short, and with it the wait of the journal's own sync.
	syncEvery = 8 << 20
)

// A runWriter writes a run from its entries, given in ascending order.
type runWriter struct {
	head
	dir      folder
	file     file
	filter   *filterWriter // or nil
	group    []byte        // the directory at hand and its blocks so far
	filled   int           // entries in the last of them
	summary  []Entry
	unsynced int
}

func newRunWriter(dir folder, number, seq, filterSize uint64) (*runWriter, error) {
	f, err := dir.create(runName(number))
	if err != nil {
		return nil, err
	}
	w := &runWriter{dir: dir, file: f}
	w.number, w.seq, w.filterSize = number, seq, filterSize
	if filterSize > 0 {
		w.filter = newFilterWriter(f, filterAt, filterSize, uint32(number))
	}
	return w, nil
}

// add takes the next entry; the same once more is dropped.
func (w *runWriter) add(e Entry) error {
	if w.count > 0 && e == w.last {
		return nil
	}
	if w.count%perBlock == 0 {
		if err := w.beginBlock(e); err != nil {
			return err
		}
	}
	putEntry(w.group[len(w.group)-pageSize+w.filled*entrySize:], e)
	w.filled++
	w.count++
	w.last = e
	if w.filter == nil {
		return nil
	}
	return w.filter.add(e.Hash)
}

// beginBlock ends the block before, and its group if that is full.
func (w *runWriter) beginBlock(first Entry) error {
	w.endBlock()
	if len(w.group) == groupPages*pageSize {
		if err := w.endGroup(); err != nil {
			return err
		}
	}
	if len(w.group) == 0 {
		w.addPage()
		w.summary = append(w.summary, first)
	}
	listed := len(w.group)/pageSize - 1
	putEntry(w.group[listed*entrySize:], first)
	w.addPage()
	return nil
}

func (w *runWriter) addPage() {
	n := len(w.group)
	w.group = slices.Grow(w.group, pageSize)[:n+pageSize]
	clear(w.group[n:])
}

// endBlock seals the last block of the group, if there is one.
func (w *runWriter) endBlock() {
	if w.filled > 0 {
		sealBlock(w.group[len(w.group)-pageSize:], w.number, (w.count-1)/perBlock)
		w.filled = 0
	}
}

// endGroup writes the directory and its blocks.
func (w *runWriter) endGroup() error {
	g := uint64(len(w.summary) - 1)
	sealBlock(w.group[:pageSize], w.number, isDirectory|g)
	if _, err := w.file.WriteAt(w.group, w.directoryAt(g)); err != nil {
		return err
	}
	w.unsynced += len(w.group)
	w.group = w.group[:0]
	if w.unsynced < syncEvery {
		return nil
	}
	w.unsynced = 0
	return w.file.Sync()
}

// finish makes the file durable and returns it as an open run.
func (w *runWriter) finish() (*run, error) {
	w.endBlock()
	if err := w.endGroup(); err != nil {
		return nil, err
	}
	if w.filter != nil {
		var err error
		if w.filterSum, err = w.filter.finish(); err != nil {
			return nil, err
		}
	}
	summary := make([]byte, 0, w.summarySize())
	for _, e := range w.summary {
		summary = little.AppendUint64(little.AppendUint64(summary, e.Hash), e.Pos)
	}
	w.summarySum = checksum(summary)
	if _, err := w.file.WriteAt(summary, w.summaryAt()); err != nil {
		return nil, err
	}
	b := w.head.encode()
	if _, err := w.file.WriteAt(b, 0); err != nil {
		return nil, err
	}
	if err := w.file.Sync(); err != nil {
		return nil, err
	}
	r := &run{head: w.head, dir: w.dir, file: w.file, summary: w.summary, headSum: little.Uint32(b[checksumAt:])}
	return r, r.mapFilter()
}

// writeRun makes a run of the next number, filled by fill with at most that many
// entries, and leaves no file behind if that fails.
func (x *Index) writeRun(seq, entries uint64, fill func(*runWriter) error) (*run, error) {
	size := uint64(0)
	if x.options.Filter {
		size = filterSize(entries)
	}
	w, err := newRunWriter(x.dir, x.next.Add(1)-1, seq, size)
	if err != nil {
		return nil, fmt.Errorf("write run of the index: %w", err)
	}
	var r *run
	if err = fill(w); err == nil {
		r, err = w.finish()
	}
	if err != nil {
		w.file.Close()
		x.dir.remove(runName(w.number)) // else the next Open does
		return nil, fmt.Errorf("write run of the index: %w", err)
	}
	return r, nil
}

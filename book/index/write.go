package index

import (
	"bufio"
	"fmt"
	"hash/crc32"
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
	out      *bufio.Writer
	page     page
	filled   int // entries in page
	fences   []Entry
	filter   filter
	unsynced int
}

func newRunWriter(dir folder, number, seq uint64, filter filter) (*runWriter, error) {
	f, err := dir.create(runName(number))
	if err != nil {
		return nil, err
	}
	w := &runWriter{dir: dir, file: f, out: bufio.NewWriterSize(f, writeBuffer), filter: filter}
	w.number, w.seq = number, seq
	_, err = w.out.Write(make([]byte, pageSize)) // the head's place
	return w, err
}

// add takes the next entry; the same once more is dropped.
func (w *runWriter) add(e Entry) error {
	if w.count > 0 && e == w.last {
		return nil
	}
	if w.filled == perBlock {
		if err := w.endBlock(); err != nil {
			return err
		}
	}
	if w.filled == 0 {
		w.fences = append(w.fences, e)
	}
	putEntry(w.page[w.filled*entrySize:], e)
	w.filled++
	w.count++
	w.last = e
	if w.filter != nil {
		w.filter.add(e.Hash)
	}
	return nil
}

func (w *runWriter) endBlock() error {
	clear(w.page[w.filled*entrySize:])
	sealBlock(w.page[:], w.number, uint64(len(w.fences)-1))
	w.filled = 0
	return w.write(w.page[:])
}

func (w *runWriter) write(b []byte) error {
	if _, err := w.out.Write(b); err != nil {
		return err
	}
	if w.unsynced += len(b); w.unsynced < syncEvery {
		return nil
	}
	w.unsynced = 0
	if err := w.out.Flush(); err != nil {
		return err
	}
	return w.file.Sync()
}

// finish makes the file durable and returns it as an open run.
func (w *runWriter) finish() (*run, error) {
	if err := w.endBlock(); err != nil {
		return nil, err
	}
	r := &run{head: w.head, dir: w.dir, file: w.file, fences: w.fences, filter: w.filter}
	err := w.filter.encode(func(b []byte) error {
		r.filterSize += uint64(len(b))
		r.filterSum = crc32.Update(r.filterSum, castagnoli, b)
		return w.write(b)
	})
	if err != nil {
		return nil, err
	}
	directory := make([]byte, 0, len(w.fences)*entrySize)
	for _, e := range w.fences {
		directory = little.AppendUint64(little.AppendUint64(directory, e.Hash), e.Pos)
	}
	if err := w.write(directory); err != nil {
		return nil, err
	}
	r.directory = checksum(directory)
	return r, w.finishHead(r)
}

func (w *runWriter) finishHead(r *run) error {
	if err := w.out.Flush(); err != nil {
		return err
	}
	b := r.head.encode()
	r.headSum = little.Uint32(b[checksumAt:])
	if _, err := w.file.WriteAt(b, 0); err != nil {
		return err
	}
	return w.file.Sync()
}

// writeRun makes a run of the next number, filled by fill with at most that many
// entries, and leaves no file behind if that fails.
func (x *Index) writeRun(seq, entries uint64, fill func(*runWriter) error) (*run, error) {
	var f filter
	if x.options.Filter {
		f = newFilter(entries)
	}
	w, err := newRunWriter(x.dir, x.next.Add(1)-1, seq, f)
	if w == nil {
		return nil, fmt.Errorf("write run of the index: %w", err)
	}
	var r *run
	if err == nil {
		err = fill(w)
	}
	if err == nil {
		r, err = w.finish()
	}
	if err != nil {
		w.file.Close()
		x.dir.remove(runName(w.number)) // else the next Open does
		return nil, fmt.Errorf("write run of the index: %w", err)
	}
	return r, nil
}

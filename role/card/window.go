package card

import (
	"encoding/binary"
	"fmt"

	"jiaozi/wire/observer"
)

// window remembers for ever which indices are closed, in bounded memory: below low
// all are, from next on none was prepared, and in between one bit tells. low moves
// up by itself over closed indices, or when the wallet gives the oldest ones up; it
// never goes back, so an index is never open twice.
//
//	0 ... closed ... low [ one bit each, at most size of them ] next ... unknown ...
type window struct {
	low, next uint32
	shut      []byte // bit index mod size; bits outside low to next are zero
}

// newWindow is empty and holds size open indices, a power of two from 8 on.
func newWindow(size int) window { return window{shut: make([]byte, size/8)} }

func (w *window) size() uint32 { return uint32(len(w.shut)) * 8 }

// clone makes a copy with bits of its own.
func (w *window) clone() window {
	return window{w.low, w.next, append([]byte(nil), w.shut...)}
}

func (w *window) bit(index uint32) (place *byte, mask byte) {
	n := index % w.size()
	return &w.shut[n/8], 1 << (n % 8)
}

// state tells where index stands: Unknown, Open or Closed.
func (w *window) state(index uint32) observer.State {
	switch {
	case index < w.low:
		return observer.Closed
	case index >= w.next:
		return observer.Unknown
	}
	if place, mask := w.bit(index); *place&mask != 0 {
		return observer.Closed
	}
	return observer.Open
}

// open counts the open indices.
func (w *window) open() (n int) {
	for index := w.low; index < w.next; index++ {
		if w.state(index) == observer.Open {
			n++
		}
	}
	return n
}

// fits reports whether r begins no later than next and the window has room for it.
func (w *window) fits(r observer.Range) bool {
	return r.End() <= uint64(w.low)+uint64(w.size()) && r.End() < 1<<32
}

// prepare opens the indices of r that were never prepared. Call it if r fits and
// does not begin behind next.
func (w *window) prepare(r observer.Range) { w.next = max(w.next, uint32(r.End())) }

// close shuts an open index.
func (w *window) close(index uint32) {
	place, mask := w.bit(index)
	*place |= mask
	w.slide()
}

// retire shuts everything below an index that is not behind next.
func (w *window) retire(below uint32) {
	for w.low < below {
		w.drop()
	}
	w.slide()
}

// slide moves low over closed indices.
func (w *window) slide() {
	for w.low < w.next && w.state(w.low) == observer.Closed {
		w.drop()
	}
}

// drop moves low by one; its bit belongs to an index yet to come.
func (w *window) drop() {
	place, mask := w.bit(w.low)
	*place &^= mask
	w.low++
}

func (w *window) append(dst []byte) []byte {
	dst = binary.BigEndian.AppendUint32(dst, w.low)
	dst = binary.BigEndian.AppendUint32(dst, w.next)
	return append(dst, w.shut...)
}

// cutWindow reads a window of size from the front of b. It refuses what no sequence
// of commands leads to.
func cutWindow(b []byte, size int) (w window, rest []byte, err error) {
	w = newWindow(size)
	n := 8 + len(w.shut)
	if len(b) < n {
		return w, nil, fmt.Errorf("card indices are cut short: %w", ErrMemory)
	}
	w.low, w.next = binary.BigEndian.Uint32(b), binary.BigEndian.Uint32(b[4:])
	copy(w.shut, b[8:n])
	if w.low > w.next || w.next-w.low > w.size() || w.low < w.next && w.state(w.low) == observer.Closed || !w.cleanOutside() {
		return w, nil, fmt.Errorf("card indices are impossible: %w", ErrMemory)
	}
	return w, b[n:], nil
}

// cleanOutside reports whether the bits of no open index are zero.
func (w *window) cleanOutside() bool {
	for n := w.next - w.low; n < w.size(); n++ {
		if place, mask := w.bit(w.low + n); *place&mask != 0 {
			return false
		}
	}
	return true
}

package index

import (
	"cmp"
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"sync/atomic"
)

// A state is the index at one moment: the runs that count and the sequence
// number that they reflect. It never changes; a seal or a merge makes the next
// one. Whoever reads holds a state, and with it its files.
type state struct {
	at      point
	runs    []*run
	holders atomic.Int64 // readers, and one for being the present
}

func newState(at point, runs []*run) *state {
	s := &state{at: at, runs: runs}
	s.holders.Store(1)
	for _, r := range runs {
		r.hold()
	}
	return s
}

// hold fails when everybody has left: the files may be closed.
func (s *state) hold() bool {
	for {
		n := s.holders.Load()
		if n == 0 {
			return false
		}
		if s.holders.CompareAndSwap(n, n+1) {
			return true
		}
	}
}

func (s *state) release() {
	if s.holders.Add(-1) > 0 {
		return
	}
	for _, r := range s.runs {
		r.release()
	}
}

// acquire holds the present; the caller releases it.
func (x *Index) acquire() (*state, error) {
	for {
		if x.closed.Load() {
			return nil, errClosed
		}
		if s := x.now.Load(); s.hold() {
			return s, nil
		}
	}
}

var errClosed = fmt.Errorf("the index is closed: %w", fs.ErrClosed)

// writable says why the index cannot change, if so.
func (x *Index) writable() error {
	switch {
	case x.readOnly:
		return errors.New("the index was opened to be read; only its writer seals and merges")
	case x.closed.Load():
		return errClosed
	}
	return nil
}

// install makes the next state: the present one without some runs, with a fresh
// one if it is not nil, reflecting seq or what it already did. If it fails the
// present stays, and so does everything that was sealed.
func (x *Index) install(gone []*run, fresh *run, at point) error {
	x.edit.Lock()
	defer x.edit.Unlock()
	if x.sick != nil {
		discard(fresh)
		return x.sick
	}
	old := x.now.Load()
	runs := slices.DeleteFunc(slices.Clone(old.runs), func(r *run) bool { return slices.Contains(gone, r) })
	if fresh != nil {
		runs = append(runs, fresh)
	}
	slices.SortFunc(runs, func(a, b *run) int { return cmp.Compare(a.number, b.number) })
	if at.seq < old.at.seq {
		at = old.at
	}
	m := manifest{secret: x.secret, at: at, next: x.next.Load(), runs: make([]listed, len(runs))}
	for i, r := range runs {
		m.runs[i] = listed{number: r.number, count: r.count, headSum: r.headSum}
	}
	if err := m.stage(x.dir); err != nil {
		discard(fresh)
		return fmt.Errorf("write the index's manifest: %w", err)
	}
	if err := m.commit(x.dir); err != nil {
		// The new manifest may be in force after a crash, so its run must stay.
		if fresh != nil {
			fresh.file.Close()
		}
		x.sick = fmt.Errorf("the index's manifest may or may not be on the disk; close the index and open it again: %w", err)
		return x.sick
	}
	x.now.Store(newState(at, runs))
	for _, r := range gone {
		r.gone.Store(true)
	}
	old.release()
	return nil
}

// discard removes a run that no manifest ever listed.
func discard(r *run) {
	if r != nil {
		r.file.Close()
		r.dir.remove(r.name())
	}
}

func count(runs []*run) (entries uint64) {
	for _, r := range runs {
		entries += r.count
	}
	return entries
}

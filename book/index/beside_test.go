package index

import (
	"errors"
	"fmt"
	"slices"
	"sync"
	"testing"
)

// TestReadersBesideTheWriter: while one goroutine seals and another merges, readers of the same index and readers that
// open the folder anew each find, at all times, exactly what is sealed.
func TestReadersBesideTheWriter(t *testing.T) {
	const batches, size = 60, 100
	dir := t.TempDir()
	x := must(Open(dir, Options{Filter: true}))
	batch := func(seq uint64) []Entry { return entriesFrom(int(seq)*size, size) }
	done := make(chan struct{})
	fail := make(chan error, 8)
	var readers, keepers sync.WaitGroup
	loop := func(group *sync.WaitGroup, step func() error) {
		group.Go(func() {
			for {
				select {
				case <-done:
					return
				default:
				}
				if err := step(); err != nil {
					fail <- err
					return
				}
			}
		})
	}
	check := func(x *Index, n *uint64) error {
		seq := x.Seq()
		if seq == 0 {
			return nil
		}
		*n++
		e := batch(1 + *n%seq)[*n%size]
		if got, err := x.Find(e.Hash, nil); err != nil || !slices.Equal(got, []uint64{e.Pos}) {
			return fmt.Errorf("find %v at %d: %d %w", e, seq, got, err)
		}
		if got, ok, err := x.Before(e.Hash, e.Pos+1); err != nil || !ok || got != e.Pos {
			return fmt.Errorf("before %v at %d: %d %w", e, seq, got, err)
		}
		return nil
	}
	var n [2]uint64
	loop(&readers, func() error { return check(x, &n[0]) })
	loop(&readers, func() error { return besideWalk(x) })
	loop(&readers, func() error {
		r, err := OpenReader(dir, Options{})
		if err != nil {
			return err
		}
		defer r.Close()
		if r.Len() != r.Seq()*size {
			return fmt.Errorf("%d entries at %d", r.Len(), r.Seq())
		}
		return errors.Join(check(r, &n[1]), besideWalk(r))
	})
	loop(&keepers, func() error { _, err := x.Merge(); return err })
	for seq := uint64(1); seq <= batches; seq++ {
		seal(t, x, seq, batch(seq)...)
	}
	close(done)
	readers.Wait()
	keepers.Wait()
	close(fail)
	for err := range fail {
		t.Error(err)
	}
	mergeAll(t, x)
	if names, runs := must(disk(dir).names()), x.now.Load().runs; len(names) != len(runs)+1 {
		t.Errorf("%d runs, files %v", len(runs), names)
	}
	x.Close()
}

// besideWalk wants a walk to be whole: as many entries as at one moment of its time.
func besideWalk(x *Index) error {
	low := x.Len()
	got, err := walked(x)
	if err != nil || uint64(len(got)) < low || uint64(len(got)) > x.Len() {
		return fmt.Errorf("walk: %d entries, from %d to %d: %w", len(got), low, x.Len(), err)
	}
	return nil
}

// TestMergedRunsWaitForTheirReaders: a walk that began before a merge ends undisturbed, even after Close, and takes the
// files with it.
func TestMergedRunsWaitForTheirReaders(t *testing.T) {
	dir := t.TempDir()
	x := must(Open(dir, Options{}))
	for seq := uint64(1); seq <= mergeFactor; seq++ {
		seal(t, x, seq, entriesFrom(int(seq)*500, 500)...)
	}
	n := 0
	if err := x.Walk(func(Entry) error {
		if n++; n == 1 {
			mergeAll(t, x)
			if files := len(must(disk(dir).names())); files != mergeFactor+2 {
				t.Errorf("%d files while the walk goes on", files)
			}
			x.Close()
		}
		return nil
	}); err != nil || n != mergeFactor*500 {
		t.Error(n, err)
	}
	if files := must(disk(dir).names()); len(files) != 2 {
		t.Error(files)
	}
	y := must(Open(dir, Options{}))
	defer y.Close()
	if y.Len() != mergeFactor*500 {
		t.Error(y.Len())
	}
}

// TestReaderOutlivesItsFiles: what a reader opened and mapped stays with it when the writer merges and deletes the files.
func TestReaderOutlivesItsFiles(t *testing.T) {
	dir := t.TempDir()
	x := must(Open(dir, Options{Filter: true}))
	defer x.Close()
	const size = 5000
	for seq := range mergeFactor {
		seal(t, x, uint64(seq+1), entriesFrom(seq*size, size)...)
	}
	r := must(OpenReader(dir, Options{}))
	defer r.Close()
	mergeAll(t, x)
	if files := must(disk(dir).names()); len(files) != 2 {
		t.Error(files)
	}
	for _, y := range []*Index{r, x} {
		for _, e := range entriesFrom(0, mergeFactor*size) {
			if found := must(y.Find(e.Hash, nil)); !slices.Equal(found, []uint64{e.Pos}) {
				t.Fatalf("%v: %v", e, found)
			}
		}
		if found := must(y.Find(randomHash(1<<50), nil)); found != nil {
			t.Error(found)
		}
	}
}

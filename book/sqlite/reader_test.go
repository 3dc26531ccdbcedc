package sqlite

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"sync"
	"testing"

	"jiaozi/book"
)

// One process writes; whoever comes second is told so. Readers may come.
func TestSecondProcessIsRefused(t *testing.T) {
	path := filepath.Join(t.TempDir(), "book.db")
	e := openEngine(t, path)
	defer e.Close()
	add(t, e, 1, 250)
	if _, err := Open(path); !errors.Is(err, errInUse) {
		t.Fatalf("a second writer got in: %v", err)
	}
	r, err := OpenReader(path)
	if err != nil {
		t.Fatal(err)
	}
	add(t, e, 1, 250)
	if rows := journalRows(t, r); len(rows) != 2 {
		t.Errorf("beside the writer a reader sees %d batches", len(rows))
	}
	if err := r.Close(); err != nil {
		t.Fatal(err)
	}
	add(t, e, 1, 250)
}

// An audit without a writer keeps one from starting, because it would recover
// the log that is under examination.
func TestAuditKeepsWritersOut(t *testing.T) {
	path := closed(t, 1)
	r, err := OpenReader(path)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := Open(path); !errors.Is(err, errInUse) {
		t.Fatalf("a writer started during an audit: %v", err)
	}
	if err := r.Close(); err != nil {
		t.Fatal(err)
	}
	closeEngine(t, openEngine(t, path))
}

// Goal: an audit leaves the evidence as it was. Method: compare every file of
// the directory before and after.
func TestAuditChangesNoFile(t *testing.T) {
	bare := snapshotOf(t, crashed(t, 3))
	for _, suffix := range []string{"", "-wal"} {
		if err := os.Remove(tablesPath(bare) + suffix); err != nil {
			t.Fatal(err)
		}
	}
	for name, path := range map[string]string{"crashed": crashed(t, 3), "closed": closed(t, 3), "without tables": bare} {
		before := files(t, path)
		if err := audit(t, path); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		after := files(t, path)
		if len(after) != len(before) {
			t.Errorf("%s: files %d before, %d after", name, len(before), len(after))
		}
		for file, content := range before {
			if !bytes.Equal(after[file], content) {
				t.Errorf("%s: %s changed", name, file)
			}
		}
	}
}

func files(t *testing.T, path string) map[string][]byte {
	t.Helper()
	list, err := filepath.Glob(filepath.Join(filepath.Dir(path), "*"))
	if err != nil {
		t.Fatal(err)
	}
	out := map[string][]byte{}
	for _, file := range list {
		if out[file], err = os.ReadFile(file); err != nil {
			t.Fatal(err)
		}
	}
	return out
}

// Goal: appends, flushes, checkpoints, views and a backup go on beside each
// other, and every view is of one state. Method: all at once, checkpoints at
// every flush; the journal is never behind the tables in a view.
func TestWriterKeeperAndReadersWorkAtOnce(t *testing.T) {
	const batches = 300
	path := filepath.Join(t.TempDir(), "book.db")
	e := openEngine(t, path)
	e.checkpointAt = 100 << 10
	appended := make(chan uint64, batches)
	done := make(chan struct{})
	var group sync.WaitGroup
	group.Go(func() {
		defer close(appended)
		for seq := uint64(1); seq <= batches; seq++ {
			size := 250
			if seq%7 == 0 {
				size = 60_000
			}
			if err := e.Append(t.Context(), rowAt(seq, size)); err != nil {
				t.Error(err)
				return
			}
			if _, err := e.Load(t.Context(), book.Touch{Accounts: []book.AccountID{accountID(1)}}); err != nil {
				t.Error(err)
			}
			appended <- seq
		}
	})
	group.Go(func() {
		defer close(done)
		for seq := range appended {
			if err := e.Flush(t.Context(), sample(seq)); err != nil {
				t.Error(err)
			}
		}
	})
	for range 2 {
		group.Go(func() { watch(t, e, done) })
	}
	group.Go(func() {
		for _, name := range []string{"one", "two", "three"} {
			copied(t, path, filepath.Join(t.TempDir(), name))
		}
	})
	group.Wait()
	closeEngine(t, e)
	if err := audit(t, path); err != nil {
		t.Error(err)
	}
}

// watch looks at views until done: each must hold a journal without gaps that
// reaches at least as far as its tables.
func watch(t *testing.T, e *Engine, done chan struct{}) {
	for {
		select {
		case <-done:
			return
		default:
		}
		v, err := e.View(t.Context())
		if err != nil {
			t.Error(err)
			return
		}
		applied, err := v.Applied(t.Context())
		head, headErr := v.Head(t.Context())
		next := uint64(1)
		err = errors.Join(err, headErr, v.Journal(t.Context(), 1, func(r book.Row) error {
			if r.Seq != next || r.Hash != hashOf(next) {
				t.Errorf("row %d after %d", r.Seq, next-1)
			}
			next++
			return nil
		}), v.Close())
		if err != nil || head.Seq < applied.Seq || next != head.Seq+1 {
			t.Errorf("tables at %d, head %d, rows to %d, %v", applied.Seq, head.Seq, next-1, err)
			return
		}
	}
}

func copied(t *testing.T, path, to string) {
	head, err := Backup(t.Context(), path, to)
	if err != nil {
		t.Error(err)
		return
	}
	e, err := Open(to)
	if err != nil {
		t.Error(err)
		return
	}
	if got, err := e.Head(t.Context()); err != nil || got != head {
		t.Errorf("the copy ends at %v, not at %v: %v", got, head, err)
	}
	if err := e.Close(); err != nil {
		t.Error(err)
	}
}

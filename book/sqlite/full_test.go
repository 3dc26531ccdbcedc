package sqlite

import (
	"errors"
	"os"
	"path/filepath"
	"syscall"
	"testing"

	"jiaozi/book"

	"zombiezen.com/go/sqlite"
	"zombiezen.com/go/sqlite/sqlitex"
)

// Goal: a full disk is a clear error, nothing was written, and it is over when
// there is room again. Method: forbid each database to grow.
func TestFullDatabaseIsAClearError(t *testing.T) {
	path := filepath.Join(t.TempDir(), "book.db")
	e := openEngine(t, path)
	add(t, e, 1, 250)
	flush(t, e, sample(1))
	limit(t, e.journal.conn, "PRAGMA max_page_count = 1") // means: no more than now
	limit(t, e.tables.conn, "PRAGMA max_page_count = 1")
	seq := fillJournal(t, e, 3000)
	before := dump(t, e)
	if err := e.Flush(t.Context(), opening(seq, 1000)); !errors.Is(err, book.ErrFull) {
		t.Errorf("flush: %v", err)
	}
	if after := dump(t, e); after != before {
		t.Errorf("half a change stayed:\n%s", after)
	}
	limit(t, e.journal.conn, "PRAGMA max_page_count = 1000000")
	limit(t, e.tables.conn, "PRAGMA max_page_count = 1000000")
	flush(t, e, opening(seq, 1000))
	add(t, e, 2, 3000)
	closeEngine(t, e)
	if n := journalRowsOf(t, path); uint64(n) != seq+2 {
		t.Errorf("%d rows, %d were answered", n, seq+2)
	}
}

func limit(t *testing.T, conn *sqlite.Conn, pragma string) {
	t.Helper()
	if err := sqlitex.ExecuteTransient(conn, pragma, nil); err != nil {
		t.Fatal(err)
	}
}

// fillJournal appends until there is no room, and returns the last that was
// answered. The refused one must have left nothing.
func fillJournal(t *testing.T, e *Engine, size int) uint64 {
	t.Helper()
	head, err := e.Head(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for seq := head.Seq + 1; seq < 100_000; seq++ {
		err := e.Append(t.Context(), rowAt(seq, size))
		if err == nil {
			continue
		}
		if !errors.Is(err, book.ErrFull) {
			t.Fatalf("batch %d: %v", seq, err)
		}
		if head, err := e.Head(t.Context()); err != nil || head != headAt(seq-1) {
			t.Fatalf("full at batch %d: head %v %v", seq, head, err)
		}
		return seq - 1
	}
	t.Fatal("the disk never filled")
	return 0
}

// The same on a real file system of its own, for small and for large bodies.
func TestFullDiskIsAClearError(t *testing.T) {
	for _, size := range []int{3000, 40_000} {
		dir := smallDisk(t)
		ballast := filepath.Join(dir, "ballast")
		if err := os.WriteFile(ballast, make([]byte, 1<<20), 0o600); err != nil {
			t.Fatal(err)
		}
		path := filepath.Join(dir, "book.db")
		e := openEngine(t, path)
		add(t, e, 1, size)
		flush(t, e, sample(1))
		seq := fillJournal(t, e, size)
		before := dump(t, e)
		if err := e.Flush(t.Context(), opening(seq, 2000)); !errors.Is(err, book.ErrFull) {
			t.Errorf("flush: %v", err)
		}
		if after := dump(t, e); after != before {
			t.Errorf("half a change stayed:\n%s", after)
		}
		if err := audit(t, path); err != nil {
			t.Error(err)
		}
		crashed := snapshotOf(t, path)
		if err := os.Remove(ballast); err != nil {
			t.Fatal(err)
		}
		flush(t, e, opening(seq, 1000))
		add(t, e, 2, size)
		closeEngine(t, e)
		for path, want := range map[string]uint64{path: seq + 2, crashed: seq} {
			if n := journalRowsOf(t, path); uint64(n) != want {
				t.Errorf("%d rows, %d were answered", n, want)
			}
		}
	}
}

// smallDisk mounts a file system of a few megabytes, or skips.
func smallDisk(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	if err := syscall.Mount("tmpfs", dir, "tmpfs", 0, "size=4m"); err != nil {
		t.Skipf("needs the right to mount a small file system: %v", err)
	}
	t.Cleanup(func() {
		if err := syscall.Unmount(dir, 0); err != nil {
			t.Error(err)
		}
	})
	return dir
}

// The log is moved into the database beside the writer and then begun anew, so
// that it stays as long as it is.
func TestLogIsUsedAgain(t *testing.T) {
	path := filepath.Join(t.TempDir(), "book.db")
	e := openEngine(t, path)
	defer e.Close()
	e.checkpointAt = 300 << 10
	longest := int64(0)
	for seq := range uint64(400) {
		add(t, e, 1, 250)
		flush(t, e, sample(seq+1))
		info, err := os.Stat(walPath(path))
		if err != nil {
			t.Fatal(err)
		}
		longest = max(longest, info.Size())
	}
	if longest > 2*e.checkpointAt {
		t.Errorf("the log grew to %d bytes", longest)
	}
}

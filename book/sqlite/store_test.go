package sqlite

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"jiaozi/book"

	"zombiezen.com/go/sqlite"
	"zombiezen.com/go/sqlite/sqlitex"
)

// One process writes; whoever comes second is told so. Readers may come.
func TestSecondProcessIsRefused(t *testing.T) {
	path := filepath.Join(t.TempDir(), "book.db")
	l := openLedger(t, path)
	defer l.Close()
	book1(t, l, 0)
	if _, err := Open(path); !errors.Is(err, errInUse) {
		t.Fatalf("a second writer got in: %v", err)
	}
	if report := sound(t, path); report.Entries != 1 {
		t.Fatalf("beside the writer an audit sees %d entries", report.Entries)
	}
	book1(t, l, 1)
}

// An audit without a writer keeps one from starting, because it would recover
// the log that is under examination.
func TestAuditKeepsWritersOut(t *testing.T) {
	path := filepath.Join(t.TempDir(), "book.db")
	l := openLedger(t, path)
	book1(t, l, 0)
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
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
	openLedger(t, path).Close()
}

// A store of another version, or of another program, is left alone.
func TestForeignStoresAreRefused(t *testing.T) {
	for name, tt := range map[string]struct{ sql, want string }{
		"newer":   {"PRAGMA user_version = 2", "version 2"},
		"foreign": {"PRAGMA application_id = 7", "application id 0x7"},
	} {
		path := closed(t, 1)
		conn, err := sqlite.OpenConn(path, sqlite.OpenReadWrite)
		if err != nil {
			t.Fatal(err)
		}
		if err := errors.Join(sqlitex.ExecuteTransient(conn, tt.sql, nil), conn.Close()); err != nil {
			t.Fatal(err)
		}
		for opening, open := range map[string]func() error{
			"to write": func() error { _, err := Open(path); return err },
			"to audit": func() error { _, err := Verify(t.Context(), path); return err },
		} {
			if err := open(); err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("%s store opened %s: %v", name, opening, err)
			}
		}
	}
	garbage := filepath.Join(t.TempDir(), "garbage.db")
	if err := os.WriteFile(garbage, []byte(strings.Repeat("not a database ", 500)), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := Open(garbage); !errors.Is(err, book.ErrDamaged) {
		t.Errorf("garbage opened: %v", err)
	}
	if !found(t, garbage) {
		t.Error("garbage audited as sound")
	}
}

// The head outside shows what a chain alone cannot: that the tail is gone.
func TestLostTailIsSeen(t *testing.T) {
	path := closed(t, 4)
	for name, sql := range map[string]string{
		"the last batch":   "DELETE FROM journal WHERE seq = 4",
		"the last batches": "DELETE FROM journal WHERE seq > 1",
		"everything":       "DELETE FROM journal",
	} {
		copied := snapshot(t, path)
		tamper(t, copied, sql)
		if !found(t, copied) {
			t.Errorf("%s is gone and nobody saw it", name)
		}
		if _, err := Open(copied); !errors.Is(err, book.ErrDamaged) {
			t.Errorf("%s is gone and the store opened: %v", name, err)
		}
	}
	for name, spoil := range map[string]func(string) error{
		"missing": os.Remove,
		"short":   func(p string) error { return os.Truncate(p, 10) },
		"garbled": func(p string) error { return os.WriteFile(p, make([]byte, headSize), 0o600) },
	} {
		copied := snapshot(t, path)
		if err := spoil(headPath(copied)); err != nil {
			t.Fatal(err)
		}
		if !found(t, copied) {
			t.Errorf("the head file is %s and nobody saw it", name)
		}
		if _, err := Open(copied); !errors.Is(err, book.ErrDamaged) {
			t.Errorf("the head file is %s and the store opened: %v", name, err)
		}
	}
}

func tamper(t *testing.T, path, sql string) {
	t.Helper()
	conn, err := sqlite.OpenConn(path, sqlite.OpenReadWrite)
	if err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(sqlitex.ExecuteTransient(conn, sql, nil), conn.Close()); err != nil {
		t.Fatal(err)
	}
}

// Goal: each lie of one fact is found. Method: change one value with SQL, which
// leaves SQLite's own structure intact.
func TestOneFactCorruptionsAreFound(t *testing.T) {
	path := closed(t, 4)
	for _, sql := range []string{
		"UPDATE accounts SET balance = balance + 1 WHERE name = 'alice'",
		"UPDATE accounts SET balance = balance + 1",
		"UPDATE accounts SET held = 0 WHERE name = 'alice'",
		"UPDATE accounts SET name = 'mallory' WHERE name = 'alice'",
		"UPDATE accounts SET never_negative = 0 WHERE name = 'alice'",
		"UPDATE accounts SET normal = 3 - normal WHERE name = 'alice'",
		"UPDATE accounts SET currency = 344 WHERE name = 'alice'",
		"DELETE FROM accounts WHERE name = 'alice'",
		"INSERT INTO accounts SELECT part, randomblob(16), 'extra', 1, 156, 0, 0, 0 FROM accounts LIMIT 1",
		"DELETE FROM onces WHERE key = CAST('card-1' AS BLOB)",
		"UPDATE onces SET value = x'00' WHERE key = CAST('card-1' AS BLOB)",
		"UPDATE onces SET space = 'other' WHERE key = CAST('card-1' AS BLOB)",
		"INSERT INTO onces VALUES (0, 'tap', x'01', x'02')",
		"UPDATE records SET value = x'00'",
		"UPDATE records SET value = NULL",
		"UPDATE records SET version = version + 1",
		"DELETE FROM records",
		"DELETE FROM holds",
		"UPDATE holds SET left = left - 1",
		"UPDATE holds SET expires = 5",
		"UPDATE holds SET side = 2",
		"DELETE FROM outbox WHERE number = (SELECT max(number) FROM outbox)",
		"UPDATE outbox SET body = x'00'",
		"UPDATE outbox SET topic = 'elsewhere'",
		"UPDATE outbox SET number = number + 1",
		"DELETE FROM commands WHERE seq = 2",
		"UPDATE commands SET place = 7 WHERE seq = 2",
		"UPDATE commands SET seq = 3 WHERE seq = 2",
		"DELETE FROM journal WHERE seq = 2",
		"UPDATE journal SET seq = 9 WHERE seq = 4",
		"UPDATE journal SET part = 1 WHERE seq = 4",
		"UPDATE journal SET prev = x'" + strings.Repeat("00", 32) + "' WHERE seq = 3",
		"UPDATE journal SET hash = x'" + strings.Repeat("00", 32) + "' WHERE seq = 3",
		"UPDATE journal SET hash = x'00' WHERE seq = 3",
		"UPDATE journal SET body = (SELECT body FROM journal WHERE seq = 1) WHERE seq = 3",
		"UPDATE journal SET body = CAST(body || x'00' AS BLOB) WHERE seq = 4",
		"INSERT INTO journal SELECT part, 5, hash, prev, body FROM journal WHERE seq = 4",
		"DROP INDEX outbox_topic",
		"DROP TABLE holds",
	} {
		copied := snapshot(t, path)
		tamper(t, copied, sql)
		if !found(t, copied) {
			t.Errorf("nobody saw: %s", sql)
		}
	}
}

// Goal: a full disk is a clear error, loses nothing, promises nothing, and is
// over when there is room again. Method: forbid the database to grow.
func TestFullDatabaseIsAClearError(t *testing.T) {
	path := filepath.Join(t.TempDir(), "book.db")
	engine, err := Open(path)
	if err != nil {
		t.Fatal(err)
	}
	l, err := book.Open(t.Context(), engine)
	if err != nil {
		t.Fatal(err)
	}
	book1(t, l, 0)
	limit(t, engine, "PRAGMA max_page_count = 1") // means: no more than now
	fills(t, l, path, func() { limit(t, engine, "PRAGMA max_page_count = 1000000") })
}

func limit(t *testing.T, e *Engine, pragma string) {
	t.Helper()
	if err := sqlitex.ExecuteTransient(e.conn, pragma, nil); err != nil {
		t.Fatal(err)
	}
}

// fills books until the disk is full, makes room, and goes on.
func fills(t *testing.T, l *book.Ledger, path string, makeRoom func()) {
	t.Helper()
	n := 1
	for ; ; n++ {
		results, err := l.Apply(t.Context(), []book.Command{big(n)})
		if errors.Is(err, book.ErrFull) {
			break
		}
		if err != nil || results[0].Code != book.OK {
			t.Fatalf("%v %v", results, err)
		}
		if n == 100_000 {
			t.Fatal("the disk never filled")
		}
	}
	if report, err := l.Verify(t.Context()); err != nil || len(report.Findings) > 0 || report.Entries != uint64(n) {
		t.Fatalf("full, after %d: %d entries, %v %v", n, report.Entries, report.Findings, err)
	}
	makeRoom()
	for range 2 { // the one that was refused, and once more: it is a replay
		if r, err := l.Apply(t.Context(), []book.Command{big(n)}); err != nil || r[0].Code != book.OK {
			t.Fatalf("with room again: %v %v", r, err)
		}
	}
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	if report := sound(t, path); report.Entries != uint64(n)+1 {
		t.Fatalf("%d entries of %d", report.Entries, n+1)
	}
}

func big(n int) book.Command {
	return book.Command{ID: book.DeriveID("big", n), Event: "fill", Date: 20261122,
		Put: []book.Put{{Space: "big", Key: fmt.Append(nil, n), Value: make([]byte, 3000)}}}
}

// The same on a real file system of one megabyte.
func TestFullDiskIsAClearError(t *testing.T) {
	dir := t.TempDir()
	if err := syscall.Mount("tmpfs", dir, "tmpfs", 0, "size=1536k"); err != nil {
		t.Skipf("needs the right to mount a small file system: %v", err)
	}
	t.Cleanup(func() {
		if err := syscall.Unmount(dir, 0); err != nil {
			t.Error(err)
		}
	})
	ballast := filepath.Join(dir, "ballast")
	if err := os.WriteFile(ballast, make([]byte, 700<<10), 0o600); err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(dir, "book.db")
	l := openLedger(t, path)
	book1(t, l, 0)
	fills(t, l, path, func() {
		if err := os.Remove(ballast); err != nil {
			t.Fatal(err)
		}
	})
}

// The log is moved into the database as it grows, and truncated.
func TestCheckpointTruncatesTheLog(t *testing.T) {
	path := filepath.Join(t.TempDir(), "book.db")
	engine, err := Open(path)
	if err != nil {
		t.Fatal(err)
	}
	engine.checkpointAt = 100 << 10
	l, err := book.Open(t.Context(), engine)
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	for n := range 20 {
		book1(t, l, n)
		if info, err := os.Stat(walPath(path)); err != nil {
			t.Fatal(err)
		} else if info.Size() == 0 && n > 0 {
			sound(t, path)
			return
		}
	}
	t.Fatal("the log was never truncated")
}

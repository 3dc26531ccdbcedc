package sqlite

import (
	"errors"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"

	"jiaozi/book"
)

// Every size of body comes back, also those that are written in pieces.
func TestJournalComesBack(t *testing.T) {
	path := filepath.Join(t.TempDir(), "book.db")
	e := openEngine(t, path)
	var want []book.Row
	for i, size := range []int{0, 1, 250, 8000, 8192, smallBody, smallBody + 1, 250_000, 2 << 20, 3} {
		row := rowAt(uint64(i+1), size)
		if err := e.Append(t.Context(), row); err != nil {
			t.Fatal(err)
		}
		want = append(want, *row)
	}
	for range 2 {
		if !reflect.DeepEqual(want, journalRows(t, e)) {
			t.Fatal("the rows differ")
		}
		within(t, e, func(v book.View) {
			row, ok, err := v.Row(t.Context(), 8)
			if err != nil || !ok || !reflect.DeepEqual(row, want[7]) {
				t.Error(ok, err)
			}
			if _, ok, err := v.Row(t.Context(), 11); ok || err != nil {
				t.Error(ok, err)
			}
			var from []uint64
			err = v.Journal(t.Context(), 8, func(r book.Row) error { from = append(from, r.Seq); return nil })
			if err != nil || !slices.Equal(from, []uint64{8, 9, 10}) {
				t.Error(from, err)
			}
		})
		closeEngine(t, e)
		e = openEngine(t, path)
	}
	if kept, err := e.Kept(t.Context()); err != nil || kept != headAt(10) {
		t.Error(kept, err)
	}
	closeEngine(t, e)
}

// A number that is taken, or that leaves a gap, belongs to another writer.
func TestFenceRefusesEveryOtherNumber(t *testing.T) {
	path := filepath.Join(t.TempDir(), "book.db")
	e := openEngine(t, path)
	defer e.Close()
	add(t, e, 2, 100)
	for _, seq := range []uint64{0, 1, 2, 4, 1 << 63} {
		if err := e.Append(t.Context(), rowAt(seq, 100)); !errors.Is(err, book.ErrFenced) {
			t.Errorf("batch %d: %v", seq, err)
		}
	}
	other := rowAt(3, 100)
	other.Part = 1
	if err := e.Append(t.Context(), other); !errors.Is(err, book.ErrFenced) {
		t.Errorf("another chain: %v", err)
	}
	for i, size := range []int{100, smallBody + 1} { // somebody is quicker
		seq := uint64(3 + i)
		tamper(t, path, "INSERT INTO journal SELECT part, max(seq) + 1, prev, hash, body FROM journal")
		if err := e.Append(t.Context(), rowAt(seq, size)); !errors.Is(err, book.ErrFenced) {
			t.Errorf("a taken number: %v", err)
		}
		if head, err := e.Head(t.Context()); err != nil || head.Seq < 3 {
			t.Errorf("%v %v", head, err)
		}
		add(t, e, 0, 1)
		e.journal.last.Seq = seq
	}
}

// A store of another version, or of another program, is left alone.
func TestForeignStoresAreRefused(t *testing.T) {
	for name, tt := range map[string]struct{ sql, want string }{
		"older":   {"PRAGMA user_version = 1", "made by an older program"},
		"newer":   {"PRAGMA user_version = 3", "use the program that made it"},
		"foreign": {"PRAGMA application_id = 7", "application id 0x7"},
		"changed": {"ALTER TABLE journal ADD COLUMN more BLOB", "not as they were made"},
	} {
		path := closed(t, 1)
		tamper(t, path, tt.sql)
		if _, err := Open(path); err == nil || !strings.Contains(err.Error(), tt.want) || strings.Contains(err.Error(), "derived") {
			t.Errorf("%s store opened to write: %v", name, err)
		}
		if err := audit(t, path); err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%s store opened to audit: %v", name, err)
		}
	}
	garbage := filepath.Join(t.TempDir(), "garbage.db")
	if err := os.WriteFile(garbage, []byte(strings.Repeat("not a database ", 500)), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := Open(garbage); !errors.Is(err, book.ErrDamaged) {
		t.Errorf("garbage opened: %v", err)
	}
	if err := audit(t, garbage); !errors.Is(err, book.ErrDamaged) {
		t.Errorf("garbage audited: %v", err)
	}
}

// audit opens a store as evidence, begins a view and has it inspected.
func audit(t *testing.T, path string) error {
	t.Helper()
	r, err := OpenReader(path)
	if err != nil {
		return err
	}
	defer r.Close()
	view, err := r.View(t.Context())
	if err != nil {
		return err
	}
	findings, err := r.Inspect(t.Context())
	if err == nil && len(findings) > 0 {
		err = errors.New(findings[0].String())
	}
	return errors.Join(err, view.Close())
}

// The head outside shows what a chain alone cannot: that the tail is gone.
func TestLostTailIsSeen(t *testing.T) {
	path := closed(t, 4)
	for name, sql := range map[string]string{
		"the last batch":   "DELETE FROM journal WHERE seq = 4",
		"the last batches": "DELETE FROM journal WHERE seq > 1",
		"everything":       "DELETE FROM journal",
		"another batch":    "UPDATE journal SET hash = zeroblob(32) WHERE seq = 4",
	} {
		copied := snapshotOf(t, path)
		tamper(t, copied, sql)
		if _, err := Open(copied); !errors.Is(err, book.ErrDamaged) || strings.Contains(err.Error(), "derived") {
			t.Errorf("%s is gone and the store opened: %v", name, err)
		}
	}
	for name, spoil := range map[string]func(string) error{
		"missing": os.Remove,
		"short":   func(p string) error { return os.Truncate(p, 10) },
		"garbled": func(p string) error { return os.WriteFile(p, make([]byte, 54), 0o600) },
	} {
		copied := snapshotOf(t, path)
		if err := spoil(headPath(copied)); err != nil {
			t.Fatal(err)
		}
		if _, err := Open(copied); !errors.Is(err, book.ErrDamaged) {
			t.Errorf("the head file is %s and the store opened: %v", name, err)
		}
	}
}

// A journal whose database is gone, with its log or its head still there, is not
// taken for a new one, and what is left of it is not touched.
func TestMissingJournalIsNoNewOne(t *testing.T) {
	for name, spoil := range map[string]func(string) error{
		"missing": os.Remove,
		"empty":   func(p string) error { return os.Truncate(p, 0) },
	} {
		for _, path := range []string{crashed(t, 2), snapshotOf(t, closed(t, 2))} {
			log, _ := os.ReadFile(walPath(path)) // a closed one has none
			if err := spoil(path); err != nil {
				t.Fatal(err)
			}
			if _, err := Open(path); !errors.Is(err, book.ErrDamaged) {
				t.Errorf("%s: %v", name, err)
			}
			if after, _ := os.ReadFile(walPath(path)); string(after) != string(log) && len(log) > 0 {
				t.Errorf("%s: the log was %d bytes and is %d", name, len(log), len(after))
			}
		}
	}
}

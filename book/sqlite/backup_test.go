package sqlite

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"jiaozi/book"
)

// A copy of a store at rest, crashed or in use opens and holds the journal; it is
// two files that only their owner can read.
func TestBackupOpensAndHoldsTheJournal(t *testing.T) {
	live := filepath.Join(t.TempDir(), "book.db")
	e := openEngine(t, live)
	defer e.Close()
	add(t, e, 3, 250)
	add(t, e, 2, 100_000)
	flush(t, e, sample(2))
	for name, path := range map[string]string{"live": live, "crashed": crashed(t, 5), "closed": closed(t, 5)} {
		dir := t.TempDir()
		to := filepath.Join(dir, "copy.db")
		head, err := Backup(t.Context(), path, to)
		if err != nil || head != headAt(5) {
			t.Fatalf("%s: %v %v", name, head, err)
		}
		entries, err := os.ReadDir(dir)
		if err != nil || len(entries) != 2 {
			t.Fatalf("%s: %v %v", name, entries, err)
		}
		for _, entry := range entries {
			if info, err := entry.Info(); err != nil || info.Mode() != 0o600 {
				t.Errorf("%s: %v %v", name, info.Mode(), err)
			}
		}
		r, err := OpenReader(to)
		if err != nil {
			t.Fatal(err)
		}
		want := journalRows(t, r)
		if err := r.Close(); err != nil {
			t.Fatal(err)
		}
		copy := openEngine(t, to)
		if name == "live" {
			want = journalRows(t, e)
		}
		if got := journalRows(t, copy); !reflect.DeepEqual(got, want) || len(got) != 5 {
			t.Errorf("%s: %d rows of %d", name, len(got), len(want))
		}
		add(t, copy, 1, 250)
		closeEngine(t, copy)
	}
}

// A target that is there stays as it is, whichever of its files it is.
func TestBackupRefusesAnExistingTarget(t *testing.T) {
	path := closed(t, 2)
	for _, suffix := range []string{"", ".head", "-wal", "-shm", "-journal", ".lock", ".tables", ".index"} {
		to := filepath.Join(t.TempDir(), "copy.db")
		if err := os.WriteFile(to+suffix, []byte("mine"), 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := Backup(t.Context(), path, to); err == nil || !strings.Contains(err.Error(), "is there already") {
			t.Errorf("%q: %v", suffix, err)
		}
		if b, err := os.ReadFile(to + suffix); err != nil || string(b) != "mine" {
			t.Errorf("%q was touched: %q %v", suffix, b, err)
		}
	}
}

// A backup that fails leaves nothing; one that the machine cut short does not
// open as an empty book.
func TestHalfABackupIsNoBook(t *testing.T) {
	path := closed(t, 2)
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	to := filepath.Join(t.TempDir(), "copy.db")
	if _, err := Backup(ended, path, to); !errors.Is(err, context.Canceled) {
		t.Fatal(err)
	}
	if list, err := os.ReadDir(filepath.Dir(to)); err != nil || len(list) != 0 {
		t.Errorf("%v %v", list, err)
	}
	setHead(t, to, headAt(2))
	if _, err := Open(to); !errors.Is(err, book.ErrDamaged) {
		t.Errorf("the head alone opened: %v", err)
	}
	tamper(t, path, "DELETE FROM journal WHERE seq = 2")
	if _, err := Backup(t.Context(), path, filepath.Join(t.TempDir(), "copy.db")); !errors.Is(err, book.ErrDamaged) {
		t.Errorf("a store that lost its tail was copied: %v", err)
	}
}

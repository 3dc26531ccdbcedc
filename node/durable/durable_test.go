package durable

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"testing"
)

func entries(t *testing.T, path string) [][]byte {
	t.Helper()
	var out [][]byte
	if err := ReadJournal(path, func(e []byte) error { out = append(out, bytes.Clone(e)); return nil }); err != nil {
		t.Fatal(err)
	}
	return out
}

func filled(t *testing.T, n int) (string, []byte) {
	t.Helper()
	path := filepath.Join(t.TempDir(), "log")
	j, err := OpenJournal(path)
	if err != nil {
		t.Fatal(err)
	}
	defer j.Close()
	for i := range n {
		if err := j.Append([]byte(fmt.Sprintf("entry %d", i))); err != nil {
			t.Fatal(err)
		}
	}
	raw, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return path, raw
}

// Goal: a power cut at any byte of the last append keeps all earlier entries.
// Method: cut the file at every length and open it.
func TestTornTailKeepsWholeEntries(t *testing.T) {
	path, raw := filled(t, 3)
	one := len(raw) / 3
	for cut := 0; cut <= len(raw); cut++ {
		if err := os.WriteFile(path, raw[:cut], 0o600); err != nil {
			t.Fatal(err)
		}
		j, err := OpenJournal(path)
		if err != nil {
			t.Fatalf("cut at %d: %v", cut, err)
		}
		j.Close()
		if got := len(entries(t, path)); got != cut/one {
			t.Fatalf("cut at %d: %d entries, want %d", cut, got, cut/one)
		}
	}
}

// Goal: one damaged byte anywhere is an error, never a silently shorter
// journal. Method: flip every byte of three acknowledged entries.
func TestEveryFlippedByteIsFound(t *testing.T) {
	path, raw := filled(t, 3)
	for i := range raw {
		bad := bytes.Clone(raw)
		bad[i] ^= 0x40
		if err := os.WriteFile(path, bad, 0o600); err != nil {
			t.Fatal(err)
		}
		if err := ReadJournal(path, func([]byte) error { return nil }); !errors.Is(err, ErrCorrupt) {
			t.Fatalf("flip at byte %d: %v", i, err)
		}
	}
}

// Goal: zeros that a file system leaves where data never came are a torn tail.
func TestZeroTailIsTorn(t *testing.T) {
	path, raw := filled(t, 2)
	if err := os.WriteFile(path, append(raw, make([]byte, 500)...), 0o600); err != nil {
		t.Fatal(err)
	}
	if got := len(entries(t, path)); got != 2 {
		t.Fatal(got)
	}
}

func TestRewriteReplacesAllEntriesAndGoesOn(t *testing.T) {
	path, _ := filled(t, 3)
	j, err := OpenJournal(path)
	if err != nil {
		t.Fatal(err)
	}
	defer j.Close()
	if err := j.Rewrite([][]byte{[]byte("a"), []byte("b")}); err != nil {
		t.Fatal(err)
	}
	if err := j.Append([]byte("c")); err != nil {
		t.Fatal(err)
	}
	if got := fmt.Sprintf("%s", entries(t, path)); got != "[a b c]" {
		t.Fatal(got)
	}
}

func TestOversizedEntryIsRefusedAndNothingIsWritten(t *testing.T) {
	path, _ := filled(t, 1)
	j, err := OpenJournal(path)
	if err != nil {
		t.Fatal(err)
	}
	defer j.Close()
	if err := j.Append(make([]byte, MaxEntry+1)); err == nil {
		t.Fatal("accepted")
	}
	if len(entries(t, path)) != 1 {
		t.Fatal("journal changed")
	}
}

func TestSecondLockerIsRefused(t *testing.T) {
	path := filepath.Join(t.TempDir(), "lock")
	f, err := Lock(path)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := Lock(path); !errors.Is(err, ErrLocked) {
		t.Fatal(err)
	}
	f.Close()
	g, err := Lock(path)
	if err != nil {
		t.Fatal(err)
	}
	g.Close()
}

func TestWriteFileReplacesWholeContent(t *testing.T) {
	path := filepath.Join(t.TempDir(), "f")
	for _, want := range []string{"long content", "short"} {
		if err := WriteFile(path, []byte(want), 0o600); err != nil {
			t.Fatal(err)
		}
		if got, _ := os.ReadFile(path); string(got) != want {
			t.Fatalf("%q", got)
		}
	}
	if err := WriteFile(filepath.Join(path, "x"), nil, 0o600); err == nil {
		t.Fatal("wrote below a file")
	}
}

// Goal: after a replacement that failed nothing is acknowledged that would not be
// found again. Method: take the directory away, so that the open file has no name.
func TestAFailedRewriteAcknowledgesNothingMore(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "till")
	if err := os.Mkdir(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	j, err := OpenJournal(filepath.Join(dir, "journal"))
	if err != nil {
		t.Fatal(err)
	}
	defer j.Close()
	if err := os.RemoveAll(dir); err != nil {
		t.Fatal(err)
	}
	if err := j.Rewrite([][]byte{{1}}); err == nil {
		t.Fatal("a journal without a directory was replaced")
	}
	if err := j.Append([]byte{2}); !errors.Is(err, ErrStopped) {
		t.Fatalf("an entry in a file that has no name: %v", err)
	}
}

// Goal: what a killed write leaves behind goes away, and nothing else does.
func TestSweepRemovesOnlyWhatAKilledWriteLeft(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "w")
	kept := []string{"w", ".w", ".w.", ".w.x1", ".w.b.12", "w.12", ".ww.12", ".w.12.lock"}
	for _, name := range append([]string{".w.12", ".w.3456789"}, kept...) {
		if err := os.WriteFile(filepath.Join(dir, name), nil, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if err := Sweep(path); err != nil {
		t.Fatal(err)
	}
	there, err := os.ReadDir(dir)
	if err != nil || len(there) != len(kept) {
		t.Fatalf("%v %v", there, err)
	}
	for _, name := range kept {
		if _, err := os.Stat(filepath.Join(dir, name)); err != nil {
			t.Error(err)
		}
	}
	f, err := os.CreateTemp(dir, ".w.*") // as WriteFile makes it
	if err != nil {
		t.Fatal(err)
	}
	f.Close()
	if err := Sweep(path); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(f.Name()); !os.IsNotExist(err) {
		t.Error("a leftover of WriteFile stays", err)
	}
}

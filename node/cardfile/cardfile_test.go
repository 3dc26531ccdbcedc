package cardfile

import (
	"bytes"
	"crypto/rand"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"filippo.io/age"

	"jiaozi/role/card"
)

func newKey(t *testing.T) *age.X25519Identity {
	t.Helper()
	id, err := age.GenerateX25519Identity()
	if err != nil {
		t.Fatal(err)
	}
	return id
}

// fill stands for card.Format: a recognisable page.
func fill(b byte) func(card.Memory) error {
	return func(m card.Memory) error {
		page := [card.PageSize]byte{0: b}
		return m.WritePage(3, &page)
	}
}

func create(t *testing.T, id *age.X25519Identity) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "a.card")
	if err := Create(path, id, fill(7)); err != nil {
		t.Fatal(err)
	}
	return path
}

func page3(t *testing.T, m card.Memory) byte {
	t.Helper()
	var page [card.PageSize]byte
	if err := m.ReadPage(3, &page); err != nil {
		t.Fatal(err)
	}
	return page[0]
}

func TestOnlySyncedPagesSurvive(t *testing.T) {
	id := newKey(t)
	path := create(t, id)
	for _, step := range []struct {
		write byte
		sync  bool
		want  byte
	}{{8, false, 7}, {9, true, 9}} {
		f, err := Open(path, id)
		if err != nil {
			t.Fatal(err)
		}
		if err := fill(step.write)(f); err != nil {
			t.Fatal(err)
		}
		if step.sync {
			if err := f.Sync(); err != nil {
				t.Fatal(err)
			}
		}
		if err := f.Close(); err != nil {
			t.Fatal(err)
		}
		image, err := Read(path, id)
		if err != nil {
			t.Fatal(err)
		}
		if got := page3(t, image); got != step.want {
			t.Errorf("wrote %d, synced %v: the file holds %d", step.write, step.sync, got)
		}
	}
}

func TestFileIsSealedAndPrivate(t *testing.T) {
	id := newKey(t)
	path := create(t, id)
	info, err := os.Stat(path)
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("mode %v, %v", info.Mode(), err)
	}
	if raw, err := os.ReadFile(path); err != nil || bytes.Contains(raw, []byte("JZCARD")) {
		t.Errorf("the image lies in the clear (%v)", err)
	}
	if _, err := Read(path, newKey(t)); !errors.Is(err, ErrForeign) {
		t.Errorf("another key: %v", err)
	}
}

func TestEveryAlterationIsFound(t *testing.T) {
	// One flipped bit anywhere, any cut, anything appended.
	id := newKey(t)
	path := create(t, id)
	whole, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	spoilt := map[string][]byte{"empty": {}, "cut": whole[:len(whole)-1], "longer": append(bytes.Clone(whole), 0), "far longer": make([]byte, maxFile+1), "text": []byte("hello")}
	for i := 0; i < len(whole); i += 97 {
		b := bytes.Clone(whole)
		b[i] ^= 0x10
		spoilt[fmt.Sprintf("bit of byte %d", i)] = b
	}
	for what, b := range spoilt {
		if err := os.WriteFile(path, b, 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := Open(path, id); !errors.Is(err, ErrDamaged) && !errors.Is(err, ErrForeign) {
			t.Errorf("%s: %v", what, err)
		}
	}
	if err := os.WriteFile(path, whole, 0o600); err != nil {
		t.Fatal(err)
	}
	f, err := Open(path, id)
	if err != nil {
		t.Fatalf("the lock was not given back: %v", err)
	}
	f.Close()
}

func TestSealedFileOfAnotherKindIsRefused(t *testing.T) {
	id := newKey(t)
	path := filepath.Join(t.TempDir(), "a.card")
	if err := os.WriteFile(path, sealed(t, id, []byte(forms[0].magic+"too short")), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := Read(path, id); !errors.Is(err, ErrDamaged) {
		t.Fatal(err)
	}
}

func TestOneHolderAtATime(t *testing.T) {
	id := newKey(t)
	path := create(t, id)
	f, err := Open(path, id)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := Open(path, id); !errors.Is(err, ErrBusy) {
		t.Errorf("a second holder: %v", err)
	}
	if _, err := Read(path, id); err != nil {
		t.Errorf("looking beside the holder: %v", err)
	}
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
	if err := f.Sync(); !errors.Is(err, ErrStopped) {
		t.Errorf("written after Close: %v", err)
	}
	again, err := Open(path, id)
	if err != nil {
		t.Fatal(err)
	}
	again.Close()
}

func TestCardIsNeverOverwritten(t *testing.T) {
	id := newKey(t)
	path := create(t, id)
	if err := Create(path, id, fill(1)); !errors.Is(err, ErrExists) {
		t.Errorf("%v", err)
	}
	other := filepath.Join(t.TempDir(), "b.card")
	refusal := errors.New("no")
	if err := Create(other, id, func(card.Memory) error { return refusal }); !errors.Is(err, refusal) {
		t.Errorf("%v", err)
	}
	if _, err := os.Stat(other); !errors.Is(err, os.ErrNotExist) {
		t.Error("a refused card left a file")
	}
	if _, err := Open(other, id); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("%v", err)
	}
}

func TestFailedSyncStopsTheCard(t *testing.T) {
	// The folder is taken away, as a full or broken disk would be: the write fails,
	// and the memory, which may or may not be on the disk now, answers no more.
	id := newKey(t)
	path := create(t, id)
	f, err := Open(path, id)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if err := os.RemoveAll(filepath.Dir(path)); err != nil {
		t.Fatal(err)
	}
	if err := f.Sync(); err == nil {
		t.Fatal("synced into a folder that is gone")
	}
	var page [card.PageSize]byte
	if err := f.ReadPage(0, &page); !errors.Is(err, ErrStopped) {
		t.Errorf("read after a failed write: %v", err)
	}
	if err := f.WritePage(0, &page); !errors.Is(err, ErrStopped) {
		t.Errorf("write after a failed write: %v", err)
	}
}

func TestBlankFileIsNoCard(t *testing.T) {
	id := newKey(t)
	image, err := Read(create(t, id), id)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := card.Open(image, rand.Reader); !errors.Is(err, card.ErrMemory) {
		t.Fatal(err)
	}
}

// TestFileFromBeforeCoinsOpens: a card of the older form keeps its purse, has no
// coin pages, and is written in the newer form when it changes.
func TestFileFromBeforeCoinsOpens(t *testing.T) {
	id := newKey(t)
	path := filepath.Join(t.TempDir(), "old.card")
	for _, form := range []struct {
		magic string
		pages int
		want  error
	}{
		{"JZCARD1\n", card.PursePages, nil}, {"JZCARD2\n", card.ImagePages, nil},
		{"JZCARD1\n", card.ImagePages, ErrDamaged}, {"JZCARD2\n", card.PursePages, ErrDamaged}, {"JZCARD3\n", card.ImagePages, ErrDamaged},
	} {
		image := append([]byte(form.magic), bytes.Repeat([]byte{7}, form.pages*card.PageSize)...)
		if err := os.WriteFile(path, sealed(t, id, image), 0o600); err != nil {
			t.Fatal(err)
		}
		m, err := Read(path, id)
		if !errors.Is(err, form.want) {
			t.Errorf("%q of %d pages: %v", form.magic, form.pages, err)
		}
		if err == nil && (m[form.pages-1][255] != 7 || form.pages == card.PursePages && m[card.PursePages] != [card.PageSize]byte{}) {
			t.Errorf("%q of %d pages reads otherwise than it was written", form.magic, form.pages)
		}
	}
	if err := os.WriteFile(path, sealed(t, id, append([]byte("JZCARD1\n"), make([]byte, card.PursePages*card.PageSize)...)), 0o600); err != nil {
		t.Fatal(err)
	}
	f, err := Open(path, id)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if err := errors.Join(fill(9)(f), f.Sync()); err != nil {
		t.Fatal(err)
	}
	if m, err := Read(path, id); err != nil || page3(t, m) != 9 {
		t.Errorf("written anew: %v", err)
	}
}

func sealed(t *testing.T, id *age.X25519Identity, plain []byte) []byte {
	t.Helper()
	var out bytes.Buffer
	w, err := age.Encrypt(&out, id.Recipient())
	if err != nil {
		t.Fatal(err)
	}
	if _, err := w.Write(plain); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

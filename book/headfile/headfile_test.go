package headfile

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"testing"

	"jiaozi/book"
)

// TestHeadIsExactOrRefused: what was written last is read back; any flipped bit,
// cut, foreign chain or missing file is damage.
func TestHeadIsExactOrRefused(t *testing.T) {
	path := filepath.Join(t.TempDir(), "head")
	if _, err := Load(path, 3); !errors.Is(err, book.ErrDamaged) || !errors.Is(err, os.ErrNotExist) {
		t.Fatalf("a missing file: %v", err)
	}
	if err := os.WriteFile(path, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := Load(path, 3); !errors.Is(err, book.ErrDamaged) || !errors.Is(err, os.ErrNotExist) {
		t.Fatalf("a file that was made and never written: %v", err)
	}
	f, err := Open(path, 3, book.Head{Seq: 1})
	if err != nil {
		t.Fatal(err)
	}
	want := book.Head{Seq: 1 << 40, Hash: book.Hash{1, 2, 3}}
	if err := errors.Join(f.Write(want), f.Sync(), f.Close()); err != nil {
		t.Fatal(err)
	}
	if got, err := Load(path, 3); got != want || err != nil {
		t.Fatalf("%v %v", got, err)
	}
	if _, err := Load(path, 4); !errors.Is(err, book.ErrDamaged) {
		t.Errorf("another chain: %v", err)
	}
	good, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	for bit := range len(good) * 8 {
		bad := bytes.Clone(good)
		bad[bit/8] ^= 1 << (bit % 8)
		if _, err := decode(bad, 3); !errors.Is(err, book.ErrDamaged) {
			t.Errorf("bit %d: %v", bit, err)
		}
	}
}

// FuzzDecode: whatever is accepted is written again byte for byte.
func FuzzDecode(f *testing.F) {
	f.Add(encode(0, book.Head{}))
	f.Add(encode(65535, book.Head{Seq: 1<<64 - 1, Hash: book.Hash{255}}))
	f.Fuzz(func(t *testing.T, b []byte) {
		for _, chain := range []uint16{0, 65535} {
			if head, err := decode(b, chain); err == nil && !bytes.Equal(encode(chain, head), b) {
				t.Errorf("%x", b)
			}
		}
	})
}

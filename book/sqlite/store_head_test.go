package sqlite

import (
	"errors"
	"os"
	"path/filepath"
	"testing"

	"jiaozi/book"
)

// A crash while a store is made may leave an empty head file. An empty journal
// may have one; a journal with batches has lost its head.
func TestEmptyHeadFileIsNoHead(t *testing.T) {
	path := filepath.Join(t.TempDir(), "book.db")
	for _, seq := range []uint64{0, 1} {
		engine, err := Open(path)
		if err != nil {
			t.Fatal(err)
		}
		if seq == 1 {
			row := &book.Row{Seq: 1, Body: []byte("body")}
			row.Hash = book.Link(row.Part, row.Seq, row.Prev, row.Body)
			if err := engine.Append(t.Context(), row); err != nil {
				t.Fatal(err)
			}
		}
		if err := engine.Close(); err != nil {
			t.Fatal(err)
		}
		if err := os.Truncate(headPath(path), 0); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := Open(path); !errors.Is(err, book.ErrDamaged) {
		t.Fatalf("a journal of one batch without its head: %v", err)
	}
}

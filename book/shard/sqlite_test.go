package shard

import (
	"context"
	"path/filepath"
	"testing"

	"jiaozi/book"
	"jiaozi/book/sqlite"
)

// A shard may be an embedded store: value goes between it and the others, and
// what it cannot do, which is to send parts, it says.
func TestEmbeddedShardTakesPart(t *testing.T) {
	w := newTown(t)
	w.Close()
	path := filepath.Join(t.TempDir(), "a.db")
	w.opener = func(ctx context.Context, s Shard) (book.Engine, error) {
		if s.Name == "a" {
			return sqlite.Open(path)
		}
		return w.engine(ctx, s)
	}
	w.open()
	w.people()
	w.transfer(book.OK, pay("there", alice, bob, 30))
	w.reopen()
	w.transfer(book.OK, pay("back", alice, account(1600, "nobody"), 40))
	w.pump(3)
	w.transfer(book.OK, pay("home", bob, dave, 10))
	w.pump(1)
	w.reopen()
	w.has(alice, 70)
	w.has(bob, 20)
	w.has(dave, 10)
	w.sound()
	if err := w.tryMove(4, "a", "b", w.lane(4, "a", "b")); err == nil || !mustBook(w, "a").Keeps(4) {
		t.Errorf("%v", err)
	}
}

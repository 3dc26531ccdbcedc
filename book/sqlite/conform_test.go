package sqlite

import (
	"path/filepath"
	"testing"

	"jiaozi/book"
	"jiaozi/book/booktest"
)

// The SQLite engine passes the suite of all engines.
func TestConforms(t *testing.T) {
	booktest.Run(t, func(t *testing.T) booktest.Store {
		path := filepath.Join(t.TempDir(), "book.db")
		return func() (book.Engine, error) { return Open(path) }
	})
}

package sqlite

import (
	"path/filepath"
	"testing"

	"jiaozi/book"
	"jiaozi/book/booktest"
)

func fresh(t *testing.T) booktest.Store {
	path := filepath.Join(t.TempDir(), "book.db")
	return func() (book.Engine, error) { return Open(path) }
}

// The SQLite engine passes the suite of all engines.
func TestConforms(t *testing.T) { booktest.Run(t, fresh) }

// Failures around it lose nothing and book nothing twice.
func TestBearsFaults(t *testing.T) { booktest.RunFaults(t, fresh) }

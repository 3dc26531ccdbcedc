package postgres

import (
	"context"
	"testing"

	"jiaozi/book"
	"jiaozi/book/booktest"
	"jiaozi/internal/pgtest"
)

func fresh(t *testing.T) booktest.Store {
	dsn := pgtest.Schema(t)
	return func() (book.Engine, error) { return Open(context.Background(), dsn, Options{}) }
}

// The PostgreSQL engine passes the suite of all engines.
func TestConforms(t *testing.T) { booktest.Run(t, fresh) }

// Failures around it lose nothing and book nothing twice.
func TestBearsFaults(t *testing.T) { booktest.RunFaults(t, fresh) }

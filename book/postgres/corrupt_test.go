package postgres

import (
	"context"
	"os"
	"testing"

	"jiaozi/book"
	"jiaozi/book/booktest"
	"jiaozi/internal/pgtest"

	"github.com/jackc/pgx/v5"
)

// Verify names every kind of damage to the tables, and with JIAOZI_SOAK=1 all the
// others, which are the same on every engine.
func TestNamesCorruptions(t *testing.T) {
	if testing.Short() {
		t.Skip("opens a hundred stores; left out of -short")
	}
	prefixes := []string{"tables:", "nothing"}
	if os.Getenv("JIAOZI_SOAK") != "" {
		prefixes = nil
	}
	booktest.RunCorruptions(t, func(t *testing.T) booktest.Corruptible {
		dsn, dir := pgtest.Schema(t), t.TempDir()
		return booktest.Corruptible{
			Store:  func() (book.Engine, error) { return Open(context.Background(), dsn, Options{IndexDir: dir}) },
			Rewind: func() error { return rewind(dsn) },
		}
	}, prefixes...)
}

// rewind takes the note of the last flush back by one batch. The flush that comes
// then says what it pleases.
func rewind(dsn string) error {
	ctx := context.Background()
	conn, err := pgx.Connect(ctx, dsn)
	if err != nil {
		return err
	}
	defer conn.Close(ctx)
	_, err = conn.Exec(ctx, "UPDATE progress SET applied = journal.seq, hash = journal.hash FROM journal"+
		" WHERE journal.seq = progress.applied - 1 AND journal.part = progress.chain")
	return err
}

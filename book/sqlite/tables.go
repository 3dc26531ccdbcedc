package sqlite

import (
	"context"
	"errors"
	"fmt"
	"os"

	"jiaozi/book"

	"zombiezen.com/go/sqlite"
)

func tablesPath(path string) string { return path + ".tables" }
func indexPath(path string) string  { return path + ".index" }

// tables is the keeper's connection to what is derived from the journal.
type tables struct {
	conn  *sqlite.Conn
	grown int64 // bytes of log since a checkpoint, at most
}

func openTables(path string) (*tables, error) {
	if err := createTables(path); err != nil {
		return nil, err
	}
	if finding, err := scanLog(path); err != nil {
		return nil, err
	} else if finding != nil {
		return nil, fmt.Errorf("%w (%s)", book.ErrDamaged, finding)
	}
	conn, err := openWriter(path, tablesSettings, tablesLayout)
	if err != nil {
		return nil, err
	}
	return &tables{conn: conn}, nil
}

// createTables begins anew if the database is missing: a log without it says
// nothing.
func createTables(path string) error {
	_, err := os.Stat(path)
	if !errors.Is(err, os.ErrNotExist) {
		return err
	}
	for _, suffix := range []string{"-wal", "-shm"} {
		if err := os.Remove(path + suffix); err != nil && !errors.Is(err, os.ErrNotExist) {
			return err
		}
	}
	return createFile(path)
}

// Flush brings the tables forward in one transaction; then, if it is time, it
// moves logs into databases.
func (e *Engine) Flush(_ context.Context, c *book.Change) error {
	if err := e.check(); err != nil {
		return err
	}
	err := e.note(derived(e.path, e.tables.flush(c)))
	if err == nil {
		err = e.note(e.tables.relieve(changes(c)))
	}
	return errors.Join(err, e.relieve())
}

func changes(c *book.Change) int64 {
	return int64(len(c.Opened) + len(c.Accounts) + len(c.Records) + len(c.Holds) + len(c.Outbox) + len(c.Done))
}

// relieve is given how many rows changed: each changes a page or two, and all of
// them together no more pages than there are.
func (t *tables) relieve(rows int64) error {
	const page = 4096
	pages, err := pragma(t.conn, "page_count")
	if err != nil {
		return err
	}
	if t.grown += min(2*rows+1, pages) * page; t.grown < checkpointBytes {
		return nil
	}
	t.grown = 0
	return move(t.conn, "PASSIVE")
}

func (t *tables) flush(c *book.Change) error {
	return transact(t.conn, func() error {
		applied, err := readApplied(t.conn)
		if err != nil {
			return err
		}
		if c.At.Seq < applied.Seq {
			return fmt.Errorf("flush batch %d: the tables are at batch %d already", c.At.Seq, applied.Seq)
		}
		for _, list := range []func(*sqlite.Conn, *book.Change) error{
			putOpened, putStates, putRecords, putHolds, putOutbox, dropDone, putApplied,
		} {
			if err := list(t.conn, c); err != nil {
				return err
			}
		}
		return nil
	})
}

// readApplied is the batch that the tables reflect; none if they are new.
func readApplied(conn *sqlite.Conn) (at book.Head, err error) {
	err = each(conn, "SELECT applied, hash FROM progress WHERE chain = ?",
		func(s *sqlite.Stmt) { s.BindInt64(1, Chain) },
		func(r *row) error {
			at = book.Head{Seq: r.uint64(0), Hash: r.hash(1)}
			return r.err
		})
	return at, err
}

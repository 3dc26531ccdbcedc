package sqlite

import (
	"context"
	"path/filepath"
	"testing"

	"jiaozi/book"
	"jiaozi/book/booktest"
	"jiaozi/book/headfile"

	"zombiezen.com/go/sqlite"
	"zombiezen.com/go/sqlite/sqlitex"
)

// raw changes the files of a closed store as any SQLite shell could.
type raw string

func (path raw) run(file, query string, args ...any) error {
	conn, err := sqlite.OpenConn(file, sqlite.OpenReadWrite)
	if err != nil {
		return err
	}
	defer conn.Close()
	return sqlitex.Execute(conn, query, &sqlitex.ExecOptions{Args: args})
}

func (path raw) DropAccount(id book.AccountID) error {
	return path.run(tablesPath(string(path)), "DELETE FROM accounts WHERE id = ?", id[:])
}

func (path raw) DropRecord(key book.Key) error {
	return path.run(tablesPath(string(path)), "DELETE FROM records WHERE space = ? AND key = ?", key.Space, []byte(key.Key))
}

func (path raw) DropRow(seq uint64) error {
	return path.run(string(path), "DELETE FROM journal WHERE seq = ?", int64(seq))
}

func (path raw) PutRow(r book.Row) error {
	return path.run(string(path), "INSERT OR REPLACE INTO journal (part, seq, prev, hash, body) VALUES (?, ?, ?, ?, ?)",
		int64(r.Part), int64(r.Seq), r.Prev[:], r.Hash[:], r.Body)
}

func (path raw) PutKept(head book.Head) error {
	f, err := headfile.Open(headPath(string(path)), Chain, head)
	if err != nil {
		return err
	}
	return f.Close()
}

// Verify names every kind of damage in the files.
func TestNamesCorruptions(t *testing.T) {
	booktest.RunCorruptions(t, func(t *testing.T) booktest.Corruptible {
		path := filepath.Join(t.TempDir(), "book.db")
		return booktest.Corruptible{
			Store:  func() (book.Engine, error) { return Open(path) },
			Verify: func(ctx context.Context) (book.Report, error) { return Verify(ctx, path) },
			Raw:    raw(path),
		}
	})
}

package sqlite

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"jiaozi/book"

	"zombiezen.com/go/sqlite"
)

// journal is the writer's connection to the truth.
type journal struct {
	conn   *sqlite.Conn
	insert *sqlite.Stmt
	last   book.Head
}

// createJournal makes an empty database that only its owner can read; SQLite
// gives the same mode to the files beside it. SQLite deletes the log of an empty
// database, so where there is evidence of a journal none is made.
func createJournal(path string) error {
	info, err := os.Stat(path)
	if err == nil && info.Size() > 0 {
		return nil
	}
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		return err
	}
	if log, err := os.Stat(walPath(path)); err == nil && log.Size() > 0 {
		return fmt.Errorf("%w (%s is missing or empty, and its log is there)", book.ErrDamaged, filepath.Base(path))
	}
	return createFile(path)
}

func createFile(path string) error {
	f, err := os.OpenFile(path, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
	if errors.Is(err, os.ErrExist) {
		return nil
	}
	if err != nil {
		return err
	}
	return errors.Join(f.Close(), syncDir(filepath.Dir(path)))
}

func syncDir(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}

func openJournal(path string) (*journal, error) {
	conn, err := openWriter(path, journalSettings, journalLayout)
	if err != nil {
		return nil, err
	}
	j := &journal{conn: conn}
	if j.last, err = readHead(conn); err == nil {
		j.insert, err = conn.Prepare("INSERT INTO journal (" + journalColumns + ") VALUES (?, ?, ?, ?, ?)")
		err = fault(err)
	}
	if err != nil {
		return nil, errors.Join(err, conn.Close())
	}
	return j, nil
}

// Append commits the row and then writes the head outside.
func (e *Engine) Append(_ context.Context, row *book.Row) error {
	if err := e.check(); err != nil {
		return err
	}
	e.turn.Lock()
	defer e.turn.Unlock()
	if err := e.journal.append(row); err != nil {
		return e.note(err)
	}
	e.grown.Add(int64(len(row.Body)) + pageBytes)
	if err := e.head.Write(e.journal.last); err != nil {
		return e.note(fmt.Errorf("%w: the batch is booked, but not its head: %w", book.ErrNotDurable, err))
	}
	return nil
}

// append refuses a row that does not follow the last one: somebody else is
// writing, and nothing of ours may follow.
func (j *journal) append(row *book.Row) error {
	if row.Part != Chain || row.Seq != j.last.Seq+1 {
		head, err := readHead(j.conn)
		if err != nil {
			return err
		}
		if j.last = head; row.Part != Chain || row.Seq != head.Seq+1 {
			return fmt.Errorf("%w: batch %d of chain %d does not follow batch %d of chain %d", book.ErrFenced, row.Seq, row.Part, head.Seq, Chain)
		}
	}
	write := j.writeSmall
	if len(row.Body) > smallBody {
		write = j.writeLarge
	}
	err := write(row)
	if sqlite.ErrCode(err).ToPrimary() == sqlite.ResultConstraint {
		return fmt.Errorf("%w: batch %d is taken: %w", book.ErrFenced, row.Seq, err)
	}
	if err != nil {
		return err
	}
	j.last = book.Head{Seq: row.Seq, Hash: row.Hash}
	return nil
}

// smallBody is the size up to which a body is bound to the statement. The binding
// copies byte by byte and the statement copies again; above this size it takes
// less time to insert zeros and write the body over them, in the same commit and
// the same pages.
const smallBody = 16 << 10

// writeSmall is one statement that commits itself: it is whole or not there.
func (j *journal) writeSmall(row *book.Row) error {
	j.bind(row)
	j.insert.BindBytes(5, row.Body)
	return step(j.insert)
}

func (j *journal) writeLarge(row *book.Row) error {
	return transact(j.conn, func() error {
		j.bind(row)
		j.insert.BindZeroBlob(5, int64(len(row.Body)))
		if err := step(j.insert); err != nil {
			return err
		}
		body, err := j.conn.OpenBlob("main", "journal", "body", int64(row.Seq), true)
		if err != nil {
			return fault(err)
		}
		_, err = body.Write(row.Body)
		return errors.Join(fault(err), fault(body.Close()))
	})
}

func (j *journal) bind(row *book.Row) {
	j.insert.BindInt64(1, int64(row.Part))
	j.insert.BindInt64(2, int64(row.Seq))
	j.insert.BindBytes(3, row.Prev[:])
	j.insert.BindBytes(4, row.Hash[:])
}

// step runs a statement that returns no row, and readies it for the next time.
func step(s *sqlite.Stmt) error {
	if _, err := s.Step(); err != nil {
		return fault(err)
	}
	return fault(s.Reset())
}

// transact runs fn in a transaction of its own.
func transact(conn *sqlite.Conn, fn func() error) error {
	if err := run(conn, "BEGIN IMMEDIATE", nil); err != nil {
		return err
	}
	err := fn()
	if err == nil {
		err = run(conn, "COMMIT", nil)
	}
	if err != nil && !conn.AutocommitEnabled() { // SQLite ends some by itself
		err = errors.Join(err, run(conn, "ROLLBACK", nil))
	}
	return err
}

package sqlite

import (
	"context"
	"errors"
	"fmt"
	"os"

	"jiaozi/book"

	"zombiezen.com/go/sqlite"
)

// Commit writes the change in one transaction and then the head outside.
func (e *Engine) Commit(_ context.Context, c *book.Change) error {
	if e.sick != nil {
		return e.sick
	}
	if err := e.transact(c); err != nil {
		return err
	}
	if err := e.head.write(book.Head{Seq: c.Row.Seq, Hash: c.Row.Hash}); err != nil {
		return fmt.Errorf("%w: the batch is booked, but not its head: %w", book.ErrNotDurable, err)
	}
	if info, err := os.Stat(walPath(e.path)); err == nil && info.Size() >= e.checkpointAt {
		e.checkpoint()
		e.checkpointAt = checkpointBytes
		if info, err := os.Stat(walPath(e.path)); err == nil {
			e.checkpointAt += info.Size()
		}
	}
	return nil
}

func (e *Engine) transact(c *book.Change) error {
	if err := run(e.conn, "BEGIN IMMEDIATE", nil); err != nil {
		return err
	}
	err := e.write(c)
	if err == nil {
		err = run(e.conn, "COMMIT", nil)
	}
	if err != nil && !e.conn.AutocommitEnabled() { // SQLite ends some by itself
		err = errors.Join(err, run(e.conn, "ROLLBACK", nil))
	}
	return err
}

// write puts the journal row first: if its number is taken, somebody else is
// writing, and nothing of ours may follow.
func (e *Engine) write(c *book.Change) error {
	err := insertJournal(e.conn, &c.Row)
	if sqlite.ErrCode(err).ToPrimary() == sqlite.ResultConstraint {
		return fmt.Errorf("%w: batch %d is taken: %w", book.ErrFenced, c.Row.Seq, err)
	}
	if err != nil {
		return err
	}
	return errors.Join(
		forEach(e.conn, c.Commands, insertCommand),
		forEach(e.conn, c.Accounts, putAccount),
		forEach(e.conn, c.Onces, insertOnce),
		forEach(e.conn, c.Records, putRecord),
		forEach(e.conn, c.Holds, putHold),
		forEach(e.conn, c.Outbox, insertPending),
		forEach(e.conn, c.Done, func(conn *sqlite.Conn, number *uint64) error {
			return run(conn, "DELETE FROM outbox WHERE part = ? AND number = ?", bindNumber(*number))
		}),
	)
}

func forEach[T any](conn *sqlite.Conn, list []T, do func(*sqlite.Conn, *T) error) error {
	for i := range list {
		if err := do(conn, &list[i]); err != nil {
			return err
		}
	}
	return nil
}

// run executes a statement that returns no rows of interest.
func run(conn *sqlite.Conn, query string, bind func(*sqlite.Stmt)) error {
	return each(conn, query, bind, func(*row) error { return nil })
}

func insertJournal(conn *sqlite.Conn, j *book.Row) error {
	return run(conn, "INSERT INTO journal ("+journalColumns+") VALUES (?1, ?2, ?3, ?4, ?5, ?2)", func(s *sqlite.Stmt) {
		s.BindInt64(1, int64(j.Part))
		s.BindInt64(2, int64(j.Seq))
		s.BindBytes(3, j.Prev[:])
		s.BindBytes(4, j.Hash[:])
		s.BindBytes(5, j.Body)
	})
}

func insertCommand(conn *sqlite.Conn, c *book.IDAt) error {
	return run(conn, "INSERT INTO commands ("+commandColumns+") VALUES (?, ?, ?, ?)", func(s *sqlite.Stmt) {
		s.BindInt64(1, part)
		s.BindBytes(2, c.ID[:])
		s.BindInt64(3, int64(c.At.Seq))
		s.BindInt64(4, int64(c.At.Index))
	})
}

func putAccount(conn *sqlite.Conn, a *book.AccountRow) error {
	return run(conn, "INSERT INTO accounts ("+accountColumns+") VALUES (?, ?, ?, ?, ?, ?, ?, ?)"+
		" ON CONFLICT DO UPDATE SET balance = excluded.balance, held = excluded.held", func(s *sqlite.Stmt) {
		s.BindInt64(1, part)
		s.BindBytes(2, a.ID[:])
		s.BindText(3, a.Name)
		s.BindInt64(4, int64(a.Normal))
		s.BindInt64(5, int64(a.Currency))
		s.BindBool(6, a.NeverNegative)
		s.BindInt64(7, int64(a.Balance))
		s.BindInt64(8, int64(a.Held))
	})
}

func insertOnce(conn *sqlite.Conn, o *book.OnceRow) error {
	return run(conn, "INSERT INTO onces ("+onceColumns+") VALUES (?, ?, ?, ?)", func(s *sqlite.Stmt) {
		bindKey(o.Key)(s)
		s.BindBytes(4, o.Value)
	})
}

func putRecord(conn *sqlite.Conn, p *book.RecordRow) error {
	return run(conn, "INSERT INTO records ("+recordColumns+") VALUES (?, ?, ?, ?, ?)"+
		" ON CONFLICT DO UPDATE SET version = excluded.version, value = excluded.value", func(s *sqlite.Stmt) {
		bindKey(p.Key)(s)
		s.BindInt64(4, int64(p.Record.Version))
		if p.Record.Value == nil {
			s.BindNull(5)
		} else {
			s.BindBytes(5, p.Record.Value)
		}
	})
}

func putHold(conn *sqlite.Conn, h *book.HoldChange) error {
	if h.Gone {
		return run(conn, "DELETE FROM holds WHERE part = ? AND id = ?", bindBytes(h.ID[:]))
	}
	leg := &h.Row.Leg
	return run(conn, "INSERT INTO holds ("+holdColumns+") VALUES (?, ?, ?, ?, ?, ?, ?)"+
		" ON CONFLICT DO UPDATE SET left = excluded.left", func(s *sqlite.Stmt) {
		bindBytes(h.ID[:])(s)
		s.BindBytes(3, leg.Account[:])
		s.BindInt64(4, int64(leg.Side))
		s.BindInt64(5, int64(leg.Amount.Currency()))
		s.BindInt64(6, int64(leg.Amount.Minor()))
		s.BindInt64(7, h.Row.Expires)
	})
}

func insertPending(conn *sqlite.Conn, p *book.Pending) error {
	return run(conn, "INSERT INTO outbox ("+outboxColumns+") VALUES (?, ?, ?, ?, ?)", func(s *sqlite.Stmt) {
		s.BindInt64(1, part)
		s.BindInt64(2, int64(p.Number))
		s.BindText(3, p.Topic)
		s.BindBytes(4, p.Key)
		s.BindBytes(5, p.Body)
	})
}

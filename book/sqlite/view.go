package sqlite

import (
	"context"
	"errors"

	"jiaozi/book"

	"zombiezen.com/go/sqlite"
	"zombiezen.com/go/sqlite/sqlitex"
)

// View begins a snapshot of the tables and then one of the journal, which may be
// later and is never earlier.
func (s *store) View(ctx context.Context) (book.View, error) {
	tables, err := begin(ctx, s.tables)
	if err != nil {
		return nil, derived(s.path, err)
	}
	journal, err := begin(ctx, s.journal)
	if err != nil {
		return nil, errors.Join(err, tables.end())
	}
	return &view{tables: tables, journal: journal}, nil
}

// snapshot is one read transaction on a connection of a pool.
type snapshot struct {
	*sqlite.Conn
	pool *sqlitex.Pool
}

// begin reads something, because the snapshot begins with the first read.
func begin(ctx context.Context, pool *sqlitex.Pool) (snapshot, error) {
	conn, err := pool.Take(ctx)
	if err != nil {
		return snapshot{}, err // the context's, or of preparing the connection
	}
	s := snapshot{conn, pool}
	if err = run(conn, "BEGIN", nil); err == nil {
		err = run(conn, "SELECT 1 FROM sqlite_schema LIMIT 1", nil)
	}
	if err != nil {
		return snapshot{}, errors.Join(err, s.end())
	}
	return s, nil
}

func (s snapshot) end() (err error) {
	s.SetInterrupt(nil) // ending must work after the context has ended
	if !s.AutocommitEnabled() {
		err = run(s.Conn, "ROLLBACK", nil)
	}
	s.pool.Put(s.Conn)
	return err
}

// view is a snapshot of either database. Its methods take the context that
// interrupts the connections from View.
type view struct{ tables, journal snapshot }

func (v *view) Close() error { return errors.Join(v.tables.end(), v.journal.end()) }

func (v *view) Head(context.Context) (book.Head, error) { return readHead(v.journal.Conn) }

func (v *view) Applied(context.Context) (book.Head, error) { return readApplied(v.tables.Conn) }

func readHead(conn *sqlite.Conn) (head book.Head, err error) {
	err = each(conn, "SELECT seq, hash FROM journal ORDER BY seq DESC LIMIT 1", nil, func(r *row) error {
		head = book.Head{Seq: r.uint64(0), Hash: r.hash(1)}
		return r.err
	})
	return head, err
}

// hashAt reads the hash of one row; zero if there is no such row, which is also
// the hash before the first.
func hashAt(conn *sqlite.Conn, seq uint64) (hash book.Hash, err error) {
	err = each(conn, "SELECT hash FROM journal WHERE seq = ?",
		func(s *sqlite.Stmt) { s.BindInt64(1, int64(seq)) },
		func(r *row) error { hash = r.hash(0); return r.err })
	return hash, err
}

// Journal from the first row selects without any condition: a row below the
// first has no business here, and the auditor must see it.
func (v *view) Journal(_ context.Context, from uint64, fn func(book.Row) error) error {
	query, bind := "SELECT "+journalColumns+" FROM journal ORDER BY seq", (func(*sqlite.Stmt))(nil)
	if from > 1 {
		query = "SELECT " + journalColumns + " FROM journal WHERE seq >= ? ORDER BY seq"
		bind = func(s *sqlite.Stmt) { s.BindInt64(1, int64(from)) }
	}
	return visit(v.journal.Conn, query, bind, (*row).journal, fn)
}

func (v *view) Row(_ context.Context, seq uint64) (book.Row, bool, error) {
	return one(v.journal.Conn, "SELECT "+journalColumns+" FROM journal WHERE seq = ?",
		func(s *sqlite.Stmt) { s.BindInt64(1, int64(seq)) }, (*row).journal)
}

func (v *view) Account(_ context.Context, id book.AccountID) (book.AccountRow, bool, error) {
	return accountAt(v.tables.Conn, id)
}

// Accounts from the first one selects without any condition, as Journal does.
func (v *view) Accounts(_ context.Context, after book.AccountID, fn func(book.AccountRow) error) error {
	query, bind := "SELECT "+accountColumns+" FROM accounts ORDER BY part, id", (func(*sqlite.Stmt))(nil)
	if after != (book.AccountID{}) {
		query = "SELECT " + accountColumns + " FROM accounts WHERE (part, id) > (?, ?) ORDER BY part, id"
		bind = func(s *sqlite.Stmt) {
			s.BindInt64(1, int64(after.Part()))
			s.BindBytes(2, after[:])
		}
	}
	return visit(v.tables.Conn, query, bind, (*row).account, fn)
}

func (v *view) Record(_ context.Context, key book.Key) (book.Record, bool, error) {
	return recordAt(v.tables.Conn, key)
}

// Records visits the parts that there are and that the prefix leaves: their
// order is that of the keys.
func (v *view) Records(_ context.Context, space string, prefix []byte, fn func([]byte, book.Record) error) error {
	last := book.Key{Key: string(append(prefix[:len(prefix):len(prefix)], 0xFF, 0xFF))}.Part()
	for next := int64(book.Key{Key: string(prefix)}.Part()); next <= int64(last); next++ {
		part, ok, err := one(v.tables.Conn, "SELECT part FROM records WHERE part >= ? ORDER BY part LIMIT 1",
			func(s *sqlite.Stmt) { s.BindInt64(1, next) },
			func(r *row) (uint16, error) { return r.part(0), r.err })
		if err != nil || !ok || part > last {
			return err
		}
		if err := v.recordsOf(part, space, prefix, fn); err != nil {
			return err
		}
		next = int64(part)
	}
	return nil
}

func (v *view) recordsOf(part uint16, space string, prefix []byte, fn func([]byte, book.Record) error) error {
	query := "SELECT " + recordColumns + " FROM records WHERE part = ? AND space = ? AND key >= ? AND key < ? ORDER BY key"
	end := after(prefix)
	if end == nil { // no key is above: the prefix is empty or all FF
		query = "SELECT " + recordColumns + " FROM records WHERE part = ? AND space = ? AND key >= ? ORDER BY key"
	}
	return visit(v.tables.Conn, query, func(s *sqlite.Stmt) {
		s.BindInt64(1, int64(part))
		s.BindText(2, space)
		s.BindBytes(3, prefix)
		if end != nil {
			s.BindBytes(4, end)
		}
	}, (*row).record, func(r book.RecordRow) error { return fn([]byte(r.Key.Key), r.Record) })
}

// after is the first key above all that begin with prefix, or nil.
func after(prefix []byte) []byte {
	for n := len(prefix); n > 0; n-- {
		if prefix[n-1] != 0xFF {
			end := append([]byte(nil), prefix[:n]...)
			end[n-1]++
			return end
		}
	}
	return nil
}

func (v *view) AllRecords(_ context.Context, fn func(book.Key, book.Record) error) error {
	return visit(v.tables.Conn, "SELECT "+recordColumns+" FROM records ORDER BY part, space, key", nil, (*row).record,
		func(r book.RecordRow) error { return fn(r.Key, r.Record) })
}

func (v *view) Holds(_ context.Context, fn func(book.ID, book.HoldRow) error) error {
	return visit(v.tables.Conn, "SELECT "+holdColumns+" FROM holds ORDER BY part, id", nil, (*row).hold,
		func(h book.HoldChange) error { return fn(h.ID, h.Row) })
}

func (v *view) Outbox(_ context.Context, topic string, after uint64, max int) (list []book.Pending, err error) {
	err = visit(v.tables.Conn, "SELECT "+outboxColumns+" FROM outbox WHERE topic = ? AND number > ? ORDER BY number LIMIT ?",
		func(s *sqlite.Stmt) {
			s.BindText(1, topic)
			s.BindInt64(2, int64(after))
			s.BindInt64(3, int64(max))
		}, (*row).pending, func(p book.Pending) error {
			list = append(list, p)
			return nil
		})
	return list, err
}

func (v *view) AllOutbox(_ context.Context, fn func(book.Pending) error) error {
	return visit(v.tables.Conn, "SELECT "+outboxColumns+" FROM outbox ORDER BY number", nil, (*row).pending, fn)
}

// visit hands the rows of a query to fn, read and checked.
func visit[V any](conn *sqlite.Conn, query string, bind func(*sqlite.Stmt), read func(*row) (V, error), fn func(V) error) error {
	return each(conn, query, bind, func(r *row) error {
		v, err := read(r)
		if err != nil {
			return err
		}
		return fn(v)
	})
}

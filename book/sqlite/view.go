package sqlite

import (
	"context"
	"errors"
	"net/url"

	"jiaozi/book"

	"zombiezen.com/go/sqlite"
	"zombiezen.com/go/sqlite/sqlitex"
)

// store is the readers' side: what Engine and Reader have in common.
type store struct {
	path string
	pool *sqlitex.Pool
}

// The views that may be open at one time: beside a writer, and for an audit.
const (
	writerViews = 8
	auditViews  = 2
)

func newStore(path, uri string, views int) (*store, error) {
	pool, err := sqlitex.NewPool(uri, sqlitex.PoolOptions{
		Flags:       sqlite.OpenReadOnly | sqlite.OpenURI,
		PoolSize:    views,
		PrepareConn: prepareReader,
	})
	if err != nil {
		return nil, fault(err)
	}
	return &store{path: path, pool: pool}, nil
}

// uri names the database so that no character of the path has a meaning.
func uri(path, query string) string {
	u := url.URL{Scheme: "file", OmitHost: true, Path: path, RawQuery: query}
	return u.String()
}

func (s *store) Close() error { return s.pool.Close() }

// View begins a snapshot.
func (s *store) View(ctx context.Context) (book.View, error) {
	conn, err := s.pool.Take(ctx)
	if err != nil {
		return nil, err // the context's, or of preparing the connection
	}
	v := &view{conn: conn, pool: s.pool}
	if err := v.begin(); err != nil {
		return nil, errors.Join(err, v.Close())
	}
	return v, nil
}

// view is one read transaction on a connection of the pool. Its methods take
// the context that interrupts the connection from View.
type view struct {
	conn *sqlite.Conn
	pool *sqlitex.Pool
}

// begin reads something, because the snapshot begins with the first read.
func (v *view) begin() error {
	if err := run(v.conn, "BEGIN", nil); err != nil {
		return err
	}
	return run(v.conn, "SELECT 1 FROM sqlite_schema LIMIT 1", nil)
}

func (v *view) Close() error {
	v.conn.SetInterrupt(nil) // ending must work after the context has ended
	var err error
	if !v.conn.AutocommitEnabled() {
		err = run(v.conn, "ROLLBACK", nil)
	}
	v.pool.Put(v.conn)
	return err
}

func (v *view) Head(context.Context) (book.Head, error) { return readHead(v.conn) }

func readHead(conn *sqlite.Conn) (head book.Head, err error) {
	err = each(conn, "SELECT seq, hash FROM journal WHERE part = ? ORDER BY seq DESC LIMIT 1",
		func(s *sqlite.Stmt) { s.BindInt64(1, part) },
		func(r *row) error {
			head = book.Head{Seq: r.uint64(0), Hash: r.hash(1)}
			return r.err
		})
	return head, err
}

// hashAt reads the hash of one row; zero if there is no such row, which is also
// the hash before the first.
func hashAt(conn *sqlite.Conn, seq uint64) (hash book.Hash, err error) {
	err = each(conn, "SELECT hash FROM journal WHERE part = ? AND seq = ?",
		func(s *sqlite.Stmt) { s.BindInt64(1, part); s.BindInt64(2, int64(seq)) },
		func(r *row) error { hash = r.hash(0); return r.err })
	return hash, err
}

// Journal from the first row selects without any condition: a row of another
// part or below the first has no business here, and the auditor must see it.
func (v *view) Journal(_ context.Context, from uint64, fn func(book.Row) error) error {
	query, bind := "SELECT "+journalColumns+" FROM journal ORDER BY part, seq", (func(*sqlite.Stmt))(nil)
	if from > 1 {
		query = "SELECT " + journalColumns + " FROM journal WHERE part = ? AND seq >= ? ORDER BY seq"
		bind = bindNumber(from)
	}
	return each(v.conn, query, bind, func(r *row) error {
		j, err := r.journal()
		if err != nil {
			return err
		}
		return fn(j)
	})
}

func (v *view) Account(_ context.Context, id book.AccountID) (book.AccountRow, bool, error) {
	return accountAt(v.conn, id)
}

func (v *view) Accounts(_ context.Context, fn func(book.AccountRow) error) error {
	return each(v.conn, "SELECT "+accountColumns+" FROM accounts ORDER BY part, id", nil, func(r *row) error {
		a, err := r.account()
		if err != nil {
			return err
		}
		return fn(a)
	})
}

func (v *view) Once(_ context.Context, key book.Key) ([]byte, bool, error) {
	return onceAt(v.conn, key)
}

func (v *view) Onces(_ context.Context, fn func(book.Key, []byte) error) error {
	return each(v.conn, "SELECT "+onceColumns+" FROM onces ORDER BY part, space, key", nil, func(r *row) error {
		key, value, err := r.once()
		if err != nil {
			return err
		}
		return fn(key, value)
	})
}

func (v *view) Record(_ context.Context, key book.Key) (book.Record, bool, error) {
	return recordAt(v.conn, key)
}

func (v *view) Records(_ context.Context, space string, prefix []byte, fn func([]byte, book.Record) error) error {
	query := "SELECT " + recordColumns + " FROM records WHERE part = ? AND space = ? AND key >= ? AND key < ? ORDER BY key"
	end := after(prefix)
	if end == nil { // no key is above: the prefix is empty or all FF
		query = "SELECT " + recordColumns + " FROM records WHERE part = ? AND space = ? AND key >= ? ORDER BY key"
	}
	return each(v.conn, query,
		func(s *sqlite.Stmt) {
			s.BindInt64(1, part)
			s.BindText(2, space)
			s.BindBytes(3, prefix)
			if end != nil {
				s.BindBytes(4, end)
			}
		},
		func(r *row) error {
			key, record, err := r.record()
			if err != nil {
				return err
			}
			return fn([]byte(key.Key), record)
		})
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
	return each(v.conn, "SELECT "+recordColumns+" FROM records ORDER BY part, space, key", nil, func(r *row) error {
		key, record, err := r.record()
		if err != nil {
			return err
		}
		return fn(key, record)
	})
}

func (v *view) Holds(_ context.Context, fn func(book.ID, book.HoldRow) error) error {
	return each(v.conn, "SELECT "+holdColumns+" FROM holds ORDER BY part, id", nil, func(r *row) error {
		id, hold, err := r.hold()
		if err != nil {
			return err
		}
		return fn(id, hold)
	})
}

func (v *view) Outbox(_ context.Context, topic string, after uint64, max int) (list []book.Pending, err error) {
	err = each(v.conn, "SELECT "+outboxColumns+" FROM outbox WHERE part = ? AND topic = ? AND number > ? ORDER BY number LIMIT ?",
		func(s *sqlite.Stmt) {
			s.BindInt64(1, part)
			s.BindText(2, topic)
			s.BindInt64(3, int64(after))
			s.BindInt64(4, int64(max))
		},
		func(r *row) error {
			p, err := r.pending()
			list = append(list, p)
			return err
		})
	return list, err
}

func (v *view) AllOutbox(_ context.Context, fn func(book.Pending) error) error {
	return each(v.conn, "SELECT "+outboxColumns+" FROM outbox ORDER BY part, number", nil, func(r *row) error {
		p, err := r.pending()
		if err != nil {
			return err
		}
		return fn(p)
	})
}

func (v *view) Commands(_ context.Context, fn func(book.ID, book.Position) error) error {
	return each(v.conn, "SELECT "+commandColumns+" FROM commands ORDER BY part, id", nil, func(r *row) error {
		id, at, err := r.command()
		if err != nil {
			return err
		}
		return fn(id, at)
	})
}

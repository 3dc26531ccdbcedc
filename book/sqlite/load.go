package sqlite

import (
	"context"
	"errors"

	"jiaozi/book"

	"zombiezen.com/go/sqlite"
)

// Load reads what a batch touches, in one read transaction of a connection that
// only the writer has.
func (e *Engine) Load(_ context.Context, t book.Touch) (l book.Loaded, err error) {
	if err := e.check(); err != nil {
		return l, err
	}
	if err := run(e.loads, "BEGIN", nil); err != nil {
		return l, err
	}
	defer func() { err = derived(e.path, errors.Join(err, run(e.loads, "COMMIT", nil))) }()
	if l.Accounts, err = collect(e.loads, t.Accounts, accountAt, func(_ book.AccountID, a book.AccountRow) book.AccountRow {
		return a
	}); err != nil {
		return l, err
	}
	if l.Records, err = collect(e.loads, t.Records, recordAt, func(key book.Key, r book.Record) book.RecordRow {
		return book.RecordRow{Key: key, Record: r}
	}); err != nil {
		return l, err
	}
	l.Holds, err = collect(e.loads, t.Holds, holdAt, func(id book.ID, h book.HoldRow) book.HoldChange {
		return book.HoldChange{ID: id, Row: h}
	})
	return l, err
}

// collect looks keys up one by one. Statements are prepared once; a lookup is a
// descent of the tree in cached pages.
func collect[K, V, R any](conn *sqlite.Conn, keys []K, at func(*sqlite.Conn, K) (V, bool, error), as func(K, V) R) (list []R, err error) {
	for _, key := range keys {
		v, ok, err := at(conn, key)
		if err != nil {
			return nil, err
		}
		if ok {
			list = append(list, as(key, v))
		}
	}
	return list, nil
}

func accountAt(conn *sqlite.Conn, id book.AccountID) (book.AccountRow, bool, error) {
	return one(conn, "SELECT "+accountColumns+" FROM accounts WHERE part = ? AND id = ?", func(s *sqlite.Stmt) {
		s.BindInt64(1, int64(id.Part()))
		s.BindBytes(2, id[:])
	}, (*row).account)
}

func recordAt(conn *sqlite.Conn, key book.Key) (book.Record, bool, error) {
	found, ok, err := one(conn, "SELECT "+recordColumns+" FROM records WHERE part = ? AND space = ? AND key = ?", func(s *sqlite.Stmt) {
		s.BindInt64(1, int64(key.Part()))
		s.BindText(2, key.Space)
		s.BindBytes(3, []byte(key.Key))
	}, (*row).record)
	return found.Record, ok, err
}

func holdAt(conn *sqlite.Conn, id book.ID) (book.HoldRow, bool, error) {
	found, ok, err := one(conn, "SELECT "+holdColumns+" FROM holds WHERE part = ? AND id = ?", func(s *sqlite.Stmt) {
		s.BindInt64(1, int64(id.Part()))
		s.BindBytes(2, id[:])
	}, (*row).hold)
	return found.Row, ok, err
}

// one reads the row of a key, if there is one.
func one[V any](conn *sqlite.Conn, query string, bind func(*sqlite.Stmt), read func(*row) (V, error)) (v V, ok bool, err error) {
	err = each(conn, query, bind, func(r *row) error {
		ok = true
		v, err = read(r)
		return err
	})
	return v, ok, err
}

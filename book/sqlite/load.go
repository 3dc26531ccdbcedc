package sqlite

import (
	"context"
	"errors"

	"jiaozi/book"

	"zombiezen.com/go/sqlite"
)

// Load reads what a batch touches in one read transaction.
func (e *Engine) Load(_ context.Context, t book.Touch) (l book.Loaded, err error) {
	if e.sick != nil {
		return l, e.sick
	}
	if err := run(e.conn, "BEGIN", nil); err != nil {
		return l, err
	}
	defer func() { err = errors.Join(err, run(e.conn, "COMMIT", nil)) }()
	l = book.Loaded{
		Commands: map[book.ID]book.Position{}, Bodies: map[uint64][]byte{},
		Accounts: map[book.AccountID]book.AccountRow{}, Onces: map[book.Key][]byte{},
		Records: map[book.Key]book.Record{}, Holds: map[book.ID]book.HoldRow{},
	}
	return l, errors.Join(
		e.loadCommands(t.Commands, &l),
		collect(e.conn, t.Onces, l.Onces, onceAt),
		collect(e.conn, t.Records, l.Records, recordAt),
		collect(e.conn, t.Holds, l.Holds, holdAt),
		collect(e.conn, t.Accounts, l.Accounts, accountAt),
		collect(e.conn, heldAccounts(&l), l.Accounts, accountAt),
	)
}

// collect looks keys up one by one. Statements are prepared once; a lookup is a
// descent of the tree in cached pages.
func collect[K comparable, V any](conn *sqlite.Conn, keys []K, into map[K]V, at func(*sqlite.Conn, K) (V, bool, error)) error {
	for _, key := range keys {
		v, ok, err := at(conn, key)
		if err != nil {
			return err
		}
		if ok {
			into[key] = v
		}
	}
	return nil
}

func (e *Engine) loadCommands(ids []book.ID, l *book.Loaded) error {
	if err := collect(e.conn, ids, l.Commands, commandAt); err != nil {
		return err
	}
	for _, at := range l.Commands {
		if _, ok := l.Bodies[at.Seq]; ok {
			continue
		}
		body, _, err := bodyAt(e.conn, at.Seq)
		if err != nil {
			return err
		}
		l.Bodies[at.Seq] = body
	}
	return nil
}

func heldAccounts(l *book.Loaded) (ids []book.AccountID) {
	for _, h := range l.Holds {
		if _, ok := l.Accounts[h.Leg.Account]; !ok {
			ids = append(ids, h.Leg.Account)
		}
	}
	return ids
}

func commandAt(conn *sqlite.Conn, id book.ID) (at book.Position, ok bool, err error) {
	err = each(conn, "SELECT "+commandColumns+" FROM commands WHERE part = ? AND id = ?", bindBytes(id[:]), func(r *row) error {
		ok = true
		_, at, err = r.command()
		return err
	})
	return at, ok, err
}

func bodyAt(conn *sqlite.Conn, seq uint64) (body []byte, ok bool, err error) {
	err = each(conn, "SELECT body FROM journal WHERE part = ? AND seq = ?", bindNumber(seq), func(r *row) error {
		ok = true
		body = r.blob(0)
		return r.err
	})
	return body, ok, err
}

func accountAt(conn *sqlite.Conn, id book.AccountID) (a book.AccountRow, ok bool, err error) {
	err = each(conn, "SELECT "+accountColumns+" FROM accounts WHERE part = ? AND id = ?", bindBytes(id[:]), func(r *row) error {
		ok = true
		a, err = r.account()
		return err
	})
	return a, ok, err
}

func holdAt(conn *sqlite.Conn, id book.ID) (h book.HoldRow, ok bool, err error) {
	err = each(conn, "SELECT "+holdColumns+" FROM holds WHERE part = ? AND id = ?", bindBytes(id[:]), func(r *row) error {
		ok = true
		_, h, err = r.hold()
		return err
	})
	return h, ok, err
}

func onceAt(conn *sqlite.Conn, key book.Key) (value []byte, ok bool, err error) {
	err = each(conn, "SELECT "+onceColumns+" FROM onces WHERE part = ? AND space = ? AND key = ?", bindKey(key), func(r *row) error {
		ok = true
		_, value, err = r.once()
		return err
	})
	return value, ok, err
}

func recordAt(conn *sqlite.Conn, key book.Key) (record book.Record, ok bool, err error) {
	err = each(conn, "SELECT "+recordColumns+" FROM records WHERE part = ? AND space = ? AND key = ?", bindKey(key), func(r *row) error {
		ok = true
		_, record, err = r.record()
		return err
	})
	return record, ok, err
}

func bindBytes(b []byte) func(*sqlite.Stmt) {
	return func(s *sqlite.Stmt) { s.BindInt64(1, part); s.BindBytes(2, b) }
}

func bindNumber(n uint64) func(*sqlite.Stmt) {
	return func(s *sqlite.Stmt) { s.BindInt64(1, part); s.BindInt64(2, int64(n)) }
}

func bindKey(key book.Key) func(*sqlite.Stmt) {
	return func(s *sqlite.Stmt) {
		s.BindInt64(1, part)
		s.BindText(2, key.Space)
		s.BindBytes(3, []byte(key.Key))
	}
}

package sqlite

import (
	"fmt"

	"jiaozi/book"

	"zombiezen.com/go/sqlite"
)

// put binds the columns of one row in their order. The statement is kept over
// all rows of a list: they come sorted, so each is near the one before.
type put struct {
	stmt *sqlite.Stmt
	at   int
}

func (p *put) int(v int64)    { p.at++; p.stmt.BindInt64(p.at, v) }
func (p *put) uint(v uint64)  { p.int(int64(v)) }
func (p *put) bytes(b []byte) { p.at++; p.stmt.BindBytes(p.at, b) }
func (p *put) text(s string)  { p.at++; p.stmt.BindText(p.at, s) }
func (p *put) bool(v bool)    { p.at++; p.stmt.BindBool(p.at, v) }

// nullable binds NULL for nil, which is another value than no bytes.
func (p *put) nullable(b []byte) {
	if b == nil {
		p.at++
		p.stmt.BindNull(p.at)
		return
	}
	p.bytes(b)
}

// forEach binds and runs a statement for every row of a list.
func forEach[T any](conn *sqlite.Conn, query string, list []T, bind func(*put, *T), after func(*T) error) error {
	if len(list) == 0 {
		return nil
	}
	stmt, err := conn.Prepare(query)
	if err != nil {
		return fault(err)
	}
	for i := range list {
		bind(&put{stmt: stmt}, &list[i])
		if err := step(stmt); err != nil {
			return err
		}
		if after == nil {
			continue
		}
		if err := after(&list[i]); err != nil {
			return err
		}
	}
	return nil
}

func putOpened(conn *sqlite.Conn, c *book.Change) error {
	const query = "INSERT INTO accounts (" + accountColumns + ") VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)" +
		" ON CONFLICT DO UPDATE SET name = excluded.name, normal = excluded.normal, currency = excluded.currency," +
		" never_negative = excluded.never_negative, opened_line = excluded.opened_line," +
		" balance = excluded.balance, held = excluded.held, line = excluded.line, closed = excluded.closed"
	return forEach(conn, query, c.Opened, func(p *put, a *book.AccountRow) {
		p.uint(uint64(a.ID.Part()))
		p.bytes(a.ID[:])
		p.text(a.Name)
		p.uint(uint64(a.Normal))
		p.uint(uint64(a.Currency))
		p.bool(a.NeverNegative)
		p.int(int64(a.Account.Line))
		p.state(&a.AccountState)
	}, nil)
}

func (p *put) state(s *book.AccountState) {
	p.int(int64(s.Balance))
	p.int(int64(s.Held))
	p.int(int64(s.Line))
	p.bool(s.Closed)
}

// putStates updates accounts that must be there: that one is not means that the
// tables are not those which the ledger knows.
func putStates(conn *sqlite.Conn, c *book.Change) error {
	const query = "UPDATE accounts SET balance = ?, held = ?, line = ?, closed = ? WHERE part = ? AND id = ?"
	return forEach(conn, query, c.Accounts, func(p *put, a *book.StateRow) {
		p.state(&a.AccountState)
		p.uint(uint64(a.ID.Part()))
		p.bytes(a.ID[:])
	}, func(a *book.StateRow) error {
		if n := conn.Changes(); n != 1 {
			return fmt.Errorf("%w (account %s changed, and the tables have %d of it)", book.ErrDamaged, a.ID, n)
		}
		return nil
	})
}

func putRecords(conn *sqlite.Conn, c *book.Change) error {
	const query = "INSERT INTO records (" + recordColumns + ") VALUES (?, ?, ?, ?, ?)" +
		" ON CONFLICT DO UPDATE SET version = excluded.version, value = excluded.value"
	return forEach(conn, query, c.Records, func(p *put, r *book.RecordRow) {
		p.uint(uint64(r.Key.Part()))
		p.text(r.Key.Space)
		p.bytes([]byte(r.Key.Key))
		p.uint(r.Record.Version)
		p.nullable(r.Record.Value)
	}, nil)
}

func putHolds(conn *sqlite.Conn, c *book.Change) error {
	const query = "INSERT INTO holds (" + holdColumns + ") VALUES (?, ?, ?, ?, ?, ?, ?)" +
		" ON CONFLICT DO UPDATE SET account = excluded.account, side = excluded.side," +
		" currency = excluded.currency, left = excluded.left, expires = excluded.expires"
	var there, gone []book.HoldChange
	for _, h := range c.Holds {
		if h.Gone {
			gone = append(gone, h)
		} else {
			there = append(there, h)
		}
	}
	err := forEach(conn, query, there, func(p *put, h *book.HoldChange) {
		leg := &h.Row.Leg
		p.uint(uint64(h.ID.Part()))
		p.bytes(h.ID[:])
		p.bytes(leg.Account[:])
		p.uint(uint64(leg.Side))
		p.uint(uint64(leg.Amount.Currency()))
		p.int(int64(leg.Amount.Minor()))
		p.int(h.Row.Expires)
	}, nil)
	if err != nil {
		return err
	}
	return forEach(conn, "DELETE FROM holds WHERE part = ? AND id = ?", gone, func(p *put, h *book.HoldChange) {
		p.uint(uint64(h.ID.Part()))
		p.bytes(h.ID[:])
	}, nil)
}

func putOutbox(conn *sqlite.Conn, c *book.Change) error {
	const query = "INSERT INTO outbox (" + outboxColumns + ") VALUES (?, ?, ?, ?, ?) ON CONFLICT DO NOTHING"
	return forEach(conn, query, c.Outbox, func(p *put, m *book.Pending) {
		p.uint(uint64(m.Part))
		p.uint(m.Number)
		p.text(m.Topic)
		p.bytes(m.Key)
		p.bytes(m.Body)
	}, nil)
}

func dropDone(conn *sqlite.Conn, c *book.Change) error {
	return forEach(conn, "DELETE FROM outbox WHERE number = ?", c.Done, func(p *put, n *uint64) { p.uint(*n) }, nil)
}

func putApplied(conn *sqlite.Conn, c *book.Change) error {
	const query = "INSERT INTO progress (chain, applied, hash) VALUES (?, ?, ?)" +
		" ON CONFLICT DO UPDATE SET applied = excluded.applied, hash = excluded.hash"
	return forEach(conn, query, []book.Head{c.At}, func(p *put, at *book.Head) {
		p.int(Chain)
		p.uint(at.Seq)
		p.bytes(at.Hash[:])
	}, nil)
}

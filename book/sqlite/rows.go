package sqlite

import (
	"fmt"
	"math"

	"jiaozi/book"
	"jiaozi/value/money"

	"zombiezen.com/go/sqlite"
)

// each runs a query and hands every row to fn.
func each(conn *sqlite.Conn, query string, bind func(*sqlite.Stmt), fn func(*row) error) (err error) {
	stmt, err := conn.Prepare(query)
	if err != nil {
		return fault(err)
	}
	defer func() {
		if resetErr := stmt.Reset(); err == nil {
			err = fault(resetErr)
		}
	}()
	if bind != nil {
		bind(stmt)
	}
	r := &row{stmt: stmt}
	for {
		more, err := stmt.Step()
		if err != nil || !more {
			return fault(err)
		}
		if err := fn(r); err != nil {
			return err
		}
	}
}

// run executes a statement that returns no rows of interest.
func run(conn *sqlite.Conn, query string, bind func(*sqlite.Stmt)) error {
	return each(conn, query, bind, func(*row) error { return nil })
}

// row reads typed columns. SQLite would convert a value of the wrong type; here
// it is damage, because a flipped bit can turn a blob into a text.
type row struct {
	stmt *sqlite.Stmt
	err  error
}

func (r *row) want(col int, t sqlite.ColumnType) bool {
	if have := r.stmt.ColumnType(col); have != t && r.err == nil {
		r.err = fmt.Errorf("%w (column %s is a %v, not a %v)", book.ErrDamaged, r.stmt.ColumnName(col), have, t)
	}
	return r.err == nil
}

func (r *row) bad(col int) {
	if r.err == nil {
		r.err = fmt.Errorf("%w (column %s is out of range)", book.ErrDamaged, r.stmt.ColumnName(col))
	}
}

func (r *row) int(col int) int64 {
	if !r.want(col, sqlite.TypeInteger) {
		return 0
	}
	return r.stmt.ColumnInt64(col)
}

func (r *row) uint(col int, limit int64) uint64 {
	v := r.int(col)
	if v < 0 || v > limit {
		r.bad(col)
		return 0
	}
	return uint64(v)
}

func (r *row) uint64(col int) uint64 { return r.uint(col, math.MaxInt64) }
func (r *row) bool(col int) bool     { return r.uint(col, 1) == 1 }
func (r *row) part(col int) uint16   { return uint16(r.uint(col, math.MaxUint16)) }
func (r *row) minor(col int) money.Minor {
	return money.Minor(r.int(col))
}
func (r *row) side(col int) book.Side {
	return book.Side(r.uint(col, math.MaxUint8))
}
func (r *row) currency(col int) money.Currency {
	return money.Currency(r.uint(col, math.MaxUint16))
}

func (r *row) text(col int) string {
	if !r.want(col, sqlite.TypeText) {
		return ""
	}
	return r.stmt.ColumnText(col)
}

// blob copies a value; never nil.
func (r *row) blob(col int) []byte {
	if !r.want(col, sqlite.TypeBlob) {
		return nil
	}
	b := make([]byte, r.stmt.ColumnLen(col))
	r.stmt.ColumnBytes(col, b)
	return b
}

// nullable is blob, or nil for NULL.
func (r *row) nullable(col int) []byte {
	if r.stmt.ColumnType(col) == sqlite.TypeNull {
		return nil
	}
	return r.blob(col)
}

func (r *row) fixed(col int, to []byte) {
	if !r.want(col, sqlite.TypeBlob) {
		return
	}
	if r.stmt.ColumnLen(col) != len(to) {
		r.bad(col)
		return
	}
	r.stmt.ColumnBytes(col, to)
}

func (r *row) id(col int) (id [16]byte) {
	r.fixed(col, id[:])
	return id
}

func (r *row) hash(col int) (h book.Hash) {
	r.fixed(col, h[:])
	return h
}

// The rows of the tables, each with the columns that its reader expects.

const accountColumns = "part, id, name, normal, currency, never_negative, opened_line, balance, held, line, closed"

func (r *row) account() (book.AccountRow, error) {
	a := book.AccountRow{Account: book.Account{
		ID: r.id(1), Name: r.text(2), Normal: r.side(3), Currency: r.currency(4), NeverNegative: r.bool(5), Line: r.minor(6),
	}}
	a.AccountState = book.AccountState{Balance: r.minor(7), Held: r.minor(8), Line: r.minor(9), Closed: r.bool(10)}
	r.checkPart(a.ID.Part())
	return a, r.err
}

const holdColumns = "part, id, account, side, currency, left, expires"

func (r *row) hold() (book.HoldChange, error) {
	h := book.HoldChange{ID: r.id(1), Row: book.HoldRow{Leg: book.Leg{Account: r.id(2), Side: r.side(3)}, Expires: r.int(6)}}
	h.Row.Leg.Amount = money.New(r.currency(4), r.minor(5))
	r.checkPart(h.ID.Part())
	return h, r.err
}

const journalColumns = "part, seq, prev, hash, body"

// journal leaves it to the reader to say whether a row of another part has any
// business here.
func (r *row) journal() (book.Row, error) {
	j := book.Row{Part: r.part(0), Seq: r.uint64(1), Prev: r.hash(2), Hash: r.hash(3), Body: r.blob(4)}
	return j, r.err
}

const outboxColumns = "part, number, topic, key, body"

func (r *row) pending() (book.Pending, error) {
	p := book.Pending{Part: r.part(0), Number: r.uint64(1), Out: book.Out{Topic: r.text(2), Key: r.blob(3), Body: r.blob(4)}}
	return p, r.err
}

const recordColumns = "part, space, key, version, value"

func (r *row) record() (book.RecordRow, error) {
	key := book.Key{Space: r.text(1), Key: string(r.blob(2))}
	r.checkPart(key.Part())
	return book.RecordRow{Key: key, Record: book.Record{Version: r.uint64(3), Value: r.nullable(4)}}, r.err
}

// checkPart refuses a row that stands under another part than that of its key:
// no lookup would find it.
func (r *row) checkPart(want uint16) {
	if r.part(0) != want {
		r.bad(0)
	}
}

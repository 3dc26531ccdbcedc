package postgres

import (
	"bytes"
	"context"
	"encoding/binary"
	"fmt"
	"math"

	"jiaozi/book"
	"jiaozi/value/money"

	"github.com/jackc/pgx/v5"
)

// each runs a query and hands every row to fn. What fn keeps is its own.
func each(ctx context.Context, conn *pgx.Conn, fn func(*row) error, query string, args ...any) error {
	rows, err := conn.Query(ctx, query, args...)
	if err != nil {
		return err
	}
	return drain(rows, fn)
}

func drain(rows pgx.Rows, fn func(*row) error) error {
	defer rows.Close()
	for rows.Next() {
		if err := fn(&row{columns: rows.RawValues()}); err != nil {
			return err
		}
	}
	return rows.Err()
}

// row reads columns in the binary format: integers big-endian, a NULL as a nil
// slice. A value of another size or range is damage, and so is a key that does
// not begin with its part: no row of ours looks like that.
type row struct {
	columns [][]byte
	err     error
}

func (r *row) bad(col int, what string) {
	if r.err == nil {
		r.err = fmt.Errorf("%w (column %d of a row is %s)", book.ErrDamaged, col+1, what)
	}
}

// sized returns the bytes of a column that has n of them; else zeros.
func (r *row) sized(col, n int) []byte {
	if col < len(r.columns) && r.columns[col] != nil && len(r.columns[col]) == n {
		return r.columns[col]
	}
	r.bad(col, fmt.Sprintf("not of %d bytes", n))
	return make([]byte, n)
}

func (r *row) int64(col int) int64 { return int64(binary.BigEndian.Uint64(r.sized(col, 8))) }

func (r *row) minor(col int) money.Minor { return money.Minor(r.int64(col)) }

func (r *row) uint64(col int) uint64 {
	v := r.int64(col)
	if v < 0 {
		r.bad(col, "below zero")
	}
	return uint64(max(v, 0))
}

func (r *row) small(col int) uint16 {
	v := int16(binary.BigEndian.Uint16(r.sized(col, 2)))
	if v < 0 {
		r.bad(col, "below zero")
	}
	return uint16(max(v, 0))
}

func (r *row) currency(col int) money.Currency {
	v := int32(binary.BigEndian.Uint32(r.sized(col, 4)))
	if v < 0 || v > math.MaxUint16 {
		r.bad(col, "not a currency")
	}
	return money.Currency(v)
}

func (r *row) side(col int) book.Side {
	v := r.small(col)
	if v > math.MaxUint8 {
		r.bad(col, "not a side")
	}
	return book.Side(v)
}

func (r *row) bool(col int) bool {
	v := r.sized(col, 1)[0]
	if v > 1 {
		r.bad(col, "not a truth value")
	}
	return v == 1
}

// nullable copies a value; nil for NULL.
func (r *row) nullable(col int) []byte {
	if col >= len(r.columns) {
		r.bad(col, "missing")
		return nil
	}
	return bytes.Clone(r.columns[col])
}

// blob copies a value; never nil.
func (r *row) blob(col int) []byte {
	b := r.nullable(col)
	if b == nil {
		r.bad(col, "NULL")
		return []byte{}
	}
	return b
}

func (r *row) text(col int) string { return string(r.blob(col)) }

func (r *row) id(col int) [16]byte { return [16]byte(r.sized(col, 16)) }

func (r *row) hash(col int) book.Hash { return book.Hash(r.sized(col, 32)) }

// in checks the first column against what the key says.
func (r *row) in(part uint16) {
	if r.small(0) != part {
		r.bad(0, "not the part of its key")
	}
}

// The rows of the tables, each with the columns that its reader expects.

const accountColumns = "t.part, t.id, t.name, t.normal, t.currency, t.never_negative, t.opened_line, t.balance, t.held, t.line, t.closed"

func (r *row) account() (book.AccountRow, error) {
	a := book.AccountRow{
		Account: book.Account{ID: r.id(1), Name: r.text(2), Normal: r.side(3), Currency: r.currency(4), NeverNegative: r.bool(5), Line: r.minor(6)},
		AccountState: book.AccountState{
			Balance: r.minor(7), Held: r.minor(8), Line: r.minor(9), Closed: r.bool(10),
		},
	}
	r.in(a.ID.Part())
	return a, r.err
}

const recordColumns = "t.part, t.space, t.key, t.version, t.value"

func (r *row) record() (book.RecordRow, error) {
	p := book.RecordRow{
		Key:    book.Key{Space: r.text(1), Key: r.text(2)},
		Record: book.Record{Version: r.uint64(3), Value: r.nullable(4)},
	}
	r.in(p.Key.Part())
	return p, r.err
}

const holdColumns = `t.part, t.id, t.account, t.side, t.currency, t."left", t.expires`

func (r *row) hold() (book.HoldChange, error) {
	h := book.HoldChange{ID: r.id(1), Row: book.HoldRow{Leg: book.Leg{Account: r.id(2), Side: r.side(3)}, Expires: r.int64(6)}}
	h.Row.Leg.Amount = money.New(r.currency(4), r.minor(5))
	r.in(h.ID.Part())
	return h, r.err
}

const outboxColumns = "t.part, t.number, t.topic, t.key, t.body"

func (r *row) pending() (book.Pending, error) {
	p := book.Pending{Part: r.small(0), Number: r.uint64(1), Out: book.Out{Topic: r.text(2), Key: r.blob(3), Body: r.blob(4)}}
	if p.Part >= book.Parts {
		r.bad(0, "not a part")
	}
	return p, r.err
}

const journalColumns = "t.part, t.seq, t.prev, t.hash, t.body"

func (r *row) journal() (book.Row, error) {
	j := book.Row{Part: r.small(0), Seq: r.uint64(1), Prev: r.hash(2), Hash: r.hash(3), Body: r.blob(4)}
	return j, r.err
}

package postgres

import (
	"context"
	"errors"
	"fmt"
	"time"

	"jiaozi/book"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgxpool"
)

// View begins a snapshot on a connection of the pool, and waits for one if all
// are in use.
func (s *store) View(ctx context.Context) (book.View, error) {
	var err error
	for range 2 {
		var conn *pgxpool.Conn
		if conn, err = s.pool.Acquire(ctx); err != nil {
			return nil, fmt.Errorf("reach the database server: %w", err)
		}
		v := &snapshot{pooled: conn, conn: conn.Conn(), chain: s.o.Chain, patience: s.o.Patience}
		if err = v.begin(ctx); err == nil {
			return v, nil
		}
		lost := v.conn.IsClosed()
		err = errors.Join(fault(err), v.Close())
		if !lost || ctx.Err() != nil {
			break
		}
		s.pool.Reset() // the others are of the server before, too
	}
	return nil, err
}

// begin reads something, because the snapshot begins with the first read.
func (v *snapshot) begin(ctx context.Context) error {
	for _, statement := range []string{"BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY", "SELECT 1 FROM progress LIMIT 1"} {
		if _, err := v.conn.Exec(ctx, statement); err != nil {
			return err
		}
	}
	return nil
}

// snapshot is one transaction. A walk fetches through a cursor, so that it may be
// left early and others may be begun inside it.
type snapshot struct {
	pooled  *pgxpool.Conn
	conn    *pgx.Conn
	chain   uint16
	cursors int

	patience time.Duration // of one step of a walk
}

// Close ends the snapshot, also after the context of its maker has ended.
func (v *snapshot) Close() error {
	if v.pooled == nil {
		return nil
	}
	ctx, cancel := context.WithTimeout(context.Background(), closing)
	defer cancel()
	var err error
	if !v.conn.IsClosed() {
		if _, err = v.conn.Exec(ctx, "ROLLBACK"); err != nil {
			drop(v.conn)
		}
	}
	v.pooled.Release()
	v.pooled = nil
	return err
}

// fetch is how many rows a walk asks for next, between one and many; it doubles
// while the rows stay small.
type fetch struct{ rows, many int }

const (
	fewBytes = 1 << 20
	many     = 1024 // small rows
	some     = 64   // rows of up to book.MaxBody or book.MaxValue
)

func (f *fetch) next(bytes int) {
	if bytes > fewBytes {
		f.rows = max(1, f.rows*fewBytes/bytes)
		return
	}
	f.rows = min(2*f.rows, f.many)
}

// walk hands every row of a query to fn.
func walk[T any](ctx context.Context, v *snapshot, most int, read func(*row) (T, error), fn func(T) error, query string, args ...any) (err error) {
	v.cursors++
	cursor := fmt.Sprintf("c%d", v.cursors)
	if _, err := v.conn.Exec(ctx, "DECLARE "+cursor+" NO SCROLL CURSOR FOR "+query, append([]any{pgx.QueryExecModeExec}, args...)...); err != nil {
		return fault(err)
	}
	defer func() {
		if v.conn.IsClosed() {
			return
		}
		if _, closeErr := v.conn.Exec(ctx, "CLOSE "+cursor, pgx.QueryExecModeSimpleProtocol); err == nil {
			err = fault(closeErr)
		}
	}()
	for f := (fetch{1, most}); ; {
		result := v.fetch(ctx, f.rows, cursor)
		if result.Err != nil {
			return fault(result.Err)
		}
		bytes := 0
		for i, columns := range result.Rows {
			for _, c := range columns {
				bytes += len(c)
			}
			value, err := read(&row{columns: columns})
			if err != nil {
				return err
			}
			if err := fn(value); err != nil {
				return err
			}
			result.Rows[i] = nil
		}
		if len(result.Rows) < f.rows {
			return nil
		}
		f.next(bytes)
	}
}

// fetch may take long: the first one sorts, if need be.
func (v *snapshot) fetch(ctx context.Context, rows int, cursor string) *pgconn.Result {
	ctx, cancel := context.WithTimeout(ctx, v.patience)
	defer cancel()
	return v.conn.PgConn().ExecParams(ctx, fmt.Sprintf("FETCH %d FROM %s", rows, cursor), nil, nil, nil, []int16{pgx.BinaryFormatCode}).Read()
}

// lookup reads at most one row.
func lookup[T any](ctx context.Context, v *snapshot, read func(*row) (T, error), query string, args ...any) (value T, ok bool, err error) {
	err = each(ctx, v.conn, func(r *row) error {
		ok = true
		value, err = read(r)
		return err
	}, query, args...)
	return value, ok, fault(err)
}

func (v *snapshot) Head(ctx context.Context) (book.Head, error) {
	head, err := readHead(ctx, v.conn, v.chain)
	return head, fault(err)
}

func (v *snapshot) Applied(ctx context.Context) (book.Head, error) {
	applied, err := readApplied(ctx, v.conn, v.chain)
	return applied, fault(err)
}

func (v *snapshot) Journal(ctx context.Context, from uint64, fn func(book.Row) error) error {
	query, args := "SELECT "+journalColumns+" FROM journal t ORDER BY t.part, t.seq", []any(nil)
	if from > 1 {
		query = "SELECT " + journalColumns + " FROM journal t WHERE t.part = $1::smallint AND t.seq >= $2::bigint ORDER BY t.seq"
		args = []any{int16(v.chain), int64(from)}
	}
	return walk(ctx, v, some, (*row).journal, fn, query, args...)
}

func (v *snapshot) Row(ctx context.Context, seq uint64) (book.Row, bool, error) {
	return lookup(ctx, v, (*row).journal, "SELECT "+journalColumns+" FROM journal t WHERE t.part = $1 AND t.seq = $2", int16(v.chain), int64(seq))
}

func (v *snapshot) Account(ctx context.Context, id book.AccountID) (book.AccountRow, bool, error) {
	return lookup(ctx, v, (*row).account, "SELECT "+accountColumns+" FROM accounts t WHERE t.part = $1 AND t.id = $2", int16(id.Part()), id[:])
}

func (v *snapshot) Accounts(ctx context.Context, after book.AccountID, fn func(book.AccountRow) error) error {
	query, args := "SELECT "+accountColumns+" FROM accounts t ORDER BY t.part, t.id", []any(nil)
	if after != (book.AccountID{}) {
		query = "SELECT " + accountColumns + " FROM accounts t WHERE (t.part, t.id) > ($1::smallint, $2::bytea) ORDER BY t.part, t.id"
		args = []any{int16(after.Part()), after[:]}
	}
	return walk(ctx, v, many, (*row).account, fn, query, args...)
}

func (v *snapshot) Record(ctx context.Context, key book.Key) (book.Record, bool, error) {
	r, ok, err := lookup(ctx, v, (*row).record, "SELECT "+recordColumns+" FROM records t WHERE t.part = $1 AND t.space = $2 AND t.key = $3",
		int16(key.Part()), []byte(key.Space), []byte(key.Key))
	return r.Record, ok, err
}

// Records asks for the parts that the prefix leaves open, which for a prefix of
// two bytes is one.
func (v *snapshot) Records(ctx context.Context, space string, prefix []byte, fn func([]byte, book.Record) error) error {
	low, high := partsOf(prefix)
	query := "SELECT " + recordColumns + " FROM records t WHERE t.part BETWEEN $1::smallint AND $2::smallint AND t.space = $3::bytea AND t.key >= $4::bytea"
	args := []any{int16(low), int16(high), []byte(space), bytesOf(prefix)}
	if end := after(prefix); end != nil {
		query += " AND t.key < $5::bytea"
		args = append(args, end)
	}
	return walk(ctx, v, some, (*row).record, func(r book.RecordRow) error { return fn([]byte(r.Key.Key), r.Record) },
		query+" ORDER BY t.part, t.key", args...)
}

// partsOf is the range of parts of keys that begin with the prefix.
func partsOf(prefix []byte) (low, high uint16) {
	first := append([]byte(nil), prefix[:min(2, len(prefix))]...)
	last := append(append([]byte(nil), first...), 0xFF, 0xFF)
	return book.Key{Key: string(first)}.Part(), book.Key{Key: string(last[:2])}.Part()
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

func (v *snapshot) AllRecords(ctx context.Context, fn func(book.Key, book.Record) error) error {
	return walk(ctx, v, some, (*row).record, func(r book.RecordRow) error { return fn(r.Key, r.Record) },
		"SELECT "+recordColumns+" FROM records t ORDER BY t.part, t.space, t.key")
}

func (v *snapshot) Holds(ctx context.Context, fn func(book.ID, book.HoldRow) error) error {
	return walk(ctx, v, many, (*row).hold, func(h book.HoldChange) error { return fn(h.ID, h.Row) },
		"SELECT "+holdColumns+" FROM holds t ORDER BY t.part, t.id")
}

func (v *snapshot) Outbox(ctx context.Context, topic string, after uint64, max int) (list []book.Pending, err error) {
	err = walk(ctx, v, some, (*row).pending, func(p book.Pending) error {
		list = append(list, p)
		return nil
	}, "SELECT "+outboxColumns+" FROM outbox t WHERE t.topic = $1::bytea AND t.number > $2::bigint ORDER BY t.number LIMIT $3::bigint",
		[]byte(topic), int64(after), int64(max))
	return list, err
}

func (v *snapshot) AllOutbox(ctx context.Context, fn func(book.Pending) error) error {
	return walk(ctx, v, some, (*row).pending, fn, "SELECT "+outboxColumns+" FROM outbox t ORDER BY t.number")
}

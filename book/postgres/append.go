package postgres

import (
	"context"
	"fmt"

	"jiaozi/book"

	"github.com/jackc/pgx/v5"
)

// The row lock makes a take-over wait for the statement, and makes the statement
// see a take-over that came first.
const appendSQL = `INSERT INTO journal (part, seq, prev, hash, body)
	SELECT $1::smallint, $2::bigint, $3::bytea, $4::bytea, $5::bytea
	FROM writer w WHERE w.chain = $1 AND w.owner = $6 AND w.turn = $7 FOR SHARE`

// rounds bounds how often a batch is sent before the caller is told.
const rounds = 8

// Append writes one batch. When the answer is lost it finds out what happened,
// for as long as the context and the patience of connect allow; an error that is
// none of the book's leaves the batch to be looked for with Head.
func (e *Engine) Append(ctx context.Context, row *book.Row) error {
	if row.Part != e.o.Chain {
		return fmt.Errorf("batch of chain %d in a store of chain %d: nothing was booked", row.Part, e.o.Chain)
	}
	err := e.patient(ctx, func(ctx context.Context) error { return e.appendRow(ctx, row) })
	if err != nil {
		return fmt.Errorf("append batch %d: %w", row.Seq, err)
	}
	e.line.acked = book.Head{Seq: row.Seq, Hash: row.Hash}
	if e.head == nil {
		return nil
	}
	if err := e.head.Write(e.line.acked); err != nil {
		return fmt.Errorf("%w: the batch is booked, but not its head: %w", book.ErrNotDurable, err)
	}
	return nil
}

func (e *Engine) appendRow(ctx context.Context, row *book.Row) (err error) {
	for range rounds {
		if err = e.ready(ctx); err != nil {
			return err
		}
		if err = e.insert(ctx, row); err == nil || !e.failed(ctx, err) {
			return fault(err)
		}
	}
	return fault(err)
}

func (e *Engine) insert(ctx context.Context, row *book.Row) error {
	e.line.warned = false
	tag, err := e.line.conn.Exec(ctx, appendSQL, chainOf(e.o), int64(row.Seq), row.Prev[:], row.Hash[:], bytesOf(row.Body), e.line.owner, e.line.turn)
	switch {
	case state(err) == stateUnique:
		return e.ours(ctx, row)
	case err != nil:
		return err
	case tag.RowsAffected() == 0:
		return e.fenced()
	case e.line.warned:
		return errDoubt // the next round begins a new turn and finds the row
	}
	return nil
}

// ours tells our own row, whose answer was lost, from another writer's.
func (e *Engine) ours(ctx context.Context, row *book.Row) error {
	hash, err := hashAt(ctx, e.line.conn, e.o.Chain, row.Seq)
	if err == nil && hash != row.Hash {
		return fmt.Errorf("%w: batch %d is taken", book.ErrFenced, row.Seq)
	}
	return err
}

// hashAt reads the hash of a batch; zero if there is none.
func hashAt(ctx context.Context, conn *pgx.Conn, chain uint16, seq uint64) (hash book.Hash, err error) {
	err = each(ctx, conn, func(r *row) error {
		hash = r.hash(0)
		return r.err
	}, "SELECT hash FROM journal WHERE part = $1 AND seq = $2", int16(chain), int64(seq))
	return hash, err
}

func readHead(ctx context.Context, conn *pgx.Conn, chain uint16) (head book.Head, err error) {
	err = each(ctx, conn, func(r *row) error {
		head = book.Head{Seq: r.uint64(0), Hash: r.hash(1)}
		return r.err
	}, "SELECT seq, hash FROM journal WHERE part = $1 ORDER BY seq DESC LIMIT 1", int16(chain))
	return head, err
}

func readApplied(ctx context.Context, conn *pgx.Conn, chain uint16) (applied book.Head, err error) {
	err = each(ctx, conn, func(r *row) error {
		applied = book.Head{Seq: r.uint64(0), Hash: r.hash(1)}
		return r.err
	}, "SELECT applied, hash FROM progress WHERE chain = $1", int16(chain))
	return applied, err
}

// bytesOf is never NULL.
func bytesOf(b []byte) []byte {
	if b == nil {
		return []byte{}
	}
	return b
}

package postgres

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"

	"jiaozi/book"

	"github.com/jackc/pgx/v5"
)

var (
	_ book.Carrier     = (*Engine)(nil)
	_ book.CarriedView = (*snapshot)(nil)
)

const (
	putCarried = `INSERT INTO carried (part, chain, n, seq, place, entry)
		SELECT * FROM unnest($1::smallint[], $2::smallint[], $3::bigint[], $4::bigint[], $5::integer[], $6::bytea[])
		ON CONFLICT (part, chain, n) DO NOTHING`
	carriedColumns = "t.part, t.chain, t.n, t.seq, t.place, t.entry"
)

// Carry adds entries of a slice durably, on a connection of its own: it is not in
// the way of the writer and the keeper.
func (e *Engine) Carry(ctx context.Context, rows []book.CarriedRow) error {
	return e.carrying(ctx, func(tx pgx.Tx) error {
		return inChunks(ctx, tx, putCarried, rows, carriedArrays, nil)
	})
}

// Forget removes a slice.
func (e *Engine) Forget(ctx context.Context, part, chain uint16) error {
	return e.carrying(ctx, func(tx pgx.Tx) error {
		_, err := tx.Exec(ctx, "DELETE FROM carried WHERE part = $1 AND chain = $2", int16(part), int16(chain))
		return err
	})
}

// carrying runs a transaction that only the shard's writer may run.
func (e *Engine) carrying(ctx context.Context, fn func(pgx.Tx) error) error {
	conn, err := e.connect(ctx, nil)
	if err != nil {
		return err
	}
	err = pgx.BeginFunc(ctx, conn, func(tx pgx.Tx) error {
		var applied int64
		err := tx.QueryRow(ctx, beginFlush, chainOf(e.o), e.line.owner).Scan(&applied)
		if errors.Is(err, pgx.ErrNoRows) {
			return fmt.Errorf("%w: chain %d was taken over", book.ErrFenced, e.o.Chain)
		}
		if err != nil {
			return err
		}
		return fn(tx)
	})
	return errors.Join(fault(err), conn.Close(ctx))
}

func carriedArrays(list []book.CarriedRow) ([]any, int) {
	type c = *book.CarriedRow
	list = list[:fitting(list, func(r c) int { return len(r.Entry) })]
	return []any{
		column(list, func(r c) int16 { return int16(r.Part) }),
		column(list, func(r c) int16 { return int16(r.Chain) }),
		column(list, func(r c) int64 { return int64(r.N) }),
		column(list, func(r c) int64 { return int64(r.Seq) }),
		column(list, func(r c) int32 { return int32(r.Place) }),
		column(list, func(r c) []byte { return r.Entry }),
	}, len(list)
}

func (r *row) carried() (book.CarriedRow, error) {
	place := int32(binary.BigEndian.Uint32(r.sized(4, 4)))
	if place < 0 || place >= book.MaxBatch {
		r.bad(4, "not a place in a batch")
	}
	c := book.CarriedRow{Part: r.small(0), Chain: r.small(1), N: r.uint64(2), Seq: r.uint64(3), Place: int(place), Entry: r.blob(5)}
	return c, r.err
}

func (v *snapshot) Carried(ctx context.Context, part, chain uint16, from uint64, max int, fn func(book.CarriedRow) error) error {
	return walk(ctx, v, some, (*row).carried, fn, "SELECT "+carriedColumns+
		" FROM carried t WHERE t.part = $1::smallint AND t.chain = $2::smallint AND t.n >= $3::bigint ORDER BY t.n LIMIT $4::bigint",
		int16(part), int16(chain), int64(from), int64(max))
}

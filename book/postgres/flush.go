package postgres

import (
	"context"
	"errors"
	"fmt"

	"jiaozi/book"

	"github.com/jackc/pgx/v5"
)

const (
	// The row lock keeps a take-over away until the transaction ends: a new
	// writer reads tables that nobody else moves.
	beginFlush = `SELECT coalesce((SELECT applied FROM progress WHERE chain = $1), 0)
		FROM writer w WHERE w.chain = $1 AND w.owner = $2 FOR SHARE`
	endFlush = `INSERT INTO progress (chain, applied, hash) VALUES ($1, $2, $3)
		ON CONFLICT (chain) DO UPDATE SET applied = excluded.applied, hash = excluded.hash`
	touchProgress = "UPDATE progress SET applied = applied WHERE chain = $1"
)

// keeper is the keeper's connection; nil or closed when it must be made.
type keeper struct {
	conn   *pgx.Conn
	warned bool // as in line
}

// Flush brings the tables forward in one transaction, each kind of row in a few
// statements over whole columns.
//
// The contract lets it be lost in a crash. It is durable here all the same: the
// server may crash without this process, which then would go on with a memory
// that no longer fits the tables. The wait costs the keeper nothing, and the
// writer's next commit finds less to sync.
func (e *Engine) Flush(ctx context.Context, c *book.Change) error {
	if err := e.patient(ctx, func(ctx context.Context) error { return e.flushRounds(ctx, c) }); err != nil {
		return fmt.Errorf("flush up to batch %d: %w", c.At.Seq, fault(err))
	}
	e.applied.Store(max(c.At.Seq, e.applied.Load()))
	return nil
}

func (e *Engine) flushRounds(ctx context.Context, c *book.Change) (err error) {
	for range rounds {
		if err = e.sickness(); err != nil {
			return err
		}
		if e.keeper.conn == nil || e.keeper.conn.IsClosed() {
			if e.keeper.conn, err = e.connect(ctx, listen(&e.keeper.warned)); err != nil {
				return err
			}
		}
		if err = e.flush(ctx, c); err == nil || ctx.Err() != nil || !again(err) && !e.keeper.conn.IsClosed() && !errors.Is(err, errDoubt) {
			return err
		}
	}
	return err
}

func (e *Engine) flush(ctx context.Context, c *book.Change) error {
	e.keeper.warned = false
	err := pgx.BeginFunc(ctx, e.keeper.conn, func(tx pgx.Tx) error {
		var applied int64
		err := tx.QueryRow(ctx, beginFlush, chainOf(e.o), e.line.owner).Scan(&applied)
		switch {
		case errors.Is(err, pgx.ErrNoRows):
			return fmt.Errorf("%w: chain %d was taken over", book.ErrFenced, e.o.Chain)
		case err != nil:
			return err
		case uint64(applied) < e.applied.Load():
			return e.fallIll(fmt.Errorf("%w: the tables fell back from batch %d to %d: open the store again",
				book.ErrNotDurable, e.applied.Load(), applied))
		case uint64(applied) >= c.At.Seq:
			// The same change came before; the tables never go back. But its commit may
			// have lost its standby, and this one must have something to wait for.
			_, err := tx.Exec(ctx, touchProgress, chainOf(e.o))
			return err
		}
		if err := writeTables(ctx, tx, c); err != nil {
			return err
		}
		_, err = tx.Exec(ctx, endFlush, chainOf(e.o), int64(c.At.Seq), c.At.Hash[:])
		return err
	})
	if state(err) == stateReadOnly {
		drop(e.keeper.conn)
	}
	if err == nil && e.keeper.warned {
		return errDoubt // the next round finds the change, and commits once more
	}
	return err
}

func writeTables(ctx context.Context, tx pgx.Tx, c *book.Change) error {
	keep, gone := splitHolds(c.Holds)
	for _, step := range []func() error{
		func() error { return deleteParts(ctx, tx, c.Gone) },
		func() error { return inChunks(ctx, tx, putAccounts, c.Opened, accountArrays, nil) },
		func() error { return inChunks(ctx, tx, updateAccounts, c.Accounts, stateArrays, exactly) },
		func() error { return inChunks(ctx, tx, putRecords, c.Records, recordArrays, nil) },
		func() error { return inChunks(ctx, tx, putHolds, keep, holdArrays, nil) },
		func() error { return inChunks(ctx, tx, deleteHolds, gone, goneArrays, nil) },
		func() error { return inChunks(ctx, tx, insertOutbox, c.Outbox, outboxArrays, nil) },
		func() error { return inChunks(ctx, tx, deleteOutbox, c.Done, doneArrays, nil) },
	} {
		if err := step(); err != nil {
			return err
		}
	}
	return nil
}

// deleteParts removes what lives in parts that went to other chains.
func deleteParts(ctx context.Context, tx pgx.Tx, parts []uint16) error {
	if len(parts) == 0 {
		return nil
	}
	list := column(parts, func(part *uint16) int16 { return int16(*part) })
	for _, table := range []string{"accounts", "records", "holds"} {
		if _, err := tx.Exec(ctx, "DELETE FROM "+table+" WHERE part = ANY ($1::smallint[])", list); err != nil {
			return err
		}
	}
	return nil
}

func splitHolds(list []book.HoldChange) (keep, gone []book.HoldChange) {
	for _, h := range list {
		if h.Gone {
			gone = append(gone, h)
		} else {
			keep = append(keep, h)
		}
	}
	return keep, gone
}

// exactly demands that every row was found.
func exactly(rows int, changed int64) error {
	if int64(rows) != changed {
		return fmt.Errorf("%w (of %d accounts the tables know %d: make them again from the journal)", book.ErrDamaged, rows, changed)
	}
	return nil
}

// The rows and bytes of one statement: what server and client hold at one time.
const (
	chunkRows  = 16384
	chunkBytes = 16 << 20
)

// inChunks runs a statement over a list, a chunk at a time. arrays makes the
// columns of the first rows of a list, as many as fit, and says how many.
func inChunks[T any](ctx context.Context, tx pgx.Tx, statement string, list []T, arrays func([]T) ([]any, int), check func(int, int64) error) error {
	for len(list) > 0 {
		columns, n := arrays(list[:min(len(list), chunkRows)])
		tag, err := tx.Exec(ctx, statement, columns...)
		if err != nil {
			return err
		}
		if check != nil {
			if err := check(n, tag.RowsAffected()); err != nil {
				return err
			}
		}
		list = list[n:]
	}
	return nil
}

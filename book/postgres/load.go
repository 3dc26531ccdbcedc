package postgres

import (
	"context"

	"jiaozi/book"

	"github.com/jackc/pgx/v5"
)

// Every lookup goes by part and key, so that a distributed table finds its
// shards; the plan is a descent of the key's index for each.
const (
	loadAccounts = "SELECT " + accountColumns + ` FROM unnest($1::smallint[], $2::bytea[]) AS k (part, id)
		JOIN accounts t ON t.part = k.part AND t.id = k.id`
	loadRecords = "SELECT " + recordColumns + ` FROM unnest($1::smallint[], $2::bytea[], $3::bytea[]) AS k (part, space, key)
		JOIN records t ON t.part = k.part AND t.space = k.space AND t.key = k.key`
	loadHolds = "SELECT " + holdColumns + ` FROM unnest($1::smallint[], $2::bytea[]) AS k (part, id)
		JOIN holds t ON t.part = k.part AND t.id = k.id`
)

// Load reads what a batch touches in one round trip.
func (e *Engine) Load(ctx context.Context, t book.Touch) (book.Loaded, error) {
	var l book.Loaded
	err := e.withLine(ctx, func(ctx context.Context) error {
		l = book.Loaded{}
		return load(ctx, e.line.conn, t, &l)
	})
	return l, err
}

func load(ctx context.Context, conn *pgx.Conn, t book.Touch, l *book.Loaded) error {
	var b pgx.Batch
	if len(t.Accounts) > 0 {
		parts, ids := idColumns(t.Accounts, func(id *book.AccountID) (uint16, []byte) { return id.Part(), id[:] })
		receive(b.Queue(loadAccounts, parts, ids), &l.Accounts, (*row).account)
	}
	if len(t.Records) > 0 {
		parts, keys := idColumns(t.Records, func(k *book.Key) (uint16, []byte) { return k.Part(), []byte(k.Key) })
		_, spaces := idColumns(t.Records, func(k *book.Key) (uint16, []byte) { return 0, []byte(k.Space) })
		receive(b.Queue(loadRecords, parts, spaces, keys), &l.Records, (*row).record)
	}
	if len(t.Holds) > 0 {
		parts, ids := idColumns(t.Holds, func(id *book.ID) (uint16, []byte) { return id.Part(), id[:] })
		receive(b.Queue(loadHolds, parts, ids), &l.Holds, (*row).hold)
	}
	if b.Len() == 0 {
		return nil
	}
	return conn.SendBatch(ctx, &b).Close()
}

// idColumns turns a list of keys into a column of parts and one of bytes.
func idColumns[K any](keys []K, split func(*K) (uint16, []byte)) (parts []int16, ids [][]byte) {
	parts, ids = make([]int16, len(keys)), make([][]byte, len(keys))
	for i := range keys {
		part, id := split(&keys[i])
		parts[i], ids[i] = int16(part), id
	}
	return parts, ids
}

// receive collects the rows that answer a queued query.
func receive[T any](q *pgx.QueuedQuery, into *[]T, read func(*row) (T, error)) {
	q.Query(func(rows pgx.Rows) error {
		return drain(rows, func(r *row) error {
			v, err := read(r)
			*into = append(*into, v)
			return err
		})
	})
}

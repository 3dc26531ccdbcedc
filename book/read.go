package book

import (
	"context"
	"errors"
	"fmt"

	"jiaozi/value/money"
)

// look runs fn on a snapshot of the store.
func (l *Ledger) look(ctx context.Context, fn func(View) error) error {
	view, err := l.engine.View(ctx)
	if err != nil {
		return fmt.Errorf("read book: %w", err)
	}
	return errors.Join(fn(view), view.Close())
}

// Get reads a record. Version 0 means that there is none.
func (l *Ledger) Get(ctx context.Context, space string, key []byte) (value []byte, version uint64, err error) {
	err = l.look(ctx, func(v View) error {
		r, _, err := v.Record(ctx, Key{space, string(key)})
		value, version = r.Value, r.version()
		return err
	})
	return value, version, err
}

// GetMany reads records of a space at one moment, one for each key; Version 0
// means that there is none.
func (l *Ledger) GetMany(ctx context.Context, space string, keys [][]byte) (records []Record, err error) {
	records = make([]Record, len(keys))
	err = l.look(ctx, func(v View) error {
		for i, key := range keys {
			r, _, err := v.Record(ctx, Key{space, string(key)})
			if err != nil {
				return err
			}
			records[i] = Record{Value: r.Value, Version: r.version()}
		}
		return nil
	})
	return records, err
}

// GetOnce reads the value of a once-key, if it is taken.
func (l *Ledger) GetOnce(ctx context.Context, space string, key []byte) (value []byte, taken bool, err error) {
	err = l.look(ctx, func(v View) (err error) {
		value, taken, err = v.Once(ctx, Key{space, string(key)})
		return err
	})
	return value, taken, err
}

// Scan visits the records of a space whose key begins with prefix, in key
// order, as they are at one moment. An error from fn ends it and is returned.
func (l *Ledger) Scan(ctx context.Context, space string, prefix []byte, fn func(key, value []byte, version uint64) error) error {
	return l.look(ctx, func(v View) error {
		return v.Records(ctx, space, prefix, func(key []byte, r Record) error {
			if r.Value == nil {
				return nil
			}
			return fn(key, r.Value, r.Version)
		})
	})
}

// Balance is the balance of an account, signed on its normal side.
func (l *Ledger) Balance(ctx context.Context, id AccountID) (balance money.Amount, open bool, err error) {
	err = l.look(ctx, func(v View) error {
		row, ok, err := v.Account(ctx, id)
		balance, open = money.New(row.Currency, row.Balance), ok
		return err
	})
	return balance, open, err
}

// Accounts visits every account in the order of their ids.
func (l *Ledger) Accounts(ctx context.Context, fn func(AccountRow) error) error {
	return l.look(ctx, func(v View) error { return v.Accounts(ctx, fn) })
}

// Outbox reads messages of a topic that were not acknowledged, oldest first,
// with numbers above after, at most max. Acknowledge with Command.Done.
func (l *Ledger) Outbox(ctx context.Context, topic string, after uint64, max int) (pending []Pending, err error) {
	err = l.look(ctx, func(v View) (err error) {
		pending, err = v.Outbox(ctx, topic, after, max)
		return err
	})
	return pending, err
}

// Journal visits the batches from sequence number from on.
func (l *Ledger) Journal(ctx context.Context, from uint64, fn func(Batch) error) error {
	return l.look(ctx, func(v View) error { return Batches(ctx, v, from, fn) })
}

// Batches decodes the journal of a view from sequence number from on.
func Batches(ctx context.Context, v View, from uint64, fn func(Batch) error) error {
	return v.Journal(ctx, from, func(row Row) error {
		entries, err := DecodeBody(row.Seq, row.Body)
		if err != nil {
			return fmt.Errorf("%w: journal row %d: %w", ErrDamaged, row.Seq, err)
		}
		return fn(Batch{Seq: row.Seq, Prev: row.Prev, Hash: row.Hash, Entries: entries})
	})
}

// Head is the last committed batch.
func (l *Ledger) Head(ctx context.Context) (head Head, err error) {
	err = l.look(ctx, func(v View) (err error) {
		head, err = v.Head(ctx)
		return err
	})
	return head, err
}

// Verify recomputes the whole shard beside the running writer.
func (l *Ledger) Verify(ctx context.Context) (Report, error) { return Verify(ctx, l.engine) }

package shard

import (
	"context"
	"fmt"

	"jiaozi/book"
	"jiaozi/value/money"
)

// Get reads a record from the shard that keeps its key.
func (s *Shards) Get(ctx context.Context, space string, key []byte) (value []byte, version uint64, err error) {
	l, err := s.of(ctx, book.Key{Space: space, Key: string(key)}.Part())
	if err != nil {
		return nil, 0, err
	}
	return l.Get(ctx, space, key)
}

// GetOnce reads the value of a once-key, if it is taken.
func (s *Shards) GetOnce(ctx context.Context, space string, key []byte) (value []byte, taken bool, err error) {
	l, err := s.of(ctx, book.Key{Space: space, Key: string(key)}.Part())
	if err != nil {
		return nil, false, err
	}
	return l.GetOnce(ctx, space, key)
}

// Balance is the balance of an account, signed on its normal side.
func (s *Shards) Balance(ctx context.Context, id book.AccountID) (balance money.Amount, open bool, err error) {
	l, err := s.of(ctx, id.Part())
	if err != nil {
		return balance, false, err
	}
	return l.Balance(ctx, id)
}

// BalanceAt is the balance of an account as it was. A sequence number is one of
// the shard that keeps the account now.
func (s *Shards) BalanceAt(ctx context.Context, id book.AccountID, at book.At) (balance money.Amount, open bool, err error) {
	l, err := s.of(ctx, id.Part())
	if err != nil {
		return balance, false, err
	}
	return l.BalanceAt(ctx, id, at)
}

// Statement lists the legs on an account from a position on, oldest first.
func (s *Shards) Statement(ctx context.Context, id book.AccountID, from uint64, limit int) (lines []book.Line, next uint64, err error) {
	l, err := s.of(ctx, id.Part())
	if err != nil {
		return nil, 0, err
	}
	return l.Statement(ctx, id, from, limit)
}

// Scan visits the records of a space whose key begins with prefix: shard by
// shard, each in key order and as it is at one moment.
func (s *Shards) Scan(ctx context.Context, space string, prefix []byte, fn func(key, value []byte, version uint64) error) error {
	t := s.table()
	for _, line := range t.Shards() {
		l, err := t.ledger(line.Name)
		if err != nil {
			return err
		}
		if err := l.Scan(ctx, space, prefix, fn); err != nil {
			return err
		}
	}
	return nil
}

// of finds the ledger that shows a part, in a new map if the one in use is old.
func (s *Shards) of(ctx context.Context, part uint16) (*book.Ledger, error) {
	for range 2 {
		t := s.table()
		l, err := t.ledger(t.Of(part).Name)
		if err != nil || l.Shows(part) {
			return l, err
		}
		if err := s.reload(ctx); err != nil {
			return nil, err
		}
	}
	return nil, fmt.Errorf("%w: part %d", ErrMoving, part)
}

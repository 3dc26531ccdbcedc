package book

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"slices"

	"jiaozi/book/index"
)

// Reader reads a shard without writing to it, beside its writer or without one:
// the state of the moment when it was opened. It answers the same questions as
// the Ledger.
type Reader struct {
	desk
	evidence    Evidence
	view        View
	keys, lines *index.Index
}

// OpenReader takes one view of the store and reads what its tables and index lack
// from the journal, into memory. Close gives the view back; the evidence stays
// the caller's.
func OpenReader(ctx context.Context, chain uint16, e Evidence) (*Reader, error) {
	r := &Reader{evidence: e}
	if err := r.open(ctx, chain); err != nil {
		return nil, errors.Join(fmt.Errorf("read book: %w", err), r.Close())
	}
	return r, nil
}

func (r *Reader) open(ctx context.Context, chain uint16) (err error) {
	// The index first: then it is not ahead of the view.
	if r.keys, r.lines, err = openIndexes(r.evidence.IndexDir(), readIndex); err != nil {
		return err
	}
	if r.view, err = r.evidence.View(ctx); err != nil {
		return err
	}
	m := newMemory(r.keys, r.lines, chain, Options{Accounts: DefaultAccounts})
	src := viewSource{r.view}
	r.desk = desk{memory: func() *memory { return m }, source: src}
	roll := &roller{memory: m, source: src, view: r.view, chain: chain}
	roll.full = func(context.Context) error { return nil }
	return roll.roll(ctx)
}

// readIndex reads an index if there is one. A store that was just restored has
// none yet; then all of it is made in memory.
func readIndex(dir string, o index.Options) (*index.Index, error) {
	if dir != "" {
		x, err := index.OpenReader(dir, o)
		if !errors.Is(err, fs.ErrNotExist) {
			return x, err
		}
	}
	return index.Open("", o)
}

// Close gives the view back.
func (r *Reader) Close() error {
	var errs []error
	if r.view != nil {
		errs = append(errs, r.view.Close())
	}
	for _, x := range []*index.Index{r.keys, r.lines} {
		if x != nil {
			errs = append(errs, x.Close())
		}
	}
	return errors.Join(errs...)
}

// viewSource reads everything from one view.
type viewSource struct{ view View }

// View lends the one view out.
func (s viewSource) View(context.Context) (View, error) { return lent{s.view}, nil }

type lent struct{ View }

func (lent) Close() error { return nil }

func (s viewSource) Load(ctx context.Context, t Touch) (l Loaded, err error) {
	for _, id := range t.Accounts {
		row, ok, err := s.view.Account(ctx, id)
		if err != nil {
			return l, err
		}
		if ok {
			l.Accounts = append(l.Accounts, row)
		}
	}
	for _, key := range t.Records {
		r, ok, err := s.view.Record(ctx, key)
		if err != nil {
			return l, err
		}
		if ok {
			l.Records = append(l.Records, RecordRow{key, r})
		}
	}
	if len(t.Holds) == 0 {
		return l, nil
	}
	err = s.view.Holds(ctx, func(id ID, row HoldRow) error {
		if slices.Contains(t.Holds, id) {
			l.Holds = append(l.Holds, HoldChange{ID: id, Row: row})
		}
		return nil
	})
	return l, err
}

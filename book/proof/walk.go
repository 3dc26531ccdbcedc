package proof

import (
	"context"
	"errors"
	"fmt"
	"sort"

	"jiaozi/book"
)

// maxSeq is beyond every journal: a position has 50 bits for the sequence.
const maxSeq = 1<<50 - 1

// errStop ends a walk early without being a fault.
var errStop = errors.New("stop")

// walk hashes the leaves from a place on to the end of row last, and gives the
// last row that it saw. It trusts nothing about the rows: their numbers, their
// links and their own hashes must hold.
func (t *Tree) walk(ctx context.Context, j Journal, from place, last uint64, fn func(after place, hash []byte) error) (book.Head, error) {
	w := walker{chain: t.chain, next: from.seq, skip: from.taken, fn: fn}
	if last == 0 {
		return w.head, nil
	}
	err := j.Journal(ctx, from.seq, func(row book.Row) error {
		if err := w.row(&row); err != nil {
			return err
		}
		if row.Seq >= last {
			return errStop
		}
		return nil
	})
	if err != nil && !errors.Is(err, errStop) {
		return book.Head{}, err
	}
	if last != maxSeq && w.head.Seq != last {
		return book.Head{}, fmt.Errorf("%w: it ends before batch %d", ErrHistory, last)
	}
	return w.head, nil
}

type walker struct {
	chain uint16
	next  uint64    // number of the row to come
	skip  uint32    // entries of that row that were taken before
	head  book.Head // the row before, if known
	leaf  []byte
	fn    func(after place, hash []byte) error
}

func (w *walker) row(row *book.Row) error {
	linked := w.head.Seq == 0 || row.Prev == w.head.Hash
	if row.Seq == 1 {
		linked = row.Prev == book.Hash{}
	}
	if row.Seq != w.next || row.Part != w.chain || !linked || row.Hash != book.Link(row.Part, row.Seq, row.Prev, row.Body) {
		return fmt.Errorf("%w: at batch %d the chain is broken", ErrHistory, w.next)
	}
	skip := w.skip
	w.next, w.skip, w.head = row.Seq+1, 0, book.Head{Seq: row.Seq, Hash: row.Hash}
	return book.Entries(row.Body, func(i int, raw []byte) error {
		if uint32(i) < skip {
			return nil
		}
		leaf := newLeaf(row, i, raw)
		w.leaf = leaf.appendTo(w.leaf[:0])
		return w.fn(place{row.Seq, uint32(i) + 1}, hasher.HashLeaf(w.leaf))
	})
}

// find gives the leaf that entry index of batch seq is, and its number.
func (t *Tree) find(ctx context.Context, j Journal, seq uint64, index uint16) (number uint64, leaf Leaf, err error) {
	row, ok, err := j.Row(ctx, seq)
	if err != nil {
		return 0, leaf, err
	}
	if ok {
		err = book.Entries(row.Body, func(i int, raw []byte) error {
			if i == int(index) {
				leaf = newLeaf(&row, i, raw)
			}
			return nil
		})
	}
	if err != nil || leaf.Entry == nil {
		return 0, leaf, errors.Join(fmt.Errorf("%w: batch %d, entry %d", ErrNoEntry, seq, index), err)
	}
	until := place{seq, uint32(index) + 1}
	n := sort.Search(len(t.tiles), func(i int) bool { return !t.tiles[i].end.before(until) })
	number = uint64(n) << tileLevel
	_, err = t.walk(ctx, j, startOf(t.tiles, n), seq, func(after place, _ []byte) error {
		if after == until {
			return errStop
		}
		number++
		return nil
	})
	return number, leaf, err
}

package book

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"path/filepath"

	"jiaozi/book/index"
)

// The two indexes of a shard, folders in the engine's IndexDir.
const (
	keysDir  = "keys"
	linesDir = "lines"
)

func openIndexes(dir string, open func(string, index.Options) (*index.Index, error)) (keys, lines *index.Index, err error) {
	sub := func(name string) string {
		if dir == "" {
			return ""
		}
		return filepath.Join(dir, name)
	}
	if keys, err = open(sub(keysDir), index.Options{Filter: true}); err != nil {
		return nil, nil, fmt.Errorf("index of keys: %w", err)
	}
	if lines, err = open(sub(linesDir), index.Options{}); err != nil {
		return nil, nil, errors.Join(fmt.Errorf("index of statements: %w", err), keys.Close())
	}
	return keys, lines, nil
}

func (l *Ledger) closeIndexes() error {
	if l.keys == nil {
		return nil
	}
	return errors.Join(l.keys.Close(), l.lines.Close())
}

func newMemory(keys, lines *index.Index, chain uint16, o Options) *memory {
	m := &memory{
		cache: newCache(o.Accounts), active: newLayer(1), keys: keys, lines: lines,
		hash: newHasher(keys.Secret()), piece: cmp.Or(o.piece, pieceSize),
	}
	m.days.chain = chain
	m.parts = newOwnership(chain, nil)
	return m
}

// remember makes the memory from the store: it reads how far tables and indexes
// have come and plans the rest of the journal again.
func (l *Ledger) remember(ctx context.Context) (err error) {
	if l.keys == nil {
		if l.keys, l.lines, err = openIndexes(l.engine.IndexDir(), index.Open); err != nil {
			return err
		}
	}
	m := newMemory(l.keys, l.lines, l.engine.Chain(), l.options)
	view, err := l.engine.View(ctx)
	if err != nil {
		return err
	}
	r := &roller{memory: m, source: l.engine, view: view, chain: l.engine.Chain()}
	r.full = func(ctx context.Context) error { return m.behind(ctx, l.engine) }
	if err := errors.Join(r.roll(ctx), view.Close()); err != nil {
		return err
	}
	m.parts = m.parts.within(l.options.Parts) // what is booked is booked, whatever the map says now
	l.memMu.Lock()
	l.known = m
	l.memMu.Unlock()
	return nil
}

// roller brings a memory from what is written behind to the end of the journal.
type roller struct {
	memory *memory
	source source
	view   View
	chain  uint16
	full   func(context.Context) error // makes room in the memory
}

func (r *roller) roll(ctx context.Context) error {
	m := r.memory
	applied, err := r.view.Applied(ctx)
	if err != nil {
		return err
	}
	m.applied = applied.Seq
	if err := r.belongs(ctx, "the tables", applied); err != nil {
		return err
	}
	for _, x := range []*index.Index{m.keys, m.lines} {
		if err := r.belongs(ctx, "an index", Head{x.Seq(), x.Mark()}); err != nil {
			return err
		}
	}
	if err := r.readCalendar(ctx); err != nil {
		return err
	}
	from := min(applied.Seq, m.keys.Seq(), m.lines.Seq())
	if m.head, err = r.headAt(ctx, from); err != nil {
		return err
	}
	for {
		rows, err := r.next(ctx)
		if err != nil || len(rows) == 0 {
			return err
		}
		for i := range rows {
			if err := r.row(ctx, &rows[i]); err != nil {
				return err
			}
		}
	}
}

// Bounds of what is read of the journal at a time.
const (
	rollRows  = 256
	rollBytes = 16 << 20
)

var errEnough = errors.New("enough")

// next reads some rows after the head. They are planned only when the query has
// ended, because planning asks the same view for more.
func (r *roller) next(ctx context.Context) (rows []Row, err error) {
	bytes := 0
	err = r.view.Journal(ctx, r.memory.head.Seq+1, func(row Row) error {
		rows = append(rows, row)
		if bytes += len(row.Body); len(rows) >= rollRows || bytes >= rollBytes {
			return errEnough
		}
		return nil
	})
	if errors.Is(err, errEnough) {
		err = nil
	}
	return rows, err
}

// headAt is the head as it was after a batch.
func (r *roller) headAt(ctx context.Context, seq uint64) (Head, error) {
	if seq == 0 {
		return Head{}, nil
	}
	row, ok, err := r.view.Row(ctx, seq)
	if err == nil && !ok {
		err = fmt.Errorf("%w (journal row %d is missing)", ErrDamaged, seq)
	}
	return Head{seq, row.Hash}, err
}

// belongs checks that something derived was derived from this journal.
func (r *roller) belongs(ctx context.Context, what string, at Head) error {
	if at == (Head{}) {
		return nil
	}
	row, ok, err := r.view.Row(ctx, at.Seq)
	if err != nil {
		return err
	}
	if !ok || row.Hash != at.Hash {
		return fmt.Errorf("%w (%s reflects batch %s, which this journal does not have: if the journal is the right one, "+
			"delete what was derived from another, it is made again)", ErrDamaged, what, at)
	}
	return nil
}

func (r *roller) readCalendar(ctx context.Context) error {
	record, _, err := r.view.Record(ctx, calendarKey(r.chain))
	if err != nil {
		return err
	}
	if r.memory.days, err = parseCalendar(r.chain, record); err != nil {
		return err
	}
	if record, _, err = r.view.Record(ctx, travelsKey(r.chain)); err != nil {
		return err
	}
	travels, err := parseTravels(record)
	r.memory.parts = newOwnership(r.chain, travels)
	return err
}

// row takes one batch in. What the tables have already goes to the index alone.
func (r *roller) row(ctx context.Context, row *Row) error {
	m := r.memory
	entries, err := DecodeBody(row.Seq, row.Body)
	if err != nil {
		return fmt.Errorf("%w: journal row %d: %w", ErrDamaged, row.Seq, err)
	}
	if row.Part != r.chain || row.Seq != m.head.Seq+1 || row.Prev != m.head.Hash || row.Hash != Link(row.Part, row.Seq, row.Prev, row.Body) {
		return fmt.Errorf("%w: journal row %d does not follow batch %s", ErrDamaged, row.Seq, m.head)
	}
	if m.active.full(1) {
		if err := r.full(ctx); err != nil {
			return err
		}
	}
	st := newState(row.Seq, m, len(entries))
	batch := candidatesOf(m, entries)
	if row.Seq <= m.applied {
		for i := range batch {
			st.kept = append(st.kept, answer{&batch[i], &entries[i].Result})
		}
		if err := r.arrivals(ctx, entries); err != nil {
			return err
		}
	} else if err := r.plan(ctx, st, batch, row); err != nil {
		return err
	}
	m.publish(st, Head{row.Seq, row.Hash}, func() {})
	return nil
}

// arrivals tells the index of the slices that came with a batch which the tables
// have.
func (r *roller) arrivals(ctx context.Context, entries []Entry) error {
	for i := range entries {
		e := &entries[i]
		if e.Command.Kind != HandIn || e.Result.Code != OK {
			continue
		}
		a, err := readArrival(ctx, r.view, &e.Command.Handover)
		if err != nil {
			return err
		}
		r.memory.mu.Lock()
		r.memory.publishArrival(a, e.Result.Seq)
		r.memory.mu.Unlock()
	}
	return nil
}

// plan books the batch again and compares: the same plan on the same state gives
// the same bytes.
func (r *roller) plan(ctx context.Context, st *state, batch []candidate, row *Row) error {
	if _, err := r.memory.decide(ctx, r.source, st, batch); err != nil {
		return err
	}
	if !bytes.Equal(st.body(), row.Body) {
		return fmt.Errorf("%w: journal row %d does not follow from what was booked before it", ErrDamaged, row.Seq)
	}
	return nil
}

// candidatesOf turns the entries of a journal row into commands to be planned.
func candidatesOf(m *memory, entries []Entry) []candidate {
	b := &batcher{hash: m.hash}
	batch := make([]candidate, len(entries))
	for i := range entries {
		b.candidate(&batch[i], &entries[i].Command)
	}
	return batch
}

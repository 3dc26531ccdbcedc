package load

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"

	"jiaozi/book"
	"jiaozi/sim/bench/meter"
	"jiaozi/value/lang"
)

// field is a store with its accounts open, and the limits beside it.
type field struct {
	ctx   context.Context // of the run: tasks take no argument
	store Store
	work  *workload
	core  *core
	raw   *meter.File
}

// newField opens the accounts, in the book and in the bare core.
func (r *run) newField(ctx context.Context, s Store) (*field, error) {
	f := &field{ctx: ctx, store: s, work: newWorkload(r.Scale.Accounts, r.Scale.Lag)}
	if err := f.work.open(ctx, s, f.work.accounts); err != nil {
		return nil, err
	}
	log, err := newChecked(r.Dir)
	if err != nil {
		return nil, err
	}
	f.core = newCore(f.work.accounts, log)
	f.raw, err = meter.NewFile(r.Dir)
	return f, err
}

// apply books commands and fails if one was refused: a figure of refusals would
// be a lie.
func (f *field) apply(cmds []book.Command) error { return apply(f.ctx, f.store, cmds) }

func apply(ctx context.Context, s Store, cmds []book.Command) error {
	results, err := s.Apply(ctx, cmds)
	if err != nil {
		return err
	}
	if len(results) != len(cmds) {
		return fmt.Errorf("%d commands got %d results", len(cmds), len(results))
	}
	for i := range results {
		if results[i].Code != book.OK {
			return fmt.Errorf("a %s was refused: %s", cmds[i].Kind, results[i].Code.Explain())
		}
	}
	return nil
}

// each is a task that does something with every batch.
func each(batches []batch, do func(batch) error) meter.Task {
	return func() error {
		for _, b := range batches {
			if err := do(b); err != nil {
				return err
			}
		}
		return nil
	}
}

const commandBytes = 600 // about, of a prepared command with all that belongs to it

// calls prepares batches of one size for the store, and for the bare core the
// same ones.
func (f *field) calls(size, hot int) prepare {
	return func(n int) work {
		batches := make([]batch, n)
		for i := range batches {
			batches[i] = f.work.spends(size, hot)
		}
		return f.beside(batches, each(batches, func(b batch) error { return f.apply(b.cmds) }))
	}
}

// beside puts the bare core beside a task that books the batches.
func (f *field) beside(batches []batch, figure meter.Task) work {
	bare := func(b batch) error { return f.core.apply(b.moves) }
	half := len(batches) / 2
	ops := len(batches) * len(batches[0].cmds)
	return work{
		figure: figure, ops: ops, limitOps: ops,
		limit:     [2]meter.Task{each(batches[:half], bare), each(batches[half:], bare)},
		elsewhere: f.core.bytes() + commandBytes*uint64(ops),
	}
}

const rawBytes = 4096

// single prepares calls of one command each; the limit is the bare disk.
func (f *field) single(n int) work {
	batches := make([]batch, n)
	for i := range batches {
		batches[i] = f.work.spends(1, 0)
	}
	page := make([]byte, rawBytes)
	flushes := meter.Times((n+1)/2, func() error { return f.raw.Write(page) })
	return work{
		figure: each(batches, func(b batch) error { return f.apply(b.cmds) }), ops: n,
		limit: [2]meter.Task{flushes, flushes}, limitOps: 2 * ((n + 1) / 2),
		elsewhere: f.core.bytes() + commandBytes*uint64(n),
	}
}

const storeName = "book.db"

// sqlite measures the embedded engine: in batches, alone, and with many callers,
// all on one store with its accounts open.
func (r *run) sqlite(ctx context.Context) (err error) {
	store, err := r.Engines.SQLite(ctx, filepath.Join(r.Dir, storeName))
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, store.Close()) }()
	f, err := r.newField(ctx, store)
	if err != nil {
		return err
	}
	defer f.close()
	uniform := f.batchLane("sqlite-1000", 1000, 0, 0.15, 0.35)
	hot := f.batchLane("sqlite-1000-hot", 1000, hotPayees, 0, 0)
	hot.more = against(uniform, "of_uniform", 1)
	large := f.batchLane("sqlite-8000", 8000, 0, 0.25, 0.5)
	one := &lane{prepare: f.single, about: Figure{Name: "book/alone", Gate: 0.8, About: lang.Text{
		EN: "one caller, one command in a call; limit: 4 KiB appended and flushed", ZH: "单一调用方，每次一条指令；极限：追加 4 KiB 并刷盘"}}}
	if err := r.race(ctx, uniform, hot, large, one); err != nil {
		return err
	}
	return r.callers(ctx, f)
}

func (f *field) close() {
	f.core.log.file.Close()
	f.raw.Close()
}

// batchLane books commands in calls of one size.
func (f *field) batchLane(name string, size, hot int, gate, aim float64) *lane {
	text := lang.Text{EN: fmt.Sprintf("%d commands in a call", size), ZH: fmt.Sprintf("每次调用 %d 条指令", size)}
	if hot > 0 {
		text.EN += fmt.Sprintf(", %d merchants are all the payees", hot)
		text.ZH += fmt.Sprintf("，收款方仅 %d 家商户", hot)
	}
	text.EN += "; limit: the bare core with the same batches"
	text.ZH += "；极限：裸核心处理同样批次"
	return &lane{prepare: f.calls(size, hot), more: settled, about: Figure{Name: "book/" + name, Gate: gate, Aim: aim, About: text}}
}

// postgres measures the same batches on PostgreSQL.
func (r *run) postgres(ctx context.Context) (err error) {
	const name, size = "postgres-1000", 1000
	dsn, stop, err := r.server(ctx)
	if errors.Is(err, ErrAbsent) {
		return r.missing((*field)(nil).batchLane(name, size, 0, 0, 0), err)
	}
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, stop()) }()
	store, err := r.Engines.Postgres(ctx, dsn)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, store.Close()) }()
	f, err := r.newField(ctx, store)
	if err != nil {
		return err
	}
	defer f.close()
	return r.race(ctx, f.batchLane(name, size, 0, 0.06, 0.08))
}

// server is the database that the caller named, or one for this run alone.
func (r *run) server(ctx context.Context) (dsn string, stop func() error, err error) {
	if r.DSN != "" {
		return r.DSN, func() error { return nil }, nil
	}
	return r.Engines.Server(ctx, r.Dir)
}

package load

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"slices"

	"jiaozi/book"
	"jiaozi/sim/bench/meter"
	"jiaozi/value/lang"
	"jiaozi/value/money"
)

// field is a store with its accounts open, and the limits beside it.
type field struct {
	teller
	work *workload
	core *core
	raw  *meter.File
}

// newField opens the accounts, in the book and in the bare core.
func (r *run) newField(ctx context.Context, s Store) (*field, error) {
	f := &field{teller: teller{ctx: ctx, store: s}, work: newWorkload(r.Scale.Accounts, r.Scale.Lag)}
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

// teller is one store and the memory in which its commands are made.
type teller struct {
	ctx   context.Context // of the run: tasks take no argument
	store Store
	clerk clerk
}

// shelf is how many commands lie ready at a time. Calls of a shelf follow each other
// at once, as those of a caller who has them ready: what a store does after it has
// answered is in the time of the next call.
const shelf = 8 * book.MaxBatch

// book makes calls of orders, one for each size of them, for the store and for
// what bounds it.
func (t *teller) book(orders []order, size int, bare func([]order) error, others uint64) *work {
	parts := slices.Collect(slices.Chunk(orders, size))
	half := len(parts) / 2
	ahead := shelf / size
	t.clerk.room(min(ahead*size, len(orders)))
	var ready [][]book.Command
	return &work{
		calls: len(parts), ops: len(orders), limitOps: len(orders),
		build: func(i int) {
			if i%ahead == 0 {
				cmds := t.clerk.write(orders[i*size : min((i+ahead)*size, len(orders))])
				ready = slices.AppendSeq(ready[:0], slices.Chunk(cmds, size))
			}
		},
		do: func(i int) error {
			err := apply(t.ctx, t.store, ready[i%ahead])
			if err == nil && i%ahead == len(ready)-1 {
				err = settle(t.ctx, t.store)
			}
			return err
		},
		behind: func() error { return finish(t.ctx, t.store) },
		limit:  [2]meter.Task{each(parts[:half], bare), each(parts[half:], bare)},
		others: others + orderBytes*uint64(len(orders)) + t.clerk.bytes(),
	}
}

// settle waits for what a store does after its last answer, before the next calls
// are built and the clock stands: whoever asks for a balance waits for it.
func settle(ctx context.Context, s Store) error {
	l, ok := s.(interface {
		Balance(context.Context, book.AccountID) (money.Amount, bool, error)
	})
	if !ok {
		return nil
	}
	_, _, err := l.Balance(ctx, book.AccountID{})
	return err
}

// finish lets a store do what it put off, if it puts anything off.
func finish(ctx context.Context, s Store) error {
	if l, ok := s.(interface{ WriteBehind(context.Context) error }); ok {
		return l.WriteBehind(ctx)
	}
	return nil
}

// each is a task that does something with every part.
func each(parts [][]order, do func([]order) error) meter.Task {
	return func() error {
		for _, p := range parts {
			if err := do(p); err != nil {
				return err
			}
		}
		return nil
	}
}

// calls are batches of one size; the limit is the bare core with the same ones.
func (f *field) calls(size, hot int) func(int) *work {
	return func(n int) *work {
		return f.book(f.work.spends(n*size, hot), size, f.core.apply, f.core.bytes())
	}
}

// single calls hold one command each; the limit is the bare disk.
func (f *field) single(n int) *work {
	page := make([]byte, rawBytes)
	return f.book(f.work.spends(n, 0), 1, func([]order) error { return f.raw.Write(page) }, f.core.bytes())
}

const rawBytes = 4096

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
	return &lane{prepare: f.calls(size, hot), more: behind, about: Figure{Name: "book/" + name, Gate: gate, Aim: aim, About: text}}
}

// postgres measures the same batches on PostgreSQL.
func (r *run) postgres(ctx context.Context) (err error) {
	const name, size = "postgres-1000", 1000
	dsn, stop, err := r.server()
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
func (r *run) server() (dsn string, stop func() error, err error) {
	if r.DSN != "" {
		return r.DSN, func() error { return nil }, nil
	}
	return r.Engines.Server()
}

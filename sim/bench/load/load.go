// Package load puts the book under full load and says how near it comes to what
// the machine can do: the bare core (a map, balances in memory, a checksummed log
// with one write and one flush for a batch) and the bare disk, both in the same
// run and in turns with each figure. The ratio of the two travels from machine to
// machine; the figure alone does not.
//
// Commands are drawn and built outside the timed region, many calls at a time, so that
// no time to recover lies between one call and the next. A figure is the round whose
// ratio is the median of all rounds, so that its value, limit and ratio belong
// together. What is shared with the limit cannot help the book: while the book is
// timed, the collector runs as often as if the limit's memory were not there, and
// the CPU time of a figure includes what the book does behind the last answer.
//
// The package knows the book as Store and opens it through Engines, given by the
// caller. What needs a process of its own (a pinned core, a crash, clean memory)
// runs in a child: the same program, which calls Child.
//
// Start with Run.
package load

import (
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"time"

	"jiaozi/book"
)

// Store is what is measured: a *book.Ledger, which owns its engine.
type Store interface {
	Apply(ctx context.Context, cmds []book.Command) ([]book.Result, error)
	Close() error
}

// Engines opens the stores that are measured.
type Engines struct {
	// SQLite opens the file at path, and makes it if there is none.
	SQLite func(ctx context.Context, path string) (Store, error)
	// Postgres opens the database that dsn names.
	Postgres func(ctx context.Context, dsn string) (Store, error)
	// Server starts a PostgreSQL for this run alone. An error that wraps ErrAbsent
	// says that there is none on this machine.
	Server func() (dsn string, stop func() error, err error)
}

// ErrAbsent: something that a figure needs is not on this machine. The figure
// says so instead of a number.
var ErrAbsent = errors.New("not on this machine")

// Options says what to measure and where.
type Options struct {
	Engines Engines
	Dir     string   // on the disk that is measured; emptied of what the run made
	DSN     string   // an empty PostgreSQL database; "" = start one
	Long    bool     // also what takes more than some minutes
	Only    []string // names of Stages; empty = all
	Child   []string // program and arguments of a child process
	Scale   Scale
}

// Scale is the size of a run.
type Scale struct {
	Accounts int           // opened with money before anything is timed
	Rounds   int           // of each figure; odd, so that there is a middle
	Span     time.Duration // one round of one figure, about
	Lag      int           // commands between a hold and its capture

	Once     int   // once-keys in the store before they are timed
	LongOnce []int // the same, in a long run
	Entries  int   // in the journal, at a restart after a crash
	Soak     time.Duration
	Extra    int // accounts opened to weigh one in the cache
}

// Full is the scale of the published figures.
func Full() Scale {
	return Scale{
		Accounts: 100_000, Rounds: 5, Span: 6 * time.Second / 5, Lag: 2 * book.MaxBatch,
		Once: 1_000_000, LongOnce: []int{20_000_000, 50_000_000}, Entries: 10_000_000, Soak: 10 * time.Minute, Extra: 900_000,
	}
}

// run is one run of the benchmark.
type run struct {
	Options
	emit func(Figure) error
}

// stages stand in the order in which they are measured.
var stages = []struct {
	name string
	long bool
	do   func(*run, context.Context) error
}{
	{"sqlite", false, (*run).sqlite},
	{"postgres", false, (*run).postgres},
	{"shards", false, (*run).shards},
	{"once", false, (*run).once},
	{"restart", true, (*run).restart},
	{"soak", true, (*run).soak},
}

// Stages are the parts of a run, for Options.Only.
func Stages() []string {
	var names []string
	for _, s := range stages {
		names = append(names, s.name)
	}
	return names
}

// wanted says whether a stage is part of this run.
func (o *Options) wanted(name string, long bool) bool {
	if len(o.Only) > 0 {
		return slices.Contains(o.Only, name)
	}
	return o.Long || !long
}

// Run measures and hands each figure over as it is known.
func Run(ctx context.Context, o Options, emit func(Figure) error) error {
	for _, name := range o.Only {
		if !slices.Contains(Stages(), name) {
			return fmt.Errorf("the benchmark of the book has no part %q: use some of %q", name, Stages())
		}
	}
	r := &run{Options: o, emit: emit}
	for _, s := range stages {
		if !o.wanted(s.name, s.long) {
			continue
		}
		if err := r.stage(ctx, s.do); err != nil {
			return fmt.Errorf("benchmark of the book, %s: %w", s.name, err)
		}
	}
	return nil
}

// stage runs one stage in a folder of its own, so that the next one starts with
// the disk as the first one did.
func (r *run) stage(ctx context.Context, do func(*run, context.Context) error) error {
	dir, err := os.MkdirTemp(r.Dir, "load-*")
	if err != nil {
		return err
	}
	inner := *r
	inner.Dir = dir
	return errors.Join(do(&inner, ctx), os.RemoveAll(dir))
}

// publish hands the figures of lanes over, in order.
func (r *run) publish(lanes ...*lane) error {
	for _, l := range lanes {
		if err := r.emit(l.figure()); err != nil {
			return err
		}
	}
	return nil
}

// missing says that a lane could not be measured, and why.
func (r *run) missing(l *lane, why error) error {
	l.about.Missing = why.Error()
	return r.emit(l.about)
}

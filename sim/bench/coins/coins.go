// Package coins measures blind coins: the scheme's own operations on one core, each
// beside what the group library alone needs for it, and the mint behind its API on
// the embedded store, beside the same cryptography without API and store.
//
// The first kind is CPU time, the median of rounds in turns with the limit; the
// second is by the clock, on all cores, and a figure is the round whose ratio is the
// median. Keys, coins and payments are made before anything is timed. What a coin
// weighs, on the wire and in the store, stands beside the speed of what it goes
// through.
//
// Start with Run; scheme.go has the first kind, till.go the second, group.go the
// limits.
package coins

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"jiaozi/sim/bench/load"
	"jiaozi/sim/bench/meter"
)

// Options says what to measure and where.
type Options struct {
	Dir   string   // on the disk that is measured; the run makes its files in it
	Only  []string // names of Stages; empty = all
	Scale Scale
}

// Scale is the size of a run.
type Scale struct {
	Batches []int // sizes of the batches that are verified
	People  int   // who withdraw at the same time
	Tills   int   // merchants' tills that deposit at the same time
	Rounds  int   // of the figures by the clock; odd, so that there is a middle
	Coins   int   // of one round, about
}

// Full is the scale of the published figures.
func Full() Scale {
	return Scale{Batches: []int{1024, 4096}, People: 8, Tills: 4, Rounds: 5, Coins: 3072}
}

// run is one run of the benchmark.
type run struct {
	Options
	emit func(load.Figure) error
}

// stages stand in the order in which they are measured.
var stages = []struct {
	name string
	do   func(*run, context.Context) error
}{
	{"scheme", (*run).scheme},
	{"mint", (*run).mint},
}

// Stages are the parts of a run, for Options.Only.
func Stages() []string {
	var names []string
	for _, s := range stages {
		names = append(names, s.name)
	}
	return names
}

// Run measures and hands each figure over as it is known.
func Run(ctx context.Context, o Options, emit func(load.Figure) error) error {
	for _, name := range o.Only {
		if !slices.Contains(Stages(), name) {
			return fmt.Errorf("the benchmark of coins has no part %q: use some of %q", name, Stages())
		}
	}
	r := &run{Options: o, emit: emit}
	for _, s := range stages {
		if len(o.Only) > 0 && !slices.Contains(o.Only, s.name) {
			continue
		}
		if err := s.do(r, ctx); err != nil {
			return fmt.Errorf("benchmark of coins, %s: %w", s.name, err)
		}
	}
	return nil
}

// scheme measures on one core.
func (r *run) scheme(ctx context.Context) (err error) {
	restore, err := meter.OneCore()
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, restore()) }()
	t, err := newTown(slices.Max(r.Scale.Batches))
	if err != nil {
		return err
	}
	for _, f := range t.figures(r.Scale.Batches) {
		took, err := meter.Clock(meter.CPU).Race(ctx, f.do, f.limit)
		if err != nil {
			return fmt.Errorf("%s: %w", f.Name, err)
		}
		perOp, perLimit := took[0]/float64(f.ops), took[1]/float64(f.ops)
		f.Ops, f.Limit, f.CPU = 1e9/perOp, 1e9/perLimit, perOp/1e3
		if err := r.emit(f.Figure); err != nil {
			return err
		}
	}
	return nil
}

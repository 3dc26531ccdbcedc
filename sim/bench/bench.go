// Package bench measures what the house promises about speed, on the machine it
// runs on, with the rooms that do the real work: cards that answer APDUs, a
// terminal with its journal on the disk, an issuer on an embedded book.
//
// Every figure stands beside a limit taken in the same run, in turns with it:
// what the machine would need for the same thing with nothing around it (the
// bytes copied, the powers computed, the same bytes flushed). The ratio of the
// two travels from machine to machine; the figure alone does not.
//
// Times are CPU time of the process, collector included, unless a figure is
// about waiting for the disk: those are by the clock and say so. Each is the
// median of several rounds. A run is bounded to some seconds and leaves nothing
// behind but what the caller's directory holds.
//
// The book under full load is measured in sim/bench/load. Start here with Names
// and Run; docs/performance.md has figures and reads them.
package bench

import (
	"context"
	"fmt"
	"slices"

	"jiaozi/value/lang"
)

// Figure is one measured value beside what bounds it.
type Figure struct {
	Name  string // benchmark/figure
	Value float64
	Unit  string
	Limit float64
	About lang.Text // what was measured, and against what
}

// Ratio is the value in limits.
func (f Figure) Ratio() float64 { return f.Value / f.Limit }

// Emit is called for each figure, as it is known.
type Emit func(Figure) error

type benchmark struct {
	name string
	run  func(ctx context.Context, dir string, emit Emit) error
}

// benchmarks stand in the order in which a payment meets them.
var benchmarks = []benchmark{
	{"tap", benchTap},
	{"iso8583", benchMessage},
	{"upload", benchUpload},
}

// Names lists the benchmarks.
func Names() []string {
	var names []string
	for _, b := range benchmarks {
		names = append(names, b.name)
	}
	return names
}

// Run takes the figures of one benchmark. Files go into dir, which is the disk
// that is measured.
func Run(ctx context.Context, name, dir string, emit Emit) error {
	i := slices.IndexFunc(benchmarks, func(b benchmark) bool { return b.name == name })
	if i < 0 {
		return fmt.Errorf("there is no benchmark %q: use one of %q", name, Names())
	}
	if err := benchmarks[i].run(ctx, dir, emit); err != nil {
		return fmt.Errorf("benchmark %s: %w", name, err)
	}
	return nil
}

// emitAll hands figures over in order.
func emitAll(emit Emit, figures ...Figure) error {
	for _, f := range figures {
		if err := emit(f); err != nil {
			return err
		}
	}
	return nil
}

const microsecond = 1e3 // in nanoseconds

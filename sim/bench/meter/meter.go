// Package meter times things on a machine that other people use too: the CPU
// time of the process or the clock on the wall, tasks played in turns so that
// whatever disturbs one disturbs the other, medians instead of means, and the
// disk with nothing around it. It knows nothing of what is measured.
//
// Start with Clock.Race for tasks that can be repeated at will, and with
// Clock.Spent for those that cannot.
package meter

import (
	"context"
	"fmt"
	"slices"
	"syscall"
	"time"
)

// Rounds is how often Race plays each task.
const Rounds = 21

// RoundSpan is the time for one round of all that Race compares. Tests, which
// look at the form of figures and not at their values, shorten it.
var RoundSpan = time.Second / 15

// Clock is a time that only differences are taken of: CPU or Wall.
type Clock func() time.Duration

// CPU is the CPU time of this process, in user and kernel, all threads: what a
// garbage collector or a writer's goroutine costs belongs to the figure.
func CPU() time.Duration {
	var use syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &use); err != nil {
		panic(fmt.Sprintf("meter: getrusage: %v", err)) // the call has no other failure than a bad argument
	}
	return time.Duration(use.Utime.Nano() + use.Stime.Nano())
}

var start = time.Now()

// Wall is the clock on the wall, for what waits for the disk.
func Wall() time.Duration { return time.Since(start) }

// Task is something that can be done over and over.
type Task func() error

// Times does a task n times.
func Times(n int, do Task) Task {
	return func() error {
		for range n {
			if err := do(); err != nil {
				return err
			}
		}
		return nil
	}
}

// Spent measures one call.
func (c Clock) Spent(do Task) (time.Duration, error) {
	before := c()
	err := do()
	return c() - before, err
}

// Race measures tasks in turns, so that whatever disturbs the machine disturbs
// them alike, and gives the median time of one call of each, in nanoseconds.
func (c Clock) Race(ctx context.Context, tasks ...Task) ([]float64, error) {
	took, err := c.Rounds(ctx, tasks...)
	if err != nil {
		return nil, err
	}
	medians := make([]float64, len(took))
	for i := range took {
		medians[i] = Median(took[i])
	}
	return medians, nil
}

// Rounds gives the nanoseconds of one call of each task, in every round.
func (c Clock) Rounds(ctx context.Context, tasks ...Task) ([][]float64, error) {
	counts := make([]int, len(tasks))
	for i, do := range tasks {
		n, err := c.calls(do, RoundSpan/time.Duration(len(tasks)))
		if err != nil {
			return nil, err
		}
		counts[i] = n
	}
	took := make([][]float64, len(tasks))
	for range Rounds {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		for i, do := range tasks {
			d, err := c.Spent(Times(counts[i], do))
			if err != nil {
				return nil, err
			}
			took[i] = append(took[i], float64(d)/float64(counts[i]))
		}
	}
	return took, nil
}

// calls finds how many calls of a task take about span, warming it up.
func (c Clock) calls(do Task, span time.Duration) (int, error) {
	const enough = time.Millisecond // CPU time is counted in microseconds
	for n := 1; ; n *= 2 {
		d, err := c.Spent(Times(n, do))
		if err != nil {
			return 0, err
		}
		if d >= enough {
			return max(1, int(int64(span)*int64(n)/int64(d))), nil
		}
	}
}

// Median sorts the list and gives its middle.
func Median(list []float64) float64 {
	slices.Sort(list)
	return list[len(list)/2]
}

// Quantile gives the smallest value that a share q (0 to 1) of the sorted list
// does not exceed: no interpolation, it is a value that occurred.
func Quantile(sorted []time.Duration, q float64) time.Duration {
	if len(sorted) == 0 {
		return 0
	}
	rank := int(q * float64(len(sorted)))
	if float64(rank) < q*float64(len(sorted)) {
		rank++ // up to the next whole rank
	}
	return sorted[min(max(rank, 1), len(sorted))-1]
}

package bench

import (
	"context"
	"fmt"
	"slices"
	"syscall"
	"time"
)

const rounds = 21 // of every comparison

// roundSpan is the time for one round of all that is compared. Tests, which look
// at the form of figures and not at their values, shorten it.
var roundSpan = time.Second / 15

// meter is a clock that only differences are taken of.
type meter func() time.Duration

// cpu is the CPU time of this process, in user and kernel, all threads: what a
// garbage collector or a writer's goroutine costs belongs to the figure.
func cpu() time.Duration {
	var use syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &use); err != nil {
		panic(fmt.Sprintf("bench: getrusage: %v", err)) // the call has no other failure than a bad argument
	}
	return time.Duration(use.Utime.Nano() + use.Stime.Nano())
}

var start = time.Now()

// wall is the clock on the wall, for what waits for the disk.
func wall() time.Duration { return time.Since(start) }

// task is something that can be done over and over.
type task func() error

// times does a task n times.
func times(n int, do task) task {
	return func() error {
		for range n {
			if err := do(); err != nil {
				return err
			}
		}
		return nil
	}
}

// spent measures one call.
func (m meter) spent(do task) (time.Duration, error) {
	before := m()
	err := do()
	return m() - before, err
}

// race measures tasks in turns, so that whatever disturbs the machine disturbs
// them alike, and gives the median time of one call of each, in nanoseconds.
func (m meter) race(ctx context.Context, tasks ...task) ([]float64, error) {
	took, err := m.rounds(ctx, tasks...)
	if err != nil {
		return nil, err
	}
	medians := make([]float64, len(took))
	for i := range took {
		medians[i] = median(took[i])
	}
	return medians, nil
}

// rounds gives the time of one call of each task, in every round.
func (m meter) rounds(ctx context.Context, tasks ...task) ([][]float64, error) {
	counts := make([]int, len(tasks))
	for i, do := range tasks {
		n, err := m.calls(do, roundSpan/time.Duration(len(tasks)))
		if err != nil {
			return nil, err
		}
		counts[i] = n
	}
	took := make([][]float64, len(tasks))
	for range rounds {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		for i, do := range tasks {
			d, err := m.spent(times(counts[i], do))
			if err != nil {
				return nil, err
			}
			took[i] = append(took[i], float64(d)/float64(counts[i]))
		}
	}
	return took, nil
}

// calls finds how many calls of a task take about span, warming it up.
func (m meter) calls(do task, span time.Duration) (int, error) {
	const enough = time.Millisecond // CPU time is counted in microseconds
	for n := 1; ; n *= 2 {
		d, err := m.spent(times(n, do))
		if err != nil {
			return 0, err
		}
		if d >= enough {
			return max(1, int(int64(span)*int64(n)/int64(d))), nil
		}
	}
}

func median(list []float64) float64 {
	slices.Sort(list)
	return list[len(list)/2]
}

const microsecond = 1e3 // in nanoseconds

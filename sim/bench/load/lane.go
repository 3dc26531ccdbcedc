package load

import (
	"cmp"
	"context"
	"runtime"
	"runtime/debug"
	"slices"
	"time"

	"jiaozi/sim/bench/meter"
)

// lane is one way of working, timed beside its limit, round by round.
type lane struct {
	about   Figure // all that is known before: name, gate, aim, text
	prepare prepare
	more    func(l *lane) []Extra // what to say beside the speed; may be nil

	calls   int // of one round, found by calibrate
	samples []sample
}

// prepare makes n calls ready, outside the timed region.
type prepare func(n int) work

// work is ready to be timed. The limit runs before and after the figure, half
// and half, so that a machine that slows down slows both.
type work struct {
	figure    meter.Task
	limit     [2]meter.Task
	ops       int    // operations of the figure
	limitOps  int    // of both halves together
	elsewhere uint64 // bytes on the heap that belong to the limit and the callers
}

// sample is one round.
type sample struct {
	ops, limit float64       // a second
	cpu        float64       // microseconds an operation
	settle     time.Duration // work of the figure behind its last answer
}

func (s sample) ratio() float64 { return s.ops / s.limit }

// race plays lanes in turns and publishes their figures.
func (r *run) race(ctx context.Context, lanes ...*lane) error {
	for _, l := range lanes {
		if err := r.calibrate(l); err != nil {
			return err
		}
	}
	for range r.Scale.Rounds {
		for _, l := range lanes {
			if err := ctx.Err(); err != nil {
				return err
			}
			s, err := r.play(l.prepare(l.calls))
			if err != nil {
				return err
			}
			l.samples = append(l.samples, s)
		}
	}
	return r.publish(lanes...)
}

// calibrate finds how many calls fill a round, and warms everything up.
func (r *run) calibrate(l *lane) error {
	const most = 1 << 18 // operations prepared at a time: memory is not free
	for n := 2; ; n *= 2 {
		w := l.prepare(n)
		took, err := meter.Clock(meter.Wall).Spent(w.figure)
		if err != nil {
			return err
		}
		if took < r.Scale.Span/4 && w.ops < most {
			continue
		}
		l.calls = max(2, int(int64(r.Scale.Span)*int64(n)/int64(took)))
		l.calls = min(l.calls, max(2, most*n/w.ops))
		return nil
	}
}

// play times one round.
func (r *run) play(w work) (s sample, err error) {
	var took, before, after time.Duration
	wall := meter.Clock(meter.Wall)
	if before, err = wall.Spent(w.limit[0]); err != nil {
		return s, err
	}
	restore := alone(w.elsewhere)
	used := meter.CPU()
	if took, err = wall.Spent(w.figure); err != nil {
		return s, err
	}
	s.settle = settle(r.Scale.Settle)
	used = meter.CPU() - used
	restore()
	if after, err = wall.Spent(w.limit[1]); err != nil {
		return s, err
	}
	s.ops = float64(w.ops) / took.Seconds()
	s.limit = float64(w.limitOps) / (before + after).Seconds()
	s.cpu = float64(used.Nanoseconds()) / microsecond / float64(w.ops)
	return s, nil
}

const microsecond = 1e3 // in nanoseconds

// alone lets the collector run as often as if so many bytes were not on the
// heap: a large heap would make it rare, and the limit's would flatter the book.
func alone(elsewhere uint64) (restore func()) {
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	const usual, least = 100, 5 // percent
	own := m.HeapAlloc - min(elsewhere, m.HeapAlloc)
	old := debug.SetGCPercent(max(least, int(usual*own/max(1, m.HeapAlloc))))
	return func() { debug.SetGCPercent(old) }
}

// settle waits until the process is at rest and says how long it worked on.
func settle(most time.Duration) time.Duration {
	const step, idle = 2 * time.Millisecond, 5 // at rest: less than a fifth of a step is used
	start, used := meter.Wall(), meter.CPU()
	last := start
	for quiet := 0; quiet < 3 && meter.Wall()-start < most; {
		time.Sleep(step)
		now := meter.CPU()
		if quiet++; now-used > step/idle {
			quiet, last = 0, meter.Wall()
		}
		used = now
	}
	return last - start
}

// figure is the round in the middle.
func (l *lane) figure() Figure {
	sorted := slices.SortedFunc(slices.Values(l.samples), func(a, b sample) int { return cmp.Compare(a.ratio(), b.ratio()) })
	f, s := l.about, sorted[len(sorted)/2]
	f.Ops, f.Limit, f.CPU = s.ops, s.limit, s.cpu
	if l.more != nil {
		f.More = append(f.More, l.more(l)...)
	}
	return f
}

// settled says how long the book worked behind its answers, in the middle round.
func settled(l *lane) []Extra {
	var list []float64
	for _, s := range l.samples {
		list = append(list, s.settle.Seconds()*1e3)
	}
	return []Extra{{Name: "settle_ms", Value: meter.Median(list)}}
}

// against gives the speed of a lane in those of another, round by round.
func against(other *lane, name string, least float64) func(*lane) []Extra {
	return func(l *lane) []Extra {
		var list []float64
		for i, s := range l.samples {
			list = append(list, s.ops/other.samples[i].ops)
		}
		return []Extra{{Name: name, Value: meter.Median(list), Min: least}}
	}
}

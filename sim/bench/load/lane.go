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
	about   Figure                // all that is known before: name, gate, aim, text
	prepare func(calls int) *work // makes a round ready
	more    func(*lane) []Extra   // what to say beside the speed; may be nil

	calls   int // of one round, found by calibrate
	samples []sample
}

// work is a round, ready to be timed. The limit runs before and after the
// figure, half and half, so that a machine that slows down slows both.
type work struct {
	calls    int
	build    func(call int) // makes a call ready; not timed
	do       func(call int) error
	behind   meter.Task // finishes what the book put off
	limit    [2]meter.Task
	ops      int    // operations of the figure
	limitOps int    // of both halves together
	others   uint64 // bytes on the heap that belong to the limit and the callers
}

// sample is one round.
type sample struct {
	ops, limit float64       // a second
	cpu        float64       // microseconds an operation
	took       time.Duration // until the last answer
	behind     time.Duration // then, to finish what was put off
}

func (s sample) ratio() float64 { return s.ops / s.limit }

// waited is the ratio if what was put off had been waited for.
func (s sample) waited() float64 { return s.ratio() * s.took.Seconds() / (s.took + s.behind).Seconds() }

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
			s, err := l.prepare(l.calls).play()
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
	const most = 1 << 20 // operations made ready at a time: memory is not free
	for n := 2; ; n *= 2 {
		w := l.prepare(n)
		took, err := w.book()
		if err != nil {
			return err
		}
		if took < r.Scale.Span/8 && 2*w.ops < most {
			continue
		}
		l.calls = int(int64(r.Scale.Span) * int64(n) / int64(took))
		l.calls = max(2, min(l.calls, most*n/w.ops))
		return w.behind()
	}
}

// book does the calls one after the other. Building them is not in the time.
func (w *work) book() (took time.Duration, err error) {
	for i := range w.calls {
		w.build(i)
		start := meter.Wall()
		if err := w.do(i); err != nil {
			return took, err
		}
		took += meter.Wall() - start
	}
	return took, nil
}

// play times one round.
func (w *work) play() (s sample, err error) {
	wall := meter.Clock(meter.Wall)
	before, err := wall.Spent(w.limit[0])
	if err != nil {
		return s, err
	}
	restore := alone(w.others)
	used := meter.CPU()
	took, err := w.book()
	if err != nil {
		return s, err
	}
	if s.behind, err = wall.Spent(w.behind); err != nil {
		return s, err
	}
	used = meter.CPU() - used
	restore()
	after, err := wall.Spent(w.limit[1])
	if err != nil {
		return s, err
	}
	s.took, s.ops = took, float64(w.ops)/took.Seconds()
	s.limit = float64(w.limitOps) / (before + after).Seconds()
	s.cpu = float64(used.Nanoseconds()) / microsecond / float64(w.ops)
	return s, nil
}

const microsecond = 1e3 // in nanoseconds

// alone lets the collector run as often as if so many bytes were not on the
// heap: a large heap would make it rare, and the limit's would flatter the book.
func alone(others uint64) (restore func()) {
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	const usual, least = 100, 2 // percent
	own := m.HeapAlloc - min(others, m.HeapAlloc)
	old := debug.SetGCPercent(max(least, int(usual*own/max(1, m.HeapAlloc))))
	return func() { debug.SetGCPercent(old) }
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

// behind says how much the book had put off at the end of a round, and what the
// ratio is if nothing had been.
func behind(l *lane) []Extra {
	var late, ratio []float64
	for _, s := range l.samples {
		late = append(late, s.behind.Seconds()*1e3)
		ratio = append(ratio, s.waited())
	}
	return []Extra{{Name: "behind_ms", Value: meter.Median(late)}, {Name: "ratio_waited", Value: meter.Median(ratio)}}
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

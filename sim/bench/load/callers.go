package load

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"jiaozi/sim/bench/meter"
	"jiaozi/value/lang"
)

// crowds are the numbers of concurrent callers that are measured.
var crowds = []int{64, 1024}

// callers measures what one of many callers sees: each sends one command and
// waits for the answer before it sends the next.
func (r *run) callers(ctx context.Context, f *field) error {
	var lanes []*lane
	for _, n := range crowds {
		c := &crowd{field: f, size: n}
		lanes = append(lanes, &lane{prepare: c.prepare, more: c.more, about: Figure{Name: fmt.Sprintf("book/callers-%d", n), About: lang.Text{
			EN: fmt.Sprintf("%d callers, one command in a call; limit: the bare core in batches of %d", n, n),
			ZH: fmt.Sprintf("%d 个并发调用方，每次一条指令；极限：裸核心每批 %d 条", n, n)}}})
	}
	return r.race(ctx, lanes...)
}

// crowd is a number of callers and how long they waited, over all rounds.
type crowd struct {
	*field
	size   int
	waited [][]time.Duration // by round, those of the warm-up first
}

// prepare makes one call of the whole rush: n commands for every caller.
func (c *crowd) prepare(n int) *work {
	orders := c.work.spends(n*c.size, 0)
	w := c.book(orders, c.size, c.core.apply, c.core.bytes())
	w.calls, w.build, w.do = 1, func(int) {}, func(int) error { return c.rush(orders) }
	return w
}

// rush lets the callers take order after order until all are answered.
func (c *crowd) rush(orders []order) error {
	waits := make([]time.Duration, len(orders))
	errs := make([]error, c.size)
	var next atomic.Int64
	var callers sync.WaitGroup
	for n := range c.size {
		callers.Go(func() {
			var desk clerk
			for errs[n] == nil {
				i := int(next.Add(1)) - 1
				if i >= len(orders) {
					return
				}
				cmds := desk.write(orders[i : i+1])
				start := meter.Wall()
				errs[n] = apply(c.ctx, c.store, cmds)
				waits[i] = meter.Wall() - start
			}
		})
	}
	callers.Wait()
	c.waited = append(c.waited, waits)
	return errors.Join(errs...)
}

// more gives the waiting times of the calls of all rounds.
func (c *crowd) more(l *lane) []Extra {
	waited := slices.Concat(c.waited[len(c.waited)-len(l.samples):]...)
	slices.Sort(waited)
	var list []Extra
	for _, q := range []struct {
		name  string
		share float64
	}{{"p50_us", 0.5}, {"p99_us", 0.99}, {"p99_9_us", 0.999}} {
		list = append(list, Extra{Name: q.name, Value: float64(meter.Quantile(waited, q.share)) / microsecond})
	}
	return list
}

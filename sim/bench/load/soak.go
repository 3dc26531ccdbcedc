package load

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"slices"
	"time"

	"jiaozi/sim/bench/meter"
	"jiaozi/value/lang"
)

const (
	soakBatch       = 1000
	soakReportEvery = time.Second
	privateGrowth   = 1.1 // at most, from when the caches are warm to the end
	accountBytes    = 120 // at most, of a cached account
)

// soak keeps a book at full load for minutes and watches its memory.
func (r *run) soak(ctx context.Context) error {
	weight, err := r.weight(ctx)
	if err != nil {
		return err
	}
	bare, err := r.bare()
	if err != nil {
		return err
	}
	c, err := r.spawn(ctx, "soak", -1)
	if err != nil {
		return err
	}
	defer c.kill()
	var sum report
	var private, mapped []float64
	for sum.Took < r.Scale.Soak {
		rep, err := c.read()
		if err != nil {
			return err
		}
		sum.Ops, sum.Took, sum.CPU = sum.Ops+rep.Ops, sum.Took+rep.Took, sum.CPU+rep.CPU
		private, mapped = append(private, float64(rep.Private)), append(mapped, float64(rep.Mapped))
	}
	if err := c.end(); err != nil {
		return err
	}
	again, err := r.bare()
	if err != nil {
		return err
	}
	f := Figure{Name: "book/soak", Ops: sum.rate(), Limit: (bare + again) / 2, CPU: sum.cpu(), More: append(flat(private, mapped), weight), About: lang.Text{
		EN: fmt.Sprintf("%d commands in a call without a pause for %v; limit: the bare core before and after", soakBatch, r.Scale.Soak),
		ZH: fmt.Sprintf("每次 %d 条指令，连续 %v 不停；极限：裸核心（前后各测一次）", soakBatch, r.Scale.Soak)}}
	return r.emit(f)
}

// flat compares the memory of the last tenth of the time with that of the third
// one: by then the cache of accounts and SQLite's are full, and layers have been
// sealed and merged. Each is a median, because between two collections the heap
// doubles. The bound is for what is the process's own. The filters of the index
// are mapped files: they grow with the keys, so what of them is in memory is told
// too, but it is the kernel's, which needs no leave to take it back.
func flat(private, mapped []float64) []Extra {
	const mega = 1e6
	warm, last := tenth(private, 2), tenth(private, 9)
	return []Extra{
		{Name: "private_mb", Value: last / mega},
		{Name: "private_growth", Value: last / max(1, warm), Max: privateGrowth},
		{Name: "mapped_mb", Value: tenth(mapped, 9) / mega},
		{Name: "mapped_mb_warm", Value: tenth(mapped, 2) / mega},
	}
}

// tenth is the median of the n-th tenth of a list, counted from 0.
func tenth(list []float64, n int) float64 {
	from := len(list) * n / 10
	return meter.Median(slices.Clone(list[from:max(from+1, len(list)*(n+1)/10)]))
}

// bare is the speed of the bare core.
func (r *run) bare() (float64, error) {
	work := newWorkload(r.Scale.Accounts, r.Scale.Lag)
	log, err := newChecked(r.Dir)
	if err != nil {
		return 0, err
	}
	defer log.file.Close()
	c := newCore(work.accounts, log)
	var rep report
	for rep.Took < r.Scale.Span*2 {
		orders := work.spends(soakBatch, 0)
		took, err := meter.Clock(meter.Wall).Spent(func() error { return c.apply(orders) })
		if err != nil {
			return 0, err
		}
		rep.Ops, rep.Took = rep.Ops+soakBatch, rep.Took+took
	}
	return rep.rate(), nil
}

// soak is the child: it books until its parent has seen enough, and reports
// every second. Commands are drawn beside the booking.
func (w *worker) soak() error {
	work, err := w.open()
	if err != nil {
		return err
	}
	ready := make(chan []order, 2)
	enough := make(chan struct{})
	defer close(enough)
	go func() {
		for {
			select {
			case ready <- work.spends(soakBatch, 0):
			case <-enough:
				return
			}
		}
	}()
	for left := w.Scale.Soak; left > 0; {
		rep, err := w.watch(ready)
		if err != nil {
			return err
		}
		left -= rep.Took
		if err := w.say(rep); err != nil {
			return err
		}
	}
	return nil
}

// watch books for a while and looks at the memory then.
func (w *worker) watch(ready <-chan []order) (rep report, err error) {
	start, used := meter.Wall(), meter.CPU()
	for rep.Took < min(soakReportEvery, w.Scale.Soak) {
		orders := <-ready
		if err := apply(w.ctx, w.store, w.clerk.write(orders)); err != nil {
			return rep, err
		}
		rep.Ops += len(orders)
		rep.Took = meter.Wall() - start
	}
	rep.CPU = meter.CPU() - used
	rep.Private, rep.Mapped, err = meter.Memory()
	if errors.Is(err, errors.ErrUnsupported) {
		err = nil
	}
	return rep, err
}

// weight measures what an account weighs in the cache.
func (r *run) weight(ctx context.Context) (Extra, error) {
	c, err := r.spawn(ctx, "weight", -1)
	if err != nil {
		return Extra{}, err
	}
	defer c.kill()
	rep, err := c.read()
	if err != nil {
		return Extra{}, err
	}
	return Extra{Name: "bytes_per_account", Value: rep.Bytes, Max: accountBytes}, c.end()
}

// weight is the child: the heap before and after many more accounts are known.
func (w *worker) weight() error {
	work, err := w.open()
	if err != nil {
		return err
	}
	more := newWorkload(w.Scale.Extra, 0)
	before, err := w.heap()
	if err != nil {
		return err
	}
	if err := work.open(w.ctx, w.store, more.accounts); err != nil {
		return err
	}
	after, err := w.heap()
	if err != nil {
		return err
	}
	runtime.KeepAlive(more)
	return w.say(report{Bytes: (float64(after) - float64(before)) / float64(w.Scale.Extra)})
}

// heap is what lives on it when the book has nothing left to do.
func (w *worker) heap() (uint64, error) {
	if err := finish(w.ctx, w.store); err != nil {
		return 0, err
	}
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.HeapAlloc, nil
}

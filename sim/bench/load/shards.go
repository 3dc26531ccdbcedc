package load

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"jiaozi/sim/bench/meter"
	"jiaozi/value/lang"
)

const shardBatch = 1000

// shards measures two shards on a core each, with files of their own, against
// one of them alone.
func (r *run) shards(ctx context.Context) error {
	l := &lane{about: Figure{Name: "book/two-shards", Gate: 1.8, Aim: 2, About: lang.Text{
		EN: fmt.Sprintf("two shards on a core each, %d commands in a call; limit: one of them alone", shardBatch),
		ZH: fmt.Sprintf("两个分片各占一核，每次 %d 条指令；极限：其中之一独自运行", shardBatch)}}}
	free := cores()
	if len(free) < 2 {
		return r.missing(l, fmt.Errorf("%w: a second processor core", ErrAbsent))
	}
	var pair [2]*child
	for i := range pair {
		c, err := r.spawn(ctx, "shard", free[i])
		if err != nil {
			return err
		}
		defer c.kill()
		pair[i] = c
	}
	if _, err := reports(pair[:]...); err != nil { // both are ready
		return err
	}
	for round := range r.Scale.Rounds {
		s, err := shardRound(pair, round)
		if err != nil {
			return err
		}
		l.samples = append(l.samples, s)
	}
	if err := errors.Join(pair[0].end(), pair[1].end()); err != nil {
		return err
	}
	return r.publish(l)
}

// shardRound times each alone and both together; who is first changes.
func shardRound(pair [2]*child, round int) (s sample, err error) {
	first, second := pair[round%2], pair[1-round%2]
	var sums [3]sample
	for i, group := range [3][]*child{{first}, {first, second}, {second}} {
		for _, c := range group {
			if err := c.next(); err != nil {
				return s, err
			}
		}
		if sums[i], err = reports(group...); err != nil {
			return s, err
		}
	}
	return sample{ops: sums[1].ops, cpu: sums[1].cpu, limit: (sums[0].ops + sums[2].ops) / 2}, nil
}

// reports adds up what children did at the same time.
func reports(group ...*child) (sum sample, err error) {
	var all report
	for _, c := range group {
		rep, err := c.read()
		if err != nil {
			return sum, err
		}
		sum.ops += rep.rate()
		all.Ops, all.CPU = all.Ops+rep.Ops, all.CPU+rep.CPU
	}
	sum.cpu = all.cpu()
	return sum, nil
}

// shard is the child: it books for a span when it is told to. The next span is
// drawn before it answers, so that little but booking is done in a span.
func (w *worker) shard() error {
	work, err := w.open()
	if err != nil {
		return err
	}
	ready, err := w.warm(work)
	if err != nil {
		return err
	}
	var last report
	for {
		work.forget() // what the last span did not reach
		orders := work.spends(ready, 0)
		alone(orderBytes * uint64(ready))
		if err := w.say(last); err != nil {
			return err
		}
		more, err := w.step()
		if err != nil || !more {
			return err
		}
		if last, err = w.span(orders); err != nil {
			return err
		}
	}
}

// open opens the accounts.
func (w *worker) open() (*workload, error) {
	work := newWorkload(w.Scale.Accounts, w.Scale.Lag)
	return work, work.open(w.ctx, w.store, work.accounts)
}

// warm finds how many commands no span can use up.
func (w *worker) warm(work *workload) (int, error) {
	for n := 2 * shardBatch; ; n *= 2 {
		rep, err := w.span(work.spends(n, 0))
		if err != nil {
			return 0, err
		}
		if rep.Took >= w.Scale.Span/4 {
			return shardBatch * (2 + int(3*w.Scale.Span*time.Duration(rep.Ops)/rep.Took/shardBatch)), nil
		}
	}
}

// span books batch after batch until the time is over, and finishes what the book
// put off: with one core, somebody has to wait for it.
func (w *worker) span(orders []order) (report, error) {
	start, used := meter.Wall(), meter.CPU()
	var rep report
	for batch := range slices.Chunk(orders, shardBatch) {
		if err := apply(w.ctx, w.store, w.clerk.write(batch)); err != nil {
			return rep, err
		}
		rep.Ops += len(batch)
		if rep.Took = meter.Wall() - start; rep.Took >= w.Scale.Span {
			break
		}
	}
	err := finish(w.ctx, w.store)
	rep.Took, rep.CPU = meter.Wall()-start, meter.CPU()-used
	return rep, err
}

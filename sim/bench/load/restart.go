package load

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"

	"jiaozi/book"
	"jiaozi/sim/bench/meter"
	"jiaozi/value/lang"
)

const (
	restartSeconds = 10 // at most, for Scale.Entries
	fillBatch      = book.MaxBatch
)

// restart kills a book at work and measures how long the next one needs until it
// has answered a command.
func (r *run) restart(ctx context.Context) error {
	c, err := r.spawn(ctx, "fill", -1)
	if err != nil {
		return err
	}
	defer c.kill()
	entries := 0
	for entries < r.Scale.Entries {
		rep, err := c.read()
		if err != nil {
			return err
		}
		entries += rep.Ops
	}
	if err := c.kill(); err != nil {
		return err
	}
	took, used := meter.Wall(), meter.CPU()
	store, err := r.Engines.SQLite(ctx, filepath.Join(c.dir, storeName))
	if err != nil {
		return err
	}
	err = apply(ctx, store, new(clerk).write(newWorkload(0, 0).keysOnly(1)))
	took, used = meter.Wall()-took, meter.CPU()-used
	rep := report{Ops: entries, Took: took, CPU: used}
	return errors.Join(err, store.Close(), r.emit(Figure{
		Name: "book/restart-" + short(r.Scale.Entries), Ops: rep.rate(), Limit: float64(entries) / restartSeconds, Gate: 1, CPU: rep.cpu(),
		More: []Extra{{Name: "seconds", Value: took.Seconds()}}, About: lang.Text{
			EN: fmt.Sprintf("entries of a killed book until the next one answers; limit: all in %d seconds", restartSeconds),
			ZH: fmt.Sprintf("进程被杀后重新打开并应答，按日志条目计；极限：全部在 %d 秒内", restartSeconds)}}))
}

// fill is the child: it books until it is killed.
func (w *worker) fill() error {
	work, err := w.open()
	for err == nil {
		cmds := w.clerk.write(work.spends(fillBatch, 0))
		if err = apply(w.ctx, w.store, cmds); err == nil {
			err = w.say(report{Ops: fillBatch})
		}
	}
	return err
}

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

const onceBatch = 1000

// once measures taking once-keys, when many are taken already: in a store of
// which nothing else is known, and in a map as large.
func (r *run) once(ctx context.Context) (err error) {
	store, err := r.Engines.SQLite(ctx, filepath.Join(r.Dir, storeName))
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, store.Close()) }()
	log, err := newChecked(r.Dir)
	if err != nil {
		return err
	}
	defer log.file.Close()
	o := &onceField{ctx: ctx, store: store, work: newWorkload(0, 0), keys: &keys{make(map[[keyBytes]byte]struct{}), log}}
	sizes := []int{r.Scale.Once}
	if r.Long {
		sizes = append(sizes, r.Scale.LongOnce...)
	}
	for _, n := range sizes {
		if err := o.grow(n); err != nil {
			return err
		}
		if err := r.race(ctx, &lane{prepare: o.prepare, more: settled, about: Figure{Name: "book/once-" + short(n), About: lang.Text{
			EN: fmt.Sprintf("once-keys taken, %d in a call, %s there already; limit: a map as large and a log", onceBatch, short(n)),
			ZH: fmt.Sprintf("登记一次性键，每次 %d 个，已有 %s 个；极限：同样大小的映射加日志", onceBatch, short(n))}}}); err != nil {
			return err
		}
	}
	return nil
}

// short writes a round number of millions with an m.
func short(n int) string {
	const million = 1_000_000
	if n%million == 0 {
		return fmt.Sprintf("%dm", n/million)
	}
	return fmt.Sprint(n)
}

type onceField struct {
	ctx   context.Context
	store Store
	work  *workload
	keys  *keys
}

// grow takes keys until there are n.
func (o *onceField) grow(n int) error {
	for len(o.keys.seen) < n {
		b := o.work.keysOnly(min(book.MaxBatch, n-len(o.keys.seen)))
		if err := apply(o.ctx, o.store, b.cmds); err != nil {
			return err
		}
		if err := o.keys.apply(b.cmds); err != nil {
			return err
		}
	}
	return nil
}

func (o *onceField) prepare(n int) work {
	batches := make([]batch, n)
	for i := range batches {
		batches[i] = o.work.keysOnly(onceBatch)
	}
	ops, half := n*onceBatch, n/2
	bare := func(b batch) error { return o.keys.apply(b.cmds) }
	return work{
		figure: each(batches, func(b batch) error { return apply(o.ctx, o.store, b.cmds) }), ops: ops,
		limit: [2]meter.Task{each(batches[:half], bare), each(batches[half:], bare)}, limitOps: ops,
		elsewhere: o.keys.bytes() + commandBytes*uint64(ops),
	}
}

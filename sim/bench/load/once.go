package load

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"

	"jiaozi/book"
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
	o := &onceField{teller{ctx: ctx, store: store}, newWorkload(0, 0), &keys{make(map[[keyBytes]byte]struct{}), log}}
	sizes := []int{r.Scale.Once}
	if r.Long {
		sizes = append(sizes, r.Scale.LongOnce...)
	}
	for _, n := range sizes {
		if err := o.grow(n); err != nil {
			return err
		}
		if err := r.race(ctx, &lane{prepare: o.prepare, more: behind, about: Figure{Name: "book/once-" + short(n), About: lang.Text{
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
	teller
	work *workload
	keys *keys
}

// grow takes keys until there are n.
func (o *onceField) grow(n int) error {
	for len(o.keys.seen) < n {
		orders := o.work.keysOnly(min(book.MaxBatch, n-len(o.keys.seen)))
		if err := apply(o.ctx, o.store, o.clerk.write(orders)); err != nil {
			return err
		}
		if err := o.keys.apply(orders); err != nil {
			return err
		}
	}
	return finish(o.ctx, o.store)
}

func (o *onceField) prepare(n int) *work {
	return o.book(o.work.keysOnly(n*onceBatch), onceBatch, o.keys.apply, o.keys.bytes())
}

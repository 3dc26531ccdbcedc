package index

import (
	"errors"
	"io/fs"
	"maps"
	"math/rand/v2"
	"slices"
	"sync"
)

var errFault = errors.New("the disk failed")

// How an operation fails: it does nothing, it does half of it, or it does all of
// it and says that it did not.
const (
	nothing = iota
	half
	all
	faultKinds
)

// faulty is a folder that remembers what was synced and what was not, and fails
// at one operation or from one on.
type faulty struct {
	mu      sync.Mutex
	ops     int
	failAt  int // 0: never
	dead    bool
	kind    int
	files   map[string]*faultyFile
	durable map[string]*faultyFile
	pending []func(map[string]*faultyFile) // changes of names that are not durable yet
}

func newFaulty() *faulty {
	return &faulty{files: make(map[string]*faultyFile), durable: make(map[string]*faultyFile)}
}

// op counts an operation and says whether it fails, and whether it has effect.
func (d *faulty) op() (effect int, err error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.ops++
	if d.ops == d.failAt || d.dead && d.failAt > 0 && d.ops > d.failAt {
		return d.kind, errFault
	}
	return all, nil
}

func (d *faulty) change(fn func(map[string]*faultyFile)) error {
	effect, err := d.op()
	if effect == all {
		d.mu.Lock()
		defer d.mu.Unlock()
		fn(d.files)
		d.pending = append(d.pending, fn)
	}
	return err
}

func (d *faulty) path(name string) string { return name }

func (d *faulty) create(name string) (file, error) {
	f := &faultyFile{disk: d}
	if err := d.change(func(m map[string]*faultyFile) { m[name] = f }); err != nil {
		return nil, err
	}
	return f, nil
}

func (d *faulty) open(name string) (file, error) {
	if _, err := d.op(); err != nil {
		return nil, err
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	if f := d.files[name]; f != nil {
		return f, nil
	}
	return nil, fs.ErrNotExist
}

func (d *faulty) rename(from, to string) error {
	d.mu.Lock()
	f := d.files[from]
	d.mu.Unlock()
	return d.change(func(m map[string]*faultyFile) {
		delete(m, from)
		m[to] = f
	})
}

func (d *faulty) remove(name string) error {
	return d.change(func(m map[string]*faultyFile) { delete(m, name) })
}

func (d *faulty) names() ([]string, error) {
	if _, err := d.op(); err != nil {
		return nil, err
	}
	return slices.Sorted(maps.Keys(d.files)), nil
}

func (d *faulty) sync() error {
	effect, err := d.op()
	if effect == all {
		d.mu.Lock()
		defer d.mu.Unlock()
		d.durable, d.pending = maps.Clone(d.files), nil
	}
	return err
}

// crash is the disk after the power came back: each change that was not synced
// is there or not, by the dice, in any combination.
func (d *faulty) crash(dice *rand.Rand) *faulty {
	after := newFaulty()
	names := maps.Clone(d.durable)
	for _, change := range d.pending {
		if dice.IntN(2) == 0 {
			change(names)
		}
	}
	for name, f := range names {
		g := &faultyFile{disk: after, data: f.afterCrash(dice)}
		g.synced = slices.Clone(g.data)
		after.files[name], after.durable[name] = g, g
	}
	return after
}

type faultyFile struct {
	disk         *faulty
	data, synced []byte
}

// afterCrash mixes what was synced with what was not, sector by sector.
func (f *faultyFile) afterCrash(dice *rand.Rand) []byte {
	const sector = 512
	size := len(f.synced)
	if more := len(f.data) - size; more > 0 {
		size += dice.IntN(more + 1)
	}
	after := make([]byte, size)
	copy(after, f.synced)
	for at := 0; at < size; at += sector {
		if dice.IntN(2) == 0 {
			copy(after[at:min(at+sector, size)], f.data[at:])
		}
	}
	return after
}

func (f *faultyFile) Write(p []byte) (int, error) {
	effect, err := f.disk.op()
	n := []int{nothing: 0, half: len(p) / 2, all: len(p)}[effect]
	f.data = append(f.data, p[:n]...)
	return n, err
}

func (f *faultyFile) WriteAt(p []byte, at int64) (int, error) {
	effect, err := f.disk.op()
	n := []int{nothing: 0, half: len(p) / 2, all: len(p)}[effect]
	file := memoryFile{f.data}
	file.WriteAt(p[:n], at)
	f.data = file.data
	return n, err
}

func (f *faultyFile) ReadAt(p []byte, at int64) (int, error) {
	if _, err := f.disk.op(); err != nil {
		return 0, err
	}
	return (&memoryFile{f.data}).ReadAt(p, at)
}

func (f *faultyFile) Map(size int64) ([]byte, error) {
	if _, err := f.disk.op(); err != nil {
		return nil, err
	}
	return f.data[:size], nil
}

func (f *faultyFile) Size() (int64, error) {
	_, err := f.disk.op()
	return int64(len(f.data)), err
}

func (f *faultyFile) Sync() error {
	effect, err := f.disk.op()
	if effect == all {
		f.synced = slices.Clone(f.data)
	}
	return err
}

func (f *faultyFile) Close() error {
	_, err := f.disk.op()
	return err
}

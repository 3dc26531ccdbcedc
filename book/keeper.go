package book

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"jiaozi/book/index"
)

// keeper writes behind: what the journal has and the tables and the index lack.
// It takes a whole layer of memory at a time, so that an account that a thousand
// commands touched is written once. If it fails, nothing is lost and it tries
// again; the writer stops taking commands only when memory is full.
type keeper struct {
	ledger *Ledger
	work   sync.Mutex    // held for a turn, and by whoever replaces the memory
	wake   chan struct{} // holds a token when a layer is full
	freed  chan struct{} // holds a token when a turn has ended
	quit   chan struct{}
	done   chan struct{}
	untidy chan struct{} // holds a token when the index has grown
	tidied chan struct{} // closed when nobody merges any more

	mu       sync.Mutex
	failed   error // of the last turn
	unmerged error // of the last merge
}

func newKeeper(l *Ledger) *keeper {
	return &keeper{
		ledger: l, wake: make(chan struct{}, 1), freed: make(chan struct{}, 1),
		quit: make(chan struct{}), done: make(chan struct{}),
		untidy: make(chan struct{}, 1), tidied: make(chan struct{}),
	}
}

func (k *keeper) run() {
	defer close(k.done)
	ticker := time.NewTicker(k.ledger.options.Behind)
	defer ticker.Stop()
	for {
		select {
		case <-k.quit:
			return
		case <-k.wake:
		case <-ticker.C:
		}
		k.turn(context.Background())
	}
}

// merge makes few runs of many, beside the keeper: a merge of a large index takes the
// time of many layers, which would wait in memory.
func (k *keeper) merge() {
	defer close(k.tidied)
	for {
		select {
		case <-k.quit:
			return
		case <-k.untidy:
		}
		err := k.mergeAll(k.ledger.keys, k.ledger.lines)
		k.mu.Lock()
		k.unmerged = err
		k.mu.Unlock()
	}
}

// mergeAll merges until nothing is due. Once the ledger has stopped, another writer
// may be the one who merges here.
func (k *keeper) mergeAll(indexes ...*index.Index) error {
	for _, x := range indexes {
		for more := true; more && k.ledger.halted() == nil; {
			var err error
			if more, err = x.Merge(); err != nil {
				return fmt.Errorf("merge the index: %w", err)
			}
		}
	}
	return nil
}

// turn writes one layer behind, if there is something, and has the index merged.
func (k *keeper) turn(ctx context.Context) error {
	k.work.Lock()
	defer k.work.Unlock()
	// Once the ledger has stopped, another writer may be the one who writes here.
	err := k.ledger.halted()
	if err == nil {
		err = k.ledger.mem().behind(ctx, k.ledger.engine)
	}
	token(k.untidy)
	k.mu.Lock()
	k.failed = errors.Join(err, k.unmerged)
	k.mu.Unlock()
	token(k.freed)
	return err
}

func token(c chan struct{}) {
	select {
	case c <- struct{}{}:
	default:
	}
}

// room waits until memory can take another batch.
func (k *keeper) room(m *memory) error {
	if m.full(1) {
		token(k.wake)
	}
	for m.full(2) {
		<-k.freed
		k.mu.Lock()
		err := k.failed
		k.mu.Unlock()
		if err != nil && m.full(2) {
			return fmt.Errorf("the tables cannot be written behind: %w", err)
		}
		token(k.wake)
	}
	return nil
}

// close writes everything behind. What could not be written is made again from
// the journal, so a failure here is told and loses nothing. A merge on its way gives
// up when its index closes, and is made again.
func (k *keeper) close() error {
	close(k.quit)
	<-k.done
	var err error
	if k.ledger.halted() == nil {
		err = k.ledger.WriteBehind(context.Background())
	}
	err = errors.Join(err, k.ledger.closeIndexes())
	<-k.tidied
	return errors.Join(err, k.ledger.engine.Close())
}

func (m *memory) full(times int) bool {
	m.mu.RLock()
	defer m.mu.RUnlock()
	return m.active.full(times)
}

// behind writes one layer to tables and index.
func (m *memory) behind(ctx context.Context, engine Engine) error {
	f := m.freeze()
	if f == nil {
		return nil
	}
	if f.change.At.Seq > m.applied {
		f.change.sort()
		if err := engine.Flush(ctx, f.change); err != nil {
			return fmt.Errorf("write the tables behind: %w", err)
		}
	}
	at := f.change.At
	if err := m.keys.Seal(f.keys.entries(), at.Seq, at.Hash); err != nil {
		return fmt.Errorf("write the index behind: %w", err)
	}
	if err := m.lines.Seal(f.lines, at.Seq, at.Hash); err != nil {
		return fmt.Errorf("write the index of statements behind: %w", err)
	}
	m.release(f)
	m.spare = f.emptied()
	return m.thin()
}

// maxRuns is how many runs an index may have before writing behind waits for merges:
// several layers for each size of runs. A question asks every run.
const maxRuns = 64

// thin merges an index of too many runs, after whoever merges it now. That is what
// holds a writer up who is faster than merging, and what merges while a journal is
// rolled forward, before there is a keeper.
func (m *memory) thin() error {
	for _, x := range []*index.Index{m.keys, m.lines} {
		for more := true; more && x.Runs() > maxRuns; {
			var err error
			if more, err = x.Merge(); err != nil {
				return fmt.Errorf("merge the index: %w", err)
			}
		}
	}
	return nil
}

// freeze passes the active layer on, or finds the one that is still on its way.
func (m *memory) freeze() *layer {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.frozen == nil {
		if m.active.empty() {
			return nil
		}
		m.active.change = m.changeOf(m.active)
		m.frozen = m.active
		m.active = m.next()
	}
	return m.frozen
}

// release forgets a layer that is written.
func (m *memory) release(f *layer) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, i := range f.dirty {
		if s := &m.cache.slots[i]; s.dirty == f.number {
			s.dirty = 0
		}
	}
	m.applied = max(m.applied, f.last)
	m.frozen = nil
}

// changeOf copies what the tables must be told about a layer.
func (m *memory) changeOf(l *layer) *Change {
	c := &Change{At: m.head, Gone: l.gone, Outbox: l.outbox}
	for _, i := range l.dirty {
		s := &m.cache.slots[i]
		if spec := l.opened[s.id]; spec != nil {
			c.Opened = append(c.Opened, AccountRow{*spec, s.state()})
		} else {
			c.Accounts = append(c.Accounts, StateRow{s.id, s.state()})
		}
	}
	for space, records := range l.records {
		for key, r := range records {
			c.Records = append(c.Records, RecordRow{Key{space, key}, r})
		}
	}
	for _, h := range l.holds {
		c.Holds = append(c.Holds, h)
	}
	for number := range l.done {
		c.Done = append(c.Done, number)
	}
	return c
}

func (c *Change) sort() {
	slices.SortFunc(c.Opened, func(a, b AccountRow) int { return compare16(a.ID, b.ID) })
	slices.SortFunc(c.Accounts, func(a, b StateRow) int { return compare16(a.ID, b.ID) })
	slices.SortFunc(c.Records, func(a, b RecordRow) int { return compareKeys(a.Key, b.Key) })
	slices.SortFunc(c.Holds, func(a, b HoldChange) int { return compare16(a.ID, b.ID) })
	slices.Sort(c.Done)
}

package shard

import (
	"context"
	"errors"
	"fmt"
	"sync"

	"jiaozi/book"
)

// Opener opens the store of a shard. It returns ErrElsewhere for a shard that
// another process runs.
type Opener func(ctx context.Context, s Shard) (book.Engine, error)

// Options of Open. The zero value is what most want.
type Options struct {
	// Reload reads the map again after a shard has said that a part moved; nil
	// says that the map never changes.
	Reload func(ctx context.Context) (Map, error)
	// Ledger are the options of every ledger; Parts is set from the map.
	Ledger book.Options
}

// What callers tell apart.
var (
	// ErrElsewhere: another process runs the shard; ask there.
	ErrElsewhere = errors.New("shard: run by another process")
	// ErrSpans: no one shard keeps all that a command touches. Give what belongs
	// together keys that begin alike, or move value with Transfer.
	ErrSpans = errors.New("shard: a command spans shards")
	// ErrMoving: a part is between two shards. Ask again in a moment.
	ErrMoving = errors.New("shard: a part is between two shards; ask again in a moment")
	// ErrNoPlace: a command touches nothing, so nothing says where it belongs.
	// Apply it to the ledger that is meant, see (*Shards).Ledger.
	ErrNoPlace = errors.New("shard: a command belongs nowhere")
)

// Shards are the ledgers of this process under one map. All methods may be called
// from any goroutine.
type Shards struct {
	opener  Opener
	options Options
	mu      sync.RWMutex
	now     *table // replaced whole
	// carrying is held for reading while value moves between shards, so that an
	// audit can look at all of them at one moment.
	carrying sync.RWMutex
}

// table is a map and the ledgers of its local shards.
type table struct {
	Map
	ledgers map[string]*book.Ledger
}

// Open opens the local ledgers of a map.
func Open(ctx context.Context, m Map, opener Opener, o Options) (*Shards, error) {
	s := &Shards{opener: opener, options: o, now: &table{}}
	if err := s.take(ctx, m); err != nil {
		return nil, errors.Join(fmt.Errorf("open shards: %w", err), s.Close())
	}
	return s, nil
}

// take adopts a map. Ledgers that are open stay open: what they keep is in their
// journals.
func (s *Shards) take(ctx context.Context, m Map) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	next := &table{Map: m, ledgers: map[string]*book.Ledger{}}
	for name, l := range s.now.ledgers {
		next.ledgers[name] = l
	}
	s.now = &table{s.now.Map, next.ledgers} // what is open now is closed by Close, even if the rest fails
	for _, line := range m.Shards() {
		if next.ledgers[line.Name] != nil {
			continue
		}
		l, err := s.open(ctx, line)
		if errors.Is(err, ErrElsewhere) {
			continue
		}
		if err != nil {
			return fmt.Errorf("shard %s: %w", line.Name, err)
		}
		next.ledgers[line.Name] = l
	}
	s.now = next
	return nil
}

func (s *Shards) open(ctx context.Context, line Shard) (*book.Ledger, error) {
	engine, err := s.opener(ctx, line)
	if err != nil {
		return nil, err
	}
	if have := engine.Chain(); have != line.Chain {
		return nil, errors.Join(fmt.Errorf("%w: the store has chain %d, the map says %d: it is the store of another shard",
			ErrMap, have, line.Chain), engine.Close())
	}
	o := s.options.Ledger
	o.Parts = line.Parts
	l, err := book.OpenWith(ctx, engine, o)
	if err != nil {
		return nil, errors.Join(err, engine.Close())
	}
	return l, nil
}

// reload adopts the map as it is now.
func (s *Shards) reload(ctx context.Context) error {
	if s.options.Reload == nil {
		return nil
	}
	m, err := s.options.Reload(ctx)
	if err == nil {
		err = s.take(ctx, m)
	}
	if err != nil {
		return fmt.Errorf("a part has moved; read the shard map again: %w", err)
	}
	return nil
}

// Close closes every ledger.
func (s *Shards) Close() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	var errs []error
	for name, l := range s.now.ledgers {
		if err := l.Close(); err != nil {
			errs = append(errs, fmt.Errorf("close shard %s: %w", name, err))
		}
	}
	return errors.Join(errs...)
}

func (s *Shards) table() *table {
	s.mu.RLock()
	defer s.mu.RUnlock()
	return s.now
}

// Map is the map in use.
func (s *Shards) Map() Map { return s.table().Map }

// Ledger is the ledger of a shard: for what is done shard by shard, such as
// opening business days or reading outboxes.
func (s *Shards) Ledger(name string) (*book.Ledger, error) { return s.table().ledger(name) }

func (t *table) ledger(name string) (*book.Ledger, error) {
	if l := t.ledgers[name]; l != nil {
		return l, nil
	}
	return nil, fmt.Errorf("%w: %s", ErrElsewhere, name)
}

// local lists the shards of this process, in the order of the map.
func (t *table) local() (list []Shard) {
	for _, line := range t.Shards() {
		if t.ledgers[line.Name] != nil {
			list = append(list, line)
		}
	}
	return list
}

package shard

import (
	"context"
	"errors"
	"fmt"

	"jiaozi/book"
	"jiaozi/value/clock"
)

// Road copies the carried rows of one part from the source's store to the
// target's. Every method may be called again after a crash.
type Road interface {
	// Start begins to copy what is written from now on, and goes on by itself.
	Start(ctx context.Context) error
	// Arrived reports whether the target has on its disk all that the source had
	// when it was asked.
	Arrived(ctx context.Context) (bool, error)
	// End stops copying and leaves nothing of it behind, whether it began or not.
	End(ctx context.Context) error
}

// Move is a part on its way to another shard. The same Move, run again, goes on
// where it stopped.
type Move struct {
	Part uint16
	From string // the shard that keeps the part now
	To   string
	Date clock.Date // business date of the steps
	Road Road
	// Wait pauses before the road is asked again.
	Wait func(ctx context.Context) error
	// Save keeps the new map where every process finds it, durably.
	Save func(ctx context.Context, m Map) error
}

// Move moves a part between two shards of this process while both are in use. The
// part itself cannot be written between the fence and the new map: commands that
// touch it get PartMoved meanwhile, and reads go on until the source has handed
// it out. In that time what was booked during the copy is sent, and the slice is read
// on both sides to compare it; the copying itself is done before.
//
//	the slice is copied -> Leave at the source (fence) -> the rest of the slice
//	-> HandOut at the source -> HandIn at the target -> new map -> tidy up
//
// If it fails or is stopped, run it again. Before HandOut nothing has changed but
// that the part is fenced, after it the target alone can go on; there is no
// moment at which both keep the part. ErrUnsent asks for the part's messages to
// be delivered first.
func (s *Shards) Move(ctx context.Context, m Move) error {
	if err := s.move(ctx, &m); err != nil {
		return fmt.Errorf("move part %d from shard %s to %s: %w", m.Part, m.From, m.To, err)
	}
	return nil
}

func (s *Shards) move(ctx context.Context, m *Move) error {
	t := s.table()
	next, err := t.Moved(m.Part, m.To)
	if err != nil {
		return err
	}
	source, err := t.ledger(m.From)
	if err != nil {
		return err
	}
	target, err := t.ledger(m.To)
	if err != nil {
		return err
	}
	if owner := t.Of(m.Part).Name; owner == m.From {
		if err := s.carry(ctx, m, source, target); err != nil {
			return err
		}
		if err := m.Save(ctx, next); err != nil {
			return fmt.Errorf("save the new map: %w", err)
		}
		if err := s.take(ctx, next); err != nil {
			return err
		}
	} else if owner != m.To {
		return fmt.Errorf("%w: shard %s keeps it", ErrMap, owner)
	}
	if err := m.Road.End(ctx); err != nil {
		return err
	}
	return source.Forget(ctx, m.Part, s.chainOf(m.From))
}

// Abandon gives a move up that has not handed the part out yet, and puts the part
// back into use where it was.
func (s *Shards) Abandon(ctx context.Context, m Move) error {
	if err := s.abandon(ctx, &m); err != nil {
		return fmt.Errorf("abandon the move of part %d from shard %s to %s: %w", m.Part, m.From, m.To, err)
	}
	return nil
}

func (s *Shards) abandon(ctx context.Context, m *Move) error {
	t := s.table()
	source, err := t.ledger(m.From)
	if err != nil {
		return err
	}
	target, err := t.ledger(m.To)
	if err != nil {
		return err
	}
	if target.Keeps(m.Part) {
		return fmt.Errorf("%w: shard %s keeps it already", book.ErrNotHere, m.To)
	}
	if err := source.Stay(ctx, m.Part, m.Date); err != nil {
		return err
	}
	if err := m.Road.End(ctx); err != nil {
		return err
	}
	chain := s.chainOf(m.From)
	return errors.Join(target.Forget(ctx, m.Part, chain), source.Forget(ctx, m.Part, chain))
}

// carry takes the part over: all but the map.
func (s *Shards) carry(ctx context.Context, m *Move, source, target *book.Ledger) error {
	if source.Shows(m.Part) { // not handed out: what the target would refuse later stops the move now
		if err := target.CanTake(ctx, m.Part, s.chainOf(m.From), m.Date); err != nil {
			return err
		}
	}
	if err := m.Road.Start(ctx); err != nil {
		return err
	}
	if _, err := source.CarryOut(ctx, m.Part); err != nil {
		return err
	}
	if err := m.arrive(ctx); err != nil {
		return err
	}
	h, err := s.handOut(ctx, m, source)
	if err != nil {
		return err
	}
	if err := m.arrive(ctx); err != nil {
		return err
	}
	return target.HandIn(ctx, h, m.Date)
}

// handOut delivers what the part has in the outbox before and after it leaves:
// what cannot be delivered is better learned before. Messages to the part wait,
// and follow it; they do not stop it.
func (s *Shards) handOut(ctx context.Context, m *Move, source *book.Ledger) (book.Handover, error) {
	_, pumping := s.Pump(ctx, m.Date)
	if source.Keeps(m.Part) {
		if err := source.Unsent(ctx, m.Part); err != nil {
			return book.Handover{}, errors.Join(err, pumping)
		}
		if err := source.Leave(ctx, m.Part, s.chainOf(m.To), m.Date); err != nil {
			return book.Handover{}, err
		}
		_, pumping = s.Pump(ctx, m.Date)
	}
	h, err := source.HandOut(ctx, m.Part, s.chainOf(m.To), m.Date)
	if err != nil {
		return h, errors.Join(err, pumping)
	}
	return h, nil
}

func (s *Shards) chainOf(name string) uint16 {
	for _, line := range s.Map().Shards() {
		if line.Name == name {
			return line.Chain
		}
	}
	return book.Parts
}

// arrive waits until the road has brought everything.
func (m *Move) arrive(ctx context.Context) error {
	for {
		arrived, err := m.Road.Arrived(ctx)
		if err != nil || arrived {
			return err
		}
		if err := errors.Join(m.Wait(ctx), ctx.Err()); err != nil {
			return err
		}
	}
}

package issuer

import (
	"context"
	"fmt"

	"jiaozi/book"
	"jiaozi/value/clock"
	"jiaozi/value/ident"
)

// step is one command about one card: what moves, what rides along, and the
// card as it is afterwards.
type step struct {
	card    *Card // afterwards; nil leaves the card alone
	posting book.Posting
	once    []book.Once
	put     []book.Put
	out     []book.Out
	alert   *Alert
	last    bool // the task is done when this is booked
}

// task decides about one card, one step after the other. Each step is decided
// on the card as it stands, booked, and only then the next one decided.
type task interface {
	// next decides. A nil step means that nothing (more) is to be booked. The
	// card must not be changed; a step carries its own copy.
	next(ctx context.Context, c *Card) (*step, error)
	// refused tells why the book did not take the step: a once-key was taken
	// (Prior says by what) or an account does not hold enough. The next call of
	// next must decide otherwise.
	refused(r book.Result) error
}

const (
	// maxStale bounds how often a decision is made again because the card
	// changed meanwhile. Each time another caller got ahead, so this is reached
	// only if one card is used by dozens of callers at once.
	maxStale = 64
	// maxSteps bounds the steps of one task: each open question of a card can
	// cost one, each refusal one.
	maxSteps = 2*maxFlagged + 16
)

// work is the line of tasks of one card.
type work struct {
	ref     ident.CardRef
	tasks   []task
	card    *Card
	version uint64
	stale   int
	steps   int
	current *step
}

// run carries out the work of many cards in rounds: every card contributes its
// next step, and one call of the book takes the steps of all. A card never has
// two steps in one batch: the second would build on a version that the first
// may not get.
func (i *Issuer) run(ctx context.Context, date clock.Date, cards []*work) error {
	for _, w := range cards {
		if err := i.load(ctx, w); err != nil {
			return err
		}
	}
	for len(cards) > 0 {
		batch, waiting, err := i.round(ctx, date, cards)
		if err != nil {
			return err
		}
		if len(batch) == 0 {
			return nil
		}
		results, err := i.door.Apply(ctx, batch)
		if err != nil {
			return fmt.Errorf("issuer %s: book %d commands: %w", i.cfg.Inst, len(batch), err)
		}
		for k, w := range waiting {
			if err := i.conclude(ctx, w, results[k]); err != nil {
				return err
			}
		}
		cards = waiting
	}
	return nil
}

// round asks every card for its next step.
func (i *Issuer) round(ctx context.Context, date clock.Date, cards []*work) (batch []book.Command, waiting []*work, err error) {
	for _, w := range cards {
		if err := w.decide(ctx); err != nil {
			return nil, nil, err
		}
		if w.current == nil {
			continue
		}
		batch = append(batch, i.command(w, date))
		waiting = append(waiting, w)
	}
	return batch, waiting, nil
}

func (w *work) decide(ctx context.Context) error {
	w.current = nil
	for len(w.tasks) > 0 {
		next, err := w.tasks[0].next(ctx, w.card)
		if err != nil {
			return err
		}
		if next != nil {
			w.current = next
			return nil
		}
		w.advance()
	}
	return nil
}

func (w *work) advance() { w.tasks, w.steps = w.tasks[1:], 0 }

// command turns the current step into one command. Its id follows from all that
// it says, so the same decision on the same version is the same command.
func (i *Issuer) command(w *work, date clock.Date) book.Command {
	s := w.current
	cmd := s.posting.Command(book.ID{}, date)
	cmd.Once, cmd.Out = s.once, s.out
	cmd.Put = append(cmd.Put, s.put...)
	parts := []any{string(i.cfg.Inst), cmd.Event, uint32(date), w.version, w.ref[:]}
	if s.card != nil {
		value := appendCard(nil, s.card)
		cmd.Put = append(cmd.Put, book.Put{Space: i.space(spaceCard), Key: w.ref[:], Expect: w.version, Value: value})
		parts = append(parts, value)
	}
	if s.alert != nil {
		cmd.Put = append(cmd.Put, i.alertPut(w, date, s.alert))
	}
	for _, o := range s.once {
		parts = append(parts, o.Space, o.Key, o.Value)
	}
	cmd.ID = book.DeriveID(parts...)
	return cmd
}

// conclude takes the book's answer to the current step.
func (i *Issuer) conclude(ctx context.Context, w *work, r book.Result) error {
	if w.steps++; w.steps > maxSteps {
		return fmt.Errorf("issuer %s: card %s: %d steps did not settle one record: %w", i.cfg.Inst, w.ref, w.steps, ErrBusy)
	}
	switch r.Code {
	case book.OK:
		if w.current.card != nil {
			w.card, w.stale = w.current.card, 0
			w.version++
			if w.version == 1 { // just created: versions do not start with 1
				if err := i.load(ctx, w); err != nil {
					return err
				}
			}
		}
		if w.current.last {
			w.advance()
		}
		return nil
	case book.VersionConflict:
		if w.stale++; w.stale > maxStale {
			return fmt.Errorf("card %s: %w", w.ref, ErrBusy)
		}
		w.steps--
		return i.load(ctx, w)
	case book.Exists, book.Insufficient:
		if err := w.tasks[0].refused(r); err != nil {
			return err
		}
		return i.load(ctx, w)
	default:
		return fmt.Errorf("issuer %s: card %s: %s was refused: %s", i.cfg.Inst, w.ref, w.current.posting.Event, r.Code.Explain())
	}
}

// load reads the card of some work as it stands.
func (i *Issuer) load(ctx context.Context, w *work) error {
	var err error
	w.card, w.version, err = i.read(ctx, w.ref)
	return err
}

// read gets a card; nil if it is not registered.
func (i *Issuer) read(ctx context.Context, ref ident.CardRef) (*Card, uint64, error) {
	value, version, err := i.door.Get(ctx, i.space(spaceCard), ref[:])
	if err != nil {
		return nil, 0, fmt.Errorf("issuer %s: read card %s: %w", i.cfg.Inst, ref, err)
	}
	if version == 0 {
		return nil, 0, nil
	}
	c, err := decodeCard(value)
	if err != nil {
		return nil, 0, fmt.Errorf("card %s: %w", ref, err)
	}
	return c, version, nil
}

// runOne carries out one task about one card.
func (i *Issuer) runOne(ctx context.Context, date clock.Date, ref ident.CardRef, t task) error {
	return i.run(ctx, date, []*work{{ref: ref, tasks: []task{t}}})
}

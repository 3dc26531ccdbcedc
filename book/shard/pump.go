package shard

import (
	"context"
	"errors"
	"fmt"

	"jiaozi/book"
	"jiaozi/value/clock"
)

// pumpPage is how many messages are carried in one go.
const pumpPage = 512

// Pump carries value that is on its way between shards of this process, until
// nothing moves any more, and says how many messages arrived. It is booked with
// the date of the day on which it arrives. Pump may stop or crash anywhere, and
// run many times at once: what was carried is not carried again.
//
// An error says what could not be carried and why; it stays on its way, and the
// next Pump tries again.
func (s *Shards) Pump(ctx context.Context, today clock.Date) (arrived int, err error) {
	for {
		n, err := s.pumpOnce(ctx, today)
		arrived += n
		if n == 0 || err != nil {
			return arrived, err
		}
	}
}

func (s *Shards) pumpOnce(ctx context.Context, today clock.Date) (arrived int, err error) {
	s.carrying.RLock()
	defer s.carrying.RUnlock()
	t := s.table()
	var errs []error
	for _, from := range t.local() {
		for _, to := range t.local() {
			if from.Name == to.Name {
				continue
			}
			c := &carrier{shards: s, table: t, from: from, to: to, today: today}
			n, err := c.run(ctx)
			arrived += n
			if err != nil {
				errs = append(errs, fmt.Errorf("carry from shard %s to %s: %w", from.Name, to.Name, err))
			}
		}
	}
	return arrived, errors.Join(errs...)
}

// carrier empties what one shard has for another.
type carrier struct {
	shards   *Shards
	table    *table
	from, to Shard
	today    clock.Date
}

// parcel is a message on the carrier's back.
type parcel struct {
	message
	number   uint64
	settled  bool
	reloaded bool
	lost     bool // neither payee nor payer would take it
	err      error
}

func (c *carrier) run(ctx context.Context) (arrived int, err error) {
	source, err := c.table.ledger(c.from.Name)
	if err != nil {
		return 0, err
	}
	var after uint64
	var errs []error
	for {
		page, err := source.Outbox(ctx, topic+c.to.Name, after, pumpPage)
		if err != nil {
			return arrived, errors.Join(append(errs, err)...)
		}
		if len(page) == 0 {
			return arrived, errors.Join(errs...)
		}
		after = page[len(page)-1].Number
		parcels := unpack(page)
		if err := c.deliver(ctx, parcels); err != nil {
			return arrived, errors.Join(append(errs, err)...)
		}
		n, err := c.acknowledge(ctx, source, parcels)
		arrived += n
		if err != nil {
			return arrived, errors.Join(append(errs, err)...)
		}
		if err := firstTrouble(parcels); err != nil {
			errs = append(errs, err)
		}
	}
}

func unpack(page []book.Pending) []parcel {
	list := make([]parcel, len(page))
	for i := range page {
		list[i].number = page[i].Number
		list[i].message, list[i].err = decodeMessage(page[i].Body)
	}
	return list
}

func firstTrouble(parcels []parcel) error {
	count, first := 0, error(nil)
	for i := range parcels {
		if parcels[i].err != nil {
			if count++; first == nil {
				first = fmt.Errorf("message %d: %w", parcels[i].number, parcels[i].err)
			}
		}
	}
	if count > 1 {
		return fmt.Errorf("%w (and %d more)", first, count-1)
	}
	return first
}

// deliver tries every parcel until it is settled or in trouble. Each round tries
// the next thing that can be done with it; there are few.
func (c *carrier) deliver(ctx context.Context, parcels []parcel) error {
	target, err := c.table.ledger(c.to.Name)
	if err != nil {
		return err
	}
	for {
		var cmds []book.Command
		var open []*parcel
		for i := range parcels {
			if p := &parcels[i]; !p.settled && p.err == nil {
				cmds, open = append(cmds, c.next(p)), append(open, p)
			}
		}
		if len(open) == 0 {
			return nil
		}
		results, err := target.Apply(ctx, cmds)
		if err != nil {
			return err
		}
		for i, p := range open {
			if err := c.judge(ctx, target, p, &cmds[i], results[i].Code); err != nil {
				return err
			}
		}
	}
}

// next is the command that takes a parcel in as far as is known now.
func (c *carrier) next(p *parcel) (cmd book.Command) {
	here := c.table.Of(p.target().Part())
	event := p.event
	if p.back {
		event = eventReturn
	}
	switch {
	case p.lost:
		account := unclaimed(c.to, p.amount.Currency())
		cmd = credit(c.to, c.from.Name, &p.message, account.ID, "unclaimed", eventUnclaim)
		cmd.Open = append(cmd.Open, account)
	case here.Name == c.to.Name:
		cmd = credit(c.to, c.from.Name, &p.message, p.target(), "credit", event)
	case p.back:
		cmd = onward(c.to, c.from.Name, &p.message, here.Name, eventReturn)
	default:
		cmd = onward(c.to, c.from.Name, &p.message, here.Name, eventForward)
	}
	cmd.Date = c.today
	// Another day's attempt is another command; the once-key lets one of them in.
	cmd.ID = book.DeriveID(cmd.ID, c.today)
	return cmd
}

// judge looks at the answer for a parcel and decides what to do next.
func (c *carrier) judge(ctx context.Context, target *book.Ledger, p *parcel, cmd *book.Command, code book.Code) error {
	switch code {
	case book.OK, book.Exists: // taken in, now or before
		p.settled = true
	case book.PartMoved:
		return c.moved(ctx, p)
	case book.UnknownAccount, book.AccountClosed, book.CurrencyMismatch, book.Insufficient, book.Overflow:
		if cmd.Legs[1].Account != p.target() {
			p.err = fmt.Errorf("a clearing account refuses: %s", code.Explain())
			return nil
		}
		p.lost, p.back = p.back, true
	default:
		p.err = fmt.Errorf("%s: %s", code, code.Explain())
	}
	return nil
}

// moved reads the map again, once, to learn where the account is now.
func (c *carrier) moved(ctx context.Context, p *parcel) error {
	if p.reloaded {
		p.err = fmt.Errorf("part %d is on its way to another shard, and the map does not say where to yet", p.target().Part())
		return nil
	}
	p.reloaded = true
	if err := c.shards.reload(ctx); err != nil {
		return err
	}
	c.table = c.shards.table()
	return nil
}

// acknowledge takes what is settled out of the outbox.
func (c *carrier) acknowledge(ctx context.Context, source *book.Ledger, parcels []parcel) (int, error) {
	done := book.Command{Event: eventDone, Date: c.today}
	facts := []any{"shard", "done", c.from.Name, c.today}
	for i := range parcels {
		if parcels[i].settled {
			done.Done = append(done.Done, parcels[i].number)
			facts = append(facts, parcels[i].number)
		}
	}
	if len(done.Done) == 0 {
		return 0, nil
	}
	done.ID = book.DeriveID(facts...)
	results, err := source.Apply(ctx, []book.Command{done})
	if err == nil && results[0].Code != book.OK {
		err = fmt.Errorf("acknowledge %d messages: %s", len(done.Done), results[0].Code.Explain())
	}
	if err != nil {
		return 0, err
	}
	return len(done.Done), nil
}

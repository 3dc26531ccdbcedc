package issuer

import (
	"context"
	"fmt"
	"slices"

	"jiaozi/book"
	"jiaozi/book/chart"
	"jiaozi/value/ident"
	"jiaozi/value/money"
	"jiaozi/value/must"
)

// note adds evidence to the card. What was known of that counter stays known:
// a request repeats the proof of an order, not its settlement.
func (c *Card) note(e Evidence) {
	for _, have := range c.Seen {
		if have.ATC == e.ATC && have.Settled {
			return
		}
	}
	c.Seen = c.Seen.put(e)
	c.trim()
}

func (c *Card) trim() {
	oldest := ^uint16(0)
	for _, o := range []*Order{c.Load, c.Close} {
		if o != nil {
			oldest = min(oldest, o.ATC)
		}
	}
	for _, f := range c.Flagged {
		oldest = min(oldest, f.ATC)
		if after, _, ok := c.anchor(f); ok {
			oldest = min(oldest, after)
		}
	}
	c.Seen = c.Seen.trim(c.open(), oldest)
}

// settle looks for an open question that the evidence in seen answers and
// returns the step that books the answer; nil if there is none. The step
// changes c: the evidence itself is booked with whatever brought it. Of a cloned
// card nobody knows which piece of plastic proved what: its questions stay open
// for an officer.
func (i *Issuer) settle(ctx context.Context, c, seen *Card) (*step, error) {
	if !c.open() || c.Status == Cloned {
		return nil, nil
	}
	until := ^uint16(0)
	if o := c.Load; o != nil {
		q := question{After: o.ATC, Own: o.ATC, Before: o.Before.Minor(), Delta: o.Amount.Minor(), Until: until, Scripted: true, Sent: o.Sent}
		if a := seen.Seen.judge(q); a != wait {
			return i.loadOver(ctx, c, a == applied)
		}
		until = o.ATC
	}
	if o := c.Close; o != nil {
		q := question{After: o.ATC, Own: o.ATC, Before: o.Before.Minor(), Delta: -o.Before.Minor(), Until: until}
		if a := seen.Seen.judge(q); a == notApplied || a == applied && o.Before.Minor() <= c.Shadow.Minor() {
			return i.closeOver(ctx, c, a == applied)
		}
	}
	for n, f := range c.Flagged {
		after, before, anchored := seen.anchor(f)
		if !anchored {
			continue
		}
		q := question{After: after, Own: f.ATC, Before: before, Delta: -f.Amount.Minor(), Until: until}
		switch a := seen.Seen.judge(q); {
		case a == wait, a == applied && f.Amount.Minor() > c.Shadow.Minor():
			// What the float does not hold cannot be refunded: an officer looks at it.
		default:
			return i.flagOver(c, n, a == applied), nil
		}
	}
	return nil, nil
}

// loadOver ends the load in flight: the money reached the card or went back.
func (i *Issuer) loadOver(ctx context.Context, c *Card, done bool) (*step, error) {
	o, after := c.Load, c.clone()
	after.Load = nil
	s := &step{card: after}
	state := orderUndone
	if done {
		state = orderDone
		after.Shadow = c.amount(c.Shadow.Minor() + o.Amount.Minor())
		after.Seen = after.Seen.settle(o.ATC, o.Amount.Minor())
		s.posting = chart.LoadDone(i.cfg.Inst, i.ref(c), o.Amount)
	} else {
		after.Seen = after.Seen.settle(o.ATC, 0)
		s.posting = i.loadBack(c, o)
		s.out = i.cashOut("undone", o)
	}
	after.trim()
	put, err := i.orderPut(ctx, o.Trace, c, state)
	s.put = append(s.put, put)
	return s, err
}

// closeOver ends a closure: the card proved that it is empty, or that it is not.
func (i *Issuer) closeOver(ctx context.Context, c *Card, done bool) (*step, error) {
	o, after := c.Close, c.clone()
	after.Close = nil
	s := &step{card: after, posting: book.Posting{Event: eventCard}}
	state := orderUndone
	if done {
		state = orderDone
		if c.Status != Cloned {
			after.Status = Closed
		}
		after.Shadow = c.amount(c.Shadow.Minor() - o.Before.Minor())
		after.Seen = after.Seen.settle(o.ATC, -o.Before.Minor())
		if !o.Before.IsZero() {
			s.posting = chart.CloseRefund(i.cfg.Inst, i.ref(c), c.Account, o.Before)
		}
	} else {
		after.Seen = after.Seen.settle(o.ATC, 0)
		if c.Status == Closing { // not blocked or cloned meanwhile
			after.Status = Active
			if err := i.delist(ctx, after, s); err != nil {
				return nil, err
			}
		}
	}
	after.trim()
	put, err := i.orderPut(ctx, o.Trace, c, state)
	s.put = append(s.put, put)
	return s, err
}

// anchor is a balance known from before a flagged payment: its own proof, or
// the last one that the card gave earlier.
func (c *Card) anchor(f Flagged) (after uint16, before money.Minor, ok bool) {
	if f.Proved {
		return f.ATC, f.Before.Minor(), true
	}
	e, ok := c.Seen.provedBefore(int(f.ATC))
	if !ok {
		return 0, 0, false
	}
	before, ok = e.after()
	return e.ATC, before, ok
}

// flagOver ends the question of a flagged payment. If the card debited it, the
// cardholder, who got no goods, gets the money back; the counter is taken, so
// that the same payment cannot be presented for money later.
func (i *Issuer) flagOver(c *Card, n int, debited bool) *step {
	f, after := c.Flagged[n], c.clone()
	after.Flagged = slices.Delete(after.Flagged, n, n+1)
	s := &step{card: after, posting: book.Posting{Event: eventFlag}}
	if debited {
		after.Seen = after.Seen.settle(f.ATC, -f.Amount.Minor())
		after.Shadow = c.amount(c.Shadow.Minor() - f.Amount.Minor())
		s.posting = chart.TornRefund(i.cfg.Inst, i.ref(c), c.Account, f.Amount)
		s.once = []book.Once{{Space: spaceTap, Key: tapKey(i.ref(c), f.ATC), Value: claim{ac: f.AC, rule: rulingRefunded}.append(nil)}}
	} else {
		after.Seen = after.Seen.settle(f.ATC, 0)
	}
	after.trim()
	return s
}

// loadBack returns the money of a load that never reached the card to where it
// came from.
func (i *Issuer) loadBack(c *Card, o *Order) book.Posting {
	if o.Kind == LoadCash {
		return chart.LoadCashUndone(i.pair(o.Acquirer), i.ref(c), o.Amount)
	}
	return chart.LoadAccountUndone(i.cfg.Inst, o.Source, i.ref(c), o.Amount)
}

func (i *Issuer) pair(acquirer ident.Inst) chart.Pair {
	return chart.Pair{Issuer: i.cfg.Inst, Acquirer: acquirer}
}

// cashOut tells clearing that cash in a till was loaded onto a card, or that
// the load was undone. The key names both ends and the trace.
func (i *Issuer) cashOut(what string, o *Order) []book.Out {
	if o.Kind != LoadCash {
		return nil
	}
	key := what + "/" + string(i.cfg.Inst) + "/" + string(o.Trace)
	return []book.Out{{Topic: topicClearing, Key: []byte(key), Body: o.Record}}
}

// orderState is what became of an approved order.
type orderState uint8

const (
	orderOpen orderState = iota + 1
	orderDone
	orderUndone
)

// orderPut writes the state of an order beside the change of its card.
func (i *Issuer) orderPut(ctx context.Context, t Trace, c *Card, state orderState) (book.Put, error) {
	_, _, version, err := i.order(ctx, t)
	ref := i.ref(c)
	value := append([]byte{recordVersion, byte(state)}, ref[:]...)
	return book.Put{Space: i.space(spaceOrder), Key: []byte(t), Expect: version, Value: value}, err
}

// order looks up an order; version 0 means that there is none.
func (i *Issuer) order(ctx context.Context, t Trace) (ident.CardRef, orderState, uint64, error) {
	value, version, err := i.door.Get(ctx, i.space(spaceOrder), []byte(t))
	if err != nil || version == 0 {
		return ident.CardRef{}, 0, 0, err
	}
	const size = 2 + len(ident.CardRef{})
	if len(value) != size || value[0] != recordVersion {
		return ident.CardRef{}, 0, 0, fmt.Errorf("order %s: %w", t, errRecord)
	}
	return ident.CardRef(value[2:]), orderState(value[1]), version, nil
}

// ref is the pseudonym of a card that was read under it.
func (i *Issuer) ref(c *Card) ident.CardRef {
	ref, err := i.vault.CardRef(i.cfg.Keys.Ref, c.PAN, c.PSN)
	must.Hold(err == nil, "issuer: a registered card has a pseudonym: %v", err)
	return ref
}

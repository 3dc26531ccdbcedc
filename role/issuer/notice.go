package issuer

import (
	"context"
	"fmt"

	"jiaozi/book"
	"jiaozi/value/ident"
	"jiaozi/value/money"
	"jiaozi/wire/emv"
	"jiaozi/wire/iso8583"
)

// reverse answers a 0420: the script of an order never left the terminal, or
// the request was never answered. It answers 00 for what is undone, for what was
// undone before and for what was never seen: an acquirer must be able to stop
// asking. An order whose script the terminal reported sent is not undone by word.
func (i *Issuer) reverse(ctx context.Context, q *request) ([]byte, error) {
	trace, err := q.original()
	if err != nil {
		return i.refuse(q, iso8583.CodeFormat)
	}
	if err := i.block(ctx, q, trace); err != nil {
		return nil, err
	}
	ref, state, version, err := i.order(ctx, trace)
	if err != nil {
		return nil, fmt.Errorf("issuer %s: reverse %s: %w", i.cfg.Inst, trace, err)
	}
	if version == 0 {
		return i.refuse(q, iso8583.CodeApproved) // blocked, or declined in the first place
	}
	t := &reverseTask{issuer: i, trace: trace, state: state}
	if err := i.runOne(ctx, q.date, ref, t); err != nil {
		return nil, err
	}
	return i.refuse(q, t.code)
}

// blocked stands where the answer to a request would: shorter than any.
var blocked = []byte("reversed before it came")

// block takes the trace for ever, so that a request which its own reversal
// overtook is refused when it arrives. If the request was here first, nothing
// happens.
func (i *Issuer) block(ctx context.Context, q *request, trace Trace) error {
	cmd := book.Command{ID: book.DeriveID("iss/block", string(i.cfg.Inst), string(trace)), Event: eventAnswer, Date: q.date,
		Once: []book.Once{{Space: i.space(spaceTrace), Key: []byte(trace), Value: blocked}}}
	if _, found, err := i.door.GetOnce(ctx, i.space(spaceTrace), []byte(trace)); found || err != nil {
		return err
	}
	results, err := i.door.Apply(ctx, []book.Command{cmd})
	if err != nil {
		return fmt.Errorf("issuer %s: block %s: %w", i.cfg.Inst, trace, err)
	}
	if c := results[0].Code; c != book.OK && c != book.Exists {
		return fmt.Errorf("issuer %s: block %s: %s", i.cfg.Inst, trace, c.Explain())
	}
	return nil
}

// orderOf is the order in flight on a card under this trace, if it still is.
func (c *Card) orderOf(t Trace) *Order {
	for _, o := range []*Order{c.Load, c.Close} {
		if o != nil && o.Trace == t {
			return o
		}
	}
	return nil
}

type reverseTask struct {
	issuer *Issuer
	trace  Trace
	state  orderState
	code   string
}

func (t *reverseTask) refused(r book.Result) error {
	return fmt.Errorf("issuer: reverse %s: the book says %s", t.trace, r.Code)
}

func (t *reverseTask) next(ctx context.Context, c *Card) (*step, error) {
	t.code = iso8583.CodeApproved
	o := c.orderOf(t.trace)
	if o == nil { // settled, perhaps a moment ago
		_, state, _, err := t.issuer.order(ctx, t.trace)
		if state == orderDone {
			t.code = iso8583.CodeInvalid
		}
		return nil, err
	}
	if o.Sent {
		t.code = iso8583.CodeInvalid
		return nil, nil
	}
	return t.issuer.over(ctx, c, o, false)
}

// over ends an order in flight, whichever it is.
func (i *Issuer) over(ctx context.Context, c *Card, o *Order, done bool) (*step, error) {
	if o.Kind == Closure {
		return i.closeOver(ctx, c, done)
	}
	return i.loadOver(ctx, c, done)
}

// notice answers a 0620: what became of the script. A load is done by what the
// terminal saw: a lie would cost the cardholder, who is there. That the card
// refused the script is a status word without a MAC, which a device between card
// and terminal can make up, so it undoes nothing: the card must prove it. A closure
// moves money only when the card's second cryptogram proves that the card is empty.
func (i *Issuer) notice(ctx context.Context, q *request) ([]byte, error) {
	trace, err := q.original()
	if err != nil {
		return i.refuse(q, iso8583.CodeFormat)
	}
	result, err := scriptOutcome(q.m.Bytes(55))
	if err != nil {
		return i.refuse(q, iso8583.CodeFormat)
	}
	ref, _, version, err := i.order(ctx, trace)
	if err != nil {
		return nil, fmt.Errorf("issuer %s: notice about %s: %w", i.cfg.Inst, trace, err)
	}
	if version == 0 {
		return i.refuse(q, iso8583.CodeNoRecord)
	}
	t := &noticeTask{issuer: i, q: q, ref: ref, trace: trace, result: result}
	if err := i.runOne(ctx, q.date, ref, t); err != nil {
		return nil, err
	}
	return i.refuse(q, t.code)
}

type noticeTask struct {
	issuer *Issuer
	q      *request
	ref    ident.CardRef
	trace  Trace
	result scriptResult
	code   string
	ended  bool
}

func (t *noticeTask) refused(r book.Result) error {
	return fmt.Errorf("issuer: notice about %s: the book says %s", t.trace, r.Code)
}

func (t *noticeTask) next(ctx context.Context, c *Card) (*step, error) {
	if t.ended {
		return nil, nil
	}
	t.code = iso8583.CodeApproved
	o := c.orderOf(t.trace)
	switch {
	case o == nil:
		return t.late(ctx, c)
	case o.Kind == Closure:
		return t.closure(ctx, c, o)
	case t.result != scriptDone:
		return t.sent(c, o), nil
	}
	return t.issuer.loadOver(ctx, c, true)
}

// sent notes that the script went to the card: only the card can now tell.
func (t *noticeTask) sent(c *Card, o *Order) *step {
	if o.Sent {
		return nil
	}
	after, known := c.clone(), *o
	known.Sent = true
	if o.Kind == Closure {
		after.Close = &known
	} else {
		after.Load = &known
	}
	return &step{card: after, posting: book.Posting{Event: eventCard}, last: true}
}

// late: the order was settled before this notice. The first verdict stands; a
// script carried out after its order was undone is money that nobody paid for.
func (t *noticeTask) late(ctx context.Context, c *Card) (*step, error) {
	t.ended = true
	_, state, _, err := t.issuer.order(ctx, t.trace)
	if err != nil || state != orderUndone || t.result != scriptDone {
		return nil, err
	}
	sum, err := t.q.sum(c.Currency)
	if err != nil {
		sum = money.Zero(c.Currency) // the notice need not say it
	}
	alert := &Alert{Kind: AlertUndone, ATC: c.Online, Sum: sum, Known: c.Shadow}
	return &step{card: c.clone(), posting: book.Posting{Event: eventCard}, alert: alert, last: true}, nil
}

// closure believes the card: its second cryptogram over the counter of the
// request, with a MACed balance of zero. If the card proves the old balance, the
// closure failed; anything else leaves it open.
func (t *noticeTask) closure(ctx context.Context, c *Card, o *Order) (*step, error) {
	balance, proved, err := t.proved(c, o)
	if err != nil {
		return nil, err
	}
	switch {
	case !proved:
		t.code = codeCard
		return t.sent(c, o), nil
	case balance.IsZero() && o.Before.Minor() <= c.Shadow.Minor():
		return t.issuer.closeOver(ctx, c, true)
	case balance == o.Before:
		return t.issuer.closeOver(ctx, c, false)
	}
	return t.sent(c, o), nil
}

// proved reads the second cryptogram out of the notice.
func (t *noticeTask) proved(c *Card, o *Order) (money.Amount, bool, error) {
	q := *t.q
	q.m = t.q.m.Clone()
	q.m.Set(2, c.PAN.Reveal()) // a notice need not name the card
	q.m.Set(23, fmt.Sprintf("%03d", c.PSN))
	r, err := q.chipRecord(t.issuer.cfg.Currency)
	if err != nil || r.ATC != o.ATC {
		return money.Amount{}, false, nil
	}
	p, err := t.issuer.verify(&r)
	ok := p.genuine && p.proved && p.full && p.decision != emv.ARQC
	return p.balance, ok, err
}

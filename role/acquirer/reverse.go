package acquirer

import (
	"context"
	"fmt"

	"jiaozi/book"
	"jiaozi/wire/iso8583"
)

// reverse answers 0400. The terminal repeats it until it hears yes, so the answer is
// yes for what was reversed before and for what was never seen; the latter leaves a
// mark, so that a request that comes late is not carried out.
func (a *Acquirer) reverse(ctx context.Context, q *request) (*iso8583.Message, error) {
	batch, stan, err := q.original()
	if err != nil {
		return a.respond(q, iso8583.CodeFormat), nil
	}
	var code string
	err = retry(func() (bool, error) {
		var t trace
		r, err := a.get(ctx, spaceTrace, []byte(traceKey(q.terminal.TID, batch, stan)), &t)
		if err != nil || t.State == stateReversed {
			return true, err
		}
		if code, err = q.disagrees(t); err != nil || code != "" {
			return true, err
		}
		return a.undo(ctx, q, r, t, q.reason())
	})
	if err != nil {
		return nil, err
	}
	if code != "" {
		return a.respond(q, code), nil
	}
	return a.approve(q), nil
}

// original is the transaction that a message is about: field 61, or its own trace.
func (q *request) original() (batch, stan uint32, err error) {
	text, ok := q.m.Get(61)
	if !ok {
		return q.f60.Batch, q.stan, nil
	}
	o, err := iso8583.ParseOriginal(text)
	return o.Batch, o.STAN, err
}

// disagrees tells whether a reversal is about another transaction or amount than the
// one stored under its trace.
func (q *request) disagrees(t trace) (code string, err error) {
	if t.Request == nil {
		return "", nil
	}
	var m iso8583.Message
	if err := iso8583.Interchange.Decode(t.Request, &m); err != nil {
		return "", fmt.Errorf("the stored request is damaged, run audit: %w", err)
	}
	for _, n := range []int{3, 4, 49} {
		if m.Text(n) != q.m.Text(n) {
			return "64", nil
		}
	}
	return "", nil
}

// reason is why a terminal reverses: field 39 of its message, or no answer.
func (q *request) reason() string {
	if code, ok := q.m.Get(39); ok {
		return code
	}
	return iso8583.CodeTimeout
}

// notice takes the result of an issuer script (0620) and leaves it for the issuer.
func (a *Acquirer) notice(ctx context.Context, q *request) (*iso8583.Message, error) {
	batch, stan, err := q.original()
	if err != nil {
		return a.respond(q, iso8583.CodeFormat), nil
	}
	var load, kept trace
	if _, err := a.get(ctx, spaceTrace, []byte(traceKey(q.terminal.TID, batch, stan)), &load); err != nil {
		return nil, err
	}
	if load.Request == nil {
		return a.respond(q, iso8583.CodeNoRecord), nil
	}
	r, err := a.get(ctx, spaceTrace, []byte(traceKey(q.terminal.TID, q.f60.Batch, q.stan)), &kept)
	if err != nil {
		return nil, err
	}
	if r.version != 0 {
		return a.repeated(ctx, q, r, kept)
	}
	return a.takeNotice(ctx, q, r, load)
}

func (a *Acquirer) takeNotice(ctx context.Context, q *request, r record, load trace) (*iso8583.Message, error) {
	var original iso8583.Message
	if err := iso8583.Interchange.Decode(load.Request, &original); err != nil {
		return nil, fmt.Errorf("the stored request is damaged, run audit: %w", err)
	}
	m := &iso8583.Message{MTI: mtiNotice}
	m.Copy(&original, 2, 4, 23, 49) // the card is that of the load, whatever the notice says
	m.Copy(&q.m, 3, 11, 12, 13, 22, 25, 41, 42, 55, 60, 61)
	a.address(m, q, load.Issuer)
	advice, err := newAdvice(load.Issuer, m)
	if err != nil {
		return a.respond(q, iso8583.CodeFormat), nil
	}
	answer := a.approve(q)
	body, err := iso8583.POS.Append(nil, answer)
	if err != nil {
		return nil, err
	}
	put, err := r.put(trace{State: stateApproved, Digest: q.digest[:], Answer: body})
	if err != nil {
		return nil, err
	}
	saved, err := a.book(ctx, eventAnswer, q.date, book.Command{Put: []book.Put{put}, Out: []book.Out{advice}})
	if err != nil {
		return nil, err
	}
	if !saved {
		return nil, nil // the same notice twice at once: the other one is answered
	}
	return answer, nil
}

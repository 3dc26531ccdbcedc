package acquirer

import (
	"context"
	"fmt"

	"jiaozi/book"
	"jiaozi/value/clock"
	"jiaozi/value/ident"
	"jiaozi/wire/iso8583"
)

// state of an online request. It only moves forward.
//
//	(none) --ask--> sent --answer--> approved | declined
//	                  \--no answer--> reversed <--0400-- approved, declined, (none)
type state string

const (
	stateSent     state = "sent"
	stateApproved state = "approved"
	stateDeclined state = "declined"
	stateReversed state = "reversed"
)

// trace is the memory of an online request: the shield against its repetition and
// the source of its reversal.
type trace struct {
	State   state
	Digest  []byte     // of the request's bytes under the MAC
	Issuer  ident.Inst // empty: the request was never passed on
	Request []byte     // as the issuer gets it, without PIN and MAC
	Answer  []byte     // as the terminal gets it, without MAC
}

// repeated answers a request whose trace is taken. One that is still on its way, or
// was when the acquirer stopped, becomes unknown: nobody can wait for it any more.
func (a *Acquirer) repeated(ctx context.Context, q *request, r record, t trace) (*iso8583.Message, error) {
	switch {
	case t.State == stateReversed:
		return a.respond(q, iso8583.CodeTimeout), nil
	case string(t.Digest) != string(q.digest[:]):
		return a.respond(q, iso8583.CodeDuplicate), nil
	case t.State == stateSent:
		return a.unknown(ctx, q, r, t)
	}
	m := &iso8583.Message{}
	if err := iso8583.POS.Decode(t.Answer, m); err != nil {
		return nil, fmt.Errorf("the stored answer is damaged, run audit: %w", err)
	}
	return m, nil
}

// unknown gives up on an answer: the request is reversed, durably, and the terminal
// hears a code that makes it reverse as well.
func (a *Acquirer) unknown(ctx context.Context, q *request, r record, t trace) (*iso8583.Message, error) {
	// If somebody else was faster, it was with the same result.
	_, err := a.undo(ctx, q, r, t, iso8583.CodeTimeout)
	return a.respond(q, iso8583.CodeTimeout), err
}

// undo marks a request as reversed and, if the issuer may have acted on it, leaves a
// reversal advice in the outbox in the same commit.
func (a *Acquirer) undo(ctx context.Context, q *request, r record, t trace, why string) (bool, error) {
	var out []book.Out
	if t.Issuer != "" && (t.State == stateSent || t.State == stateApproved) {
		advice, err := a.reversalAdvice(q, t, why)
		if err != nil {
			return false, err
		}
		out = append(out, advice)
	}
	t.State = stateReversed
	put, err := r.put(t)
	if err != nil {
		return false, err
	}
	return a.book(ctx, eventUndo, q.date, book.Command{Put: []book.Put{put}, Out: out})
}

// reversalAdvice turns the stored request round. What the terminal says now adds
// only the reason and the chip's last word (field 55 of the reversal).
func (a *Acquirer) reversalAdvice(q *request, t trace, why string) (book.Out, error) {
	m := &iso8583.Message{}
	if err := iso8583.Interchange.Decode(t.Request, m); err != nil {
		return book.Out{}, fmt.Errorf("the stored request is damaged, run audit: %w", err)
	}
	m.MTI = mtiAdvice
	m.Unset(14, 26, 53, 55, 61, 62) // without 61 the advice is about its own trace
	m.Set(7, q.now.In(clock.Zone).Format("0102150405"))
	m.Set(39, why)
	if q.m.MTI == mtiReversal {
		m.Copy(&q.m, 38, 55)
	}
	return newAdvice(t.Issuer, m)
}

package acquirer

import (
	"context"
	"errors"
	"fmt"

	"jiaozi/crypt/pin"
	"jiaozi/value/clock"
	"jiaozi/value/ident"
	"jiaozi/wire/iso8583"
)

const (
	eventAsk    = "acq/ask"
	eventAnswer = "acq/answer"
	eventUndo   = "acq/undo"
)

// services are the online transactions that are passed on: field 3 and what field
// 60.1 says with it.
var services = map[string]uint8{
	"600000":  iso8583.TypeLoadAccount,
	loadOther: iso8583.TypeLoadOther,
	"630000":  iso8583.TypeLoadCash,
	"290000":  iso8583.TypeClosure,
}

// online passes a load or a closure on to the issuer.
func (a *Acquirer) online(ctx context.Context, q *request) (*iso8583.Message, error) {
	if kind, ok := services[q.m.Text(3)]; !ok || kind != q.f60.Type {
		return a.respond(q, iso8583.CodeFunction), nil
	}
	var t trace
	r, err := a.get(ctx, spaceTrace, []byte(traceKey(q.terminal.TID, q.f60.Batch, q.stan)), &t)
	if err != nil {
		return nil, err
	}
	if r.version != 0 {
		return a.repeated(ctx, q, r, t)
	}
	issuer, m, code, err := a.onward(q)
	if err != nil || code != "" {
		return a.respond(q, code), err
	}
	return a.ask(ctx, q, r, issuer, m)
}

// carried are the fields that travel to the issuer as the terminal sent them.
var carried = []int{2, 3, 4, 11, 12, 13, 14, 22, 23, 25, 26, 41, 42, 49, 53, 55, 60, 61, 62}

// onward builds the message for the issuer. The code is empty if all is well.
func (a *Acquirer) onward(q *request) (issuer ident.Inst, m *iso8583.Message, code string, err error) {
	pan, err := ident.ParsePAN(q.m.Text(2))
	if err != nil {
		return "", nil, iso8583.CodeUnknownCard, nil
	}
	issuer, ok := a.route(pan)
	if !ok {
		return "", nil, iso8583.CodeNoIssuer, nil
	}
	m = &iso8583.Message{MTI: mtiFinancial}
	m.Copy(&q.m, carried...)
	a.address(m, q, issuer)
	code, err = a.translate(q, pan, issuer, m)
	return issuer, m, code, err
}

const loadOther = "620000" // field 3 of a load that another card's account pays

// translate moves the PIN block, if there is one, from the terminal's key to the
// issuer's. It is bound to the card whose holder typed it: that is the payer's, named
// in field 62, if another account pays.
func (a *Acquirer) translate(q *request, pan ident.PAN, issuer ident.Inst, m *iso8583.Message) (code string, err error) {
	block := q.m.Bytes(52)
	if block == nil {
		return "", nil
	}
	if q.m.Text(3) == loadOther {
		if pan, err = ident.ParsePAN(q.m.Text(62)); err != nil {
			return iso8583.CodeUnknownCard, nil
		}
	}
	out, err := a.vault.TranslatePIN(pinKey(q.terminal.TID), a.cfg.Issuers[issuer].PIN, [8]byte(block), pan)
	if errors.Is(err, pin.ErrBlock) {
		return iso8583.CodePINFormat, nil
	}
	if err != nil {
		return "", fmt.Errorf("translate PIN block: %w", err)
	}
	m.SetBytes(52, out[:])
	return "", nil
}

// address adds who sends what to whom, and the reference by which people find it.
func (a *Acquirer) address(m *iso8583.Message, q *request, issuer ident.Inst) {
	local := q.now.In(clock.Zone)
	m.Set(7, local.Format("0102150405"))
	m.Set(32, string(a.cfg.Inst))
	m.Set(37, fmt.Sprintf("%s%03d%s%06d", local.Format("06")[1:], local.YearDay(), local.Format("15"), q.stan))
	m.Set(100, string(issuer))
}

// ask remembers the request, sends it, and takes the answer over. The request is in
// the book before it leaves: after a crash a reversal can still be made of it.
func (a *Acquirer) ask(ctx context.Context, q *request, r record, issuer ident.Inst, m *iso8583.Message) (*iso8583.Message, error) {
	bare := m.Clone()
	bare.Unset(52)
	request, err := iso8583.Interchange.Append(nil, bare)
	if err != nil {
		return a.respond(q, iso8583.CodeFormat), nil
	}
	t := trace{State: stateSent, Digest: q.digest[:], Issuer: issuer, Request: request}
	saved, err := a.save(ctx, eventAsk, q.date, r, t)
	if err != nil {
		return nil, err
	}
	if !saved {
		return nil, nil // the same trace twice at once: the other one is answered
	}
	r.version++
	answer, err := a.exchange(ctx, issuer, m)
	ctx = context.WithoutCancel(ctx) // whatever became of the caller, the outcome must reach the book
	if err != nil || answer.reverse() {
		return a.unknown(ctx, q, r, t)
	}
	return a.conclude(ctx, q, r, t, answer)
}

// conclude books the issuer's answer. If a reversal came meanwhile it stands.
func (a *Acquirer) conclude(ctx context.Context, q *request, r record, t trace, answer *answer) (*iso8583.Message, error) {
	m := a.respond(q, answer.code.Code)
	m.Copy(answer.Message, 15, 37, 38, 44, 54, 55)
	body, err := iso8583.POS.Append(nil, m)
	if err != nil {
		return a.unknown(ctx, q, r, t) // the issuer said what the dialect cannot carry
	}
	t.State, t.Answer = stateDeclined, body
	if answer.code.Approved() {
		t.State = stateApproved
	}
	saved, err := a.save(ctx, eventAnswer, q.date, r, t)
	if err != nil {
		return nil, err
	}
	if !saved {
		return a.respond(q, iso8583.CodeTimeout), nil
	}
	return m, nil
}

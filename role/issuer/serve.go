package issuer

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"time"

	"jiaozi/value/clock"
	"jiaozi/value/ident"
	"jiaozi/wire/iso8583"
)

// What makes a message one that cannot even be refused, because no key is known
// to refuse it under. Close the link and look at the other end.
var (
	ErrMessage  = errors.New("issuer: not a message of the interchange form")
	ErrAcquirer = errors.New("issuer: the message names no acquirer that this issuer has a key with")
)

// Trace names a request for ever: acquirer, terminal, batch and trace number.
type Trace string

func traceOf(acquirer ident.Inst, tid string, batch, stan uint32) Trace {
	return Trace(fmt.Sprintf("%s/%s/%06d/%06d", acquirer, tid, batch, stan))
}

// request is a message whose MAC has been verified.
type request struct {
	m        *iso8583.Message
	zone     Zone
	acquirer ident.Inst
	tid      ident.TID
	mid      ident.MID
	f60      iso8583.F60
	stan     uint32
	digest   [sha256.Size]byte // of what makes it this request and no other
	now      time.Time
	date     clock.Date
}

func (q *request) trace() Trace {
	return traceOf(q.acquirer, string(q.tid), q.f60.Batch, q.stan)
}

// original is the trace that a reversal or notice is about: the one in field
// 61, or its own when an acquirer reverses under the number of the original.
func (q *request) original() (Trace, error) {
	text, ok := q.m.Get(61)
	if !ok {
		return q.trace(), nil
	}
	o, err := iso8583.ParseOriginal(text)
	if err != nil {
		return "", err
	}
	return traceOf(q.acquirer, string(q.tid), o.Batch, o.STAN), nil
}

// Serve answers one message of the interchange form. An error means that no
// answer can or may be given: the outcome is unknown to the acquirer, who asks
// again or reverses. A message with a bad MAC is answered so, and believed in
// nothing: no record is read for it, none is written.
func (i *Issuer) Serve(ctx context.Context, raw []byte, now time.Time) ([]byte, error) {
	var m iso8583.Message
	if err := iso8583.Interchange.Decode(raw, &m); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrMessage, err)
	}
	acquirer := ident.Inst(m.Text(32))
	zone, ok := i.cfg.Acquirers[acquirer]
	if !ok || !answerable(m.MTI) {
		return nil, ErrAcquirer
	}
	mab, mac, err := iso8583.Interchange.MAB(raw)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrMessage, err)
	}
	good, err := i.vault.VerifyMAC(zone.MAC, mab, mac)
	if err != nil {
		return nil, fmt.Errorf("issuer %s: verify MAC of %s: %w", i.cfg.Inst, acquirer, err)
	}
	if !good {
		return i.seal(zone, reply(&m, iso8583.CodeMAC))
	}
	q := &request{m: &m, zone: zone, acquirer: acquirer, digest: identity(&m), now: now, date: clock.DateOf(now)}
	return i.dispatch(ctx, q)
}

// identity names a request by what it asks for. Times of transmission and the
// encryption of the PIN may differ when an acquirer sends it again.
func identity(m *iso8583.Message) [sha256.Size]byte {
	h := sha256.New()
	for _, n := range []int{2, 3, 4, 11, 23, 32, 41, 42, 49, 55, 60, 62} {
		v, has := m.Get(n)
		fmt.Fprintf(h, "%d %t %d:%s", n, has, len(v), v)
	}
	return [sha256.Size]byte(h.Sum(nil))
}

// answerable: the types that an issuer is asked; an answer is never answered.
func answerable(t iso8583.MTI) bool {
	switch t {
	case mtiFinancial, mtiReversal, mtiNotice, mtiNetwork:
		return true
	}
	return false
}

const (
	mtiFinancial iso8583.MTI = 0x0200
	mtiReversal  iso8583.MTI = 0x0420
	mtiNotice    iso8583.MTI = 0x0620
	mtiNetwork   iso8583.MTI = 0x0800
)

func (i *Issuer) dispatch(ctx context.Context, q *request) ([]byte, error) {
	if err := iso8583.Interchange.Validate(q.m); err != nil {
		return i.refuse(q, iso8583.CodeFormat)
	}
	if q.m.Text(100) != string(i.cfg.Inst) {
		return i.refuse(q, iso8583.CodeNoIssuer)
	}
	if q.m.MTI == mtiNetwork {
		return i.refuse(q, iso8583.CodeApproved) // an echo: the line and its key work
	}
	if err := q.read(); err != nil {
		return i.refuse(q, iso8583.CodeFormat)
	}
	switch q.m.MTI {
	case mtiReversal:
		return i.reverse(ctx, q)
	case mtiNotice:
		return i.notice(ctx, q)
	}
	return i.financial(ctx, q)
}

// read takes the parts that every transaction needs.
func (q *request) read() error {
	var err error
	if q.tid, err = ident.ParseTID(q.m.Text(41)); err != nil {
		return err
	}
	if q.mid, err = ident.ParseMID(q.m.Text(42)); err != nil {
		return err
	}
	if q.f60, err = iso8583.ParseF60(q.m.Text(60)); err != nil {
		return err
	}
	q.stan, err = decimal(q.m.Text(11))
	return err
}

// echoed are the fields that an answer repeats, so that the acquirer can tell
// which request it belongs to.
var echoed = []int{2, 3, 4, 11, 12, 13, 23, 25, 32, 37, 41, 42, 49, 60, 61, 100}

func reply(m *iso8583.Message, code string) *iso8583.Message {
	a := &iso8583.Message{MTI: m.MTI.Response()}
	a.Copy(m, echoed...)
	a.Set(39, code)
	return a
}

func (i *Issuer) refuse(q *request, code string) ([]byte, error) {
	return i.seal(q.zone, reply(q.m, code))
}

func (i *Issuer) seal(zone Zone, m *iso8583.Message) ([]byte, error) {
	out, err := iso8583.Interchange.Seal(nil, m, func(mab []byte) ([8]byte, error) { return i.vault.MAC(zone.MAC, mab) })
	if err != nil {
		return nil, fmt.Errorf("issuer %s: answer %s: %w", i.cfg.Inst, m.MTI, err)
	}
	return out, nil
}

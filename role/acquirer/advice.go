package acquirer

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"jiaozi/book"
	"jiaozi/value/clock"
	"jiaozi/value/ident"
	"jiaozi/wire/iso8583"
)

const eventAdvised = "acq/advised"

// advice is a message that the issuer must get sooner or later.
type advice struct {
	Issuer  ident.Inst
	Message []byte // without MAC: it is sealed when it leaves
}

func newAdvice(issuer ident.Inst, m *iso8583.Message) (book.Out, error) {
	raw, err := iso8583.Interchange.Append(nil, m)
	if err != nil {
		return book.Out{}, err
	}
	body, err := json.Marshal(advice{Issuer: issuer, Message: raw})
	if err != nil {
		return book.Out{}, fmt.Errorf("acquirer: encode advice: %w", err)
	}
	key := fmt.Sprintf("%s/%s/%s", m.MTI, m.Text(41), m.Text(11))
	return book.Out{Topic: topicAdvice, Key: []byte(key), Body: body}, nil
}

// adviceBatch is how many advices one look into the outbox takes.
const adviceBatch = 64

// Forward sends what waits for the issuers, oldest first, each once. An advice that
// an issuer acknowledges or refuses for good is done; what it could not take waits
// for the next call. An issuer that does not answer is not asked again in this
// call. It returns how many are done, and why the others are not.
func (a *Acquirer) Forward(ctx context.Context, now time.Time) (done int, err error) {
	var failed []error
	down := map[ident.Inst]bool{}
	for after := uint64(0); ; {
		pending, err := a.door.Outbox(ctx, topicAdvice, after, adviceBatch)
		if err != nil {
			return done, fmt.Errorf("acquirer %s: read outbox: %w", a.cfg.Inst, err)
		}
		if len(pending) == 0 {
			return done, errors.Join(failed...)
		}
		for _, p := range pending {
			after = p.Number
			ok, err := a.deliver(ctx, p, down, now)
			if err != nil {
				failed = append(failed, fmt.Errorf("advice %s: %w", p.Key, err))
			}
			if ok {
				done++
			}
		}
	}
}

// deliver sends one advice and strikes it off when the issuer has decided.
func (a *Acquirer) deliver(ctx context.Context, p book.Pending, down map[ident.Inst]bool, now time.Time) (bool, error) {
	var v advice
	if err := json.Unmarshal(p.Body, &v); err != nil {
		return false, fmt.Errorf("it is damaged, run audit: %w", err)
	}
	if down[v.Issuer] {
		return false, nil
	}
	var m iso8583.Message
	if err := iso8583.Interchange.Decode(v.Message, &m); err != nil {
		return false, fmt.Errorf("it is damaged, run audit: %w", err)
	}
	got, err := a.exchange(ctx, v.Issuer, &m)
	if err != nil {
		down[v.Issuer] = true
		return false, err
	}
	if got.code.Retriable() {
		return false, fmt.Errorf("issuer %s answers %s: %s", v.Issuer, got.code.Code, got.code.Text.EN)
	}
	_, err = a.book(context.WithoutCancel(ctx), eventAdvised, clock.DateOf(now),
		book.Command{Done: []uint64{p.Number}, Note: []byte(got.code.Code)})
	return err == nil, err
}

// Waiting counts the advices that issuers have not taken yet.
func (a *Acquirer) Waiting(ctx context.Context) (int, error) {
	n := 0
	for after := uint64(0); ; {
		pending, err := a.door.Outbox(ctx, topicAdvice, after, adviceBatch)
		if err != nil || len(pending) == 0 {
			return n, err
		}
		n, after = n+len(pending), pending[len(pending)-1].Number
	}
}

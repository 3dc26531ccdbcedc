package terminal

import (
	"context"
	"errors"
	"fmt"
	"time"

	"jiaozi/crypt/vault"
	"jiaozi/value/clock"
	"jiaozi/wire/iso8583"
)

var (
	// errNoAnswer: nobody knows whether the host did it.
	errNoAnswer = errors.New("no usable answer from the host")
	// errBadMAC: an answer came that the host did not make, or not for us.
	errBadMAC = errors.New("the answer's MAC is wrong")
	// errRefused: the host has answered, and it is not a yes.
	errRefused = errors.New("the host refuses")
)

// message starts a request: who, which, when.
func (t *Terminal) message(mti iso8583.MTI, tr trace, when time.Time, f60 iso8583.F60) *iso8583.Message {
	m := &iso8583.Message{MTI: mti}
	m.Set(11, fmt.Sprintf("%06d", tr.STAN))
	m.Set(41, string(t.cfg.TID))
	m.Set(42, string(t.cfg.MID))
	if !when.IsZero() {
		local := when.In(clock.Zone)
		m.Set(12, local.Format("150405"))
		m.Set(13, local.Format("0102"))
	}
	f60.Batch = tr.Batch
	m.Set(60, f60.Digits())
	return m
}

// reply is an answer that fits its request. authentic says that the host's MAC
// was there and right.
type reply struct {
	*iso8583.Message
	code      iso8583.ResponseCode
	authentic bool
}

// approved is a yes that can be believed: a type that must carry a MAC has none
// only when it says no.
func (r *reply) approved() bool { return r != nil && r.code.Approved() }

// exchange sends one message and takes the answer that belongs to it.
func (t *Terminal) exchange(ctx context.Context, m *iso8583.Message) (*reply, error) {
	body, err := t.seal(m)
	if err != nil {
		return nil, err
	}
	frame := iso8583.AppendFrame(nil, iso8583.Frame{TPDU: t.cfg.TPDU, Header: t.cfg.Header, Body: body})
	b, err := t.host.Exchange(ctx, frame)
	if err != nil {
		return nil, fmt.Errorf("%v: %w: %w", m.MTI, errNoAnswer, err)
	}
	r, err := t.open(m, b)
	if err != nil {
		return nil, fmt.Errorf("answer to %v: %w", m.MTI, err)
	}
	if r.code.Class == iso8583.SignOn {
		t.signedOn = false // A0, 99, 97: the working keys are out of step
	}
	return r, nil
}

// seal packs the message, with a MAC where the dialect wants one.
func (t *Terminal) seal(m *iso8583.Message) ([]byte, error) {
	if err := iso8583.POS.Validate(m); err != nil {
		return nil, fmt.Errorf("build %v: %w", m.MTI, err)
	}
	var body []byte
	var err error
	if t.macRequired(m.MTI) {
		body, err = iso8583.POS.Seal(nil, m, func(mab []byte) ([8]byte, error) { return t.keys.MAC(t.cfg.TAK, mab) })
	} else {
		body, err = iso8583.POS.Append(nil, m)
	}
	if err != nil {
		return nil, fmt.Errorf("build %v: %w", m.MTI, err)
	}
	return body, nil
}

func (t *Terminal) macRequired(mti iso8583.MTI) bool {
	return iso8583.POS.MustMAC(mti, t.cfg.Profile == vault.Secure)
}

// open takes an answer apart and refuses what does not answer this request: a
// late answer to an earlier one must not pass for it.
func (t *Terminal) open(request *iso8583.Message, b []byte) (*reply, error) {
	frame, err := iso8583.DecodeFrame(b)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", errNoAnswer, err)
	}
	if frame.TPDU != t.cfg.TPDU.Reply() {
		return nil, fmt.Errorf("%w: it is addressed to another terminal", errNoAnswer)
	}
	r := &reply{Message: &iso8583.Message{}}
	if err := iso8583.POS.Decode(frame.Body, r.Message); err != nil {
		return nil, fmt.Errorf("%w: %w", errNoAnswer, err)
	}
	if err := belongs(request, r.Message); err != nil {
		return nil, err
	}
	r.code, _ = iso8583.Lookup(r.Text(39))
	if r.authentic, err = t.authentic(frame.Body, r); err != nil {
		return nil, err
	}
	return r, nil
}

// belongs checks type, trace, terminal and, where both have them, processing
// code, amount and merchant.
func belongs(request, answer *iso8583.Message) error {
	if answer.MTI != request.MTI.Response() {
		return fmt.Errorf("%w: it is a %v", errNoAnswer, answer.MTI)
	}
	if err := iso8583.POS.Validate(answer); err != nil {
		return fmt.Errorf("%w: %w", errNoAnswer, err)
	}
	for _, field := range []int{3, 4, 11, 41, 42} {
		asked, ok := request.Get(field)
		said, has := answer.Get(field)
		must := field == 11 || field == 41
		if ok && (has || must) && asked != said {
			return fmt.Errorf("%w: field %d is not that of the request", errNoAnswer, field)
		}
	}
	return nil
}

// authentic verifies the MAC that is there, and demands one on a yes.
func (t *Terminal) authentic(body []byte, r *reply) (bool, error) {
	if !r.Has(iso8583.POS.MAC) {
		if t.macRequired(r.MTI) && r.code.Approved() {
			return false, fmt.Errorf("an approval without a MAC: %w", errBadMAC)
		}
		return false, nil
	}
	mab, mac, err := iso8583.POS.MAB(body)
	if err != nil {
		return false, fmt.Errorf("%w: %w", errNoAnswer, err)
	}
	ok, err := t.keys.VerifyMAC(t.cfg.TAK, mab, mac)
	if err != nil {
		return false, fmt.Errorf("verify the answer: %w", err)
	}
	if !ok {
		t.signedOn = false
		return false, errBadMAC
	}
	return true, nil
}

// refusal makes an error of an answer that is no yes.
func (r *reply) refusal(what string) error {
	return fmt.Errorf("%s: %w: %s %s", what, errRefused, r.code.Code, r.code.Text.EN)
}

package acquirer

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"strconv"
	"time"

	"jiaozi/value/clock"
	"jiaozi/value/ident"
	"jiaozi/wire/iso8583"
)

const (
	mtiFinancial iso8583.MTI = 0x0200
	mtiBatch     iso8583.MTI = 0x0320
	mtiReversal  iso8583.MTI = 0x0400
	mtiSettle    iso8583.MTI = 0x0500
	mtiNotice    iso8583.MTI = 0x0620
	mtiNetwork   iso8583.MTI = 0x0800
	mtiStatus    iso8583.MTI = 0x0820
	mtiAdvice    iso8583.MTI = 0x0420 // towards the issuer only
)

// request is one message of a terminal.
type request struct {
	frame     iso8583.Frame
	m         iso8583.Message
	terminal  Terminal
	authentic bool // the MAC was there and right
	f60       iso8583.F60
	stan      uint32
	digest    [sha256.Size]byte // of the bytes under the MAC: the same request or another
	now       time.Time
	date      clock.Date
}

// Serve answers one frame of a terminal. A nil frame means that nothing may be
// answered; an error is for the operator, and the line should be closed.
func (a *Acquirer) Serve(ctx context.Context, raw []byte, now time.Time) ([]byte, error) {
	frame, err := iso8583.DecodeFrame(raw)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrFrame, err)
	}
	q := &request{frame: frame, now: now, date: clock.DateOf(now)}
	if err := iso8583.POS.Decode(frame.Body, &q.m); err != nil {
		return q.undecodable(err)
	}
	if !asks(q.m.MTI) {
		return nil, fmt.Errorf("%w: an answer (%s) came where requests are expected", ErrFrame, q.m.MTI)
	}
	answer, err := a.answer(ctx, q)
	if err != nil {
		return nil, fmt.Errorf("acquirer %s: %s of terminal %q: %w", a.cfg.Inst, q.m.MTI, q.m.Text(41), err)
	}
	if answer == nil {
		return nil, nil
	}
	return a.reply(q, answer)
}

// asks: the third digit of a request is even.
func asks(t iso8583.MTI) bool { return t>>4&1 == 0 }

// undecodable answers with type and code alone: nothing else can be believed.
func (q *request) undecodable(cause error) ([]byte, error) {
	code := iso8583.CodeFormat
	if errors.Is(cause, iso8583.ErrUnknownType) {
		code = iso8583.CodeFunction
	}
	body := iso8583.Refuse(q.frame.Body, code)
	if body == nil {
		return nil, fmt.Errorf("%w: %w", ErrFrame, cause)
	}
	return q.wrap(body), nil
}

func (q *request) wrap(body []byte) []byte {
	return iso8583.AppendFrame(nil, iso8583.Frame{
		TPDU: q.frame.TPDU.Reply(), Header: q.frame.Header.Instruct(iso8583.AskNothing), Body: body})
}

// answer checks who speaks and passes the request on. Before authenticate has said
// yes nothing of the request is believed and nothing is changed.
func (a *Acquirer) answer(ctx context.Context, q *request) (*iso8583.Message, error) {
	code, err := a.authenticate(ctx, q)
	if err != nil {
		return nil, err
	}
	if code == "" {
		code, err = a.admit(ctx, q)
	}
	if err != nil {
		return nil, err
	}
	if code != "" {
		return a.respond(q, code), nil
	}
	return a.dispatch(ctx, q)
}

// authenticate finds the terminal and verifies the MAC. The code is empty if all
// is well.
func (a *Acquirer) authenticate(ctx context.Context, q *request) (code string, err error) {
	q.terminal, err = a.Terminal(ctx, ident.TID(q.m.Text(41)))
	if errors.Is(err, ErrUnknown) {
		return iso8583.CodeUnknownTerminal, nil
	}
	if err != nil {
		return "", err
	}
	if !q.m.Has(iso8583.POS.MAC) {
		if iso8583.POS.MustMAC(q.m.MTI, q.terminal.secure()) {
			return iso8583.CodeMAC, nil
		}
		q.digest = sha256.Sum256(q.frame.Body)
		return "", nil
	}
	mab, mac, err := iso8583.POS.MAB(q.frame.Body)
	if err != nil {
		return "", err
	}
	q.digest = sha256.Sum256(mab)
	if !a.vault.Has(macKey(q.terminal.TID)) {
		return iso8583.CodeMAC, nil
	}
	if q.authentic, err = a.vault.VerifyMAC(macKey(q.terminal.TID), mab, mac); err != nil {
		return "", err
	}
	if !q.authentic {
		return iso8583.CodeMAC, nil
	}
	return "", nil
}

// admit checks what every message must have, and whether merchant and terminal may
// work at all.
func (a *Acquirer) admit(ctx context.Context, q *request) (code string, err error) {
	if iso8583.POS.Validate(&q.m) != nil {
		return iso8583.CodeFormat, nil
	}
	if q.f60, err = iso8583.ParseF60(q.m.Text(60)); err != nil {
		return iso8583.CodeFormat, nil
	}
	stan, err := strconv.ParseUint(q.m.Text(11), 10, 32) // decimal digits: Decode made them
	if err != nil {
		return iso8583.CodeFormat, nil
	}
	q.stan = uint32(stan)
	if q.terminal.Blocked {
		return iso8583.CodeTerminalForbidden, nil
	}
	merchant, err := a.Merchant(ctx, q.terminal.MID)
	if err != nil {
		return "", err
	}
	if string(merchant.MID) != q.m.Text(42) || merchant.Blocked {
		return iso8583.CodeUnknownMerchant, nil
	}
	if q.terminal.SignedOn == 0 && q.m.MTI != mtiNetwork && q.m.MTI != mtiStatus {
		return iso8583.CodeUnknownTerminal, nil // of the class "sign on first"
	}
	return "", nil
}

func (a *Acquirer) dispatch(ctx context.Context, q *request) (*iso8583.Message, error) {
	switch q.m.MTI {
	case mtiFinancial:
		if q.f60.Type == iso8583.TypeOfflineUpload {
			return a.upload(ctx, q)
		}
		return a.online(ctx, q)
	case mtiBatch:
		return a.batchUpload(ctx, q)
	case mtiReversal:
		return a.reverse(ctx, q)
	case mtiSettle:
		return a.settle(ctx, q)
	case mtiNotice:
		return a.notice(ctx, q)
	case mtiNetwork:
		return a.network(ctx, q)
	case mtiStatus:
		return a.status(ctx, q)
	}
	return a.respond(q, iso8583.CodeFunction), nil
}

// echoed are the fields that an answer repeats.
var echoed = []int{2, 3, 4, 11, 23, 25, 41, 42, 49, 60}

// respond makes an answer with a code.
func (a *Acquirer) respond(q *request, code string) *iso8583.Message {
	m := &iso8583.Message{MTI: q.m.MTI.Response()}
	m.Copy(&q.m, echoed...)
	local := q.now.In(clock.Zone)
	m.Set(12, local.Format("150405"))
	m.Set(13, local.Format("0102"))
	m.Set(32, string(a.cfg.Inst))
	m.Set(39, code)
	return m
}

func (a *Acquirer) approve(q *request) *iso8583.Message { return a.respond(q, iso8583.CodeApproved) }

// reply seals an answer under the terminal's MAC key where the dialect wants it and
// where the request proved that both ends have the same key.
func (a *Acquirer) reply(q *request, m *iso8583.Message) ([]byte, error) {
	var body []byte
	var err error
	if q.authentic {
		body, err = iso8583.POS.Seal(nil, m, func(mab []byte) ([8]byte, error) {
			return a.vault.MAC(macKey(q.terminal.TID), mab)
		})
	} else {
		body, err = iso8583.POS.Append(nil, m)
	}
	if err != nil {
		return nil, fmt.Errorf("acquirer %s: answer %s: %w", a.cfg.Inst, m.MTI, err)
	}
	return q.wrap(body), nil
}

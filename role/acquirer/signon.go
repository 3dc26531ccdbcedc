package acquirer

import (
	"context"
	"fmt"

	"jiaozi/wire/iso8583"
)

const (
	eventSignOn  = "acq/signon"
	eventSignOff = "acq/signoff"
)

// network answers 0800: sign-on and the download of the blacklist.
func (a *Acquirer) network(ctx context.Context, q *request) (*iso8583.Message, error) {
	switch q.f60.NetCode {
	case iso8583.NetSignOn, iso8583.NetSignOnDouble, iso8583.NetSignOnTrack:
		return a.signOn(ctx, q)
	case iso8583.NetList:
		return a.listChunk(ctx, q)
	case iso8583.NetListDone:
		return a.approve(q), nil
	}
	return a.respond(q, iso8583.CodeFunction), nil
}

// status answers 0820: sign-off and echo.
func (a *Acquirer) status(ctx context.Context, q *request) (*iso8583.Message, error) {
	switch q.f60.NetCode {
	case iso8583.NetEcho:
		return a.approve(q), nil
	case iso8583.NetSignOff:
		_, err := a.change(ctx, q.terminal.TID, eventSignOff, q.date, func(t *Terminal) { t.SignedOn = 0 })
		return a.approve(q), err
	}
	return a.respond(q, iso8583.CodeFunction), nil
}

// signOn gives new working keys, whichever form the terminal asked for: keys are
// double-length, and no track is encrypted here, so 004 gets no third key.
func (a *Acquirer) signOn(ctx context.Context, q *request) (*iso8583.Message, error) {
	serial := ""
	if raw := q.m.Bytes(62); len(raw) > 0 {
		var err error
		if serial, err = iso8583.ParseSignOnText(string(raw)); err != nil {
			return a.respond(q, iso8583.CodeFormat), nil
		}
	}
	tid := q.terminal.TID
	keys, err := a.vault.IssueWorkingKeys(MasterKey(tid), pinKey(tid), macKey(tid), q.terminal.Profile)
	if err != nil {
		return nil, fmt.Errorf("issue working keys: %w", err)
	}
	field, err := iso8583.KeyField{TPK: keys.TPK, TPKCheck: keys.TPKKCV, TAK: keys.TAK, TAKCheck: keys.TAKKCV}.Bytes()
	if err != nil {
		return nil, err
	}
	t, err := a.change(ctx, tid, eventSignOn, q.date, func(t *Terminal) {
		t.SignedOn, t.Serial = q.now.Unix(), serial
	})
	if err != nil {
		return nil, err
	}
	m := a.approve(q)
	q.f60.Batch = t.Batch
	m.Set(60, q.f60.Digits())
	m.SetBytes(62, field)
	return m, nil
}

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

// SignedOn is what a sign-on told the terminal.
type SignedOn struct {
	Batch uint32
	// ClockBehind is how far the terminal's clock is behind the host's (negative:
	// ahead), 0 when the difference is within a minute. Set the clock: expiry and
	// lists depend on it.
	ClockBehind time.Duration
}

// SignOn fetches working keys (0800). Keys whose check values do not fit are
// refused, and asked for once more.
func (t *Terminal) SignOn(ctx context.Context) (SignedOn, error) {
	if err := t.sound(); err != nil {
		return SignedOn{}, err
	}
	var err error
	for range maxTries {
		var r *reply
		if r, err = t.askKeys(ctx); err == nil {
			return t.signOnReport(r)
		}
		if !errors.Is(err, vault.ErrKCV) {
			break
		}
	}
	return SignedOn{}, fmt.Errorf("sign on: %w", err)
}

func (t *Terminal) askKeys(ctx context.Context) (*reply, error) {
	t.signedOn = false
	tr, err := t.nextTrace()
	if err != nil {
		return nil, err
	}
	m := t.message(0x0800, tr, time.Time{}, iso8583.F60{Type: iso8583.TypeManagement, NetCode: iso8583.NetSignOnDouble})
	m.Set(62, iso8583.SignOnText(t.cfg.Serial))
	m.Set(63, t.cfg.Operator)
	r, err := t.exchange(ctx, m)
	if err != nil {
		return nil, err
	}
	if !r.approved() {
		return nil, r.refusal("the host gives no keys")
	}
	keys, err := iso8583.ParseKeyField(r.Bytes(62))
	if err != nil {
		return nil, err
	}
	err = t.keys.AcceptWorkingKeys(t.cfg.TMK, t.cfg.TPK, t.cfg.TAK, t.cfg.Profile, vault.WorkingKeys{
		TPK: keys.TPK, TAK: keys.TAK, TPKKCV: keys.TPKCheck, TAKKCV: keys.TAKCheck,
	})
	if err != nil {
		return nil, err
	}
	t.signedOn = true
	return r, nil
}

// signOnReport takes over the batch number, if the open batch is still empty, and
// compares the clocks.
func (t *Terminal) signOnReport(r *reply) (SignedOn, error) {
	if f60, err := iso8583.ParseF60(r.Text(60)); err == nil && f60.Batch != 0 && f60.Batch != t.state.batch &&
		t.state.empty() && t.state.closing == nil {
		if err := t.record(renumbered{f60.Batch}); err != nil {
			return SignedOn{}, err
		}
	}
	out := SignedOn{Batch: t.state.batch}
	now := t.clock.Now().In(clock.Zone)
	if host, ok := hostTime(r, now); ok {
		if behind := host.Sub(now); behind.Abs() > clockTolerance {
			out.ClockBehind = behind
		}
	}
	return out, nil
}

// hostTime reads fields 12 and 13, which have no year: the nearest one is meant.
func hostTime(r *reply, now time.Time) (time.Time, bool) {
	var best time.Time
	for year := now.Year() - 1; year <= now.Year()+1; year++ {
		at, err := time.ParseInLocation("20060102150405", fmt.Sprintf("%04d%s%s", year, r.Text(13), r.Text(12)), clock.Zone)
		if err != nil {
			continue
		}
		if best.IsZero() || at.Sub(now).Abs() < best.Sub(now).Abs() {
			best = at
		}
	}
	return best, !best.IsZero()
}

// line makes the terminal ready to talk: working keys first, if there are none.
func (t *Terminal) line(ctx context.Context) error {
	if t.signedOn {
		return nil
	}
	_, err := t.SignOn(ctx)
	return err
}

package acquirer

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"jiaozi/crypt/vault"
	"jiaozi/value/clock"
	"jiaozi/value/ident"
)

const eventRegister = "acq/register"

// Merchant is somebody who sells. Blocked refuses all its terminals.
type Merchant struct {
	MID     ident.MID
	Name    string
	Blocked bool
}

// Terminal is a registered POS. Its master key is in the vault under MasterKey.
type Terminal struct {
	TID     ident.TID
	MID     ident.MID
	Profile vault.Profile
	Blocked bool
	// What follows is kept by the acquirer.
	Batch    uint32 // to be used next
	SignedOn int64  // Unix seconds; 0: signed off
	Serial   string
}

// MasterKey, pinKey and macKey name a terminal's keys in the vault.
func MasterKey(tid ident.TID) vault.Handle { return vault.Handle("tmk/" + tid) }
func pinKey(tid ident.TID) vault.Handle    { return vault.Handle("tpk/" + tid) }
func macKey(tid ident.TID) vault.Handle    { return vault.Handle("tak/" + tid) }

func (t *Terminal) secure() bool { return t.Profile == vault.Secure }

// AddMerchant registers a merchant or changes its name and status.
func (a *Acquirer) AddMerchant(ctx context.Context, m Merchant, now time.Time) error {
	if _, err := ident.ParseMID(string(m.MID)); err != nil {
		return fmt.Errorf("add merchant: %w", err)
	}
	return retry(func() (bool, error) {
		var old Merchant
		r, err := a.get(ctx, spaceMerchant, []byte(m.MID), &old)
		if err != nil || old == m {
			return true, err
		}
		return a.save(ctx, eventRegister, clock.DateOf(now), r, m)
	})
}

// AddTerminal registers a terminal of a registered merchant, or changes its
// merchant, profile and status; batch number and sign-on stay. The master key must
// be in the vault.
func (a *Acquirer) AddTerminal(ctx context.Context, t Terminal, now time.Time) error {
	if _, err := ident.ParseTID(string(t.TID)); err != nil {
		return fmt.Errorf("add terminal: %w", err)
	}
	if t.Profile != vault.CUP && t.Profile != vault.Secure {
		return fmt.Errorf("add terminal %s: the profile is neither cup nor secure", t.TID)
	}
	if !a.vault.Has(MasterKey(t.TID)) {
		return fmt.Errorf("add terminal %s: no master key %s in the vault; import it first", t.TID, MasterKey(t.TID))
	}
	if _, err := a.Merchant(ctx, t.MID); err != nil {
		return fmt.Errorf("add terminal %s: %w", t.TID, err)
	}
	return retry(func() (bool, error) {
		var kept Terminal
		r, err := a.get(ctx, spaceTerminal, []byte(t.TID), &kept)
		if err != nil {
			return false, err
		}
		next := t
		next.Batch, next.SignedOn, next.Serial = max(kept.Batch, 1), kept.SignedOn, kept.Serial
		if next.Profile != kept.Profile {
			next.SignedOn = 0 // the working keys are of the other kind
		}
		if next == kept {
			return true, nil
		}
		return a.save(ctx, eventRegister, clock.DateOf(now), r, next)
	})
}

// Merchant gives a registered merchant.
func (a *Acquirer) Merchant(ctx context.Context, mid ident.MID) (Merchant, error) {
	var m Merchant
	r, err := a.get(ctx, spaceMerchant, []byte(mid), &m)
	if err == nil && r.version == 0 {
		err = fmt.Errorf("merchant %s: %w", mid, ErrUnknown)
	}
	return m, err
}

// Terminal gives a registered terminal.
func (a *Acquirer) Terminal(ctx context.Context, tid ident.TID) (Terminal, error) {
	t, _, err := a.terminal(ctx, tid)
	return t, err
}

func (a *Acquirer) terminal(ctx context.Context, tid ident.TID) (Terminal, record, error) {
	var t Terminal
	r, err := a.get(ctx, spaceTerminal, []byte(tid), &t)
	if err == nil && r.version == 0 {
		err = fmt.Errorf("terminal %s: %w", tid, ErrUnknown)
	}
	return t, r, err
}

// HasTerminal tells whether a terminal is registered.
func (a *Acquirer) HasTerminal(ctx context.Context, tid ident.TID) (bool, error) {
	_, err := a.Terminal(ctx, tid)
	if errors.Is(err, ErrUnknown) {
		return false, nil
	}
	return err == nil, err
}

// Terminals visits all terminals in order of their ids.
func (a *Acquirer) Terminals(ctx context.Context, fn func(Terminal) error) error {
	return a.door.Scan(ctx, spaceTerminal, nil, func(_, value []byte, _ uint64) error {
		var t Terminal
		if err := json.Unmarshal(value, &t); err != nil {
			return fmt.Errorf("acquirer %s: record in %s is damaged, run audit: %w", a.cfg.Inst, spaceTerminal, err)
		}
		return fn(t)
	})
}

// change rewrites a terminal's record.
func (a *Acquirer) change(ctx context.Context, tid ident.TID, event string, date clock.Date, fn func(*Terminal)) (Terminal, error) {
	var out Terminal
	err := retry(func() (bool, error) {
		t, r, err := a.terminal(ctx, tid)
		if err != nil {
			return false, err
		}
		out = t
		fn(&out)
		if out == t {
			return true, nil
		}
		return a.save(ctx, event, date, r, out)
	})
	return out, err
}

// maxTries bounds how often a step is decided again because a record changed. Each
// time somebody else got ahead, so it is reached only under a flood on one record.
const maxTries = 16

func retry(step func() (bool, error)) error {
	for range maxTries {
		if done, err := step(); done || err != nil {
			return err
		}
	}
	return ErrBusy
}

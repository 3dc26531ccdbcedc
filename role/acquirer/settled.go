package acquirer

import (
	"bytes"
	"context"
	"crypto/ed25519"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"jiaozi/book"
	"jiaozi/value/clock"
	"jiaozi/value/ident"
	"jiaozi/value/money"
	"jiaozi/value/reason"
	"jiaozi/wire/clearing"
	"jiaozi/wire/purse"
)

const eventSettled = "acq/settled"

// ErrOtherFile: two different settlements under one id. Ask clearing which holds.
var ErrOtherFile = errors.New("acquirer: another settlement file with this id was taken before")

// line is one settled payment, as the merchant is told. The card number is masked:
// the full one stays with the capture.
type line struct {
	When        int64 // Unix seconds, at the terminal
	TID         ident.TID
	Batch, STAN uint32
	Card        string
	Kind        byte // 9C: payment or cash load
	Currency    money.Currency
	Gross, Fee  money.Minor
	Verdict     clearing.Verdict
	Reason      reason.Code
}

// Settled takes a settlement file over into the merchants' statements, once. The
// money itself was posted by clearing.
func (a *Acquirer) Settled(ctx context.Context, raw []byte, now time.Time) error {
	f, err := clearing.Decode(raw, func(from ident.Inst, msg, sig []byte) error {
		if from != a.cfg.Clearing || len(a.cfg.ClearingKey) != ed25519.PublicKeySize || !ed25519.Verify(a.cfg.ClearingKey, msg, sig) {
			return fmt.Errorf("it does not come from clearing %s", a.cfg.Clearing)
		}
		return nil
	})
	if err != nil {
		return fmt.Errorf("take settlement: %w", err)
	}
	if f.Header.Kind != clearing.Settlement || f.Header.To != a.cfg.Inst {
		return fmt.Errorf("take settlement: it is a %s for %s", f.Header.Kind, f.Header.To)
	}
	hash := sha256.Sum256(raw)
	prior, taken, err := a.door.GetOnce(ctx, spaceSettled, f.Header.ID[:])
	if err != nil {
		return fmt.Errorf("take settlement: %w", err)
	}
	if taken {
		return same(prior, hash[:])
	}
	return a.takeSettlement(ctx, f, hash[:], clock.DateOf(now))
}

func same(prior, hash []byte) error {
	if !bytes.Equal(prior, hash) {
		return ErrOtherFile
	}
	return nil
}

// takeSettlement books the lines in commands of bounded size, then the file's id. A
// crash in between is healed by the next delivery: equal lines are equal commands.
func (a *Acquirer) takeSettlement(ctx context.Context, f *clearing.File, hash []byte, date clock.Date) error {
	var puts []book.Put
	flush := func() error {
		if len(puts) == 0 {
			return nil
		}
		done, err := a.book(ctx, eventSettled, date, book.Command{Put: puts})
		if err == nil && !done {
			err = ErrOtherFile
		}
		puts = nil
		return err
	}
	for i := range f.Details {
		put, err := statementLine(f.Header, &f.Details[i])
		if err != nil {
			return fmt.Errorf("take settlement: detail %d: %w", f.Details[i].Sequence, err)
		}
		if puts = append(puts, put); len(puts) == fileDetails {
			if err := flush(); err != nil {
				return err
			}
		}
	}
	if err := flush(); err != nil {
		return err
	}
	res, err := a.apply(ctx, eventSettled, date, book.Command{
		Once: []book.Once{{Space: spaceSettled, Key: f.Header.ID[:], Value: hash}}})
	if err == nil && res.Code == book.Exists {
		return same(res.Prior, hash)
	}
	return err
}

func linePrefix(mid ident.MID, date clock.Date) string { return fmt.Sprintf("%s/%s/", mid, date) }

func statementLine(h clearing.Header, d *clearing.Detail) (book.Put, error) {
	r, err := purse.Decode(d.Record)
	if err != nil {
		return book.Put{}, err
	}
	raw, err := json.Marshal(line{
		When: r.When.Unix(), TID: r.TID, Batch: r.Batch, STAN: r.STAN, Card: r.PAN.Masked(), Kind: r.TxnType,
		Currency: h.Currency, Gross: d.Gross.Minor(), Fee: d.Fees.Merchant.Minor(), Verdict: d.Verdict, Reason: d.Reason})
	if err != nil {
		return book.Put{}, err
	}
	key := fmt.Sprintf("%s%s/%06d", linePrefix(r.MID, h.Date), h.ID, d.Sequence)
	return book.Put{Space: spaceLine, Key: []byte(key), Value: raw}, nil
}

// Uncleared visits the captures that no settlement has decided yet, for the auditor.
func (a *Acquirer) Uncleared(ctx context.Context, fn func(purse.Record) error) error {
	decided := map[string]bool{}
	err := a.door.Scan(ctx, spaceLine, nil, func(_, value []byte, _ uint64) error {
		var l line
		if err := json.Unmarshal(value, &l); err != nil {
			return fmt.Errorf("acquirer %s: a statement line is damaged, run audit: %w", a.cfg.Inst, err)
		}
		if l.Verdict != clearing.Pending {
			decided[traceKey(l.TID, l.Batch, l.STAN)] = true
		}
		return nil
	})
	if err != nil {
		return err
	}
	return a.door.Scan(ctx, spaceCapture, nil, func(key, value []byte, _ uint64) error {
		if decided[string(key)] {
			return nil
		}
		r, err := purse.Decode(value)
		if err != nil {
			return fmt.Errorf("acquirer %s: a capture is damaged, run audit: %w", a.cfg.Inst, err)
		}
		return fn(r)
	})
}

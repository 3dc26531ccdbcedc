package issuer

import (
	"context"
	"crypto/ed25519"
	"errors"
	"fmt"
	"time"

	"jiaozi/book"
	"jiaozi/value/clock"
	"jiaozi/value/ident"
	"jiaozi/value/must"
	"jiaozi/value/reason"
	"jiaozi/wire/clearing"
	"jiaozi/wire/emv"
	"jiaozi/wire/purse"
)

// What clearing must look at before it sends the file again.
var (
	// ErrFile: the file is not one that this issuer takes; the text says why.
	ErrFile = errors.New("issuer: the file is refused")
	// ErrFileDiffers: a file of this name was judged, with other content. One of
	// the two is a mistake or a fraud: ask clearing which.
	ErrFileDiffers = errors.New("issuer: a file of this name was judged before, with other content")
)

// window is how many details are verified and booked together: enough to fill
// batches of the book, little enough to hold in memory.
const window = 2048

// ruling is the issuer's decision about one detail. The numbers are stored.
type ruling uint8

const (
	rulingNone ruling = iota
	rulingPaid
	rulingOverspent
	rulingDuplicate
	rulingClone
	rulingForged
	rulingStranger
	rulingMalformed
	rulingCurrency
	rulingDeclined
	rulingRefunded
	rulingFlagged
	rulingTooMany
)

var rulings = [...]struct {
	verdict clearing.Verdict
	why     reason.Code
}{
	rulingPaid:      {clearing.Accepted, reason.Approved},
	rulingOverspent: {clearing.Accepted, reason.Suspense}, // a promise kept: the issuer's loss
	rulingDuplicate: {clearing.Duplicate, reason.Duplicate},
	rulingClone:     {clearing.Clone, reason.Clone},
	rulingForged:    {clearing.Rejected, reason.BadCryptogram},
	rulingStranger:  {clearing.Rejected, reason.UnknownCard},
	rulingMalformed: {clearing.Rejected, reason.FormatError},
	rulingCurrency:  {clearing.Rejected, reason.ForeignCurrency},
	rulingDeclined:  {clearing.Rejected, reason.DeclinedByCard},
	rulingRefunded:  {clearing.Rejected, reason.Refunded},
	rulingFlagged:   {clearing.Pending, reason.Flagged},
	rulingTooMany:   {clearing.Rejected, reason.Flagged},
}

// Present judges a presentment and returns the outcome, detail by detail. The
// same file gets the same outcome, byte for byte. If it fails half-way, present
// the file again: what was posted is recognised as this file's own.
func (i *Issuer) Present(ctx context.Context, file []byte, now time.Time) ([]byte, error) {
	f, err := clearing.Decode(file, i.fromClearing)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrFile, err)
	}
	h := f.Header
	if h.Kind != clearing.Presentment || h.From != i.cfg.Clearing || h.To != i.cfg.Inst || h.Currency != i.cfg.Currency {
		return nil, fmt.Errorf("%w: a %s in %s from %s to %s", ErrFile, h.Kind, h.Currency, h.From, h.To)
	}
	kept, found, err := i.door.GetOnce(ctx, i.space(spaceFile), h.ID[:])
	if err != nil {
		return nil, fmt.Errorf("issuer %s: look up file %s: %w", i.cfg.Inst, h.ID, err)
	}
	if !found {
		if kept, err = i.judge(ctx, f, clock.DateOf(now)); err != nil {
			return nil, err
		}
	}
	return i.outcome(f, kept)
}

func (i *Issuer) fromClearing(from ident.Inst, msg, sig []byte) error {
	if from != i.cfg.Clearing || !ed25519.Verify(i.cfg.ClearingKey, msg, sig) {
		return fmt.Errorf("not signed by clearing %s", i.cfg.Clearing)
	}
	return nil
}

// judge decides every detail and keeps the rulings under the file's id.
func (i *Issuer) judge(ctx context.Context, f *clearing.File, date clock.Date) ([]byte, error) {
	kept := append(make([]byte, 0, len(f.Trailer.Hash)+len(f.Details)), f.Trailer.Hash[:]...)
	for start := 0; start < len(f.Details); start += window {
		part := f.Details[start:min(start+window, len(f.Details))]
		rules, err := i.judgeWindow(ctx, f.Header.ID, part, date)
		if err != nil {
			return nil, err
		}
		kept = append(kept, rules...)
	}
	results, err := i.door.Apply(ctx, []book.Command{{
		ID:    book.DeriveID("iss/file", string(i.cfg.Inst), f.Header.ID[:], kept),
		Event: eventFile, Date: date,
		Once: []book.Once{{Space: i.space(spaceFile), Key: f.Header.ID[:], Value: kept}},
	}})
	if err != nil {
		return nil, fmt.Errorf("issuer %s: keep the outcome of file %s: %w", i.cfg.Inst, f.Header.ID, err)
	}
	switch r := results[0]; r.Code {
	case book.OK:
		return kept, nil
	case book.Exists:
		return r.Prior, nil // another caller presented the file at the same time
	default:
		return nil, fmt.Errorf("issuer %s: keep the outcome of file %s: %s", i.cfg.Inst, f.Header.ID, r.Code.Explain())
	}
}

// judgeWindow verifies the details, gathers those of each card in their order,
// and has them decided.
func (i *Issuer) judgeWindow(ctx context.Context, id clearing.FileID, part []clearing.Detail, date clock.Date) ([]byte, error) {
	rules := make([]byte, len(part))
	tasks := make([]*tapTask, len(part))
	works := make(map[ident.CardRef]*work)
	var cards []*work
	for n := range part {
		t, rule, err := i.tap(id, &part[n])
		if err != nil {
			return nil, err
		}
		if t == nil {
			rules[n] = byte(rule)
			continue
		}
		tasks[n] = t
		w := works[t.ref]
		if w == nil {
			w = &work{ref: t.ref}
			works[t.ref] = w
			cards = append(cards, w)
		}
		w.tasks = append(w.tasks, t)
	}
	if err := i.run(ctx, date, cards); err != nil {
		return nil, err
	}
	for n, t := range tasks {
		if t != nil {
			must.Hold(t.rule != rulingNone, "issuer: detail %d of file %s was left undecided", part[n].Sequence, id)
			rules[n] = byte(t.rule)
		}
	}
	return rules, nil
}

// tap reads and verifies one detail. Without a task the ruling is final.
func (i *Issuer) tap(id clearing.FileID, d *clearing.Detail) (*tapTask, ruling, error) {
	r, err := purse.Decode(d.Record)
	if err != nil || d.Issuer != i.cfg.Inst || r.Amount != d.Gross {
		return nil, rulingMalformed, nil
	}
	if r.Amount.Currency() != i.cfg.Currency {
		return nil, rulingCurrency, nil
	}
	if r.Amount.Sign() <= 0 {
		return nil, rulingMalformed, nil
	}
	t := &tapTask{issuer: i, record: r, acquirer: d.Acquirer, origin: originOf(id, d.Sequence)}
	if r.HasCryptogram() {
		if t.proof, err = i.verify(&r); err != nil {
			return nil, rulingNone, err
		}
		if !t.genuine {
			return nil, rulingForged, nil
		}
	}
	if r.Flag == purse.None && !t.genuine {
		return nil, rulingForged, nil
	}
	// A payment is what the card approved by itself. Its second cryptogram of a
	// load says TC too, and pays nobody.
	if r.HasCryptogram() && t.first != emv.TC {
		return nil, rulingDeclined, nil
	}
	if t.ref, err = i.vault.CardRef(i.cfg.Keys.Ref, r.PAN, r.PSN); err != nil {
		return nil, rulingNone, fmt.Errorf("issuer %s: name the card: %w", i.cfg.Inst, err)
	}
	return t, rulingNone, nil
}

// outcome writes the answer file: the presentment's details with the rulings.
func (i *Issuer) outcome(f *clearing.File, kept []byte) ([]byte, error) {
	if len(kept) < len(f.Trailer.Hash) || string(kept[:len(f.Trailer.Hash)]) != string(f.Trailer.Hash[:]) {
		return nil, fmt.Errorf("file %s of %s: %w", f.Header.ID, f.Header.From, ErrFileDiffers)
	}
	rules := kept[len(f.Trailer.Hash):]
	if len(rules) != len(f.Details) {
		return nil, fmt.Errorf("outcome of file %s: %w", f.Header.ID, errRecord)
	}
	h := f.Header
	out := &clearing.File{Header: clearing.Header{
		Kind: clearing.Outcome, From: i.cfg.Inst, To: h.From, Date: h.Date, Sequence: h.Sequence, Currency: h.Currency,
	}}
	out.Details = append(out.Details, f.Details...)
	for n := range out.Details {
		if int(rules[n]) >= len(rulings) || rules[n] == byte(rulingNone) {
			return nil, fmt.Errorf("outcome of file %s: %w", h.ID, errRecord)
		}
		out.Details[n].Verdict, out.Details[n].Reason = rulings[rules[n]].verdict, rulings[rules[n]].why
	}
	return clearing.Append(nil, out, func(msg []byte) ([]byte, error) {
		return i.vault.Sign(i.cfg.Keys.Sign, clearing.Domain, msg)
	})
}

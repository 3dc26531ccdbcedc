package clearing

import (
	"bytes"
	"context"
	"fmt"

	"jiaozi/book"
	"jiaozi/wire/clearing"
	"jiaozi/wire/purse"
)

// Outcome takes an issuer's verdicts. The same file again changes nothing. A
// file that comes after its day was closed is settled with the next day.
func (c *Clearing) Outcome(ctx context.Context, file []byte) error {
	f, err := clearing.Decode(file, c.verify)
	if err != nil {
		return fmt.Errorf("%w: %w", ErrFile, err)
	}
	h := f.Header
	if h.Kind != clearing.Outcome || h.To != c.cfg.Inst {
		return fmt.Errorf("%w: a %s for %s", ErrFile, h.Kind, h.To)
	}
	if err := payable(f); err != nil {
		return err
	}
	got, _, err := digest(f.Details)
	if err != nil {
		return err
	}
	for range maxStale {
		stale, err := c.answer(ctx, f, file, got)
		if err != nil || !stale {
			return err
		}
	}
	return ErrBusy
}

// payable: what is paid must be a payment of that sum; the settlement needs its
// merchant.
func payable(f *clearing.File) error {
	for _, d := range f.Details {
		if d.Verdict != clearing.Accepted && d.Verdict != clearing.Clone {
			continue
		}
		if r, err := purse.Decode(d.Record); err != nil || r.Amount != d.Gross {
			return fmt.Errorf("%w: %s pays detail %d, which is no payment of %s", ErrFile, f.Header.From, d.Sequence, d.Gross)
		}
	}
	return nil
}

// answer books one outcome, or finds that it was booked.
func (c *Clearing) answer(ctx context.Context, f *clearing.File, file, got []byte) (stale bool, err error) {
	var r routed
	id := f.Header.ID
	version, err := c.get(ctx, spaceWait, id[:], &r)
	switch {
	case err != nil:
		return false, err
	case version == 0 || r.Issuer != f.Header.From:
		return false, fmt.Errorf("%w: nothing was sent to %s that this outcome answers", ErrFile, f.Header.From)
	case !bytes.Equal(r.Digest, got):
		return false, fmt.Errorf("%w: its details are not those that %s was sent", ErrFile, f.Header.From)
	case r.Answered != nil && !bytes.Equal(r.Answered, f.Trailer.Hash[:]):
		return false, fmt.Errorf("outcome %s of %s: %w", id, f.Header.From, ErrDiffers)
	case r.Answered != nil:
		return false, nil
	}
	st, stVersion, err := c.state(ctx)
	if err != nil {
		return false, err
	}
	var waiting routed
	open, err := c.get(ctx, spaceOpen, id[:], &waiting)
	if err != nil {
		return false, err
	}
	day := openDay(r.Day, st)
	r.Answered = f.Trailer.Hash[:]
	st.take(day)
	return c.apply(ctx, "take outcome "+id.String(), book.Command{
		ID:    book.DeriveID("clr/outcome", string(c.cfg.Inst), id[:], f.Trailer.Hash[:], st.Taken, uint32(day)),
		Event: eventFile, Date: day,
		Put: []book.Put{
			c.put(spaceWait, id[:], version, r),
			{Space: c.space(spaceOpen), Key: id[:], Expect: open},
			{Space: c.space(spaceDone), Key: append(dateKey(day), id[:]...), Value: file},
			c.put(spaceState, keyState, stVersion, st),
		},
	})
}

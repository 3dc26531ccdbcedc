package terminal

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"jiaozi/wire/iso8583"
)

// Flush sends what waits for the host: reversals and script notices. Each is
// tried a few times; what the host does not acknowledge stays for the next call,
// for ever if need be. The error says what is left.
func (t *Terminal) Flush(ctx context.Context) error {
	if err := t.sound(); err != nil {
		return err
	}
	var failed []error
	for _, item := range slices.Clone(t.state.outbox) {
		err := t.deliver(ctx, item)
		if err != nil {
			failed = append(failed, fmt.Errorf("outbox item %06d of batch %06d: %w", item.Trace.STAN, item.Trace.Batch, err))
		}
		if errors.Is(err, errNoAnswer) || t.unknown {
			break // the line or the journal is down; the others would fail alike
		}
	}
	return errors.Join(failed...)
}

// deliver sends one item until it is acknowledged or the tries are used up.
func (t *Terminal) deliver(ctx context.Context, item step) error {
	m := &iso8583.Message{}
	if err := iso8583.POS.Decode(item.Message, m); err != nil {
		return fmt.Errorf("%w: %w", ErrJournal, err)
	}
	var last error
	for range maxTries {
		if last = t.line(ctx); last != nil {
			continue
		}
		r, err := t.exchange(ctx, m)
		if err != nil {
			last = err
			continue
		}
		if r.code.Code == iso8583.CodeApproved {
			return t.record(ended{item.Trace})
		}
		last = r.refusal(m.MTI.String())
	}
	return last
}

// waiting reports whether an item is still in the outbox.
func (t *Terminal) waiting(tr trace) bool {
	return slices.ContainsFunc(t.state.outbox, func(x step) bool { return x.Trace == tr })
}

// Waiting counts reversals and notices that the host has not acknowledged.
func (t *Terminal) Waiting() int { return len(t.state.outbox) }

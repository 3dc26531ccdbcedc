package terminal

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"jiaozi/value/money"
	"jiaozi/value/must"
	"jiaozi/wire/iso8583"
	"jiaozi/wire/purse"
)

// Settlement is the end of a batch as both sides see it.
type Settlement struct {
	Batch, Next  uint32
	Count        int          // approved sales, recovered ones included
	Total        money.Amount // of them
	Flagged      int          // payments that the issuer decides
	FlaggedTotal money.Amount
	Refused      int  // sales that the acquirer will not take; Refused lists them, they stay
	Equal        bool // the host counted the same; if not, the details were sent again
	Receipt      string
}

// errNotClosed asks for another Settle; the batch stays as it is.
var errNotClosed = errors.New("the host does not close the batch: settle again later")

// Settle ends the day: what is still open is flagged, the outbox and every record
// are brought to the acquirer, the totals are compared and a new batch begins.
// Each step is durable, so that a Settle that failed, or whose process died, is
// simply called again; a repeated message carries the trace number of the first.
// Sales may go on meanwhile; once the totals are sent they belong to the next batch.
func (t *Terminal) Settle(ctx context.Context) (Settlement, error) {
	if err := t.sound(); err != nil {
		return Settlement{}, err
	}
	if err := t.line(ctx); err != nil {
		return Settlement{}, err
	}
	if err := t.Flush(ctx); err != nil {
		return Settlement{}, fmt.Errorf("before the settlement: %w", err)
	}
	if t.state.closing == nil {
		if err := t.bringAll(ctx); err != nil {
			return Settlement{}, err
		}
		if t.state.empty() {
			return t.sums(t.state.batch), nil
		}
		tr, err := t.nextTrace()
		if err != nil {
			return Settlement{}, err
		}
		if err := t.record(closing(tr)); err != nil {
			return Settlement{}, err
		}
	}
	return t.reconcile(ctx, *t.state.closing)
}

// bringAll flags what is open and uploads what is not acknowledged.
func (t *Terminal) bringAll(ctx context.Context) error {
	for _, p := range slices.Clone(t.state.pending) {
		if err := t.record(flagged{p.torn()}); err != nil {
			return err
		}
	}
	return t.Upload(ctx)
}

// Upload brings every record that the acquirer has not acknowledged (0200 with
// type 36). A lost acknowledgement is asked for again with the same trace number.
func (t *Terminal) Upload(ctx context.Context) error {
	if err := t.sound(); err != nil {
		return err
	}
	var failed []error
	for _, x := range slices.Clone(t.state.sales) {
		if x.acked {
			continue
		}
		err := t.upload(ctx, &x.record)
		if err != nil {
			failed = append(failed, fmt.Errorf("upload of record %06d of batch %06d: %w", x.record.STAN, x.record.Batch, err))
		}
		if errors.Is(err, errNoAnswer) || t.unknown {
			break
		}
	}
	return errors.Join(failed...)
}

func (t *Terminal) upload(ctx context.Context, r *purse.Record) error {
	m, err := t.detail(0x0200, r, iso8583.F60{Type: iso8583.TypeOfflineUpload, Cap: capability(r.Entry), Parts: 5})
	if err != nil {
		return err
	}
	err = t.insist(ctx, m)
	var no *never
	switch {
	case errors.As(err, &no):
		return t.record(refused{traceOf(r), no.code})
	case err != nil:
		return err
	}
	return t.record(acked{traceOf(r)})
}

// never is a refusal that the host has signed and that asking again will not
// change: it does not know the card's issuer, or finds the record impossible.
type never struct {
	code string
	err  error
}

func (n *never) Error() string { return n.err.Error() }
func (n *never) Unwrap() error { return n.err }

// Refused lists the sales that the acquirer will not take. They are offered again
// with every upload; the merchant shows their receipts to the acquirer.
func (t *Terminal) Refused() []purse.Record {
	var out []purse.Record
	for i := range t.state.sales {
		if x := &t.state.sales[i]; x.refused != "" && !x.acked && x.record.Flag == purse.None {
			out = append(out, x.record)
		}
	}
	return out
}

// insist sends a message until it is acknowledged or the tries are used up. A
// duplicate (94) is no acknowledgement: a repeat of the same record is answered 00,
// so another payment stands under this trace number.
func (t *Terminal) insist(ctx context.Context, m *iso8583.Message) error {
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
		if r.approved() {
			return nil
		}
		last = r.refusal(m.MTI.String())
		if r.authentic && !r.code.Retriable() {
			return &never{r.code.Code, last}
		}
	}
	return last
}

func capability(e purse.Entry) uint8 {
	if e == purse.Contactless {
		return readContactless
	}
	return readContact
}

// detail is the message of one record.
func (t *Terminal) detail(mti iso8583.MTI, r *purse.Record, f60 iso8583.F60) (*iso8583.Message, error) {
	n12, err := r.Amount.N12()
	if err != nil {
		return nil, fmt.Errorf("record %06d: %w", r.STAN, err)
	}
	m := t.message(mti, traceOf(r), r.When, f60)
	t.setCard(m, r.PAN, r.PSN, r.Entry)
	m.Set(3, "000000")
	m.Set(4, fmt.Sprintf("%x", n12))
	m.Set(25, "00")
	m.Set(49, fmt.Sprintf("%03d", r.Amount.Currency()))
	m.SetBytes(55, r.F55())
	if r.Flag != purse.None {
		m.Set(62, iso8583.FlagField(uint8(r.Flag)))
	}
	return m, nil
}

// reconcile compares the totals of the closing batch and ends it.
func (t *Terminal) reconcile(ctx context.Context, c closing) (Settlement, error) {
	out := t.sums(c.Batch)
	r, err := t.sendTotals(ctx, c, out)
	if err != nil {
		return Settlement{}, fmt.Errorf("settle batch %06d: %w", c.Batch, err)
	}
	said, err := iso8583.ParseTotals(r.Text(48))
	if err != nil {
		return Settlement{}, fmt.Errorf("settle batch %06d: %w", c.Batch, err)
	}
	out.Equal = said.Home.Reply == iso8583.TotalsEqual
	switch said.Home.Reply {
	case iso8583.TotalsEqual:
	case iso8583.TotalsUnequal:
		if err := t.uploadDetails(ctx, c); err != nil {
			return Settlement{}, fmt.Errorf("batch upload %06d: %w", c.Batch, err)
		}
	default:
		return Settlement{}, fmt.Errorf("settle batch %06d: %w", c.Batch, errNotClosed)
	}
	if err := t.record(closed{c.Batch, nextOf(r, c.Batch)}); err != nil {
		return Settlement{}, err
	}
	out.Next = t.state.batch
	out.Receipt = t.settlementSlip(out)
	return out, t.shorten()
}

// nextOf is the batch number that the host names, 0 if it only echoes the old one.
func nextOf(r *reply, batch uint32) uint32 {
	f60, err := iso8583.ParseF60(r.Text(60))
	if err != nil || f60.Batch == batch {
		return 0
	}
	return f60.Batch
}

// sendTotals sends the 0500. Its trace number is the same however often.
func (t *Terminal) sendTotals(ctx context.Context, c closing, s Settlement) (*reply, error) {
	totals, err := iso8583.Totals{Home: iso8583.Sums{Debit: s.Total.Minor(), DebitCount: uint16(s.Count)}}.Digits()
	if err != nil {
		return nil, err
	}
	m := t.message(0x0500, trace(c), time.Time{}, iso8583.F60{Type: iso8583.TypeManagement, NetCode: iso8583.NetSettle})
	m.Set(48, totals)
	m.Set(49, fmt.Sprintf("%03d", t.cfg.Currency))
	m.Set(63, t.cfg.Operator)
	var last error
	for range maxTries {
		if last = t.line(ctx); last != nil {
			continue
		}
		r, err := t.exchange(ctx, m)
		if err == nil && (r.approved() || r.code.Code == iso8583.CodeTotals) {
			return r, nil
		}
		if last = err; err == nil {
			last = r.refusal("0500")
		}
	}
	return nil, last
}

// uploadDetails sends every record of the batch again and says how many there were.
func (t *Terminal) uploadDetails(ctx context.Context, c closing) error {
	count := 0
	for i := range t.state.sales {
		r := &t.state.sales[i].record
		if r.Batch != c.Batch || !t.state.sales[i].acked {
			continue
		}
		m, err := t.detail(0x0320, r, iso8583.F60{Type: iso8583.TypeManagement, NetCode: iso8583.NetDetailUnequal})
		if err != nil {
			return err
		}
		if err := t.insist(ctx, m); err != nil {
			return fmt.Errorf("record %06d: %w", r.STAN, err)
		}
		count++
	}
	end := t.message(0x0320, trace(c), time.Time{}, iso8583.F60{Type: iso8583.TypeManagement, NetCode: iso8583.NetBatchEndChip})
	end.Set(48, fmt.Sprintf("%04d", count))
	return t.insist(ctx, end)
}

// sums adds a batch up.
func (t *Terminal) sums(batch uint32) Settlement {
	zero := money.Zero(t.cfg.Currency)
	out := Settlement{Batch: batch, Next: t.state.batch, Total: zero, FlaggedTotal: zero, Equal: true}
	for i := range t.state.sales {
		r := &t.state.sales[i].record
		if r.Batch != batch {
			continue
		}
		switch {
		case r.Flag != purse.None:
			out.Flagged++
			out.FlaggedTotal = plus(out.FlaggedTotal, r.Amount)
		case t.state.sales[i].refused != "" && !t.state.sales[i].acked:
			out.Refused++
		default:
			out.Count++
			out.Total = plus(out.Total, r.Amount)
		}
	}
	return out
}

// Totals gives the sums of the open batch.
func (t *Terminal) Totals() Settlement { return t.sums(t.state.batch) }

// plus adds amounts of one batch: 999 of twelve digits fit many times over.
func plus(a, b money.Amount) money.Amount {
	sum, err := a.Add(b)
	must.Hold(err == nil, "terminal: amounts of one batch do not add up: %v", err)
	return sum
}

package acquirer

import (
	"context"
	"math"
	"strconv"

	"jiaozi/book"
	"jiaozi/value/ident"
	"jiaozi/value/money"
	"jiaozi/wire/iso8583"
	"jiaozi/wire/purse"
)

const (
	eventSettle   = "acq/settle"
	eventBatchEnd = "acq/batchend"
)

// BatchState says how a terminal's batch ended.
type BatchState string

// The states of a batch. An open one has no record.
const (
	BatchUnequal  BatchState = "unequal"  // the totals differ: the terminal uploads its details
	BatchEqual    BatchState = "equal"    // closed with equal totals
	BatchUploaded BatchState = "uploaded" // closed after the upload of details
)

// Batch is what the acquirer keeps about a settled batch.
type Batch struct {
	State   BatchState
	Claimed iso8583.Totals // by the terminal
	Counted iso8583.Totals // by the acquirer
	Details uint32         // announced at the end of an upload
}

// Batch gives the record of a settled batch.
func (a *Acquirer) Batch(ctx context.Context, tid ident.TID, batch uint32) (Batch, error) {
	var b Batch
	_, err := a.get(ctx, spaceBatch, []byte(batchKey(tid, batch)), &b)
	return b, err
}

func (b Batch) closed() bool { return b.State == BatchEqual || b.State == BatchUploaded }

// settle compares the totals of a batch (0500). A batch that is closed stays as it
// is: a terminal that did not hear the answer gets the same one again.
func (a *Acquirer) settle(ctx context.Context, q *request) (*iso8583.Message, error) {
	claimed, err := iso8583.ParseTotals(q.m.Text(48))
	if q.f60.NetCode != iso8583.NetSettle || err != nil {
		return a.respond(q, iso8583.CodeFormat), nil
	}
	var b Batch
	err = retry(func() (bool, error) {
		b = Batch{}
		r, err := a.get(ctx, spaceBatch, []byte(batchKey(q.terminal.TID, q.f60.Batch)), &b)
		if err != nil || b.closed() {
			return true, err
		}
		if b, err = a.compare(ctx, q, claimed); err != nil {
			return false, err
		}
		return a.closeBatch(ctx, q, eventSettle, r, b)
	})
	if err != nil {
		return nil, err
	}
	return a.settled(q, b)
}

func (a *Acquirer) compare(ctx context.Context, q *request, claimed iso8583.Totals) (Batch, error) {
	counted, err := a.count(ctx, q.terminal.TID, q.f60.Batch)
	if err != nil {
		return Batch{}, err
	}
	claimed.Home.Reply, claimed.Foreign.Reply = iso8583.TotalsAsked, iso8583.TotalsAsked
	b := Batch{State: BatchUnequal, Claimed: claimed, Counted: counted}
	if claimed == counted {
		b.State = BatchEqual
	}
	return b, nil
}

// count adds up the plain payments of a batch. Flagged records are evidence, not
// money, and loads are between issuer and cardholder. The second group of totals,
// for foreign currencies, stays empty: no other currency is captured.
func (a *Acquirer) count(ctx context.Context, tid ident.TID, batch uint32) (iso8583.Totals, error) {
	sum, n := money.Zero(a.cfg.Currency), 0
	err := a.Captures(ctx, tid, batch, func(r purse.Record) (err error) {
		if r.Flag == purse.None {
			n++
			sum, err = sum.Add(r.Amount)
		}
		return err
	})
	n = min(n, math.MaxUint16) // more than field 48 can say is unequal anyway
	return iso8583.Totals{Home: iso8583.Sums{Debit: sum.Minor(), DebitCount: uint16(n)}}, err
}

// closeBatch books a batch and, if that closes it, the number of the next one.
func (a *Acquirer) closeBatch(ctx context.Context, q *request, event string, r record, b Batch) (bool, error) {
	put, err := r.put(b)
	if err != nil {
		return false, err
	}
	puts := []book.Put{put}
	if b.closed() {
		t, tr, err := a.terminal(ctx, q.terminal.TID)
		if err != nil {
			return false, err
		}
		if t.Batch == q.f60.Batch {
			t.Batch = nextBatch(t.Batch)
			if put, err = tr.put(t); err != nil {
				return false, err
			}
			puts = append(puts, put)
		}
	}
	return a.book(ctx, event, q.date, book.Command{Put: puts})
}

const maxBatch = 999_999 // field 60.2 has six digits

func nextBatch(n uint32) uint32 {
	if n >= maxBatch {
		return 1
	}
	return n + 1
}

// settled answers with the reply digit of both groups and the batch to use next.
func (a *Acquirer) settled(q *request, b Batch) (*iso8583.Message, error) {
	totals := b.Claimed
	totals.Home.Reply = replyDigit(b.closed() || b.Claimed.Home == b.Counted.Home)
	totals.Foreign.Reply = replyDigit(b.closed() || b.Claimed.Foreign == b.Counted.Foreign)
	digits, err := totals.Digits()
	if err != nil {
		return nil, err
	}
	m := a.approve(q)
	m.Set(48, digits)
	if b.closed() {
		q.f60.Batch = nextBatch(q.f60.Batch)
		m.Set(60, q.f60.Digits())
	}
	return m, nil
}

func replyDigit(equal bool) uint8 {
	if equal {
		return iso8583.TotalsEqual
	}
	return iso8583.TotalsUnequal
}

// batchUpload answers 0320: chip details one by one, then the end of the upload.
func (a *Acquirer) batchUpload(ctx context.Context, q *request) (*iso8583.Message, error) {
	switch q.f60.NetCode {
	case iso8583.NetDetailEqual, iso8583.NetDetailUnequal, iso8583.NetDetailFailed, iso8583.NetDetailBad:
		return a.upload(ctx, q)
	case iso8583.NetBatchEnd, iso8583.NetBatchEndChip:
		return a.batchEnd(ctx, q)
	}
	if q.f60.Type == iso8583.TypeOfflineUpload {
		return a.upload(ctx, q)
	}
	return a.respond(q, iso8583.CodeFunction), nil
}

// batchEnd closes a batch whose details were uploaded. What was acknowledged is
// kept whatever the terminal counts; the difference stays in the record of the
// batch for the operator.
func (a *Acquirer) batchEnd(ctx context.Context, q *request) (*iso8583.Message, error) {
	details, err := strconv.ParseUint(q.m.Text(48), 10, 16)
	if err != nil {
		return a.respond(q, iso8583.CodeFormat), nil
	}
	err = retry(func() (bool, error) {
		var b Batch
		r, err := a.get(ctx, spaceBatch, []byte(batchKey(q.terminal.TID, q.f60.Batch)), &b)
		if err != nil || b.closed() {
			return true, err
		}
		if b.Counted, err = a.count(ctx, q.terminal.TID, q.f60.Batch); err != nil {
			return false, err
		}
		b.State, b.Details = BatchUploaded, uint32(details)
		return a.closeBatch(ctx, q, eventBatchEnd, r, b)
	})
	if err != nil {
		return nil, err
	}
	return a.approve(q), nil
}

package acquirer

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"strconv"
	"time"

	"jiaozi/book"
	"jiaozi/value/clock"
	"jiaozi/value/ident"
	"jiaozi/value/money"
	"jiaozi/wire/iso8583"
	"jiaozi/wire/purse"
)

const eventCapture = "acq/capture"

// purchaseType is tag 9C of a payment: nothing else is captured offline.
const purchaseType = 0x00

// batchKey and traceKey name what a terminal did; they sort by batch and trace.
func batchKey(tid ident.TID, batch uint32) string { return fmt.Sprintf("%s/%06d/", tid, batch) }

func traceKey(tid ident.TID, batch, stan uint32) string {
	return fmt.Sprintf("%s%06d", batchKey(tid, batch), stan)
}

// upload takes one offline payment: an 0200 of type 36, or a detail of a batch.
// It is acknowledged when it is in the book, once for its trace and once for its
// proof. Two different proofs on one card counter are both taken: that the second
// is a clone is for the issuer to see.
func (a *Acquirer) upload(ctx context.Context, q *request) (*iso8583.Message, error) {
	record, code := q.purse()
	if code == "" {
		code = a.acceptable(record)
	}
	if code != "" {
		return a.respond(q, code), nil
	}
	issuer, ok := a.route(record.PAN)
	if !ok {
		return a.respond(q, iso8583.CodeNoIssuer), nil
	}
	key := traceKey(record.TID, record.Batch, record.STAN)
	raw := purse.Append(nil, record)
	proof := record.Proof()
	res, err := a.apply(ctx, eventCapture, q.date, book.Command{
		Once: []book.Once{{Space: spaceProof, Key: append(proof[:], byte(record.Flag)), Value: []byte(key)}},
		Put:  []book.Put{{Space: spaceCapture, Key: []byte(key), Value: raw}},
		Out:  []book.Out{{Topic: topicPresent + string(issuer), Key: []byte(key), Body: raw}},
	})
	if err != nil {
		return nil, err
	}
	switch res.Code {
	case book.OK:
		return a.approve(q), nil
	case book.Exists, book.VersionConflict:
		return a.again(ctx, q, key, raw)
	}
	return nil, fmt.Errorf("book capture: %s", res.Code.Explain())
}

// again answers an upload whose trace or proof is taken: yes, if it is the same
// payment under the same trace; otherwise it is a duplicate, which ends it too.
func (a *Acquirer) again(ctx context.Context, q *request, key string, raw []byte) (*iso8583.Message, error) {
	kept, _, err := a.door.Get(ctx, spaceCapture, []byte(key))
	if err != nil {
		return nil, err
	}
	if bytes.Equal(kept, raw) {
		return a.approve(q), nil
	}
	return a.respond(q, iso8583.CodeDuplicate), nil
}

// purse puts the record together from the message. Terminal and merchant are those
// that were authenticated.
func (q *request) purse() (r purse.Record, code string) {
	pan, err := ident.ParsePAN(q.m.Text(2))
	if err != nil {
		return r, iso8583.CodeUnknownCard
	}
	r = purse.Record{PAN: pan, TID: q.terminal.TID, MID: q.terminal.MID, STAN: q.stan, Batch: q.f60.Batch}
	if err := q.fill(&r); err != nil {
		return r, iso8583.CodeFormat
	}
	return r, ""
}

// acceptable refuses what could never be cleared: one such payment would hold up the
// file of everybody else.
func (a *Acquirer) acceptable(r purse.Record) (code string) {
	switch {
	case r.TxnType != purchaseType, r.Amount.Currency() != a.cfg.Currency:
		return iso8583.CodeInvalid
	case r.Amount.Sign() <= 0:
		return iso8583.CodeBadAmount
	}
	return ""
}

var errField = errors.New("a field does not fit the chip data")

func (q *request) fill(r *purse.Record) error {
	if err := r.SetF55(q.m.Bytes(55)); err != nil {
		return err
	}
	psn, err := strconv.ParseUint(q.m.Text(23), 10, 8)
	if err != nil {
		return errField
	}
	r.PSN = ident.PSN(psn)
	switch entry := q.m.Text(22); {
	case len(entry) == 3 && entry[:2] == "05":
		r.Entry = purse.Contact
	case len(entry) == 3 && entry[:2] == "07":
		r.Entry = purse.Contactless
	default:
		return errField
	}
	if raw := q.m.Bytes(62); len(raw) > 0 {
		flag, err := iso8583.ParseFlagField(raw)
		if err != nil {
			return err
		}
		r.Flag = purse.Flag(flag)
	}
	if amount, err := q.amount(); err != nil || amount != r.Amount {
		return errField
	}
	r.When = q.timed(r.When)
	return r.Validate()
}

// timed completes chip data without a time (9F21) from field 12.
func (q *request) timed(when time.Time) time.Time {
	local := when.In(clock.Zone)
	if local.Hour()|local.Minute()|local.Second() != 0 {
		return when
	}
	at, err := time.ParseInLocation("20060102150405", local.Format("20060102")+q.m.Text(12), clock.Zone)
	if err != nil {
		return when
	}
	return at
}

// amount reads fields 4 and 49.
func (q *request) amount() (money.Amount, error) {
	currency, err := strconv.ParseUint(q.m.Text(49), 10, 16)
	if err != nil {
		return money.Amount{}, errField
	}
	minor, err := strconv.ParseInt(q.m.Text(4), 10, 64)
	if err != nil {
		return money.Amount{}, errField
	}
	return money.New(money.Currency(currency), money.Minor(minor)), nil
}

// Captures visits the offline payments of a batch in order of their traces.
func (a *Acquirer) Captures(ctx context.Context, tid ident.TID, batch uint32, fn func(purse.Record) error) error {
	return a.door.Scan(ctx, spaceCapture, []byte(batchKey(tid, batch)), func(_, value []byte, _ uint64) error {
		r, err := purse.Decode(value)
		if err != nil {
			return fmt.Errorf("acquirer %s: a capture is damaged, run audit: %w", a.cfg.Inst, err)
		}
		return fn(r)
	})
}

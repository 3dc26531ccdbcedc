package terminal

import (
	"fmt"
	"time"

	"jiaozi/value/ident"
	"jiaozi/value/money"
	"jiaozi/wire/purse"
)

// entryVersion heads every entry. A change of an existing layout needs another one.
const entryVersion = 1

// kind says what an entry is about. Numbers are for ever.
type kind byte

const (
	kindOpened   kind = 1
	kindReserved kind = 2
	kindBatch    kind = 3
	kindPended   kind = 4
	kindDropped  kind = 5
	kindSold     kind = 6
	kindFlagged  kind = 7
	kindAcked    kind = 8
	kindStep     kind = 9
	kindEnded    kind = 10
	kindListed   kind = 11
	kindClosing  kind = 12
	kindClosed   kind = 13
	kindSaid     kind = 14
	kindRefused  kind = 15
	kindLeft     kind = 16
)

// entry is one durable fact of the terminal's life.
type entry interface {
	kind() kind
	append(dst []byte) []byte
}

// trace names a transaction of this terminal for ever: trace numbers are not
// used twice within a batch.
type trace struct{ Batch, STAN uint32 }

func traceOf(r *purse.Record) trace { return trace{r.Batch, r.STAN} }

// opened heads the journal and ties it to one terminal.
type opened struct {
	TID      ident.TID
	MID      ident.MID
	Currency money.Currency
}

// reserved: trace numbers up to and including Upto (counted without wrapping) may
// have been used; a restart goes on behind it.
type reserved struct{ Upto uint64 }

// renumbered sets the number of the empty open batch, as the host asked.
type renumbered struct{ Batch uint32 }

// pended: the card may have paid from now on, or never will. Kept is what a tap's
// authentication needs beside the records; an insert has none, and no cryptogram.
type pended struct {
	Record purse.Record
	AID    ident.AID
	Kept   kept
}

// kept is the part of a contactless GPO answer that no record repeats.
type kept struct{ AFL, SDAD, CardAuth []byte }

// dropped: the card proved, or the terminal knows, that the pending was not paid.
type dropped struct{ Trace trace }

// sold: the sale is approved; this entry is what success is signalled upon.
type sold struct {
	Record    purse.Record
	Recovered bool
}

// flagged: the card may have paid but the sale was not completed; the issuer decides.
type flagged struct{ Record purse.Record }

// acked: the acquirer has the record.
type acked struct{ Trace trace }

// refused: the acquirer has said, with its MAC, that it will not take the record.
// The batch can be settled without it; the sale stays here and is offered again.
type refused struct {
	Trace trace
	Code  string // field 39, two characters
}

// left is a refused sale whose batch is settled: written when the journal is
// shortened.
type left struct {
	Record    purse.Record
	Recovered bool
	Code      string
}

// step is a load or closure in the outbox: the message that must reach the host
// if the terminal dies now.
type step struct {
	Trace   trace
	Kind    Service
	Stage   stage
	Amount  money.Amount
	PAN     ident.PAN
	PSN     ident.PSN
	When    time.Time
	Message []byte // 0400 or 0620, without MAC: keys change between attempts
}

// stage is how far the money has come; it never goes back.
type stage byte

const (
	stageReverse  stage = 1 // the request may be out: undo it
	stageScript   stage = 2 // the script may be in the card: say so, result not known
	stageReported stage = 3 // the script's result is known
)

// ended: the host has acknowledged the outbox item.
type ended struct{ Trace trace }

// listed holds the signed blacklist now in force.
type listed struct{ Signed []byte }

// closing: every record of the batch is acknowledged and its totals are frozen;
// STAN is the trace number of the 0500, so that a repeat is recognised. Sales go
// on in the next batch.
type closing struct{ Batch, STAN uint32 }

// closed: the host has settled the batch. Next is the number the host wants for
// the open batch, 0 for none.
type closed struct{ Batch, Next uint32 }

// said: the outcome of the last sale was signalled (orderly shutdown, or told at
// the next presentation).
type said struct{}

func (opened) kind() kind     { return kindOpened }
func (reserved) kind() kind   { return kindReserved }
func (renumbered) kind() kind { return kindBatch }
func (pended) kind() kind     { return kindPended }
func (dropped) kind() kind    { return kindDropped }
func (sold) kind() kind       { return kindSold }
func (flagged) kind() kind    { return kindFlagged }
func (acked) kind() kind      { return kindAcked }
func (step) kind() kind       { return kindStep }
func (ended) kind() kind      { return kindEnded }
func (listed) kind() kind     { return kindListed }
func (closing) kind() kind    { return kindClosing }
func (closed) kind() kind     { return kindClosed }
func (said) kind() kind       { return kindSaid }
func (refused) kind() kind    { return kindRefused }
func (left) kind() kind       { return kindLeft }

func (t trace) append(dst []byte) []byte { return appendU32(appendU32(dst, t.Batch), t.STAN) }

func (e opened) append(dst []byte) []byte {
	dst = appendBlob(appendBlob(dst, []byte(e.TID)), []byte(e.MID))
	currency := e.Currency.BCD()
	return append(dst, currency[:]...)
}

func (e reserved) append(dst []byte) []byte   { return appendU64(dst, e.Upto) }
func (e renumbered) append(dst []byte) []byte { return appendU32(dst, e.Batch) }

func (e pended) append(dst []byte) []byte {
	dst = appendBlob(dst, purse.Append(nil, e.Record))
	for _, b := range [][]byte{[]byte(e.AID), e.Kept.AFL, e.Kept.SDAD, e.Kept.CardAuth} {
		dst = appendBlob(dst, b)
	}
	return dst
}

func (e dropped) append(dst []byte) []byte { return e.Trace.append(dst) }

func (e sold) append(dst []byte) []byte {
	return appendBlob(appendBool(dst, e.Recovered), purse.Append(nil, e.Record))
}

func (e flagged) append(dst []byte) []byte { return appendBlob(dst, purse.Append(nil, e.Record)) }
func (e acked) append(dst []byte) []byte   { return e.Trace.append(dst) }

func (e step) append(dst []byte) []byte {
	dst = append(e.Trace.append(dst), byte(e.Kind), byte(e.Stage))
	dst = appendAmount(dst, e.Amount)
	dst = append(appendBlob(dst, []byte(e.PAN.Reveal())), byte(e.PSN))
	return appendBlob(appendTime(dst, e.When), e.Message)
}

func (e ended) append(dst []byte) []byte   { return e.Trace.append(dst) }
func (e listed) append(dst []byte) []byte  { return appendBlob(dst, e.Signed) }
func (e closing) append(dst []byte) []byte { return appendU32(appendU32(dst, e.Batch), e.STAN) }
func (e closed) append(dst []byte) []byte  { return appendU32(appendU32(dst, e.Batch), e.Next) }
func (said) append(dst []byte) []byte      { return dst }

func (e refused) append(dst []byte) []byte { return append(e.Trace.append(dst), e.Code[:codeBytes]...) }

func (e left) append(dst []byte) []byte {
	dst = appendBlob(appendBool(dst, e.Recovered), purse.Append(nil, e.Record))
	return append(dst, e.Code[:codeBytes]...)
}

// codeBytes is the length of field 39.
const codeBytes = 2

// encode gives the bytes of an entry: version, kind, content.
func encode(e entry) []byte { return e.append([]byte{entryVersion, byte(e.kind())}) }

// decode reads exactly one entry; encode gives the same bytes back.
func decode(b []byte) (entry, error) {
	if len(b) < 2 || b[0] != entryVersion {
		return nil, fmt.Errorf("no entry of version %d: %w", entryVersion, errEntry)
	}
	r := &reader{b: b[2:]}
	e := r.entry(kind(b[1]))
	if err := r.end(); err != nil {
		return nil, err
	}
	return e, nil
}

func (r *reader) entry(k kind) entry {
	switch k {
	case kindOpened:
		return r.opened()
	case kindReserved:
		return reserved{r.u64()}
	case kindBatch:
		return renumbered{r.u32()}
	case kindPended:
		return pended{r.record(), ident.AID(r.blob()), kept{r.blob(), r.blob(), r.blob()}}
	case kindDropped:
		return dropped{r.trace()}
	case kindSold:
		recovered := r.bool()
		return sold{r.record(), recovered}
	case kindFlagged:
		return flagged{r.record()}
	case kindAcked:
		return acked{r.trace()}
	case kindStep:
		return r.step()
	case kindEnded:
		return ended{r.trace()}
	case kindListed:
		return listed{r.blob()}
	case kindClosing:
		return closing{r.u32(), r.u32()}
	case kindClosed:
		return closed{r.u32(), r.u32()}
	case kindSaid:
		return said{}
	case kindRefused:
		return refused{r.trace(), string(r.take(codeBytes))}
	case kindLeft:
		recovered := r.bool()
		return left{r.record(), recovered, string(r.take(codeBytes))}
	}
	r.bad = true
	return nil
}

func (r *reader) trace() trace { return trace{r.u32(), r.u32()} }

func (r *reader) opened() opened {
	e := opened{TID: ident.TID(r.blob()), MID: ident.MID(r.blob())}
	currency, err := money.CurrencyFromBCD(r.take(2))
	r.bad = r.bad || err != nil
	e.Currency = currency
	return e
}

func (r *reader) record() purse.Record {
	record, err := purse.Decode(r.blob())
	r.bad = r.bad || err != nil
	return record
}

func (r *reader) step() step {
	e := step{Trace: r.trace(), Kind: Service(r.u8()), Stage: stage(r.u8()), Amount: r.amount()}
	e.PAN, e.PSN, e.When, e.Message = r.pan(), ident.PSN(r.u8()), r.time(), r.blob()
	r.bad = r.bad || !e.Kind.valid() || e.Stage < stageReverse || e.Stage > stageReported
	return e
}

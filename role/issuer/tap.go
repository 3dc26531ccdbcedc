package issuer

import (
	"bytes"
	"context"
	"encoding/binary"
	"fmt"
	"slices"

	"jiaozi/book"
	"jiaozi/book/chart"
	"jiaozi/value/ident"
	"jiaozi/value/money"
	"jiaozi/value/reason"
	"jiaozi/wire/clearing"
	"jiaozi/wire/purse"
)

// origin tells which detail of which file brought a payment, so that a file
// presented again after a crash finds its own payments and not duplicates.
type origin [20]byte

func originOf(id clearing.FileID, sequence uint32) (o origin) {
	copy(o[:], id[:])
	binary.BigEndian.PutUint32(o[16:], sequence)
	return o
}

// claim is the value under a card's counter: what took it, and from where.
//
//	proof 32 | cryptogram 8 | origin 20 | ruling 1
type claim struct {
	proof  [32]byte
	ac     [8]byte
	origin origin
	rule   ruling
}

const claimLen = 32 + 8 + 20 + 1

func (c claim) append(dst []byte) []byte {
	dst = append(append(append(dst, c.proof[:]...), c.ac[:]...), c.origin[:]...)
	return append(dst, byte(c.rule))
}

func parseClaim(b []byte) (claim, error) {
	if len(b) != claimLen {
		return claim{}, fmt.Errorf("tap: %w", errRecord)
	}
	return claim{proof: [32]byte(b), ac: [8]byte(b[32:]), origin: origin(b[40:]), rule: ruling(b[60])}, nil
}

// tapKey names a counter of a card for ever.
func tapKey(ref ident.CardRef, atc uint16) []byte {
	return binary.BigEndian.AppendUint16(ref[:], atc)
}

// tapTask decides one presented payment.
type tapTask struct {
	issuer   *Issuer
	ref      ident.CardRef
	acquirer ident.Inst
	record   purse.Record
	origin   origin
	proof

	prior []byte // what holds the counter, once known
	stage tapStage
	rule  ruling // set when decided
}

// tapStage is what the last step tried, which tells what a taken once-key means.
type tapStage uint8

const (
	stageFirst tapStage = iota
	stageSpend
	stageSecond
	stageFlag
	stageDone
)

func (t *tapTask) refused(r book.Result) error {
	if r.Code != book.Exists {
		return fmt.Errorf("issuer: payment %d of card %s: the register and the book disagree about the card's float (%s): run audit", t.record.ATC, t.ref, r.Code)
	}
	switch t.stage {
	case stageSecond: // the ruling stands if this very detail was first
		t.stage = stageDone
		if !bytes.Equal(r.Prior, t.origin[:]) {
			t.rule = rulingDuplicate
		}
	case stageSpend:
		t.prior = r.Prior
	case stageFlag: // another caller reported it: look again
	}
	return nil
}

func (t *tapTask) next(ctx context.Context, c *Card) (*step, error) {
	if t.stage == stageDone {
		return nil, nil
	}
	if c == nil {
		t.stage, t.rule = stageDone, rulingStranger
		return nil, nil
	}
	if t.prior == nil && (c.open() || t.record.Flag != purse.None) {
		// Questions about the card are open: a copy's payment must not answer them.
		prior, taken, err := t.issuer.door.GetOnce(ctx, spaceTap, tapKey(t.ref, t.record.ATC))
		if err != nil {
			return nil, fmt.Errorf("issuer %s: look up payment: %w", t.issuer.cfg.Inst, err)
		}
		if taken {
			t.prior = prior
		}
	}
	switch {
	case t.record.Flag != purse.None:
		return t.flag(ctx, c)
	case t.prior != nil:
		return t.again(ctx, c)
	case t.contradicted(c):
		return t.clone(ctx, c)
	}
	return t.spend(ctx, c)
}

// contradicted tells whether a payment that was not completed at the till has this
// counter under another cryptogram. No single card makes two.
func (t *tapTask) contradicted(c *Card) bool {
	return slices.ContainsFunc(c.Flagged, func(f Flagged) bool { return f.ATC == t.record.ATC && t.differs(f.AC) })
}

// differs compares with another cryptogram on the counter; a lost one says nothing.
func (t *tapTask) differs(ac [8]byte) bool {
	return ac != [8]byte{} && t.record.HasCryptogram() && ac != t.record.AC
}

// spend posts a payment that is the first on its counter. If it was reported as
// not completed before, it is now known to have been.
func (t *tapTask) spend(ctx context.Context, c *Card) (*step, error) {
	c = c.clone()
	c.Flagged = slices.DeleteFunc(c.Flagged, func(f Flagged) bool { return f.ATC == t.record.ATC })
	after := c.clone()
	after.note(t.evidence(-t.record.Amount.Minor(), true))
	if s, err := t.issuer.settle(ctx, c, after); s != nil || err != nil {
		return s, err
	}
	sum := t.record.Amount.Minor()
	if sum > c.Shadow.Minor() && c.Load != nil && t.record.ATC > c.Load.ATC && sum <= c.Shadow.Minor()+c.inFlight() {
		return t.issuer.loadOver(ctx, c, true) // only the load can have paid for this
	}
	t.stage, t.rule = stageSpend, rulingPaid
	if sum > c.Shadow.Minor() {
		return t.overspend(ctx, c, after)
	}
	after.Shadow = c.amount(c.Shadow.Minor() - sum)
	s := &step{card: after, posting: chart.Spend(t.issuer.pair(t.acquirer), t.ref, t.record.Amount),
		once: t.take(), alert: t.doubt(after), last: true}
	return s, t.issuer.stop(ctx, after, s)
}

// evidence is what the payment tells about the balance.
func (t *tapTask) evidence(delta money.Minor, settled bool) Evidence {
	e := Evidence{ATC: t.record.ATC, Delta: delta, Settled: settled, Scripts: -1}
	if t.proved {
		e.Balance, e.Proved, e.Scripts = t.balance.Minor(), true, t.carriedOut()
	}
	return e
}

// take claims the counter for this payment.
func (t *tapTask) take() []book.Once {
	v := claim{proof: t.record.Proof(), ac: t.record.AC, origin: t.origin, rule: t.rule}
	return []book.Once{{Space: spaceTap, Key: tapKey(t.ref, t.record.ATC), Value: v.append(nil)}}
}

// doubt compares the newest proved balance with what the issuer knows. A lower
// one means payments on their way; a higher one, money from nowhere.
func (t *tapTask) doubt(after *Card) *Alert {
	if !t.proved {
		return &Alert{Kind: AlertBalanceMAC, ATC: t.record.ATC, Sum: t.record.Amount, Known: after.Shadow}
	}
	newest, _ := after.Seen.last()
	explained := after.Shadow.Minor() + after.inFlight()
	if newest.ATC != t.record.ATC || t.balance.Minor() <= explained {
		return nil
	}
	return unexplained(after, t.record.ATC, t.balance)
}

// overspend pays a good cryptogram that the card's money does not cover: the
// terminal did nothing wrong. The issuer carries it in suspense and stops the card.
func (t *tapTask) overspend(ctx context.Context, c, after *Card) (*step, error) {
	t.rule = rulingOverspent
	alert := &Alert{Kind: AlertOverspend, ATC: t.record.ATC, Sum: t.record.Amount, Known: c.Shadow}
	s := &step{card: after, posting: chart.SpendSuspense(t.issuer.pair(t.acquirer), t.record.Amount), once: t.take(), alert: alert, last: true}
	return s, t.issuer.arrest(ctx, after, s, reason.Suspense)
}

// stop blocks a card that proves more than it was ever given, in the step that says
// so: an earlier payment was never taken off it, and the next may not be either.
func (i *Issuer) stop(ctx context.Context, after *Card, s *step) error {
	if s.alert == nil || s.alert.Kind != AlertBalance {
		return nil
	}
	return i.arrest(ctx, after, s, reason.CardBlocked)
}

// arrest lists a card that is in use.
func (i *Issuer) arrest(ctx context.Context, after *Card, s *step, why reason.Code) error {
	if after.Status == Active || after.Status == Closing {
		after.Status = Blocked
	}
	return i.list(ctx, after, s, why)
}

// again decides about a counter that is taken: by this very detail, by the same
// cryptogram, or by another one, which no single card makes.
func (t *tapTask) again(ctx context.Context, c *Card) (*step, error) {
	first, err := parseClaim(t.prior)
	if err != nil {
		return nil, err
	}
	if first.rule == rulingRefunded {
		return t.afterRefund(ctx, c, first)
	}
	// The cryptogram is the payment. The rest of a record can be altered on its
	// way, and an altered copy must not be taken for a second payment.
	if first.ac == t.record.AC || first.proof == t.record.Proof() {
		t.stage, t.rule = stageDone, rulingDuplicate
		if first.origin == t.origin {
			t.rule = first.rule
		}
		return nil, nil
	}
	return t.clone(ctx, c)
}

// afterRefund decides about the counter of a payment that was refunded. The
// refunded payment itself is not paid. If its cryptogram was lost, the counter
// was a guess, and this proof shows that it was wrong: the proof is paid, and the
// refund is the issuer's loss until an officer finds better.
func (t *tapTask) afterRefund(ctx context.Context, c *Card, refunded claim) (*step, error) {
	if refunded.ac == t.record.AC {
		t.stage, t.rule = stageDone, rulingRefunded
		return nil, nil
	}
	if refunded.ac != ([8]byte{}) {
		return t.clone(ctx, c)
	}
	t.stage, t.rule = stageSecond, rulingOverspent
	return t.second(c.clone(), AlertRefund), nil
}

// second pays a cryptogram whose counter is taken out of suspense.
func (t *tapTask) second(after *Card, why AlertKind) *step {
	key := append(tapKey(t.ref, t.record.ATC), t.record.AC[:]...)
	return &step{
		card:    after,
		posting: chart.SpendSuspense(t.issuer.pair(t.acquirer), t.record.Amount),
		once:    []book.Once{{Space: t.issuer.space(spaceClone), Key: key, Value: t.origin[:]}},
		alert:   &Alert{Kind: why, ATC: t.record.ATC, Sum: t.record.Amount, Known: after.Shadow},
		last:    true,
	}
}

// clone pays the second cryptogram and stops the card for good.
func (t *tapTask) clone(ctx context.Context, c *Card) (*step, error) {
	t.stage, t.rule = stageSecond, rulingClone
	after := c.clone()
	s := t.second(after, AlertClone)
	if after.Status != Closed {
		after.Status = Cloned
	}
	return s, t.issuer.list(ctx, after, s, reason.Clone)
}

// flag notes a payment that was not completed at the till; a proved balance
// decides it, perhaps one that is known already.
func (t *tapTask) flag(ctx context.Context, c *Card) (*step, error) {
	first, taken, err := t.issuer.door.GetOnce(ctx, t.issuer.space(spaceFlag), tapKey(t.ref, t.record.ATC))
	if err != nil {
		return nil, fmt.Errorf("issuer %s: look up payment: %w", t.issuer.cfg.Inst, err)
	}
	if taken && bytes.Equal(first, t.origin[:]) {
		t.rule = rulingFlagged // noted, a moment ago or before a crash: questions may remain
		s, err := t.issuer.settle(ctx, c, c)
		if s == nil && err == nil {
			t.stage = stageDone
		}
		return s, err
	}
	if taken || t.prior != nil {
		t.rule = rulingDuplicate
		s, err := t.expose(ctx, c)
		if s == nil && err == nil {
			t.stage = stageDone
		}
		return s, err
	}
	if len(c.Flagged) == maxFlagged {
		t.stage, t.rule = stageDone, rulingTooMany
		return nil, nil
	}
	t.stage, t.rule = stageFlag, rulingFlagged
	return t.report(c), nil
}

// expose stops a card whose counter is taken by another cryptogram than that of a
// payment which nobody is paid for: there is nothing to put in suspense.
func (t *tapTask) expose(ctx context.Context, c *Card) (*step, error) {
	first, err := parseClaim(t.prior)
	if copied := err == nil && t.differs(first.ac) || t.contradicted(c); !copied || c.Status == Cloned || c.Status == Closed {
		return nil, nil
	}
	after := c.clone()
	after.Status = Cloned
	s := &step{card: after, posting: book.Posting{Event: eventFlag}, last: true,
		alert: &Alert{Kind: AlertClone, ATC: t.record.ATC, Sum: t.record.Amount, Known: c.Shadow}}
	return s, t.issuer.list(ctx, after, s, reason.Clone)
}

// report puts the payment on the card's record.
func (t *tapTask) report(c *Card) *step {
	after := c.clone()
	f := Flagged{ATC: t.record.ATC, AC: t.record.AC, Amount: t.record.Amount, Before: money.Zero(c.Currency)}
	if t.proved {
		f.Proved, f.Before = true, c.amount(t.balance.Minor()+t.record.Amount.Minor())
		e := t.evidence(0, false)
		e.Balance, e.Before = f.Before.Minor(), true
		after.note(e)
	}
	after.Flagged = append(after.Flagged, f)
	after.trim()
	return &step{card: after, posting: book.Posting{Event: eventFlag},
		once: []book.Once{{Space: t.issuer.space(spaceFlag), Key: tapKey(t.ref, t.record.ATC), Value: t.origin[:]}}}
}

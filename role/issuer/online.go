package issuer

import (
	"bytes"
	"context"
	"crypto/sha256"
	"fmt"

	"jiaozi/book"
	"jiaozi/value/ident"
	"jiaozi/value/money"
	"jiaozi/value/must"
	"jiaozi/wire/iso8583"
)

// financial answers a 0200 and keeps the answer under the request's trace: who
// asks again gets the same bytes, and nothing is done twice.
func (i *Issuer) financial(ctx context.Context, q *request) ([]byte, error) {
	kept, found, err := i.door.GetOnce(ctx, i.space(spaceTrace), []byte(q.trace()))
	if err != nil {
		return nil, fmt.Errorf("issuer %s: look up %s: %w", i.cfg.Inst, q.trace(), err)
	}
	if found {
		return i.again(q, kept)
	}
	kind, ok := kinds[q.m.Text(3)]
	if !ok {
		return i.refuse(q, iso8583.CodeFunction)
	}
	o, code, err := i.readOnline(q, kind)
	if err != nil {
		return nil, err
	}
	if code != "" {
		return i.refuse(q, code)
	}
	if kind == LoadOther {
		if o.payer, ok, err = i.payerRef(ctx, q); err != nil || !ok {
			return i.unless(err, q, iso8583.CodeFormat)
		}
	}
	return i.decideOnline(ctx, q, o)
}

// unless refuses with a code if there was no fault.
func (i *Issuer) unless(err error, q *request, code string) ([]byte, error) {
	if err != nil {
		return nil, err
	}
	return i.refuse(q, code)
}

// kinds are the transactions of field 3.
var kinds = map[string]OrderKind{"600000": LoadAccount, "620000": LoadOther, "630000": LoadCash, "290000": Closure}

// again answers a trace that was used. A different request under it, or one
// whose reversal came first, is refused.
func (i *Issuer) again(q *request, kept []byte) ([]byte, error) {
	digest, answer := kept[:min(len(kept), sha256.Size)], kept[min(len(kept), sha256.Size):]
	if len(answer) == 0 || !bytes.Equal(digest, q.digest[:]) {
		return i.refuse(q, iso8583.CodeDuplicate)
	}
	return answer, nil
}

// keep is the once-record of an answer.
func (i *Issuer) keep(q *request, answer []byte) book.Once {
	value := append(append(make([]byte, 0, sha256.Size+len(answer)), q.digest[:]...), answer...)
	return book.Once{Space: i.space(spaceTrace), Key: []byte(q.trace()), Value: value}
}

// decideOnline finds who pays, checks the PIN if there is one to check, and
// then decides about the card. Each part is a task of its own: the paying card
// need not be the one that is loaded.
func (i *Issuer) decideOnline(ctx context.Context, q *request, o *online) ([]byte, error) {
	if o.kind == LoadAccount || o.kind == LoadOther {
		p := &pinTask{answering: answering{issuer: i, q: q}, o: o}
		if err := i.runOne(ctx, q.date, o.payer, p); err != nil {
			return nil, err
		}
		if p.answer != nil {
			return i.again(q, p.answer)
		}
	}
	t := &orderTask{answering: answering{issuer: i, q: q}, o: o}
	if err := i.runOne(ctx, q.date, o.ref, t); err != nil {
		return nil, err
	}
	must.Hold(t.answer != nil, "issuer: request %s was decided without an answer", q.trace())
	return i.again(q, t.answer) // another caller's, if that one was faster
}

// answering is the part of a task that ends with an answer to q.
type answering struct {
	issuer *Issuer
	q      *request
	answer []byte // as kept: digest and message
}

// decline is a step that answers with a code. Card, if not nil, is how the card
// is afterwards.
func (a *answering) decline(code string, card *Card, alert *Alert) (*step, error) {
	message, err := a.issuer.refuse(a.q, code)
	if err != nil {
		return nil, err
	}
	return a.end(message, &step{card: card, alert: alert, posting: book.Posting{Event: eventAnswer}}), nil
}

// end makes s the last step: its commit keeps the answer.
func (a *answering) end(message []byte, s *step) *step {
	once := a.issuer.keep(a.q, message)
	a.answer = once.Value
	s.once, s.last = append(s.once, once), true
	return s
}

// taken: the trace got an answer meanwhile; that one stands.
func (a *answering) taken(prior []byte) { a.answer = prior }

// pinTask checks the payer's PIN and counts what was wrong.
type pinTask struct {
	answering
	o    *online
	done bool
}

func (t *pinTask) next(_ context.Context, c *Card) (*step, error) {
	if t.done {
		return nil, nil
	}
	t.answer = nil // of an attempt that the book did not take
	if c == nil {
		return t.decline(iso8583.CodeUnknownCard, nil, nil)
	}
	t.o.source = c.Account
	// A forged or replayed request must not cost the cardholder a try.
	if code := t.o.authentic(c); code != "" {
		return t.decline(code, nil, nil)
	}
	switch {
	case c.Status != Active:
		return t.decline(iso8583.CodeRestricted, nil, nil)
	case len(c.PINRef) == 0:
		return t.decline(iso8583.CodeNotPermitted, nil, nil)
	case c.PINTries == 0:
		return t.decline(iso8583.CodePINTries, nil, nil)
	}
	good, opens, err := t.issuer.checkPIN(t.q, c)
	if err != nil {
		return nil, err
	}
	if !opens {
		return t.decline(iso8583.CodePINFormat, nil, nil)
	}
	after := c.clone()
	if good {
		return t.pass(c, after), nil
	}
	after.PINTries--
	if t.o.own(c) {
		after.Online = t.o.record.ATC // each guess needs the card again
	}
	if after.PINTries == 0 {
		return t.decline(iso8583.CodePINTries, after, nil)
	}
	return t.decline(iso8583.CodeWrongPIN, after, nil)
}

// pass forgives earlier wrong PINs, which needs a commit only if there were any.
func (t *pinTask) pass(c, after *Card) *step {
	if c.PINTries == t.issuer.cfg.PINTries {
		t.done = true
		return nil
	}
	after.PINTries = t.issuer.cfg.PINTries
	return &step{card: after, posting: book.Posting{Event: eventCard}}
}

func (t *pinTask) refused(r book.Result) error {
	t.done = true
	t.taken(r.Prior)
	return nil
}

// orderTask decides a load or a closure on the card as it stands.
type orderTask struct {
	answering
	o     *online
	broke bool // the paying account does not hold enough
	done  bool
}

func (t *orderTask) refused(r book.Result) error {
	switch {
	case r.Code == book.Exists:
		t.done = true
		t.taken(r.Prior)
	case t.o.kind == LoadAccount || t.o.kind == LoadOther:
		t.broke = true
	default:
		return fmt.Errorf("issuer: order %s: the book says %s", t.q.trace(), r.Code)
	}
	return nil
}

func (t *orderTask) next(ctx context.Context, c *Card) (*step, error) {
	if t.done {
		return nil, nil
	}
	t.answer = nil // of an attempt that the book did not take
	if c == nil {
		return t.decline(iso8583.CodeUnknownCard, nil, nil)
	}
	if code := t.o.authentic(c); code != "" {
		return t.decline(code, nil, nil)
	}
	seen := c.clone()
	seen.note(t.o.evidence())
	if s, err := t.issuer.settle(ctx, c, seen); s != nil || err != nil {
		return s, err
	}
	seen.Online = t.o.record.ATC
	if code := t.issuer.allowed(t.q, seen); code != "" {
		return t.decline(code, seen, nil)
	}
	if t.o.balance.Minor() > seen.Shadow.Minor() {
		s, err := t.decline(iso8583.CodeDoNotHonour, seen, unexplained(seen, t.o.record.ATC, t.o.balance))
		if err != nil {
			return nil, err
		}
		return s, t.issuer.stop(ctx, seen, s)
	}
	if t.o.kind == Closure {
		return t.close(ctx, seen)
	}
	return t.load(seen)
}

// authentic refuses what does not come from this card now: the cryptogram was
// verified before; an old counter is a replay.
func (o *online) authentic(c *Card) string {
	switch {
	case !o.genuine:
		return codeCard
	case o.own(c) && o.record.ATC <= c.Online:
		return iso8583.CodeDoNotHonour
	}
	return ""
}

// own: the card that asks, and not one that pays for it. The next card of the same
// number has a counter of its own.
func (o *online) own(c *Card) bool { return c.PAN == o.record.PAN && c.PSN == o.record.PSN }

// codeCard: the card failed a check.
const codeCard = "59"

// allowed checks what the issuer lets the card do now.
func (i *Issuer) allowed(q *request, c *Card) string {
	switch {
	case c.Status != Active:
		return iso8583.CodeRestricted
	case c.Load != nil || c.Close != nil:
		return iso8583.CodeDoNotHonour // one at a time: the last one could not be settled by this proof
	case c.Expiry < q.date:
		return iso8583.CodeExpired
	}
	return ""
}

// unexplained is the finding that a card proves more than it was ever given.
func unexplained(c *Card, atc uint16, proved money.Amount) *Alert {
	return &Alert{Kind: AlertBalance, ATC: atc, Sum: proved, Known: c.Shadow}
}

// digits6 makes the authorisation code of an approval.
func digits6(t Trace) string {
	sum := sha256.Sum256([]byte(t))
	n := uint32(sum[0])<<16 | uint32(sum[1])<<8 | uint32(sum[2])
	return fmt.Sprintf("%06d", n%1_000_000)
}

// payerRef finds the paying card of a load from another account: its number
// stands in field 62, its sequence number is the one registered last.
func (i *Issuer) payerRef(ctx context.Context, q *request) (ref ident.CardRef, ok bool, err error) {
	pan, err := ident.ParsePAN(string(q.m.Bytes(62)))
	if err != nil {
		return ident.CardRef{}, false, nil
	}
	index, err := i.vault.CardRef(i.cfg.Keys.Ref, pan, 0)
	if err != nil {
		return ident.CardRef{}, false, fmt.Errorf("issuer %s: name the paying card: %w", i.cfg.Inst, err)
	}
	value, version, err := i.door.Get(ctx, i.space(spaceNumber), index[:])
	if err != nil || version == 0 || len(value) != 1 {
		return index, err == nil, err
	}
	ref, err = i.vault.CardRef(i.cfg.Keys.Ref, pan, ident.PSN(value[0]))
	return ref, err == nil, err
}

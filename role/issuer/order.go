package issuer

import (
	"context"
	"fmt"

	"jiaozi/book"
	"jiaozi/book/chart"
	"jiaozi/value/money"
	"jiaozi/value/reason"
	"jiaozi/wire/emv"
	"jiaozi/wire/iso8583"
	"jiaozi/wire/purse"
	"jiaozi/wire/tlv"
)

// load approves a load on a card that passed every check: the new balance is
// the proved one plus the amount, and the money leaves its source now.
func (t *orderTask) load(c *Card) (*step, error) {
	if t.broke {
		return t.decline(iso8583.CodeInsufficient, c, nil)
	}
	after, err := t.o.balance.Add(t.o.record.Amount)
	if err != nil || after.Minor() > c.Limit.Minor() {
		return t.decline(iso8583.CodeOverLimit, c, nil)
	}
	value, err := after.N12()
	if err != nil {
		return t.decline(iso8583.CodeOverLimit, c, nil)
	}
	script, err := t.script(putBalance, value[:])
	if err != nil {
		return nil, err
	}
	message, err := t.approve(tlv.Append(nil, emv.TagScriptAfter, script))
	if err != nil {
		return nil, err
	}
	order := t.order(c)
	if t.o.kind == LoadCash {
		order.Record = purse.Append(nil, t.o.record)
	} else {
		order.Source = t.o.source
	}
	c.Load = order
	s := &step{card: c, posting: t.posting(order)}
	s.put = append(s.put, t.open())
	s.out = t.issuer.cashOut("posted", order)
	return t.end(message, s), nil
}

func (t *orderTask) posting(o *Order) book.Posting {
	ref := t.o.ref
	if o.Kind == LoadCash {
		return chart.LoadCash(t.issuer.pair(o.Acquirer), ref, o.Amount)
	}
	return chart.LoadAccount(t.issuer.cfg.Inst, o.Source, ref, o.Amount)
}

// close approves a closure: the card is listed at once, its balance is set to
// zero before its second cryptogram, so that this cryptogram proves it, and the
// application is blocked after it. Money moves when the proof is here.
func (t *orderTask) close(ctx context.Context, c *Card) (*step, error) {
	empty, err := money.Zero(c.Currency).N12()
	if err != nil {
		return nil, err
	}
	zero, err := t.script(putBalance, empty[:])
	if err != nil {
		return nil, err
	}
	block, err := t.script(blockApplication, nil)
	if err != nil {
		return nil, err
	}
	message, err := t.approve(tlv.Append(tlv.Append(nil, emv.TagScriptBefore, zero), emv.TagScriptAfter, block))
	if err != nil {
		return nil, err
	}
	c.Close, c.Status = t.order(c), Closing
	s := &step{card: c, posting: book.Posting{Event: eventCard}}
	s.put = append(s.put, t.open())
	if err := t.issuer.list(ctx, c, s, reason.CardClosed); err != nil {
		return nil, err
	}
	return t.end(message, s), nil
}

// order opens the question whether the card carried out the script.
func (t *orderTask) order(c *Card) *Order {
	e := t.o.evidence()
	e.Settled = false
	c.Seen = c.Seen.put(e)
	return &Order{
		Kind: t.o.kind, Trace: t.q.trace(), Acquirer: t.q.acquirer, MID: t.q.mid,
		Amount: t.o.record.Amount, ATC: t.o.record.ATC, AC: t.o.record.AC, Before: t.o.balance,
	}
}

// open is the record by which a later message finds the order. The trace has no
// answer yet, so it has no order either.
func (t *orderTask) open() book.Put {
	value := append([]byte{recordVersion, byte(orderOpen)}, t.o.ref[:]...)
	return book.Put{Space: t.issuer.space(spaceOrder), Key: []byte(t.q.trace()), Value: value}
}

// Script commands with secure messaging (JR/T 0025; class 04 or 84): header
// without the length byte.
var (
	putBalance       = [4]byte{0x04, 0xDA, 0x9F, 0x79}
	blockApplication = [4]byte{0x84, 0x1E, 0x00, 0x00}
)

// script is one command, MACed under the counter and cryptogram of the request,
// so that it works once.
func (t *orderTask) script(head [4]byte, data []byte) ([]byte, error) {
	r := &t.o.record
	header := [5]byte{head[0], head[1], head[2], head[3], byte(len(data) + 4)}
	mac, err := t.issuer.vault.ScriptMAC(t.issuer.cfg.Keys.MAC, r.PAN, r.PSN, header, r.ATC, r.AC, data)
	if err != nil {
		return nil, fmt.Errorf("issuer %s: script for order %s: %w", t.issuer.cfg.Inst, t.q.trace(), err)
	}
	command := append(append(header[:], data...), mac[:]...)
	return tlv.Append(nil, emv.TagScriptCommand, command), nil
}

// approve builds the answer: the issuer's cryptogram, the code it covers, the
// scripts.
func (t *orderTask) approve(scripts []byte) ([]byte, error) {
	r := &t.o.record
	arc := [2]byte{'0', '0'}
	arpc, err := t.issuer.vault.RespondARQC(t.issuer.cfg.Keys.AC, r.PAN, r.PSN, r.ATC, r.AC, arc)
	if err != nil {
		return nil, fmt.Errorf("issuer %s: answer the cryptogram of %s: %w", t.issuer.cfg.Inst, t.q.trace(), err)
	}
	m := reply(t.q.m, iso8583.CodeApproved)
	m.Set(38, digits6(t.q.trace()))
	m.SetBytes(55, append(tlv.Append(nil, emv.TagIssuerAuth, append(arpc[:], arc[:]...)), scripts...))
	return t.issuer.seal(t.q.zone, m)
}

package card

import (
	"fmt"
	"io"

	"jiaozi/crypt/emvkey"
	"jiaozi/crypt/oda"
	"jiaozi/value/money"
	"jiaozi/wire/apdu"
	"jiaozi/wire/emv"
	"jiaozi/wire/tlv"
)

// getProcessingOptions starts a transaction: over the contacts it only chooses
// the path, a tap is decided here.
func (c *Card) getProcessingOptions(cmd apdu.Command) ([]byte, apdu.SW, error) {
	if cmd.P1 != 0 || cmd.P2 != 0 {
		return refuse(apdu.WrongP1P2)
	}
	if c.session.phase != selected {
		return refuse(apdu.ConditionsNotMet)
	}
	list, err := tlv.Decode(cmd.Data)
	if err != nil || len(list) != 1 || list[0].Tag != emv.TagCommand {
		return refuse(apdu.WrongData)
	}
	if c.session.iface == Contactless {
		return c.startTap(list[0].Value)
	}
	return c.startContact(list[0].Value)
}

// startContact chooses the electronic cash path if the terminal offers it and
// the balance can pay; otherwise the terminal will have to go online. The
// counter steps with the first cryptogram, so that counter, debit and log are
// one commit and a terminal that stops after reading leaves no gap in them.
func (c *Card) startContact(data []byte) ([]byte, apdu.SW, error) {
	asked, ok := split(contactPDOL, data)
	if !ok {
		return refuse(apdu.WrongLength)
	}
	if c.state.spent() {
		return refuse(apdu.ConditionsNotMet)
	}
	support, _ := asked.Find(emv.TagECSupport)
	_, payable, _ := c.weigh(asked)
	now := &c.session
	now.phase, now.asked, now.cash = started, asked, support[0] == 0x01 && payable
	way := c.applet.contact
	if now.cash {
		way = c.applet.cash
	}
	return tlv.Append(nil, emv.TagResponse1, way.afl.Append(way.aip[:])), apdu.OK, nil
}

// startTap decides a tap (qPBOC): counter up, cryptogram, signature, one answer.
// The counter is on the memory before anything is computed, or a reader could
// collect cryptograms of one counter value by cutting the power.
func (c *Card) startTap(data []byte) ([]byte, apdu.SW, error) {
	terms, ok := split(tapPDOL, data)
	if !ok {
		return refuse(apdu.WrongLength)
	}
	now := &c.session
	now.terms = terms
	ttq := emv.TTQ(now.term(emv.TagTTQ))
	if c.state.blocked || c.state.spent() || !ttq.Has(emv.TTQqPBOC) {
		return refuse(apdu.ConditionsNotMet)
	}
	t := c.decideTap(ttq)
	c.history(&t.cvr)
	if err := c.commit(func(s *state) { s.atc++ }); err != nil {
		return nil, 0, err
	}
	now.begin(c.applet.Keys, c.state.atc)
	if err := c.signTap(&t, ttq); err != nil {
		return nil, 0, err
	}
	now.phase = completed
	if t.decision == emv.TC {
		now.phase, now.after, now.due = tapping, t.balance, names(c.applet.tap.afl)
	}
	return c.applet.tapAnswer(now.atc, &t), apdu.OK, nil
}

// tap is a tap's decision on its way to becoming an answer.
type tap struct {
	decision emv.Decision
	cvr      emv.CVR
	ctq      emv.CTQ
	balance  money.Amount // what the cryptogram vouches for
	ac       [8]byte
	iad      []byte
	cardAuth []byte // 9F69, version 01 only
	sdad     []byte
}

// decideTap weighs the terms. What cannot be paid here and now goes online, and
// where there is no line it is declined.
func (c *Card) decideTap(ttq emv.TTQ) tap {
	after, payable, velocity := c.weigh(c.session.terms)
	t := tap{decision: emv.TC, balance: c.state.balance}
	if velocity {
		t.cvr.Set(emv.CVRVelocityExceeded)
	}
	if !payable || ttq.Has(emv.TTQOnlineRequired) || c.session.term(emv.TagTxnType)[0] != emv.TxnPurchase {
		t.decision = emv.ARQC
	}
	if ttq.Has(emv.TTQCVMRequired) {
		c.chooseCVM(&t, ttq)
	}
	if t.decision == emv.ARQC && ttq.Has(emv.TTQOfflineOnly) {
		t.decision = emv.AAC
	}
	if t.decision == emv.TC {
		t.balance = after
	}
	t.cvr.SetFirst(t.decision)
	return t
}

// chooseCVM answers a terminal that wants the cardholder verified: by signature,
// by a PIN that the issuer checks, or not with this card.
func (c *Card) chooseCVM(t *tap, ttq emv.TTQ) {
	switch {
	case ttq.Has(emv.TTQSignature):
		t.ctq.Set(emv.CTQSignature)
	case ttq.Has(emv.TTQOnlinePIN):
		t.ctq.Set(emv.CTQOnlinePIN)
		t.decision = emv.ARQC
	default:
		t.decision = emv.AAC
	}
}

// signTap makes the cryptogram (CVN 17) and the fDDA signature. Version 01 binds
// amount, currency and the CTQ; version 00 only the terminal's number, for old
// terminals.
func (c *Card) signTap(t *tap, ttq emv.TTQ) error {
	now := &c.session
	t.iad = c.issuerData(emv.CVN17, t.cvr, t.balance)
	input := append(append([]byte(nil), now.term(emv.TagAmount)...), now.term(emv.TagUN)...)
	t.ac = emvkey.AC(now.skAC, append(append(input, be16(now.atc)...), t.cvr[0]))
	if t.decision == emv.AAC || t.decision == emv.ARQC && !ttq.Has(emv.TTQODAForOnline) {
		return nil
	}
	// Dynamic number 8, card's own number 4.
	var random [12]byte
	if _, err := io.ReadFull(c.random, random[:]); err != nil {
		return fmt.Errorf("card random numbers: %w", err)
	}
	un := [4]byte(now.term(emv.TagUN))
	tail := oda.TailV00(un)
	if ttq.Has(emv.TTQfDDAVersion01) {
		t.cardAuth = append(append(append([]byte{0x01}, random[8:]...), t.ctq[:]...), c.applet.psn()...)
		tail = oda.TailV01(un, [6]byte(now.term(emv.TagAmount)), [2]byte(now.term(emv.TagCurrency)), t.cardAuth)
	}
	var err error
	t.sdad, err = oda.SignDynamic(c.applet.Private, random[:8], tail)
	return err
}

// tapAnswer lays out the one answer of a tap. The cryptogram information (9F27)
// is not in it: the decision is in the CVR inside 9F10.
func (a *applet) tapAnswer(atc uint16, t *tap) []byte {
	body := tlv.AppendList(nil, tlv.List{
		{Tag: emv.TagAIP, Value: a.tap.aip[:]},
		{Tag: emv.TagAFL, Value: a.tap.afl.Append(nil)},
		{Tag: emv.TagTrack2, Value: a.track2},
		{Tag: emv.TagPSN, Value: a.psn()},
		{Tag: emv.TagATC, Value: be16(atc)},
		{Tag: emv.TagAC, Value: t.ac[:]},
		{Tag: emv.TagIAD, Value: t.iad},
		{Tag: emv.TagCTQ, Value: t.ctq[:]},
	})
	if t.cardAuth != nil {
		body = tlv.Append(body, emv.TagCardAuthData, t.cardAuth)
	}
	if t.sdad != nil {
		body = tlv.Append(body, emv.TagSDAD, t.sdad)
	}
	return tlv.Append(nil, emv.TagResponse2, body)
}

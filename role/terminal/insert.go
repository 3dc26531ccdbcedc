package terminal

import (
	"errors"

	"jiaozi/value/money"
	"jiaozi/value/reason"
	"jiaozi/wire/apdu"
	"jiaozi/wire/emv"
	"jiaozi/wire/purse"
	"jiaozi/wire/tlv"
)

// insert plays PBOC debit/credit with electronic cash (JR/T 0025.13): the card
// debits when it issues the TC at GENERATE AC, so everything else comes first.
func (s *session) insert() Outcome {
	if st := s.begin(); st != nil {
		return s.declined(st)
	}
	if out, done := s.resume(); done {
		return out
	}
	for _, rule := range []func() *stop{s.restrict, s.purseRules, s.purseChosen, s.dda, s.verifyHolder, s.analyse} {
		if st := rule(); st != nil {
			return s.declined(st)
		}
	}
	data, st := s.cdol(emv.TagCDOL1)
	if st != nil {
		return s.declined(st)
	}
	if st := s.pend(pended{Record: s.newRecord(nil), AID: s.aid}); st != nil {
		return s.declined(st)
	}
	return s.demandTC(data)
}

// purseChosen: the card answers 9F7A with the records of its purse, which hold
// 9F74; without it the card has chosen the account, which needs the issuer.
func (s *session) purseChosen() *stop {
	if _, ok := s.data[emv.TagECIssuerAuth]; !ok {
		return because(reason.OnlineRequired, errors.New("the card wants the account, not its purse"))
	}
	return nil
}

// analyse compares what went wrong with what card and terminal forbid (EMV Book
// 3, 10.7). This terminal cannot go online for a purchase, so the default codes
// follow the denial codes.
func (s *session) analyse() *stop {
	denial, st := s.actionCode(emv.TagIACDenial, emv.TVR{})
	if st != nil {
		return st
	}
	if s.tvr.Meets(denial) || s.tvr.Meets(s.t.cfg.TAC.Denial) {
		return because(reason.DeclinedByCard, errors.New("terminal action analysis: denial"))
	}
	fallback, st := s.actionCode(emv.TagIACDefault, emv.TVR{0xFF, 0xFF, 0xFF, 0xFF, 0xFF})
	if st != nil {
		return st
	}
	if s.tvr.Meets(fallback) || s.tvr.Meets(s.t.cfg.TAC.Default) {
		return because(reason.OnlineRequired, errors.New("terminal action analysis: the issuer must decide"))
	}
	return nil
}

func (s *session) actionCode(tag tlv.Tag, absent emv.TVR) (emv.TVR, *stop) {
	if _, ok := s.data[tag]; !ok {
		return absent, nil
	}
	b, st := s.need(tag, len(absent))
	if st != nil {
		return absent, st
	}
	return emv.TVR(b), nil
}

// foreseeCounter learns the counter that the transaction will have, for the
// intent that is written before the card is asked. It is read before GPO, so it
// is right whether the card counts at GPO or at GENERATE AC.
func (s *session) foreseeCounter() *stop {
	now, st := s.counter()
	s.atc = now + 1
	return st
}

func (s *session) cdol(tag tlv.Tag) ([]byte, *stop) {
	raw, ok := s.data[tag]
	if !ok {
		return nil, because(reason.ProtocolError, errors.New("the card does not say what it signs"))
	}
	dol, err := tlv.ParseDOL(raw)
	if err != nil {
		return nil, because(reason.ProtocolError, err)
	}
	return dol.Build(s.own, emv.Fill), nil
}

// demandTC asks for the debit. The card may answer less than it was asked, never
// more (EMV Book 3, 6.5.5.2).
func (s *session) demandTC(data []byte) Outcome {
	c, st := s.generateAC(apdu.RequestTC, data)
	if st != nil {
		return s.uncertain(st) // refused, garbled or lost: its log will tell
	}
	s.atc = c.atc
	switch c.decision() {
	case emv.TC:
		return s.paid(c)
	case emv.ARQC:
		out := s.abandon(because(reason.OnlineRequired, nil))
		s.finishDeclined()
		return out
	default:
		return s.abandon(because(reason.DeclinedByCard, nil))
	}
}

// paid accepts the TC, unless the card denies the PIN that the till believes in.
func (s *session) paid(c cryptogram) Outcome {
	s.balance = c.balance(s.amount.Currency())
	record := s.newRecord(&c)
	if !s.pinTold(c.iad.CVR) {
		record.Flag = purse.ODAFailed
		return s.giveUp(record, because(reason.PINWrong, errors.New("the card denies that it saw a PIN: something sits between card and reader")))
	}
	return s.approve(record)
}

// finishDeclined closes the card's side of a declined transaction; if it fails,
// removing the card does the same.
func (s *session) finishDeclined() {
	s.arc = arcDeclined
	if data, st := s.cdol(emv.TagCDOL2); st == nil {
		_, _ = s.generateAC(apdu.RequestAAC, data)
	}
}

// generateAC asks for a cryptogram and reads the answer in either format.
func (s *session) generateAC(p1 byte, data []byte) (cryptogram, *stop) {
	r, st := s.send(apdu.GenerateAC(p1, data))
	if st != nil {
		return cryptogram{}, st
	}
	if !r.SW.OK() {
		return cryptogram{}, refusedWith("GENERATE AC", r.SW)
	}
	objects, st := answer(r.Data, []tlv.Tag{emv.TagCID, emv.TagATC, emv.TagAC, emv.TagIAD}, []int{1, 2, 8, -1})
	if st != nil {
		return cryptogram{}, st
	}
	return readCryptogram(objects.Find, s.entry)
}

func zeroOf(a money.Amount) money.Amount { return money.Zero(a.Currency()) }

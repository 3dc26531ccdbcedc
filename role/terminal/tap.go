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

// tap plays qPBOC with fDDA version 01. The card decides and signs at GPO, but
// debits only when its last record is read: all that could end the sale is
// checked before that record, and the kept answer is durable before it.
func (s *session) tap() Outcome {
	if st := s.begin(); st != nil {
		return s.declined(st)
	}
	if out, done := s.resume(); done {
		return out
	}
	c, st := s.tapDecision()
	if st != nil {
		return s.declined(st)
	}
	records := places(s.afl)
	last := len(records) - 1
	if st := s.readRecords(records[:last]); st != nil {
		return s.declined(st)
	}
	// The records may name the card again, and must name the same.
	for _, rule := range []func() *stop{s.identify, s.unlisted, s.restrict} {
		if st := rule(); st != nil {
			return s.declined(st)
		}
	}
	record := s.newRecord(&c)
	if st := s.pend(pended{record, s.aid, s.kept()}); st != nil {
		return s.declined(st)
	}
	return s.lastRecord(records[last], record, c.balance(s.amount.Currency()))
}

// begin is what tap and insert share: choose, start, and know whose card it is.
func (s *session) begin() *stop {
	if st := s.selectApplication(); st != nil {
		return st
	}
	prepare := s.foreseeCounter
	if s.entry == purse.Contactless {
		prepare = s.asksForQualifiers
	}
	if st := prepare(); st != nil {
		return st
	}
	if st := s.initiate(); st != nil {
		return st
	}
	if s.entry == purse.Contact {
		if st := s.readRecords(places(s.afl)); st != nil {
			return st
		}
	}
	if st := s.identify(); st != nil {
		return st
	}
	return s.unlisted()
}

// asksForQualifiers: a card whose PDOL lacks 9F66 speaks no qPBOC.
func (s *session) asksForQualifiers() *stop {
	dol, st := s.dol(s.fci, emv.TagPDOL)
	if st != nil {
		return st
	}
	for _, e := range dol {
		if e.Tag == emv.TagTTQ && e.Len == len(emv.TTQ{}) {
			return nil
		}
	}
	return because(reason.ProtocolError, errors.New("the card does not ask for 9F66: insert it"))
}

// tapDecision reads the card's word out of the GPO answer.
func (s *session) tapDecision() (cryptogram, *stop) {
	c, st := readCryptogram(s.object, s.entry)
	if st != nil {
		return c, st
	}
	s.atc = c.atc
	switch c.decision() {
	case emv.TC: // its balance is that after the payment, which has not happened yet
	case emv.ARQC:
		return c, s.whyNot(reason.OnlineRequired)
	default:
		return c, s.whyNot(reason.DeclinedByCard)
	}
	if st := s.tapSigned(); st != nil {
		return c, st
	}
	return c, s.tapHolder()
}

func (s *session) object(tag tlv.Tag) ([]byte, bool) {
	v, ok := s.data[tag]
	return v, ok
}

// whyNot asks the purse why the card does not pay, so that the holder hears more
// than "declined"; fallback is what the card itself has said.
func (s *session) whyNot(fallback reason.Code) *stop {
	st := s.purseRules()
	switch {
	case st == nil && s.qualifiers().Has(emv.TTQCVMRequired):
		return because(reason.PINRequired, nil)
	case st == nil, st.code == reason.CardRemoved, st.code == reason.ProtocolError:
		return because(fallback, nil)
	}
	return st
}

// tapHolder: above the limit only a phone that has verified its holder itself may
// pay by tap; the bit is inside the signed qualifiers (attack 7).
func (s *session) tapHolder() *stop {
	b, st := s.need(emv.TagCTQ, len(emv.CTQ{}))
	if st != nil {
		return st
	}
	ttq, ctq := s.qualifiers(), emv.CTQ(b)
	if ttq.Has(emv.TTQCVMRequired) && !ctq.Has(emv.CTQCDCVMDone) {
		return because(reason.PINRequired, nil)
	}
	return nil
}

func (s *session) kept() kept {
	return kept{AFL: s.afl.Append(nil), SDAD: s.data[emv.TagSDAD], CardAuth: s.data[emv.TagCardAuthData]}
}

// lastRecord asks for the record whose reading makes the card pay. From here on
// no ending says that nothing was taken.
func (s *session) lastRecord(p place, record purse.Record, after money.Amount) Outcome {
	r, st := s.send(apdu.ReadRecord(p.sfi, p.rec))
	if st == nil && !r.SW.OK() {
		st = refusedWith("read the last record", r.SW)
	}
	if st != nil {
		return s.uncertain(st) // its log will tell
	}
	s.balance = after
	st = s.takeRecord(p, r.Data)
	if st == nil {
		st = s.restrict() // the last record may hold the dates
	}
	if st == nil {
		st = s.fDDA()
	}
	if st != nil {
		record.Flag, record.TVR = purse.ODAFailed, s.tvr // CVN 17 does not cover the TVR
		return s.giveUp(record, st)
	}
	return s.approve(record)
}

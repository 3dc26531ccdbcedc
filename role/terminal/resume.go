package terminal

import (
	"errors"

	"jiaozi/value/ident"
	"jiaozi/value/reason"
	"jiaozi/wire/emv"
	"jiaozi/wire/purse"
	"jiaozi/wire/tlv"
)

// resume decides what an earlier presentation of this card left open, before the
// card is asked for anything new. done means that this presentation ends here.
//
//	log shows it, cryptogram kept, same sale, card authentic -> Recovered
//	log shows it, but it cannot complete this sale            -> flagged, declined once; the next presentation pays
//	log reaches back and does not show it                     -> dropped, the sale goes on
//	log cannot tell                                           -> flagged, declined once
//
// BUG: the log is the card's word without a signature. Whoever presents a forgery
// that bears the number of a card with an open payment can have it dropped; the
// issuer then sees a balance that fell without a record.
func (s *session) resume() (out Outcome, done bool) {
	if out, done := s.shield(); done {
		return out, true
	}
	open, ok := s.t.state.pendingOf(s.pan, s.psn)
	if !ok {
		return Outcome{}, false
	}
	s.afterTorn = true
	found, st := s.readEvidence(&open.Record)
	if st != nil {
		return s.declined(st), true
	}
	switch {
	case found == unpaid:
		if err := s.t.record(dropped{traceOf(&open.Record)}); err != nil {
			return s.declined(because(reason.StorageFull, err)), true
		}
		return Outcome{}, false
	case found == paid && s.completes(&open.Record):
		return s.complete(open), true
	default:
		return s.giveUp(open.torn(), because(reason.Torn, errCannotComplete)), true
	}
}

var errCannotComplete = errors.New("an interrupted payment of this card cannot be completed here: it goes to the issuer, who returns the money once the card proves its balance")

// completes tells whether the torn payment can stand for this sale.
func (s *session) completes(r *purse.Record) bool {
	return r.HasCryptogram() && r.Amount == s.amount && r.Entry == s.entry
}

// torn is the record as it is uploaded if it is never completed.
func (p pended) torn() purse.Record {
	r := p.Record
	r.Flag = purse.Torn
	if !r.HasCryptogram() {
		r.Flag = purse.NoCryptogram
	}
	return r
}

// complete authenticates the card by the kept signature and makes the torn
// payment this sale. The certificates are read again after a new selection: a
// selected but idle application gives its records without a new payment.
func (s *session) complete(open pended) Outcome {
	past := s.revisit(open)
	st := past.reselect(open.AID)
	if st == nil {
		st = past.rereadRecords(open.Kept)
	}
	switch {
	case st != nil && st.code == reason.CardRemoved:
		return s.declined(st) // nothing decided; the payment stays open
	case st != nil:
		return s.giveUp(open.torn(), because(reason.Torn, st.err))
	}
	if st := past.fDDA(); st != nil {
		record := open.Record
		record.Flag = purse.ODAFailed
		return s.giveUp(record, st)
	}
	record := open.Record
	if err := s.t.record(sold{record, true}); err != nil {
		return s.uncertain(because(reason.Torn, err))
	}
	return s.recovered(record)
}

// recovered reports an earlier payment as this sale's.
func (s *session) recovered(r purse.Record) Outcome {
	s.atc, s.trace = r.ATC, traceOf(&r)
	out := s.outcome(Recovered, reason.Recovered, nil)
	out.AfterTorn = true
	out.Receipt = s.t.receipt(&r, out)
	return out
}

// revisit is the session of the torn payment, as far as the journal kept it.
func (s *session) revisit(open pended) *session {
	r := &open.Record
	past := &session{
		t: s.t, card: s.card, left: s.left, amount: r.Amount, entry: r.Entry, txnType: r.TxnType, when: r.When,
		un: r.UN, tvr: r.TVR, aip: r.AIP, pan: r.PAN, psn: r.PSN, atc: r.ATC, data: map[tlv.Tag][]byte{},
	}
	past.n12 = s.n12 // completes has checked that the amounts are equal
	return past
}

// reselect selects the one application that made the payment.
func (s *session) reselect(aid ident.AID) *stop {
	chosen, _, st := s.choose(aid)
	if st == nil && !chosen {
		st = because(reason.ProtocolError, errNoApplication)
	}
	return st
}

func (s *session) rereadRecords(k kept) *stop {
	afl, err := emv.ParseAFL(k.AFL)
	if err != nil {
		return because(reason.ProtocolError, err)
	}
	if st := s.readRecords(places(afl)); st != nil {
		return st
	}
	said := tlv.List{{Tag: emv.TagCardAuthData, Value: k.CardAuth}}
	if len(k.SDAD) > 0 { // else the last record holds it
		said = append(said, tlv.Item{Tag: emv.TagSDAD, Value: k.SDAD})
	}
	return s.take(said)
}

// shield guards the one gap that no journal closes: the process may have died
// between the durable approval and the signal. The holder then presents the same
// card for the same amount again, at once.
func (s *session) shield() (Outcome, bool) {
	r, ok := s.t.Unsaid()
	if !ok || r.PAN != s.pan || r.PSN != s.psn || r.Amount != s.amount {
		return Outcome{}, false
	}
	if last := s.t.state.unsaid; last != nil && traceOf(last) == traceOf(&r) {
		if err := s.t.record(said{}); err != nil {
			return s.uncertain(because(reason.Torn, err)), true
		}
	}
	s.t.guarded, s.t.signalled = nil, traceOf(&r)
	return s.recovered(r), true
}

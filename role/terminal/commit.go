package terminal

import (
	"jiaozi/value/reason"
	"jiaozi/wire/emv"
	"jiaozi/wire/purse"
)

// txnPurchase is the first two digits of the processing code.
const txnPurchase = emv.TxnPurchase

// newRecord is the sale as it stands, with or without the cryptogram.
func (s *session) newRecord(c *cryptogram) purse.Record {
	cfg := &s.t.cfg
	r := purse.Record{
		PAN: s.pan, PSN: s.psn, Amount: s.amount, Other: zeroOf(s.amount), When: s.when, TID: cfg.TID, MID: cfg.MID,
		STAN: s.trace.STAN, Batch: s.trace.Batch, Entry: s.entry, ATC: s.atc, UN: s.un, TVR: s.tvr, AIP: s.aip,
		TxnType: s.txnType, Country: cfg.Country, Caps: [3]byte(capabilities), Flag: purse.NoCryptogram,
	}
	if auth := s.data[emv.TagECIssuerAuth]; len(auth) == len(r.ECAuth) {
		r.ECAuth = [6]byte(auth)
	}
	if s.t.list != nil {
		r.ListVersion = s.t.list.Number
	}
	if c != nil {
		r.ATC, r.AC, r.CID, r.IAD, r.Flag = c.atc, c.ac, c.cid, c.raw, purse.None
	}
	return r
}

// pend writes down what the card may be about to pay. It is the last moment at
// which a full disk is only a decline.
func (s *session) pend(p pended) *stop {
	if err := s.t.record(p); err != nil {
		return because(reason.StorageFull, err)
	}
	return nil
}

// approve makes the sale durable; only then is it a success. If the journal
// fails here, the card has paid and the sale stays open: Unknown, never Declined.
func (s *session) approve(record purse.Record) Outcome {
	if err := s.t.record(sold{Record: record}); err != nil {
		return s.uncertain(because(reason.Torn, err))
	}
	out := s.outcome(Approved, reason.Approved, nil)
	out.Receipt = s.t.receipt(&record, out)
	return out
}

// abandon drops what the card has just refused to pay.
func (s *session) abandon(st *stop) Outcome {
	if err := s.t.record(dropped{s.trace}); err != nil {
		// The open payment stays in the journal; the card's log will clear it up.
		st = because(st.code, err)
	}
	return s.declined(st)
}

// giveUp flags a payment that the card has made, or may have made, and that the
// till cannot accept. The presentation ends without a new payment, so that nobody
// is debited a second time without having been told.
func (s *session) giveUp(record purse.Record, st *stop) Outcome {
	if err := s.t.record(flagged{record}); err != nil {
		return s.uncertain(because(reason.Torn, err))
	}
	s.atc, s.trace = record.ATC, traceOf(&record)
	out := s.outcome(Declined, st.code, st.err)
	out.Flagged = true
	out.Receipt = s.t.receipt(&record, out)
	return out
}

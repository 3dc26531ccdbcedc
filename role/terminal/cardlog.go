package terminal

import (
	"encoding/binary"
	"fmt"

	"jiaozi/value/clock"
	"jiaozi/value/reason"
	"jiaozi/wire/apdu"
	"jiaozi/wire/emv"
	"jiaozi/wire/purse"
	"jiaozi/wire/tlv"
)

// evidence is what the card's own log says about a payment that was torn.
type evidence uint8

const (
	// unclear: the log does not reach back, has no counter or contradicts itself.
	unclear evidence = iota
	unpaid           // the log reaches back to then, and the payment is not in it
	paid             // the log holds the payment
)

// readEvidence reads counter, balance and log (9F36, 9F79, 9F4D, 9F4F) before
// anything else is done with a card that may have paid already.
func (s *session) readEvidence(r *purse.Record) (evidence, *stop) {
	now, st := s.counter()
	if st != nil {
		return unclear, st
	}
	if balance, ok, st := s.getAmount(emv.TagECBalance); st != nil {
		return unclear, st
	} else if ok {
		s.balance = balance
	}
	payments, capacity, st := s.readLog()
	if st != nil {
		return unclear, st
	}
	return judge(r, now, payments, capacity), nil
}

// counter reads the card's transaction counter.
func (s *session) counter() (uint16, *stop) {
	b, st := s.getData(emv.TagATC)
	if st != nil {
		return 0, st
	}
	if len(b) != 2 {
		return 0, because(reason.ProtocolError, fmt.Errorf("the card does not tell its counter (%v)", emv.TagATC))
	}
	return binary.BigEndian.Uint16(b), nil
}

// judge decides from the log alone.
func judge(r *purse.Record, now uint16, payments []tlv.List, capacity int) evidence {
	if int(now)+1 < int(r.ATC) {
		return unclear // the counter went back: not the card, or its memory was restored
	}
	reachesBack := len(payments) < capacity
	for _, p := range payments {
		b, _ := p.Find(emv.TagATC)
		if len(b) != 2 {
			return unclear
		}
		switch atc := binary.BigEndian.Uint16(b); {
		case atc == r.ATC && sameAs(p, r):
			return paid
		case atc == r.ATC:
			return unclear
		case atc < r.ATC:
			reachesBack = true
		}
	}
	if reachesBack {
		return unpaid
	}
	return unclear
}

// sameAs compares a log record with a payment. A field that the card was not
// given, or does not log, is zero or absent and says nothing.
func sameAs(p tlv.List, r *purse.Record) bool {
	amount, err := r.Amount.N12()
	if logged, ok := p.Find(emv.TagAmount); err != nil || !ok || string(logged) != string(amount[:]) {
		return false
	}
	currency, date := r.Amount.Currency().BCD(), clock.DateOf(r.When).YYMMDD()
	for tag, want := range map[tlv.Tag][]byte{
		emv.TagCurrency: currency[:], emv.TagDate: date[:], emv.TagTime: bcdDigits(r.When.Format("150405")),
	} {
		if logged, ok := p.Find(tag); ok && !blank(logged) && string(logged) != string(want) {
			return false
		}
	}
	return true
}

func blank(b []byte) bool {
	for _, c := range b {
		if c != 0 {
			return false
		}
	}
	return true
}

// readLog reads the whole log, youngest first. A card without one gives nothing
// and capacity 0, which judge takes as unclear.
func (s *session) readLog() (payments []tlv.List, capacity int, st *stop) {
	where, ok := s.fci.Find(emv.TagLogEntry)
	if !ok || len(where) != 2 || where[0] < 1 || where[0] > 30 {
		return nil, 0, nil
	}
	raw, st := s.getData(emv.TagLogFormat)
	if st != nil || raw == nil {
		return nil, 0, st
	}
	format, err := tlv.ParseDOL(raw)
	if err != nil {
		return nil, 0, because(reason.ProtocolError, fmt.Errorf("log format: %w", err))
	}
	capacity = min(int(where[1]), maxLogRecords)
	for rec := 1; rec <= capacity; rec++ {
		r, st := s.send(apdu.ReadRecord(where[0], byte(rec)))
		if st != nil {
			return nil, 0, st
		}
		if r.SW == apdu.RecordNotFound {
			break
		}
		if !r.SW.OK() {
			return nil, 0, refusedWith("read the log", r.SW)
		}
		payment, err := format.Split(r.Data)
		if err != nil {
			return nil, 0, because(reason.ProtocolError, fmt.Errorf("log record %d: %w", rec, err))
		}
		payments = append(payments, payment)
	}
	return payments, capacity, nil
}

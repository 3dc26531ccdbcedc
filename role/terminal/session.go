package terminal

import (
	"errors"
	"fmt"
	"io"
	"slices"
	"time"

	"jiaozi/crypt/pin"
	"jiaozi/value/ident"
	"jiaozi/value/money"
	"jiaozi/value/reason"
	"jiaozi/wire/apdu"
	"jiaozi/wire/emv"
	"jiaozi/wire/purse"
	"jiaozi/wire/tlv"
)

// session is one presentation of one card. It is thrown away afterwards: what
// must last is in the journal.
type session struct {
	t    *Terminal
	card apdu.Card
	left int // commands that may still be sent

	// What the terminal brings.
	amount   money.Amount
	n12      [6]byte // of amount
	entry    purse.Entry
	txnType  byte
	pin      func() (pin.PIN, error)
	when     time.Time
	trace    trace
	un       [4]byte
	tvr      emv.TVR
	cvm      [3]byte // 9F34
	arc      []byte  // 8A
	service  Service // of an online service, 0 for a payment
	pinBlock []byte  // for the host

	// What the card says.
	aid     ident.AID
	fci     tlv.List           // its discretionary and proprietary objects
	data    map[tlv.Tag][]byte // GPO answer and records
	signed  []byte             // the records that the certificate covers
	afl     emv.AFL
	aip     emv.AIP
	pan     ident.PAN
	psn     ident.PSN
	atc     uint16
	balance money.Amount // as the card says, once known

	afterTorn bool
}

// errTooMany and errOversized end a conversation that no honest card has.
var (
	errTooMany   = errors.New("the card keeps the terminal talking")
	errOversized = errors.New("the card's answer is longer than a short response")
)

// present starts a session: trace number, time and unpredictable number first, so
// that nothing about the card can influence them.
func (t *Terminal) present(card apdu.Card, amount money.Amount, entry purse.Entry) (*session, *stop) {
	s := &session{t: t, card: card, left: maxAPDUs, amount: amount, entry: entry, when: t.now(), data: map[tlv.Tag][]byte{}}
	var err error
	if s.n12, err = amount.N12(); err != nil {
		return s, because(reason.FormatError, err)
	}
	if _, err = io.ReadFull(t.rand, s.un[:]); err != nil {
		return s, because(reason.SystemError, fmt.Errorf("draw the unpredictable number: %w", err))
	}
	if s.trace, err = t.nextTrace(); err != nil {
		return s, because(reason.StorageFull, err)
	}
	return s, nil
}

// send asks the card. A fault of the line and a fault of form are stops; a status
// word is an answer, for the caller to judge.
func (s *session) send(c apdu.Command) (apdu.Response, *stop) {
	if s.left == 0 {
		return apdu.Response{}, because(reason.ProtocolError, errTooMany)
	}
	s.left--
	r, err := s.card.Transmit(c)
	if err != nil {
		return apdu.Response{}, because(reason.CardRemoved, fmt.Errorf("command %02X%02X: %w", c.CLA, c.INS, err))
	}
	if len(r.Data) > apdu.MaxLe {
		return apdu.Response{}, because(reason.ProtocolError, errOversized)
	}
	return r, nil
}

// refusedWith makes a stop of a status word.
func refusedWith(what string, sw apdu.SW) *stop {
	return because(reason.ProtocolError, fmt.Errorf("%s: the card answers %v", what, sw))
}

// take adds objects to what the card has said. An object said twice ends the
// transaction: the second could shadow the one that is signed (attack 29).
func (s *session) take(objects tlv.List) *stop {
	for _, o := range objects {
		if _, twice := s.data[o.Tag]; twice {
			return because(reason.ProtocolError, fmt.Errorf("%v: %w", o.Tag, tlv.ErrDuplicate))
		}
		s.data[o.Tag] = slices.Clone(o.Value)
	}
	return nil
}

// need gives an object of exactly n bytes that the card must have said.
func (s *session) need(tag tlv.Tag, n int) ([]byte, *stop) {
	v, ok := s.data[tag]
	if !ok || len(v) != n {
		return nil, because(reason.ProtocolError, fmt.Errorf("the card does not give %v in %d bytes", tag, n))
	}
	return v, nil
}

// getData reads an object outside the records; nil if the card has none.
func (s *session) getData(tag tlv.Tag) ([]byte, *stop) {
	r, st := s.send(apdu.GetData(tag))
	if st != nil || !r.SW.OK() {
		return nil, st
	}
	item, rest, err := tlv.Next(r.Data)
	if err != nil || len(rest) != 0 || item.Tag != tag {
		return nil, because(reason.ProtocolError, fmt.Errorf("GET DATA %v answers something else", tag))
	}
	return slices.Clone(item.Value), nil
}

// getAmount reads an amount outside the records; ok is false if the card has none.
func (s *session) getAmount(tag tlv.Tag) (a money.Amount, ok bool, st *stop) {
	b, st := s.getData(tag)
	if st != nil || b == nil {
		return money.Amount{}, false, st
	}
	a, err := money.FromN12(s.amount.Currency(), b)
	if err != nil {
		return money.Amount{}, false, because(reason.ProtocolError, fmt.Errorf("%v: %w", tag, err))
	}
	return a, true, nil
}

// more reports a > b for amounts whose currency was checked before.
func more(a, b money.Amount) bool {
	order, err := a.Cmp(b)
	return err != nil || order > 0
}

// outcome fills what every ending has in common.
func (s *session) outcome(result Result, code reason.Code, err error) Outcome {
	return Outcome{
		Result: result, Reason: code, Amount: s.amount, PAN: s.pan, PSN: s.psn, ATC: s.atc,
		Balance: s.balance, Batch: s.trace.Batch, STAN: s.trace.STAN, AfterTorn: s.afterTorn, Err: err,
	}
}

// declined ends with the certainty that this session took nothing.
func (s *session) declined(st *stop) Outcome {
	out := s.outcome(Declined, st.code, st.err)
	out.Receipt = s.t.slip(s.service, out, s.when)
	return out
}

// uncertain ends with a pending in the journal: the card may have paid.
func (s *session) uncertain(st *stop) Outcome {
	out := s.outcome(Unknown, reason.Torn, st.err)
	out.Balance = money.Amount{} // whatever was read before may not hold any more
	out.Receipt = s.t.slip(s.service, out, s.when)
	return out
}

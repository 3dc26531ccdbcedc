package issuer

import (
	"testing"

	"jiaozi/value/money"
	"jiaozi/wire/emv"
	"jiaozi/wire/iso8583"
	"jiaozi/wire/purse"
	"jiaozi/wire/tlv"
)

// closing asks for the closure of a card and gives it the scripts.
func (s *scheme) closing(c *simCard) purse.Record {
	s.t.Helper()
	r, m := s.loadRequest(c, "290000", 0)
	c.take(s.code(s.serve(s.seal(m)), "00"), c.arqc)
	return r
}

// secondAC is the chip data of a closure's notice: the card's second cryptogram
// with the balance it then has. Like a terminal's, it leaves out what the
// message says elsewhere.
func (c *simCard) secondAC(r purse.Record, balance money.Minor) []byte {
	c.sign(&r, emv.CVN01, emv.ARQC, emv.AAC, balance)
	list, err := tlv.Decode(chip(r))
	check(c.t, err)
	var out []byte
	for _, it := range list {
		switch it.Tag {
		case emv.TagAmount, emv.TagCurrency, emv.TagTxnType, emv.TagAmountOther:
		default:
			out = tlv.Append(out, it.Tag, it.Value)
		}
	}
	return out
}

// Goal: a closure lists the card at once and refunds exactly what the card
// proved, after it proved that it is empty. Payments on their way are still paid.
func TestClosureRefundsWhatTheCardProved(t *testing.T) {
	s := newScheme(t)
	c := s.card(10000)
	onTheWay := s.tap(c, 1500)
	r := s.closing(c)
	s.holds(position{Account: 50000, Float: 10000})
	if k := s.known(); k.Status != Closing || !k.Listed {
		t.Errorf("the card is %s, listed %t", k.Status, k.Listed)
	}
	notice := s.notice(r, "290000", 2, c.secondAC(r, c.balance))
	for range 2 {
		s.code(s.serve(s.seal(notice)), "00")
		s.holds(position{Account: 58500, Float: 1500})
	}
	if k := s.known(); k.Status != Closed || !k.Listed {
		t.Errorf("the card is %s, listed %t", k.Status, k.Listed)
	}
	if got := verdicts(s.present(onTheWay)); got != "accepted/approved" {
		t.Errorf("a payment on its way: %s", got)
	}
	s.holds(position{Account: 58500, Clearing: 1500})
	_, m := s.loadRequest(c, "630000", 100)
	s.code(s.serve(s.seal(m)), iso8583.CodeRestricted)
}

// Goal: a closure is refused when the balance is not the card's word, and its
// notice moves nothing without the card's proof that it is empty.
func TestClosureNeedsTheCardsProof(t *testing.T) {
	s := quickScheme(t)
	c := s.card(10000)
	r, _ := s.loadRequest(c, "290000", 0)
	iad, err := emv.ParseIAD(r.IAD)
	check(t, err)
	iad.Value = [5]byte{0, 0, 9, 0, 0} // 900.00 on a card of 100.00
	r.IAD = iad.Append(nil)
	m := s.message(0x0200, "290000", r)
	m.SetBytes(55, chip(r))
	s.code(s.serve(s.seal(m)), codeCard)

	r = s.closing(c)
	for _, chip := range [][]byte{
		nil,                     // the terminal's word alone
		c.secondAC(r, 1),        // not empty
		c.copyWrong(r),          // not this card's cryptogram
		c.secondAC(s.old(r), 0), // of another transaction
	} {
		s.serve(s.seal(s.notice(r, "290000", 2, chip)))
		s.holds(position{Account: 50000, Float: 10000})
	}
	s.code(s.serve(s.seal(s.notice(r, "290000", 2, c.secondAC(r, 0)))), "00")
	s.holds(position{Account: 60000})
}

// copyWrong is the proof of a card with other keys.
func (c *simCard) copyWrong(r purse.Record) []byte {
	other := newSimCard(c.t, mustPAN("621234567890444"), 0)
	return other.secondAC(r, 0)
}

func (s *scheme) old(r purse.Record) purse.Record { r.ATC--; return r }

// Goal: a closure whose script never reached the card leaves the card as it was,
// off the list, by reversal or by the card's own proof.
func TestClosureThatDidNotHappen(t *testing.T) {
	for _, by := range []string{"reversal", "proof"} {
		s := quickScheme(t)
		c := s.card(10000)
		r, m := s.loadRequest(c, "290000", 0)
		s.code(s.serve(s.seal(m)), "00")
		if by == "reversal" {
			s.code(s.serve(s.seal(s.reversal(r, "290000"))), "00")
		} else {
			s.code(s.serve(s.seal(s.notice(r, "290000", 1, c.secondAC(r, 10000)))), "00")
		}
		if k := s.known(); k.Status != Active || k.Listed {
			t.Errorf("%s: the card is %s, listed %t", by, k.Status, k.Listed)
		}
		if got := verdicts(s.present(s.tap(c, 100))); got != "accepted/approved" {
			t.Errorf("%s: %s", by, got)
		}
		s.holds(position{Account: 50000, Float: 9900, Clearing: 100})
	}
}

// Goal: a closure with a lost notice is settled by the next proof that the card
// gives: it still pays, so it was not closed.
func TestClosureWithoutANoticeIsSettledByAPayment(t *testing.T) {
	s := quickScheme(t)
	c := s.card(10000)
	_, m := s.loadRequest(c, "290000", 0)
	s.code(s.serve(s.seal(m)), "00")
	s.present(s.tap(c, 100))
	s.holds(position{Account: 50000, Float: 9900, Clearing: 100})
	if k := s.known(); k.Status != Active || k.Close != nil {
		t.Errorf("the card is %s", k.Status)
	}
}

// Goal: a card that turned out to be copied while it was being closed stays
// listed, whatever becomes of the closure.
func TestClosureOfAClonedCard(t *testing.T) {
	for _, closed := range []bool{true, false} {
		s := quickScheme(t)
		c := s.card(10000)
		twin := c.copy()
		first := s.tap(c, 100)
		r, m := s.loadRequest(c, "290000", 0)
		c.take(s.code(s.serve(s.seal(m)), "00"), c.arqc)
		s.present(first, s.tap(twin, 120))
		if closed {
			s.code(s.serve(s.seal(s.notice(r, "290000", 2, c.secondAC(r, 0)))), "00")
			s.holds(position{Account: 59900, Clearing: 220, Suspense: 120})
		} else {
			s.code(s.serve(s.seal(s.reversal(r, "290000"))), "00")
			s.holds(position{Account: 50000, Float: 9900, Clearing: 220, Suspense: 120})
		}
		if k := s.known(); k.Status != Cloned || !k.Listed {
			t.Errorf("closed %t: the card is %s, listed %t", closed, k.Status, k.Listed)
		}
	}
}

// Goal: an empty card closes without moving money.
func TestClosureOfAnEmptyCard(t *testing.T) {
	s := quickScheme(t)
	c := s.card(0)
	r := s.closing(c)
	s.code(s.serve(s.seal(s.notice(r, "290000", 2, c.secondAC(r, 0)))), "00")
	s.holds(position{Account: 50000})
	if k := s.known(); k.Status != Closed {
		t.Errorf("the card is %s", k.Status)
	}
}

// Goal: a card that proves more than it was given gets neither load nor refund, and
// is stopped.
func TestUnexplainedBalanceIsNotPaidOut(t *testing.T) {
	s := quickScheme(t)
	c := s.card(1000)
	c.balance = 8000
	_, m := s.loadRequest(c, "290000", 0)
	s.code(s.serve(s.seal(m)), iso8583.CodeDoNotHonour)
	_, m = s.loadRequest(c, "600000", 100)
	s.code(s.serve(s.seal(m)), iso8583.CodeRestricted)
	s.holds(position{Account: 50000, Float: 1000})
	if a := s.alerts(); len(a) != 1 || a[0] != AlertBalance || s.known().Status != Blocked || !s.known().Listed {
		t.Errorf("alerts %v, the card is %s", a, s.known().Status)
	}
}

package issuer

import (
	"bytes"
	"errors"
	"testing"

	"jiaozi/value/ident"
	"jiaozi/value/lang"
	"jiaozi/wire/iso8583"
	"jiaozi/wire/purse"
)

// Goal: what others do between deciding and booking is never lost: the decision
// is made again on what they left.
func TestOthersMayBeFaster(t *testing.T) {
	for _, tc := range []struct {
		why       string
		code      string
		meanwhile func(s *scheme, c *simCard, r purse.Record, raw []byte)
		answer    string
		want      position
	}{
		{"the reversal comes in between", "630000", func(s *scheme, _ *simCard, r purse.Record, _ []byte) {
			s.code(s.serve(s.seal(s.reversal(r, "630000"))), "00")
		}, iso8583.CodeDuplicate, position{Account: 50000, Float: 1000}},
		{"the same request is answered in between", "630000", func(s *scheme, _ *simCard, _ purse.Record, raw []byte) {
			s.code(s.serve(raw), "00")
		}, "00", position{Account: 50000, Float: 1000, InFlight: 500, Clearing: -500}},
		{"the card is blocked in between", "630000", func(s *scheme, _ *simCard, _ purse.Record, _ []byte) {
			check(s.t, s.issuer.SetStatus(s.t.Context(), pan, 1, Blocked, 20261122))
		}, iso8583.CodeRestricted, position{Account: 50000, Float: 1000}},
		{"an older payment is posted in between", "630000", func(s *scheme, _ *simCard, r purse.Record, _ []byte) {
			older := newSimCard(s.t, pan, 1000)
			s.present(s.tap(older, 300))
		}, iso8583.CodeDoNotHonour, position{Account: 50000, Float: 700, Clearing: 300}},
		{"the wrong PIN is counted in between", "600000", func(s *scheme, _ *simCard, _ purse.Record, raw []byte) {
			s.code(s.serve(raw), iso8583.CodeWrongPIN)
		}, iso8583.CodeWrongPIN, position{Account: 50000, Float: 1000}},
	} {
		t.Run(tc.why, func(t *testing.T) {
			s := quickScheme(t)
			c := s.card(1000)
			c.atc = 5
			r, m := s.loadRequest(c, tc.code, 500)
			if tc.answer == iso8583.CodeWrongPIN {
				m.SetBytes(52, s.pinBlock("999999", pan))
			}
			raw := s.seal(m)
			s.door.meanwhile = func() { tc.meanwhile(s, c, r, raw) }
			s.code(s.serve(raw), tc.answer)
			s.holds(tc.want)
			if tries := s.known().PINTries; tc.answer == iso8583.CodeWrongPIN && tries != 2 {
				t.Errorf("%d tries are left", tries)
			}
		})
	}
}

// Goal: two callers with one file end with one outcome.
func TestOneFileFromTwoCallers(t *testing.T) {
	s := newScheme(t)
	c := s.card(10000)
	file := s.file(s.tap(c, 100), s.tap(c, 200))
	var other []byte
	s.door.meanwhile = func() {
		var err error
		other, err = s.issuer.Present(t.Context(), file, s.now)
		check(t, err)
	}
	own, err := s.issuer.Present(t.Context(), file, s.now)
	check(t, err)
	if !bytes.Equal(own, other) {
		t.Errorf("%s and %s", verdicts(s.decodeOutcome(own)), verdicts(s.decodeOutcome(other)))
	}
	s.holds(position{Account: 50000, Float: 9700, Clearing: 300})
}

// Goal: what is no message, of an acquirer without a key, or an answer, gets no
// answer; nothing is booked for it.
func TestMessagesThatAreNotAnswered(t *testing.T) {
	s := quickScheme(t)
	c := s.card(1000)
	_, m := s.loadRequest(c, "630000", 500)
	stranger := m.Clone()
	stranger.Set(32, "48010009")
	answer := m.Clone()
	answer.MTI = 0x0210
	answer.Set(39, "00")
	for why, raw := range map[string][]byte{
		"noise": {1, 2, 3}, "nothing": nil, "a stranger": s.seal(stranger), "an answer": s.seal(answer),
	} {
		if out, err := s.issuer.Serve(t.Context(), raw, s.now); err == nil || out != nil || !errors.Is(err, ErrMessage) && !errors.Is(err, ErrAcquirer) {
			t.Errorf("%s: %v", why, err)
		}
	}
	s.holds(position{Account: 50000, Float: 1000})
}

// Goal: a card that has expired loads no more; its payments were decided at the
// till and are paid.
func TestExpiredCard(t *testing.T) {
	s := quickScheme(t)
	c := s.card(1000)
	s.now = s.now.AddDate(5, 0, 0)
	_, m := s.loadRequest(c, "630000", 500)
	s.code(s.serve(s.seal(m)), iso8583.CodeExpired)
	if got := verdicts(s.present(s.tap(c, 100))); got != "accepted/approved" {
		t.Errorf("a payment: %s", got)
	}
}

// Goal: the register and the findings can be read by a person in both languages,
// without a card number.
func TestRegisterAndFindingsAreReadable(t *testing.T) {
	s := quickScheme(t)
	c := s.card(1000)
	c.balance = 5000
	s.present(s.tap(c, 100), s.tap(c, 2000))
	cards := 0
	check(t, s.issuer.Cards(t.Context(), func(_ ident.CardRef, c Card) error {
		cards++
		if c.PAN != pan || c.Status.In(lang.ZH) != "已停用" {
			t.Errorf("card %s is %s", c.PAN, c.Status)
		}
		return nil
	}))
	var texts []string
	check(t, s.issuer.Alerts(t.Context(), func(a Alert) error {
		texts = append(texts, a.Text(lang.EN), a.Text(lang.ZH))
		return nil
	}))
	want := []string{
		"The card proves CNY 49.00 but its loads and payments leave CNY 9.00: find out who funded it.",
		"卡片证明余额 ¥49.00，而已知圈存与消费仅余 ¥9.00：请查明资金来源。",
		"A payment of CNY 20.00 is more than the CNY 9.00 that the card can hold: it is in suspense.",
		"消费 ¥20.00 超过卡内可能的余额 ¥9.00：已挂账。",
	}
	if cards != 1 || len(texts) != len(want) {
		t.Fatalf("%d cards, findings %q", cards, texts)
	}
	for n := range want {
		if texts[n] != want[n] {
			t.Errorf("got  %s\nwant %s", texts[n], want[n])
		}
	}
}

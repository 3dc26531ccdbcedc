package issuer

import (
	"bytes"
	"testing"

	"jiaozi/crypt/pin"
	"jiaozi/value/money"
	"jiaozi/wire/emv"
	"jiaozi/wire/iso8583"
)

// Goal: a load from the account moves the money to the card through "in
// flight", and the card accepts what the issuer computed.
func TestLoadReachesTheCard(t *testing.T) {
	s := newScheme(t)
	c := s.card(1000)
	r, m := s.loadRequest(c, "600000", 5000)
	answer := s.code(s.serve(s.seal(m)), "00")
	s.holds(position{Account: 45000, Float: 1000, InFlight: 5000})
	c.take(answer, c.arqc)
	if c.balance != 6000 {
		t.Fatalf("the card holds %d after the script", c.balance)
	}
	s.code(s.serve(s.seal(s.notice(r, "600000", 2, nil))), "00")
	s.holds(position{Account: 45000, Float: 6000})
	if got := verdicts(s.present(s.tap(c, 6000))); got != "accepted/approved" {
		t.Errorf("spending all of it: %s", got)
	}
	s.holds(position{Account: 45000, Clearing: 6000})
	if a := s.alerts(); len(a) != 0 {
		t.Errorf("alerts %v on an honest card", a)
	}
}

// Goal: the same request twice is one load with one answer, byte for byte, even
// after the answer was lost and the load settled; another request under the
// same trace is refused.
func TestReplayGetsTheStoredAnswer(t *testing.T) {
	s := newScheme(t)
	c := s.card(1000)
	r, m := s.loadRequest(c, "600000", 5000)
	raw := s.seal(m)
	first, err := s.issuer.Serve(t.Context(), raw, s.now)
	check(t, err)
	s.now = s.now.Add(90e9) // a later clock must not change the answer
	s.issuer = s.open()
	second, err := s.issuer.Serve(t.Context(), raw, s.now)
	check(t, err)
	if !bytes.Equal(first, second) {
		t.Error("the replay got another answer")
	}
	s.code(s.serve(s.seal(s.notice(r, "600000", 2, nil))), "00")
	third, err := s.issuer.Serve(t.Context(), raw, s.now)
	check(t, err)
	if !bytes.Equal(first, third) {
		t.Error("the replay after settlement got another answer")
	}
	s.holds(position{Account: 45000, Float: 6000})
	m.Set(7, "1122100130")
	if again := s.serve(s.seal(m)); again.Text(39) != "00" {
		t.Error("another time of transmission made it another request")
	}
	m.Set(42, "M00000000000002")
	s.code(s.serve(s.seal(m)), iso8583.CodeDuplicate)
}

// Goal: nothing is believed of a message whose MAC is wrong, and the answer says so.
func TestBadMACChangesNothing(t *testing.T) {
	s := quickScheme(t)
	c := s.card(1000)
	_, m := s.loadRequest(c, "600000", 5000)
	raw := s.seal(m)
	head, _ := s.ledger.Head(t.Context())
	for _, bit := range []int{30, len(raw) / 2, len(raw) - 1} {
		bent := bytes.Clone(raw)
		bent[bit] ^= 1
		answer, err := s.issuer.Serve(t.Context(), bent, s.now)
		if err != nil {
			continue // bent so that it is no message at all
		}
		s.code(s.opened(answer), iso8583.CodeMAC)
	}
	after, _ := s.ledger.Head(t.Context())
	if head != after {
		t.Error("a message with a bad MAC was booked")
	}
}

// Goal: each reason to decline a load is its own answer, and moves nothing.
func TestLoadsThatAreDeclined(t *testing.T) {
	for _, tc := range []struct {
		why  string
		bend func(s *scheme, c *simCard, m *iso8583.Message)
		want string
	}{
		{"no PIN", func(s *scheme, c *simCard, m *iso8583.Message) { m.Unset(52) }, iso8583.CodePINFormat},
		{"wrong PIN", func(s *scheme, c *simCard, m *iso8583.Message) { m.SetBytes(52, s.pinBlock("654321", pan)) }, iso8583.CodeWrongPIN},
		{"another amount than the chip's", func(s *scheme, c *simCard, m *iso8583.Message) { m.Set(4, "000000009999") }, iso8583.CodeBadAmount},
		{"a cash load with the cryptogram of another", func(s *scheme, c *simCard, m *iso8583.Message) { m.Set(3, "630000") }, iso8583.CodeInvalid},
		{"another currency", func(s *scheme, c *simCard, m *iso8583.Message) { m.Set(49, "840") }, iso8583.CodeBadAmount},
		{"a function that does not exist", func(s *scheme, c *simCard, m *iso8583.Message) { m.Set(3, "310000") }, iso8583.CodeFunction},
		{"another issuer", func(s *scheme, c *simCard, m *iso8583.Message) { m.Set(100, "62100002") }, iso8583.CodeNoIssuer},
		{"no chip data", func(s *scheme, c *simCard, m *iso8583.Message) { m.Unset(55) }, iso8583.CodeFormat},
		{"an unknown card", func(s *scheme, c *simCard, m *iso8583.Message) { m.Set(2, mustPAN("621234567890999").Reveal()) }, iso8583.CodeUnknownCard},
		{"a blocked card", func(s *scheme, c *simCard, m *iso8583.Message) {
			check(s.t, s.issuer.SetStatus(s.t.Context(), pan, 1, Blocked, 20261122))
		}, iso8583.CodeRestricted},
	} {
		t.Run(tc.why, func(t *testing.T) {
			s := quickScheme(t)
			c := s.card(1000)
			_, m := s.loadRequest(c, "600000", 5000)
			tc.bend(s, c, m)
			s.code(s.serve(s.seal(m)), tc.want)
			s.holds(position{Account: 50000, Float: 1000})
		})
	}
}

// Goal: amounts beyond the account or the card's limit are declined.
func TestLoadsBeyondMeans(t *testing.T) {
	s := quickScheme(t)
	c := s.card(1000)
	_, m := s.loadRequest(c, "600000", 50001)
	raw := s.seal(m)
	s.code(s.serve(raw), iso8583.CodeInsufficient)
	check(t, s.issuer.Fund(t.Context(), [16]byte{1}, account, yuan(1000000), 20261122))
	s.code(s.serve(raw), iso8583.CodeInsufficient) // a replay gets the first answer, whatever came since
	_, m = s.loadRequest(c, "600000", 99001)
	s.code(s.serve(s.seal(m)), iso8583.CodeOverLimit)
	s.holds(position{Account: 1050000, Float: 1000})
}

// Goal: three wrong PINs stop online loads; a replayed wrong PIN counts once; a
// right PIN in between forgives; a block that does not open costs no try.
func TestPINTriesAreCountedOnce(t *testing.T) {
	s := quickScheme(t)
	c := s.card(1000)
	try := func(digits, want string) {
		t.Helper()
		_, m := s.loadRequest(c, "600000", 100)
		m.SetBytes(52, s.pinBlock(digits, pan))
		raw := s.seal(m)
		s.code(s.serve(raw), want)
		s.code(s.serve(raw), want)
	}
	try("111111", iso8583.CodeWrongPIN)
	try("111112", iso8583.CodeWrongPIN)
	_, m := s.loadRequest(c, "600000", 100)
	m.SetBytes(52, []byte{1, 2, 3, 4, 5, 6, 7, 8})
	s.code(s.serve(s.seal(m)), iso8583.CodePINFormat)
	if tries := s.known().PINTries; tries != 1 {
		t.Fatalf("%d tries are left after two wrong PINs", tries)
	}
	_, m = s.loadRequest(c, "600000", 100000) // right PIN, over the limit
	s.code(s.serve(s.seal(m)), iso8583.CodeOverLimit)
	if tries := s.known().PINTries; tries != 3 {
		t.Fatalf("%d tries are left after a right PIN", tries)
	}
	try("111113", iso8583.CodeWrongPIN)
	try("111114", iso8583.CodeWrongPIN)
	try("111115", iso8583.CodePINTries)
	try("123456", iso8583.CodePINTries)
	s.holds(position{Account: 50000, Float: 1000})
}

// Goal: a cryptogram that was altered, a balance that the card did not MAC, and
// a request that was used before are refused; the balance in clear is not used.
func TestOnlyTheCardsOwnWordCounts(t *testing.T) {
	s := quickScheme(t)
	c := s.card(1000)
	r, m := s.loadRequest(c, "630000", 5000)
	bend := func(change func(iad *emv.IAD)) *iso8583.Message {
		iad, err := emv.ParseIAD(r.IAD)
		check(t, err)
		change(&iad)
		bent := r
		s.stan++
		bent.STAN = s.stan
		bent.IAD = iad.Append(nil)
		m := s.message(0x0200, "630000", bent)
		m.SetBytes(55, chip(bent))
		return m
	}
	lower := bend(func(iad *emv.IAD) { iad.Value = [5]byte{} }) // attack 25: the balance lowered on its way
	s.code(s.serve(s.seal(lower)), codeCard)
	s.code(s.serve(s.seal(bend(func(iad *emv.IAD) { iad.CVR[2] = 0xF0 }))), codeCard)
	forged := r
	forged.AC[0] ^= 1
	s.stan++
	forged.STAN = s.stan
	m2 := s.message(0x0200, "630000", forged)
	m2.SetBytes(55, chip(forged))
	s.code(s.serve(s.seal(m2)), codeCard)
	s.holds(position{Account: 50000, Float: 1000})

	s.code(s.serve(s.seal(m)), "00")
	s.code(s.serve(s.seal(s.reversal(r, "630000"))), "00")
	s.code(s.serve(s.seal(bend(func(*emv.IAD) {}))), iso8583.CodeDoNotHonour)
	s.holds(position{Account: 50000, Float: 1000})
}

// Goal: a cash load is owed by the acquirer, told to clearing, and given back if
// the script never reached the card.
func TestCashLoad(t *testing.T) {
	s := quickScheme(t)
	c := s.card(1000)
	r, m := s.loadRequest(c, "630000", 5000)
	s.code(s.serve(s.seal(m)), "00")
	s.holds(position{Account: 50000, Float: 1000, InFlight: 5000, Clearing: -5000})
	s.code(s.serve(s.seal(s.reversal(r, "630000"))), "00")
	s.holds(position{Account: 50000, Float: 1000})
	pending, err := s.ledger.Outbox(t.Context(), topicClearing, 0, 10)
	check(t, err)
	if len(pending) != 2 {
		t.Fatalf("clearing was told %d times", len(pending))
	}
	want := "posted/62100001/48010001/T0000001/000007/000001 undone/62100001/48010001/T0000001/000007/000001"
	if got := string(pending[0].Key) + " " + string(pending[1].Key); got != want {
		t.Errorf("clearing was told %q", got)
	}
}

// Goal: a load can be paid from another card's account, under that card's PIN.
func TestLoadFromAnotherAccount(t *testing.T) {
	s := quickScheme(t)
	c := s.card(1000)
	payer := mustPAN("621234567890777")
	number := s.cardOf(payer, 0)
	_, m := s.loadRequest(c, "620000", 5000)
	m.SetBytes(62, []byte(number.pan.Reveal()))
	m.SetBytes(52, s.pinBlock("123456", c.pan)) // the block of the wrong card
	answer := s.serve(s.seal(m))
	if answer.Text(39) == "00" {
		t.Fatal("a PIN block of the loaded card opened the paying card's account")
	}
	_, m = s.loadRequest(c, "620000", 5000)
	m.SetBytes(62, []byte(number.pan.Reveal()))
	m.SetBytes(52, s.pinBlock("123456", payer))
	c.take(s.code(s.serve(s.seal(m)), "00"), c.arqc)
	s.holds(position{Account: 45000, Float: 1000, InFlight: 5000})
	_, m = s.loadRequest(c, "620000", 5000)
	s.code(s.serve(s.seal(m)), iso8583.CodeFormat) // nobody named to pay
}

// Goal: a renewed card has the number of the old one and a counter of its own; the
// old one, loaded from its account, leaves that counter alone.
func TestARenewedCardHasItsOwnCounter(t *testing.T) {
	s := quickScheme(t)
	c := s.card(1000)
	number, err := pin.Parse("123456")
	check(t, err)
	_, err = s.issuer.RegisterCard(t.Context(), NewCard{PAN: pan, PSN: 2, Account: account, Expiry: 20301231, Limit: yuan(100000), PIN: number}, 20261122)
	check(t, err)
	_, m := s.loadRequest(c, "620000", 5000)
	m.SetBytes(62, []byte(pan.Reveal()))
	m.SetBytes(52, s.pinBlock("654321", pan))
	s.code(s.serve(s.seal(m)), iso8583.CodeWrongPIN)
	if renewed, _, err := s.issuer.Card(t.Context(), pan, 2); err != nil || renewed.Online != 0 || renewed.PINTries != 2 {
		t.Errorf("the new card's counter is %d, %d tries are left (%v)", renewed.Online, renewed.PINTries, err)
	}
}

// Goal: a reversal before the script undoes the load; a reversal of what was
// never seen, or undone before, is answered 00 so that the acquirer stops.
func TestReversalUndoesTheLoad(t *testing.T) {
	s := quickScheme(t)
	c := s.card(1000)
	r, m := s.loadRequest(c, "600000", 5000)
	s.code(s.serve(s.seal(m)), "00")
	for range 2 {
		s.code(s.serve(s.seal(s.reversal(r, "600000"))), "00")
		s.holds(position{Account: 50000, Float: 1000})
	}
	// The script went out all the same: money from nowhere is found.
	s.code(s.serve(s.seal(s.notice(r, "600000", 2, nil))), "00")
	if a := s.alerts(); len(a) != 1 || a[0] != AlertUndone {
		t.Errorf("alerts %v", a)
	}
	s.holds(position{Account: 50000, Float: 1000})
}

// Goal: a reversal that overtakes its request blocks it for ever.
func TestReversalBeforeItsRequest(t *testing.T) {
	s := quickScheme(t)
	c := s.card(1000)
	r, m := s.loadRequest(c, "600000", 5000)
	s.code(s.serve(s.seal(s.reversal(r, "600000"))), "00")
	s.code(s.serve(s.seal(m)), iso8583.CodeDuplicate)
	s.code(s.serve(s.seal(s.reversal(r, "600000"))), "00")
	s.holds(position{Account: 50000, Float: 1000})
}

// Goal: once the terminal said that the script went to the card, or that it was
// carried out, a reversal changes nothing and is told so.
func TestReversalAfterTheScript(t *testing.T) {
	for result, want := range map[byte]position{
		2: {Account: 45000, Float: 6000},
		0: {Account: 45000, Float: 1000, InFlight: 5000},
	} {
		s := quickScheme(t)
		c := s.card(1000)
		r, m := s.loadRequest(c, "600000", 5000)
		s.code(s.serve(s.seal(m)), "00")
		for range 2 {
			s.code(s.serve(s.seal(s.notice(r, "600000", result, nil))), "00")
		}
		s.code(s.serve(s.seal(s.reversal(r, "600000"))), iso8583.CodeInvalid)
		s.holds(want)
	}
}

// Goal: notices about unknown loads, and notices without a result, are refused.
func TestNoticesThatMakeNoSense(t *testing.T) {
	s := quickScheme(t)
	c := s.card(1000)
	r, m := s.loadRequest(c, "600000", 5000)
	s.code(s.serve(s.seal(s.notice(r, "600000", 2, nil))), iso8583.CodeNoRecord)
	s.code(s.serve(s.seal(m)), "00")
	bad := s.notice(r, "600000", 2, nil)
	bad.SetBytes(55, chip(r))
	s.code(s.serve(s.seal(bad)), iso8583.CodeFormat)
	s.code(s.serve(s.seal(s.notice(r, "600000", 7, nil))), iso8583.CodeFormat)
	s.holds(position{Account: 45000, Float: 1000, InFlight: 5000})
}

// inFlight leaves a load of 5000 on a card of 1000 in flight: the script was
// sent, and the terminal does not know what became of it.
func (s *scheme) leftInFlight(reached bool) *simCard {
	s.t.Helper()
	c := s.card(1000)
	r, m := s.loadRequest(c, "600000", 5000)
	answer := s.code(s.serve(s.seal(m)), "00")
	c.scripts = 0
	if reached {
		c.take(answer, c.arqc)
	}
	s.code(s.serve(s.seal(s.notice(r, "600000", 0, nil))), "00")
	s.holds(position{Account: 45000, Float: 1000, InFlight: 5000})
	return c
}

// Goal: the next balance that the card proves decides a load in flight, both ways.
func TestNextPaymentSettlesTheLoad(t *testing.T) {
	for reached, want := range map[bool]position{
		true:  {Account: 45000, Float: 5700, Clearing: 300},
		false: {Account: 50000, Float: 700, Clearing: 300},
	} {
		s := quickScheme(t)
		c := s.leftInFlight(reached)
		if got := verdicts(s.present(s.tap(c, 300))); got != "accepted/approved" {
			t.Errorf("reached %t: %s", reached, got)
		}
		s.holds(want)
	}
}

// Goal: a payment that only the load can have paid for settles it as applied,
// although counters are missing.
func TestSpendingTheLoadProvesIt(t *testing.T) {
	s := quickScheme(t)
	c := s.leftInFlight(true)
	missing := s.tap(c, 200)
	if got := verdicts(s.present(s.tap(c, 5700))); got != "accepted/approved" {
		t.Errorf("spending the load: %s", got)
	}
	s.holds(position{Account: 45000, Float: 300, Clearing: 5700})
	if got := verdicts(s.present(missing)); got != "accepted/approved" {
		t.Errorf("the late payment: %s", got)
	}
	s.holds(position{Account: 45000, Float: 100, Clearing: 5900})
}

// Goal: with a counter missing and a low balance the load is undecidable; it
// waits, a second load is declined, and the missing payment decides it.
func TestUndecidableLoadWaits(t *testing.T) {
	for reached, want := range map[bool]position{
		true:  {Account: 45000, Float: 400, Clearing: 5600},
		false: {Account: 50000, Float: 0, Clearing: 1000},
	} {
		s := quickScheme(t)
		c := s.leftInFlight(reached)
		missing := s.tap(c, map[bool]money.Minor{true: 5100, false: 500}[reached])
		next := s.tap(c, 500)
		s.present(next)
		s.holds(position{Account: 45000, Float: 500, InFlight: 5000, Clearing: 500})
		s.present(missing)
		s.holds(want)
	}
}

// Goal: a contact cryptogram covers the card's count of scripts, which decides
// what arithmetic cannot.
func TestScriptCountDecides(t *testing.T) {
	for reached, want := range map[bool]position{
		true:  {Account: 45000, Float: 5500, Clearing: 500},
		false: {Account: 50000, Float: 500, Clearing: 500},
	} {
		s := quickScheme(t)
		c := s.leftInFlight(reached)
		s.tap(c, map[bool]money.Minor{true: 5000, false: 400}[reached]) // never uploaded
		s.present(s.insert(c, 500))
		s.holds(want)
	}
}

// Goal: a status word is nobody's signature. A device between card and terminal that
// makes up a refusal of the script, and a real one of a bad script after it, gets no
// money back that the card holds; a card that did refuse proves so by its count.
func TestARefusedScriptIsProvedByTheCard(t *testing.T) {
	for reached, want := range map[bool]position{
		true:  {Account: 45000, Float: 6000},
		false: {Account: 50000, Float: 1000},
	} {
		s := quickScheme(t)
		c := s.card(1000)
		r, m := s.loadRequest(c, "600000", 5000)
		answer := s.code(s.serve(s.seal(m)), "00")
		if reached {
			c.take(answer, c.arqc)
		}
		c.scriptFailed = true
		s.code(s.serve(s.seal(s.notice(r, "600000", 1, nil))), "00")
		s.code(s.serve(s.seal(s.reversal(r, "600000"))), iso8583.CodeInvalid)
		s.holds(position{Account: 45000, Float: 1000, InFlight: 5000})
		spent := c.balance - 500 // so that arithmetic alone cannot tell
		late := s.tap(c, spent)
		_, m = s.loadRequest(c, "600000", 100000) // beyond the limit: only its proof counts
		s.serve(s.seal(m))
		s.present(late)
		want.Float, want.Clearing = want.Float-spent, spent
		s.holds(want)
	}
}

// Goal: scripts counted from an earlier load say nothing about one whose answer
// never reached the card: it waits, no second load is given, and its reversal
// undoes it.
func TestAnOldScriptCountProvesNothing(t *testing.T) {
	s := quickScheme(t)
	c := s.card(1000)
	r, m := s.loadRequest(c, "630000", 3000)
	c.take(s.code(s.serve(s.seal(m)), "00"), c.arqc)
	s.code(s.serve(s.seal(s.notice(r, "630000", 2, nil))), "00")
	lost, m := s.loadRequest(c, "600000", 5000)
	s.code(s.serve(s.seal(m)), "00") // and the card never hears of it
	missing := s.tap(c, 100)
	s.present(s.insert(c, 200))
	_, m = s.loadRequest(c, "600000", 700)
	s.code(s.serve(s.seal(m)), iso8583.CodeDoNotHonour)
	s.holds(position{Account: 45000, Float: 3800, InFlight: 5000, Clearing: -2800})
	s.code(s.serve(s.seal(s.reversal(lost, "600000"))), "00")
	s.present(missing)
	s.holds(position{Account: 50000, Float: 3700, Clearing: -2700})
}

// Goal: the next load settles the last one from its own proof before it is
// decided, so a lost answer costs the cardholder nothing but a second try.
func TestNextLoadSettlesTheLast(t *testing.T) {
	for reached, want := range map[bool]position{
		true:  {Account: 42000, Float: 9000},
		false: {Account: 47000, Float: 4000},
	} {
		s := quickScheme(t)
		c := s.leftInFlight(reached)
		r, m := s.loadRequest(c, "600000", 3000)
		c.take(s.code(s.serve(s.seal(m)), "00"), c.arqc)
		s.code(s.serve(s.seal(s.notice(r, "600000", 2, nil))), "00")
		s.holds(want)
		if c.balance != want.Float {
			t.Errorf("the card holds %d, the float %d", c.balance, want.Float)
		}
	}
}

// Goal: an echo proves the line and its key.
func TestEcho(t *testing.T) {
	s := quickScheme(t)
	m := &iso8583.Message{MTI: 0x0800}
	m.Set(11, "000001")
	m.Set(32, string(acquirerInst))
	m.Set(100, string(issuerInst))
	m.Set(128, string(make([]byte, 8)))
	s.code(s.serve(s.seal(m)), "00")
}

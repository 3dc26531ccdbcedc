package card

import (
	"testing"
	"time"

	"jiaozi/crypt/emvkey"
	"jiaozi/crypt/oda"
	"jiaozi/value/clock"
	"jiaozi/value/money"
	"jiaozi/wire/apdu"
	"jiaozi/wire/emv"
	"jiaozi/wire/purse"
	"jiaozi/wire/tlv"
)

// verified checks what a cryptogram answer claims, as the issuer would, from
// the wire's definition of the cryptogram's data.
func (r terminal) verified(p terms, aip []byte, atc uint16, ac, iad []byte) emv.IAD {
	r.Helper()
	record := purse.Record{
		Amount: p.amount, Other: money.Zero(money.CNY), UN: p.un, TVR: p.tvr, AIP: emv.AIP(aip), TxnType: p.kind,
		Country: 156, ATC: atc, IAD: iad, When: time.Date(2026, 11, 22, 12, 34, 56, 0, clock.Zone),
	}
	input, err := purse.ACInput(record)
	if err != nil {
		r.Fatalf("cryptogram data: %v", err)
	}
	if want := emvkey.AC(emvkey.Session(testKeys.AC, atc), input); [8]byte(ac) != want {
		r.Fatalf("cryptogram %X, the issuer computes %X", ac, want)
	}
	parsed, err := emv.ParseIAD(iad)
	if err != nil {
		r.Fatal(err)
	}
	if want := emvkey.BalanceMAC(emvkey.Session(testKeys.MAC, atc), atc, parsed.Value); parsed.MAC != want {
		r.Fatalf("balance MAC %X, the issuer computes %X", parsed.MAC, want)
	}
	return parsed
}

// tapAnswer is an opened GPO answer.
type tapAnswer struct {
	list tlv.List
	iad  emv.IAD
	atc  uint16
}

func (r terminal) tapGPO(p terms) tapAnswer {
	r.Helper()
	answer := r.gpo(p)
	if answer.SW != apdu.OK {
		r.Fatalf("GPO answered %v", answer.SW)
	}
	l := r.decode(emv.TagResponse2, answer.Data)
	atc := u16(r.find(l, emv.TagATC))
	iad := r.verified(p, r.find(l, emv.TagAIP), atc, r.find(l, emv.TagAC), r.find(l, emv.TagIAD))
	return tapAnswer{l, iad, atc}
}

func TestTapDebitsWithTheLastRecord(t *testing.T) {
	// Reads record by record and looks into the memory after each.
	c := newCard(t)
	r := power(t, c, Contactless)
	g := r.tapGPO(pay(30_00))
	if got, _ := g.iad.Balance(money.CNY); g.iad.Decision() != emv.TC || got != yuan(170_00) {
		t.Fatalf("decision %v, balance in the cryptogram %v; want TC and 170.00", g.iad.Decision(), got)
	}
	files := names(mustGet(emv.ParseAFL(r.find(g.list, emv.TagAFL))))
	for i, n := range files {
		if balanceOf(c) != 200_00 || len(c.Evidence().Log) != 0 {
			t.Fatalf("debited before record %d of %d was asked for", i, len(files))
		}
		r.ok(apdu.ReadRecord(n.sfi, n.number))
	}
	e := c.Evidence()
	if e.Balance != yuan(170_00) || len(e.Log) != 1 {
		t.Fatalf("after the last record: balance %v, %d log entries", e.Balance, len(e.Log))
	}
	want := LogEntry{ATC: 1, Amount: yuan(30_00), Date: today, Time: "123456", Country: 156, Merchant: "BAOZI SHOP"}
	if e.Log[0] != want {
		t.Fatalf("log %+v, want %+v", e.Log[0], want)
	}
	last := files[len(files)-1]
	r.ok(apdu.ReadRecord(last.sfi, last.number))
	if balanceOf(c) != 170_00 || len(c.Evidence().Log) != 1 {
		t.Fatal("reading the last record again debited again")
	}
}

func TestTapLastRecordWaitsForTheOthers(t *testing.T) {
	c := newCard(t)
	r := power(t, c, Contactless)
	r.tapGPO(pay(30_00))
	r.want(apdu.ConditionsNotMet, apdu.ReadRecord(sfiTapCert, 1))
	if balanceOf(c) != 200_00 {
		t.Fatal("debited although the terminal had not read what it needs")
	}
	r.ok(apdu.ReadRecord(sfiTapData, 1))
	r.ok(apdu.ReadRecord(sfiIssuer, 2))
	r.ok(apdu.ReadRecord(sfiIssuer, 1))
	r.ok(apdu.ReadRecord(sfiTapCert, 1))
	if balanceOf(c) != 170_00 {
		t.Fatal("not debited after all records")
	}
}

func TestTapSelectDropsAnUnfinishedTap(t *testing.T) {
	c := newCard(t)
	r := power(t, c, Contactless)
	r.tapGPO(pay(30_00))
	r.getData(emv.TagECBalance)
	r.want(apdu.RecordNotFound, apdu.ReadRecord(sfiPayments, 1))
	r.ok(apdu.Select([]byte(testAID)))
	r.files(tapPath().afl.Append(nil))
	if e := c.Evidence(); e.Balance != yuan(200_00) || len(e.Log) != 0 || e.ATC != 1 {
		t.Fatalf("a tap that was given up left %v, %d entries, counter %d", e.Balance, len(e.Log), e.ATC)
	}
}

func TestTapSignatureProvesCardAmountAndQualifiers(t *testing.T) {
	r := power(t, newCard(t), Contactless)
	p := pay(30_00)
	g := r.tapGPO(p)
	objects, static := r.files(r.find(g.list, emv.TagAFL))
	key := r.genuine(objects, static, r.find(g.list, emv.TagAIP))
	cardAuth, sdad := r.find(g.list, emv.TagCardAuthData), r.find(g.list, emv.TagSDAD)
	currency := money.CNY.BCD()
	tail := oda.TailV01(p.un, [6]byte(n12(p.amount)), currency, cardAuth)
	if _, err := oda.VerifyDynamic(key, sdad, tail); err != nil {
		t.Fatalf("fDDA 01: %v", err)
	}
	if ctq := r.find(g.list, emv.TagCTQ); string(cardAuth[5:7]) != string(ctq) {
		t.Fatalf("signed qualifiers %X, sent %X", cardAuth[5:7], ctq)
	}
	if psn := r.find(g.list, emv.TagPSN); string(cardAuth[emv.CardAuthPSN:]) != string(psn) {
		t.Fatalf("signed sequence number %X, sent %X", cardAuth[emv.CardAuthPSN:], psn)
	}
	forged := oda.TailV01(p.un, [6]byte(n12(yuan(1))), currency, cardAuth)
	if _, err := oda.VerifyDynamic(key, sdad, forged); err == nil {
		t.Fatal("the signature also holds for another amount")
	}

	p.ttq = emv.TTQ{0x28, 0, 0, 0}
	g = r.tapGPO(p)
	if _, ok := g.list.Find(emv.TagCardAuthData); ok {
		t.Fatal("9F69 in a version 00 answer")
	}
	if _, err := oda.VerifyDynamic(key, r.find(g.list, emv.TagSDAD), oda.TailV00(p.un)); err != nil {
		t.Fatalf("fDDA 00: %v", err)
	}
}

func TestTapDecisions(t *testing.T) {
	with := func(minor money.Minor, change func(*terms)) terms {
		p := pay(minor)
		change(&p)
		return p
	}
	ttq := func(b ...byte) func(*terms) { return func(p *terms) { copy(p.ttq[:], b) } }
	tests := []struct {
		why      string
		p        terms
		card     func(*Profile)
		want     emv.Decision
		velocity bool
		ctq      emv.CTQ
	}{
		{why: "the whole balance may go", p: pay(150_00), card: func(p *Profile) { p.Balance = yuan(150_00) }, want: emv.TC},
		{why: "balance short, no line", p: pay(140_00), card: func(p *Profile) { p.Balance = yuan(139_99) }, want: emv.AAC, velocity: true},
		{why: "balance short, line", p: with(140_00, ttq(0x20)), card: func(p *Profile) { p.Balance = yuan(1) }, want: emv.ARQC, velocity: true},
		{why: "single limit reached", p: pay(150_00), want: emv.TC},
		{why: "single limit exceeded", p: pay(150_01), want: emv.AAC, velocity: true},
		{why: "at the reset threshold", p: pay(50_00), card: func(p *Profile) { p.ResetThreshold = yuan(150_00) }, want: emv.TC},
		{why: "below the reset threshold", p: with(50_01, ttq(0x20)), card: func(p *Profile) { p.ResetThreshold = yuan(150_00) }, want: emv.ARQC, velocity: true},
		{why: "nothing to pay", p: pay(0), want: emv.AAC},
		{why: "foreign currency", p: with(1, func(p *terms) { p.currency = money.HKD }), want: emv.AAC},
		{why: "a load is no payment", p: with(1, func(p *terms) { p.kind = emv.TxnLoadAccount }), want: emv.AAC},
		{why: "online wanted, no line", p: with(1, ttq(0x28, 0x80)), want: emv.AAC},
		{why: "online wanted", p: with(1, ttq(0x20, 0x80)), want: emv.ARQC},
		{why: "cardholder wanted, signature", p: with(1, ttq(0x2A, 0x40)), want: emv.TC, ctq: emv.CTQ{0x40}},
		{why: "cardholder wanted, online PIN", p: with(1, ttq(0x24, 0x40)), want: emv.ARQC, ctq: emv.CTQ{0x80}},
		{why: "cardholder wanted, no way", p: with(1, ttq(0x20, 0x40)), want: emv.AAC},
	}
	for _, tt := range tests {
		t.Run(tt.why, func(t *testing.T) {
			change := tt.card
			if change == nil {
				change = func(*Profile) {}
			}
			c := newCard(t, change)
			before := balanceOf(c)
			r := power(t, c, Contactless)
			answer := r.gpo(tt.p)
			l := r.decode(emv.TagResponse2, answer.Data)
			iad := mustGet(emv.ParseIAD(r.find(l, emv.TagIAD)))
			if iad.Decision() != tt.want || iad.CVR.Has(emv.CVRVelocityExceeded) != tt.velocity {
				t.Fatalf("decision %v, velocity %v", iad.Decision(), iad.CVR.Has(emv.CVRVelocityExceeded))
			}
			if got := emv.CTQ(r.find(l, emv.TagCTQ)); got != tt.ctq {
				t.Fatalf("qualifiers %X, want %X", got, tt.ctq)
			}
			if tt.want == emv.TC {
				return
			}
			r.files(r.find(l, emv.TagAFL))
			if balanceOf(c) != before || len(c.Evidence().Log) != 0 {
				t.Fatal("a payment that was not approved was debited")
			}
			if _, ok := l.Find(emv.TagSDAD); ok {
				t.Fatal("signed without approving")
			}
		})
	}
}

func TestTapSignsOnlineOnlyWhenAsked(t *testing.T) {
	p := pay(1)
	p.ttq = emv.TTQ{0x21, 0x80, 0, 0x80}
	r := power(t, newCard(t), Contactless)
	g := r.tapGPO(p)
	if g.iad.Decision() != emv.ARQC {
		t.Fatalf("decision %v", g.iad.Decision())
	}
	r.find(g.list, emv.TagSDAD)
}

func TestTapFromATerminalWithoutQPBOCIsSentToTheContacts(t *testing.T) {
	p := pay(1)
	p.ttq = emv.TTQ{0x80}
	c := newCard(t)
	if answer := power(t, c, Contactless).gpo(p); answer.SW != apdu.ConditionsNotMet || c.Evidence().ATC != 0 {
		t.Fatalf("answered %v, counter %d", answer.SW, c.Evidence().ATC)
	}
}

func TestCounterEndsTheCardsLife(t *testing.T) {
	// At 65535 the counter cannot step, so no cryptogram leaves on either side.
	c := newCard(t)
	if err := c.commit(func(s *state) { s.atc = maxATC - 1 }); err != nil {
		t.Fatal(err)
	}
	r := power(t, c, Contactless)
	if g := r.tapGPO(pay(1)); g.atc != maxATC {
		t.Fatalf("counter %d", g.atc)
	}
	r.want(apdu.ApplicationBlocked, apdu.Select([]byte(testAID)))
	r.want(apdu.ConditionsNotMet, apdu.GPO(pay(1).build(tapPDOL)))
	r = power(t, c, Contact)
	r.want(apdu.ApplicationBlocked, apdu.Select([]byte(testAID)))
	r.want(apdu.ConditionsNotMet, apdu.GPO(pay(1).build(contactPDOL)))
}

func TestCopiedCardRepeatsTheCounter(t *testing.T) {
	// What clearing must see: original and copy sign different payments under one
	// counter value. The card itself cannot know.
	memory := new(RAM)
	if err := Format(memory, baseProfile); err != nil {
		t.Fatal(err)
	}
	copied := *memory
	a := power(t, reopen(t, memory), Contactless).tapGPO(pay(1_00))
	b := power(t, reopen(t, &copied), Contactless).tapGPO(pay(2_00))
	if a.atc != b.atc {
		t.Fatalf("counters %d and %d", a.atc, b.atc)
	}
}

package card

import (
	"testing"

	"jiaozi/crypt/emvkey"
	"jiaozi/crypt/oda"
	"jiaozi/crypt/pin"
	"jiaozi/value/money"
	"jiaozi/wire/apdu"
	"jiaozi/wire/emv"
	"jiaozi/wire/tlv"
)

// generated is an opened GENERATE AC answer.
type generated struct {
	cid emv.CID
	atc uint16
	ac  [8]byte
	iad emv.IAD
}

func (r terminal) generate(p1 byte, p terms, list tlv.DOL) generated {
	r.Helper()
	l, err := tlv.Decode(r.ok(apdu.GenerateAC(p1, p.build(list))))
	if err != nil || len(l) != 1 || l[0].Tag != emv.TagResponse1 || len(l[0].Value) != 1+2+8+19 {
		r.Fatalf("GENERATE AC answered %X (%v)", l, err)
	}
	b := l[0].Value
	g := generated{cid: emv.CID(b[0]), atc: u16(b[1:]), ac: [8]byte(b[3:11])}
	aip := contactPath().aip
	g.iad = r.verified(p, aip[:], g.atc, b[3:11], b[11:])
	if g.iad.Decision() != g.cid.Decision() {
		r.Fatalf("CID says %v, the CVR %v", g.cid.Decision(), g.iad.Decision())
	}
	return g
}

// insert goes through selection, GPO and all records.
func (r terminal) insert(p terms) (objects tlv.List, static, aip []byte) {
	r.Helper()
	answer := r.gpo(p)
	if answer.SW != apdu.OK {
		r.Fatalf("GPO answered %v", answer.SW)
	}
	l, err := tlv.Decode(answer.Data)
	if err != nil || len(l) != 1 || l[0].Tag != emv.TagResponse1 {
		r.Fatalf("GPO answered %X", answer.Data)
	}
	objects, static = r.files(l[0].Value[2:])
	return objects, static, l[0].Value[:2]
}

func TestInsertDebitsWithTheCryptogram(t *testing.T) {
	c := newCard(t)
	r := power(t, c, Contact)
	p := pay(30_00)
	objects, static, aip := r.insert(p)
	if string(r.find(objects, emv.TagECIssuerAuth)) != "ECC001" {
		t.Fatal("the e-cash path does not show its authorisation code")
	}
	key := r.genuine(objects, static, aip)
	signed, err := tlv.Decode(r.ok(apdu.InternalAuth(p.un[:])))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := oda.VerifyDynamic(key, r.find(signed, emv.TagResponse1), oda.TailV00(p.un)); err != nil {
		t.Fatalf("DDA: %v", err)
	}
	if c.Evidence().ATC != 0 || balanceOf(c) != 200_00 {
		t.Fatal("something changed before the cryptogram")
	}
	g := r.generate(apdu.RequestTC, p, cdol1)
	e := c.Evidence()
	after, _ := g.iad.Balance(money.CNY)
	if g.cid.Decision() != emv.TC || g.atc != 1 || after != yuan(170_00) || e.Balance != after || e.ATC != 1 || len(e.Log) != 1 {
		t.Fatalf("%v counter %d, balance proved %v, kept %v, %d log entries", g.cid.Decision(), g.atc, after, e.Balance, len(e.Log))
	}
	if !g.iad.CVR.Has(emv.CVRDDAPerformed) || !g.iad.CVR.Has(emv.CVRNewCard) {
		t.Fatalf("CVR %X", g.iad.CVR)
	}
	r.want(apdu.ConditionsNotMet, apdu.GenerateAC(apdu.RequestTC, p.build(cdol2)))
}

func TestSignedTagsAppearOnce(t *testing.T) {
	// A tag that stands twice in what a terminal collects would be a shadow of
	// the signed one; strict terminals refuse such a card.
	for _, i := range []Interface{Contact, Contactless} {
		r := power(t, newCard(t), i)
		var objects tlv.List
		if i == Contact {
			objects, _, _ = r.insert(pay(1))
		} else {
			objects = r.tapGPO(pay(1)).list
			more, _ := r.files(r.find(objects, emv.TagAFL))
			objects = append(objects, more...)
		}
		if _, err := tlv.Decode(tlv.AppendList(nil, objects)); err != nil {
			t.Errorf("%v: %v", i, err)
		}
	}
}

func TestFirstCryptogramIsNeverMoreThanAskedOrAllowed(t *testing.T) {
	with := func(minor money.Minor, change func(*terms)) terms {
		p := pay(minor)
		change(&p)
		return p
	}
	tests := []struct {
		why      string
		gpo, ac  terms
		ask      byte
		want     emv.Decision
		velocity bool
	}{
		{why: "approved", gpo: pay(1), ac: pay(1), ask: apdu.RequestTC, want: emv.TC},
		{why: "terminal declines", gpo: pay(1), ac: pay(1), ask: apdu.RequestAAC, want: emv.AAC},
		{why: "terminal goes online", gpo: pay(1), ac: pay(1), ask: apdu.RequestARQC, want: emv.ARQC},
		{why: "no e-cash offered", gpo: with(1, func(p *terms) { p.ec = 0 }), ac: pay(1), ask: apdu.RequestTC, want: emv.ARQC},
		{why: "balance short", gpo: pay(200_01), ac: pay(200_01), ask: apdu.RequestTC, want: emv.ARQC, velocity: true},
		{why: "over the single limit", gpo: pay(150_01), ac: pay(150_01), ask: apdu.RequestTC, want: emv.ARQC, velocity: true},
		{why: "amount swapped after GPO", gpo: pay(1), ac: pay(100_00), ask: apdu.RequestTC, want: emv.ARQC},
		{why: "data authentication failed", gpo: pay(1), ac: with(1, func(p *terms) { p.tvr.Set(emv.TVRDDAFailed) }), ask: apdu.RequestTC, want: emv.AAC},
		{why: "failed authentication is not sent online", gpo: pay(1), ac: with(1, func(p *terms) { p.tvr.Set(emv.TVRDDAFailed) }), ask: apdu.RequestARQC, want: emv.AAC},
		{why: "a load needs the issuer", gpo: pay(1), ac: with(1, func(p *terms) { p.kind = emv.TxnLoadAccount }), ask: apdu.RequestTC, want: emv.ARQC},
	}
	for _, tt := range tests {
		t.Run(tt.why, func(t *testing.T) {
			c := newCard(t)
			r := power(t, c, Contact)
			r.insert(tt.gpo)
			g := r.generate(tt.ask, tt.ac, cdol1)
			if g.cid.Decision() != tt.want || g.iad.CVR.Has(emv.CVRVelocityExceeded) != tt.velocity {
				t.Fatalf("%v, velocity %v", g.cid.Decision(), g.iad.CVR.Has(emv.CVRVelocityExceeded))
			}
			if paid := balanceOf(c) != 200_00; paid != (tt.want == emv.TC) {
				t.Fatalf("balance %d", balanceOf(c))
			}
		})
	}
}

func TestForeignCurrencyIsNotPaidFromTheBalance(t *testing.T) {
	c := newCard(t)
	r := power(t, c, Contact)
	p := pay(1)
	p.currency = money.HKD
	r.gpo(p)
	l, _ := tlv.Decode(r.ok(apdu.GenerateAC(apdu.RequestTC, p.build(cdol1))))
	if emv.CID(l[0].Value[0]).Decision() != emv.ARQC || balanceOf(c) != 200_00 {
		t.Fatalf("answered %X, balance %d", l[0].Value, balanceOf(c))
	}
}

func format2(digits string) [8]byte { return pin.Format2(mustGet(pin.Parse(digits))) }

func TestPINTryIsSpentBeforeTheComparison(t *testing.T) {
	// Every failure shows the tries left, the last one blocks, and a card that is
	// pulled out and put back remembers.
	c := newCard(t)
	r := power(t, c, Contact)
	r.gpo(pay(1))
	r.want(apdu.WrongPIN(2), apdu.Verify(format2("9999")))
	r.ok(apdu.Verify(format2("1234")))
	if got := r.getData(emv.TagPINTries); got[0] != 3 {
		t.Fatalf("%d tries after the right PIN", got[0])
	}
	for left := uint8(3); left > 0; left-- {
		r = power(t, c, Contact)
		r.gpo(pay(1))
		r.want(apdu.WrongPIN(left-1), apdu.Verify(format2("12345")))
	}
	r.want(apdu.AuthMethodBlocked, apdu.Verify(format2("1234")))
}

func TestPINResultReachesTheIssuer(t *testing.T) {
	c := newCard(t)
	for _, tt := range []struct {
		digits string
		failed bool
		want   emv.Decision
	}{{"1234", false, emv.TC}, {"4321", true, emv.ARQC}} {
		r := power(t, c, Contact)
		r.gpo(pay(1))
		r.send(apdu.Verify(format2(tt.digits)))
		g := r.generate(apdu.RequestTC, pay(1), cdol1)
		if !g.iad.CVR.Has(emv.CVRPINVerified) || g.iad.CVR.Has(emv.CVRPINFailed) != tt.failed || g.cid.Decision() != tt.want {
			t.Fatalf("PIN %v wrong: CVR %X, %v", tt.failed, g.iad.CVR, g.cid.Decision())
		}
	}
}

func TestPINIsForContactsOnly(t *testing.T) {
	// A stranger in a crowd must not guess PINs through a coat.
	c := newCard(t)
	r := power(t, c, Contactless)
	r.tapGPO(pay(1))
	r.want(apdu.UnknownInstruction, apdu.Verify(format2("1234")))
	if c.Evidence().PINTries != 3 {
		t.Fatal("a try was spent over the air")
	}
}

func TestCardWithoutPINHasNothingToCompare(t *testing.T) {
	c := newCard(t, func(p *Profile) { p.PIN, p.TryLimit = pin.PIN{}, 0 })
	r := power(t, c, Contact)
	r.gpo(pay(1))
	r.want(apdu.DataNotFound, apdu.Verify([8]byte{}))
}

// loadOnline brings the card to the point where the issuer has answered.
func (r terminal) loadOnline(p terms) generated {
	r.Helper()
	r.insert(p)
	g := r.generate(apdu.RequestARQC, p, cdol1)
	if g.cid.Decision() != emv.ARQC {
		r.Fatalf("asked for an ARQC, got %v", g.cid.Decision())
	}
	return g
}

// answer is the issuer's: tag 91.
func (g generated) answer(arc string) []byte {
	code := [2]byte([]byte(arc))
	arpc := emvkey.ARPC(emvkey.Session(testKeys.AC, g.atc), g.ac, code)
	return append(arpc[:], code[:]...)
}

// seal gives the script command its MAC.
func (g generated) seal(cmd apdu.Command) apdu.Command {
	end := len(cmd.Data) - apdu.MACBytes
	mac := emvkey.ScriptMAC(emvkey.Session(testKeys.MAC, g.atc), cmd.Header(), g.atc, g.ac, cmd.Data[:end])
	copy(cmd.Data[end:], mac[:])
	return cmd
}

func put(tag tlv.Tag, minor money.Minor) apdu.Command {
	return apdu.PutData(tag, n12(yuan(minor)), [4]byte{})
}

func load(minor money.Minor) terms {
	p := pay(minor)
	p.kind, p.ec, p.arc = emv.TxnLoadAccount, 0, "00"
	return p
}

func TestLoadSetsTheBalanceAndLeavesATrace(t *testing.T) {
	c := newCard(t)
	r := power(t, c, Contact)
	p := load(300_00)
	g := r.loadOnline(p)
	r.ok(apdu.ExternalAuth(g.answer("00")))
	g2 := r.generate(apdu.RequestTC, p, cdol2)
	if g2.cid.Decision() != emv.TC || g2.iad.CVR.First() != emv.ARQC {
		t.Fatalf("second cryptogram %v after %v", g2.cid.Decision(), g2.iad.CVR.First())
	}
	r.ok(g.seal(put(emv.TagECBalance, 500_00)))
	e := c.Evidence()
	want := LoadEntry{ATC: 1, Before: yuan(200_00), After: yuan(500_00), Date: today}
	if e.Balance != yuan(500_00) || len(e.Loads) != 1 || e.Loads[0] != want || e.LastOnlineATC != 1 {
		t.Fatalf("balance %v, loads %+v, last online %d", e.Balance, e.Loads, e.LastOnlineATC)
	}
	// The next cryptogram tells the issuer that one script was carried out.
	r.insert(pay(1))
	if g := r.generate(apdu.RequestTC, pay(1), cdol1); g.iad.CVR.Scripts() != 1 || g.iad.CVR.Has(emv.CVRNewCard) {
		t.Fatalf("CVR %X: %d scripts", g.iad.CVR, g.iad.CVR.Scripts())
	}
}

func TestScriptIsForOneTransactionAndOneUse(t *testing.T) {
	c := newCard(t)
	r := power(t, c, Contact)
	p := load(300_00)
	g := r.loadOnline(p)
	script := g.seal(put(emv.TagECBalance, 500_00))
	r.want(apdu.ConditionsNotMet, script) // the issuer has not proved itself
	r.ok(apdu.ExternalAuth(g.answer("00")))
	r.ok(script)
	r.want(apdu.ConditionsNotMet, script)
	r.ok(g.seal(put(emv.TagECSingleLimit, 80_00)))

	r = power(t, c, Contact)
	g2 := r.loadOnline(p)
	r.ok(apdu.ExternalAuth(g2.answer("00")))
	r.want(apdu.SecureDataWrong, script)
	r.want(apdu.ConditionsNotMet, g2.seal(put(emv.TagECBalance, 900_00)))
	if e := c.Evidence(); e.Balance != yuan(500_00) || len(e.Loads) != 1 {
		t.Fatalf("balance %v, %d loads", e.Balance, len(e.Loads))
	}
	r.insert(pay(1))
	if g := r.generate(apdu.RequestTC, pay(1), cdol1); !g.iad.CVR.Has(emv.CVRScriptFailed) || g.iad.CVR.Scripts() != 0 {
		t.Fatalf("CVR %X does not tell of the failed script", g.iad.CVR)
	}
}

func TestScriptLimits(t *testing.T) {
	tests := []struct {
		why string
		cmd apdu.Command
		sw  apdu.SW
	}{
		{"balance up to its limit", put(emv.TagECBalance, 1000_00), apdu.OK},
		{"balance above its limit", put(emv.TagECBalance, 1000_01), apdu.WrongData},
		{"limit down to the balance", put(emv.TagECBalanceLimit, 200_00), apdu.OK},
		{"limit below the balance", put(emv.TagECBalanceLimit, 199_99), apdu.WrongData},
		{"limit that no cryptogram could prove", put(emv.TagECBalanceLimit, 100_000_000_00), apdu.WrongData},
		{"threshold", put(emv.TagECResetThreshold, 10_00), apdu.OK},
		{"threshold above the balance limit", put(emv.TagECResetThreshold, 1000_01), apdu.WrongData},
		{"single limit", put(emv.TagECSingleLimit, 1), apdu.OK},
		{"what the issuer may not write", put(emv.TagATC, 1), apdu.DataNotFound},
		{"short value", apdu.PutData(emv.TagECBalance, []byte{1}, [4]byte{}), apdu.WrongLength},
		{"not decimal", apdu.PutData(emv.TagECBalance, []byte{0, 0, 0, 0, 0, 0x0A}, [4]byte{}), apdu.WrongData},
		{"unblock PIN", apdu.UnblockPIN([4]byte{}), apdu.OK},
		{"block", apdu.BlockApplication([4]byte{}), apdu.OK},
	}
	for _, tt := range tests {
		t.Run(tt.why, func(t *testing.T) {
			r := power(t, newCard(t), Contact)
			g := r.loadOnline(load(1))
			r.ok(apdu.ExternalAuth(g.answer("00")))
			r.want(tt.sw, g.seal(tt.cmd))
		})
	}
}

func TestScriptWithoutMACIsRefused(t *testing.T) {
	r := power(t, newCard(t), Contact)
	g := r.loadOnline(load(1))
	r.ok(apdu.ExternalAuth(g.answer("00")))
	r.want(apdu.SecureDataMissing, apdu.Command{CLA: apdu.ClaISOSecure, INS: apdu.InsPutData, P1: 0x9F, P2: 0x79, Data: []byte{1, 2, 3}, Le: apdu.NoLe})
}

func TestUpdateRecordReplacesAWholeRecord(t *testing.T) {
	c := newCard(t)
	r := power(t, c, Contact)
	g := r.loadOnline(load(1))
	r.ok(apdu.ExternalAuth(g.answer("00")))
	update := func(sfi, number byte, body []byte) apdu.Command {
		return apdu.Command{
			CLA: apdu.ClaISOSecure, INS: apdu.InsUpdateRecord, P1: number, P2: sfi<<3 | 4,
			Data: append(append([]byte(nil), body...), 0, 0, 0, 0), Le: apdu.NoLe,
		}
	}
	body := tlv.Append(nil, emv.TagRecord, tlv.Append(nil, emv.TagECIssuerAuth, []byte("ECC002")))
	r.ok(g.seal(update(sfiElectronic, 1, body)))
	c = reopen(t, c.memory)
	r = power(t, c, Contact)
	r.ok(apdu.Select([]byte(testAID)))
	if got := r.ok(apdu.ReadRecord(sfiElectronic, 1)); string(got) != string(body) {
		t.Fatalf("record %X", got)
	}
	for _, bad := range []struct {
		cmd apdu.Command
		sw  apdu.SW
	}{
		{update(sfiElectronic, 2, body), apdu.RecordNotFound},
		{update(sfiPayments, 1, body), apdu.WrongP1P2},
		{update(sfiElectronic, 1, []byte{0x70, 0x02, 0x5A}), apdu.WrongData},
		{update(sfiElectronic, 1, []byte{0x71, 0x00}), apdu.WrongData},
	} {
		r := power(t, c, Contact)
		g := r.loadOnline(load(1))
		r.ok(apdu.ExternalAuth(g.answer("00")))
		r.want(bad.sw, g.seal(bad.cmd))
	}
}

func TestIssuerAnswerIsTakenOnce(t *testing.T) {
	c := newCard(t)
	r := power(t, c, Contact)
	p := load(1)
	r.want(apdu.ConditionsNotMet, apdu.ExternalAuth(make([]byte, 10)))
	g := r.loadOnline(p)
	r.want(apdu.WrongLength, apdu.ExternalAuth(make([]byte, 8)))
	r.want(apdu.VerifyFailed, apdu.ExternalAuth(make([]byte, 10)))
	r.want(apdu.ConditionsNotMet, apdu.ExternalAuth(g.answer("00")))
	g2 := r.generate(apdu.RequestTC, p, cdol2)
	if g2.cid.Decision() != emv.AAC || !g2.iad.CVR.Has(emv.CVRIssuerAuthFailed) {
		t.Fatalf("%v, CVR %X", g2.cid.Decision(), g2.iad.CVR)
	}
	r.insert(pay(1))
	if g := r.generate(apdu.RequestTC, pay(1), cdol1); !g.iad.CVR.Has(emv.CVRLastIssuerAuthFailed) {
		t.Fatalf("CVR %X forgets the failure", g.iad.CVR)
	}
}

func TestSecondCryptogramNeedsTheIssuersWord(t *testing.T) {
	approve := func(arc string) func(terminal, generated) {
		return func(r terminal, g generated) { r.ok(apdu.ExternalAuth(g.answer(arc))) }
	}
	tests := []struct {
		why    string
		answer func(terminal, generated)
		arc    string
		amount money.Minor
		want   emv.Decision
	}{
		{"approved", approve("00"), "00", 1, emv.TC},
		{"declined by the issuer", approve("51"), "51", 1, emv.AAC},
		{"a declined answer turned into an approval", approve("51"), "00", 1, emv.AAC},
		{"no answer shown", func(terminal, generated) {}, "00", 1, emv.AAC},
		{"no line", func(terminal, generated) {}, "Z3", 1, emv.AAC},
		{"another amount", approve("00"), "00", 2, emv.AAC},
	}
	for _, tt := range tests {
		t.Run(tt.why, func(t *testing.T) {
			r := power(t, newCard(t), Contact)
			g := r.loadOnline(load(1))
			tt.answer(r, g)
			p := load(tt.amount)
			p.arc = tt.arc
			g2 := r.generate(apdu.RequestTC, p, cdol2)
			if g2.cid.Decision() != tt.want || g2.atc != g.atc {
				t.Fatalf("%v at counter %d after %d", g2.cid.Decision(), g2.atc, g.atc)
			}
			if g2.iad.CVR.Has(emv.CVRUnableOnline) != (tt.arc == "Z3") {
				t.Fatalf("CVR %X", g2.iad.CVR)
			}
		})
	}
}

func TestBrokenOffOnlineTransactionIsRemembered(t *testing.T) {
	c := newCard(t)
	power(t, c, Contact).loadOnline(load(1))
	r := power(t, c, Contact)
	r.insert(pay(1))
	if g := r.generate(apdu.RequestTC, pay(1), cdol1); !g.iad.CVR.Has(emv.CVRLastOnlineIncomplete) {
		t.Fatalf("CVR %X", g.iad.CVR)
	}
}

func TestClosureEmptiesThenBlocks(t *testing.T) {
	c := newCard(t)
	r := power(t, c, Contact)
	p := load(0)
	p.kind = emv.TxnClosure
	g := r.loadOnline(p)
	r.ok(apdu.ExternalAuth(g.answer("00")))
	r.ok(g.seal(put(emv.TagECBalance, 0)))
	g2 := r.generate(apdu.RequestTC, p, cdol2)
	if left, _ := g2.iad.Balance(money.CNY); g2.cid.Decision() != emv.TC || left != yuan(0) || g2.iad.CVR.Scripts() != 1 {
		t.Fatalf("%v proves %v after %d scripts", g2.cid.Decision(), left, g2.iad.CVR.Scripts())
	}
	r.ok(g.seal(apdu.BlockApplication([4]byte{})))
	r.want(apdu.ApplicationBlocked, apdu.Select([]byte(testAID)))
	r = power(t, c, Contactless)
	r.want(apdu.ApplicationBlocked, apdu.Select([]byte(testAID)))
	r.want(apdu.ConditionsNotMet, apdu.GPO(pay(1).build(tapPDOL)))
}

func TestBlockedApplicationCanBeTakenBackByTheIssuer(t *testing.T) {
	c := newCard(t)
	if err := c.commit(func(s *state) { s.blocked = true }); err != nil {
		t.Fatal(err)
	}
	r := power(t, c, Contact)
	r.want(apdu.ApplicationBlocked, apdu.Select([]byte(testAID)))
	r.ok(apdu.GPO(pay(1).build(contactPDOL)))
	g := r.generate(apdu.RequestARQC, pay(1), cdol1)
	if g.cid.Decision() != emv.AAC {
		t.Fatalf("a blocked card answered %v", g.cid.Decision())
	}
	r.want(apdu.ConditionsNotMet, g.seal(put(emv.TagECBalance, 900_00)))
	r.ok(g.seal(apdu.UnblockApplication([4]byte{})))
	r.ok(apdu.Select([]byte(testAID)))
}

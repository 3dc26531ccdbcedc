package card

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"io"
	"testing"

	"jiaozi/crypt/emvkey"
	"jiaozi/crypt/oda"
	"jiaozi/crypt/oda/testkeys"
	"jiaozi/crypt/pin"
	"jiaozi/value/clock"
	"jiaozi/value/ident"
	"jiaozi/value/money"
	"jiaozi/wire/apdu"
	"jiaozi/wire/emv"
	"jiaozi/wire/tlv"
)

// The tests speak to the card as a terminal and an issuer would, through bytes
// only, and look inside it through Evidence.

const today clock.Date = 20261122

var yuan = func(minor money.Minor) money.Amount { return money.New(money.CNY, minor) }

// counting is a repeatable source of "random" bytes.
type counting struct{ n uint64 }

func (r *counting) Read(p []byte) (int, error) {
	for i := range p {
		r.n++
		sum := sha256.Sum256(binary.BigEndian.AppendUint64(nil, r.n))
		p[i] = sum[0]
	}
	return len(p), nil
}

var _ io.Reader = (*counting)(nil)

func mustGet[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}

var (
	testAID  = ident.AID("\xA0\x00\x00\x03\x33\x01\x01\x06")
	testPAN  = mustGet(ident.ParsePAN(ident.WithLuhn("621234000000001")))
	testKeys = cardKeys()
	caKey    = oda.CAKey{
		RID: testAID.RID(), Index: 0xE1,
		Modulus: testkeys.CA().Public().Modulus, Exponent: testkeys.CA().Public().Exponent,
	}
	issuerCert = mustGet(oda.IssueIssuerCert(testkeys.CA(), oda.IssuerCertInput{
		IIN: "621234", Expiry: 20301231, Serial: [3]byte{0, 0, 1}, Key: testkeys.Issuer().Public(),
	}))
	baseProfile = certified(Profile{
		AID: testAID, Label: "JIAOZI CASH", Holder: "ZHANG/SAN", PAN: testPAN, PSN: 1,
		Effective: 20260101, Expiry: 20291231, Country: 156, Currency: money.CNY,
		DKI: 1, Keys: testKeys, Private: mustGet(testkeys.Card(0)), CAIndex: 0xE1, Issuer: issuerCert,
		TryLimit: 3, PINAbove: yuan(100_00), PIN: mustGet(pin.Parse("1234")),
		Balance: yuan(200_00), BalanceLimit: yuan(1000_00), SingleLimit: yuan(150_00), ResetThreshold: yuan(0),
	})
)

func cardKeys() emvkey.CardKeys {
	derive := func(fill byte) emvkey.Key {
		imk := mustGet(emvkey.NewKey(bytes.Repeat([]byte{fill, fill ^ 0x3C}, 8)))
		return emvkey.CardKey(imk, mustGet(ident.ParsePAN(ident.WithLuhn("621234000000001"))), 1)
	}
	return emvkey.CardKeys{AC: derive(0x11), MAC: derive(0x45), ENC: derive(0x79)}
}

// certified has the issuer sign the static data of both interfaces.
func certified(p Profile) Profile {
	sign := func(i Interface) oda.Certificate {
		return mustGet(oda.IssueICCCert(testkeys.Issuer(), oda.ICCCertInput{
			PAN: p.PAN, Expiry: p.Expiry, Serial: [3]byte{0, 0, 2}, Key: p.Private.Public(), Static: p.Static(i),
		}))
	}
	p.Contact, p.Contactless = sign(Contact), sign(Contactless)
	return p
}

// newCard makes a card from the base profile with changes.
func newCard(t testing.TB, change ...func(*Profile)) *Card {
	t.Helper()
	p := baseProfile
	for _, c := range change {
		c(&p)
	}
	memory := new(RAM)
	if err := Format(memory, p); err != nil {
		t.Fatalf("Format: %v", err)
	}
	return reopen(t, memory)
}

func reopen(t testing.TB, m Memory) *Card {
	t.Helper()
	c, err := Open(m, new(counting))
	if err != nil {
		t.Fatalf("Open: %v", err)
	}
	return c
}

// terminal is a terminal's side of one session.
type terminal struct {
	testing.TB
	card *Card
}

func power(t testing.TB, c *Card, i Interface) terminal {
	t.Helper()
	if _, err := c.PowerOn(i); err != nil {
		t.Fatalf("PowerOn: %v", err)
	}
	return terminal{t, c}
}

// send transmits through the byte form of the command.
func (r terminal) send(cmd apdu.Command) apdu.Response {
	r.Helper()
	parsed, err := apdu.ParseCommand(cmd.Append(nil))
	if err != nil {
		r.Fatalf("command %X: %v", cmd.INS, err)
	}
	answer, err := r.card.Transmit(parsed)
	if err != nil {
		r.Fatalf("Transmit %02X: %v", cmd.INS, err)
	}
	if _, err := apdu.ParseResponse(answer.Append(nil)); err != nil {
		r.Fatalf("answer to %02X: %v", cmd.INS, err)
	}
	return answer
}

func (r terminal) want(sw apdu.SW, cmd apdu.Command) []byte {
	r.Helper()
	answer := r.send(cmd)
	if answer.SW != sw {
		r.Fatalf("INS %02X P1 %02X P2 %02X answered %v, want %v", cmd.INS, cmd.P1, cmd.P2, answer.SW, sw)
	}
	return answer.Data
}

func (r terminal) ok(cmd apdu.Command) []byte {
	r.Helper()
	return r.want(apdu.OK, cmd)
}

// decode opens one template and indexes what is inside.
func (r terminal) decode(outer tlv.Tag, b []byte) tlv.List {
	r.Helper()
	list, err := tlv.Decode(b)
	if err != nil || len(list) != 1 || list[0].Tag != outer {
		r.Fatalf("not one template %v: %X (%v)", outer, b, err)
	}
	inner, err := tlv.Decode(list[0].Value)
	if err != nil {
		r.Fatalf("inside template %v: %v", outer, err)
	}
	return inner
}

func (r terminal) find(l tlv.List, tag tlv.Tag) []byte {
	r.Helper()
	v, ok := l.Find(tag)
	if !ok {
		r.Fatalf("tag %v is missing", tag)
	}
	return v
}

// getData returns the value of one object.
func (r terminal) getData(tag tlv.Tag) []byte {
	r.Helper()
	list, err := tlv.Decode(r.ok(apdu.GetData(tag)))
	if err != nil {
		r.Fatalf("GET DATA %v: %v", tag, err)
	}
	return r.find(list, tag)
}

// terms is what a terminal says about a payment.
type terms struct {
	amount   money.Amount
	currency money.Currency // that of the amount if zero
	ttq      emv.TTQ
	kind     byte
	tvr      emv.TVR
	arc      string
	ec       byte
	un       [4]byte
}

func pay(minor money.Minor) terms {
	return terms{amount: yuan(minor), ttq: emv.TTQ{0x28, 0, 0, 0x80}, arc: "Y1", ec: 1, un: [4]byte{0xDE, 0xAD, 0xBE, 0xEF}}
}

func (p terms) get(tag tlv.Tag) ([]byte, bool) {
	if p.currency == 0 {
		p.currency = p.amount.Currency()
	}
	currency, day := p.currency.BCD(), today.YYMMDD()
	switch tag {
	case emv.TagAmount:
		return n12(p.amount), true
	case emv.TagCurrency:
		return currency[:], true
	case emv.TagTerminalCountry:
		return []byte{0x01, 0x56}, true
	case emv.TagDate:
		return day[:], true
	case emv.TagTime:
		return []byte{0x12, 0x34, 0x56}, true
	case emv.TagMerchantName:
		return []byte("BAOZI SHOP          "), true
	case emv.TagTTQ:
		return p.ttq[:], true
	case emv.TagUN:
		return p.un[:], true
	case emv.TagTxnType:
		return []byte{p.kind}, true
	case emv.TagTVR:
		return p.tvr[:], true
	case emv.TagARC:
		return []byte(p.arc), true
	case emv.TagECSupport:
		return []byte{p.ec}, true
	}
	return nil, false
}

func (p terms) build(d tlv.DOL) []byte { return d.Build(p.get, emv.Fill) }

// gpo selects the application, answers its PDOL and starts the transaction.
func (r terminal) gpo(p terms) apdu.Response {
	r.Helper()
	fci := r.decode(emv.TagFCI, r.ok(apdu.Select([]byte(testAID))))
	proprietary, err := tlv.Decode(r.find(fci, emv.TagFCIProprietary))
	if err != nil {
		r.Fatal(err)
	}
	pdol, err := tlv.ParseDOL(r.find(proprietary, emv.TagPDOL))
	if err != nil {
		r.Fatal(err)
	}
	return r.send(apdu.GPO(p.build(pdol)))
}

// files reads every record of a locator and returns their objects and the
// signed part.
func (r terminal) files(afl []byte) (objects tlv.List, static []byte) {
	r.Helper()
	list, err := emv.ParseAFL(afl)
	if err != nil {
		r.Fatal(err)
	}
	for _, e := range list {
		for n := e.First; n <= e.Last; n++ {
			inner := r.decode(emv.TagRecord, r.ok(apdu.ReadRecord(e.SFI, n)))
			if n-e.First < e.Signed {
				static = tlv.AppendList(static, inner)
			}
			objects = append(objects, inner...)
		}
	}
	return objects, static
}

// genuine walks the certificate chain and returns the card's key.
func (r terminal) genuine(objects tlv.List, static, aip []byte) oda.PublicKey {
	r.Helper()
	rest := func(t tlv.Tag) []byte { v, _ := objects.Find(t); return v }
	issuer, err := oda.RecoverIssuer(caKey, r.find(objects, emv.TagIssuerCert), rest(emv.TagIssuerRemainder),
		r.find(objects, emv.TagIssuerExponent), testPAN, today)
	if err != nil {
		r.Fatalf("issuer certificate: %v", err)
	}
	key, err := oda.RecoverICC(issuer, r.find(objects, emv.TagICCCert), rest(emv.TagICCRemainder),
		r.find(objects, emv.TagICCExponent), append(static, aip...), testPAN, today)
	if err != nil {
		r.Fatalf("card certificate: %v", err)
	}
	return key
}

func balanceOf(c *Card) money.Minor { return c.Evidence().Balance.Minor() }

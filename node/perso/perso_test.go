package perso

import (
	"bytes"
	"crypto/rand"
	"testing"

	"jiaozi/crypt/oda"
	"jiaozi/crypt/oda/testkeys"
	"jiaozi/crypt/pin"
	"jiaozi/role/card"
	"jiaozi/value/clock"
	"jiaozi/value/ident"
	"jiaozi/value/money"
	"jiaozi/wire/observer"
)

const today clock.Date = 20261122

// The certificates of a prepared card hold for both interfaces under the
// authority's key that came with it, and one year longer than the card.
func TestLoneCardIsProvenByItsAuthority(t *testing.T) {
	digits, err := pin.Parse("1234")
	if err != nil {
		t.Fatal(err)
	}
	p, proofs, err := BuildLone(Lone{Limit: money.New(money.CNY, 500_00), PIN: digits, Today: today})
	if err != nil {
		t.Fatal(err)
	}
	late := p.Expiry.AddDays(300)
	issuer, err := oda.RecoverIssuer(proofs.CA, p.Issuer.Cert, p.Issuer.Remainder, p.Issuer.Exponent, p.PAN, late)
	if err != nil {
		t.Fatal(err)
	}
	for side, cert := range map[card.Interface]oda.Certificate{card.Contact: p.Contact, card.Contactless: p.Contactless} {
		key, err := oda.RecoverICC(issuer, cert.Cert, cert.Remainder, cert.Exponent, p.Static(side), p.PAN, late)
		if err != nil || !key.Equal(p.Private.Public()) {
			t.Errorf("%v: %v", side, err)
		}
	}
	if err := card.Format(new(card.RAM), p); err != nil {
		t.Fatal(err)
	}
	if err := p.Coins.Certificate.Verify(proofs.Observer, p.Expiry); err != nil || p.Coins.Certificate.Identity != card.CoinIdentity(p.Coins.Secret) {
		t.Errorf("observer: %v", err)
	}
	if p.Balance != money.Zero(money.CNY) || p.TryLimit != loneTries {
		t.Errorf("balance %v, tries %d", p.Balance, p.TryLimit)
	}
}

// A card of a seeded scheme is the same card whenever it is made again.
func TestSameOrderSameCard(t *testing.T) {
	keys, _, err := Fresh(rand.Reader, "\xA0\x00\x00\x03\x33\x01\x01\x01", loneIndex)
	if err != nil {
		t.Fatal(err)
	}
	stored, err := testkeys.Card(3)
	if err != nil {
		t.Fatal(err)
	}
	pan, err := ident.ParsePAN(ident.WithLuhn("629999010000001"))
	if err != nil {
		t.Fatal(err)
	}
	secret, err := observer.NewSecret(bytes.Repeat([]byte{5}, observer.Size))
	if err != nil {
		t.Fatal(err)
	}
	order := Order{
		AID: "\xA0\x00\x00\x03\x33\x01\x01\x01", Label: "JIAOZI", Holder: "A/B", PAN: pan, PSN: 1,
		Effective: today, Expiry: today.AddDays(365), Country: 156, Currency: money.CNY, CAIndex: 1, DKI: 1, IIN: "629999",
		RSA: stored, Observer: secret,
	}
	images := [2]card.RAM{}
	for i := range images {
		p, err := Build(keys, order)
		if err != nil {
			t.Fatal(err)
		}
		if err := card.Format(&images[i], p); err != nil {
			t.Fatal(err)
		}
	}
	if images[0] != images[1] {
		t.Error("two images of one order differ")
	}
	// Without a secret in the order every card is its own observer, and without a
	// signer it is none.
	order.Observer = observer.Secret{}
	a, errA := Build(keys, order)
	b, errB := Build(keys, order)
	if errA != nil || errB != nil || a.Coins.Secret.IsZero() || a.Coins.Secret.Equal(b.Coins.Secret) {
		t.Errorf("two cards share an observer (%v, %v)", errA, errB)
	}
	keys.Signer = ""
	if p, err := Build(keys, order); err != nil || !p.Coins.Secret.IsZero() {
		t.Errorf("a purse alone has an observer (%v)", err)
	}
}

func TestNoCardWithoutANumber(t *testing.T) {
	keys, _, err := Fresh(rand.Reader, "\xA0\x00\x00\x03\x33\x01\x01\x01", loneIndex)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := Build(keys, Order{}); err == nil {
		t.Error("an empty order made a card")
	}
}

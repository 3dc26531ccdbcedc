package oda_test

import (
	"bytes"
	"errors"
	"testing"

	"jiaozi/crypt/internal/secrettest"
	"jiaozi/crypt/oda"
	"jiaozi/crypt/oda/testkeys"
	"jiaozi/value/clock"
	"jiaozi/value/ident"
)

const (
	today  clock.Date = 20261122
	expiry clock.Date = 20301231
)

var static = []byte("records of the AFL, then the AIP")

// chain is everything a card shows, and what the terminal knows.
type chain struct {
	ca           oda.CAKey
	issuer, card oda.Certificate
	static       []byte
	sdad, tail   []byte
	pan          ident.PAN
	now          clock.Date
}

func newChain(t *testing.T) chain {
	t.Helper()
	pan, err := ident.ParsePAN(ident.WithLuhn("621234567890123"))
	if err != nil {
		t.Fatal(err)
	}
	card, err := testkeys.Card(0)
	if err != nil {
		t.Fatal(err)
	}
	authority := testkeys.CA().Public()
	c := chain{
		ca:     oda.CAKey{RID: [5]byte{0xA0, 0, 0, 3, 0x33}, Index: 0xF0, Modulus: authority.Modulus, Exponent: authority.Exponent, Expiry: expiry},
		static: static, pan: pan, now: today,
		tail: oda.TailV01([4]byte{1, 2, 3, 4}, [6]byte{0, 0, 0, 0, 0x12, 0x34}, [2]byte{1, 0x56}, []byte{1, 9, 9, 9, 9, 0, 0x80}),
	}
	c.issuer, err = oda.IssueIssuerCert(testkeys.CA(), oda.IssuerCertInput{
		IIN: "621234", Expiry: expiry, Serial: [3]byte{0, 0, 1}, Key: testkeys.Issuer().Public()})
	if err != nil {
		t.Fatal(err)
	}
	c.card, err = oda.IssueICCCert(testkeys.Issuer(), oda.ICCCertInput{
		PAN: pan, Expiry: expiry, Serial: [3]byte{0, 0, 2}, Key: card.Public(), Static: static})
	if err != nil {
		t.Fatal(err)
	}
	c.sdad, err = oda.SignDynamic(card, []byte{0, 7, 1, 2, 3, 4, 5, 6}, c.tail)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// verify is what a terminal does after the tap.
func (c chain) verify() ([]byte, error) {
	issuer, err := oda.RecoverIssuer(c.ca, c.issuer.Cert, c.issuer.Remainder, c.issuer.Exponent, c.pan, c.now)
	if err != nil {
		return nil, err
	}
	card, err := oda.RecoverICC(issuer, c.card.Cert, c.card.Remainder, c.card.Exponent, c.static, c.pan, c.now)
	if err != nil {
		return nil, err
	}
	return oda.VerifyDynamic(card, c.sdad, c.tail)
}

func TestGenuineCardIsRecognised(t *testing.T) {
	c := newChain(t)
	number, err := c.verify()
	if err != nil || !bytes.Equal(number, []byte{0, 7, 1, 2, 3, 4, 5, 6}) {
		t.Fatalf("number %x: %v", number, err)
	}
	if len(c.issuer.Remainder) != 0 || len(c.card.Remainder) != 144-(176-42) {
		t.Errorf("remainders of %d and %d bytes", len(c.issuer.Remainder), len(c.card.Remainder))
	}
	if len(c.sdad) != 144 || len(c.card.Cert) != 176 || len(c.issuer.Cert) != 248 {
		t.Error("an object is not as long as the modulus that signed it")
	}
}

// Every byte the card shows, and every byte of the transaction, is bound.
func TestEveryFlippedByteIsRefused(t *testing.T) {
	c := newChain(t)
	for name, field := range map[string][]byte{
		"90": c.issuer.Cert, "9F32": c.issuer.Exponent,
		"9F46": c.card.Cert, "9F48": c.card.Remainder, "9F47": c.card.Exponent,
		"static data": c.static, "9F4B": c.sdad, "tail": c.tail,
	} {
		for i := range field {
			saved := field[i]
			field[i] ^= 0x10
			var refusal *oda.Refusal
			if _, err := c.verify(); !errors.As(err, &refusal) {
				t.Errorf("%s, byte %d: %v", name, i, err)
			}
			field[i] = saved
		}
	}
}

func TestRefusalsNameTheirReason(t *testing.T) {
	other, err := ident.ParsePAN(ident.WithLuhn("621234567890124"))
	if err != nil {
		t.Fatal(err)
	}
	foreign, err := ident.ParsePAN(ident.WithLuhn("622234567890123"))
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		why   string
		spoil func(*chain)
		want  oda.Reason
	}{
		{"another card's certificate", func(c *chain) { c.pan = other }, oda.WrongPAN},
		{"another issuer's certificate", func(c *chain) { c.pan = foreign }, oda.WrongIssuer},
		{"no card number", func(c *chain) { c.pan = ident.PAN{} }, oda.WrongIssuer},
		{"the month after expiry", func(c *chain) { c.now, c.ca.Expiry = 20310101, 0 }, oda.Expired},
		{"authority key past its date", func(c *chain) { c.ca.Expiry = 20261121 }, oda.CAExpired},
		{"wrong authority key", func(c *chain) { c.ca.Modulus = otherModulus(c.ca.Modulus) }, oda.NotRecovered},
		{"even authority key", func(c *chain) { c.ca.Modulus = even(c.ca.Modulus) }, oda.BadKey},
		{"authority key too short", func(c *chain) { c.ca.Modulus = c.ca.Modulus[:127] }, oda.BadKey},
		{"authority exponent 1", func(c *chain) { c.ca.Exponent = []byte{1} }, oda.BadKey},
		{"no authority key", func(c *chain) { c.ca = oda.CAKey{} }, oda.BadKey},
		{"certificate cut short", func(c *chain) { c.issuer.Cert = c.issuer.Cert[1:] }, oda.BadLength},
		{"certificate missing", func(c *chain) { c.card.Cert = nil }, oda.BadLength},
		{"certificate not below the modulus", func(c *chain) { c.issuer.Cert = bytes.Repeat([]byte{0xFF}, 248) }, oda.NotRecovered},
		{"card certificate where the issuer's belongs", func(c *chain) { c.card.Cert = c.issuer.Cert[:176] }, oda.NotRecovered},
		{"remainder missing", func(c *chain) { c.card.Remainder = nil }, oda.BadHash},
		{"static data changed", func(c *chain) { c.static = nil }, oda.BadHash},
		{"another amount", func(c *chain) { c.tail = oda.TailV00([4]byte{1, 2, 3, 4}) }, oda.BadHash},
		{"signature cut short", func(c *chain) { c.sdad = c.sdad[:143] }, oda.BadLength},
	} {
		ch := newChain(t)
		c.spoil(&ch)
		_, err := ch.verify()
		var refusal *oda.Refusal
		if !errors.As(err, &refusal) || refusal.Reason != c.want {
			t.Errorf("%s: got %v, want %s", c.why, err, c.want)
		}
	}
}

func TestCertificateIsGoodToTheLastDayOfItsMonth(t *testing.T) {
	c := newChain(t)
	c.now = expiry
	if _, err := c.verify(); err != nil {
		t.Error(err)
	}
}

func otherModulus(m []byte) []byte {
	m = bytes.Clone(m)
	m[10] ^= 4
	return m
}

func even(m []byte) []byte {
	m = bytes.Clone(m)
	m[len(m)-1] &^= 1
	return m
}

func TestIssuingRefusesWhatNoTerminalWouldAccept(t *testing.T) {
	good := oda.IssuerCertInput{IIN: "621234", Expiry: expiry, Key: testkeys.Issuer().Public()}
	for why, spoil := range map[string]func(*oda.IssuerCertInput){
		"no issuer number":     func(in *oda.IssuerCertInput) { in.IIN = "" },
		"two digits":           func(in *oda.IssuerCertInput) { in.IIN = "62" },
		"nine digits":          func(in *oda.IssuerCertInput) { in.IIN = "621234567" },
		"letters":              func(in *oda.IssuerCertInput) { in.IIN = "62ABCD" },
		"no expiry":            func(in *oda.IssuerCertInput) { in.Expiry = 0 },
		"year 2050 reads 1950": func(in *oda.IssuerCertInput) { in.Expiry = 20500101 },
		"no key":               func(in *oda.IssuerCertInput) { in.Key = oda.PublicKey{} },
		"short key":            func(in *oda.IssuerCertInput) { in.Key.Modulus = in.Key.Modulus[:96] },
	} {
		in := good
		spoil(&in)
		if _, err := oda.IssueIssuerCert(testkeys.CA(), in); err == nil {
			t.Errorf("%s: issued", why)
		}
	}
	if _, err := oda.IssueICCCert(testkeys.Issuer(), oda.ICCCertInput{Expiry: expiry, Key: good.Key}); err == nil {
		t.Error("card certificate without a card number: issued")
	}
	for _, n := range []int{0, 1, 9, 200} {
		if _, err := oda.SignDynamic(testkeys.Issuer(), make([]byte, n), nil); err == nil {
			t.Errorf("dynamic number of %d bytes: signed", n)
		}
	}
}

func TestPrivateKeyNeverShows(t *testing.T) {
	k, err := testkeys.Card(1)
	if err != nil {
		t.Fatal(err)
	}
	// Version and modulus of the DER are public; the private part follows.
	der := k.Reveal()
	after := bytes.Index(der, k.Public().Modulus) + k.Size() + 8
	secrettest.Check(t, k, der[after:])
}

func TestGeneratedKeysOfOddEMVSizesWork(t *testing.T) {
	for _, bits := range []int{1024, 1152} {
		k, err := oda.Generate(bits)
		if err != nil {
			t.Fatal(err)
		}
		again, err := oda.Parse(k.Reveal())
		if err != nil || !again.Equal(k) || k.Size() != bits/8 {
			t.Fatalf("%d bits: not read back: %v", bits, err)
		}
		sdad, err := oda.SignDynamic(again, []byte{1, 2}, []byte("tail"))
		if err != nil {
			t.Fatal(err)
		}
		if _, err := oda.VerifyDynamic(k.Public(), sdad, []byte("tail")); err != nil {
			t.Error(err)
		}
	}
	for _, bits := range []int{0, 512, 1016, 1025, 1992, 4096} {
		if _, err := oda.Generate(bits); err == nil {
			t.Errorf("a key of %d bits was made", bits)
		}
	}
}

func FuzzVerifyNeverPanics(f *testing.F) {
	card, err := testkeys.Card(0)
	if err != nil {
		f.Fatal(err)
	}
	sdad, err := oda.SignDynamic(card, []byte{1, 2, 3}, []byte{4})
	if err != nil {
		f.Fatal(err)
	}
	public := card.Public()
	f.Add(public.Modulus, public.Exponent, sdad, []byte{4})
	f.Add([]byte{}, []byte{}, []byte{}, []byte{})
	f.Fuzz(func(t *testing.T, modulus, exponent, signed, rest []byte) {
		k := oda.PublicKey{Modulus: modulus, Exponent: exponent}
		number, err := oda.VerifyDynamic(k, signed, rest)
		if err == nil && (len(number) < 2 || len(number) > 8) {
			t.Errorf("number of %d bytes", len(number))
		}
		ca := oda.CAKey{Modulus: modulus, Exponent: exponent}
		if _, err := oda.RecoverIssuer(ca, signed, rest, exponent, ident.PAN{}, today); err == nil {
			t.Error("a certificate for no card")
		}
		if _, err := oda.RecoverICC(k, signed, rest, exponent, rest, ident.PAN{}, today); err == nil {
			t.Error("a certificate for no card")
		}
	})
}

func BenchmarkSignDynamic1152(b *testing.B) {
	card, err := testkeys.Card(0)
	if err != nil {
		b.Fatal(err)
	}
	tail := make([]byte, 20)
	for b.Loop() {
		if _, err := oda.SignDynamic(card, []byte{1, 2, 3, 4, 5, 6, 7, 8}, tail); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkRecoverChain(b *testing.B) {
	c := newChain(&testing.T{})
	for b.Loop() {
		if _, err := c.verify(); err != nil {
			b.Fatal(err)
		}
	}
}

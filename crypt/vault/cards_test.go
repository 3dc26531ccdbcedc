package vault

import (
	"testing"

	"jiaozi/crypt/emvkey"
	"jiaozi/crypt/oda"
	"jiaozi/crypt/oda/testkeys"
	"jiaozi/value/ident"
)

// The card and the issuer compute apart, from the same master keys, and agree.
func TestIssuerAndCardAgree(t *testing.T) {
	v := full(t, true)
	card, err := v.PersonaliseCard(KeySet{"imk-ac", "imk-mac", "imk-enc"}, somePAN, 1)
	mustDo(t, err)
	const atc = 0x0102
	data := []byte("amount, random number and the rest")
	sk := emvkey.Session(card.AC, atc)
	ac := emvkey.AC(sk, data)
	for _, c := range []struct {
		why  string
		psn  ident.PSN
		atc  uint16
		flip int
		want bool
	}{
		{"genuine", 1, atc, -1, true},
		{"another card of the PAN", 2, atc, -1, false},
		{"another counter", 1, atc + 1, -1, false},
		{"a flipped bit", 1, atc, 0, false},
		{"a flipped bit at the end", 1, atc, 7, false},
	} {
		shown := ac
		if c.flip >= 0 {
			shown[c.flip] ^= 1
		}
		if ok, err := v.VerifyAC("imk-ac", somePAN, c.psn, c.atc, data, shown); err != nil || ok != c.want {
			t.Errorf("%s: %t, %v", c.why, ok, err)
		}
	}
	arpc, err := v.RespondARQC("imk-ac", somePAN, 1, atc, ac, [2]byte{'0', '0'})
	if err != nil || arpc != emvkey.ARPC(sk, ac, [2]byte{'0', '0'}) {
		t.Errorf("the card refuses the issuer's answer: %v", err)
	}
	skMAC := emvkey.Session(card.MAC, atc)
	header := [5]byte{0x04, 0xDA, 0x9F, 0x79, 0x0A}
	mac, err := v.ScriptMAC("imk-mac", somePAN, 1, header, atc, ac, []byte{0, 0, 0, 1, 0, 0})
	if err != nil || mac != emvkey.ScriptMAC(skMAC, header, atc, ac, []byte{0, 0, 0, 1, 0, 0}) {
		t.Errorf("the card refuses the issuer's script: %v", err)
	}
	balance := [5]byte{0, 0, 1, 0, 0}
	mac4 := emvkey.BalanceMAC(skMAC, atc, balance)
	if ok, err := v.VerifyBalance("imk-mac", somePAN, 1, atc, balance, mac4); err != nil || !ok {
		t.Errorf("a genuine balance was refused: %v", err)
	}
	if ok, err := v.VerifyBalance("imk-mac", somePAN, 1, atc, [5]byte{0, 0, 9, 0, 0}, mac4); err != nil || ok {
		t.Errorf("a forged balance was believed: %v", err)
	}
}

// The PBOC values derived from public test scripts, through the vault's verbs.
func TestDerivedPBOCValuesThroughTheVault(t *testing.T) {
	v := seeded(1, true)
	imk := unhex(t, "0123456789ABCDEFFEDCBA9876543210")
	mustDo(t, v.Import("ac", IMKAC, imk))
	mustDo(t, v.Import("mac", IMKMAC, imk))
	p, err := ident.UncheckedPAN("6212345678901234")
	mustDo(t, err)
	arqc := [8]byte(unhex(t, "F44B2D820889AB06"))
	data := unhex(t, "00000000123400000000000001560000000000015626112200112233447C00004203A00000")
	if ok, err := v.VerifyAC("ac", p, 0, 0x42, data, arqc); err != nil || !ok {
		t.Errorf("cryptogram: %v", err)
	}
	arpc, err := v.RespondARQC("ac", p, 0, 0x42, arqc, [2]byte{0x30, 0x30})
	if err != nil || arpc != [8]byte(unhex(t, "872DEA4684895F93")) {
		t.Errorf("answer %X: %v", arpc, err)
	}
	mac, err := v.ScriptMAC("mac", p, 0, [5]byte(unhex(t, "04DA9F790A")), 0x42, arqc, unhex(t, "000000010000"))
	if err != nil || mac != [4]byte(unhex(t, "D1217584")) {
		t.Errorf("script MAC %X: %v", mac, err)
	}
	if ok, err := v.VerifyBalance("mac", p, 0, 0x42, [5]byte(unhex(t, "0000010000")), [4]byte(unhex(t, "9A3C9EFE"))); err != nil || !ok {
		t.Errorf("balance MAC: %v", err)
	}
}

func TestCardVerbsNeedACard(t *testing.T) {
	v := full(t, true)
	_, err := v.VerifyAC("imk-ac", ident.PAN{}, 0, 1, nil, [8]byte{})
	expectError(t, "VerifyAC", err, ErrNoPAN)
	_, err = v.CardRef("pseudonym", ident.PAN{}, 0)
	expectError(t, "CardRef", err, ErrNoPAN)
}

func TestCardReferencesTellCardsApart(t *testing.T) {
	v := full(t, true)
	seen := map[ident.CardRef]bool{}
	other, err := ident.ParsePAN(ident.WithLuhn("621234567890124"))
	mustDo(t, err)
	for _, p := range []ident.PAN{somePAN, other} {
		for psn := range ident.PSN(3) {
			ref, err := v.CardRef("pseudonym", p, psn)
			mustDo(t, err)
			again, err := v.CardRef("pseudonym", p, psn)
			if err != nil || ref != again {
				t.Error("a card has two references")
			}
			seen[ref] = true
		}
	}
	if len(seen) != 6 {
		t.Errorf("6 cards have %d references", len(seen))
	}
}

func TestKeyUnderAReusedHandleIsANewKey(t *testing.T) {
	v := full(t, true)
	before, err := v.cardKey("imk-ac", IMKAC, somePAN, 0)
	mustDo(t, err)
	mustDo(t, v.Remove("imk-ac"))
	mustDo(t, v.Generate("imk-ac", IMKAC))
	after, err := v.cardKey("imk-ac", IMKAC, somePAN, 0)
	mustDo(t, err)
	if before.KCV() == after.KCV() {
		t.Error("the old master key still answers")
	}
}

func TestCardKeyCacheIsBoundedAndRight(t *testing.T) {
	v := full(t, true)
	master, err := use[*cardMaster](v, "imk-ac", IMKAC)
	mustDo(t, err)
	for round := range 2 {
		for psn := range ident.PSN(100) {
			id := cardID{master, somePAN, psn}
			if v.cards.get(id).KCV() != emvkey.CardKey(master.key, somePAN, psn).KCV() {
				t.Fatalf("round %d: a wrong key for sequence %d", round, psn)
			}
		}
	}
	for n := range 3 * generation {
		v.cards.keep(cardID{new(cardMaster), somePAN, ident.PSN(n % 100)}, emvkey.Key{})
		if len(v.cards.young)+len(v.cards.old) > 2*generation {
			t.Fatal("the cache outgrew its bound")
		}
	}
	mustDo(t, v.Remove("imk-ac"))
	if len(v.cards.young)+len(v.cards.old) != 0 {
		t.Error("card keys outlive their master key")
	}
}

func TestOldGenerationIsStillFound(t *testing.T) {
	var c cardCache
	first := cardID{master: new(cardMaster), psn: 1}
	k, err := emvkey.NewKey([]byte("an unguessed key"))
	mustDo(t, err)
	c.keep(first, k)
	for range generation {
		c.keep(cardID{master: new(cardMaster)}, emvkey.Key{})
	}
	if _, young := c.young[first]; young {
		t.Fatal("the generation did not turn")
	}
	if got, ok := c.look(first); !ok || got != k {
		t.Error("a key of the old generation was lost")
	}
	if _, young := c.young[first]; !young {
		t.Error("a key in use was not kept young")
	}
}

func TestVaultCertifiesAWholeChain(t *testing.T) {
	v := full(t, true)
	issuer, err := v.CertifyIssuer("rsa-ca", "rsa-issuer", oda.IssuerCertInput{IIN: "621234", Expiry: 20301231})
	mustDo(t, err)
	cardKey, err := testkeys.Card(3)
	mustDo(t, err)
	card, err := v.CertifyCard("rsa-issuer", oda.ICCCertInput{PAN: somePAN, Expiry: 20301231, Key: cardKey.Public(), Static: []byte("static")})
	mustDo(t, err)
	authority, err := v.RSAPublic("rsa-ca")
	mustDo(t, err)
	ca := oda.CAKey{Modulus: authority.Modulus, Exponent: authority.Exponent}
	issuerKey, err := oda.RecoverIssuer(ca, issuer.Cert, issuer.Remainder, issuer.Exponent, somePAN, 20261122)
	mustDo(t, err)
	got, err := oda.RecoverICC(issuerKey, card.Cert, card.Remainder, card.Exponent, []byte("static"), somePAN, 20261122)
	if err != nil || !got.Equal(cardKey.Public()) {
		t.Errorf("the card's key was not recovered: %v", err)
	}
}

func BenchmarkVerifyAC(b *testing.B) {
	v := full(b, true)
	data := make([]byte, 37)
	for b.Loop() {
		if _, err := v.VerifyAC("imk-ac", somePAN, 0, 7, data, [8]byte{}); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkVerifyACOfAnUnseenCard(b *testing.B) {
	v := full(b, true)
	data := make([]byte, 37)
	for b.Loop() {
		v.cards.clear()
		if _, err := v.VerifyAC("imk-ac", somePAN, 0, 7, data, [8]byte{}); err != nil {
			b.Fatal(err)
		}
	}
}

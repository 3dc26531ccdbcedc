package bench

import (
	"fmt"
	"math/rand/v2"
	"time"

	"jiaozi/crypt/oda"
	"jiaozi/crypt/oda/testkeys"
	"jiaozi/crypt/vault"
	"jiaozi/node/perso"
	"jiaozi/role/card"
	"jiaozi/value/clock"
	"jiaozi/value/ident"
	"jiaozi/value/money"
)

// A small scheme, the same in every run: keys from a seed, stored RSA test keys.
const (
	issuerInst   ident.Inst = "00010000"
	acquirerInst ident.Inst = "00020000"
	networkInst  ident.Inst = "00030000"

	keyAC        vault.Handle = "ac"
	keyMAC       vault.Handle = "mac"
	keyENC       vault.Handle = "enc"
	keyCA        vault.Handle = "ca"
	keyIssuer    vault.Handle = "issuer"
	keyPseudonym vault.Handle = "pseudonym"
	keySign      vault.Handle = "issuer-sign"
	keyClearing  vault.Handle = "clearing-sign"

	iin      = "621234"
	caIndex  = 0xE1
	country  = 156
	currency = money.CNY
)

var (
	masterKeys = vault.KeySet{AC: keyAC, MAC: keyMAC, ENC: keyENC}
	aid        = ident.AID("\xA0\x00\x00\x03\x33\x01\x01\x06")
	noon       = time.Date(2026, 11, 22, 12, 0, 0, 0, clock.Zone)
	today      = clock.DateOf(noon)
)

// seeded gives the same bytes in every run.
func seeded(name string) *rand.ChaCha8 {
	var seed [32]byte
	copy(seed[:], name)
	return rand.NewChaCha8(seed)
}

// newVault makes the scheme's keys.
func newVault() (*vault.Vault, error) {
	v := vault.New(vault.Options{Test: true, Rand: seeded("vault")})
	for _, key := range []struct {
		h vault.Handle
		p vault.Purpose
	}{
		{keyAC, vault.IMKAC}, {keyMAC, vault.IMKMAC}, {keyENC, vault.IMKENC},
		{keyPseudonym, vault.Pseudonym}, {keySign, vault.Signing}, {keyClearing, vault.Signing},
	} {
		if err := v.Generate(key.h, key.p); err != nil {
			return nil, fmt.Errorf("make keys: %w", err)
		}
	}
	if err := v.ImportRSA(keyCA, vault.RSACA, testkeys.CA()); err != nil {
		return nil, fmt.Errorf("make keys: %w", err)
	}
	if err := v.ImportRSA(keyIssuer, vault.RSAIssuer, testkeys.Issuer()); err != nil {
		return nil, fmt.Errorf("make keys: %w", err)
	}
	return v, nil
}

// authority is the scheme's key as terminals hold it.
func authority() oda.CAKey {
	k := testkeys.CA().Public()
	return oda.CAKey{RID: aid.RID(), Index: caIndex, Modulus: k.Modulus, Exponent: k.Exponent}
}

// number is the n-th card number of the issuer.
func number(n int) (ident.PAN, error) {
	return ident.ParsePAN(ident.WithLuhn(fmt.Sprintf("%s%09d", iin, n)))
}

// yuan is an amount of whole units.
func yuan(n int) money.Amount { return money.New(currency, money.Minor(n)*100) }

// personalise prepares a card that can pay for as long as a benchmark lasts.
func personalise(v *vault.Vault) (card.Profile, error) {
	pan, err := number(1)
	if err != nil {
		return card.Profile{}, err
	}
	key, err := testkeys.Card(0)
	if err != nil {
		return card.Profile{}, err
	}
	return perso.Build(perso.Keys{Vault: v, Cards: masterKeys, CA: keyCA, Issuer: keyIssuer}, perso.Order{
		AID: aid, Label: "JIAOZI CASH", Holder: "BENCH/CARD", PAN: pan, PSN: 1, IIN: iin, DKI: 1, CAIndex: caIndex,
		Effective: today, Expiry: today.AddDays(365), Country: country, Currency: currency,
		Balance: yuan(100_000), BalanceLimit: yuan(100_000), SingleLimit: yuan(1000), RSA: key,
	})
}

package wallet

import (
	"crypto/ed25519"
	"crypto/hmac"
	"crypto/sha512"
	"fmt"
	"io"

	"jiaozi/crypt/brands"
	"jiaozi/crypt/phrase"
)

// secrets are what the words and the network give. Nothing of it is stored but the
// words themselves.
type secrets struct {
	holder   *brands.Holder
	blinding brands.Digest
	auth     ed25519.PrivateKey
}

// factors are the blinding factors of one withdrawal. They hang on the commitment as
// well as on its number: a mint that let a session die and opened the same number
// again with another commitment, or hid it from Restore, would otherwise see two
// challenges under the same factors, and know the coin when it is spent.
func (s *secrets) factors(key brands.KeyID, number uint64, commitment []byte) *brands.Blinding {
	mac := hmac.New(sha512.New, s.blinding[:])
	mac.Write(commitment)
	return brands.DeriveBlinding(brands.Digest(mac.Sum(nil)[:32]), key, number)
}

// Format shows nothing under every verb.
func (*secrets) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, "wallet secrets") }

// deriveDomain begins every derivation, so that another program with the same
// words computes other secrets.
const deriveDomain = "jiaozi/wallet/1/"

// derive computes the wallet's secrets; card is A_O, nil without one.
func derive(words phrase.Phrase, network brands.Network, card *brands.Element) (*secrets, error) {
	seed, err := words.Seed()
	if err != nil {
		return nil, err
	}
	part := func(name string) [32]byte {
		mac := hmac.New(sha512.New, seed[:])
		mac.Write(append([]byte(deriveDomain+name+"/"), network[:]...))
		return [32]byte(mac.Sum(nil)[:32])
	}
	auth := part("auth")
	s := &secrets{blinding: part("blinding"), auth: ed25519.NewKeyFromSeed(auth[:])}
	if card == nil {
		s.holder = brands.NewHolder(part("holder"), network)
	} else {
		s.holder = brands.NewCardHolder(part("holder"), network, *card)
	}
	return s, nil
}

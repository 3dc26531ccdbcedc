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

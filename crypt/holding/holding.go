// Package holding derives all that a wallet keeps secret from its 24 words and the
// network: the holder of its account, the blinding factors of its coins and the key
// that signs its requests.
//
//	words -- Phrase.Seed --> 64 bytes -- HMAC-SHA-512 by name and network --> holder
//	                                                                     --> blinding
//	                                                                     --> auth
//
// It promises that the same words, network and card give the same secrets for ever
// (holding_test.go pins them), so that a lost wallet comes back from its paper; that
// networks and other programs with the same words share nothing; and that Secrets
// show nothing under fmt, JSON or slog. It knows no coins and no mint: role/wallet
// does, and cmd/walletcore for browsers. Start with Derive.
package holding

import (
	"crypto/hmac"
	"crypto/sha512"
	"fmt"
	"io"

	"jiaozi/crypt/brands"
	"jiaozi/crypt/phrase"
)

// Secrets are a wallet's. Nothing of them needs to be stored but the words.
type Secrets struct {
	*brands.Holder

	// Behind two pointers, because fmt does not ask unexported fields and follows
	// one pointer under some verbs.
	kept **kept
}

type kept struct {
	blinding brands.Digest
	auth     []byte // Ed25519: 32 bytes of seed, then the public key
}

// domain begins every derivation, so that another program with the same words
// computes other secrets.
const domain = "jiaozi/wallet/1/"

// Derive computes the secrets; card is A_O (brands.Observer.Identity), nil without
// one. It takes about a millisecond: keep the result while the wallet is open.
func Derive(words phrase.Phrase, network brands.Network, card *brands.Element) (*Secrets, error) {
	seed, err := words.Seed()
	if err != nil {
		return nil, err
	}
	part := func(name string) [32]byte {
		mac := hmac.New(sha512.New, seed[:])
		mac.Write(append([]byte(domain+name+"/"), network[:]...))
		return [32]byte(mac.Sum(nil)[:32])
	}
	auth := part("auth")
	k := &kept{blinding: part("blinding"), auth: newKey(auth[:])}
	if card == nil {
		return &Secrets{brands.NewHolder(part("holder"), network), &k}, nil
	}
	return &Secrets{brands.NewCardHolder(part("holder"), network, *card), &k}, nil
}

// Blinding gives the factors of the n-th withdrawal under a key; never use one n for
// two withdrawals (brands.DeriveBlinding).
func (s *Secrets) Blinding(key brands.KeyID, n uint64) *brands.Blinding {
	return brands.DeriveBlinding((*s.kept).blinding, key, n)
}

// AuthKey gives the public half of the key that signs the account's requests.
func (s *Secrets) AuthKey() [32]byte { return [32]byte((*s.kept).auth[32:]) }

// Sign signs a request of the account with Ed25519 (RFC 8032).
func (s *Secrets) Sign(message []byte) [64]byte { return [64]byte(sign((*s.kept).auth, message)) }

const mask = "wallet secrets"

// String shows nothing.
func (Secrets) String() string { return mask }

// Format shows nothing under every verb.
func (Secrets) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, mask) }

// MarshalText shows nothing in JSON, structured logs and other text.
func (Secrets) MarshalText() ([]byte, error) { return []byte(mask), nil }

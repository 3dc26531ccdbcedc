package coin

import (
	"crypto/ed25519"
	"errors"
	"fmt"
	"slices"
)

// Domains begin every message that is signed here, so that no signature can pass
// for another.
const (
	SignedDomain = "JZC-request"
	GuiltDomain  = "JZC-guilt"
	KeysDomain   = "JZC-keys"
)

// ErrSignature: somebody else made the message, or it was changed; refuse it.
var ErrSignature = errors.New("the signature does not verify: the message was changed on the way or comes from somebody else")

// Signed is a request of an account's owner: Enrol, Commit, Challenge, Recover,
// Claim or Deposit.
type Signed struct {
	Account   [32]byte // the holder's number
	Time      int64    // Unix seconds at the wallet
	Serial    uint64   // rises with each request of an account
	Body      Message
	Signature [64]byte // Ed25519 over SigningBytes
}

// Type is TypeSigned.
func (*Signed) Type() Type { return TypeSigned }

// signable are the requests that belong to one account.
func signable(t Type) bool {
	return slices.Contains([]Type{TypeEnrol, TypeCommit, TypeChallenge, TypeDeposit, TypeRecover, TypeClaim}, t)
}

func (s *Signed) fields(c *codec) {
	s.signed(c)
	c.fixed("signature", s.Signature[:])
}

// signed are the fields that the signature covers.
func (s *Signed) signed(c *codec) {
	c.fixed("account", s.Account[:])
	c.when("time", &s.Time)
	c.u64("serial", &s.Serial)
	c.message("body", &s.Body, signable)
}

// SigningBytes is what the owner signs: the domain, the network, and all of the
// request but the signature.
func (s *Signed) SigningBytes(network [16]byte) ([]byte, error) {
	c := &codec{b: append([]byte(SignedDomain), network[:]...)}
	s.signed(c)
	if c.err != nil {
		return nil, fmt.Errorf("sign %v: %w", TypeSigned, c.err)
	}
	return c.b, nil
}

// Verify checks the signature under the account's authentication key.
func (s *Signed) Verify(network [16]byte, key [32]byte) error {
	msg, err := s.SigningBytes(network)
	if err != nil {
		return err
	}
	if !ed25519.Verify(key[:], msg, s.Signature[:]) {
		return ErrSignature
	}
	return nil
}

// GuiltFile is a double spend as the mint publishes it: whoever holds the mint's
// keys can check it without asking anyone.
type GuiltFile struct {
	Network   [16]byte
	Time      int64    // Unix seconds of the second spend
	Key       []byte   // brands.PublicKey of the coin
	Guilt     []byte   // brands.Guilt
	Identity  [32]byte // the number that the guilt proves
	Account   string   // the account that was opened with it; "" if the mint knows none
	Opening   []byte   // brands.Opening of that account; nil if the mint knows none
	Signature [64]byte // the mint's, over SigningBytes
}

// Type is TypeGuilt.
func (*GuiltFile) Type() Type { return TypeGuilt }

func (g *GuiltFile) fields(c *codec) {
	g.signed(c)
	c.fixed("signature", g.Signature[:])
}

func (g *GuiltFile) signed(c *codec) {
	c.fixed("network", g.Network[:])
	c.when("time", &g.Time)
	c.blob("key", &g.Key, MaxKey)
	c.blob("guilt", &g.Guilt, MaxItem/2)
	c.rule(len(g.Key) > 0 && len(g.Guilt) > 0, "the key or the proof is missing")
	c.fixed("identity", g.Identity[:])
	c.text("account", &g.Account, MaxAccount, func(s string) bool { return s == "" || accountOK(s) })
	c.blob("opening", &g.Opening, MaxKey)
	c.rule((g.Account == "") == (len(g.Opening) == 0), "an account without its opening, or the other way round")
}

// SigningBytes is what the mint signs.
func (g *GuiltFile) SigningBytes() ([]byte, error) {
	c := &codec{b: []byte(GuiltDomain)}
	g.signed(c)
	if c.err != nil {
		return nil, fmt.Errorf("sign %v: %w", TypeGuilt, c.err)
	}
	return c.b, nil
}

// Verify checks the mint's signature; the guilt itself is for package brands.
func (g *GuiltFile) Verify(mint [32]byte) error {
	msg, err := g.SigningBytes()
	if err != nil {
		return err
	}
	if !ed25519.Verify(mint[:], msg, g.Signature[:]) {
		return ErrSignature
	}
	return nil
}

package brands

import (
	"encoding/hex"
	"errors"
	"io"

	"github.com/oasisprotocol/curve25519-voi/curve"
)

// KeyID is the first 16 bytes of the hash of a public key with its description. It is inside every hash of its coins.
type KeyID [16]byte

// String gives the identity in hexadecimal.
func (id KeyID) String() string { return hex.EncodeToString(id[:]) }

// MarshalText is String.
func (id KeyID) MarshalText() ([]byte, error) { return []byte(id.String()), nil }

// ErrProof is wrapped when a proof does not hold: of a published key, of an opened account, of a claim.
var ErrProof = errors.New("proof does not hold")

// Keys knows the public keys that the caller accepts. Whatever it returns was read by ParsePublicKey or made by Public.
type Keys interface {
	Key(id KeyID) (*PublicKey, bool)
}

// PublicKey is what a mint publishes for one kind, value and epoch: H = xG, H1 = xG1, H2 = xG2 and a proof that the
// three x are one; with another x in H1 or H2 a mint could mark the coins of a holder. Immutable.
type PublicKey struct {
	info      KeyInfo
	h, h1, h2 Element
	proof     [2]Scalar // challenge and answer
	id        KeyID
	fast      *curve.ExpandedRistrettoPoint // h, for verification
}

// ParsePublicKey reads exactly one public key and refuses one whose proof does not hold.
func ParsePublicKey(b []byte) (*PublicKey, error) { panic("unwritten") }

// Append adds the encoding: description, H, H1, H2, proof.
func (k *PublicKey) Append(b []byte) []byte { panic("unwritten") }

// ID gives the key's identity.
func (k *PublicKey) ID() KeyID { return k.id }

// Info gives what the key stands for.
func (k *PublicKey) Info() KeyInfo { return k.info }

// PrivateKey signs coins of one kind, value and epoch. It shows nothing of itself.
type PrivateKey struct {
	masked
	x   secret
	pub *PublicKey
}

// GenerateKey draws a key.
func GenerateKey(info KeyInfo, rand io.Reader) (*PrivateKey, error) { panic("unwritten") }

// ParsePrivateKey reads what Bytes gave, for the vault.
func ParsePrivateKey(info KeyInfo, b []byte) (*PrivateKey, error) { panic("unwritten") }

// Bytes gives the secret in the clear, for the vault, which seals it. Nobody else calls it.
func (k *PrivateKey) Bytes() [Size]byte { return k.x.reveal() }

// Public gives the public half; the same bytes every time.
func (k *PrivateKey) Public() *PublicKey { return k.pub }

// Commitment opens a withdrawal: A = wG and B = w(I+G2); for a holder with a card also the image z = x(I+G2), which does
// not change while the key lives.
type Commitment struct {
	A, B  Element
	Image *Element // nil for holders without a card
}

// ParseCommitment reads 64 bytes, or 96 with an image.
func ParseCommitment(b []byte) (Commitment, error) { panic("unwritten") }

// Append adds the encoding.
func (c *Commitment) Append(b []byte) []byte { panic("unwritten") }

// Commit opens the session of an account, as often as asked, with the same commitment: its nonce w is derived from the
// key, the session and the account.
func (k *PrivateKey) Commit(session Digest, account Element) Commitment { panic("unwritten") }

// CommitForCard is Commit with the image.
func (k *PrivateKey) CommitForCard(session Digest, account Element) Commitment { panic("unwritten") }

// Respond answers a challenge: r = cx + w.
//
// The caller guards ONE c per session, for ever: two answers under one w give away x. And ONE session open at a time per
// account and key: among 253 open ones a holder can hide a coin that he did not pay for.
func (k *PrivateKey) Respond(session Digest, account Element, c Scalar) Scalar { panic("unwritten") }

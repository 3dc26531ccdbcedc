package brands

import (
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"sync"

	"github.com/oasisprotocol/curve25519-voi/curve"
	"github.com/oasisprotocol/curve25519-voi/curve/scalar"

	"jiaozi/crypt/brands/bulk"
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

// KeyRing is Keys in a map, for whoever has them at hand.
type KeyRing map[KeyID]*PublicKey

// RingOf takes keys up by their identities.
func RingOf(keys ...*PublicKey) KeyRing {
	r := make(KeyRing, len(keys))
	for _, k := range keys {
		r[k.id] = k
	}
	return r
}

// Key implements Keys.
func (r KeyRing) Key(id KeyID) (*PublicKey, bool) {
	k, ok := r[id]
	return k, ok
}

// PublicKey is what a mint publishes for one kind, value and epoch: H = xG, H1 = xG1, H2 = xG2 and a proof that the
// three x are one; with another x in H1 or H2 a mint could mark the coins of a holder. Immutable.
type PublicKey struct {
	info      KeyInfo
	h, h1, h2 Element
	proof     [2]Scalar // challenge and answer
	id        KeyID
	fast      *curve.ExpandedRistrettoPoint // h, for verification
	bulk      struct {
		once sync.Once
		h    *bulk.Point // for sums in bulk, decoded when a mint first needs it
	}
}

// ParsePublicKey reads exactly one public key and refuses one whose proof does not hold.
func ParsePublicKey(b []byte) (*PublicKey, error) {
	info, b, err := parseInfo(b)
	if err != nil {
		return nil, err
	}
	if len(b) != 5*Size {
		return nil, fmt.Errorf("public key with %d bytes after its description, not %d: %w", len(b), 5*Size, ErrEncoding)
	}
	k := &PublicKey{info: info}
	for _, h := range []*Element{&k.h, &k.h1, &k.h2} {
		if *h, err = ParseElement(b[:Size]); err != nil {
			return nil, fmt.Errorf("public key: %w", err)
		}
		b = b[Size:]
	}
	for i := range k.proof {
		if k.proof[i], err = ParseScalar(b[:Size]); err != nil {
			return nil, fmt.Errorf("public key: %w", err)
		}
		b = b[Size:]
	}
	k.settle()
	if !k.provenVartime() {
		return nil, fmt.Errorf("public key %s: its H, H1 and H2 do not have one secret: %w", k.id, ErrProof)
	}
	return k, nil
}

// settle computes what follows from description and elements.
func (k *PublicKey) settle() {
	t := begin("key").add(k.info.append(nil)).add(k.h.enc[:]).add(k.h1.enc[:]).add(k.h2.enc[:])
	digest := t.digest()
	k.id = KeyID(digest[:])
	k.fast = curve.NewExpandedRistrettoPoint(k.h.point())
}

func (k *PublicKey) inBulk() *bulk.Point {
	k.bulk.once.Do(func() { k.bulk.h = k.h.inBulk() })
	return k.bulk.h
}

// prove makes the proof, always the same: its nonce is derived, so that a key has one encoding.
func (k *PublicKey) prove(x secret) {
	key := x.reveal()
	t := newPRF(key[:])(begin("key proof nonce").add(k.id[:]))
	c := k.proofChallenge(times0(t.num()), times1(t.num()), times2(t.num()))
	k.proof = [2]Scalar{c, open(mulAdd(c.num(), x.num(), t.num()))}
}

func (k *PublicKey) proofChallenge(nonces ...*curve.RistrettoPoint) Scalar {
	t := begin("key proof").add(k.id[:]).add(k.h.enc[:]).add(k.h1.enc[:]).add(k.h2.enc[:])
	for _, p := range nonces {
		e := newElement(p)
		t = t.add(e.enc[:])
	}
	return t.challenge()
}

func (k *PublicKey) provenVartime() bool {
	c, s := new(scalar.Scalar).Neg(k.proof[0].num()), k.proof[1].num()
	again := func(base *curve.RistrettoPoint, h *Element) *curve.RistrettoPoint {
		return new(curve.RistrettoPoint).MultiscalarMulVartime([]*scalar.Scalar{s, c}, []*curve.RistrettoPoint{base, h.point()})
	}
	return k.proofChallenge(again(curve.RISTRETTO_BASEPOINT_POINT, &k.h), again(g1, &k.h1), again(g2, &k.h2)) == k.proof[0]
}

// Append adds the encoding: description, H, H1, H2, proof.
func (k *PublicKey) Append(b []byte) []byte {
	b = k.info.append(b)
	for _, part := range [...][Size]byte{k.h.enc, k.h1.enc, k.h2.enc, k.proof[0].Bytes(), k.proof[1].Bytes()} {
		b = append(b, part[:]...)
	}
	return b
}

// ID gives the key's identity.
func (k *PublicKey) ID() KeyID { return k.id }

// Info gives what the key stands for.
func (k *PublicKey) Info() KeyInfo { return k.info }

// PrivateKey signs coins of one kind, value and epoch. It shows nothing of itself.
type PrivateKey struct {
	masked
	x      secret
	nonces prf // under a key that follows from x and the key's identity
	pub    *PublicKey
}

// GenerateKey draws a key.
func GenerateKey(info KeyInfo, rand io.Reader) (*PrivateKey, error) {
	x, err := drawSecret(rand)
	if err != nil {
		return nil, err
	}
	return newPrivateKey(info, x)
}

func newPrivateKey(info KeyInfo, x secret) (*PrivateKey, error) {
	if err := info.Check(); err != nil {
		return nil, err
	}
	pub := &PublicKey{info: info, h: newElement(times0(x.num())), h1: newElement(times1(x.num())), h2: newElement(times2(x.num()))}
	pub.settle()
	pub.prove(x)
	key := x.reveal()
	key = newPRF(key[:])(begin("nonces").add(pub.id[:])).reveal()
	return &PrivateKey{x: x, nonces: newPRF(key[:]), pub: pub}, nil
}

// ParsePrivateKey reads what Bytes gave, for the vault.
func ParsePrivateKey(info KeyInfo, b []byte) (*PrivateKey, error) {
	x, err := parseSecret(b)
	if err != nil {
		return nil, fmt.Errorf("private key: %w", err)
	}
	if x.num().Equal(new(scalar.Scalar)) == 1 {
		return nil, fmt.Errorf("private key is zero: %w", ErrEncoding)
	}
	return newPrivateKey(info, x)
}

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
func ParseCommitment(b []byte) (c Commitment, err error) {
	if len(b) != 2*Size && len(b) != 3*Size {
		return Commitment{}, fmt.Errorf("commitment of %d bytes, not %d or %d: %w", len(b), 2*Size, 3*Size, ErrEncoding)
	}
	if c.A, err = ParseElement(b[:Size]); err != nil {
		return Commitment{}, fmt.Errorf("commitment: %w", err)
	}
	if c.B, err = ParseElement(b[Size : 2*Size]); err != nil {
		return Commitment{}, fmt.Errorf("commitment: %w", err)
	}
	if len(b) == 3*Size {
		image, err := ParseElement(b[2*Size:])
		if err != nil {
			return Commitment{}, fmt.Errorf("commitment, image: %w", err)
		}
		c.Image = &image
	}
	return c, nil
}

// Append adds the encoding.
func (c *Commitment) Append(b []byte) []byte {
	b = append(append(b, c.A.enc[:]...), c.B.enc[:]...)
	if c.Image != nil {
		b = append(b, c.Image.enc[:]...)
	}
	return b
}

// Commit opens the session of an account, as often as asked, with the same commitment: its nonce w is derived from the
// key, the session and the account.
func (k *PrivateKey) Commit(session Digest, account Element) Commitment {
	return k.commit(session, account, ofPoint(baseOf(&account)))
}

func (k *PrivateKey) commit(session Digest, account Element, base multiplier) Commitment {
	w := k.nonce(session, account).num()
	return Commitment{A: newElement(times0(w)), B: newElement(base(w))}
}

func (k *PrivateKey) nonce(session Digest, account Element) secret {
	return k.nonces(begin("nonce").add(session[:]).add(account.enc[:])) // a message of one block
}

// CommitForCard is Commit with the image.
func (k *PrivateKey) CommitForCard(session Digest, account Element) Commitment {
	return k.commitForCard(session, account, ofPoint(baseOf(&account)))
}

func (k *PrivateKey) commitForCard(session Digest, account Element, base multiplier) Commitment {
	c, image := k.commit(session, account, base), newElement(base(k.x.num()))
	c.Image = &image
	return c
}

// Account is an account made ready to withdraw coins, of any keys.
type Account struct {
	identity Element
	base     multiplier
}

// tablePays is from how many multiples of I+G2 on a table of them, 30 KB, is worth its making: that takes as long as two
// multiples, and a multiple with it a third of one without.
const tablePays = 4

// NewAccount makes the account ready for a number of coins. With a card each of them takes two multiples, because the
// image is one.
func NewAccount(identity Element, coins int, card bool) *Account {
	multiples := coins
	if card {
		multiples *= 2
	}
	if multiples < tablePays {
		return &Account{identity, ofPoint(baseOf(&identity))}
	}
	table := curve.NewRistrettoBasepointTable(baseOf(&identity))
	return &Account{identity, func(k *scalar.Scalar) *curve.RistrettoPoint { return new(curve.RistrettoPoint).MulBasepoint(table, k) }}
}

// CommitForAccount gives what Commit, or with a card CommitForCard, gives.
func (k *PrivateKey) CommitForAccount(session Digest, account *Account, card bool) Commitment {
	if card {
		return k.commitForCard(session, account.identity, account.base)
	}
	return k.commit(session, account.identity, account.base)
}

// Respond answers a challenge: r = cx + w.
//
// The caller guards ONE c per session, for ever: two answers under one w give away x. And ONE session open at a time per
// account and key: among 253 open ones a holder can hide a coin that he did not pay for.
func (k *PrivateKey) Respond(session Digest, account Element, c Scalar) Scalar {
	return open(mulAdd(c.num(), k.x.num(), k.nonce(session, account).num()))
}

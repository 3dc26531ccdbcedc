package brands

import (
	"errors"
	"fmt"
	"io"

	"github.com/oasisprotocol/curve25519-voi/curve"
	"github.com/oasisprotocol/curve25519-voi/curve/scalar"
)

// ErrAnswer means that the mint's answer to a challenge is wrong: there is no coin. Ask again with the same challenge, and
// keep commitment, challenge and answer as evidence.
var ErrAnswer = errors.New("the mint's answer does not fit its commitment")

var errCardOrNot = errors.New("a holder with a card needs its part and the mint's image, a holder without has neither")

// Blinding hides one coin from the mint: the factors s, u, v, the line's x1 and x2, with a card e, and of a note the
// seed of its lines.
type Blinding struct {
	masked
	s, u, v, x1, x2, e, tree secret
	root                     secret // of a derived one, which has its factors when the commitment is known
}

// DeriveBlinding gives the factors of a wallet's n-th withdrawal under a key, for whatever commitment Challenge is given.
// Seed, key, number and commitment together give one coin, always the same: that is how a wallet comes back from its seed.
func DeriveBlinding(seed Digest, key KeyID, session uint64) *Blinding {
	return &Blinding{root: newPRF(seed[:])(begin("blinding").add(key[:]).uint(session))}
}

// bound gives the factors for one commitment. The number of a withdrawal is the mint's to give, and one that gives it twice,
// of malice or because its book was restored, must not get two challenges under one u and v, which would show it the coin,
// nor a second coin with the same line, which would name its honest owner once both are paid.
func (bl *Blinding) bound(com *Commitment) *Blinding {
	if bl.root.none() {
		return bl
	}
	root, of := bl.root.reveal(), com.Append(nil)
	to, derive := new(Blinding), newPRF(root[:])
	for i, f := range to.factors() {
		*f = derive(begin("blinding factor").add(of).uint(uint64(i)))
	}
	return to
}

// factors lists the factors; the order is part of what seeds mean.
func (bl *Blinding) factors() [7]*secret {
	return [7]*secret{&bl.s, &bl.u, &bl.v, &bl.x1, &bl.x2, &bl.e, &bl.tree}
}

// RandomBlinding draws the factors, for one withdrawal only.
func RandomBlinding(rand io.Reader) (*Blinding, error) {
	bl := new(Blinding)
	for _, f := range bl.factors() {
		var err error
		if *f, err = drawSecret(rand); err != nil {
			return nil, err
		}
	}
	return bl, nil
}

// Withdrawal waits for the mint's answer. It need not be stored: Challenge makes it again from the same inputs.
type Withdrawal struct {
	masked
	own  Own // all but the coin's r
	key  *PublicKey
	m, z *curve.RistrettoPoint
	com  Commitment
	c    Scalar
	u, v secret
}

// Challenge blinds the mint's commitment and gives c for it. card is the observer's nonce B_O, nil without a card.
func (h *Holder) Challenge(key *PublicKey, bl *Blinding, com Commitment, card *Element) (*Withdrawal, Scalar, error) {
	if err := h.checkInputs(key, com, card); err != nil {
		return nil, Scalar{}, err
	}
	bl = bl.bound(&com)
	s, u, v := bl.s.num(), bl.u.num(), bl.v.num()
	w := &Withdrawal{key: key, m: h.base(), z: h.image(key, com.Image), com: com, u: bl.u, v: bl.v}
	a := times(w.m, s)
	coin := &w.own.coin
	coin.key, coin.a = key.id, newElement(a)
	coin.b = h.lineSecrets(&w.own, key, bl, card)
	coin.z = newElement(times(w.z, s))
	coin.ca = newElement(plus(times(com.A.point(), u), times0(v)))
	coin.cb = newElement(plus(times(com.B.point(), new(scalar.Scalar).Mul(s, u)), times(a, v)))
	c := coin.challenge()
	w.c = open(new(scalar.Scalar).Mul(c.num(), new(scalar.Scalar).Invert(u)))
	return w, w.c, nil
}

func (h *Holder) checkInputs(key *PublicKey, com Commitment, card *Element) error {
	if key.info.Network != h.network {
		return fmt.Errorf("key %s is of network %s, the holder of %s: withdraw with keys of one's own network", key.id, key.info.Network, h.network)
	}
	if h.HasCard() != (card != nil) || h.HasCard() != (com.Image != nil) {
		return errCardOrNot
	}
	if h.HasCard() && key.info.Kind == KindNote {
		return fmt.Errorf("a note cannot be paid with a card: %w", ErrKind)
	}
	if com.A.IsZero() || com.B.IsZero() || card != nil && (card.IsZero() || com.Image.IsZero()) {
		return fmt.Errorf("commitment is empty: %w", ErrEncoding)
	}
	return nil
}

// image is z = x(I+G2), computed alone without a card.
func (h *Holder) image(key *PublicKey, sent *Element) *curve.RistrettoPoint {
	if sent != nil {
		return sent.point()
	}
	return plus(times(key.h1.point(), h.u1.num()), key.h2.point())
}

// lineSecrets fixes the coin's line in own and gives B of it:
//
//	without card  x1·G1 + x2·G2
//	with card     x1·G1 + x2·G2 + es·A_O + B_O
//	note          the root over the lines that its tree secret gives
func (h *Holder) lineSecrets(own *Own, key *PublicKey, bl *Blinding, card *Element) [Size]byte {
	s := bl.s.num()
	own.s, own.us = bl.s, seal(new(scalar.Scalar).Mul(h.u1.num(), s))
	if key.info.Kind == KindNote {
		own.tree = bl.tree
		return noteRoot(bl.tree, key)
	}
	own.x1, own.x2 = bl.x1, bl.x2
	b := plus(times1(bl.x1.num()), times2(bl.x2.num()))
	if card != nil {
		own.e = bl.e
		b = plus(b, times(h.card.point(), new(scalar.Scalar).Mul(bl.e.num(), s)), card.point())
	}
	return newElement(b).enc
}

// Finish checks the mint's answer and gives the coin, or ErrAnswer.
func (w *Withdrawal) Finish(r Scalar) (*Own, error) {
	if !w.answeredVartime(r) {
		return nil, ErrAnswer
	}
	own := w.own
	own.coin.r = open(mulAdd(w.u.num(), r.num(), w.v.num()))
	return &own, nil
}

// answeredVartime checks rG = cH + a and r(I+G2) = cz + b, all of which the mint knows.
func (w *Withdrawal) answeredVartime(r Scalar) bool {
	c, k := new(scalar.Scalar).Neg(w.c.num()), r.num()
	var p curve.RistrettoPoint
	if !p.ExpandedTripleScalarMulBasepointVartime(c, w.key.fast, k, w.com.A.point()).IsIdentity() {
		return false
	}
	p.MultiscalarMulVartime([]*scalar.Scalar{k, c}, []*curve.RistrettoPoint{w.m, w.z})
	return p.Equal(w.com.B.point()) == 1
}

// Recall makes the coin of a finished withdrawal again, from what the mint keeps of it: its challenge and answer. image is
// the commitment's, nil without a card. A blinding other than that of the withdrawal gives ErrAnswer.
func (h *Holder) Recall(key *PublicKey, bl *Blinding, c, r Scalar, image, card *Element) (*Own, error) {
	if h.HasCard() != (image != nil) || image != nil && image.IsZero() {
		return nil, errCardOrNot
	}
	back := new(scalar.Scalar).Neg(c.num())
	com := Commitment{Image: image}
	var p curve.RistrettoPoint
	com.A = newElement(p.ExpandedDoubleScalarMulBasepointVartime(back, key.fast, r.num()))
	com.B = newElement(p.MultiscalarMulVartime([]*scalar.Scalar{r.num(), back}, []*curve.RistrettoPoint{h.base(), h.image(key, image)}))
	w, again, err := h.Challenge(key, bl, com, card)
	if err != nil {
		return nil, err
	}
	if again != c {
		return nil, fmt.Errorf("challenge was made with other blinding factors: %w", ErrAnswer)
	}
	return w.Finish(r)
}

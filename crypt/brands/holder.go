package brands

import (
	"fmt"
	"io"

	"github.com/oasisprotocol/curve25519-voi/curve"
	"github.com/oasisprotocol/curve25519-voi/curve/scalar"

	"jiaozi/value/must"
)

// Holder is the secret behind an account: u1, and with a card the knowledge that the other part of it is in there.
type Holder struct {
	masked
	network Network
	u1      secret
	card    *Element // A_O of the card
	account Element  // I
}

// NewHolder derives the secret of a holder without a card from a seed.
func NewHolder(seed Digest, network Network) *Holder {
	u1 := newPRF(seed[:])(begin("holder").add(network[:]))
	return &Holder{network: network, u1: u1, account: newElement(times1(u1.num()))}
}

// NewCardHolder derives the phone's part; card is what Observer.Identity gave.
func NewCardHolder(seed Digest, network Network, card Element) *Holder {
	h := NewHolder(seed, network)
	h.card, h.account = &card, newElement(plus(h.account.point(), card.point()))
	return h
}

// base is I + G2, which the holder's coins are multiples of.
func (h *Holder) base() *curve.RistrettoPoint { return baseOf(&h.account) }

// baseOf stops the program for an empty account: it equals everything, and no decoder leaves one.
func baseOf(account *Element) *curve.RistrettoPoint {
	must.Hold(!account.IsZero(), "an account is an element")
	return plus(account.point(), g2)
}

// Identity gives I = u1·G1 (+ the card's), the holder's account number.
func (h *Holder) Identity() Element { return h.account }

// HasCard reports whether a card holds part of the secret.
func (h *Holder) HasCard() bool { return h.card != nil }

// OpeningCard is the card's half of an Opening.
type OpeningCard interface {
	Commit() (Element, error)
	Respond(e Scalar) (Scalar, error)
}

// OpeningSize is the length of an encoded Opening, in bytes.
const OpeningSize = 3 * Size

// Opening proves that who opens account I knows its secret; without it somebody could open I = kG - G2 and spend twice
// unnamed. Bound to network and context: an Opening for one mint or purpose is none for another.
type Opening struct {
	Account   Element
	challenge Scalar
	answer    Scalar
}

// Open makes the proof; card is nil for a holder without one.
func (h *Holder) Open(context []byte, rand io.Reader, card OpeningCard) (Opening, error) {
	if h.HasCard() != (card != nil) {
		return Opening{}, errCardOrNot
	}
	t, err := drawSecret(rand)
	if err != nil {
		return Opening{}, err
	}
	nonce := times1(t.num())
	if card != nil {
		theirs, err := card.Commit()
		if err != nil {
			return Opening{}, fmt.Errorf("open account with card: %w", err)
		}
		nonce = plus(nonce, theirs.point())
	}
	o := Opening{Account: h.account, challenge: openingChallenge(h.network, context, &h.account, nonce)}
	answer := mulAdd(o.challenge.num(), h.u1.num(), t.num())
	if card != nil {
		theirs, err := card.Respond(o.challenge)
		if err != nil {
			return Opening{}, fmt.Errorf("open account with card: %w", err)
		}
		answer.Add(answer, theirs.num())
	}
	o.answer = open(answer)
	if card != nil && o.Verify(h.network, context) != nil {
		return Opening{}, fmt.Errorf("open account: %w", ErrCard)
	}
	return o, nil
}

func openingChallenge(n Network, context []byte, account *Element, nonce *curve.RistrettoPoint) Scalar {
	e := newElement(nonce)
	return begin("opening").add(n[:]).add(context).add(account.enc[:]).add(e.enc[:]).challenge()
}

// ParseOpening reads 96 bytes.
func ParseOpening(b []byte) (o Opening, err error) {
	if len(b) != OpeningSize {
		return Opening{}, fmt.Errorf("opening of %d bytes, not %d: %w", len(b), OpeningSize, ErrEncoding)
	}
	if o.Account, err = ParseElement(b[:Size]); err != nil {
		return Opening{}, fmt.Errorf("opening: %w", err)
	}
	if o.challenge, err = ParseScalar(b[Size : 2*Size]); err != nil {
		return Opening{}, fmt.Errorf("opening: %w", err)
	}
	if o.answer, err = ParseScalar(b[2*Size:]); err != nil {
		return Opening{}, fmt.Errorf("opening: %w", err)
	}
	return o, nil
}

// Append adds the encoding.
func (o *Opening) Append(b []byte) []byte {
	return o.answer.append(o.challenge.append(append(b, o.Account.enc[:]...)))
}

// Verify checks the proof and refuses an account with I + G2 = 0; errors wrap ErrProof.
func (o Opening) Verify(n Network, context []byte) error {
	if o.Account.IsZero() || baseOf(&o.Account).IsIdentity() {
		return fmt.Errorf("this account can be nobody's: %w", ErrProof)
	}
	c := new(scalar.Scalar).Neg(o.challenge.num())
	nonce := new(curve.RistrettoPoint).MultiscalarMulVartime([]*scalar.Scalar{o.answer.num(), c}, []*curve.RistrettoPoint{g1, o.Account.point()})
	if openingChallenge(n, context, &o.Account, nonce) != o.challenge {
		return fmt.Errorf("opening of account %s: %w", o.Account, ErrProof)
	}
	return nil
}

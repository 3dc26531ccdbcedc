package brands

import (
	"fmt"
	"io"

	"github.com/oasisprotocol/curve25519-voi/curve"
	"github.com/oasisprotocol/curve25519-voi/curve/scalar"
)

// Claim proves that a coin belongs to an account without touching the coin's line: knowledge of s with A = s(I+G2). A
// wallet that came back from its phrase claims coins, because it does not know which of them it paid: a second answer
// would name it, a claim never does.
//
// It is bound to account and coin, and through the coin's key to network, value and epoch, so it can be shown again but
// for nothing else. It tells nothing of the line: anyone can make transcripts like it without s (claim_test.go).
type Claim struct {
	challenge, answer Scalar
}

// ClaimSize is the length of an encoded Claim in bytes.
const ClaimSize = 2 * Size

// NewClaim makes the proof. It needs no card, and refuses a coin that is not the holder's.
func NewClaim(h *Holder, own *Own, rand io.Reader) (Claim, error) {
	base := h.base()
	if times(base, own.s.num()).Equal(own.coin.a.point()) != 1 {
		return Claim{}, fmt.Errorf("coin %v is not of account %v: %w", own.coin.ID(), h.account, ErrProof)
	}
	k, err := claimNonce(own, rand)
	if err != nil {
		return Claim{}, err
	}
	c := claimChallenge(&own.coin, h.account, newElement(times(base, k.num())))
	return Claim{challenge: c, answer: open(mulAdd(c.num(), own.s.num(), k.num()))}, nil
}

// claimNonce mixes the secret into what rand gives, so that a source that repeats itself does not give away s: the proof
// is of one statement per coin, and an equal nonce then gives an equal proof.
func claimNonce(own *Own, rand io.Reader) (secret, error) {
	var fresh [32]byte
	if _, err := io.ReadFull(rand, fresh[:]); err != nil {
		return secret{}, fmt.Errorf("draw the nonce of a claim: %w", err)
	}
	key := own.s.reveal()
	return newPRF(key[:])(begin("claim nonce").add(own.coin.Append(nil)).add(fresh[:])), nil
}

func claimChallenge(coin *Coin, account, commitment Element) Scalar {
	return begin("claim").add(coin.Append(nil)).add(account.enc[:]).add(commitment.enc[:]).challenge()
}

// ParseClaim reads 64 bytes.
func ParseClaim(b []byte) (Claim, error) {
	if len(b) != ClaimSize {
		return Claim{}, fmt.Errorf("claim of %d bytes, not %d: %w", len(b), ClaimSize, ErrEncoding)
	}
	var c Claim
	var err error
	if c.challenge, err = ParseScalar(b[:Size]); err != nil {
		return Claim{}, fmt.Errorf("challenge of a claim: %w", err)
	}
	if c.answer, err = ParseScalar(b[Size:]); err != nil {
		return Claim{}, fmt.Errorf("answer of a claim: %w", err)
	}
	return c, nil
}

// Append adds the encoding: challenge, answer.
func (c *Claim) Append(b []byte) []byte {
	b = append(b, c.challenge.enc[:]...)
	return append(b, c.answer.enc[:]...)
}

// VerifyVartime checks the proof. It says nothing about the mint's signature on the coin: check that too.
func (c Claim) VerifyVartime(coin *Coin, account Element) error {
	if coin.a.IsZero() || account.IsZero() {
		return fmt.Errorf("claim on no coin or by no account: %w", ErrProof)
	}
	var commitment curve.RistrettoPoint
	minus := new(scalar.Scalar).Neg(c.challenge.num())
	commitment.MultiscalarMulVartime([]*scalar.Scalar{c.answer.num(), minus},
		[]*curve.RistrettoPoint{baseOf(&account), coin.a.point()})
	if claimChallenge(coin, account, newElement(&commitment)) != c.challenge {
		return fmt.Errorf("claim on coin %v by account %v: %w", coin.ID(), account, ErrProof)
	}
	return nil
}

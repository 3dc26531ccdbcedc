package brands

import (
	"errors"
	"io"
)

// ErrAnswer means that the mint's answer to a challenge is wrong: there is no coin. Ask again with the same challenge, and
// keep commitment, challenge and answer as evidence.
var ErrAnswer = errors.New("the mint's answer does not fit its commitment")

// Blinding hides one coin from the mint: the factors s, u, v, the line's x1 and x2, with a card e, and of a note the
// seed of its lines.
type Blinding struct {
	masked
	s, u, v, x1, x2, e, tree secret
}

// DeriveBlinding gives the factors of a wallet's n-th withdrawal under a key. The same three give the same coin: that is
// how a wallet comes back from its seed, and why n must never be used for two withdrawals.
func DeriveBlinding(seed Digest, key KeyID, session uint64) *Blinding { panic("unwritten") }

// RandomBlinding draws the factors.
func RandomBlinding(rand io.Reader) (*Blinding, error) { panic("unwritten") }

// Withdrawal waits for the mint's answer. It need not be stored: Challenge makes it again from the same inputs.
type Withdrawal struct {
	masked
	own Own
}

// Challenge blinds the mint's commitment and gives c for it. card is the observer's nonce B_O, nil without a card.
func (h *Holder) Challenge(key *PublicKey, bl *Blinding, com Commitment, card *Element) (*Withdrawal, Scalar, error) {
	panic("unwritten")
}

// Finish checks the mint's answer and gives the coin, or ErrAnswer.
func (w *Withdrawal) Finish(r Scalar) (*Own, error) { panic("unwritten") }

// Recall makes the coin of a finished withdrawal again, from what the mint keeps of it: its challenge and answer. image is
// the commitment's, nil without a card. A blinding other than that of the withdrawal gives ErrAnswer.
func (h *Holder) Recall(key *PublicKey, bl *Blinding, c, r Scalar, image, card *Element) (*Own, error) {
	panic("unwritten")
}

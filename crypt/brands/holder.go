package brands

import "io"

// Holder is the secret behind an account: u1, and with a card the knowledge that the other part of it is in there.
type Holder struct {
	masked
	network Network
	u1      secret
	card    *Element // A_O of the card
	account Element  // I
}

// NewHolder derives the secret of a holder without a card from a seed.
func NewHolder(seed Digest, network Network) *Holder { panic("unwritten") }

// NewCardHolder derives the phone's part; card is what Observer.Identity gave.
func NewCardHolder(seed Digest, network Network, card Element) *Holder { panic("unwritten") }

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
	panic("unwritten")
}

// ParseOpening reads 96 bytes.
func ParseOpening(b []byte) (Opening, error) { panic("unwritten") }

// Append adds the encoding.
func (o *Opening) Append(b []byte) []byte { panic("unwritten") }

// Verify checks the proof and refuses an account with I + G2 = 0; errors wrap ErrProof.
func (o Opening) Verify(n Network, context []byte) error { panic("unwritten") }

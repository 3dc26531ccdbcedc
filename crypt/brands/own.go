package brands

import "errors"

// ErrNeedsCard means that the coin's line is partly in a card: use CardChallenge and PayWithCard. ErrCard means that the
// card's answer is wrong.
var (
	ErrNeedsCard = errors.New("the coin is paid with its card only")
	ErrCard      = errors.New("the card's answer does not fit the coin")
	ErrKind      = errors.New("the coin is of another kind")
)

// Own is a coin with the secrets of its owner. It gives ONE line: the caller notes the spec durably before it asks, and
// never asks for another; two lines name the owner.
type Own struct {
	masked
	coin                   Coin
	us, s, x1, x2, e, tree secret
}

// ParseOwn reads what Append wrote, from the wallet's sealed file.
func ParseOwn(b []byte) (*Own, error) { panic("unwritten") }

// Append adds the coin with its secrets in the clear, for the wallet's sealed file and nothing else.
func (o *Own) Append(b []byte) []byte { panic("unwritten") }

// Coin gives the public part.
func (o *Own) Coin() Coin { return o.coin }

// HasCard reports whether the line is partly in a card.
func (o *Own) HasCard() bool { return !o.e.none() }

// Pay gives the coin's line for a spec (LinkSpec or FinalSpec).
func (o *Own) Pay(spec Digest) (Line, error) { panic("unwritten") }

// CardChallenge gives d' = s(d+e), all that the card sees of a payment.
func (o *Own) CardChallenge(spec Digest) (Scalar, error) { panic("unwritten") }

// PayWithCard completes the line with the card's answer to CardChallenge(spec), which it checks.
func (o *Own) PayWithCard(spec Digest, answer Scalar) (Line, error) { panic("unwritten") }

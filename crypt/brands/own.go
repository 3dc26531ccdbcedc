package brands

import (
	"errors"
	"fmt"

	"github.com/oasisprotocol/curve25519-voi/curve/scalar"
)

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
func ParseOwn(b []byte) (*Own, error) {
	if len(b) < CoinSize+1 {
		return nil, fmt.Errorf("own coin cut short at %d bytes: %w", len(b), ErrEncoding)
	}
	o := new(Own)
	var err error
	if o.coin, err = ParseCoin(b[:CoinSize]); err != nil {
		return nil, err
	}
	parts := o.parts(b[CoinSize])
	if b = b[CoinSize+1:]; len(parts) == 0 || len(b) != len(parts)*Size {
		return nil, fmt.Errorf("own coin with %d secrets and %d bytes for them: %w", len(parts), len(b), ErrEncoding)
	}
	for i, part := range parts {
		if *part, err = parseSecret(b[i*Size:][:Size]); err != nil {
			return nil, fmt.Errorf("own coin: %w", err)
		}
	}
	return o, nil
}

// Forms of an own coin, by the secrets that it has. The numbers are in sealed files.
const (
	formPlain byte = 1
	formCard  byte = 2
	formNote  byte = 3
)

func (o *Own) form() byte {
	switch {
	case !o.tree.none():
		return formNote
	case !o.e.none():
		return formCard
	}
	return formPlain
}

// parts lists the secrets of a form, none for an unknown one.
func (o *Own) parts(form byte) []*secret {
	switch form {
	case formPlain:
		return []*secret{&o.us, &o.s, &o.x1, &o.x2}
	case formCard:
		return []*secret{&o.us, &o.s, &o.x1, &o.x2, &o.e}
	case formNote:
		return []*secret{&o.us, &o.s, &o.tree}
	}
	return nil
}

// Append adds the coin with its secrets in the clear, for the wallet's sealed file and nothing else.
func (o *Own) Append(b []byte) []byte {
	b = append(o.coin.Append(b), o.form())
	for _, part := range o.parts(o.form()) {
		enc := part.reveal()
		b = append(b, enc[:]...)
	}
	return b
}

// Coin gives the public part.
func (o *Own) Coin() Coin { return o.coin }

// HasCard reports whether the line is partly in a card.
func (o *Own) HasCard() bool { return !o.e.none() }

// Pay gives the coin's line for a spec (LinkSpec or FinalSpec).
func (o *Own) Pay(spec Digest) (Line, error) {
	switch o.form() {
	case formNote:
		return Line{}, fmt.Errorf("a note is paid in pieces: %w", ErrKind)
	case formCard:
		return Line{}, ErrNeedsCard
	}
	return o.answer(o.coin.abscissa(spec), o.x1, o.x2), nil
}

// answer is the line of x1 and x2 at d: r1 = d·u1·s + x1, r2 = d·s + x2.
func (o *Own) answer(d Scalar, x1, x2 secret) Line {
	k := d.num()
	return Line{R1: open(mulAdd(k, o.us.num(), x1.num())), R2: open(mulAdd(k, o.s.num(), x2.num()))}
}

// CardChallenge gives d' = s(d+e), all that the card sees of a payment.
func (o *Own) CardChallenge(spec Digest) (Scalar, error) {
	if !o.HasCard() {
		return Scalar{}, fmt.Errorf("the coin has no part in a card: %w", ErrKind)
	}
	d := o.coin.abscissa(spec)
	k := new(scalar.Scalar).Add(d.num(), o.e.num())
	return open(k.Mul(k, o.s.num())), nil
}

// PayWithCard completes the line with the card's answer to CardChallenge(spec), which it checks.
func (o *Own) PayWithCard(spec Digest, answer Scalar) (Line, error) {
	if !o.HasCard() {
		return Line{}, fmt.Errorf("the coin has no part in a card: %w", ErrKind)
	}
	d := o.coin.abscissa(spec)
	x1 := new(scalar.Scalar).Add(o.x1.num(), answer.num())
	line := o.answer(d, seal(x1), o.x2)
	b, err := o.coin.lineB()
	if err != nil {
		return Line{}, err
	}
	// In constant time: of a wrong answer nothing may show, because the right one may still come.
	if plus(b.point(), times(o.coin.a.point(), d.num())).Equal(plus(times1(line.R1.num()), times2(line.R2.num()))) != 1 {
		return Line{}, ErrCard
	}
	return line, nil
}

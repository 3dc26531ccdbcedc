package brands

import (
	"errors"
	"io"

	"jiaozi/value/money"
)

// MaxHops is the number of blanks that money may go through before it must see the mint.
const MaxHops = 8

// ErrChain is wrapped when the coins of a payment do not belong together in this way.
var ErrChain = errors.New("the chain of coins is not allowed")

// Link passes money on: the line of the coin before, which pays it to Next, a blank of the receiver.
type Link struct {
	Line Line
	Next Coin
}

// Money is money in the hand: a coin, or a piece of a note, then the blanks it went through. Who owns Last may pay it on.
type Money struct {
	Head  Coin
	Piece *Piece // of a note; nil for a coin
	Links []Link // at most MaxHops
}

// Payment is money with its final line, which pays it to the payee of some terms.
type Payment struct {
	Money
	Final Line
}

// ParseMoney reads exactly one Money.
func ParseMoney(b []byte) (*Money, error) { panic("unwritten") }

// Append adds the encoding.
func (m *Money) Append(b []byte) []byte { panic("unwritten") }

// Value gives what the money is worth.
func (m *Money) Value(keys Keys) (money.Amount, error) { panic("unwritten") }

// Last gives the coin whose owner may pay the money on.
func (m *Money) Last() *Coin { panic("unwritten") }

// Hops gives the number of blanks.
func (m *Money) Hops() int { return len(m.Links) }

// Spec gives the spec of the last link, zero without any: prev for the next LinkSpec or FinalSpec.
func (m *Money) Spec() Digest { panic("unwritten") }

// VerifyVartime checks everything but the final line: what a person checks who is handed money to a blank of his. Dates
// and group are the caller's to check, with each coin's KeyInfo.
func (m *Money) VerifyVartime(keys Keys, rand io.Reader) error { panic("unwritten") }

// ParsePayment reads exactly one Payment.
func ParsePayment(b []byte) (*Payment, error) { panic("unwritten") }

// Append adds the encoding.
func (p *Payment) Append(b []byte) []byte { panic("unwritten") }

// VerifyVartime checks the whole payment in one multi-exponentiation with random weights; terms is Terms.Digest. Dates
// and group are the caller's to check, with each coin's KeyInfo.
func (p *Payment) VerifyVartime(keys Keys, terms Digest, rand io.Reader) error { panic("unwritten") }

// VerifyEquationsVartime is VerifyVartime equation by equation, without randomness.
func (p *Payment) VerifyEquationsVartime(keys Keys, terms Digest) error { panic("unwritten") }

// Points gives one point for each coin of the chain, head first (of a note: of the node that was paid).
func (p *Payment) Points(terms Digest) []Point3 { panic("unwritten") }

// VerifyBatchVartime checks many payments at once and gives the places of the bad ones, ascending; terms[i] belongs to
// ps[i]. An error means that nothing was decided.
func VerifyBatchVartime(keys Keys, ps []*Payment, terms []Digest, rand io.Reader) (bad []int, err error) {
	panic("unwritten")
}

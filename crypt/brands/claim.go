package brands

import "io"

// Claim proves that a coin belongs to an account without touching its line.
type Claim struct {
	challenge, answer Scalar
}

// NewClaim makes the proof.
func NewClaim(h *Holder, own *Own, rand io.Reader) (Claim, error) { panic("unwritten") }

// ParseClaim reads 64 bytes.
func ParseClaim(b []byte) (Claim, error) { panic("unwritten") }

// Append adds the encoding.
func (c *Claim) Append(b []byte) []byte { panic("unwritten") }

// VerifyVartime checks the proof.
func (c Claim) VerifyVartime(coin *Coin, account Element) error { panic("unwritten") }

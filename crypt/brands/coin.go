package brands

import (
	"encoding/hex"
	"errors"
)

// Lengths of encodings in bytes.
const (
	CoinSize  = 16 + 6*Size
	LineSize  = 2 * Size
	PointSize = 3 * Size
)

// Why a coin or payment is refused.
var (
	ErrSignature  = errors.New("the mint's signature does not hold")
	ErrLine       = errors.New("the payer's answer does not fit coin and terms")
	ErrUnknownKey = errors.New("the coin's key is not known")
)

// CoinID is the coin's key in the spent space: the encoding of A.
type CoinID [Size]byte

// String gives the identity in hexadecimal.
func (id CoinID) String() string { return hex.EncodeToString(id[:]) }

// MarshalText is String.
func (id CoinID) MarshalText() ([]byte, error) { return []byte(id.String()), nil }

// Coin is the public part of a coin, blank or note: A and B, which fix the owner's line, under the mint's signature. The
// zero Coin is none.
type Coin struct {
	key       KeyID
	a         Element
	b         [Size]byte // an element, decoded when the key says so; the root over a note's lines
	z, ca, cb Element
	r         Scalar
}

// ParseCoin reads 208 bytes. Whether B is an element is found out when the key is known.
func ParseCoin(b []byte) (Coin, error) { panic("unwritten") }

// Append adds the encoding: KeyID | A | B | Z | A' | B' | R.
func (c *Coin) Append(b []byte) []byte { panic("unwritten") }

// ID gives the coin's identity.
func (c *Coin) ID() CoinID { return CoinID(c.a.enc) }

// Key gives the identity of the key that signed.
func (c *Coin) Key() KeyID { return c.key }

// VerifyVartime checks the mint's signature alone, equation by equation.
func (c *Coin) VerifyVartime(key *PublicKey) error { panic("unwritten") }

// Line is an answer: the ordinates of a coin's line at the abscissa that the payment fixes.
type Line struct{ R1, R2 Scalar }

// ParseLine reads 64 bytes.
func ParseLine(b []byte) (Line, error) { panic("unwritten") }

// Append adds the encoding.
func (l Line) Append(b []byte) []byte { panic("unwritten") }

// Point3 is one point of a coin's line: abscissa and ordinates.
type Point3 struct {
	D    Scalar
	Line Line
}

// ParsePoint3 reads 96 bytes.
func ParsePoint3(b []byte) (Point3, error) { panic("unwritten") }

// Append adds the encoding.
func (p Point3) Append(b []byte) []byte { panic("unwritten") }

// ErrTrace means that two points name nobody: they are one point, or do not lie on one line.
var ErrTrace = errors.New("the two points are not of one line")

// TraceVartime gives the identity that two points of one line name, and the secret of it, which proves the guilt: nobody
// but its holder could know it before he answered twice. Whether the points belong to a coin is Guilt's to check.
func TraceVartime(a, b Point3) (Element, Scalar, error) { panic("unwritten") }

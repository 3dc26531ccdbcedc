package brands

import (
	"encoding/hex"
	"errors"
	"fmt"

	"github.com/oasisprotocol/curve25519-voi/curve/scalar"

	"jiaozi/crypt/brands/bulk"
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

// CoinID is the coin's key in the spent space: a hash of the mint's key, A and B.
//
// Not A alone: a holder may buy two coins with one A and other lines, or under two keys. They would pass with two payees, who
// could not see it; the mint, which was paid for both, would have to refuse the second and could name nobody.
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
	b         [Size]byte  // an element, decoded when the key says so; the root over a note's lines
	aidedB    *bulk.Point // b decoded, if it came with a witness and is an element; nil else
	z, ca, cb Element
	r         Scalar
}

// ParseCoin reads 208 bytes. Whether B is an element is found out when the key is known.
func ParseCoin(b []byte) (Coin, error) {
	var c Coin
	if err := c.parse(b, readAlone); err != nil {
		return Coin{}, err
	}
	return c, nil
}

// A reader decodes one part of a coin that is an element, A as part 0.
type reader func(e *Element, part int, enc [Size]byte) error

// readAlone is the reader of what came without an aid.
func readAlone(e *Element, _ int, enc [Size]byte) error { return e.parse(enc) }

// parse is ParseCoin in place. After an error c is not to be used.
func (c *Coin) parse(b []byte, read reader) (err error) {
	if len(b) != CoinSize {
		return fmt.Errorf("coin of %d bytes, not %d: %w", len(b), CoinSize, ErrEncoding)
	}
	c.key, b = KeyID(b), b[len(c.key):]
	c.b = [Size]byte(b[Size:])
	for at, part := range [...]*Element{0: &c.a, 2: &c.z, 3: &c.ca, 4: &c.cb} {
		if part == nil {
			continue // B
		}
		if err := read(part, at, [Size]byte(b[at*Size:])); err != nil {
			return fmt.Errorf("coin, part %d: %w", at, err)
		}
	}
	if c.r, err = ParseScalar(b[5*Size:]); err != nil {
		return fmt.Errorf("coin: %w", err)
	}
	return nil
}

// Append adds the encoding: KeyID | A | B | Z | A' | B' | R.
func (c *Coin) Append(b []byte) []byte {
	return c.r.append(c.appendSigned(b))
}

// appendSigned adds all that the challenge of the mint's signature covers.
func (c *Coin) appendSigned(b []byte) []byte {
	b = append(b, c.key[:]...)
	for _, part := range [...]*[Size]byte{&c.a.enc, &c.b, &c.z.enc, &c.ca.enc, &c.cb.enc} {
		b = append(b, part[:]...)
	}
	return b
}

// challenge is c' of the mint's signature.
func (c *Coin) challenge() Scalar {
	var signed [CoinSize]byte
	return begin("coin").add(c.appendSigned(signed[:0])).challenge()
}

// abscissa is where the coin's line is answered for a spec.
func (c *Coin) abscissa(spec Digest) Scalar { return abscissaOf(c.challenge(), spec) }

// abscissaOf is abscissa for a coin by its challenge, which stands for all of it: it hashes everything
// but R, and a signature that holds has only one R.
func abscissaOf(challenge Scalar, spec Digest) Scalar {
	return begin("pay").add(challenge.enc[:]).add(spec[:]).challenge()
}

// lineB decodes B of a coin or blank.
func (c *Coin) lineB() (*Element, error) {
	b := new(Element)
	return b, c.parseB(b)
}

func (c *Coin) parseB(b *Element) error {
	if c.aidedB != nil {
		b.aided, b.enc = c.aidedB, c.b
		return nil
	}
	if err := b.parse(c.b); err != nil {
		return fmt.Errorf("coin, part 1: %w", err)
	}
	return nil
}

// ID gives the coin's identity.
func (c *Coin) ID() CoinID {
	return CoinID(begin("coin id").add(c.key[:]).add(c.a.enc[:]).add(c.b[:]).digest())
}

// Key gives the identity of the key that signed.
func (c *Coin) Key() KeyID { return c.key }

// VerifyVartime checks the mint's signature alone, equation by equation.
func (c *Coin) VerifyVartime(key *PublicKey) error {
	if c.key != key.id {
		return fmt.Errorf("coin of key %s checked with key %s: %w", c.key, key.id, ErrSignature)
	}
	if key.info.Kind != KindNote {
		if _, err := c.lineB(); err != nil {
			return err
		}
	}
	s := signed(&answered{coin: c, c: c.challenge()}, key)
	return s.checkVartime()
}

// Line is an answer: the ordinates of a coin's line at the abscissa that the payment fixes.
type Line struct{ R1, R2 Scalar }

// ParseLine reads 64 bytes.
func ParseLine(b []byte) (l Line, err error) {
	if len(b) != LineSize {
		return Line{}, fmt.Errorf("line of %d bytes, not %d: %w", len(b), LineSize, ErrEncoding)
	}
	if l.R1, err = ParseScalar(b[:Size]); err != nil {
		return Line{}, err
	}
	if l.R2, err = ParseScalar(b[Size:]); err != nil {
		return Line{}, err
	}
	return l, nil
}

// Append adds the encoding.
func (l Line) Append(b []byte) []byte {
	return l.R2.append(l.R1.append(b))
}

// Point3 is one point of a coin's line: abscissa and ordinates.
type Point3 struct {
	D    Scalar
	Line Line
}

// ParsePoint3 reads 96 bytes.
func ParsePoint3(b []byte) (p Point3, err error) {
	if len(b) != PointSize {
		return Point3{}, fmt.Errorf("point of %d bytes, not %d: %w", len(b), PointSize, ErrEncoding)
	}
	if p.D, err = ParseScalar(b[:Size]); err != nil {
		return Point3{}, err
	}
	if p.Line, err = ParseLine(b[Size:]); err != nil {
		return Point3{}, err
	}
	return p, nil
}

// Append adds the encoding.
func (p Point3) Append(b []byte) []byte { return p.Line.Append(p.D.append(b)) }

// ErrTrace means that two points name nobody: they are one point, or do not lie on one line.
var ErrTrace = errors.New("the two points are not of one line")

// TraceVartime gives the identity that two points of one line name, and the secret of it, which proves the guilt: nobody
// but its holder could know it before he answered twice. Whether the points belong to a coin is Guilt's to check.
func TraceVartime(a, b Point3) (Element, Scalar, error) {
	run := new(scalar.Scalar).Sub(a.D.num(), b.D.num())
	rise1 := new(scalar.Scalar).Sub(a.Line.R1.num(), b.Line.R1.num())
	rise2 := new(scalar.Scalar).Sub(a.Line.R2.num(), b.Line.R2.num())
	zero := new(scalar.Scalar)
	if run.Equal(zero) == 1 || rise1.Equal(zero) == 1 || rise2.Equal(zero) == 1 {
		return Element{}, Scalar{}, ErrTrace
	}
	u1 := rise1.Mul(rise1, rise2.Invert(rise2))
	return newElement(times1(u1)), open(u1), nil
}

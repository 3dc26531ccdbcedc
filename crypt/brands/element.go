package brands

import (
	"encoding/hex"
	"errors"
	"fmt"

	"github.com/oasisprotocol/curve25519-voi/curve"
	"github.com/oasisprotocol/curve25519-voi/curve/scalar"

	"jiaozi/crypt/brands/bulk"
)

// Size is the length of an encoded element and of an encoded scalar, in bytes.
const Size = 32

// ErrEncoding is wrapped by the errors of every decoder of this package: the bytes are not what any honest party sends.
var ErrEncoding = errors.New("not a valid encoding")

// Element is a point of ristretto255 other than the identity, decoded, with its
// encoding. It is immutable; the zero Element is none and must not be used.
// Compare elements by Equal or by Bytes: one point has many coordinates.
type Element struct {
	_     [0]func()            // == would compare coordinates
	p     curve.RistrettoPoint // none if aided has the point: it would equal everything, so only point reads it
	aided *bulk.Point          // of a payment that came with an aid; nil else
	enc   [Size]byte
}

// ParseElement reads the canonical encoding (RFC 9496) of an element and refuses the identity.
func ParseElement(b []byte) (e Element, err error) {
	if len(b) != Size {
		return e, fmt.Errorf("element of %d bytes, not %d: %w", len(b), Size, ErrEncoding)
	}
	err = e.parse([Size]byte(b))
	return e, err
}

// parse is ParseElement in place: an element is large, and a batch has many. After an error e is none.
func (e *Element) parse(enc [Size]byte) error {
	if enc == ([Size]byte{}) {
		return fmt.Errorf("element is the identity: %w", ErrEncoding)
	}
	if _, err := e.p.SetCompressed((*curve.CompressedRistretto)(&enc)); err != nil {
		return fmt.Errorf("element is not canonical: %w", ErrEncoding)
	}
	e.enc = enc
	return nil
}

// point gives the point for the library. One that was read for sums alone is decoded again, each time: who has such a one
// rarely asks.
func (e *Element) point() *curve.RistrettoPoint {
	if e.aided == nil {
		return &e.p
	}
	p, err := new(curve.RistrettoPoint).SetCompressed((*curve.CompressedRistretto)(&e.enc))
	if err != nil {
		panic(err) // bulk reads what the library reads
	}
	return p
}

// inBulk gives the point for bulk, decoding it if that was not done.
func (e *Element) inBulk() *bulk.Point {
	if e.aided != nil {
		return e.aided
	}
	p := new(bulk.Point)
	if !p.Decode(&e.enc, nil) {
		panic("brands: an element that is none") // bulk reads what the library reads
	}
	return p
}

// newElement encodes p, which may be the identity: only callers that hash or compare it, or drew it at random, may keep it.
func newElement(p *curve.RistrettoPoint) Element {
	var e Element
	e.p.Set(p)
	(*curve.CompressedRistretto)(&e.enc).SetRistrettoPoint(p)
	return e
}

// Bytes gives the canonical encoding.
func (e Element) Bytes() [Size]byte { return e.enc }

// Equal reports whether both are the same point.
func (e Element) Equal(f Element) bool { return e.enc == f.enc }

// IsZero reports whether there is no element.
func (e Element) IsZero() bool { return e.enc == [Size]byte{} }

// String gives the encoding in hexadecimal.
func (e Element) String() string { return hex.EncodeToString(e.enc[:]) }

// MarshalText is String.
func (e Element) MarshalText() ([]byte, error) { return []byte(e.String()), nil }

// Scalar is a public number modulo the group's order, such as a challenge or an answer. Compare with ==.
type Scalar struct{ enc [Size]byte }

// ParseScalar reads 32 bytes, little-endian, below the order.
func ParseScalar(b []byte) (Scalar, error) {
	if len(b) != Size {
		return Scalar{}, fmt.Errorf("scalar of %d bytes, not %d: %w", len(b), Size, ErrEncoding)
	}
	if !scalar.ScMinimalVartime(b) { // public numbers only: secrets have parseSecret
		return Scalar{}, fmt.Errorf("scalar is not below the group's order: %w", ErrEncoding)
	}
	return Scalar{[Size]byte(b)}, nil
}

// open publishes a number: call it on what the protocol sends.
func open(k *scalar.Scalar) (s Scalar) {
	if err := k.ToBytes(s.enc[:]); err != nil {
		panic(err) // the length is right
	}
	return s
}

// num gives the number for computing. The bits are below the order: ParseScalar and open make no others.
func (s *Scalar) num() *scalar.Scalar {
	k, err := new(scalar.Scalar).SetBits(s.enc[:])
	if err != nil {
		panic(err) // the length is right
	}
	return k
}

// Bytes gives the canonical encoding.
func (s Scalar) Bytes() [Size]byte { return s.enc }

func (s *Scalar) append(b []byte) []byte { return append(b, s.enc[:]...) }

// IsZero reports whether the number is 0.
func (s Scalar) IsZero() bool { return s == Scalar{} }

// String gives the encoding in hexadecimal.
func (s Scalar) String() string {
	return hex.EncodeToString(s.enc[:])
}

// MarshalText is String.
func (s Scalar) MarshalText() ([]byte, error) { return []byte(s.String()), nil }

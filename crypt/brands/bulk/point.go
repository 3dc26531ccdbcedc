package bulk

import (
	"encoding/binary"
	"math"

	"filippo.io/edwards25519/field"
)

// Witness is the inverse square root that decoding an element needs, 32 bytes, little-endian; either of the two roots.
type Witness [32]byte

// Point is a decoded element, ready to be added: (y+x)/2, (y-x)/2 and dxy of a point (x, y) of the curve. Halves,
// because an addition is then spared a doubling. The zero Point is none: Decode makes points, and nothing else does.
type Point struct {
	sides [2]field.Element // plus and minus
	td    field.Element
}

// The constants of the curve -x² + y² = 1 + dx²y².
var (
	one    = new(field.Element).One()
	half   = new(field.Element).Invert(new(field.Element).Add(one, one))
	curveD = new(field.Element).Multiply(new(field.Element).Negate(number(121665)), new(field.Element).Invert(number(121666)))
	minusD = new(field.Element).Negate(curveD)
	twoD   = new(field.Element).Add(curveD, curveD)

	minusOne = [32]byte(new(field.Element).Negate(one).Bytes())
)

func number(n uint32) *field.Element { return new(field.Element).Mult32(new(field.Element).One(), n) }

// canonical reports whether bytes are a number below 2^255-19.
func canonical(b *[32]byte) bool {
	top := binary.LittleEndian.Uint64(b[24:])
	if top != math.MaxInt64 {
		return top < math.MaxInt64
	}
	inner := binary.LittleEndian.Uint64(b[8:]) & binary.LittleEndian.Uint64(b[16:])
	return inner != math.MaxUint64 || binary.LittleEndian.Uint64(b[:]) < math.MaxUint64-18
}

func read(e *field.Element, b *[32]byte) {
	if _, err := e.SetBytes(b[:]); err != nil {
		panic(err) // the length is right
	}
}

// decoding is RFC 9496, 4.3.1, up to the root.
type decoding struct {
	s, u1, u2 field.Element
	v         field.Element
	square    field.Element // v·u2², whose inverse root is wanted
	root      field.Element
}

// start does what needs no root, and refuses what is no canonical, non-negative number, and -1, of which y would be 0.
func (d *decoding) start(enc *[32]byte) bool {
	if enc[0]&1 != 0 || !canonical(enc) || *enc == minusOne {
		return false
	}
	read(&d.s, enc)
	var ss, u1u1, u2u2 field.Element
	ss.Square(&d.s)
	d.u1.Subtract(one, &ss)
	d.u2.Add(one, &ss)
	u1u1.Square(&d.u1)
	u2u2.Square(&d.u2)
	d.v.Subtract(u1u1.Multiply(minusD, &u1u1), &u2u2)
	d.square.Multiply(&d.v, &u2u2)
	return true
}

// fits takes a witness for the root if it is one.
func (d *decoding) fits(w *Witness) bool {
	if w == nil || !canonical((*[32]byte)(w)) {
		return false
	}
	read(&d.root, (*[32]byte)(w))
	var check field.Element
	check.Square(&d.root)
	check.Multiply(&check, &d.square)
	return [32]byte(check.Bytes()) == [32]byte{1}
}

// extract finds the root by exponentiation.
func (d *decoding) extract() bool {
	_, square := d.root.SqrtRatio(one, &d.square)
	return square == 1
}

// finish gives half of x and y with dxy, from either root: x is made non-negative, and y has the root's square in it. That y
// is not 0 is settled: its other factors have an inverse, and start refused the one s that makes u1 vanish.
func (d *decoding) finish(p *Point) bool {
	var x, y, t field.Element
	y.Multiply(&d.root, &d.u2)
	x.Multiply(&d.s, &y) // half of x
	y.Multiply(&y, &d.root)
	y.Multiply(&y, &d.v)
	y.Multiply(&y, &d.u1)
	t.Add(&x, &x)
	if t.IsNegative() == 1 {
		t.Negate(&t)
		x.Negate(&x)
	}
	if t.Multiply(&t, &y).IsNegative() == 1 {
		return false
	}
	p.td.Multiply(curveD, &t)
	y.Multiply(&y, half)
	p.sides[0].Add(&y, &x)
	p.sides[1].Subtract(&y, &x)
	return true
}

// Decode reads the canonical encoding of an element (RFC 9496, 4.3.1), the identity's among them, and reports whether it
// is one; if not, p stays as it was. The witness, which may be nil, makes it faster and changes nothing else.
func (p *Point) Decode(enc *[32]byte, w *Witness) bool {
	var d decoding
	return d.start(enc) && (d.fits(w) || d.extract()) && d.finish(p)
}

// WitnessOf finds what lets others decode an element without an exponentiation, by one of its own. It reports false for
// bytes that are no canonical encoding of an element.
func WitnessOf(enc *[32]byte) (Witness, bool) {
	var d decoding
	if !d.start(enc) || !d.extract() || !d.finish(new(Point)) {
		return Witness{}, false
	}
	return Witness(d.root.Bytes()), true
}

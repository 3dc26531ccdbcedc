package bulk

import (
	"encoding/binary"
	"math"
	"sync"

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

// numbers are what the formulas for the curve -x² + y² = 1 + dx²y² have in them.
type numbers struct {
	one, half, d, minusD, twoD field.Element
	minusOne                   [32]byte
}

var (
	counted sync.Once
	known   numbers
)

// constants computes them when they are first needed: who links the package and does not use it, as a wallet does in a
// browser, then carries no arithmetic.
func constants() *numbers {
	counted.Do(func() {
		k := &known
		k.one.One()
		k.half.Invert(new(field.Element).Add(&k.one, &k.one))
		k.d.Multiply(new(field.Element).Negate(new(field.Element).Mult32(&k.one, 121665)),
			new(field.Element).Invert(new(field.Element).Mult32(&k.one, 121666)))
		k.minusD.Negate(&k.d)
		k.twoD.Add(&k.d, &k.d)
		k.minusOne = [32]byte(new(field.Element).Negate(&k.one).Bytes())
	})
	return &known
}

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
	*numbers
	s, u1, u2 field.Element
	v         field.Element
	square    field.Element // v·u2², whose inverse root is wanted
	root      field.Element
}

// start does what needs no root, and refuses what is no canonical, non-negative number, and -1, of which y would be 0.
func (d *decoding) start(enc *[32]byte) bool {
	if enc[0]&1 != 0 || !canonical(enc) || *enc == d.minusOne {
		return false
	}
	read(&d.s, enc)
	var ss, u1u1, u2u2 field.Element
	ss.Square(&d.s)
	d.u1.Subtract(&d.one, &ss)
	d.u2.Add(&d.one, &ss)
	u1u1.Square(&d.u1)
	u2u2.Square(&d.u2)
	d.v.Subtract(u1u1.Multiply(&d.minusD, &u1u1), &u2u2)
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
	_, square := d.root.SqrtRatio(&d.one, &d.square)
	return square == 1
}

// finish gives half of x and y with dxy, from either root: x is made non-negative, and y has the root's square in it. That y
// is not 0 is settled: its other factors have an inverse, and of the two s that make u1 vanish start refuses -1, and 1
// because it is odd, which is to say negative.
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
	p.td.Multiply(&d.d, &t)
	y.Multiply(&y, &d.half)
	p.sides[0].Add(&y, &x)
	p.sides[1].Subtract(&y, &x)
	return true
}

// Decode reads the canonical encoding of an element (RFC 9496, 4.3.1), the identity's among them, and reports whether it
// is one; if not, p stays as it was. The witness, which may be nil, makes it faster and changes nothing else.
func (p *Point) Decode(enc *[32]byte, w *Witness) bool {
	d := decoding{numbers: constants()}
	return d.start(enc) && (d.fits(w) || d.extract()) && d.finish(p)
}

// WitnessOf finds what lets others decode an element without an exponentiation, by one of its own. It reports false for
// bytes that are no canonical encoding of an element.
func WitnessOf(enc *[32]byte) (Witness, bool) {
	d := decoding{numbers: constants()}
	if !d.start(enc) || !d.extract() || !d.finish(new(Point)) {
		return Witness{}, false
	}
	return Witness(d.root.Bytes()), true
}

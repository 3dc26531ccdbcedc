package brands

import (
	"encoding/binary"
	"math/bits"
	"slices"

	"github.com/oasisprotocol/curve25519-voi/curve"
	"github.com/oasisprotocol/curve25519-voi/curve/scalar"

	"jiaozi/crypt/brands/bulk"
)

// A weight is a factor of 128 bits, the low half first.
type weight [2]uint64

const weightSize = 16 // a wrong equation survives in a sum with a chance of 2^-128

func parseWeight(b []byte) weight {
	return weight{binary.LittleEndian.Uint64(b), binary.LittleEndian.Uint64(b[8:])}
}

func (w weight) num() (k scalar.Scalar) {
	var b [Size]byte
	binary.LittleEndian.PutUint64(b[:], w[0])
	binary.LittleEndian.PutUint64(b[8:], w[1])
	if _, err := k.SetBits(b[:]); err != nil {
		panic(err) // the length is right
	}
	return k
}

// limbs gives the number as a whole one, the low limb first.
func (s *Scalar) limbs() (l [4]uint64) {
	for i := range l {
		l[i] = binary.LittleEndian.Uint64(s.enc[8*i:])
	}
	return l
}

// order is the group's, 2^252 + 27742317777372353535851937790883648493.
var order = [4]uint64{0x5812631a5cf5d3ed, 0x14def9dea2f79cd6, 0, 1 << 60}

// A tally adds up numbers times weights, without reducing them: a product has 381 bits, so that 2^131 of them fit.
type tally [8]uint64

// add adds wk.
func (t *tally) add(w weight, k [4]uint64) {
	for i, f := range w {
		var high, carry uint64
		for j, x := range k {
			hi, lo := bits.Mul64(f, x)
			lo, c := bits.Add64(lo, high, 0)
			high = hi + c // hi is below 2^64-1
			t[i+j], carry = bits.Add64(t[i+j], lo, carry)
		}
		t[i+4], carry = bits.Add64(t[i+4], high, carry)
		for j := i + 5; carry != 0; j++ {
			t[j], carry = bits.Add64(t[j], 0, carry)
		}
	}
}

// sub takes wk away, modulo the order; k is not above it.
func (t *tally) sub(w weight, k [4]uint64) {
	var borrow uint64
	for i, x := range order {
		k[i], borrow = bits.Sub64(x, k[i], borrow)
	}
	t.add(w, k)
}

// num reduces modulo the order.
func (t *tally) num() (k scalar.Scalar) {
	var b [8 * 8]byte
	for i, x := range t {
		binary.LittleEndian.PutUint64(b[8*i:], x)
	}
	if _, err := k.SetBytesModOrderWide(b[:]); err != nil {
		panic(err) // the length is right
	}
	return k
}

// A sum collects weighted equations: shared bases once, and of every coin five points.
type sum struct {
	g, g1, g2 tally
	keys      []*PublicKey
	ofKeys    []tally
	points    []*Element
	ofPoints  []scalar.Scalar
	plain     []*Element // with a weight of 1

	a   *Element // the last A, which a coin's signature shares with its line, and what belongs to it
	ofA tally

	call struct { // what the multi-exponentiation wants
		points   []*curve.RistrettoPoint
		ofPoints []*scalar.Scalar
	}
	bulk bulk.Sum
}

const pointsPerStatement = 3 // at most

// of adds up statements that were weighed, and nothing from before.
func (t *sum) of(list []statement) *sum {
	most := len(list) * pointsPerStatement
	*t = sum{
		keys: t.keys[:0], ofKeys: t.ofKeys[:0],
		points: slices.Grow(t.points[:0], most), ofPoints: slices.Grow(t.ofPoints[:0], most), plain: t.plain[:0],
		call: t.call, bulk: t.bulk,
	}
	for i := range list {
		t.add(&list[i])
	}
	t.closeA()
	return t
}

func (t *sum) term(k scalar.Scalar, p *Element) {
	t.points, t.ofPoints = append(t.points, p), append(t.ofPoints, k)
}

func (t *sum) weighed(w weight, p *Element) {
	if w == (weight{1}) {
		t.plain = append(t.plain, p)
		return
	}
	t.term(w.num(), p)
}

// tallyA is where the factors of an A are added up.
func (t *sum) tallyA(a *Element) *tally {
	if t.a != a {
		t.closeA()
		t.a = a
	}
	return &t.ofA
}

// closeA makes the last A a term like the others.
func (t *sum) closeA() {
	if t.a != nil {
		t.term(t.ofA.num(), t.a)
	}
	t.a, t.ofA = nil, tally{}
}

func (t *sum) tallyKey(key *PublicKey) *tally {
	at := slices.Index(t.keys, key)
	if at < 0 {
		at = len(t.keys)
		t.keys, t.ofKeys = append(t.keys, key), append(t.ofKeys, tally{})
	}
	return &t.ofKeys[at]
}

func (t *sum) add(s *statement) {
	w := s.weights[0]
	if s.key == nil {
		t.weighed(w, s.b)
		t.tallyA(s.a).add(w, s.at.D.limbs())
		t.g1.sub(w, s.at.Line.R1.limbs())
		t.g2.sub(w, s.at.Line.R2.limbs())
		return
	}
	c, r := s.c.limbs(), s.coin.r.limbs()
	t.weighed(w, &s.coin.ca)
	t.tallyKey(s.key).add(w, c)
	t.g.sub(w, r)
	w = s.weights[1]
	var ofZ tally
	ofZ.add(w, c)
	t.weighed(w, &s.coin.cb)
	t.term(ofZ.num(), &s.coin.z)
	t.tallyA(&s.coin.a).sub(w, r)
}

// isZeroVartime is the one multi-exponentiation, by the library.
func (t *sum) isZeroVartime() bool {
	bases := []*curve.ExpandedRistrettoPoint{fast0, fast1, fast2}
	ofBases := []scalar.Scalar{t.g.num(), t.g1.num(), t.g2.num()}
	for i, key := range t.keys {
		bases, ofBases = append(bases, key.fast), append(ofBases, t.ofKeys[i].num())
	}
	l := &t.call
	l.points, l.ofPoints = slices.Grow(l.points[:0], len(t.points)), pointers(l.ofPoints[:0], t.ofPoints)
	for _, p := range t.points {
		l.points = append(l.points, p.point())
	}
	var sum curve.RistrettoPoint
	sum.ExpandedMultiscalarMulVartime(pointers(nil, ofBases), bases, l.ofPoints, l.points)
	for _, p := range t.plain { // as they are: no table of multiples for them
		sum.Add(&sum, p.point())
	}
	return sum.IsIdentity()
}

// isZeroInBulkVartime is the same by bulk, which is faster for elements that were read with an aid.
func (t *sum) isZeroInBulkVartime() bool {
	t.bulk.Reset()
	t.bulk.Grow(len(t.points), len(t.points))
	for i, k := range [...]*tally{&t.g, &t.g1, &t.g2} {
		t.addInBulk(k.num(), basesInBulk()[i])
	}
	for i, key := range t.keys {
		t.addInBulk(t.ofKeys[i].num(), key.inBulk())
	}
	for i, p := range t.points {
		t.addInBulk(t.ofPoints[i], p.inBulk())
	}
	for _, p := range t.plain {
		t.addInBulk(weight{1}.num(), p.inBulk())
	}
	return t.bulk.IsZeroVartime()
}

func (t *sum) addInBulk(k scalar.Scalar, p *bulk.Point) {
	enc := open(&k).enc
	t.bulk.Add(&enc, p)
}

// pointers adds those to a list.
func pointers(to []*scalar.Scalar, list []scalar.Scalar) []*scalar.Scalar {
	to = slices.Grow(to, len(list))
	for i := range list {
		to = append(to, &list[i])
	}
	return to
}

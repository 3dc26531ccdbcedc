package brands

import (
	"fmt"
	"io"
	"slices"

	"github.com/oasisprotocol/curve25519-voi/curve"
	"github.com/oasisprotocol/curve25519-voi/curve/scalar"
)

// A statement is what a payment claims in equations, all over public data. With a key it is a signature,
//
//	a' + c'H - r'G = 0  and  b' + c'z' - r'A = 0
//
// and without one a point of the line of A and B,
//
//	B + dA - r1·G1 - r2·G2 = 0
type statement struct {
	key  *PublicKey
	coin *Coin
	c    Scalar

	a, b *Element
	at   Point3

	weights [2]weight // of the equations, in a sum
}

func signed(coin *Coin, key *PublicKey) statement {
	return statement{key: key, coin: coin, c: coin.challenge()}
}

func onLine(a, b *Element, at Point3) statement { return statement{a: a, b: b, at: at} }

var errEmpty = fmt.Errorf("a coin or line without elements: %w", ErrEncoding)

// empty reports a missing element, which no decoder leaves: without coordinates it would equal everything.
func (s *statement) empty() bool {
	if s.key == nil {
		return s.a.IsZero() || s.b.IsZero()
	}
	return s.coin.a.IsZero() || s.coin.z.IsZero() || s.coin.ca.IsZero() || s.coin.cb.IsZero()
}

// checkVartime tries a statement by itself.
func (s *statement) checkVartime() error {
	if s.empty() {
		return errEmpty
	}
	var sum curve.RistrettoPoint
	if s.key == nil {
		d := new(scalar.Scalar).Neg(s.at.D.num())
		sum.ExpandedMultiscalarMulVartime([]*scalar.Scalar{s.at.Line.R1.num(), s.at.Line.R2.num()}, []*curve.ExpandedRistrettoPoint{fast1, fast2},
			[]*scalar.Scalar{d}, []*curve.RistrettoPoint{&s.a.p})
		if sum.Equal(&s.b.p) != 1 {
			return ErrLine
		}
		return nil
	}
	c, r := new(scalar.Scalar).Neg(s.c.num()), s.coin.r.num()
	if !sum.ExpandedTripleScalarMulBasepointVartime(c, s.key.fast, r, &s.coin.ca.p).IsIdentity() {
		return ErrSignature
	}
	sum.MultiscalarMulVartime([]*scalar.Scalar{r, c}, []*curve.RistrettoPoint{&s.coin.a.p, &s.coin.z.p})
	if sum.Equal(&s.coin.cb.p) != 1 {
		return ErrSignature
	}
	return nil
}

// equations is the number of a statement's equations.
func (s *statement) equations() int {
	if s.key == nil {
		return 1
	}
	return 2
}

// A sum collects weighted equations: shared bases once, and of every coin five points.
type sum struct {
	g, g1, g2 total // to be taken away: a subtraction costs twice an addition
	keys      []*PublicKey
	ofKeys    []total
	points    []*curve.RistrettoPoint
	ofPoints  []total
	lastA     int // place of the A that was added last: a coin's signature and its line share it
}

func newSum(points int) *sum {
	return &sum{points: make([]*curve.RistrettoPoint, 0, points), ofPoints: make([]total, 0, points)}
}

var one = limbs{1}

func (t *sum) term(w *weight, k limbs, p *Element) {
	t.points, t.ofPoints = append(t.points, &p.p), append(t.ofPoints, total{})
	t.ofPoints[len(t.ofPoints)-1].add(w, k)
}

// termA is term for an A, which statements in a row share.
func (t *sum) termA(w *weight, k limbs, a *Element) {
	if t.lastA < len(t.points) && t.points[t.lastA] == &a.p {
		t.ofPoints[t.lastA].add(w, k)
		return
	}
	t.lastA = len(t.points)
	t.term(w, k, a)
}

func (t *sum) termKey(w *weight, k limbs, key *PublicKey) {
	at := slices.Index(t.keys, key)
	if at < 0 {
		at = len(t.keys)
		t.keys, t.ofKeys = append(t.keys, key), append(t.ofKeys, total{})
	}
	t.ofKeys[at].add(w, k)
}

func (t *sum) add(s *statement) {
	w := &s.weights[0]
	if s.key == nil {
		t.term(w, one, s.b)
		t.termA(w, s.at.D.limbs(), s.a)
		t.g1.add(w, s.at.Line.R1.limbs())
		t.g2.add(w, s.at.Line.R2.limbs())
		return
	}
	t.term(w, one, &s.coin.ca)
	t.termKey(w, s.c.limbs(), s.key)
	t.g.add(w, s.coin.r.limbs())
	w = &s.weights[1]
	t.term(w, one, &s.coin.cb)
	t.term(w, s.c.limbs(), &s.coin.z)
	t.termA(w, s.coin.r.minus(), &s.coin.a)
}

// isZeroVartime is the one multi-exponentiation.
func (t *sum) isZeroVartime() bool {
	bases, ofBases := []*curve.ExpandedRistrettoPoint{fast0, fast1, fast2}, make([]*scalar.Scalar, 3, 3+len(t.keys))
	for i, k := range []*total{&t.g, &t.g1, &t.g2} {
		ofBases[i] = k.number(new(scalar.Scalar))
		ofBases[i].Neg(ofBases[i])
	}
	for i, key := range t.keys {
		bases, ofBases = append(bases, key.fast), append(ofBases, t.ofKeys[i].number(new(scalar.Scalar)))
	}
	numbers, ofPoints := make([]scalar.Scalar, len(t.ofPoints)), make([]*scalar.Scalar, len(t.ofPoints))
	for i := range ofPoints {
		ofPoints[i] = t.ofPoints[i].number(&numbers[i])
	}
	var zero curve.RistrettoPoint
	return zero.ExpandedMultiscalarMulVartime(ofBases, bases, ofPoints, t.points).IsIdentity()
}

const pointsPerStatement = 3 // at most

// allHoldVartime takes the statements, which were weighed, together.
func allHoldVartime(list []statement) bool {
	t := newSum(len(list) * pointsPerStatement)
	for i := range list {
		t.add(&list[i])
	}
	return t.isZeroVartime()
}

// firstFaultVartime tries one statement after the other, for the error that says what is wrong.
func firstFaultVartime(list []statement) error {
	for i := range list {
		if err := list[i].checkVartime(); err != nil {
			return err
		}
	}
	return nil
}

// verifyVartime is both: one sum, and only if that fails the equations one by one.
func verifyVartime(list []statement, rand io.Reader) error {
	if err := weigh(list, rand); err != nil {
		return err
	}
	if allHoldVartime(list) {
		return nil
	}
	return firstFaultVartime(list)
}

// VerifyBatchVartime checks many payments at once, a few thousand being best, and gives the places of the bad ones,
// ascending; terms[i] belongs to ps[i]. It costs half to a third of checking one by one while all are good, and up to
// twelve times more than that while none is: who hands in bad ones should soon be checked by himself. What is wrong
// with a bad one, VerifyVartime says. An error means that nothing was decided.
func VerifyBatchVartime(keys Keys, ps []*Payment, terms []Digest, rand io.Reader) (bad []int, err error) {
	if len(ps) != len(terms) {
		return nil, fmt.Errorf("%d payments with %d terms: give one for each", len(ps), len(terms))
	}
	batch := batch{list: make([]statement, 0, 2*len(ps)), ends: []int{0}}
	place := make([]int, 0, len(ps))
	for i, p := range ps {
		list, err := p.statements(batch.list, keys, &terms[i])
		if err != nil {
			bad = append(bad, i)
			continue
		}
		batch.list, batch.ends, place = list, append(batch.ends, len(list)), append(place, i)
	}
	if err := weigh(batch.list, rand); err != nil {
		return nil, err
	}
	if !allHoldVartime(batch.list) {
		for _, i := range batch.bisectVartime(0, len(place)) {
			bad = append(bad, place[i])
		}
		slices.Sort(bad)
	}
	return bad, nil
}

// A batch holds the statements of many payments; those of payment i end at ends[i+1].
type batch struct {
	list []statement
	ends []int
}

func (b *batch) holdVartime(from, to int) bool {
	return allHoldVartime(b.list[b.ends[from]:b.ends[to]])
}

// bisectVartime finds the bad ones among payments from to to, of which at least one is bad.
func (b *batch) bisectVartime(from, to int) []int {
	if to-from == 1 {
		return []int{from}
	}
	half := (from + to) / 2
	if b.holdVartime(from, half) {
		return b.bisectVartime(half, to) // the fault must be there
	}
	bad := b.bisectVartime(from, half)
	if !b.holdVartime(half, to) {
		bad = append(bad, b.bisectVartime(half, to)...)
	}
	return bad
}

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

func signed(at *answered, key *PublicKey) statement {
	return statement{key: key, coin: at.coin, c: at.c}
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
			[]*scalar.Scalar{d}, []*curve.RistrettoPoint{s.a.point()})
		if sum.Equal(s.b.point()) != 1 {
			return ErrLine
		}
		return nil
	}
	c, r := new(scalar.Scalar).Neg(s.c.num()), s.coin.r.num()
	if !sum.ExpandedTripleScalarMulBasepointVartime(c, s.key.fast, r, s.coin.ca.point()).IsIdentity() {
		return ErrSignature
	}
	sum.MultiscalarMulVartime([]*scalar.Scalar{r, c}, []*curve.RistrettoPoint{s.coin.a.point(), s.coin.z.point()})
	if sum.Equal(s.coin.cb.point()) != 1 {
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

// weigh draws the weights of a list of statements. One equation may weigh 1, because the others weigh by chance beside it:
// that saves a payee some additions.
func weigh(list []statement, rand io.Reader) error {
	n := 0
	for i := range list {
		n += list[i].equations()
	}
	b := make([]byte, n*weightSize)
	if _, err := io.ReadFull(rand, b); err != nil {
		return fmt.Errorf("draw weights: %w", err)
	}
	for i := range list {
		for n := range list[i].equations() {
			list[i].weights[n], b = parseWeight(b), b[weightSize:]
		}
	}
	if len(list) > 0 {
		list[0].weights[0] = weight{1}
	}
	return nil
}

// claims are statements of payments, one payment after the other, with what they point to. They can be emptied and
// filled again without new memory.
type claims struct {
	list  []statement
	chain []answered // of the last payment
	lines []Element  // the coins' B
}

func (c *claims) empty() { c.list, c.lines = c.list[:0], c.lines[:0] }

// grow makes room for so many coins.
func (c *claims) grow(coins int) {
	c.list, c.lines = slices.Grow(c.list, 2*coins), slices.Grow(c.lines, coins)
}

// lineOf decodes a coin's B.
func (c *claims) lineOf(coin *Coin) (*Element, error) {
	c.lines = append(c.lines, Element{})
	b := &c.lines[len(c.lines)-1]
	return b, coin.parseB(b)
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
	if new(sum).of(list).isZeroVartime() {
		return nil
	}
	return firstFaultVartime(list)
}

// VerifyBatchVartime checks many payments at once, a few thousand being best, and gives the places of the bad ones,
// ascending; terms[i] belongs to ps[i]. It costs half to a third of checking one by one while all are good, and up to
// twelve times more than that while none is: who hands in bad ones should soon be checked by himself. What is wrong
// with a bad one, VerifyVartime says. An error means that nothing was decided. Payments that ParseAidedPayment read
// share sums of their own: with decoding they cost two thirds of the others.
func VerifyBatchVartime(keys Keys, ps []*Payment, terms []Digest, rand io.Reader) (bad []int, err error) {
	if len(ps) != len(terms) {
		return nil, fmt.Errorf("%d payments with %d terms: give one for each", len(ps), len(terms))
	}
	var plain, aided []int
	for i, p := range ps {
		if p.aided() {
			aided = append(aided, i)
		} else {
			plain = append(plain, i)
		}
	}
	b := batch{rand: rand}
	for share := range slices.Chunk(plain, atATime) {
		if bad, err = b.verifyVartime(bad, keys, ps, terms, share); err != nil {
			return nil, err
		}
	}
	b.inBulk = true
	for share := range slices.Chunk(aided, inBulkAtATime) {
		if bad, err = b.verifyVartime(bad, keys, ps, terms, share); err != nil {
			return nil, err
		}
	}
	slices.Sort(bad)
	return bad, nil
}

// How many payments share a sum, by the library and in bulk. The sum costs each of them less the more they are, until what
// it goes through time and again, some 200 bytes a point, no longer fits the processor's cache; bulk goes through its points
// in their order, which a processor foresees.
const (
	atATime       = 2048
	inBulkAtATime = 4096
)

// A batch holds what many payments claim; what payment place[i] does ends at ends[i+1].
type batch struct {
	rand   io.Reader
	inBulk bool // all of them were read with an aid
	claims
	sum   sum
	place []int
	ends  []int
}

// verifyVartime is VerifyBatchVartime for the payments at some places, which share a sum: it adds the bad ones to a list.
func (b *batch) verifyVartime(bad []int, keys Keys, ps []*Payment, terms []Digest, places []int) ([]int, error) {
	b.empty()
	b.place, b.ends = b.place[:0], append(b.ends[:0], 0)
	b.grow(len(places))
	for _, i := range places {
		good := len(b.list)
		if err := ps[i].state(&b.claims, keys, &terms[i]); err != nil {
			b.list, bad = b.list[:good], append(bad, i)
			continue
		}
		b.place, b.ends = append(b.place, i), append(b.ends, len(b.list))
	}
	if err := weigh(b.list, b.rand); err != nil {
		return nil, err
	}
	if !b.holdVartime(0, len(b.place)) {
		for _, i := range b.bisectVartime(0, len(b.place)) {
			bad = append(bad, b.place[i])
		}
	}
	return bad, nil
}

func (b *batch) holdVartime(from, to int) bool {
	sum := b.sum.of(b.list[b.ends[from]:b.ends[to]])
	if b.inBulk {
		return sum.isZeroInBulkVartime()
	}
	return sum.isZeroVartime()
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

package bulk

import (
	"fmt"
	"testing"

	"github.com/oasisprotocol/curve25519-voi/curve"
	"github.com/oasisprotocol/curve25519-voi/curve/scalar"
)

// sample gives n numbers and points, of which three in five numbers are short, as in a batch of coins, and some at the
// edges: 0, 1, the order less one, 2^128-1 and 2^128. Points repeat, with their opposites.
func sample(t testing.TB, n int) (ks []*scalar.Scalar, ps []*curve.RistrettoPoint) {
	t.Helper()
	for i := range n {
		ks = append(ks, someNumber(t, n, i))
		p, _ := element(t, i-i%7)
		if i%14 > 11 {
			p = curve.NewRistrettoPoint().Neg(p)
		}
		if n > 500 || i%7 > 4 {
			p, _ = element(t, i)
		}
		ps = append(ps, p)
	}
	return ks, ps
}

func someNumber(t testing.TB, n, i int) *scalar.Scalar {
	t.Helper()
	one := scalar.NewFromUint64(1)
	ones := [32]byte{}
	for at := range 16 {
		ones[at] = 0xff
	}
	edge, err := scalar.NewFromCanonicalBytes(ones[:])
	if err != nil {
		t.Fatal(err)
	}
	switch (i + n) % 31 {
	case 3:
		return scalar.New()
	case 7:
		return one
	case 11:
		return scalar.New().Neg(one)
	case 13:
		return edge
	case 17:
		return scalar.New().Add(edge, one)
	}
	seed := noise("number", n*10000+i)
	if i%5 < 3 {
		clear(seed[16:])
	}
	k, err := scalar.NewFromBytesModOrderWide(seed[:])
	if err != nil {
		t.Fatal(err)
	}
	return k
}

func bytesOf(t testing.TB, k *scalar.Scalar) (b [32]byte) {
	t.Helper()
	if err := k.ToBytes(b[:]); err != nil {
		t.Fatal(err)
	}
	return b
}

func (s *Sum) fill(t testing.TB, ks []*scalar.Scalar, ps []*curve.RistrettoPoint) {
	t.Helper()
	for i, k := range ks {
		b := bytesOf(t, k)
		s.Add(&b, decoded(t, encode(ps[i])))
	}
}

// Goal: a sum is zero exactly if the library says so. Method: the library adds up as many points; its sum, encoded and
// decoded again and so with other coordinates, is taken away, which must leave nothing; then the generator is added. One
// Sum does it all, so that what an earlier one left would show.
func TestSumsAreThoseOfTheLibrary(t *testing.T) {
	var sizes []int
	for n := range 300 {
		sizes = append(sizes, n+1)
	}
	if testing.Short() {
		sizes = []int{1, 2, 3, 5, 40, 299}
	}
	var s Sum
	minusOne := bytesOf(t, scalar.New().Neg(scalar.NewFromUint64(1)))
	one := bytesOf(t, scalar.NewFromUint64(1))
	base := decoded(t, encode(curve.RISTRETTO_BASEPOINT_POINT))
	for _, n := range append(sizes, 1023, 2500, 6000) {
		ks, ps := sample(t, n)
		total := decoded(t, encode(curve.NewRistrettoPoint().MultiscalarMulVartime(ks, ps)))
		s.fill(t, ks, ps)
		s.Add(&minusOne, total)
		if !s.IsZeroVartime() {
			t.Errorf("%d points: something is left", n)
		}
		s.fill(t, ks, ps)
		s.Add(&minusOne, total)
		s.Add(&one, base)
		if s.IsZeroVartime() {
			t.Errorf("%d points: a point too many is overlooked", n)
		}
	}
	if !s.IsZeroVartime() {
		t.Error("nothing is not zero")
	}
}

// TestEveryWidthGivesTheSum: the choice of a width is one of speed only.
func TestEveryWidthGivesTheSum(t *testing.T) {
	ks, ps := sample(t, 93)
	total := decoded(t, encode(curve.NewRistrettoPoint().MultiscalarMulVartime(ks, ps)))
	for w := 2; w <= 16; w++ {
		for _, wrong := range []bool{false, true} {
			var s Sum
			s.fill(t, ks, ps)
			minusOne := bytesOf(t, scalar.New().Neg(scalar.NewFromUint64(1)))
			if wrong {
				minusOne[0]--
			}
			s.Add(&minusOne, total)
			if s.isZeroVartime(w) == wrong {
				t.Errorf("width %d, wrong %v", w, wrong)
			}
		}
	}
}

// TestOppositePointsCancel: kP and (order-k)P, and kP with -kP, leave nothing; twice the same does.
func TestOppositePointsCancel(t *testing.T) {
	p, enc := element(t, 1)
	minus := decoded(t, encode(curve.NewRistrettoPoint().Neg(p)))
	for i := range 40 {
		k := someNumber(t, 1, i)
		b, other := bytesOf(t, k), bytesOf(t, scalar.New().Neg(k))
		for what, add := range map[string]func(s *Sum){
			"the other number": func(s *Sum) { s.Add(&other, decoded(t, enc)) },
			"the other point":  func(s *Sum) { s.Add(&b, minus) },
		} {
			var s Sum
			s.Add(&b, decoded(t, enc))
			add(&s)
			if !s.IsZeroVartime() {
				t.Errorf("%x times a point, and %s: something is left", b, what)
			}
		}
		var s Sum
		s.Add(&b, decoded(t, enc))
		s.Add(&b, decoded(t, enc))
		if want := b == [32]byte{}; s.IsZeroVartime() != want {
			t.Errorf("%x times a point twice: zero is not %v", b, want)
		}
	}
}

// TestEveryIdentityIsZero: the four points of the curve that are ristretto's identity count as zero, and the four points of
// order 8, which no sum of decoded points reaches, do not.
func TestEveryIdentityIsZero(t *testing.T) {
	identity := decoded(t, [32]byte{})
	var five Sum
	five.Add(&[32]byte{5}, identity)
	if !five.IsZeroVartime() {
		t.Error("five times the identity is something")
	}
	for i, torsion := range curve.EIGHT_TORSION {
		var edwards [32]byte
		(*curve.CompressedEdwardsY)(&edwards).SetEdwardsPoint(torsion)
		s := fromEdwards(t, edwards)
		if want := i%2 == 0; s.isZero() != want {
			t.Errorf("torsion point %d: zero is not %v", i, want)
		}
	}
}

// fromEdwards reads RFC 8032's encoding of a point.
func fromEdwards(t testing.TB, enc [32]byte) *accumulator {
	t.Helper()
	negative := enc[31]>>7 == 1
	enc[31] &= 0x7f
	k, s := constants(), new(accumulator)
	s.full = true
	read(&s.y, &enc)
	s.z.One()
	var u, v = s.t, s.t
	u.Square(&s.y)
	v.Multiply(&k.d, &u)
	u.Subtract(&u, &k.one)
	v.Add(&v, &k.one)
	if _, square := s.x.SqrtRatio(&u, &v); square != 1 {
		t.Fatalf("%x is no point", enc)
	}
	if (s.x.IsNegative() == 1) != negative {
		s.x.Negate(&s.x)
	}
	s.t.Multiply(&s.x, &s.y)
	return s
}

// TestAPointThatIsNoneIsNotAdded: without coordinates it would make every sum zero.
func TestAPointThatIsNoneIsNotAdded(t *testing.T) {
	defer func() {
		if recover() == nil {
			t.Error("a point that is none was added")
		}
	}()
	new(Sum).Add(&[32]byte{1}, new(Point))
}

func BenchmarkSum(b *testing.B) {
	for _, coins := range []int{64, 1024, 2048, 4096} {
		ks, ps := sample(b, 5*coins)
		var s, filled Sum
		filled.fill(b, ks, ps)
		b.Run(fmt.Sprintf("bulk-%d", coins), func(b *testing.B) {
			for b.Loop() {
				s.Reset()
				s.short.numbers, s.short.points = append(s.short.numbers, filled.short.numbers...), append(s.short.points, filled.short.points...)
				s.long.numbers, s.long.points = append(s.long.numbers, filled.long.numbers...), append(s.long.points, filled.long.points...)
				s.IsZeroVartime()
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*coins), "ns/coin")
		})
		b.Run(fmt.Sprintf("library-%d", coins), func(b *testing.B) {
			sum := curve.NewRistrettoPoint()
			for b.Loop() {
				sum.MultiscalarMulVartime(ks, ps)
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*coins), "ns/coin")
		})
	}
}

package brands

import (
	"crypto/sha512"
	"sync"

	"github.com/oasisprotocol/curve25519-voi/curve"
	"github.com/oasisprotocol/curve25519-voi/curve/scalar"

	"jiaozi/crypt/brands/bulk"
)

// The generators G (the group's base point), G1 and G2. Nobody knows a number k with G1 = kG or the like: G1 and G2 are
// hashes of their names.
var (
	g1 = generator("G1")
	g2 = generator("G2")

	fast0 = curve.NewExpandedRistrettoPoint(curve.RISTRETTO_BASEPOINT_POINT)
	fast1 = curve.NewExpandedRistrettoPoint(g1)
	fast2 = curve.NewExpandedRistrettoPoint(g2)
)

var shared struct {
	once   sync.Once
	inBulk [3]*bulk.Point
}

// basesInBulk are G, G1 and G2 for sums in bulk, decoded when a mint first needs them.
func basesInBulk() *[3]*bulk.Point {
	shared.once.Do(func() {
		for i, p := range [...]*curve.RistrettoPoint{curve.RISTRETTO_BASEPOINT_POINT, g1, g2} {
			e := newElement(p)
			shared.inBulk[i] = e.inBulk()
		}
	})
	return &shared.inBulk
}

// Tables for constant-time multiples, made when first needed: a payee needs none.
var (
	table1 = sync.OnceValue(func() *curve.RistrettoBasepointTable { return curve.NewRistrettoBasepointTable(g1) })
	table2 = sync.OnceValue(func() *curve.RistrettoBasepointTable { return curve.NewRistrettoBasepointTable(g2) })
)

func generator(name string) *curve.RistrettoPoint {
	sum := sha512.Sum512(begin(name))
	p, err := curve.NewRistrettoPoint().SetUniformBytes(sum[:])
	if err != nil {
		panic(err) // the length is right
	}
	return p
}

// times0, times1 and times2 give kG, kG1 and kG2 in constant time; times gives kP.
func times0(k *scalar.Scalar) *curve.RistrettoPoint {
	return new(curve.RistrettoPoint).MulBasepoint(curve.RISTRETTO_BASEPOINT_TABLE, k)
}

func times1(k *scalar.Scalar) *curve.RistrettoPoint {
	return new(curve.RistrettoPoint).MulBasepoint(table1(), k)
}

func times2(k *scalar.Scalar) *curve.RistrettoPoint {
	return new(curve.RistrettoPoint).MulBasepoint(table2(), k)
}

func times(p *curve.RistrettoPoint, k *scalar.Scalar) *curve.RistrettoPoint {
	return new(curve.RistrettoPoint).Mul(p, k)
}

// multiplier gives kP of one P in constant time.
type multiplier func(k *scalar.Scalar) *curve.RistrettoPoint

func ofPoint(p *curve.RistrettoPoint) multiplier {
	return func(k *scalar.Scalar) *curve.RistrettoPoint { return times(p, k) }
}

func plus(p *curve.RistrettoPoint, more ...*curve.RistrettoPoint) *curve.RistrettoPoint {
	sum := new(curve.RistrettoPoint).Set(p)
	for _, q := range more {
		sum.Add(sum, q)
	}
	return sum
}

// mulAdd gives ab + c.
func mulAdd(a, b, c *scalar.Scalar) *scalar.Scalar {
	k := new(scalar.Scalar).Mul(a, b)
	return k.Add(k, c)
}

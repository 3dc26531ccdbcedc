package coins

import (
	"crypto/sha512"

	"github.com/oasisprotocol/curve25519-voi/curve"
	"github.com/oasisprotocol/curve25519-voi/curve/scalar"

	"jiaozi/sim/bench/meter"
)

// group is the library with nothing around it, and numbers and points to feed it.
type group struct {
	scalars []*scalar.Scalar
	points  []*curve.RistrettoPoint
	fixed   []*curve.ExpandedRistrettoPoint
	encoded *curve.CompressedRistretto
}

const perCoin = 5 // elements in a coin's encoding

// newGroup has points enough for coins in a chain.
func newGroup(coins int) (*group, error) {
	g := &group{encoded: curve.NewCompressedRistretto()}
	for i := range perCoin*coins + maxFixed {
		seed := sha512.Sum512([]byte{byte(i), byte(i >> 8)})
		k, err := scalar.NewFromBytesModOrderWide(seed[:])
		if err != nil {
			return nil, err
		}
		p := curve.NewRistrettoPoint().MulBasepoint(curve.RISTRETTO_BASEPOINT_TABLE, k)
		if i%perCoin < 3 { // A', B' and B carry weights of 128 bits, A and Z whole numbers
			short := make([]byte, scalar.ScalarSize)
			if err := k.ToBytes(short); err != nil {
				return nil, err
			}
			clear(short[16:])
			if k, err = scalar.NewFromCanonicalBytes(short); err != nil {
				return nil, err
			}
		}
		g.scalars, g.points = append(g.scalars, k), append(g.points, p)
		if i < maxFixed {
			g.fixed = append(g.fixed, curve.NewExpandedRistrettoPoint(p))
		}
	}
	g.encoded.SetRistrettoPoint(g.points[0])
	return g, nil
}

const maxFixed = 5 // shared bases: G, G1, G2, and the keys of coins and of blanks

// issue is the least that signs a coin blindly: two multiples, one of them of the group's base, and their encodings.
func (g *group) issue() error {
	var a, b curve.RistrettoPoint
	a.MulBasepoint(curve.RISTRETTO_BASEPOINT_TABLE, g.scalars[3])
	b.Mul(g.points[0], g.scalars[3])
	var enc curve.CompressedRistretto
	enc.SetRistrettoPoint(&a)
	enc.SetRistrettoPoint(&b)
	return nil
}

// issueMany is issue for all coins of a withdrawal: one table of multiples of the account's point serves them all.
func (g *group) issueMany() error {
	table := curve.NewRistrettoBasepointTable(g.points[0])
	var enc curve.CompressedRistretto
	for range perWithdrawal {
		var a, b curve.RistrettoPoint
		a.MulBasepoint(curve.RISTRETTO_BASEPOINT_TABLE, g.scalars[3])
		b.MulBasepoint(table, g.scalars[3])
		enc.SetRistrettoPoint(&a)
		enc.SetRistrettoPoint(&b)
	}
	return nil
}

// pay is the least that answers: one hash, two products and two sums.
func (g *group) pay() error {
	var coin [256]byte
	sum := sha512.Sum512(coin[:])
	d, err := scalar.NewFromBytesModOrderWide(sum[:])
	if err != nil {
		return err
	}
	for i := range 2 {
		k := new(scalar.Scalar).Mul(d, g.scalars[i])
		k.Add(k, g.scalars[i+2])
	}
	return nil
}

func (g *group) decode(n int) meter.Task {
	return func() error {
		var p curve.RistrettoPoint
		for range n {
			if _, err := p.SetCompressed(g.encoded); err != nil {
				return err
			}
		}
		return nil
	}
}

// check is the least that checks a chain of so many coins: to decode them, and one sum.
func (g *group) check(coins, fixed int) meter.Task {
	decode := g.decode(perCoin * coins)
	return func() error {
		if err := decode(); err != nil {
			return err
		}
		var sum curve.RistrettoPoint
		n := perCoin * coins
		sum.ExpandedMultiscalarMulVartime(g.scalars[n:n+fixed], g.fixed[:fixed], g.scalars[:n], g.points[:n])
		return nil
	}
}

package brands

import (
	"math/rand/v2"
	"testing"

	"github.com/oasisprotocol/curve25519-voi/curve/scalar"
)

// Goal: a total is what the library makes of the same products one by one. Method: random and extreme weights and numbers,
// in sums of every length up to some hundred.
func TestTotalsAgreeWithTheLibrary(t *testing.T) {
	draw := rand.New(rand.NewPCG(1, 2))
	last := new(scalar.Scalar).Neg(scalar.One()) // the greatest number
	numbers := []Scalar{{}, open(scalar.One()), open(last)}
	weights := []weight{{}, {1}, {^uint64(0), ^uint64(0)}, {0, 1}, {^uint64(0), 0}}
	for range 20 {
		numbers = append(numbers, open(rawScalar(draw.Int())))
		weights = append(weights, weight{draw.Uint64(), draw.Uint64()})
	}
	var sum total
	want := scalar.New()
	for i, w := range weights {
		for j, k := range numbers {
			var alone total
			alone.add(&w, one)
			asNumber := alone.number(scalar.New())
			product := new(scalar.Scalar).Mul(asNumber, k.num())
			if (i+j)%3 == 0 {
				sum.add(&w, k.minus())
				want.Sub(want, product)
			} else {
				sum.add(&w, k.limbs())
				want.Add(want, product)
			}
			if sum.number(scalar.New()).Equal(want) != 1 {
				t.Fatalf("after weight %d and number %d the total is another", i, j)
			}
		}
	}
}

// Goal: more products than any batch has do not overflow a total.
func TestTotalsHaveRoom(t *testing.T) {
	most, w := limbs{^uint64(0), ^uint64(0), ^uint64(0), 1<<61 - 1}, weight{^uint64(0), ^uint64(0)}
	var sum total
	for range 1 << 20 {
		sum.add(&w, most)
	}
	if sum[6] >= 1<<20 || sum[7] != 0 {
		t.Errorf("2^20 products fill %v", sum)
	}
}

package brands

import (
	"math"
	"testing"

	"github.com/oasisprotocol/curve25519-voi/curve/scalar"
	"pgregory.net/rapid"
)

// TestTalliesAgreeWithTheLibrary: sums and differences of products, with the least and greatest numbers among them.
func TestTalliesAgreeWithTheLibrary(t *testing.T) {
	word := rapid.OneOf(rapid.Just(uint64(0)), rapid.Just(uint64(1)), rapid.Just(uint64(math.MaxUint64)), rapid.Uint64())
	number := rapid.OneOf(rapid.Just(new(scalar.Scalar)), rapid.Just(rawMinusOne()), rapid.Map(rapid.Int(), rawScalar))
	rapid.Check(t, func(r *rapid.T) {
		var ours tally
		theirs := new(scalar.Scalar)
		for range rapid.IntRange(0, 20).Draw(r, "terms") {
			w := weight{word.Draw(r, "low"), word.Draw(r, "high")}
			k := number.Draw(r, "k")
			wide, s := w.num(), open(k)
			product := new(scalar.Scalar).Mul(&wide, k)
			if rapid.Bool().Draw(r, "add") {
				ours.add(w, s.limbs())
				theirs.Add(theirs, product)
			} else {
				ours.sub(w, s.limbs())
				theirs.Sub(theirs, product)
			}
			if got := ours.num(); got.Equal(theirs) != 1 {
				r.Fatalf("%v", ours)
			}
		}
	})
}

// TestTheOrderIsTheGroups: one less is the greatest scalar.
func TestTheOrderIsTheGroups(t *testing.T) {
	s := open(rawMinusOne())
	less := s.limbs()
	less[0]++
	if less != order {
		t.Errorf("%x", less)
	}
}

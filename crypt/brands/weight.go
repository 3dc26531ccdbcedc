package brands

import (
	"encoding/binary"
	"fmt"
	"io"
	"math/bits"

	"github.com/oasisprotocol/curve25519-voi/curve/scalar"
)

// A weight is a random number of 128 bits, least limb first. A wrong equation survives in a sum with a chance of 2^-128.
type weight [2]uint64

const weightSize = 16 // bytes

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
			list[i].weights[n] = weight{binary.LittleEndian.Uint64(b), binary.LittleEndian.Uint64(b[8:])}
			b = b[weightSize:]
		}
	}
	if len(list) > 0 {
		list[0].weights[0] = weight{1}
	}
	return nil
}

// limbs are a public number below 2^253, the least first.
type limbs [4]uint64

// order is that of the group, 2^252 + 27742317777372353535851937790883648493.
var order = limbs{0x5812631a5cf5d3ed, 0x14def9dea2f79cd6, 0, 1 << 60}

func (s *Scalar) limbs() (l limbs) {
	for i := range l {
		l[i] = binary.LittleEndian.Uint64(s.enc[8*i:])
	}
	return l
}

// minus is the order less the number, which counts as the number taken away.
func (s *Scalar) minus() (l limbs) {
	k, borrow := s.limbs(), uint64(0)
	for i := range l {
		l[i], borrow = bits.Sub64(order[i], k[i], borrow)
	}
	return l
}

// A total is a sum of products of weights and numbers, all of them public, before it is divided by the group's order: one
// division for a sum instead of two for each product. It has room for 2^130 products.
type total [8]uint64

// add adds w·k.
func (t *total) add(w *weight, k limbs) {
	for i, x := range w {
		var carry uint64
		for j, y := range k {
			hi, lo := bits.Mul64(x, y)
			var c uint64
			lo, c = bits.Add64(lo, carry, 0)
			hi += c // neither this nor the next overflows: (2^64-1)^2 + 2(2^64-1) is 2^128-1
			t[i+j], c = bits.Add64(t[i+j], lo, 0)
			carry = hi + c
		}
		for j := i + len(k); carry != 0; j++ {
			t[j], carry = bits.Add64(t[j], carry, 0)
		}
	}
}

// number divides the total by the order, and puts the rest into k.
func (t *total) number(k *scalar.Scalar) *scalar.Scalar {
	var b [8 * len(total{})]byte
	for i, x := range t {
		binary.LittleEndian.PutUint64(b[8*i:], x)
	}
	var err error
	if t[3] < order[3] && t[4]|t[5]|t[6]|t[7] == 0 { // a weight alone: below the order
		_, err = k.SetBits(b[:Size])
	} else {
		_, err = k.SetBytesModOrderWide(b[:])
	}
	if err != nil {
		panic(err) // the lengths are right
	}
	return k
}

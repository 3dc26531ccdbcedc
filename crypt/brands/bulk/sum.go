package bulk

import (
	"encoding/binary"
	"slices"
)

// Sum adds up multiples of points by Pippenger's method: numbers are cut into digits of one width, and the points that
// have a digit in common are added first and multiplied later, all digits together. The zero Sum is empty and ready.
type Sum struct {
	short, long terms // by the length of their numbers: for the upper digits only the long ones are gone through
	buckets     []bucket
}

// Lengths of numbers in bits. The uppermost digit takes a carry and must stay within half of the others' range: a short number
// gets a bit for that. A long one is below the order, 2^252 and a little, and meets no carry when its uppermost bit is set.
const (
	shortBits = 128 + 1
	longBits  = 253
)

// terms are numbers, not yet in digits, and their points.
type terms struct {
	numbers [][4]uint64 // the low limb first
	points  []Point
}

// Reset empties the sum and keeps its memory.
func (s *Sum) Reset() {
	s.short.reset()
	s.long.reset()
}

func (t *terms) reset() { t.numbers, t.points = t.numbers[:0], t.points[:0] }

// Grow makes room for so many more terms with short numbers (below 2^128) and with others.
func (s *Sum) Grow(short, long int) {
	s.short.grow(short)
	s.long.grow(long)
}

func (t *terms) grow(n int) {
	t.numbers, t.points = slices.Grow(t.numbers, n), slices.Grow(t.points, n)
}

// Add adds kP; k is little-endian and below the group's order, and p is copied.
func (s *Sum) Add(k *[32]byte, p *Point) {
	if *p == (Point{}) {
		panic("bulk: a point that was never decoded") // it would make every sum zero
	}
	var number [4]uint64
	for i := range number {
		number[i] = binary.LittleEndian.Uint64(k[8*i:])
	}
	t := &s.long
	if number[2]|number[3] == 0 {
		t = &s.short
	}
	t.numbers, t.points = append(t.numbers, number), append(t.points, *p)
}

// IsZeroVartime reports whether the sum is the identity of ristretto255, and empties it.
func (s *Sum) IsZeroVartime() bool { return s.isZeroVartime(s.width()) }

func (s *Sum) isZeroVartime(width int) bool {
	if need := 1<<(width-1) + 1; len(s.buckets) < need {
		s.buckets = make([]bucket, need)
	}
	upper, lower := s.long.cut(width, longBits), s.short.cut(width, shortBits)
	var sum accumulator
	for at := max(upper, lower) - 1; at >= 0; at-- {
		for range width {
			sum.double()
		}
		highest := s.long.distribute(s.buckets, at, upper, width)
		if at < lower {
			highest = max(highest, s.short.distribute(s.buckets, at, lower, width))
		}
		sum.collect(s.buckets[:highest+1])
	}
	s.Reset()
	return sum.isZero()
}

// Widths of digits, in bits. Wider than maxWidth the buckets outgrow a processor's second cache.
const (
	minWidth = 3
	maxWidth = 12
)

// width chooses the digits' width by counting multiplications of the field.
func (s *Sum) width() (best int) {
	least := 0
	for w := minWidth; w <= maxWidth; w++ {
		upper, lower := digits(longBits, w), digits(shortBits, w)
		if len(s.long.points) == 0 {
			upper = lower
		}
		cost := mixedCost*(lower*len(s.short.points)+upper*len(s.long.points)) + upper*(bucketCost<<(w-1)+doubleCost*w)
		if best == 0 || cost < least {
			best, least = w, cost
		}
	}
	return best
}

// Multiplications for an addition of a point to a bucket, for a bucket's share in the sum (two additions, less one because
// a bucket's first point is copied), and for a doubling.
const (
	mixedCost  = 7
	bucketCost = 11
	doubleCost = 8
)

// digits is how many digits a number of so many bits has.
func digits(bits, width int) int { return (bits + width - 1) / width }

// cut prepares the numbers for signed digits, from -2^(width-1) up: adding half a digit's range at every place but the
// uppermost makes each a plain one, that much too high.
func (t *terms) cut(width, bits int) int {
	if len(t.numbers) == 0 {
		return 0
	}
	places := digits(bits, width)
	var excess [4]uint64
	for at := range places - 1 {
		bit := at*width + width - 1
		excess[bit/64] |= 1 << (bit % 64)
	}
	for i := range t.numbers {
		addTo(&t.numbers[i], &excess)
	}
	return places
}

// distribute adds each point to the bucket of its digit at a place, and gives the highest bucket that has something.
func (t *terms) distribute(buckets []bucket, at, places, width int) (highest int) {
	offset, mask := 1<<(width-1), uint64(1)<<width-1
	if at == places-1 {
		offset = 0
	}
	limb, shift := at*width/64, uint(at*width%64)
	for i := range t.points {
		number := &t.numbers[i]
		bits := number[limb] >> shift
		if limb < 3 {
			bits |= number[limb+1] << (64 - shift)
		}
		digit := int(bits&mask) - offset
		if digit == 0 {
			continue
		}
		p, away := &t.points[i], uint64(digit)>>63
		digit = (digit ^ -int(away)) + int(away) // its amount: which sign it has is chance, so nothing branches on it
		highest = max(highest, digit)
		buckets[digit].add(&p.sides[away], &p.sides[1-away], &p.td, away)
	}
	return highest
}

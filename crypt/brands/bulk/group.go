package bulk

import (
	"math/bits"

	"filippo.io/edwards25519/field"
)

// The formulas are those of Hisil, Wong, Carter and Dawson (2008) for a = -1. They are complete: they hold for equal
// points, opposite ones and the identity too.

// extended is a point (x/z, y/z) with t = xy/z.
type extended struct{ x, y, z, t field.Element }

// ready is a point ready to be added many times: y+x, y-x, 2dt, 2z.
type ready struct{ plus, minus, t2d, z2 field.Element }

func (p *extended) ready(k *numbers) (r ready) {
	r.plus.Add(&p.y, &p.x)
	r.minus.Subtract(&p.y, &p.x)
	r.t2d.Multiply(&p.t, &k.twoD)
	r.z2.Add(&p.z, &p.z)
	return r
}

// add makes p the sum of q and r; p may be q.
func (p *extended) add(q *extended, r *ready) {
	var a, b, c, d, e field.Element
	a.Subtract(&q.y, &q.x)
	b.Add(&q.y, &q.x)
	a.Multiply(&a, &r.minus)
	b.Multiply(&b, &r.plus)
	c.Multiply(&q.t, &r.t2d)
	d.Multiply(&q.z, &r.z2)
	e.Subtract(&b, &a)
	b.Add(&b, &a)
	a.Subtract(&d, &c)
	d.Add(&d, &c)
	p.x.Multiply(&e, &a)
	p.y.Multiply(&d, &b)
	p.t.Multiply(&e, &b)
	p.z.Multiply(&a, &d)
}

// bucket is a sum of points; what is in it counts only if it is full.
type bucket struct {
	extended
	full bool
}

// add adds a Point by its parts, or, with plus and minus exchanged and away = 1, takes it away. Which of the two is chance,
// so nothing branches on it.
func (b *bucket) add(plus, minus, td *field.Element, away uint64) {
	if !b.full {
		b.full = true
		b.x.Subtract(plus, minus)
		b.y.Add(plus, minus)
		b.z.One()
		b.t.Multiply(&b.x, &b.y)
		return
	}
	var e, h, c field.Element
	var fg [2]field.Element
	f, g := &fg[0], &fg[1]
	e.Subtract(&b.y, &b.x)
	h.Add(&b.y, &b.x)
	e.Multiply(&e, minus)
	h.Multiply(&h, plus)
	c.Multiply(&b.t, td)
	fg[away].Subtract(&b.z, &c)
	fg[1-away].Add(&b.z, &c)
	c.Subtract(&h, &e)
	h.Add(&h, &e)
	b.x.Multiply(&c, f)
	b.y.Multiply(g, &h)
	b.t.Multiply(&c, &h)
	b.z.Multiply(f, g)
}

// accumulator is the sum on its way from the uppermost digits down. The zero accumulator is empty.
type accumulator struct{ bucket }

func (s *accumulator) double() {
	if !s.full {
		return
	}
	var a, b, c, e, f field.Element
	a.Square(&s.x)
	b.Square(&s.y)
	c.Square(&s.z)
	c.Add(&c, &c)
	e.Add(&s.x, &s.y)
	e.Square(&e)
	f.Add(&a, &b)
	e.Subtract(&f, &e)
	a.Subtract(&a, &b)
	c.Add(&c, &a)
	s.x.Multiply(&e, &c)
	s.y.Multiply(&a, &f)
	s.t.Multiply(&e, &f)
	s.z.Multiply(&c, &a)
}

// collect adds every bucket as often as its number says, and empties it: the buckets from the highest down are added one
// by one, and after each the sum so far.
func (s *accumulator) collect(buckets []bucket) {
	k := constants()
	var above bucket
	var ready ready
	for i := len(buckets) - 1; i > 0; i-- {
		if b := &buckets[i]; b.full {
			if above.full {
				above.extended.add(&b.extended, &ready)
			} else {
				above = *b
			}
			ready, b.full = above.ready(k), false
		}
		switch {
		case !above.full:
		case s.full:
			s.extended.add(&s.extended, &ready)
		default:
			s.bucket = above
		}
	}
}

// isZero reports whether the sum is the identity of ristretto255: of the points that Decode makes and their sums, those
// equal to it are the four of the curve's whose order divides 4, and they alone have a coordinate that is 0.
func (s *accumulator) isZero() bool {
	var zero field.Element
	return !s.full || s.x.Equal(&zero) == 1 || s.y.Equal(&zero) == 1
}

func addTo(sum, more *[4]uint64) {
	var carry uint64
	for i, x := range more {
		sum[i], carry = bits.Add64(sum[i], x, carry)
	}
}

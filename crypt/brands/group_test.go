package brands

import (
	"bytes"
	"crypto/sha512"
	"encoding/hex"
	"testing"

	"filippo.io/edwards25519"
	"filippo.io/edwards25519/field"
	"github.com/oasisprotocol/curve25519-voi/curve"
	"github.com/oasisprotocol/curve25519-voi/curve/scalar"
	"pgregory.net/rapid"
)

// The group a second time: RFC 9496 written out on another library's field and curve, to compare the one we use with.

func small(n uint32) *field.Element { return new(field.Element).Mult32(new(field.Element).One(), n) }
func neg(a *field.Element) *field.Element {
	return new(field.Element).Negate(a)
}
func mul(a *field.Element, more ...*field.Element) *field.Element {
	p := new(field.Element).Set(a)
	for _, b := range more {
		p.Multiply(p, b)
	}
	return p
}
func add(a, b *field.Element) *field.Element { return new(field.Element).Add(a, b) }
func sub(a, b *field.Element) *field.Element { return new(field.Element).Subtract(a, b) }
func either(yes, no *field.Element, cond int) *field.Element {
	return new(field.Element).Select(yes, no, cond)
}
func abs(a *field.Element) *field.Element { return new(field.Element).Absolute(a) }
func root(u, v *field.Element) (*field.Element, int) {
	return new(field.Element).SqrtRatio(u, v)
}

// The constants of RFC 9496, 4.1, computed from d = -121665/121666 and i = √-1.
var (
	feOne           = new(field.Element).One()
	feD             = mul(neg(small(121665)), new(field.Element).Invert(small(121666)))
	feSqrtM1        = func() *field.Element { r, _ := root(neg(feOne), feOne); return r }()
	feInvSqrtAMinus = func() *field.Element { r, _ := root(feOne, sub(neg(feOne), feD)); return r }()
	feSqrtADMinus   = func() *field.Element { r, _ := root(sub(neg(feD), feOne), feOne); return neg(r) }() // the odd root
	feOneMinusDSq   = sub(feOne, mul(feD, feD))
	feDMinusOneSq   = mul(sub(feD, feOne), sub(feD, feOne))
)

// secondDecode is RFC 9496, 4.3.1.
func secondDecode(b []byte) (*edwards25519.Point, bool) {
	s, err := new(field.Element).SetBytes(b)
	if err != nil || !bytes.Equal(s.Bytes(), b) || s.IsNegative() == 1 {
		return nil, false
	}
	ss := mul(s, s)
	u1, u2 := sub(feOne, ss), add(feOne, ss)
	v := sub(neg(mul(feD, u1, u1)), mul(u2, u2))
	inv, square := root(feOne, mul(v, u2, u2))
	dx := mul(inv, u2)
	x := abs(mul(add(s, s), dx))
	y := mul(u1, inv, dx, v)
	t := mul(x, y)
	if square == 0 || t.IsNegative() == 1 || y.Equal(new(field.Element)) == 1 {
		return nil, false
	}
	p, err := new(edwards25519.Point).SetExtendedCoordinates(x, y, feOne, t)
	return p, err == nil
}

// secondEncode is RFC 9496, 4.3.2.
func secondEncode(p *edwards25519.Point) []byte {
	x0, y0, z0, t0 := p.ExtendedCoordinates()
	u1, u2 := mul(add(z0, y0), sub(z0, y0)), mul(x0, y0)
	inv, _ := root(feOne, mul(u1, u2, u2))
	den1, den2 := mul(inv, u1), mul(inv, u2)
	zInv := mul(den1, den2, t0)
	rotate := mul(t0, zInv).IsNegative()
	x, y := either(mul(y0, feSqrtM1), x0, rotate), either(mul(x0, feSqrtM1), y0, rotate)
	den := either(mul(den1, feInvSqrtAMinus), den2, rotate)
	y = either(neg(y), y, mul(x, zInv).IsNegative())
	return abs(mul(den, sub(z0, y))).Bytes()
}

// secondMap is MAP of RFC 9496, 4.3.4.
func secondMap(b []byte) *edwards25519.Point {
	masked := bytes.Clone(b)
	masked[31] &= 0x7f
	t, err := new(field.Element).SetBytes(masked)
	if err != nil {
		panic(err)
	}
	r := mul(feSqrtM1, t, t)
	u := mul(add(r, feOne), feOneMinusDSq)
	v := mul(sub(neg(feOne), mul(r, feD)), add(r, feD))
	s, square := root(u, v)
	s = either(s, neg(abs(mul(s, t))), square)
	c := either(neg(feOne), r, square)
	n := sub(mul(c, sub(r, feOne), feDMinusOneSq), v)
	w0, w1 := mul(add(s, s), v), mul(n, feSqrtADMinus)
	w2, w3 := sub(feOne, mul(s, s)), add(feOne, mul(s, s))
	p, err := new(edwards25519.Point).SetExtendedCoordinates(mul(w0, w3), mul(w2, w1), mul(w1, w3), mul(w0, w2))
	if err != nil {
		panic(err)
	}
	return p
}

func secondHash(sum [64]byte) *edwards25519.Point {
	return new(edwards25519.Point).Add(secondMap(sum[:32]), secondMap(sum[32:]))
}

// The multiples 0 to 15 of the generator: RFC 9496, A.1.
var multiples = []string{
	"0000000000000000000000000000000000000000000000000000000000000000",
	"e2f2ae0a6abc4e71a884a961c500515f58e30b6aa582dd8db6a65945e08d2d76",
	"6a493210f7499cd17fecb510ae0cea23a110e8d5b901f8acadd3095c73a3b919",
	"94741f5d5d52755ece4f23f044ee27d5d1ea1e2bd196b462166b16152a9d0259",
	"da80862773358b466ffadfe0b3293ab3d9fd53c5ea6c955358f568322daf6a57",
	"e882b131016b52c1d3337080187cf768423efccbb517bb495ab812c4160ff44e",
	"f64746d3c92b13050ed8d80236a7f0007c3b3f962f5ba793d19a601ebb1df403",
	"44f53520926ec81fbd5a387845beb7df85a96a24ece18738bdcfa6a7822a176d",
	"903293d8f2287ebe10e2374dc1a53e0bc887e592699f02d077d5263cdd55601c",
	"02622ace8f7303a31cafc63f8fc48fdc16e1c8c8d234b2f0d6685282a9076031",
	"20706fd788b2720a1ed2a5dad4952b01f413bcf0e7564de8cdc816689e2db95f",
	"bce83f8ba5dd2fa572864c24ba1810f9522bc6004afe95877ac73241cafdab42",
	"e4549ee16b9aa03099ca208c67adafcafa4c3f3e4e5303de6026e3ca8ff84460",
	"aa52e000df2e16f55fb1032fc33bc42742dad6bd5a8fc0be0167436c5948501f",
	"46376b80f409b29dc2b5f6f0c52591990896e5716f41477cd30085ab7f10301e",
	"e0c418f7c8d9c4cdd7395b93ea124f3ad99021bb681dfc3302a9d99a2e53e64e",
}

// What no element encodes to: RFC 9496, A.2. Overlong, negative, not on the curve, and the odd ones out.
var noElements = []string{
	"00ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff", "ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
	"f3ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f", "edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
	"0100000000000000000000000000000000000000000000000000000000000000", "01ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
	"ed57ffd8c914fb201471d1c3d245ce3c746fcbe63a3679d51b6a516ebebe0e20", "c34c4e1826e5d403b78e246e88aa051c36ccf0aafebffe137d148a2bf9104562",
	"c940e5a4404157cfb1628b108db051a8d439e1a421394ec4ebccb9ec92a8ac78", "47cfc5497c53dc8e61c91d17fd626ffb1c49e2bca94eed052281b510b1117a24",
	"f1c6165d33367351b0da8f6e4511010c68174a03b6581212c71c0e1d026c3c72", "87260f7a2f12495118360f02c26a470f450dadf34a413d21042b43b9d93e1309",
	"26948d35ca62e643e26a83177332e6b6afeb9d08e4268b650f1f5bbd8d81d371", "4eac077a713c57b4f4397629a4145982c661f48044dd3f96427d40b147d9742f",
	"de6a7b00deadc788eb6b6c8d20c0ae96c2f2019078fa604fee5b87d6e989ad7b", "bcab477be20861e01e4a0e295284146a510150d9817763caf1a6f4b422d67042",
	"2a292df7e32cababbd9de088d1d1abec9fc0440f637ed2fba145094dc14bea08", "f4a9e534fc0d216c44b218fa0c42d99635a0127ee2e53c712f70609649fdff22",
	"8268436f8c4126196cf64b3c7ddbda90746a378625f9813dd9b8457077256731", "2810e5cbc2cc4d4eece54f61c6f69758e289aa7ab440b3cbeaa21995c2f4232b",
	"3eb858e78f5a7254d8c9731174a94f76755fd3941c0ac93735c07ba14579630e", "a45fdc55c76448c049a1ab33f17023edfb2be3581e9c7aade8a6125215e04220",
	"d483fe813c6ba647ebbfd3ec41adca1c6130c2beeee9d9bf065c8d151c5f396e", "8a2e1d30050198c65a54483123960ccc38aef6848e1ec8f5f780e8523769ba32",
	"32888462f8b486c68ad7dd9610be5192bbeaf3b443951ac1a8118419d9fa097b", "227142501b9d4355ccba290404bde41575b037693cef1f438c47f8fbf35d1165",
	"5c37cc491da847cfeb9281d407efc41e15144c876e0170b499a96a22ed31e01e", "445425117cb8c90edcbc7c1cc0e74f747f2c1efa5630a967c64f287792a48a4b",
	"ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
}

// TestGroupIsThatOfRFC9496: multiples of the generator and encodings that must be refused, in both implementations.
func TestGroupIsThatOfRFC9496(t *testing.T) {
	p := edwards25519.NewIdentityPoint()
	for n, want := range multiples {
		enc := got(hex.DecodeString(want))(t)
		k := scalar.NewFromUint64(uint64(n))
		if e := newElement(times0(k)); e.String() != want || !bytes.Equal(secondEncode(p), enc) {
			t.Errorf("multiple %d: %s and %x", n, e, secondEncode(p))
		}
		if e, err := ParseElement(enc); (err == nil) != (n > 0) || n > 0 && e.point().Equal(times0(k)) != 1 {
			t.Errorf("multiple %d: %v", n, err)
		}
		p.Add(p, edwards25519.NewGeneratorPoint())
	}
	for _, enc := range noElements {
		b := got(hex.DecodeString(enc))(t)
		if _, err := ParseElement(b); err == nil {
			t.Errorf("%s was read", enc)
		}
		if _, ok := secondDecode(b); ok {
			t.Errorf("%s was read by the second implementation", enc)
		}
	}
	// The example of RFC 9496, A.3.
	sum := sha512.Sum512([]byte("Ristretto is traditionally a short shot of espresso coffee"))
	q, err := curve.NewRistrettoPoint().SetUniformBytes(sum[:])
	const want = "3066f82a1a747d45120d1740f14358531a8f04bbffe6a819f86dfe50f44a0a46"
	if err != nil || newElement(q).String() != want || hex.EncodeToString(secondEncode(secondHash(sum))) != want {
		t.Error("hash to group:", newElement(q), err)
	}
}

// TestGeneratorsAreHashesOfTheirNames: they are part of every coin there is; the second implementation finds the same.
func TestGeneratorsAreHashesOfTheirNames(t *testing.T) {
	for name, g := range map[string]*curve.RistrettoPoint{"G1": g1, "G2": g2} {
		label := "jiaozi/brands/1/" + name
		sum := sha512.Sum512(append([]byte{0, 0, 0, byte(len(label))}, label...))
		if want := hex.EncodeToString(secondEncode(secondHash(sum))); newElement(g).String() != want {
			t.Errorf("%s is %s, not %s", name, newElement(g), want)
		}
	}
}

// TestTwoLibrariesAgree: on hashing to the group, decoding, adding, multiplying by every function that this package uses,
// and encoding.
func TestTwoLibrariesAgree(t *testing.T) {
	rapid.Check(t, func(r *rapid.T) {
		draw := func(name string) (Element, *edwards25519.Point) {
			sum := sha512.Sum512(rapid.SliceOf(rapid.Byte()).Draw(r, name))
			p := got(curve.NewRistrettoPoint().SetUniformBytes(sum[:]))(t)
			e := got(ParseElement(sliceOf(newElement(p).enc)))(t)
			q, ok := secondDecode(e.enc[:])
			if !ok || !bytes.Equal(secondEncode(secondHash(sum)), e.enc[:]) || !bytes.Equal(secondEncode(q), e.enc[:]) {
				r.Fatal("hash to group:", e)
			}
			return e, q
		}
		p, p2 := draw("p")
		q, q2 := draw("q")
		k, l := rawScalar(rapid.Int().Draw(r, "k")), rawScalar(rapid.Int().Draw(r, "l"))
		k2, l2 := secondScalar(t, k), secondScalar(t, l)
		base := edwards25519.NewGeneratorPoint()
		mult := func(k *edwards25519.Scalar, p *edwards25519.Point) *edwards25519.Point {
			return new(edwards25519.Point).ScalarMult(k, p)
		}
		sum2 := new(edwards25519.Point).Add(mult(k2, p2), mult(l2, q2))
		kl := secondScalar(t, mulAdd(k, l, l)) // k·l + l
		fast := curve.NewExpandedRistrettoPoint(p.point())
		var v, e, x, d curve.RistrettoPoint
		v.MultiscalarMulVartime([]*scalar.Scalar{k, l}, []*curve.RistrettoPoint{p.point(), q.point()})
		e.ExpandedMultiscalarMulVartime([]*scalar.Scalar{k}, []*curve.ExpandedRistrettoPoint{fast}, []*scalar.Scalar{l}, []*curve.RistrettoPoint{q.point()})
		x.ExpandedDoubleScalarMulBasepointVartime(k, fast, l)
		d.ExpandedTripleScalarMulBasepointVartime(k, fast, l, &x)
		if !d.IsIdentity() || d.ExpandedTripleScalarMulBasepointVartime(k, fast, l, q.point()).IsIdentity() {
			r.Fatal("check of kP + lG against a point")
		}
		table := curve.NewRistrettoBasepointTable(p.point())
		for what, pair := range map[string]struct {
			ours   *curve.RistrettoPoint
			theirs *edwards25519.Point
		}{
			"p + q":          {plus(p.point(), q.point()), new(edwards25519.Point).Add(p2, q2)},
			"kG":             {times0(k), mult(k2, base)},
			"kP":             {times(p.point(), k), mult(k2, p2)},
			"kP by table":    {new(curve.RistrettoPoint).MulBasepoint(table, k), mult(k2, p2)},
			"kP + lQ":        {&v, sum2},
			"kP + lQ, fast":  {&e, sum2},
			"kP + lG, fast":  {&x, new(edwards25519.Point).Add(mult(k2, p2), mult(l2, base))},
			"(kl + l)G":      {times0(mulAdd(k, l, l)), mult(new(edwards25519.Scalar).MultiplyAdd(k2, l2, l2), base)},
			"(kl + l)G once": {times0(mulAdd(k, l, l)), mult(kl, base)},
			"P/k·k":          {times(times(p.point(), new(scalar.Scalar).Invert(k)), k), p2},
		} {
			if enc := newElement(pair.ours).enc; !bytes.Equal(enc[:], secondEncode(pair.theirs)) {
				r.Fatalf("%s: %x and %x", what, enc, secondEncode(pair.theirs))
			}
		}
	})
}

func secondScalar(t *testing.T, k *scalar.Scalar) *edwards25519.Scalar {
	t.Helper()
	enc := open(k).Bytes()
	return got(edwards25519.NewScalar().SetCanonicalBytes(enc[:]))(t)
}

// TestLargeSumsAgree: the library sums many points in another way than few; both give Σ k_i·j_i·G.
func TestLargeSumsAgree(t *testing.T) {
	for _, n := range []int{1, 9, 189, 190, 499, 501, 799, 801} {
		var ks []*scalar.Scalar
		var ps []*curve.RistrettoPoint
		total := new(scalar.Scalar)
		for i := range n {
			k, j := rawScalar(i), rawScalar(i+n)
			ks, ps = append(ks, k), append(ps, times0(j))
			total.Add(total, new(scalar.Scalar).Mul(k, j))
		}
		if new(curve.RistrettoPoint).MultiscalarMulVartime(ks, ps).Equal(times0(total)) != 1 {
			t.Errorf("sum of %d points", n)
		}
	}
}

// FuzzDecodeElement: both implementations read the same encodings, as the same element.
func FuzzDecodeElement(f *testing.F) {
	for _, enc := range append(multiples, noElements...) {
		f.Add(got(hex.DecodeString(enc))(f))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		e, err := ParseElement(b)
		p, ok := secondDecode(b)
		if len(b) != Size || bytes.Equal(b, make([]byte, Size)) {
			ok = false // the identity is an element, but none of ours
		}
		if (err == nil) != ok || ok && !bytes.Equal(secondEncode(p), sliceOf(newElement(e.point()).enc)) {
			t.Errorf("%x: %v, and %v by the second implementation", b, err, ok)
		}
	})
}

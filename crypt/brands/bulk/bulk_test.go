package bulk

import (
	"bytes"
	"crypto/sha512"
	"encoding/binary"
	"encoding/hex"
	"testing"

	"filippo.io/edwards25519/field"
	"github.com/oasisprotocol/curve25519-voi/curve"
)

// noise gives bytes that look random and are the same in every run.
func noise(what string, n int) [64]byte {
	return sha512.Sum512(binary.BigEndian.AppendUint64([]byte(what), uint64(n)))
}

// element gives an element of the library and its encoding.
func element(t testing.TB, n int) (*curve.RistrettoPoint, [32]byte) {
	t.Helper()
	seed := noise("element", n)
	p, err := curve.NewRistrettoPoint().SetUniformBytes(seed[:])
	if err != nil {
		t.Fatal(err)
	}
	return p, encode(p)
}

func encode(p *curve.RistrettoPoint) (enc [32]byte) {
	(*curve.CompressedRistretto)(&enc).SetRistrettoPoint(p)
	return enc
}

// libraryReads is the library's judgement of an encoding.
func libraryReads(enc *[32]byte) bool {
	_, err := curve.NewRistrettoPoint().SetCompressed((*curve.CompressedRistretto)(enc))
	return err == nil
}

// affine gives x and y of a Point.
func affine(p *Point) (x, y *field.Element) {
	return new(field.Element).Subtract(&p.sides[0], &p.sides[1]), new(field.Element).Add(&p.sides[0], &p.sides[1])
}

// reencode is RFC 9496, 4.3.2, for z = 1.
func reencode(p *Point) (enc [32]byte) {
	x, y := affine(p)
	mul := func(a, b *field.Element) *field.Element { return new(field.Element).Multiply(a, b) }
	k := constants()
	one := &k.one
	t := mul(x, y)
	u1 := mul(new(field.Element).Add(one, y), new(field.Element).Subtract(one, y))
	u2 := t
	inv, _ := new(field.Element).SqrtRatio(one, mul(u1, mul(u2, u2)))
	den1, den2 := mul(inv, u1), mul(inv, u2)
	zInv := mul(mul(den1, den2), t)
	den := den2
	if mul(t, zInv).IsNegative() == 1 {
		i, _ := new(field.Element).SqrtRatio(new(field.Element).Negate(one), one)
		x, y = mul(y, i), mul(x, i)
		minusOneMinusD := new(field.Element).Subtract(new(field.Element).Negate(one), &k.d)
		root, _ := new(field.Element).SqrtRatio(one, minusOneMinusD)
		den = mul(den1, root)
	}
	if mul(x, zInv).IsNegative() == 1 {
		y = new(field.Element).Negate(y)
	}
	s := mul(den, new(field.Element).Subtract(one, y))
	return [32]byte(s.Absolute(s).Bytes())
}

// decoded reads what must be an element.
func decoded(t testing.TB, enc [32]byte) *Point {
	t.Helper()
	p := new(Point)
	if !p.Decode(&enc, nil) {
		t.Fatalf("%x was refused", enc)
	}
	return p
}

// witnesses are what may come with an encoding: the right root and the other one, which must do, and everything else.
func witnesses(t testing.TB, enc *[32]byte, n int) map[string]*Witness {
	t.Helper()
	random, other := noise("witness", n), noise("other", n)
	list := map[string]*Witness{"none": nil, "zero": {}, "random": (*Witness)(random[:32]), "the order of the field": {0: 0xed, 31: 0x7f}, "all ones": new(Witness)}
	for i := 1; i < 31; i++ {
		list["the order of the field"][i] = 0xff
	}
	for i := range list["all ones"] {
		list["all ones"][i] = 0xff
	}
	w, ok := WitnessOf(enc)
	if !ok {
		w = Witness(other[:32])
	}
	root, err := new(field.Element).SetBytes(w[:])
	if err != nil {
		t.Fatal(err)
	}
	minus, off, high := Witness(new(field.Element).Negate(root).Bytes()), w, w
	off[7] ^= 1
	high[31] ^= 0x80
	list["right"], list["negated"], list["one bit off"], list["top bit set"] = &w, &minus, &off, &high
	return list
}

// check holds Decode against the library, with every kind of witness.
func check(t testing.TB, enc [32]byte, n int) {
	t.Helper()
	want := libraryReads(&enc)
	if w, ok := WitnessOf(&enc); ok != want || !ok && w != (Witness{}) {
		t.Errorf("%x: its witness: %v, by the library %v", enc, ok, want)
	}
	var first Point
	first.Decode(&enc, nil)
	for what, w := range witnesses(t, &enc, n) {
		var p Point
		ok := p.Decode(&enc, w)
		if ok != want {
			t.Errorf("%x, witness %s: %v, by the library %v", enc, what, ok, want)
		}
		if ok && (reencode(&p) != enc || !samePoint(&p, &first)) || !ok && p != (Point{}) {
			t.Errorf("%x, witness %s: another point: %x", enc, what, reencode(&p))
		}
	}
}

func samePoint(p, q *Point) bool {
	return p.sides[0].Equal(&q.sides[0])&p.sides[1].Equal(&q.sides[1])&p.td.Equal(&q.td) == 1
}

// The multiples 0 to 15 of the generator: RFC 9496, A.1.
var multiples = []string{
	"0000000000000000000000000000000000000000000000000000000000000000", "e2f2ae0a6abc4e71a884a961c500515f58e30b6aa582dd8db6a65945e08d2d76",
	"6a493210f7499cd17fecb510ae0cea23a110e8d5b901f8acadd3095c73a3b919", "94741f5d5d52755ece4f23f044ee27d5d1ea1e2bd196b462166b16152a9d0259",
	"da80862773358b466ffadfe0b3293ab3d9fd53c5ea6c955358f568322daf6a57", "e882b131016b52c1d3337080187cf768423efccbb517bb495ab812c4160ff44e",
	"f64746d3c92b13050ed8d80236a7f0007c3b3f962f5ba793d19a601ebb1df403", "44f53520926ec81fbd5a387845beb7df85a96a24ece18738bdcfa6a7822a176d",
	"903293d8f2287ebe10e2374dc1a53e0bc887e592699f02d077d5263cdd55601c", "02622ace8f7303a31cafc63f8fc48fdc16e1c8c8d234b2f0d6685282a9076031",
	"20706fd788b2720a1ed2a5dad4952b01f413bcf0e7564de8cdc816689e2db95f", "bce83f8ba5dd2fa572864c24ba1810f9522bc6004afe95877ac73241cafdab42",
	"e4549ee16b9aa03099ca208c67adafcafa4c3f3e4e5303de6026e3ca8ff84460", "aa52e000df2e16f55fb1032fc33bc42742dad6bd5a8fc0be0167436c5948501f",
	"46376b80f409b29dc2b5f6f0c52591990896e5716f41477cd30085ab7f10301e", "e0c418f7c8d9c4cdd7395b93ea124f3ad99021bb681dfc3302a9d99a2e53e64e",
}

// What no element encodes to: RFC 9496, A.2.
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

func fromHex(t testing.TB, s string) [32]byte {
	t.Helper()
	b, err := hex.DecodeString(s)
	if err != nil || len(b) != 32 {
		t.Fatal(s, err)
	}
	return [32]byte(b)
}

// TestDecodesWhatRFC9496Does: the document's own good and bad encodings, with every kind of witness.
func TestDecodesWhatRFC9496Does(t *testing.T) {
	for n, s := range multiples {
		enc := fromHex(t, s)
		if !new(Point).Decode(&enc, nil) {
			t.Errorf("multiple %d is refused", n)
		}
		check(t, enc, n)
	}
	for n, s := range noElements {
		enc := fromHex(t, s)
		if new(Point).Decode(&enc, nil) {
			t.Errorf("%s is read", s)
		}
		check(t, enc, n)
	}
}

// Goal: Decode reads what the library reads, as the same point, whatever comes as a witness. Method: random elements, and
// random bytes, about one in eight of which encodes an element once sign and range are right.
func TestDecodesWhatTheLibraryDoes(t *testing.T) {
	count := 20000
	if testing.Short() {
		count = 1000
	}
	elements := 0
	for n := range count {
		_, enc := element(t, n)
		check(t, enc, n)
		random := noise("encoding", n)
		enc = [32]byte(random[:32])
		if n%4 > 0 {
			enc[0], enc[31] = enc[0]&^1, enc[31]&^0x80
		}
		if libraryReads(&enc) {
			elements++
		}
		check(t, enc, n)
		if t.Failed() {
			return
		}
	}
	if elements < count/16 {
		t.Errorf("only %d of %d random encodings were elements", elements, count)
	}
}

// TestNumbersAreCanonicalBelowTheField: at and around the order, where the bytes say it and where one only looks like it.
func TestNumbersAreCanonicalBelowTheField(t *testing.T) {
	order := [32]byte{0: 0xed, 31: 0x7f}
	for i := 1; i < 31; i++ {
		order[i] = 0xff
	}
	for at := range 32 {
		for _, by := range []int{-1, 0, 1, 2, 18, 19} {
			b := order
			b[at] += byte(by)
			e, err := new(field.Element).SetBytes(b[:])
			if err != nil {
				t.Fatal(err)
			}
			if want := bytes.Equal(e.Bytes(), b[:]); canonical(&b) != want {
				t.Errorf("%x is canonical: %v", b, want)
			}
		}
	}
}

// FuzzDecode: no bytes and no witness make Decode differ from the library.
func FuzzDecode(f *testing.F) {
	for _, s := range append(multiples, noElements...) {
		enc := fromHex(f, s)
		w, _ := WitnessOf(&enc)
		f.Add(enc[:], w[:])
	}
	f.Fuzz(func(t *testing.T, a, b []byte) {
		if len(a) != 32 || len(b) != 32 {
			return
		}
		enc := [32]byte(a)
		var p Point
		if ok := p.Decode(&enc, (*Witness)(b)); ok != libraryReads(&enc) || ok && reencode(&p) != enc {
			t.Errorf("%x with %x: %v", a, b, ok)
		}
		check(t, enc, len(a))
	})
}

func BenchmarkDecode(b *testing.B) {
	_, enc := element(b, 1)
	w, _ := WitnessOf(&enc)
	wrong := w
	wrong[3] ^= 1
	for name, w := range map[string]*Witness{"witness": &w, "wrong": &wrong, "none": nil} {
		b.Run(name, func(b *testing.B) {
			var p Point
			for b.Loop() {
				p.Decode(&enc, w)
			}
		})
	}
	b.Run("library", func(b *testing.B) {
		p := curve.NewRistrettoPoint()
		for b.Loop() {
			if _, err := p.SetCompressed((*curve.CompressedRistretto)(&enc)); err != nil {
				b.Fatal(err)
			}
		}
	})
}

package brands

import (
	"bytes"
	"errors"
	"maps"
	"testing"
)

// A codec is one decoder with a sample of what it reads; holds checks what was read against what it belongs to.
type codec struct {
	sample []byte
	decode func([]byte) (encoded []byte, err error)
	holds  func([]byte) error
}

// encode gives the bytes of what a decoder returned.
func encode[T any](v T, err error) func(func(T) []byte) ([]byte, error) {
	return func(f func(T) []byte) ([]byte, error) {
		if err != nil {
			return nil, err
		}
		return f(v), nil
	}
}

func decodePayment(b []byte) ([]byte, error) {
	return encode(ParsePayment(b))(func(p *Payment) []byte { return p.Append(nil) })
}

func decodeKey(b []byte) ([]byte, error) {
	return encode(ParsePublicKey(b))(func(k *PublicKey) []byte { return k.Append(nil) })
}

func decodeCommitment(b []byte) ([]byte, error) {
	return encode(ParseCommitment(b))(func(c Commitment) []byte { return c.Append(nil) })
}

func decodeOwn(b []byte) ([]byte, error) {
	return encode(ParseOwn(b))(func(o *Own) []byte { return o.Append(nil) })
}

func codecs(t testing.TB) map[string]codec {
	w, terms, rand := newTown(t), digestOf("terms"), dice("w")
	h, card := holderOf("a"), newElement(times0(rawScalar(3)))
	plain := payment(t, w, w.coin, terms, "a", 0)
	chain := payment(t, w, w.coin, terms, "a", 2)
	opening := got(h.Open([]byte("bank"), rand, nil))(t)
	com, comCard := w.coin.Commit(Digest{}, h.Identity()), w.coin.CommitForCard(Digest{}, h.Identity())
	own := withdraw(t, h, w.coin, 0)
	ownCard := *own
	ownCard.e = own.s
	grouped := infoOf(KindCoin, 100)
	grouped.Group = "canteen-7.b"
	pays := func(b []byte) error {
		p, err := ParsePayment(b)
		if err != nil {
			return err
		}
		return p.VerifyVartime(w, terms, rand)
	}
	all := map[string]codec{
		"public key":            {w.coin.Public().Append(nil), decodeKey, func(b []byte) error { return second(ParsePublicKey(b)) }},
		"public key of a group": {keyOf(t, grouped).Public().Append(nil), decodeKey, func(b []byte) error { return second(ParsePublicKey(b)) }},
		"commitment":            {com.Append(nil), decodeCommitment, nil},
		"commitment for a card": {comCard.Append(nil), decodeCommitment, nil},
		"opening": {opening.Append(nil), func(b []byte) ([]byte, error) {
			return encode(ParseOpening(b))(func(o Opening) []byte { return o.Append(nil) })
		}, func(b []byte) error {
			o, err := ParseOpening(b)
			if err != nil {
				return err
			}
			return o.Verify(testNet, []byte("bank"))
		}},
		"coin": {plain.Head.Append(nil), func(b []byte) ([]byte, error) {
			return encode(ParseCoin(b))(func(c Coin) []byte { return c.Append(nil) })
		}, func(b []byte) error {
			c, err := ParseCoin(b)
			if err != nil {
				return err
			}
			key, ok := w.Key(c.Key())
			if !ok {
				return ErrUnknownKey
			}
			return c.VerifyVartime(key)
		}},
		"money": {chain.Money.Append(nil), func(b []byte) ([]byte, error) {
			return encode(ParseMoney(b))(func(m *Money) []byte { return m.Append(nil) })
		}, func(b []byte) error {
			m, err := ParseMoney(b)
			if err != nil {
				return err
			}
			return m.VerifyVartime(w, rand)
		}},
		"payment":       {plain.Append(nil), decodePayment, pays},
		"chain":         {chain.Append(nil), decodePayment, pays},
		"own coin":      {own.Append(nil), decodeOwn, nil},
		"own with card": {ownCard.Append(nil), decodeOwn, nil},
	}
	maps.Copy(all, partCodecs(card, plain, terms))
	return all
}

// partCodecs are of what has no meaning by itself.
func partCodecs(e Element, plain *Payment, terms Digest) map[string]codec {
	return map[string]codec{
		"element": {e.enc[:], func(b []byte) ([]byte, error) {
			return encode(ParseElement(b))(func(e Element) []byte { return sliceOf(e.Bytes()) })
		}, nil},
		"scalar": {sliceOf(rawScalar4().enc), func(b []byte) ([]byte, error) {
			return encode(ParseScalar(b))(func(s Scalar) []byte { return sliceOf(s.Bytes()) })
		}, nil},
		"line": {plain.Final.Append(nil), func(b []byte) ([]byte, error) {
			return encode(ParseLine(b))(func(l Line) []byte { return l.Append(nil) })
		}, nil},
		"point": {plain.Points(terms)[0].Append(nil), func(b []byte) ([]byte, error) {
			return encode(ParsePoint3(b))(func(p Point3) []byte { return p.Append(nil) })
		}, nil},
	}
}

func rawScalar4() Scalar { return open(rawScalar(4)) }

// TestEncodingsAreCanonical: what decodes encodes to the same bytes; every other length is refused.
func TestEncodingsAreCanonical(t *testing.T) {
	for what, c := range codecs(t) {
		if enc, err := c.decode(c.sample); err != nil || !bytes.Equal(enc, c.sample) {
			t.Errorf("%s: %v", what, err)
		}
		for n := range c.sample {
			if what == "commitment for a card" && n == 2*Size {
				continue // is a commitment without image
			}
			if _, err := c.decode(c.sample[:n]); !errors.Is(err, ErrEncoding) && !errors.Is(err, ErrInfo) {
				t.Errorf("%s cut to %d bytes: %v", what, n, err)
			}
		}
		if _, err := c.decode(append(bytes.Clone(c.sample), 0)); !errors.Is(err, ErrEncoding) {
			t.Errorf("%s with a byte more: %v", what, err)
		}
		if c.holds != nil && c.holds(c.sample) != nil {
			t.Errorf("%s: %v", what, c.holds(c.sample))
		}
	}
}

// TestEveryBitFlipIsRefused: by decoder or verification.
func TestEveryBitFlipIsRefused(t *testing.T) {
	for what, c := range codecs(t) {
		if c.holds == nil {
			continue
		}
		step := 1
		if what == "chain" || what == "money" {
			step = 7 // of 2 to 7 thousand bits; 7 meets every bit of a byte
		}
		if testing.Short() {
			step = 31 // so does 31, in the time that a browser's engine has (internal/wasm)
		}
		for bit := 0; bit < 8*len(c.sample); bit += step {
			flipped := bytes.Clone(c.sample)
			flipped[bit/8] ^= 1 << (bit % 8)
			if c.holds(flipped) == nil {
				t.Errorf("%s: bit %d flipped and nobody minds", what, bit)
			}
		}
	}
}

// TestTermsBitFlipIsRefused: every bit of the terms' digest matters.
func TestTermsBitFlipIsRefused(t *testing.T) {
	w, terms := newTown(t), digestOf("terms")
	p := payment(t, w, w.coin, terms, "a", 0)
	for bit := range 8 * len(terms) {
		flipped := terms
		flipped[bit/8] ^= 1 << (bit % 8)
		if err := p.VerifyVartime(w, flipped, dice("w")); !errors.Is(err, ErrLine) {
			t.Errorf("bit %d: %v", bit, err)
		}
	}
}

// TestIdentityAndOtherSpellingsAreRefused: in every place of a coin and a key where an element stands, the identity, a
// negative, an overlong and a meaningless encoding are refused, and a number at or above the order where a number stands.
func TestIdentityAndOtherSpellingsAreRefused(t *testing.T) {
	bad := [][]byte{make([]byte, 32), bytes.Repeat([]byte{0xff}, 32)}
	negative := newElement(g1).enc
	for i := range negative { // p - s, the other root
		negative[i] = ^negative[i]
	}
	negative[31] &= 0x7f
	negative[0] -= 18
	bad = append(bad, negative[:])
	order := []byte{0xed, 0xd3, 0xf5, 0x5c, 0x1a, 0x63, 0x12, 0x58, 0xd6, 0x9c, 0xf7, 0xa2, 0xde, 0xf9, 0xde, 0x14, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x10}
	all := codecs(t)
	for what, at := range map[string][]int{
		"coin": {16, 48, 80, 112, 144}, "opening": {0}, "commitment for a card": {0, 32, 64},
		"public key": {infoFixed, infoFixed + 32, infoFixed + 64}, "payment": {18, 50, 82, 114, 146},
	} {
		for _, i := range at {
			for n, enc := range bad {
				b := bytes.Clone(all[what].sample)
				copy(b[i:], enc)
				_, err := all[what].decode(b)
				if err == nil && all[what].holds != nil {
					err = all[what].holds(b)
				}
				if !errors.Is(err, ErrEncoding) {
					t.Errorf("%s with bad element %d at %d: %v", what, n, i, err)
				}
			}
		}
	}
	for what, at := range map[string][]int{"coin": {176}, "opening": {32, 64}, "line": {0, 32}, "point": {0, 32, 64}, "scalar": {0}, "public key": {infoFixed + 96, infoFixed + 128}} {
		for _, i := range at {
			b := bytes.Clone(all[what].sample)
			copy(b[i:], order)
			if _, err := all[what].decode(b); !errors.Is(err, ErrEncoding) {
				t.Errorf("%s with the order at %d: %v", what, i, err)
			}
		}
	}
	if _, err := ParsePrivateKey(infoOf(KindCoin, 1), make([]byte, Size)); !errors.Is(err, ErrEncoding) {
		t.Error("a private key of zero:", err)
	}
}

// TestKeysOfOneSecretOnly: a key whose H1 or H2 has another secret, which would mark its coins, is refused.
func TestKeysOfOneSecretOnly(t *testing.T) {
	w := newTown(t)
	other := w.big.Public()
	for what, change := range map[string]func(k *PublicKey){
		"H": func(k *PublicKey) { k.h = other.h }, "H1": func(k *PublicKey) { k.h1 = other.h1 }, "H2": func(k *PublicKey) { k.h2 = other.h2 },
		"value": func(k *PublicKey) { k.info.Value++ }, "epoch": func(k *PublicKey) { k.info.Epoch++ }, "group": func(k *PublicKey) { k.info.Group = "a" },
		"proof": func(k *PublicKey) { k.proof = other.proof },
	} {
		k := *w.coin.Public()
		change(&k)
		k.settle()
		if _, err := ParsePublicKey(k.Append(nil)); !errors.Is(err, ErrProof) {
			t.Errorf("%s: %v", what, err)
		}
	}
}

// TestInconsistentKeysAreNotMade: a key of no kind, value, order of dates or name of a group that could be meant.
func TestInconsistentKeysAreNotMade(t *testing.T) {
	for what, change := range map[string]func(i *KeyInfo){
		"kind": func(i *KeyInfo) { i.Kind = 9 }, "no value": func(i *KeyInfo) { i.Value = 0 }, "negative": func(i *KeyInfo) { i.Value = -1 },
		"currency": func(i *KeyInfo) { i.Currency = 0 }, "coin with depth": func(i *KeyInfo) { i.Depth = 1 },
		"note without": func(i *KeyInfo) { i.Kind = KindNote }, "note too deep": func(i *KeyInfo) { i.Kind, i.Depth, i.Value = KindNote, 7, 128 },
		"note with a rest": func(i *KeyInfo) { i.Kind, i.Depth, i.Value = KindNote, 3, 100 },
		"blank of value":   func(i *KeyInfo) { i.Kind = KindBlank }, "blank of a group": func(i *KeyInfo) { i.Kind, i.Value, i.Group = KindBlank, 0, "a" },
		"upper case": func(i *KeyInfo) { i.Group = "Canteen" }, "long": func(i *KeyInfo) { i.Group = "abcdefghijklmnopqrstuvwxyz0123456" },
		"before time": func(i *KeyInfo) { i.From = -1 }, "from": func(i *KeyInfo) { i.From = i.IssueUntil }, "issue": func(i *KeyInfo) { i.IssueUntil = i.SpendUntil + 1 },
		"spend": func(i *KeyInfo) { i.SpendUntil = i.DepositUntil + 1 },
	} {
		info := infoOf(KindCoin, 100)
		change(&info)
		if _, err := GenerateKey(info, dice("k")); !errors.Is(err, ErrInfo) {
			t.Errorf("%s: %v", what, err)
		}
		k := *keyOf(t, infoOf(KindCoin, 100)).Public()
		k.info = info
		if _, err := ParsePublicKey(k.Append(nil)); err == nil {
			t.Errorf("%s was read", what)
		}
	}
	note := infoOf(KindNote, 640)
	note.Depth = 6
	if err := note.Check(); err != nil {
		t.Error(err)
	}
}

// fuzz runs all decoders over any bytes: they refuse, or give back what they read.
func fuzz(f *testing.F, what ...string) {
	all := codecs(f)
	for _, name := range what {
		f.Add(all[name].sample)
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		for _, name := range what {
			if enc, err := all[name].decode(b); err == nil && !bytes.Equal(enc, b) {
				t.Errorf("%s: %x was read as %x", name, b, enc)
			}
		}
	})
}

func FuzzParsePublicKey(f *testing.F)  { fuzz(f, "public key", "public key of a group") }
func FuzzParseCoin(f *testing.F)       { fuzz(f, "coin", "element", "scalar", "line", "point") }
func FuzzParseMoney(f *testing.F)      { fuzz(f, "money") }
func FuzzParsePayment(f *testing.F)    { fuzz(f, "payment", "chain") }
func FuzzParseCommitment(f *testing.F) { fuzz(f, "commitment", "commitment for a card", "opening") }
func FuzzParseOwn(f *testing.F)        { fuzz(f, "own coin", "own with card") }

package brands

import (
	"errors"
	"testing"

	"github.com/oasisprotocol/curve25519-voi/curve/scalar"
	"pgregory.net/rapid"

	"jiaozi/crypt/internal/secrettest"
)

// TestThePhoneAlonePaysNothing: without the card no line comes out, a guessed answer is refused by the phone itself, and a
// line around that check by every payee.
func TestThePhoneAlonePaysNothing(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		h := newHall(t, rapid.Uint64().Draw(t, "seed"))
		p := h.cardPerson()
		o := p.withdraw(h.coin)
		terms := h.digest()
		spec := FinalSpec(Digest{}, terms)
		if _, err := o.Pay(spec); !errors.Is(err, ErrNeedsCard) {
			t.Fatalf("paid without the card: %v", err)
		}
		d, err := o.CardChallenge(spec)
		if err != nil {
			t.Fatal(err)
		}
		guess := scalarOf(h.digest())
		for _, wrong := range []Scalar{guess, {}, d, p.card.Answer(o.index+1, d), NewObserver(h.digest()).Answer(o.index, d)} {
			if _, err := o.PayWithCard(spec, wrong); !errors.Is(err, ErrCard) {
				t.Fatalf("a wrong answer of the card: %v", err)
			}
			x1 := seal(new(scalar.Scalar).Add(o.x1.num(), wrong.num()))
			forged := Payment{Money{Head: o.Coin()}, o.Own.answer(o.coin.abscissa(spec), x1, o.x2)}
			if err := forged.VerifyVartime(h, terms, h.dice); !errors.Is(err, ErrLine) {
				t.Fatalf("a payment without the card: %v", err)
			}
		}
		if _, err := o.PayWithCard(FinalSpec(Digest{}, h.digest()), p.card.Answer(o.index, d)); !errors.Is(err, ErrCard) {
			t.Fatalf("the card's answer for other terms: %v", err)
		}
		// And with the card it pays: the same answer as often as asked.
		if a, b := o.answer(spec), o.answer(spec); a != b {
			t.Fatal("one challenge, two answers")
		}
	})
}

func scalarOf(d Digest) Scalar { return begin("test scalar").add(d[:]).challenge() }

// TestTheCardLearnsNothing: a card with all its secrets, and even with the coin in hand, sees a number that fits every coin
// of its phone. For any coin and line there are e and x1 with which the card would have seen just this; so what it sees is
// independent of what is paid.
func TestTheCardLearnsNothing(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		h := newHall(t, rapid.Uint64().Draw(t, "seed"))
		p := h.cardPerson()
		seen, other := p.withdraw(h.coin), p.withdraw(h.coin) // the card answered for seen; was it for other?
		d, err := seen.CardChallenge(h.digest())
		if err != nil {
			t.Fatal(err)
		}
		spec := h.digest()
		line := other.answer(spec)
		// e = d'/s - d, so that other would have sent d'; x1 = r1 - r' - d·us, so that its line would have been what it is.
		at := other.coin.abscissa(spec)
		e := new(scalar.Scalar).Mul(d.num(), new(scalar.Scalar).Invert(other.s.num()))
		e.Sub(e, at.num())
		r := p.card.Answer(seen.index, d)
		x1 := new(scalar.Scalar).Sub(line.R1.num(), r.num())
		x1.Sub(x1, new(scalar.Scalar).Mul(at.num(), other.us.num()))
		// With them B of other is, as it must be, x1·G1 + x2·G2 + es·A_O + B_O for the nonce that belongs to seen.
		ident, nonce := p.card.Identity(), p.card.Nonce(seen.index)
		b := plus(times1(x1), times2(other.x2.num()), times(ident.point(), new(scalar.Scalar).Mul(e, other.s.num())), nonce.point())
		if newElement(b).enc != other.coin.b {
			t.Fatal("what the card saw does not fit the other coin")
		}
	})
}

// TestTheCardSaysNothing: of all answers one passes, so that a card cannot hide a message in it.
func TestTheCardSaysNothing(t *testing.T) {
	h := newHall(t, 20)
	p := h.cardPerson()
	o := p.withdraw(h.coin)
	spec := h.digest()
	right := p.card.Answer(o.index, got(o.CardChallenge(spec))(t))
	one, two := scalar.One(), new(scalar.Scalar).Add(scalar.One(), scalar.One())
	for _, k := range []*scalar.Scalar{one, new(scalar.Scalar).Neg(one), two} {
		if _, err := o.PayWithCard(spec, open(new(scalar.Scalar).Add(right.num(), k))); !errors.Is(err, ErrCard) {
			t.Fatalf("another answer passes: %v", err)
		}
	}
	if _, err := o.PayWithCard(spec, right); err != nil {
		t.Fatal(err)
	}
}

// TestABrokenCardStillNamesItsOwner: two answers for one index make a second payment, and the two name I = (u1+o1)·G1.
func TestABrokenCardStillNamesItsOwner(t *testing.T) {
	h := newHall(t, 21)
	p := h.cardPerson()
	u := p.coin()
	if who := h.accused(u.close(), u.close()); who == nil || !who.Equal(p.holder.Identity()) {
		t.Fatalf("a broken card names %v", who)
	}
	a, b := pointOf(u.last, h.digest()), pointOf(u.last, h.digest())
	who, secret, err := TraceVartime(a, b)
	if err != nil || !who.Equal(p.holder.Identity()) {
		t.Fatalf("traced %v: %v", who, err)
	}
	if sum := new(scalar.Scalar).Add(p.holder.u1.num(), p.card.o1.num()); open(sum) != secret {
		t.Fatal("the secret is not that of phone and card together")
	}
}

// A halfOpening plays the applet's part in opening an account.
type halfOpening struct {
	*Observer
	serial uint32
	bend   func(Scalar) Scalar
}

func (c *halfOpening) Commit() (Element, error) {
	c.serial++
	return c.Nonce(c.serial), nil
}

func (c *halfOpening) Respond(e Scalar) (Scalar, error) {
	return c.bend(c.Answer(c.serial, e)), nil
}

// TestPhoneAndCardOpenOneAccount: together they prove the account's secret, the phone alone its part; the mint sees that
// the two belong together, and that no other card belongs to them.
func TestPhoneAndCardOpenOneAccount(t *testing.T) {
	h := newHall(t, 22)
	p, other := h.cardPerson(), h.cardPerson()
	card := &halfOpening{Observer: p.card, bend: func(s Scalar) Scalar { return s }}
	for range 2 {
		o := got(p.holder.Open([]byte("mint"), h.dice, card))(t)
		if err := o.Verify(testNet, []byte("mint")); err != nil || !o.Account.Equal(p.holder.Identity()) {
			t.Fatalf("opening of %v: %v", o.Account, err)
		}
	}
	phone := got(p.holder.OpenPhone([]byte("mint"), h.dice))(t)
	if err := phone.Verify(testNet, []byte("mint")); err != nil {
		t.Fatal(err)
	}
	if err := Guarded(p.holder.Identity(), phone.Account, p.card.Identity()); err != nil {
		t.Fatal(err)
	}
	alone := NewHolder(h.digest(), testNet) // who knows the account's whole secret and shows some card
	for _, bad := range [][3]Element{
		{p.holder.Identity(), phone.Account, other.card.Identity()},
		{other.holder.Identity(), phone.Account, p.card.Identity()},
		{alone.Identity(), alone.Identity(), p.card.Identity()},
	} {
		if err := Guarded(bad[0], bad[1], bad[2]); !errors.Is(err, ErrProof) {
			t.Fatalf("an account of other parts: %v", err)
		}
	}
	card.bend = func(s Scalar) Scalar { return open(new(scalar.Scalar).Add(s.num(), scalar.One())) }
	if _, err := p.holder.Open([]byte("mint"), h.dice, card); !errors.Is(err, ErrCard) {
		t.Fatalf("a card that answers wrongly: %v", err)
	}
}

// TestTheCardHasOneNonceAnIndex: two indexes have different nonces, one index has one.
func TestTheCardHasOneNonceAnIndex(t *testing.T) {
	o := NewObserver(Digest{9})
	seen := map[[Size]byte]bool{o.Identity().Bytes(): true}
	for i := range uint32(50) {
		seen[o.Nonce(i).Bytes()] = true
		if !o.Nonce(i).Equal(NewObserver(Digest{9}).Nonce(i)) {
			t.Fatal("an index has two nonces")
		}
	}
	if len(seen) != 51 {
		t.Fatalf("%d of 51 elements differ", len(seen))
	}
}

func TestTheCardShowsNoSecret(t *testing.T) {
	seed := Digest{3, 1, 4}
	o := NewObserver(seed)
	for _, s := range []secret{o.o1, newPRF(seed[:])(begin("observer nonces"))} {
		raw := s.reveal()
		secrettest.Check(t, *o, raw[:])
	}
}

func BenchmarkObserver(b *testing.B) {
	o := NewObserver(Digest{1})
	d := scalarOf(Digest{2})
	b.Run("nonce", func(b *testing.B) {
		for b.Loop() {
			o.Nonce(1)
		}
	})
	b.Run("answer", func(b *testing.B) {
		for b.Loop() {
			o.Answer(1, d)
		}
	})
}

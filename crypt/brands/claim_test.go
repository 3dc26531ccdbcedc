package brands

import (
	"bytes"
	"errors"
	"testing"

	"github.com/oasisprotocol/curve25519-voi/curve"
	"github.com/oasisprotocol/curve25519-voi/curve/scalar"
)

// TestOwnersClaimTheirCoins: coins, blanks and notes, with a card that is not at hand too; the proof fits this coin and this
// account alone.
func TestOwnersClaimTheirCoins(t *testing.T) {
	h := newHall(t, 40)
	p, carded, other := h.person(), h.cardPerson(), h.person()
	for _, o := range []*owned{p.withdraw(h.coin), p.withdraw(h.blank), p.withdraw(h.note), carded.withdraw(h.coin)} {
		claim := got(NewClaim(o.by.holder, o.Own, h.dice))(t)
		claim = got(ParseClaim(claim.Append(nil)))(t)
		coin, account := o.Own.Coin(), o.by.holder.Identity()
		if err := claim.VerifyVartime(&coin, account); err != nil {
			t.Fatal(err)
		}
		if err := claim.VerifyVartime(&coin, other.holder.Identity()); !errors.Is(err, ErrProof) {
			t.Errorf("by another account: %v", err)
		}
		if _, err := NewClaim(other.holder, o.Own, h.dice); !errors.Is(err, ErrProof) {
			t.Errorf("a claim on another's coin is made: %v", err)
		}
		another := o.by.withdraw(h.coin).Coin()
		if err := claim.VerifyVartime(&another, account); !errors.Is(err, ErrProof) {
			t.Errorf("on another coin of the owner: %v", err)
		}
		coin.key[0] ^= 1
		if err := claim.VerifyVartime(&coin, account); !errors.Is(err, ErrProof) {
			t.Errorf("on a coin of another key: %v", err)
		}
	}
}

// TestEveryBitOfAClaimCounts: and none is too many.
func TestEveryBitOfAClaimCounts(t *testing.T) {
	h := newHall(t, 41)
	o := h.person().withdraw(h.coin)
	claim := got(NewClaim(o.by.holder, o.Own, h.dice))(t)
	raw := claim.Append(nil)
	for bit := range 8 * len(raw) {
		bad := bytes.Clone(raw)
		bad[bit/8] ^= 1 << (bit % 8)
		c, err := ParseClaim(bad)
		if err == nil {
			err = c.VerifyVartime(&o.coin, o.by.holder.Identity())
		}
		if err == nil {
			t.Fatalf("bit %d does not count", bit)
		}
	}
	for _, bad := range [][]byte{nil, raw[:ClaimSize-1], append(bytes.Clone(raw), 0)} {
		if _, err := ParseClaim(bad); !errors.Is(err, ErrEncoding) {
			t.Fatalf("a claim of %d bytes: %v", len(bad), err)
		}
	}
}

// TestAClaimTellsNothingOfTheLine: whoever may choose the challenge makes transcripts that satisfy the same equation from
// coin and account alone. Challenge and answer are then any two numbers, as in a real claim, so a real one holds no more.
func TestAClaimTellsNothingOfTheLine(t *testing.T) {
	h := newHall(t, 42)
	o := h.person().withdraw(h.coin)
	account := o.by.holder.Identity()
	base := plus(account.point(), g2)
	for range 20 {
		c, answer := scalarOf(h.digest()), scalarOf(h.digest())
		// The simulator's commitment, from public data.
		commitment := plus(times(base, answer.num()), new(curve.RistrettoPoint).Neg(times(o.coin.a.point(), c.num())))
		// The one nonce with which the owner would have given just this answer.
		nonce := new(scalar.Scalar).Sub(answer.num(), new(scalar.Scalar).Mul(c.num(), o.s.num()))
		if times(base, nonce).Equal(commitment) != 1 {
			t.Fatal("no nonce explains the simulated claim")
		}
	}
}

// TestClaimingThenBeingPaidNamesNobody: a claim and one payment of a coin are no two points.
func TestClaimingThenBeingPaidNamesNobody(t *testing.T) {
	h := newHall(t, 43)
	u := h.person().coin()
	d := u.close()
	claim := got(NewClaim(u.last.by.holder, u.last.Own, h.dice))(t)
	at := d.Points(d.terms)[0]
	for _, l := range []Line{{claim.challenge, claim.answer}, {claim.answer, claim.challenge}, {claim.answer, claim.answer}} {
		g, err := newGuiltVartime(&d.Head, nil, at, Point3{claim.challenge, l})
		if err != nil {
			continue
		}
		if who, err := g.VerifyVartime(h); err == nil {
			t.Fatalf("a claim names %v", who)
		}
	}
}

// TestClaimsNeedRandomness: a source that fails makes no claim, one that repeats itself gives the same claim and not s.
func TestClaimsNeedRandomness(t *testing.T) {
	h := newHall(t, 44)
	o := h.person().withdraw(h.coin)
	if _, err := NewClaim(o.by.holder, o.Own, bytes.NewReader(nil)); err == nil {
		t.Fatal("a claim without randomness")
	}
	a := got(NewClaim(o.by.holder, o.Own, bytes.NewReader(make([]byte, 32))))(t)
	b := got(NewClaim(o.by.holder, o.Own, bytes.NewReader(make([]byte, 32))))(t)
	if a != b {
		t.Fatal("one nonce, two challenges")
	}
}

func FuzzClaim(f *testing.F) {
	h := newHall(f, 45)
	o := h.person().withdraw(h.coin)
	claim := got(NewClaim(o.by.holder, o.Own, h.dice))(f)
	f.Add(claim.Append(nil))
	f.Fuzz(func(t *testing.T, b []byte) {
		c, err := ParseClaim(b)
		if err == nil && !bytes.Equal(c.Append(nil), b) {
			t.Fatalf("%x comes back as %x", b, c.Append(nil))
		}
	})
}

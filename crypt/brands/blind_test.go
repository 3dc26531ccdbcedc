package brands

import (
	"testing"

	"github.com/oasisprotocol/curve25519-voi/curve"
	"github.com/oasisprotocol/curve25519-voi/curve/scalar"
	"pgregory.net/rapid"
)

// A view is all that the mint sees of a withdrawal: the account, its own nonce w, and challenge and answer.
type view struct {
	account Element
	com     Commitment
	c, r    Scalar
}

// TestEveryViewExplainsEveryCoin: for any withdrawal that the mint saw and any coin of the same key, whoever withdrew it,
// there is exactly one s, u, v with which that withdrawal gave that coin. So the mint's view says nothing about which coin
// came of it, to any power of computing.
//
// c' = uc, r' = ur + v and A = s(I+G2) leave one choice of u, v and s; the test shows that this choice also gives z', a'
// and b'. To find s it needs the logarithm of one I+G2 to the base of another, which nobody knows of honest accounts: it
// takes accounts with I + G2 = kG for a known k. A mint refuses to open those, but its view and its signature are the same
// for them. A payment of the coin adds nothing: its x1 and x2 are free, and one pair fits whatever u1 and s are.
func TestEveryViewExplainsEveryCoin(t *testing.T) {
	key := keyOf(t, infoOf(KindCoin, 100))
	rapid.Check(t, func(r *rapid.T) {
		seedA, seedB := rapid.Uint64().Draw(r, "a"), rapid.Uint64().Draw(r, "b")
		kA, _, seen := withdrawKnown(t, key, "a", seedA)
		kB, coin, _ := withdrawKnown(t, key, "b", seedB)
		sB := DeriveBlinding(digestOf("b %d", seedB), key.Public().ID(), seedB).s

		// A = sB·kB·G = s·kA·G
		s := new(scalar.Scalar).Mul(sB.num(), kB)
		s.Mul(s, new(scalar.Scalar).Invert(kA))
		c := coin.challenge()
		u := new(scalar.Scalar).Mul(c.num(), new(scalar.Scalar).Invert(seen.c.num()))
		v := new(scalar.Scalar).Sub(coin.r.num(), new(scalar.Scalar).Mul(u, seen.r.num()))

		m := plus(&seen.account.p, g2)
		z := times(m, key.x.num())
		for what, pair := range map[string][2]*curve.RistrettoPoint{
			"A":  {&coin.a.p, times(m, s)},
			"z'": {&coin.z.p, times(z, s)},
			"a'": {&coin.ca.p, plus(times(&seen.com.A.p, u), times0(v))},
			"b'": {&coin.cb.p, plus(times(&seen.com.B.p, new(scalar.Scalar).Mul(s, u)), times(&coin.a.p, v))},
		} {
			if pair[0].Equal(pair[1]) != 1 {
				r.Fatalf("%s is not explained", what)
			}
		}
	})
}

// withdrawKnown plays a withdrawal of an account with I + G2 = k·G and gives k, the coin and the mint's view.
func withdrawKnown(t *testing.T, key *PrivateKey, name string, seed uint64) (*scalar.Scalar, *Coin, view) {
	t.Helper()
	k := digestScalar(digestOf("k %s %d", name, seed))
	h := &Holder{network: testNet, u1: seal(new(scalar.Scalar)), card: new(Element), account: newElement(plus(times0(k), times2(rawMinusOne())))}
	*h.card = h.account
	session := digestOf("session %s %d", name, seed)
	com := key.CommitForCard(session, h.account)
	bl := DeriveBlinding(digestOf("%s %d", name, seed), key.Public().ID(), seed)
	nonce := newElement(times1(rawScalar(1)))
	w, c, err := h.Challenge(key.Public(), bl, com, &nonce)
	if err != nil {
		t.Fatal(err)
	}
	r := key.Respond(session, h.account, c)
	coin := got(w.Finish(r))(t).Coin()
	if err := coin.VerifyVartime(key.Public()); err != nil {
		t.Fatal(err)
	}
	return k, &coin, view{h.account, com, c, r}
}

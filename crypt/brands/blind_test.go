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
		kB, coin, seenB := withdrawKnown(t, key, "b", seedB)
		sB := DeriveBlinding(digestOf("b %d", seedB), key.Public().ID(), seedB).bound(&seenB.com).s

		// A = sB·kB·G = s·kA·G
		s := new(scalar.Scalar).Mul(sB.num(), kB)
		s.Mul(s, new(scalar.Scalar).Invert(kA))
		c := coin.challenge()
		u := new(scalar.Scalar).Mul(c.num(), new(scalar.Scalar).Invert(seen.c.num()))
		v := new(scalar.Scalar).Sub(coin.r.num(), new(scalar.Scalar).Mul(u, seen.r.num()))

		m := plus(seen.account.point(), g2)
		z := times(m, key.x.num())
		for what, pair := range map[string][2]*curve.RistrettoPoint{
			"A":  {coin.a.point(), times(m, s)},
			"z'": {coin.z.point(), times(z, s)},
			"a'": {coin.ca.point(), plus(times(seen.com.A.point(), u), times0(v))},
			"b'": {coin.cb.point(), plus(times(seen.com.B.point(), new(scalar.Scalar).Mul(s, u)), times(coin.a.point(), v))},
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

// TestANumberGivenOutTwiceHidesTwoCoins: a mint that opens the same session again, of malice or after its book was restored,
// gets another challenge for another coin. With the same factors it could tell by two challenges which coin they made, and
// with the same line the honest owner of both coins would be named.
func TestANumberGivenOutTwiceHidesTwoCoins(t *testing.T) {
	h, key := holderOf("a"), keyOf(t, infoOf(KindCoin, 100))
	terms := digestOf("terms")
	var paid []Point3
	var coins []Coin
	var factors [][Size]byte
	for n := range 2 {
		session := digestOf("opened for time %d", n)
		com := key.Commit(session, h.Identity())
		bl := DeriveBlinding(digestOf("seed"), key.Public().ID(), 5)
		w, c, err := h.Challenge(key.Public(), bl, com, nil)
		if err != nil {
			t.Fatal(err)
		}
		r := key.Respond(session, h.Identity(), c)
		own := got(w.Finish(r))(t)
		if again := got(h.Recall(key.Public(), bl, c, r, nil, nil))(t).Coin(); again.ID() != own.coin.ID() {
			t.Fatal("the wallet does not find its coin again")
		}
		line := got(own.Pay(FinalSpec(Digest{}, terms)))(t)
		p := &Payment{Money{Head: own.Coin()}, line}
		paid, coins = append(paid, p.Points(terms)[0]), append(coins, own.Coin())
		factors = append(factors, w.u.reveal())
	}
	if factors[0] == factors[1] {
		t.Error("two challenges under one u")
	}
	if coins[0].a.Equal(coins[1].a) || coins[0].b == coins[1].b {
		t.Error("two withdrawals made coins with one line")
	}
	if who, _, err := TraceVartime(paid[0], paid[1]); err == nil && who.Equal(h.Identity()) {
		t.Error("an honest holder is named")
	}
}

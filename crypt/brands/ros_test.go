package brands

import (
	"fmt"
	"testing"

	"github.com/oasisprotocol/curve25519-voi/curve"
	"github.com/oasisprotocol/curve25519-voi/curve/scalar"
	"pgregory.net/rapid"
)

// rosSessions is the number of bits of the group's order: with so many sessions open at once the attack always succeeds.
const rosSessions = 253

// An openSession is one that waits for its challenge, of which the attacker prepared two.
type openSession struct {
	holder *Holder
	id     Digest
	com    Commitment
	want   [2]*Withdrawal
	c      [2]Scalar
}

func openSessions(t *testing.T, key *PrivateKey, n int, holder func(i int) *Holder) []openSession {
	t.Helper()
	list := make([]openSession, n)
	for i := range list {
		s := &list[i]
		s.holder, s.id = holder(i), digestOf("session %d", i)
		s.com = key.Commit(s.id, s.holder.Identity())
		for b := range s.want {
			var err error
			if s.want[b], s.c[b], err = s.holder.Challenge(key.Public(), DeriveBlinding(digestOf("ros %d", b), key.Public().ID(), uint64(i)), s.com, nil); err != nil {
				t.Fatal(err)
			}
		}
	}
	return list
}

// forgeOneMore is the attack of Benhamouda, Lepoint, Loss, Orrù and Raykova (EUROCRYPT 2021) on the mint's linear answers.
//
// Session i may be asked c_i0 or c_i1. With ρ_i = 2^i/(c_i1 - c_i0) the sum Σ ρ_i·c_i is Σ ρ_i·c_i0 plus the number whose
// binary digits are the choices, so it can be made any number. The attacker fixes one more coin, with a' = Σ ρ_i·a_i and
// b' = s·Σ ρ_i·b_i, hashes it, and then chooses so that the sum is its challenge: Σ ρ_i·r_i is the answer to it. He gets one
// coin from each session, as he should, and this one from none.
//
// b' is right only if all the b_i = w_i(I+G2) are of one account; which is why one session per account and key is enough.
func forgeOneMore(t *testing.T, key *PrivateKey, list []openSession) (coins []*Own, more *Own) {
	t.Helper()
	me, pub := list[0].holder, key.Public()
	bl := got(RandomBlinding(dice("one more")))(t)
	more = new(Own)
	coin := &more.coin
	coin.key, coin.a = pub.ID(), newElement(times(me.base(), bl.s.num()))
	coin.b = me.lineSecrets(more, pub, bl, nil)
	coin.z = newElement(times(me.image(pub, nil), bl.s.num()))

	rho, base := make([]*scalar.Scalar, len(list)), new(scalar.Scalar)
	a, b := curve.NewRistrettoPoint(), curve.NewRistrettoPoint()
	power := scalar.NewFromUint64(1)
	for i, s := range list {
		step := new(scalar.Scalar).Sub(s.c[1].num(), s.c[0].num())
		rho[i] = step.Mul(power, step.Invert(step))
		base.Add(base, new(scalar.Scalar).Mul(rho[i], s.c[0].num()))
		a.Add(a, times(s.com.A.point(), rho[i]))
		b.Add(b, times(s.com.B.point(), new(scalar.Scalar).Mul(rho[i], bl.s.num())))
		power.Add(power, power)
	}
	coin.ca, coin.cb = newElement(a), newElement(b)

	c := coin.challenge()
	choices := new(scalar.Scalar).Sub(c.num(), base).Bits()
	r := new(scalar.Scalar)
	for i, s := range list {
		choice := choices[i]
		answer := key.Respond(s.id, s.holder.Identity(), s.c[choice])
		coins = append(coins, got(s.want[choice].Finish(answer))(t))
		r.Add(r, new(scalar.Scalar).Mul(rho[i], answer.num()))
	}
	coin.r = open(r)
	return coins, more
}

// TestUnguardedSessionsGiveOneCoinTooMany: this package without role/mint's guard. 253 answers to one account under one key
// are 254 coins, all of which pay. That is why the guard is there, and this test what it must prevent.
func TestUnguardedSessionsGiveOneCoinTooMany(t *testing.T) {
	if testing.Short() {
		t.Skip("six seconds of a browser's engine, where nobody is a mint (internal/wasm)")
	}
	w, h := newTown(t), holderOf("attacker")
	list := openSessions(t, w.coin, rosSessions, func(int) *Holder { return h })
	coins, more := forgeOneMore(t, w.coin, list)
	coins = append(coins, more)
	seen, terms := make(map[CoinID]bool), digestOf("shop")
	ps, all := make([]*Payment, len(coins)), make([]Digest, len(coins))
	for i, own := range coins {
		coin := own.Coin()
		seen[coin.ID()] = true
		ps[i], all[i] = parsed(t, &Payment{Money{Head: coin}, got(own.Pay(FinalSpec(Digest{}, terms)))(t)}), terms
	}
	if bad, err := VerifyBatchVartime(w, ps, all, dice("w")); err != nil || len(bad) != 0 || len(seen) != rosSessions+1 {
		t.Fatalf("%d coins, of which bad %v, %v; the attack should have given %d", len(seen), bad, err, rosSessions+1)
	}
	// The counterfeit is as bound to its maker as any coin.
	again := &Payment{Money{Head: more.Coin()}, got(more.Pay(FinalSpec(Digest{}, digestOf("another shop"))))(t)}
	identity, _, err := TraceVartime(ps[rosSessions].Points(terms)[0], again.Points(digestOf("another shop"))[0])
	if err != nil || !identity.Equal(h.Identity()) {
		t.Error("the counterfeit spent twice names", identity, err)
	}
}

// TestSessionsOfDifferentAccountsGiveNothingMore: the same attack on 253 sessions of 253 accounts, and on half as many
// sessions of one account: everybody gets his coin, and the one more has no valid signature.
func TestSessionsOfDifferentAccountsGiveNothingMore(t *testing.T) {
	if testing.Short() {
		t.Skip("six seconds of a browser's engine, where nobody is a mint (internal/wasm)")
	}
	w, one := newTown(t), holderOf("attacker")
	for what, list := range map[string][]openSession{
		"253 accounts":      openSessions(t, w.coin, rosSessions, func(i int) *Holder { return holderOf(fmt.Sprintf("attacker %d", i)) }),
		"half the sessions": openSessions(t, w.coin, rosSessions/2, func(int) *Holder { return one }),
		"one session":       openSessions(t, w.coin, 1, func(int) *Holder { return one }),
	} {
		coins, more := forgeOneMore(t, w.coin, list)
		for _, own := range append(coins, more) {
			coin := own.Coin()
			if err := coin.VerifyVartime(w.coin.Public()); (err == nil) == (own == more) {
				t.Errorf("%s: %v", what, err)
			}
		}
	}
}

// TestCoinsCombineToNoCoin: the answers of a session and the parts of coins are linear, the hash is not. Sums and multiples
// of signatures of one account, and another coin's parts under one's own answer, are refused.
func TestCoinsCombineToNoCoin(t *testing.T) {
	w, h := newTown(t), holderOf("attacker")
	first, other := withdraw(t, h, w.coin, 0).Coin(), withdraw(t, h, w.coin, 1).Coin()
	rapid.Check(t, func(r *rapid.T) {
		k, l := rawScalar(rapid.Int().Draw(r, "k")), rawScalar(rapid.Int().Draw(r, "l"))
		mix := func(p, q *Element) Element { return newElement(plus(times(p.point(), k), times(q.point(), l))) }
		add := first // k first + l other, over one A
		add.ca, add.cb = mix(&first.ca, &other.ca), mix(&first.cb, &other.cb)
		add.r = open(mulAdd(k, first.r.num(), new(scalar.Scalar).Mul(l, other.r.num())))
		scaled := first // another s
		scaled.a, scaled.z, scaled.cb = mix(&first.a, &first.a), mix(&first.z, &first.z), mix(&first.cb, &first.cb)
		shifted := first // another v
		shifted.r = open(new(scalar.Scalar).Add(first.r.num(), k))
		shifted.ca, shifted.cb = newElement(plus(first.ca.point(), times0(k))), newElement(plus(first.cb.point(), times(first.a.point(), k)))
		both := first // A of the sum
		both.a, both.z = mix(&first.a, &other.a), mix(&first.z, &other.z)
		for what, c := range map[string]Coin{"sum": add, "other s": scaled, "other v": shifted, "sum of A": both} {
			if c.VerifyVartime(w.coin.Public()) == nil {
				r.Fatalf("%s is a coin", what)
			}
		}
	})
}

// TestTwoAnswersInOneSessionGiveAwayTheKey: why a session answers one challenge for ever.
func TestTwoAnswersInOneSessionGiveAwayTheKey(t *testing.T) {
	key, account := keyOf(t, infoOf(KindCoin, 100)), holderOf("a").Identity()
	c, d := rawScalar(1), rawScalar(2)
	r, s := key.Respond(Digest{}, account, open(c)), key.Respond(Digest{}, account, open(d))
	x := new(scalar.Scalar).Sub(r.num(), s.num())
	run := new(scalar.Scalar).Sub(c, d)
	if x.Mul(x, run.Invert(run)); open(x).Bytes() != key.Bytes() {
		t.Error("the key was not found")
	}
}

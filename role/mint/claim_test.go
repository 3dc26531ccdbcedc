package mint

import (
	"testing"
	"time"

	"jiaozi/book/chart"
	"jiaozi/crypt/brands"
	"jiaozi/value/money"
	"jiaozi/wire/coin"
)

// lost is the claim of a coin.
func (p *person) lost(own *brands.Own) coin.ClaimItem {
	p.t.Helper()
	proof, err := brands.NewClaim(p.h, own, p.rand)
	check(p.t, err)
	c := own.Coin()
	return coin.ClaimItem{Coin: c.Append(nil), Proof: proof.Append(nil)}
}

func (p *person) claims(want coin.Code, value money.Minor, item coin.ClaimItem) {
	p.t.Helper()
	have := get[*coin.Claimed](p.scheme, p.signed(&coin.Claim{Items: []coin.ClaimItem{item}})).Items[0]
	if have.Code != want || have.Code.Paid() && have.Value != yuan(value) {
		p.t.Fatalf("claim: %+v, want %v %d", have, want, value)
	}
}

// Goal: a restored wallet gets its coins back at once; what it had paid and nobody
// had deposited is paid to the payee all the same, by the claimant, and nobody is
// accused.
func TestClaimedCoinThatWasPaidIsPaidByItsOwner(t *testing.T) {
	s := newScheme(t)
	s.shop()
	alice, bob := s.person("alice", 20), s.person("bob", 10)
	lost, paid, gone := alice.coin(1), alice.coin(2), alice.coin(4)
	bill, other := s.bill("shop", 2, 1), s.bill("bob", 2, 2)
	s.codes(bill, []coin.Code{coin.Accepted}, s.pay(head(gone), gone, bill))
	alice.claims(coin.Spent, 0, alice.lost(gone))
	for range 2 {
		for _, own := range []*brands.Own{lost, paid} {
			value := map[*brands.Own]money.Minor{lost: 1, paid: 2}[own]
			code := coin.Accepted
			if s.balance(chart.Customer(bank, "alice", money.CNY)) == 16 {
				code = coin.Replayed
			}
			alice.claims(code, value, alice.lost(own))
		}
	}
	s.holds(map[string]money.Minor{"alice": 16, "shop": 4})
	raw := s.pay(head(paid), paid, bill)
	s.codes(bill, []coin.Code{coin.AfterClaim}, raw)
	s.codes(bill, []coin.Code{coin.Replayed}, raw)
	s.holds(map[string]money.Minor{"alice": 14, "shop": 6})
	if l := s.line(); l.DoubleSpends != 0 {
		t.Errorf("somebody is accused: %+v", l)
	}
	s.named(s.codes(other, []coin.Code{coin.DoubleSpent}, s.pay(head(paid), paid, other))[0], alice)
	s.holds(map[string]money.Minor{"alice": 14, "bob": 10})
	_ = bob
	s.sound()
}

// If the claimant's account is empty, the payee is paid all the same and the bank's
// suspense says for whom.
func TestClaimedCoinThatItsOwnerCannotPayIsInSuspense(t *testing.T) {
	s := newScheme(t)
	s.shop()
	alice := s.person("alice", 4)
	own := alice.coin(4)
	bill := s.bill("shop", 4, 1)
	raw := s.pay(head(own), own, bill)
	alice.claims(coin.Accepted, 4, alice.lost(own))
	second := alice.coin(4)
	s.codes(bill, []coin.Code{coin.AfterClaim}, raw)
	s.codes(bill, []coin.Code{coin.Replayed}, raw)
	s.holds(map[string]money.Minor{"alice": 0, "shop": 4})
	if have := s.balance(chart.CoinSuspense(bank, chart.Place{}, money.CNY)); have != 4 {
		t.Errorf("suspense %d", have)
	}
	s.codes(bill, []coin.Code{coin.Accepted}, s.pay(head(second), second, bill))
	s.sound()
}

// The rest of a note is claimed once; its pieces that were paid before are paid by
// the claimant.
func TestRestOfANoteIsClaimed(t *testing.T) {
	s := newScheme(t)
	s.shop()
	alice := s.person("alice", 20)
	k := s.key(brands.KindNote, 8, "", 0)
	own := alice.withdraw(k)
	n, err := own.Note(k)
	check(t, err)
	d := divided{s, n, own.Coin()}
	bill := s.bill("shop", 8, 1)
	s.codes(bill, []coin.Code{coin.Accepted}, d.pay(2, bill))
	late := d.pay(6, bill)
	alice.claims(coin.Accepted, 4, alice.lost(own))
	alice.claims(coin.Replayed, 4, alice.lost(own))
	s.holds(map[string]money.Minor{"alice": 16, "shop": 4})
	s.codes(bill, []coin.Code{coin.AfterClaim}, late)
	s.codes(bill, []coin.Code{coin.Replayed}, late)
	s.holds(map[string]money.Minor{"alice": 14, "shop": 6})
	spent := alice.withdraw(k)
	n, err = spent.Note(k)
	check(t, err)
	whole := divided{s, n, spent.Coin()}
	s.codes(bill, []coin.Code{coin.Accepted}, whole.pay(1, bill))
	alice.claims(coin.Spent, 0, alice.lost(spent))
	s.sound()
}

// A claim of another's coin, of a blank, of a changed coin, or after the epoch,
// credits nothing.
func TestFalseClaimsAreRefused(t *testing.T) {
	s := newScheme(t)
	alice, bob := s.person("alice", 10), s.person("bob", 10)
	own := alice.coin(2)
	bob.claims(coin.NotYours, 0, alice.lost(own))
	changed := alice.lost(own)
	changed.Coin[200] ^= 1
	alice.claims(coin.Invalid, 0, changed)
	strange := alice.lost(own)
	strange.Coin[0] ^= 1
	alice.claims(coin.UnknownKey, 0, strange)
	alice.claims(coin.Invalid, 0, coin.ClaimItem{Coin: []byte{1}, Proof: []byte{2}})
	blank := alice.withdraw(s.key(brands.KindBlank, 0, "", 0))
	alice.claims(coin.Invalid, 0, alice.lost(blank))
	good := alice.lost(own)
	s.now = time.Unix(s.key(brands.KindCoin, 2, "", 0).Info().DepositUntil, 0)
	alice.claims(coin.Expired, 0, good)
	s.now = day0
	alice.claims(coin.Accepted, 2, good)
	s.holds(map[string]money.Minor{"alice": 10, "bob": 10})
	s.sound()
}

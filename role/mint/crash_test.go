package mint

import (
	"fmt"
	"testing"
	"time"

	"jiaozi/book/chart"
	"jiaozi/crypt/brands"
	"jiaozi/value/clock"
	"jiaozi/value/money"
	"jiaozi/wire/coin"

	"github.com/google/go-cmp/cmp"
)

// ending is all that a story leaves behind, for comparison.
type ending struct {
	Money    map[string]money.Minor
	Suspense money.Minor
	Line     coin.StatusLine
	Answers  []coin.Code
	Named    []string
	Verified bool
}

// once makes the answer to a request that was sent again that to the first one.
func once(c coin.Code) coin.Code {
	if c == coin.Replayed || c == coin.AfterClaim {
		return coin.Accepted
	}
	return c
}

// story plays all that changes the mint's books once.
func story(s *scheme) (e ending) {
	bring := func(t coin.Terms, items ...[]byte) {
		for _, i := range s.deposit(t, items...) {
			e.Answers = append(e.Answers, once(i.Code))
		}
	}
	s.shop("campus")
	alice, bob := s.person("alice", 30), s.person("bob", 1)
	bill, other := s.bill("shop", 7, 1), s.bill("bob", 7, 2)
	one, four, poor := alice.coin(1), alice.coin(4), bob.commit(s.key(brands.KindCoin, 4, "", 0))
	_, q := bob.blind(s.key(brands.KindCoin, 4, "", 0), poor, brands.DeriveBlinding(bob.seed, brands.KeyID(poor.Key), 1))
	e.Answers = append(e.Answers, bob.challenge(q).Code)
	blank := bob.withdraw(s.key(brands.KindBlank, 0, "", 0))
	m := s.pass(head(four), four, blank)
	bring(bill, s.pay(head(one), one, bill), s.pay(m, blank, bill))
	bring(other, s.pay(m, blank, other)) // bob cheats
	d := alice.divided()
	bring(bill, d.pay(2, bill), d.pay(6, bill))
	bring(other, d.pay(4, other)) // alice cheats
	lost, owed := alice.coin(2), alice.coin(2)
	late := s.pay(head(owed), owed, other)
	for _, own := range []*brands.Own{lost, owed} {
		a := get[*coin.Claimed](s, alice.signed(&coin.Claim{Items: []coin.ClaimItem{alice.lost(own)}})).Items[0]
		e.Answers = append(e.Answers, once(a.Code))
	}
	bring(other, late)
	alice.coin(1) // forgotten
	s.insist(func() error {
		return s.mint.Expire(s.t.Context(), thisMon, time.Date(2027, 4, 1, 0, 0, 0, 0, clock.Zone))
	})
	return s.ending(e)
}

func (s *scheme) ending(e ending) ending {
	e.Money = map[string]money.Minor{"shop": s.balance(chart.Merchant(bank, shopMID, money.CNY))}
	for _, name := range []string{"alice", "bob"} {
		e.Money[name] = s.balance(chart.Customer(bank, name, money.CNY))
	}
	e.Suspense, e.Line = s.balance(chart.CoinSuspense(bank, chart.Place{}, money.CNY)), s.line()
	check(s.t, s.mint.Guilts(s.t.Context(), func(file []byte) error {
		f, err := coin.Parse[coin.GuiltFile](file)
		e.Named = append(e.Named, f.Account)
		return err
	}))
	report, err := s.book.Verify(s.t.Context())
	check(s.t, err)
	e.Verified = len(report.Findings) == 0
	return e
}

// Goal: whichever call of the book fails, before or after it took the commands,
// asking again ends in the same place: same money, same answers, once each.
func TestACrashAtAnyStepChangesNothing(t *testing.T) {
	calm := newScheme(t)
	first := calm.door.calls + 1 // the keys have a test of their own
	want := story(calm)
	if !want.Verified || len(want.Named) != 2 || !want.Line.Balanced() || want.Line.Expired != yuan(1+2) {
		t.Fatalf("the story is not the one meant: %+v", want)
	}
	step := 1
	if testing.Short() {
		step = 5
	}
	for failAt := first; failAt <= calm.door.calls; failAt += step {
		for _, after := range []bool{false, true} {
			t.Run(fmt.Sprintf("call %d after %t", failAt, after), func(t *testing.T) {
				s := newScheme(t)
				s.door.failAt, s.door.after = failAt, after
				if diff := cmp.Diff(want, story(s), cmp.AllowUnexported(money.Amount{})); diff != "" {
					t.Error(diff)
				}
			})
		}
	}
}

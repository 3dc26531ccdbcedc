package mint

import (
	"context"
	"slices"
	"sync"
	"testing"
	"time"

	"jiaozi/crypt/brands"
	"jiaozi/value/clock"
	"jiaozi/value/money"
	"jiaozi/wire/coin"
)

// What nobody honest does, and several at once.

// Goal: a note that is claimed twice while its pieces are deposited, all at once, is
// paid once: the payees have their pieces, the claimant the rest and not a unit more.
func TestNoteClaimedWhileItIsDepositedIsPaidOnce(t *testing.T) {
	for range 6 {
		s := newScheme(t)
		s.shop()
		alice := s.person("alice", 8)
		k := s.key(brands.KindNote, 8, "", 0)
		own := alice.withdraw(k)
		n, err := own.Note(k)
		check(t, err)
		d := divided{s, n, own.Coin()}
		bill := s.bill("shop", 6, 1)
		var requests []coin.Message
		for _, node := range []uint16{2, 6} {
			requests = append(requests, &coin.Deposit{Terms: bill, Items: [][]byte{d.pay(node, bill)}})
		}
		for range 2 {
			requests = append(requests, alice.signed(&coin.Claim{Items: []coin.ClaimItem{alice.lost(own)}}))
		}
		var all sync.WaitGroup
		for _, q := range slices.Concat(requests, requests) {
			all.Go(func() {
				if _, err := s.mint.Handle(t.Context(), q, s.now); err != nil {
					t.Error(err)
				}
			})
		}
		all.Wait()
		s.holds(map[string]money.Minor{"shop": 6, "alice": 2})
		if l := s.line(); !l.Outstanding.IsZero() || l.DoubleSpends != 0 {
			t.Errorf("%+v", l)
		}
		s.sound()
	}
}

// Goal: money that went through blanks of an older epoch, even one that is over, is
// as good as its coin, and no better: what the coin's key forbids stays forbidden.
func TestBlanksChangeNothingOfACoin(t *testing.T) {
	s := newScheme(t)
	s.shop("campus")
	alice, bob := s.person("alice", 20), s.person("bob", 0)
	old := bob.withdraw(s.key(brands.KindBlank, 0, "", 0))
	again := bob.withdraw(s.key(brands.KindBlank, 0, "", 1))
	aged := alice.coin(1)
	s.now = time.Date(2027, 4, 2, 0, 0, 0, 0, clock.Zone) // the blanks' epoch is over
	save := func() error { return s.mint.EnsureKeys(t.Context(), s.now, func(context.Context) error { return nil }) }
	s.insist(save)
	s.learn()
	own, special := alice.coin(4), alice.withdraw(s.key(brands.KindCoin, 2, "campus", 0))
	bill, home := s.bill("shop", 4, 1), s.bill("bob", 2, 2)
	s.codes(bill, []coin.Code{coin.Accepted}, s.pay(s.pass(head(own), own, old), old, bill))
	m := s.pass(head(special), special, again)
	s.codes(home, []coin.Code{coin.GroupMismatch}, s.pay(m, again, home))
	s.codes(bill, []coin.Code{coin.GroupMismatch}, s.pay(m, again, bill))
	fresh := bob.withdraw(s.key(brands.KindBlank, 0, "", 0))
	s.codes(bill, []coin.Code{coin.Expired}, s.pay(s.pass(head(aged), aged, fresh), fresh, bill))
	s.holds(map[string]money.Minor{"shop": 4, "bob": 0})
}

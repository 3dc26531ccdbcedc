package mint

import (
	"testing"

	"jiaozi/crypt/brands"
	"jiaozi/value/money"
	"jiaozi/wire/coin"
)

// BenchmarkWithdraw is the mint's side of one coin, both moves, decoding and the
// book in memory included.
func BenchmarkWithdraw(b *testing.B) {
	s := newScheme(b)
	alice := s.person("alice", 1<<40)
	k := s.key(brands.KindCoin, 1, "", 0)
	for b.Loop() {
		c, err := s.mint.Handle(b.Context(), alice.signed(&coin.Commit{Keys: [][16]byte{k.ID()}}), s.now)
		check(b, err)
		x := coin.ChallengeItem{Key: k.ID(), Session: c.(*coin.Commitments).Items[0].Session, C: [32]byte{1}}
		a, err := s.mint.Handle(b.Context(), alice.signed(&coin.Challenge{Items: []coin.ChallengeItem{x}}), s.now)
		check(b, err)
		if a.(*coin.Answer).Items[0].Code != coin.Accepted {
			b.Fatal(a)
		}
	}
}

// BenchmarkDeposit is a deposit of as many coins as one request holds, verified,
// looked up, credited and booked in memory. Its time is of one coin.
func BenchmarkDeposit(b *testing.B) {
	s := newScheme(b)
	s.shop()
	alice := s.person("alice", 1<<40)
	bill := s.bill("shop", money.Minor(coin.MaxItems), 1)
	for b.Loop() {
		b.StopTimer()
		q := &coin.Deposit{Terms: bill}
		for range coin.MaxItems {
			own := alice.coin(1)
			q.Items = append(q.Items, s.pay(head(own), own, bill))
		}
		raw, err := coin.Append(nil, q)
		check(b, err)
		b.StartTimer()
		if _, err := s.mint.Serve(b.Context(), raw, s.now); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/coin.MaxItems, "ns/coin")
}

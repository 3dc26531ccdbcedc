package mint

import (
	"bytes"
	"errors"
	"slices"
	"testing"

	"jiaozi/book/chart"
	"jiaozi/crypt/brands"
	"jiaozi/value/money"
	"jiaozi/wire/coin"
)

func TestCoinGoesFromAccountToShop(t *testing.T) {
	s := newScheme(t)
	s.shop()
	alice := s.person("alice", 100)
	bill := s.bill("shop", 7, 1)
	var coins [][]byte
	for _, v := range []money.Minor{1, 2, 4} {
		own := alice.coin(v)
		coins = append(coins, s.pay(head(own), own, bill))
	}
	s.holds(map[string]money.Minor{"alice": 93, "shop": 0})
	s.codes(bill, []coin.Code{coin.Accepted, coin.Accepted, coin.Accepted}, coins...)
	s.holds(map[string]money.Minor{"alice": 93, "shop": 7})
	s.codes(bill, []coin.Code{coin.Replayed, coin.Replayed, coin.Replayed}, coins...)
	s.holds(map[string]money.Minor{"shop": 7})
	if l := s.line(); l.CoinsIssued != 3 || l.CoinsDeposited != 3 || l.Issued != yuan(7) || l.Outstanding != yuan(0) {
		t.Errorf("published: %+v", l)
	}
	s.sound()
}

// Goal: money goes through hands that the mint never sees; then a middle holder
// cheats, and the proof names that one alone.
func TestMiddleHolderWhoCheatsIsNamedAlone(t *testing.T) {
	s := newScheme(t)
	s.shop()
	alice, bob, carol, dave := s.person("alice", 10), s.person("bob", 0), s.person("carol", 0), s.person("dave", 0)
	blank := func(p *person, n int) *brands.Own { return p.withdraw(s.key(brands.KindBlank, 0, "", n)) }
	own, b, c, d := alice.coin(4), blank(bob, 0), blank(carol, 0), blank(dave, 1)
	toBob := s.pass(head(own), own, b)
	toCarol, toDave := s.pass(toBob, b, c), s.pass(toBob, b, d)
	bill1, bill2 := s.bill("shop", 4, 1), s.bill("alice", 4, 2)
	s.codes(bill1, []coin.Code{coin.Accepted}, s.pay(toCarol, c, bill1))
	item := s.codes(bill2, []coin.Code{coin.DoubleSpent}, s.pay(toDave, d, bill2))[0]
	first := s.named(item, bob)
	again := s.codes(bill2, []coin.Code{coin.DoubleSpent}, s.pay(toDave, d, bill2))[0]
	if string(again.Guilt) != string(item.Guilt) || first.Time != s.now.Unix() {
		t.Error("the proof changed")
	}
	s.holds(map[string]money.Minor{"alice": 6, "shop": 4, "bob": 0})
	if l := s.line(); l.DoubleSpends != 1 || l.Named != 1 {
		t.Errorf("published: %+v", l)
	}
	s.sound()
}

func TestPayerWhoPaysTwiceIsNamedAndNobodyIsPaidTwice(t *testing.T) {
	s := newScheme(t)
	s.shop()
	alice := s.person("alice", 10)
	s.person("bob", 0)
	own := alice.coin(2)
	bills := []coin.Terms{s.bill("shop", 2, 1), s.bill("bob", 2, 2), s.bill("shop", 2, 3)}
	s.codes(bills[0], []coin.Code{coin.Accepted}, s.pay(head(own), own, bills[0]))
	for _, b := range bills[1:] {
		s.named(s.codes(b, []coin.Code{coin.DoubleSpent}, s.pay(head(own), own, b))[0], alice)
	}
	s.codes(bills[0], []coin.Code{coin.Replayed}, s.pay(head(own), own, bills[0]))
	s.holds(map[string]money.Minor{"alice": 8, "bob": 0, "shop": 2})
	count := 0
	check(t, s.mint.Guilts(t.Context(), func([]byte) error { count++; return nil }))
	if l := s.line(); count != 1 || l.DoubleSpends != 1 || l.Named != 1 {
		t.Errorf("%d proofs, published %+v", count, l)
	}
	s.sound()
}

// The same coin twice in one deposit is one coin; two payments of it in one deposit
// are a double spend.
func TestOneDepositHoldsACoinOnce(t *testing.T) {
	s := newScheme(t)
	alice := s.person("alice", 10)
	own := alice.coin(1)
	bill := s.bill("alice", 1, 1)
	p := s.pay(head(own), own, bill)
	s.codes(bill, []coin.Code{coin.Accepted, coin.Replayed}, p, p)
	s.holds(map[string]money.Minor{"alice": 10})
	s.sound()
}

// Goal: a payer who withdraws two coins with one A cannot leave the second payee
// unpaid. Method: the random factors begin alike, so s is one and the lines differ.
func TestTwoCoinsWithOneAArePaidTwice(t *testing.T) {
	s := newScheme(t)
	s.shop()
	alice := s.person("alice", 10)
	k := s.key(brands.KindCoin, 1, "", 0)
	var coins [][]byte
	bill := s.bill("shop", 1, 1)
	heads := map[string]bool{}
	for tail := range byte(2) {
		bl, err := brands.RandomBlinding(&forked{head: dice(7), left: 64, tail: dice(8 + tail)})
		check(t, err)
		own := alice.withdrawn(k, alice.commit(k), bl)
		c := own.Coin()
		heads[string(c.Append(nil)[16:48])] = true
		coins = append(coins, s.pay(head(own), own, bill))
	}
	if len(heads) != 1 {
		t.Skip("the factors are drawn in another order: this test must be changed")
	}
	s.codes(bill, []coin.Code{coin.Accepted, coin.Accepted}, coins...)
	s.holds(map[string]money.Minor{"shop": 2})
}

// forked reads from head first, then from tail.
type forked struct {
	head, tail *lockedReader
	left       int
}

func (f *forked) Read(b []byte) (int, error) {
	if f.left == 0 {
		return f.tail.Read(b)
	}
	n, err := f.head.Read(b[:min(len(b), f.left)])
	f.left -= n
	return n, err
}

// What does not verify, or does not belong here, pays nobody and leaves no trace.
func TestBadCoinsAreRefused(t *testing.T) {
	s := newScheme(t)
	s.shop("campus")
	alice := s.person("alice", 20)
	s.person("bob", 0)
	own := alice.coin(1)
	bill := s.bill("shop", 1, 1)
	good := s.pay(head(own), own, bill)
	for why, c := range map[string]struct {
		terms func(*coin.Terms)
		bytes func([]byte) []byte
		want  coin.Code
	}{
		"another payee":    {terms: func(q *coin.Terms) { q.Payee = "bob" }, want: coin.Invalid},
		"another amount":   {terms: func(q *coin.Terms) { q.Amount = yuan(2) }, want: coin.Invalid},
		"another time":     {terms: func(q *coin.Terms) { q.Time++ }, want: coin.Invalid},
		"another nonce":    {terms: func(q *coin.Terms) { q.Nonce[0]++ }, want: coin.Invalid},
		"another contract": {terms: func(q *coin.Terms) { q.Contract[5]++ }, want: coin.Invalid},
		"another group":    {terms: func(q *coin.Terms) { q.Group = "campus" }, want: coin.Invalid},
		"an unknown key":   {bytes: func(b []byte) []byte { b[5] ^= 1; return b }, want: coin.UnknownKey},
		"cut short":        {bytes: func(b []byte) []byte { return b[:len(b)-1] }, want: coin.Invalid},
		"longer":           {bytes: func(b []byte) []byte { return append(b, 0) }, want: coin.Invalid},
		"noise":            {bytes: func([]byte) []byte { return []byte{1, 2, 3} }, want: coin.Invalid},
		"another answer":   {bytes: func(b []byte) []byte { b[len(b)-32] ^= 1; return b }, want: coin.Invalid},
	} {
		q, raw := bill, append([]byte(nil), good...)
		if c.terms != nil {
			c.terms(&q)
		}
		if c.bytes != nil {
			raw = c.bytes(raw)
		}
		if got := s.deposit(q, raw)[0]; got.Code != c.want {
			t.Errorf("%s: %v, want %v", why, got.Code, c.want)
		}
	}
	q := bill
	q.Network[0]++
	s.refused(&coin.Deposit{Terms: q, Items: [][]byte{good}}, coin.WrongNetwork)
	q = bill
	q.Amount = money.New(840, 1)
	s.refused(&coin.Deposit{Terms: q, Items: [][]byte{good}}, coin.WrongCurrency)
	q = bill
	q.Payee = "nobody"
	s.refused(&coin.Deposit{Terms: q, Items: [][]byte{good}}, coin.UnknownAccount)
	s.holds(map[string]money.Minor{"shop": 0, "alice": 19})
	s.codes(bill, []coin.Code{coin.Accepted}, good)
	blank := alice.withdraw(s.key(brands.KindBlank, 0, "", 0))
	s.codes(bill, []coin.Code{coin.Invalid}, s.pay(head(blank), blank, bill))
	s.sound()
}

// A bad coin in a batch is found, and the good ones beside it are paid.
func TestBadCoinDoesNotSpoilTheBatch(t *testing.T) {
	s := newScheme(t)
	s.shop()
	alice := s.person("alice", 50)
	bill := s.bill("shop", 10, 1)
	var coins [][]byte
	var want []coin.Code
	for i := range 10 {
		own := alice.coin(1)
		raw := s.pay(head(own), own, bill)
		want = append(want, coin.Accepted)
		if i == 3 || i == 8 {
			raw[len(raw)-64] ^= 1
			want[i] = coin.Invalid
		}
		coins = append(coins, raw)
	}
	s.codes(bill, want, coins...)
	s.holds(map[string]money.Minor{"shop": 8})
}

// Special-purpose coins are paid to merchants of their group, under terms that say so.
func TestGroupCoinsAreGoodInTheirGroupOnly(t *testing.T) {
	s := newScheme(t)
	s.shop()
	alice := s.person("alice", 10)
	k := s.key(brands.KindCoin, 2, "campus", 0)
	own := alice.withdraw(k)
	bill := s.bill("shop", 2, 1)
	bill.Group = "campus"
	raw := s.pay(head(own), own, bill)
	s.codes(bill, []coin.Code{coin.GroupMismatch}, raw)
	s.shop("campus", "school")
	s.codes(bill, []coin.Code{coin.Accepted}, raw)
	other := alice.withdraw(k)
	plain := s.bill("shop", 2, 2)
	s.codes(plain, []coin.Code{coin.GroupMismatch}, s.pay(head(other), other, plain))
	s.holds(map[string]money.Minor{"shop": 2})
}

// Two callers who bring one coin at once: one is paid, the other gets the same
// answer or a proof.
func TestTwoDepositsOfOneCoinAtOnce(t *testing.T) {
	s := newScheme(t)
	s.shop()
	alice := s.person("alice", 10)
	s.person("bob", 0)
	own := alice.coin(4)
	mine, other := s.bill("shop", 4, 1), s.bill("bob", 4, 2)
	raw, twin := s.pay(head(own), own, mine), s.pay(head(own), own, other)
	s.door.meanwhile = func() { s.codes(other, []coin.Code{coin.Accepted}, twin) }
	s.named(s.codes(mine, []coin.Code{coin.DoubleSpent}, raw)[0], alice)
	s.holds(map[string]money.Minor{"shop": 0, "bob": 4})
	own = alice.coin(2)
	raw = s.pay(head(own), own, mine)
	results := make(chan coin.Code)
	for range 8 {
		go func() {
			answer, err := s.mint.Handle(t.Context(), &coin.Deposit{Terms: mine, Items: [][]byte{raw}}, s.now)
			if err != nil {
				t.Error(err)
			}
			results <- answer.(*coin.Deposited).Items[0].Code
		}()
	}
	paid := 0
	for range 8 {
		if <-results == coin.Accepted {
			paid++
		}
	}
	s.holds(map[string]money.Minor{"shop": 2})
	if paid != 1 {
		t.Errorf("%d were told that they were paid now", paid)
	}
	s.sound()
}

// Goal: with a stolen key coins can be made, but the book pays no more of an epoch
// than was paid in, and says that the key is gone.
func TestForgedCoinsAreFoundOut(t *testing.T) {
	s := newScheme(t)
	s.shop()
	alice := s.person("alice", 10)
	honest := alice.coin(4)
	k := s.key(brands.KindCoin, 4, "", 0)
	published, err := s.mint.key(t.Context(), k.ID())
	check(t, err)
	session := brands.Digest{66}
	com, err := s.vault.CoinCommit(published.handle, session, brands.NewAccount(alice.h.Identity(), 1, false), false)
	check(t, err)
	w, c, err := alice.h.Challenge(k, brands.DeriveBlinding(alice.seed, k.ID(), 66), com, nil)
	check(t, err)
	r, err := s.vault.CoinRespond(published.handle, session, alice.h.Identity(), c)
	check(t, err)
	forged := alice.finish(w, r.Bytes())
	bill := s.bill("shop", 4, 1)
	s.codes(bill, []coin.Code{coin.Accepted}, s.pay(head(forged), forged, bill))
	_, err = s.mint.Handle(t.Context(), &coin.Deposit{Terms: bill, Items: [][]byte{s.pay(head(honest), honest, bill)}}, s.now)
	if !errors.Is(err, ErrForged) {
		t.Errorf("%v", err)
	}
	s.holds(map[string]money.Minor{"shop": 4, "alice": 6})
	s.sound()
}

// Goal: a deposit that comes again has the first answer also after the merchant's
// account was moved, and does not hold up the coins beside it.
func TestDepositComesAgainAfterTheMerchantMoved(t *testing.T) {
	s := newScheme(t)
	s.shop()
	alice := s.person("alice", 20)
	first, second := alice.coin(1), alice.coin(2)
	bill := s.bill("shop", 3, 1)
	raw := s.pay(head(first), first, bill)
	s.codes(bill, []coin.Code{coin.Accepted}, raw)
	const elsewhere = "M00000000000002"
	check(t, s.mint.RegisterMerchant(t.Context(), Merchant{Account: "shop", MID: elsewhere}, s.now))
	s.codes(bill, []coin.Code{coin.Replayed, coin.Accepted}, raw, s.pay(head(second), second, bill))
	s.holds(map[string]money.Minor{"shop": 1, "alice": 17})
	if have := s.balance(chart.Merchant(bank, elsewhere, money.CNY)); have != 2 {
		t.Errorf("the new account has %d", have)
	}
	s.sound()
}

// Goal: what comes to help the mint with a coin decides nothing. Method: two merchants' worth of good, bad, passed on and twice
// paid coins, and a piece of a note, deposited without aids and with every kind of them; each time the answers are those of
// the first time, word for word once they are replays.
func TestAidsChangeNoAnswer(t *testing.T) {
	if coin.MaxAid != brands.AidSize*(1+brands.MaxHops) {
		t.Errorf("the longest aid has %d bytes on the wire, %d here", coin.MaxAid, brands.AidSize*(1+brands.MaxHops))
	}
	s := newScheme(t)
	s.shop()
	alice, bob := s.person("alice", 40), s.person("bob", 10)
	bill, other := s.bill("shop", 10, 1), s.bill("bob", 10, 2)
	blank := func() *brands.Own { return bob.withdraw(s.key(brands.KindBlank, 0, "", 0)) }
	plain, hand, twice, spoilt := alice.coin(1), blank(), alice.coin(2), alice.coin(4)
	first := alice.coin(4)
	chain := s.pass(head(first), first, hand)
	s.codes(other, []coin.Code{coin.Accepted}, s.pay(head(twice), twice, other))
	coins := [][]byte{
		s.pay(head(plain), plain, bill), s.pay(chain, hand, bill), s.pay(head(twice), twice, bill), s.pay(head(spoilt), spoilt, other),
		append(s.pay(head(spoilt), spoilt, bill), 0), alice.divided().pay(5, bill),
	}
	want := []coin.Code{coin.Accepted, coin.Accepted, coin.DoubleSpent, coin.Invalid, coin.Invalid, coin.Accepted}
	var right [][]byte
	for _, raw := range coins {
		var aid []byte
		if p, err := brands.ParsePayment(raw); err == nil {
			aid = p.Aid()
		}
		right = append(right, aid)
	}
	each := func(change func(b []byte) []byte) (list [][]byte) {
		for _, b := range right {
			list = append(list, change(bytes.Clone(b)))
		}
		return list
	}
	for i, aids := range [][][]byte{
		right, nil, each(func(b []byte) []byte { return nil }), each(func(b []byte) []byte { return append(b, 0) }),
		each(func(b []byte) []byte { return b[:len(b)/2] }), each(func(b []byte) []byte { clear(b); return b }),
		each(func(b []byte) []byte { slices.Reverse(b); return b }), append(right[1:], right[0]),
	} {
		answer := get[*coin.Deposited](s, &coin.Deposit{Terms: bill, Items: coins, Aids: aids})
		for n, item := range answer.Items {
			if code := want[n]; item.Code != code {
				t.Errorf("aids %d, coin %d: %v, not %v", i, n, item.Code, code)
			}
			if want[n] == coin.Accepted {
				want[n] = coin.Replayed
			}
		}
		s.named(answer.Items[2], alice)
	}
	s.sound()
}

package mint

import (
	"context"
	"errors"
	"testing"
	"time"

	"jiaozi/book"
	"jiaozi/book/booktest"
	"jiaozi/book/chart"
	"jiaozi/crypt/brands"
	"jiaozi/crypt/vault"
	"jiaozi/value/clock"
	"jiaozi/value/money"
	"jiaozi/wire/coin"
)

// Goal: issued - deposited - expired is what is outstanding, from the first coin to
// the end of its epoch, and what nobody brought back is the issuer's.
func TestEpochEndsWithNothingOutstanding(t *testing.T) {
	s := newScheme(t)
	s.shop()
	alice := s.person("alice", 50)
	spent, forgotten := alice.coin(4), alice.coin(2)
	bill := s.bill("shop", 4, 1)
	s.codes(bill, []coin.Code{coin.Accepted}, s.pay(head(spent), spent, bill))
	if l := s.line(); l.Outstanding != yuan(2) || l.Expired != yuan(0) {
		t.Errorf("%+v", l)
	}
	if err := s.mint.Expire(t.Context(), thisMon, s.now); !errors.Is(err, ErrRefused) {
		t.Errorf("before its time: %v", err)
	}
	if err := s.mint.Expire(t.Context(), 209901, s.now); !errors.Is(err, ErrRefused) {
		t.Errorf("an epoch that never was: %v", err)
	}
	late := s.pay(head(forgotten), forgotten, bill)
	before := s.now
	s.now = time.Date(2027, 4, 1, 0, 0, 0, 0, clock.Zone)
	for range 2 {
		check(t, s.mint.Expire(t.Context(), thisMon, s.now))
	}
	s.codes(bill, []coin.Code{coin.Expired}, late)
	s.now = before // a clock that goes back opens nothing again
	s.codes(bill, []coin.Code{coin.Expired}, late)
	alice.claims(coin.AccountClosed, 0, alice.lost(forgotten))
	if l := s.line(); l.Outstanding != yuan(0) || l.Expired != yuan(2) || l.Issued != yuan(6) || l.Deposited != yuan(4) {
		t.Errorf("%+v", l)
	}
	if have := s.balance(chart.CoinIncome(bank, chart.Place{}, money.CNY)); have != 2 {
		t.Errorf("income %d", have)
	}
	s.sound()
}

// A coin that comes while its epoch is ended is paid, or counted as expired, never
// both.
func TestCoinThatComesWhileItsEpochEnds(t *testing.T) {
	s := newScheme(t)
	s.shop()
	alice := s.person("alice", 50)
	own, other := alice.coin(4), alice.coin(1)
	bill := s.bill("shop", 4, 1)
	raw, last := s.pay(head(own), own, bill), s.pay(head(other), other, bill)
	end := time.Date(2027, 4, 1, 0, 0, 0, 0, clock.Zone)
	s.door.meanwhile = func() { s.codes(bill, []coin.Code{coin.Accepted}, raw) }
	check(t, s.mint.Expire(t.Context(), thisMon, end))
	s.codes(bill, []coin.Code{coin.Expired}, last)
	if l := s.line(); l.Expired != yuan(1) || l.Deposited != yuan(4) {
		t.Errorf("%+v", l)
	}
	s.sound()
}

// Goal: who lost the mint's answer and asks after the epoch is over hears what became
// of his coin; what was not settled in time is not settled now, and a cheat is named.
func TestAnswersOutliveTheEpoch(t *testing.T) {
	s := newScheme(t)
	s.shop()
	alice := s.person("alice", 50)
	own, lost, paid, never := alice.coin(4), alice.coin(2), alice.coin(2), alice.coin(1)
	d := alice.divided()
	bill, other := s.bill("shop", 4, 1), s.bill("shop", 5, 2)
	first := [][]byte{s.pay(head(own), own, bill), s.pay(head(paid), paid, bill), d.pay(2, bill)}
	for _, o := range []*brands.Own{lost, paid} {
		alice.claims(coin.Accepted, 2, alice.lost(o))
	}
	s.codes(bill, []coin.Code{coin.Accepted, coin.AfterClaim, coin.Accepted}, first...)
	s.now = time.Date(2027, 4, 1, 0, 0, 0, 0, clock.Zone)
	for range 2 {
		s.codes(bill, []coin.Code{coin.Replayed, coin.Replayed, coin.Replayed, coin.Expired, coin.Expired, coin.Expired}, append(first,
			s.pay(head(never), never, bill), s.pay(head(lost), lost, bill), d.pay(6, bill))...)
		alice.claims(coin.Replayed, 2, alice.lost(lost))
		alice.claims(coin.Spent, 0, alice.lost(own))
		alice.claims(coin.Expired, 0, alice.lost(never))
		s.named(s.codes(other, []coin.Code{coin.DoubleSpent}, s.pay(head(own), own, other))[0], alice)
		check(t, s.mint.Expire(t.Context(), thisMon, s.now))
	}
	s.holds(map[string]money.Minor{"shop": 4 + 2 + 4, "alice": 50 - 4 - 2 - 2 - 1 - 8 + 2 + 2 - 2})
	s.sound()
}

// An epoch without a coin ends as well.
func TestEmptyEpochEnds(t *testing.T) {
	s := newScheme(t)
	check(t, s.mint.Expire(t.Context(), thisMon, time.Date(2027, 4, 1, 0, 0, 0, 0, clock.Zone)))
	s.sound()
}

// Old coins are exchanged: deposited to the own account after payees stopped taking
// them.
func TestOldCoinsAreExchanged(t *testing.T) {
	s := newScheme(t)
	alice := s.person("alice", 50)
	own := alice.coin(4)
	s.now = time.Date(2027, 3, 15, 0, 0, 0, 0, clock.Zone)
	check(t, s.mint.EnsureKeys(t.Context(), s.now, func(context.Context) error { return nil }))
	bill := s.bill("alice", 4, 1)
	item := alice.signed(&coin.Deposit{Terms: bill, Items: [][]byte{s.pay(head(own), own, bill)}})
	if got := get[*coin.Deposited](s, item).Items[0]; got.Code != coin.Accepted {
		t.Fatalf("%+v", got)
	}
	fresh := alice.coin(4)
	if c := fresh.Coin(); c.Key() == func() brands.KeyID { o := own.Coin(); return o.Key() }() {
		t.Error("the new coin is of the old epoch")
	}
	s.holds(map[string]money.Minor{"alice": 46})
	s.sound()
}

// Epochs follow one another without a gap, whatever the plan.
func TestEpochsFollowOneAnother(t *testing.T) {
	for _, p := range []Plan{defaultPlan, {Issue: 3, Spend: 12, Deposit: 3}, {Issue: 12, Spend: 24, Deposit: 12}} {
		check(t, p.check())
		e := p.at(day0)
		if !e.from.Before(day0) || !day0.Before(e.issueUntil) {
			t.Errorf("%+v: %s is not in %+v", p, day0, e)
		}
		for range 40 {
			next := p.after(e)
			if next.from != e.issueUntil || next.number <= e.number || !e.issueUntil.Before(e.spendUntil) || !e.spendUntil.Before(e.depositUntil) {
				t.Fatalf("%+v: %+v then %+v", p, e, next)
			}
			if p.at(e.issueUntil.Add(-time.Second)) != e || p.at(e.issueUntil) != next {
				t.Fatalf("%+v: the end of %+v belongs to neither", p, e)
			}
			if last := p.at(e.depositUntil.Add(-time.Second)); p.Alive() < epochsFrom(p, e, p.after(last)) {
				t.Fatalf("%+v: more than %d epochs live at a time", p, p.Alive())
			}
			e = next
		}
	}
	for _, p := range []Plan{{}, {Issue: 5, Spend: 1, Deposit: 1}, {Issue: 1, Spend: 0, Deposit: 1}, {Issue: 1, Spend: 200, Deposit: 1}} {
		if p.check() == nil {
			t.Errorf("%+v was taken", p)
		}
	}
}

// epochsFrom counts the epochs from one to another, both with it.
func epochsFrom(p Plan, from, to epoch) int {
	n := 1
	for ; from != to; n++ {
		from = p.after(from)
	}
	return n
}

// Keys are sealed before they are published, also those that a save which failed
// left in memory; nothing is sealed without a new key; a vault that lost a published
// key is found out.
func TestKeysAreSealedBeforeTheyArePublished(t *testing.T) {
	l, err := book.Open(t.Context(), &booktest.Memory{})
	check(t, err)
	defer l.Close()
	v := vault.New(vault.Options{Test: true, Rand: dice(3)})
	check(t, v.Generate("sign", vault.Signing))
	cfg := Config{Inst: bank, Name: "m", Network: net, Currency: money.CNY, Sign: "sign", Coins: 2}
	m, err := New(cfg, l.Door(Events, Spaces(bank)), v, dice(4))
	check(t, err)
	full := errors.New("no room for the vault")
	for range 2 {
		if err := m.EnsureKeys(t.Context(), day0, func(context.Context) error { return full }); !errors.Is(err, full) {
			t.Fatalf("keys were published that are not sealed: %v", err)
		}
	}
	published := func(want int) []*coinKey {
		t.Helper()
		list, err := m.published(t.Context())
		check(t, err)
		if len(list) != want {
			t.Fatalf("%d keys, want %d", len(list), want)
		}
		return list
	}
	published(0)
	saved := 0
	save := func(context.Context) error { saved++; return nil }
	for range 2 {
		check(t, m.EnsureKeys(t.Context(), day0, save))
	}
	list := published(2 * (2 + DefaultBlanks))
	if saved != 1 {
		t.Errorf("sealed %d times for the first keys", saved)
	}
	check(t, m.EnsureKeys(t.Context(), day0.AddDate(0, 1, 0), save))
	published(3 * (2 + DefaultBlanks))
	if saved != 2 {
		t.Errorf("sealed %d times for new keys", saved)
	}
	check(t, v.Remove(list[0].handle))
	if err := m.EnsureKeys(t.Context(), day0, save); !errors.Is(err, ErrKeyLost) {
		t.Errorf("a published key is lost: %v", err)
	}
	check(t, v.GenerateCoin(list[0].handle, list[0].info))
	if err := m.EnsureKeys(t.Context(), day0, save); !errors.Is(err, ErrKeyLost) {
		t.Errorf("a published key is another one: %v", err)
	}
	if err := m.EnsureKeys(t.Context(), time.Time{}, save); !errors.Is(err, errClock) {
		t.Errorf("no clock: %v", err)
	}
}

// Keys are published until their epoch is over.
func TestExpiredKeysAreNotPublished(t *testing.T) {
	s := newScheme(t)
	before, err := s.mint.Keys(t.Context(), day0)
	check(t, err)
	after, err := s.mint.Keys(t.Context(), time.Date(2027, 4, 1, 0, 0, 0, 0, clock.Zone))
	check(t, err)
	if len(after.Keys)*2 != len(before.Keys) || before.Mint != "test mint" {
		t.Errorf("%d of %d keys are left", len(after.Keys), len(before.Keys))
	}
}

// A mint that makes no sense is not made.
func TestSenselessConfigurationsAreRefused(t *testing.T) {
	good := Config{Inst: bank, Currency: money.CNY, Coins: 3}
	if _, err := New(good, nil, nil, nil); err != nil {
		t.Fatal(err)
	}
	for why, change := range map[string]func(*Config){
		"no institution":       func(c *Config) { c.Inst = "x" },
		"no currency":          func(c *Config) { c.Currency = 0 },
		"no coins":             func(c *Config) { c.Coins = 0 },
		"too many":             func(c *Config) { c.Coins = 64 },
		"unreadable keys":      func(c *Config) { c.Coins, c.Groups = MaxCoins, make([]string, 8) },
		"a bad plan":           func(c *Config) { c.Plan = Plan{Issue: 7, Spend: 1, Deposit: 1} },
		"a place of no shard":  func(c *Config) { c.Place = func(uint16) chart.Place { return chart.Place{} } },
		"shards without place": func(c *Config) { c.Places = []chart.Place{chart.PlaceAt(3)} },
	} {
		c := good
		change(&c)
		if _, err := New(c, nil, nil, nil); err == nil {
			t.Errorf("%s: taken", why)
		}
	}
}

// Merchants are found by their names; a customer's name is not given away.
func TestMerchantsAreRegistered(t *testing.T) {
	s := newScheme(t)
	s.person("alice", 5)
	for why, m := range map[string]Merchant{
		"a customer's name": {Account: "alice", MID: shopMID},
		"no number":         {Account: "kiosk", MID: "?"},
		"too many groups":   {Account: "kiosk", MID: shopMID, Groups: make([]string, maxGroups+1)},
	} {
		if err := s.mint.RegisterMerchant(t.Context(), m, s.now); !errors.Is(err, ErrRefused) {
			t.Errorf("%s: %v", why, err)
		}
	}
}

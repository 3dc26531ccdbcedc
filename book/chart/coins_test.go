package chart_test

import (
	"testing"

	"jiaozi/book"
	"jiaozi/book/chart"
	"jiaozi/value/money"

	"pgregory.net/rapid"
)

// coinPostings makes every event of the mint, on one shard and on one of many.
func coinPostings(a money.Amount, p chart.Place) []book.Posting {
	k := chart.CoinKey{Issuer: issuer, Epoch: 202611, Name: "c4", Place: p}
	c := a.Currency()
	customer, shopAccount := chart.Customer(issuer, "6210", c), chart.Merchant(issuer, "000000000000001", c)
	return []book.Posting{
		chart.CoinIssue(k, "6210", a), chart.CoinDeposit(k, shopAccount, a), chart.CoinDeposit(k, chart.CoinsDue(issuer, p, c), a),
		chart.CoinClaim(k, customer, a), chart.CoinClaimedSpent(customer, shopAccount, a),
		chart.CoinClaimedSpent(chart.CoinSuspense(issuer, p, c), shopAccount, a), chart.CoinExpire(issuer, 202611, p, a),
		chart.CoinDuePaid(issuer, p, shopAccount, a), chart.CoinDueCollected(issuer, p, customer, a),
	}
}

// Goal: the life of an epoch leaves what it should. Method: coins issued, deposited,
// claimed, paid after the claim, and the rest expired, as an accountant would write
// it down.
func TestCoinsOfAnEpochAddUp(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		b := newBank(t)
		k := chart.CoinKey{Issuer: issuer, Epoch: 202611, Name: "c4"}
		customer, till := chart.Customer(issuer, "6210", cny), chart.Merchant(issuer, "000000000000001", cny)
		b.post(chart.Fund(issuer, "6210", yuan(1000)))
		b.post(chart.CoinIssue(k, "6210", yuan(400)))
		b.post(chart.CoinDeposit(k, till, yuan(100)))
		b.post(chart.CoinClaim(k, customer, yuan(120)))
		b.post(chart.CoinClaimedSpent(customer, till, yuan(20)))
		b.post(chart.CoinClaimedSpent(chart.CoinSuspense(issuer, chart.Place{}, cny), till, yuan(5)))
		b.want(chart.Coins(issuer, 202611, chart.Place{}, cny), 180)
		b.want(chart.CoinsIssued(k, cny), 400)
		b.want(chart.CoinsDeposited(k, cny), 220)
		b.post(chart.CoinExpire(issuer, 202611, chart.Place{}, yuan(180)))
		b.want(chart.Coins(issuer, 202611, chart.Place{}, cny), 0)
		b.want(chart.CoinsExpired(issuer, 202611, chart.Place{}, cny), 180)
		b.want(chart.CoinIncome(issuer, chart.Place{}, cny), 180)
		b.want(customer, 1000-400+120-20)
		b.want(till, 125)
	})
}

// A book of one shard pays out no more of an epoch than was paid in, whatever the
// mint believes.
func TestForgedCoinsArePaidByNobody(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		b := newBank(t)
		k := chart.CoinKey{Issuer: issuer, Epoch: 202611, Name: "c4"}
		till := chart.Merchant(issuer, "000000000000001", cny)
		b.post(chart.Fund(issuer, "6210", yuan(1000)))
		b.post(chart.CoinIssue(k, "6210", yuan(4)))
		b.post(chart.CoinDeposit(k, till, yuan(4)))
		b.n++
		r, err := b.ledger.Apply(t.Context(), []book.Command{chart.CoinDeposit(k, till, yuan(4)).Command(book.DeriveID(b.n), day)})
		if err != nil || r[0].Code != book.Insufficient {
			t.Fatalf("%v %v", r, err)
		}
	})
}

// An account with a place lives there, its name says so, and no other account's name
// can be mistaken for one.
func TestPlacesAreInTheNames(t *testing.T) {
	for _, part := range []uint16{0, 5, 4095} {
		p := chart.PlaceAt(part)
		k := chart.CoinKey{Issuer: issuer, Epoch: 202611, Name: "c4", Place: p}
		for _, a := range []book.Account{
			chart.Coins(issuer, 202611, p, cny), chart.CoinsDue(issuer, p, cny), chart.CoinSuspense(issuer, p, cny), chart.CoinIncome(issuer, p, cny),
			chart.CoinsIssued(k, cny), chart.CoinsDeposited(k, cny), chart.CoinsExpired(issuer, 202611, p, cny),
		} {
			if !chart.Split(a.Name) || a.ID.Part() != part || a.ID != chart.AccountID(a.Name) {
				t.Errorf("%s lives in part %d", a.Name, a.ID.Part())
			}
		}
		if a := chart.Coins(issuer, 202611, p, cny); a.NeverNegative {
			t.Error("a shard's part of the coins is covered")
		}
	}
	whole := chart.Coins(issuer, 202611, chart.Place{}, cny)
	if !whole.NeverNegative {
		t.Error("the coins of a whole book are not covered")
	}
	plain := map[string]bool{}
	for _, name := range []string{"alice@5", "alice@4096", "@5", "a@b"} {
		if a := chart.Customer(issuer, name, cny); plain[a.ID.String()] || a.ID.Part() == 5 || chart.Split(a.Name) {
			t.Errorf("%s moved to part %d", a.Name, a.ID.Part())
		}
	}
}

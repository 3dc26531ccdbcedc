package clearing

import (
	"errors"
	"fmt"
	"testing"

	"pgregory.net/rapid"

	"jiaozi/book/chart"
	"jiaozi/value/ident"
	"jiaozi/value/money"
	"jiaozi/wire/clearing"
)

// someDay draws a day of any items between any members.
func someDay(r *rapid.T) []item {
	items := make([]item, rapid.IntRange(0, 30).Draw(r, "items"))
	for n := range items {
		items[n] = item{
			mid:  rapid.SampledFrom([]ident.MID{midA, midB}).Draw(r, "merchant"),
			cash: cashKind(rapid.IntRange(0, 2).Draw(r, "cash")),
			key:  fmt.Append(nil, n),
			Detail: clearing.Detail{
				Sequence: uint32(n + 1), Verdict: clearing.Verdict(rapid.IntRange(1, 5).Draw(r, "verdict")), Reason: "drawn",
				Issuer:   rapid.SampledFrom([]ident.Inst{bankA, bankB, shopsA}).Draw(r, "issuer"), // shopsA is a bank as well
				Acquirer: rapid.SampledFrom([]ident.Inst{shopsA, shopsB}).Draw(r, "acquirer"),
				Gross:    yuan(money.Minor(rapid.Int64Range(1, 1e9).Draw(r, "gross"))),
			},
		}
	}
	return items
}

// Goal: whatever a day holds and whoever bears its clones, both computations of
// the net agree, every column adds up to zero, and each posting balances.
func TestEveryDayNetsToZero(t *testing.T) {
	rapid.Check(t, func(r *rapid.T) {
		c := &Clearing{cfg: Config{Inst: netInst, Currency: money.CNY}}
		rules := closing{Tariffs: DebitTariffs(), Bearer: chart.Bearer(rapid.IntRange(1, 3).Draw(r, "bearer"))}
		d, err := c.reckon(today, rules, someDay(r)) // proves the net itself
		if err != nil {
			r.Fatal(err)
		}
		for _, s := range d.pairs {
			p, err := chart.Settle(s)
			if err != nil {
				r.Fatal(err)
			}
			sum := money.Minor(0)
			for _, leg := range p.Legs {
				if leg.Side == 1 {
					sum += leg.Amount.Minor()
				} else {
					sum -= leg.Amount.Minor()
				}
			}
			if sum != 0 {
				r.Fatalf("%s with %s: debits less credits are %d", s.Issuer, s.Acquirer, sum)
			}
		}
	})
}

// Goal: a net that is not zero, or not what the postings move, is refused.
func TestANetThatIsOffIsRefused(t *testing.T) {
	report := func() *Report {
		r := newReport(today, netInst, money.CNY)
		check(t, r.move(gross, bankA, shopsA, yuan(500)))
		return r
	}
	net := map[ident.Inst]money.Amount{bankA: yuan(-500), shopsA: yuan(500)}
	check(t, report().prove(net))
	r := report()
	r.Positions[0].Gross = yuan(501)
	if err := r.prove(net); !errors.Is(err, ErrNet) {
		t.Errorf("a column that does not add up: %v", err)
	}
	net[bankA] = yuan(-499)
	if err := report().prove(net); !errors.Is(err, ErrNet) {
		t.Errorf("postings that differ: %v", err)
	}
}

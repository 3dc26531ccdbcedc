package wallet

import (
	"testing"

	"pgregory.net/rapid"

	"jiaozi/value/money"
)

func powers(n int) []money.Minor {
	out := make([]money.Minor, n)
	for i := range out {
		out[i] = 1 << i
	}
	return out
}

func spread(counts map[money.Minor]int) (values []money.Minor, sum money.Minor) {
	for v, n := range counts {
		for range n {
			values = append(values, v)
			sum += v
		}
	}
	return values, sum
}

// Goal: what is withdrawn for an amount pays every smaller amount exactly, and
// takes two rounds at most. Method: all amounts up to 200, any purse before.
func TestEveryAmountUpToTheWithdrawnOneCanBePaidExactly(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		amount := money.Minor(rapid.IntRange(1, 200).Draw(t, "amount"))
		have := make(map[money.Minor]int)
		for _, v := range powers(10) {
			have[v] = rapid.IntRange(0, 2).Draw(t, "have")
		}
		counts, err := split(amount, powers(20), have)
		if err != nil {
			t.Fatal(err)
		}
		fresh, sum := spread(counts)
		if sum != amount {
			t.Fatalf("%v for %d", counts, amount)
		}
		for v, n := range counts {
			if n > 2 {
				t.Fatalf("%d coins of %d", n, v)
			}
		}
		old, _ := spread(have)
		purse := append(old, fresh...)
		for pay := money.Minor(1); pay <= amount; pay++ {
			picked, over, err := choose(purse, pay)
			if err != nil || over != 0 {
				t.Fatalf("pay %d of %v: over %d, %v", pay, purse, over, err)
			}
			checkPicked(t, purse, picked, pay)
		}
	})
}

func checkPicked(t *rapid.T, purse []money.Minor, picked []int, want money.Minor) {
	seen := make(map[int]bool)
	var sum money.Minor
	for _, i := range picked {
		if seen[i] {
			t.Fatalf("coin %d is taken twice", i)
		}
		seen[i] = true
		sum += purse[i]
	}
	if sum != want {
		t.Fatalf("%v of %v is %d, not %d", picked, purse, sum, want)
	}
}

// Goal: coins are chosen exactly whenever that is possible, else with a change
// that no coin of the choice could make smaller. Method: compare with all subsets.
func TestCoinsAreChosenExactlyWheneverPossible(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		purse := make([]money.Minor, rapid.IntRange(0, 9).Draw(t, "coins"))
		var all money.Minor
		for i := range purse {
			purse[i] = 1 << rapid.IntRange(0, 6).Draw(t, "power")
			all += purse[i]
		}
		amount := money.Minor(rapid.IntRange(1, 300).Draw(t, "amount"))
		picked, over, err := choose(purse, amount)
		if (err != nil) != (amount > all) {
			t.Fatalf("%d of %v: %v", amount, purse, err)
		}
		if err != nil {
			return
		}
		checkPicked(t, purse, picked, amount+over)
		exact := false
		for set := range 1 << len(purse) {
			var sum money.Minor
			for i, v := range purse {
				if set>>i&1 == 1 {
					sum += v
				}
			}
			exact = exact || sum == amount
		}
		if exact != (over == 0) {
			t.Fatalf("%d of %v: over %d although exact is %v", amount, purse, over, exact)
		}
		for _, i := range picked {
			if purse[i] <= over {
				t.Fatalf("%d of %v: coin of %d is not needed", amount, purse, purse[i])
			}
		}
	})
}

func TestAmountsWithoutCoinsAreRefused(t *testing.T) {
	for _, c := range []struct {
		why    string
		amount money.Minor
		values []money.Minor
	}{
		{"nothing", 0, powers(3)},
		{"less than nothing", -4, powers(3)},
		{"no coins at all", 5, nil},
		{"an odd amount in even coins", 5, []money.Minor{2, 4}},
		{"thousands of large coins", 1 << 40, powers(3)},
	} {
		if counts, err := split(c.amount, c.values, nil); err == nil {
			t.Errorf("%s: %v", c.why, counts)
		}
	}
}

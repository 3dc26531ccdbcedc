package wallet

import (
	"fmt"
	"math/bits"
	"slices"

	"jiaozi/value/money"
)

// Policy is how the wallet keeps its stock. All of it stands here.
type Policy struct {
	Blanks        int   // blanks to keep; each receives one coin
	RequestBlanks int   // of these, shown in one request
	ChangeBlanks  int   // shown in one payment that asks for change
	OldDays       int   // coins that cannot be spent this many days from now are exchanged
	ExchangeHops  int   // coins that went through so many hands are exchanged
	ClockSeconds  int64 // the most that this clock and the mint's may differ
}

// Defaults of Policy: a request of 16 blanks takes any amount below 2^16 in
// binary coins, 24 blanks leave some for change meanwhile.
var defaults = Policy{Blanks: 24, RequestBlanks: 16, ChangeBlanks: 16, OldDays: 14, ExchangeHops: 4, ClockSeconds: 600}

func (p Policy) withDefaults() Policy {
	for _, f := range []struct{ v, d *int }{
		{&p.Blanks, &defaults.Blanks}, {&p.RequestBlanks, &defaults.RequestBlanks}, {&p.ChangeBlanks, &defaults.ChangeBlanks},
		{&p.OldDays, &defaults.OldDays}, {&p.ExchangeHops, &defaults.ExchangeHops},
	} {
		if *f.v == 0 {
			*f.v = *f.d
		}
	}
	if p.ClockSeconds == 0 {
		p.ClockSeconds = defaults.ClockSeconds
	}
	return p
}

// split says which coins to withdraw for an amount, counted by value. Values are
// the powers of two that the mint makes, ascending; have counts the coins in
// stock. It takes one of each small value that is not in stock, then the rest in
// binary form: from empty, every amount up to the whole can then be paid exactly,
// for at most two coins of each value, which are two rounds with the mint.
func split(amount money.Minor, values []money.Minor, have map[money.Minor]int) (map[money.Minor]int, error) {
	out := make(map[money.Minor]int)
	rest := amount
	for _, v := range values {
		if v > rest {
			break
		}
		if have[v] == 0 {
			out[v]++
			rest -= v
		}
	}
	for _, v := range slices.Backward(values) {
		if n := rest / v; n > 0 {
			if n > maxCoins {
				return nil, fmt.Errorf("%d minor units in coins of at most %d: %w", amount, v, ErrAmount)
			}
			out[v] += int(n)
			rest -= n * v
		}
	}
	// The small coins for the stock may have taken what the rest needed.
	if rest != 0 && len(have) > 0 {
		return split(amount, values, nil)
	}
	if rest != 0 || amount <= 0 {
		return nil, fmt.Errorf("%d minor units: %w", amount, ErrAmount)
	}
	return out, nil
}

// maxCoins bounds the coins of one value in one withdrawal.
const maxCoins = 64

// powerOfTwo reports whether v can be the value of a coin: choosing coins is exact
// only if each value divides the next.
func powerOfTwo(v money.Minor) bool { return v > 0 && bits.OnesCount64(uint64(v)) == 1 }

// choose picks, of values that are powers of two, the places of coins that pay
// amount: exactly if any choice does, with the fewest coins; else a little more,
// and over says how much. Equal values are taken in the order given.
func choose(values []money.Minor, amount money.Minor) (picked []int, over money.Minor, err error) {
	order := make([]int, len(values))
	for i := range order {
		order[i] = i
	}
	slices.SortStableFunc(order, func(i, j int) int { return int(min(max(values[j]-values[i], -1), 1)) })
	rest, next := amount, -1 // next is the smallest coin that was too large
	for _, i := range order {
		switch {
		case rest == 0:
		case values[i] <= rest:
			picked = append(picked, i)
			rest -= values[i]
		case next < 0 || values[i] < values[next]:
			next = i
		}
	}
	if rest == 0 {
		return picked, 0, nil
	}
	if next < 0 {
		return nil, 0, ErrFunds
	}
	return trim(values, append(picked, next), values[next]-rest)
}

// trim gives back coins that an overpayment made unnecessary, largest first.
func trim(values []money.Minor, picked []int, over money.Minor) ([]int, money.Minor, error) {
	last := picked[len(picked)-1]
	var kept []int
	for _, i := range picked {
		if i != last && values[i] <= over {
			over -= values[i]
			continue
		}
		kept = append(kept, i)
	}
	return kept, over, nil
}

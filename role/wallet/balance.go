package wallet

import (
	"slices"

	"jiaozi/value/money"
)

// Balance is what the wallet holds. The three are never added by the package: they
// answer different questions.
type Balance struct {
	Available   money.Amount // can be paid now, offline
	Pending     money.Amount // on its way: ordered, paid and not confirmed, taken for the account, being deposited
	Recoverable money.Amount // needs the mint first: restored, or too old to be paid
}

// Balance adds the wallet up.
func (w *Wallet) Balance() Balance {
	s := w.state
	var available, pending, waiting money.Minor
	for i := range s.holdings {
		h := &s.holdings[i]
		until, ok := w.spendUntil(h.money)
		switch {
		case h.status == recoverable, h.status == free && (!ok || w.now() >= until):
			waiting += h.value
		case h.status == free:
			available += h.value
		default:
			pending += h.value
		}
	}
	for i := range s.takings {
		pending += s.takings[i].value
	}
	for i := range s.ops {
		pending += s.ops[i].ordered()
	}
	return Balance{w.amount(available), w.amount(pending), w.amount(waiting)}
}

// ordered is what a withdrawal is still to bring.
func (o *op) ordered() money.Minor {
	if o.kind != opWithdraw {
		return 0
	}
	sum := o.amount
	for _, p := range o.plan {
		sum += p.value * money.Minor(p.count)
	}
	return sum
}

// Coin is one coin as its owner may see it.
type Coin struct {
	Value money.Amount
	State string // available, paying, depositing, recoverable, claiming
	Epoch uint32
	Group string
	Hops  int
	Until int64 // Unix seconds: nobody but the mint takes it from then on
}

var stateNames = map[status]string{free: "available", paying: "paying", depositing: "depositing", recoverable: "recoverable", claiming: "claiming"}

// Coins lists the coins, largest first.
func (w *Wallet) Coins() []Coin {
	var out []Coin
	for i := range w.state.holdings {
		h := &w.state.holdings[i]
		c := Coin{Value: w.amount(h.value), State: stateNames[h.status], Group: w.group(h.money), Hops: h.money.Hops()}
		c.Until, _ = w.spendUntil(h.money)
		if key, ok := w.known.Key(h.money.Head.Key()); ok {
			c.Epoch = key.Info().Epoch
		}
		out = append(out, c)
	}
	slices.SortStableFunc(out, func(a, b Coin) int {
		order, _ := b.Value.Cmp(a.Value) // one currency
		return order
	})
	return out
}

// Blanks counts the blanks that can be shown in a request now.
func (w *Wallet) Blanks() int { return len(w.freeBlanks(w.state)) }

// Sent is a payment that has not been confirmed.
type Sent struct {
	Request [32]byte // its digest
	Paid    money.Amount
	Expires int64  // Unix seconds: Reclaim is possible some minutes later
	Payment []byte // to hand over again; empty while the card has not answered
}

// Unconfirmed lists the payments whose coins are pending.
func (w *Wallet) Unconfirmed() []Sent {
	var out []Sent
	for i := range w.state.sent {
		p := &w.state.sent[i]
		if p.settled {
			continue
		}
		var sum money.Minor
		for j := range w.state.holdings {
			if w.state.holdings[j].in == p.digest {
				sum += w.state.holdings[j].value
			}
		}
		out = append(out, Sent{p.digest, w.amount(sum), p.expires, slices.Clone(p.payment)})
	}
	return out
}

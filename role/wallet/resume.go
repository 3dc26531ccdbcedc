package wallet

import (
	"context"
	"fmt"
	"slices"

	"jiaozi/crypt/brands"
	"jiaozi/value/money"
	"jiaozi/value/must"
	"jiaozi/wire/coin"
)

// Report says what came of operations with the mint.
type Report struct {
	Credited  money.Amount // into the account
	Withdrawn money.Amount // as coins
	Refused   []Refused    // coins that the mint does not pay for
}

// Refused is money that turned out to be worth nothing, and why.
type Refused struct {
	Coin  brands.CoinID
	Value money.Amount
	Code  coin.Code
	Guilt []byte // a coin.GuiltFile that names who spent it twice, if anybody did
}

// Refused lists what the mint has ever refused to pay for, newest last.
func (w *Wallet) Refused() []Refused {
	out := make([]Refused, 0, len(w.state.refused))
	for _, r := range w.state.refused {
		out = append(out, Refused{r.coin, w.amount(r.value), r.code, slices.Clone(r.guilt)})
	}
	return out
}

func (w *Wallet) amount(m money.Minor) money.Amount { return money.New(w.state.currency, m) }

// Resume ends whatever is pending with the mint, and payments that wait for the
// card. Call it when the wallet is opened and whenever the mint can be reached. An
// error leaves the rest pending for the next time.
func (w *Wallet) Resume(ctx context.Context) (Report, error) {
	return w.online(ctx, func() ([]op, error) { return nil, nil })
}

// online ends what is pending, then writes and carries out the operations that
// intend gives.
func (w *Wallet) online(ctx context.Context, intend func() ([]op, error)) (Report, error) {
	if err := w.sound(); err != nil {
		return Report{}, err
	}
	before := w.totals()
	err := w.end(ctx)
	if err == nil {
		err = w.start(ctx, intend)
	}
	if fault := w.sound(); fault != nil {
		return Report{}, fault
	}
	return w.report(before), err
}

func (w *Wallet) start(ctx context.Context, intend func() ([]op, error)) error {
	ops, err := intend()
	if err != nil || len(ops) == 0 {
		return err
	}
	if w.secrets == nil {
		return ErrNoKeys
	}
	// Whoever brings a merchant's takings to the mint needs no account there.
	if w.state.account == "" && slices.ContainsFunc(ops, func(o op) bool { return o.kind != opDeposit }) {
		return ErrNotOpen
	}
	if err := w.change(func(s *state) error {
		if len(s.ops)+len(ops) > maxRecords {
			return fmt.Errorf("%d operations at once: %w", len(ops), ErrManyCoins)
		}
		s.ops = append(s.ops, ops...)
		s.claimFor(ops)
		return nil
	}); err != nil {
		return err
	}
	return w.end(ctx)
}

// claimFor marks the coins of new operations.
func (s *state) claimFor(ops []op) {
	for _, o := range ops {
		for _, id := range o.coins {
			h := s.holding(id)
			if h == nil || o.kind == opDeposit && s.taking(id, &o.terms) >= 0 {
				continue // a taking has no other use
			}
			h.status = depositing
			if o.kind == opClaim {
				s.claimAll(h)
			}
		}
	}
}

// claimAll marks a coin as being claimed, of a note everything that is recoverable.
func (s *state) claimAll(h *holding) {
	h.status = claiming
	for i := range s.holdings {
		if x := &s.holdings[i]; h.node > 0 && x.node > 0 && x.status == recoverable && x.money.Head.ID() == h.money.Head.ID() {
			x.status = claiming
		}
	}
}

// end carries out the operations in order until none is left.
func (w *Wallet) end(ctx context.Context) error {
	if err := w.finishSigning(); err != nil {
		return err
	}
	for len(w.state.ops) > 0 {
		if err := ctx.Err(); err != nil {
			return fmt.Errorf("%w (%w)", ErrOffline, err)
		}
		if w.secrets == nil {
			return ErrNoKeys
		}
		if err := w.step(ctx); err != nil {
			return err
		}
	}
	return nil
}

// step does one exchange with the mint and writes what came of it, or fails.
func (w *Wallet) step(ctx context.Context) error {
	switch w.state.ops[0].kind {
	case opWithdraw:
		return w.withdraw(ctx)
	case opDeposit:
		return w.deposit(ctx)
	case opClaim:
		return w.claim(ctx)
	case opRecover:
		return w.recover(ctx)
	}
	must.Hold(false, "operation of kind %d", w.state.ops[0].kind)
	return nil
}

// totals are sums that only grow: their difference is a report.
type totals struct {
	credited, withdrawn money.Minor
	refused             int
}

func (w *Wallet) totals() totals {
	return totals{w.credited, w.withdrawn, len(w.state.refused)}
}

func (w *Wallet) report(before totals) Report {
	after := w.totals()
	return Report{
		Credited:  w.amount(after.credited - before.credited),
		Withdrawn: w.amount(after.withdrawn - before.withdrawn),
		Refused:   w.Refused()[min(before.refused, after.refused):],
	}
}

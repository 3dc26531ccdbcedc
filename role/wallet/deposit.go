package wallet

import (
	"context"
	"fmt"
	"io"
	"slices"

	"jiaozi/crypt/brands"
	"jiaozi/value/money"
	"jiaozi/wire/coin"
)

// Deposit pays coins into the wallet's own account: all of them with the zero
// Amount, else exactly this much. What others have paid to the account is always
// deposited too.
func (w *Wallet) Deposit(ctx context.Context, amount money.Amount) (Report, error) {
	return w.online(ctx, func() ([]op, error) {
		ops := w.depositTakings()
		coins, err := w.chooseDeposit(amount)
		if err != nil {
			return nil, err
		}
		own, err := w.depositOwn(coins, false)
		if ops = append(ops, own...); err == nil && len(ops) == 0 {
			err = fmt.Errorf("deposit: %w", ErrNothing)
		}
		return ops, err
	})
}

// Exchange deposits coins that soon cannot be paid any more, or have gone through
// many hands, and withdraws as much anew.
func (w *Wallet) Exchange(ctx context.Context) (Report, error) {
	return w.online(ctx, func() ([]op, error) {
		p := w.policy()
		old := w.now() + int64(p.OldDays)*daySeconds
		return w.depositOwn(w.pick(func(h *holding) bool {
			until, ok := w.spendUntil(h.money)
			return ok && (until <= old || h.money.Hops() >= p.ExchangeHops)
		}), true)
	})
}

// pick gives the free coins that the mint still takes and that want likes.
func (w *Wallet) pick(want func(*holding) bool) []*holding {
	var out []*holding
	for i := range w.state.holdings {
		if h := &w.state.holdings[i]; h.status == free && want(h) {
			out = append(out, h)
		}
	}
	return out
}

func (w *Wallet) chooseDeposit(amount money.Amount) ([]*holding, error) {
	all := w.pick(func(*holding) bool { return true })
	if amount.IsZero() {
		return all, nil
	}
	if amount.Currency() != w.state.currency || amount.Sign() < 0 {
		return nil, fmt.Errorf("deposit %s: %w", amount, ErrAmount)
	}
	picked, err := w.choose(all, amount.Minor())
	if err == nil && picked.over > 0 {
		err = ErrNoChange
	}
	if err == nil && len(picked.divide) > 0 {
		err = w.change(func(s *state) error {
			s.divide(picked.divide)
			return nil
		})
	}
	if err != nil {
		return nil, fmt.Errorf("deposit %s: %w", amount, err)
	}
	return picked.coins, nil
}

func valuesOf(coins []*holding) []money.Minor {
	out := make([]money.Minor, len(coins))
	for i, h := range coins {
		out[i] = h.value
	}
	return out
}

func at(coins []*holding, places []int) []*holding {
	out := make([]*holding, len(places))
	for i, p := range places {
		out[i] = coins[p]
	}
	return out
}

// depositTakings makes one operation for each payment that others have made.
func (w *Wallet) depositTakings() []op {
	var ops []op
	for i := range w.state.takings {
		t := &w.state.takings[i]
		j := slices.IndexFunc(ops, func(o op) bool { return o.terms == t.terms })
		if j < 0 {
			ops, j = append(ops, op{kind: opDeposit, terms: t.terms}), len(ops)
		}
		ops[j].coins = append(ops[j].coins, t.id())
	}
	return ops
}

// depositOwn makes operations that pay coins to the wallet's own account, apart by
// group, since a group's coins are paid to its merchants only.
func (w *Wallet) depositOwn(coins []*holding, anew bool) ([]op, error) {
	if len(coins) > 0 && w.state.account == "" {
		return nil, ErrNotOpen
	}
	var ops []op
	for len(coins) > 0 {
		group := w.group(coins[0].money)
		o := op{kind: opDeposit, group: group, anew: anew}
		var sum money.Minor
		var rest []*holding
		for _, h := range coins {
			if w.group(h.money) != group || len(o.coins) == coin.MaxItems {
				rest = append(rest, h)
				continue
			}
			o.coins = append(o.coins, h.id())
			sum += h.value
		}
		o.terms = coin.Terms{Network: w.state.network, Payee: w.state.account, Amount: w.amount(sum), Time: w.now(), Group: group}
		if _, err := io.ReadFull(w.world.Rand, o.terms.Nonce[:]); err != nil {
			return nil, fmt.Errorf("draw a nonce: %w", err)
		}
		ops, coins = append(ops, o), rest
	}
	return ops, nil
}

func (s *state) taking(id brands.CoinID, terms *coin.Terms) int {
	return slices.IndexFunc(s.takings, func(t taking) bool { return t.id() == id && t.terms == *terms })
}

// deposit sends the coins of the first operation. They answer the operation's
// terms, the same each time, so that a repetition is a replay.
func (w *Wallet) deposit(ctx context.Context) error {
	o := &w.state.ops[0]
	m := &coin.Deposit{Terms: o.terms}
	batch := o.coins[:min(len(o.coins), coin.MaxItems)]
	for _, id := range batch {
		p, err := w.depositItem(o, id)
		if err != nil {
			return fmt.Errorf("deposit: %w", err)
		}
		m.Items = append(m.Items, p.Append(nil))
	}
	answer, err := ask[coin.Deposited](ctx, w, m)
	if err != nil {
		return fmt.Errorf("deposit: %w", err)
	}
	if len(answer.Items) != len(batch) {
		return fmt.Errorf("%d answers for %d coins: %w", len(answer.Items), len(batch), coin.ErrForm)
	}
	verdicts := make([]verdict, len(batch))
	for i, item := range answer.Items {
		verdicts[i] = verdict{item.Code, item.Value, item.Guilt}
	}
	return w.settle(verdicts)
}

func (w *Wallet) depositItem(o *op, id brands.CoinID) (*brands.Payment, error) {
	if i := w.state.taking(id, &o.terms); i >= 0 {
		return w.state.takings[i].payment, nil
	}
	h := w.state.holding(id)
	if h == nil {
		return nil, ErrState
	}
	digest := TermsDigest(&o.terms)
	m, line, err := w.line(h, brands.FinalSpec(h.money.Spec(), digest))
	if err != nil {
		return nil, err
	}
	return &brands.Payment{Money: m, Final: line}, nil
}

// TermsDigest gives what the last line of a payment on these terms is bound to.
func TermsDigest(t *coin.Terms) brands.Digest {
	terms := brands.Terms{
		Network: t.Network, Payee: brands.PayeeOf(t.Network, t.Payee), Currency: t.Amount.Currency(), Amount: t.Amount.Minor(),
		Time: t.Time, Nonce: t.Nonce, Contract: t.Contract, Group: t.Group,
	}
	return terms.Digest()
}

// verdict is what the mint says of one coin.
type verdict struct {
	code  coin.Code
	value money.Amount // credited
	guilt []byte
}

// settle writes what became of the first coins of the first operation. Coins that
// the mint has not decided on stay in it.
func (w *Wallet) settle(verdicts []verdict) error {
	var no *Refusal
	var credited money.Minor
	err := w.change(func(s *state) error {
		o := &s.ops[0]
		var still []brands.CoinID
		for i, v := range verdicts {
			id := o.coins[i]
			switch {
			case v.code.Paid():
				if v.value.Currency() != s.currency {
					return fmt.Errorf("the mint credits %s: %w", v.value, ErrOther)
				}
				credited += v.value.Minor()
			case again(v.code):
				no, still = &Refusal{Code: v.code}, append(still, id)
				continue
			case o.kind == opClaim && v.code == coin.Spent:
				// It had been paid before it was claimed: nothing was lost.
			default:
				s.refuse(o, id, v)
			}
			s.away(o, id)
		}
		o.coins = append(still, o.coins[len(verdicts):]...)
		return s.next(credited)
	})
	if err != nil {
		return err
	}
	w.credited += credited
	if no != nil {
		return no
	}
	return nil
}

func (s *state) refuse(o *op, id brands.CoinID, v verdict) {
	r := refused{coin: id, code: v.code, guilt: v.guilt}
	if i := s.taking(id, &o.terms); i >= 0 {
		r.value = s.takings[i].value
	} else if h := s.holding(id); h != nil {
		r.value = h.value
	}
	if len(s.refused) >= maxRecords {
		s.refused = s.refused[1:]
	}
	s.refused = append(s.refused, r)
}

// away forgets a coin whose fate is known, and a payment all of whose coins are.
func (s *state) away(o *op, id brands.CoinID) {
	if i := s.taking(id, &o.terms); i >= 0 {
		s.takings = slices.Delete(s.takings, i, i+1)
		return
	}
	h := s.holding(id)
	if h == nil {
		return
	}
	in, note := h.in, h.money.Head.ID()
	s.drop(func(h *holding) bool {
		// A claim takes all that is left of a note.
		return h.id() == id || o.kind == opClaim && h.node > 0 && h.status == claiming && h.money.Head.ID() == note
	})
	if p := s.sentFor(in); p != nil && !slices.ContainsFunc(s.holdings, func(h holding) bool { return h.in == in }) {
		p.settled = true
	}
}

// next ends the first operation if nothing is left of it, and orders anew what it
// has credited.
func (s *state) next(credited money.Minor) error {
	o := s.ops[0]
	if o.anew && credited > 0 {
		i := slices.IndexFunc(s.ops, func(x op) bool {
			return x.kind == opWithdraw && x.group == o.group && len(x.plan) == 0 && len(x.round) == 0
		})
		if i < 0 {
			s.ops, i = append(s.ops, op{kind: opWithdraw, group: o.group}), len(s.ops)
		}
		s.ops[i].amount += credited
	}
	if len(o.coins) == 0 {
		s.ops = s.ops[1:]
	}
	return nil
}

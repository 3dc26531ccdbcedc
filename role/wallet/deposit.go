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
	if amount.IsZero() {
		return w.pick(func(*holding) bool { return true }), nil
	}
	all := w.pick(func(h *holding) bool { return w.group(h.money) == "" })
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

// depositTakings makes one operation for each payment that others have made and that
// is in none.
func (w *Wallet) depositTakings() []op {
	var ops []op
	begun := slices.Clone(w.state.ops)
	for i := range w.state.takings {
		t := &w.state.takings[i]
		if slices.ContainsFunc(begun, func(o op) bool { return o.kind == opDeposit && o.terms == t.terms && slices.Contains(o.coins, t.id()) }) {
			continue
		}
		j := slices.IndexFunc(ops, func(o op) bool { return o.terms == t.terms })
		if j < 0 {
			ops, j = append(ops, op{kind: opDeposit, terms: t.terms}), len(ops)
		}
		ops[j].coins = append(ops[j].coins, t.id())
	}
	return ops
}

// depositOwn makes operations that bring coins to the wallet's own account. The mint
// pays a group's coins to its merchants only, so that a deposit would waste their
// answer: their holder claims them. Those that others have passed on stay.
func (w *Wallet) depositOwn(coins []*holding, anew bool) ([]op, error) {
	if len(coins) > 0 && w.state.account == "" {
		return nil, ErrNotOpen
	}
	ops := w.claims(func(h *holding) bool { return slices.Contains(coins, h) && w.group(h.money) != "" && !w.piecesOut(h) }, anew)
	coins = slices.DeleteFunc(coins, func(h *holding) bool { return w.group(h.money) != "" })
	for batch := range slices.Chunk(coins, coin.MaxItems) {
		o := op{kind: opDeposit, anew: anew}
		var sum money.Minor
		for _, h := range batch {
			o.coins = append(o.coins, h.id())
			sum += h.value
		}
		o.terms = coin.Terms{Network: w.state.network, Payee: w.state.account, Amount: w.amount(sum), Time: w.now()}
		if _, err := io.ReadFull(w.world.Rand, o.terms.Nonce[:]); err != nil {
			return nil, fmt.Errorf("draw a nonce: %w", err)
		}
		ops = append(ops, o)
	}
	return ops, nil
}

// piecesOut reports whether pieces of the coin's note are on their way to payees: a
// claim would take them too.
func (w *Wallet) piecesOut(h *holding) bool {
	return slices.ContainsFunc(w.state.holdings, func(x holding) bool {
		return h.node > 0 && x.node > 0 && x.status == paying && x.money.Head.ID() == h.money.Head.ID()
	})
}

func (s *state) taking(id brands.CoinID, terms *coin.Terms) int {
	return slices.IndexFunc(s.takings, func(t taking) bool { return t.id() == id && t.terms == *terms })
}

// deposit sends the coins of the first operation. They answer the operation's
// terms, the same each time, so that a repetition is a replay.
func (w *Wallet) deposit(ctx context.Context) error {
	o := &w.state.ops[0]
	m := &coin.Deposit{Terms: o.terms}
	var batch []brands.CoinID
	var mute error
	for _, id := range o.coins {
		p, err := w.depositItem(o, id)
		if err != nil {
			mute = fmt.Errorf("deposit: %w", err) // its card is away: the others go on
			continue
		}
		m.Items, m.Aids, batch = append(m.Items, p.Append(nil)), append(m.Aids, p.Aid()), append(batch, id)
		if len(batch) == coin.MaxItems {
			break
		}
	}
	if len(batch) == 0 {
		return mute
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
		verdicts[i] = verdict{code: item.Code, value: item.Value, guilt: item.Guilt}
	}
	return w.settle(batch, verdicts)
}

func (w *Wallet) depositItem(o *op, id brands.CoinID) (*brands.Payment, error) {
	if i := w.state.taking(id, &o.terms); i >= 0 {
		return w.state.takings[i].payment, nil
	}
	h := w.state.holding(id)
	if h == nil || h.status != depositing {
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
	older bool // credited before this wallet asked: to one that had the same words
}

// settle writes what became of a batch of the first operation's coins. Coins that
// the mint has not decided on stay in it.
func (w *Wallet) settle(batch []brands.CoinID, verdicts []verdict) error {
	var no *Refusal
	var credited money.Minor
	err := w.change(func(s *state) error {
		o := &s.ops[0]
		for i, v := range verdicts {
			id := batch[i]
			switch {
			case v.code.Paid():
				worth, rest := s.worth(o, id)
				if v.value.Currency() != s.currency || v.value.Minor() != worth && !rest {
					return fmt.Errorf("the mint credits %s for a coin of %d minor units: %w", v.value, worth, coin.ErrForm)
				}
				if !v.older {
					credited += v.value.Minor()
				}
			case again(v.code):
				no = &Refusal{Code: v.code}
				continue
			case o.kind == opClaim && v.code == coin.Spent:
				// It had been paid before it was claimed: nothing was lost.
			case o.kind == opDeposit && v.code != coin.DoubleSpent && v.code != coin.Expired && s.salvage(id):
				// Its line is used up, so it is claimed instead.
				no = &Refusal{Code: v.code}
				o.coins = slices.DeleteFunc(o.coins, func(x brands.CoinID) bool { return x == id })
				continue
			default:
				s.refuse(o, id, v)
			}
			s.away(o, id)
			o.coins = slices.DeleteFunc(o.coins, func(x brands.CoinID) bool { return x == id })
		}
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

// worth is the value of a coin of the operation. A note that is claimed brings the
// rest of it, which only the mint knows.
func (s *state) worth(o *op, id brands.CoinID) (value money.Minor, rest bool) {
	if i := s.taking(id, &o.terms); i >= 0 {
		return s.takings[i].value, false
	}
	if h := s.holding(id); h != nil {
		return h.value, o.kind == opClaim && h.node > 0
	}
	return 0, false
}

// salvage makes a coin that was withdrawn here recoverable.
func (s *state) salvage(id brands.CoinID) bool {
	h := s.holding(id)
	if h == nil || h.status != depositing || !h.withdrawn() || h.node > 0 {
		return false
	}
	h.status = recoverable
	return true
}

func (s *state) refuse(o *op, id brands.CoinID, v verdict) {
	r := refused{coin: id, code: v.code, guilt: v.guilt}
	r.value, _ = s.worth(o, id)
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

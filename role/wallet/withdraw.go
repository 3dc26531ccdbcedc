package wallet

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"

	"jiaozi/crypt/brands"
	"jiaozi/value/money"
	"jiaozi/wire/coin"
)

// Order is a withdrawal: an amount in coins, chosen by Policy. Group asks for coins
// that only merchants of this group take. Notes asks for as large notes as fit, of
// which any part can be paid, so that fewer coins are needed; their parts can be
// linked to each other, never to the holder. A wallet with a card has coins only.
type Order struct {
	Amount money.Amount
	Group  string
	Notes  bool
}

// Withdraw draws coins from the account and fills up the blanks. The order counts
// as pending from its first write on; whatever happens, Resume ends it. It first
// ends what was begun before.
func (w *Wallet) Withdraw(ctx context.Context, order Order) (Report, error) {
	if order.Amount.Currency() != w.cfg.Currency {
		return Report{}, fmt.Errorf("withdraw %s: %w", order.Amount.Currency(), ErrOther)
	}
	return w.online(ctx, func() ([]op, error) {
		if order.Amount.Sign() <= 0 {
			return nil, fmt.Errorf("withdraw %s: %w", order.Amount, ErrAmount)
		}
		o := op{kind: opWithdraw, amount: order.Amount.Minor(), group: order.Group}
		if order.Notes && len(w.state.card) == 0 {
			w.planNotes(&o)
		}
		err := w.plan(w.state, &o)
		return []op{o}, err
	})
}

// FillBlanks draws blanks, so that more can be received offline.
func (w *Wallet) FillBlanks(ctx context.Context) (Report, error) {
	return w.online(ctx, func() ([]op, error) {
		o := op{kind: opWithdraw}
		err := w.plan(w.state, &o)
		if len(o.plan) == 0 {
			return nil, err
		}
		return []op{o}, err
	})
}

// plan turns the unplanned amount of a withdrawal into coins of keys, and adds the
// blanks that are missing.
func (w *Wallet) plan(s *state, o *op) error {
	if o.amount != 0 {
		keys := w.issuing(brands.KindCoin, o.group)
		var values []money.Minor
		for v := range keys {
			values = append(values, v)
		}
		slices.Sort(values)
		counts, err := split(o.amount, values, w.stock(s, o.group))
		if err != nil {
			return err
		}
		for _, v := range values {
			if counts[v] > 0 {
				o.plan = append(o.plan, planned{keys[v].ID(), v, uint32(counts[v])})
			}
		}
		o.amount = 0
	}
	missing := w.policy().Blanks - len(s.blanks)
	if key := w.issuing(brands.KindBlank, "")[0]; key != nil && missing > 0 {
		o.plan = append(o.plan, planned{key.ID(), 0, uint32(missing)})
	}
	return nil
}

// planNotes takes the largest notes that fit into the amount.
func (w *Wallet) planNotes(o *op) {
	keys := w.issuing(brands.KindNote, o.group)
	for len(keys) > 0 {
		most := slices.Max(slices.Collect(maps.Keys(keys)))
		if n := min(o.amount/most, maxCoins); n > 0 {
			o.plan = append(o.plan, planned{keys[most].ID(), most, uint32(n)})
			o.amount -= n * most
		}
		delete(keys, most)
	}
}

// stock counts the coins that can be paid now, by value.
func (w *Wallet) stock(s *state, group string) map[money.Minor]int {
	have := make(map[money.Minor]int)
	for i := range s.holdings {
		h := &s.holdings[i]
		if h.status == free && h.node == 0 && w.group(h.money) == group {
			have[h.value]++
		}
	}
	return have
}

// withdraw does one round of the first operation: one session of each key that is
// still wanted, since the mint keeps one open for an account and key.
func (w *Wallet) withdraw(ctx context.Context) error {
	switch o := &w.state.ops[0]; {
	case o.amount != 0: // ordered by an operation that was credited meanwhile
		return w.planOrdered()
	case len(o.round) > 0:
		return w.closeRound(ctx, o)
	case len(o.plan) > 0:
		return w.openRound(ctx, o)
	}
	return w.change(func(s *state) error {
		s.ops = s.ops[1:]
		return nil
	})
}

// planOrdered plans what is to be withdrawn anew. If the mint makes no coins for it
// now, the money stays in the account.
func (w *Wallet) planOrdered() error {
	var no error
	err := w.change(func(s *state) error {
		if no = w.plan(s, &s.ops[0]); no != nil {
			s.ops = s.ops[1:]
		}
		return nil
	})
	return errors.Join(err, no)
}

// openRound asks for commitments and writes them down before any challenge goes
// out: from then on each of these sessions may have been debited.
func (w *Wallet) openRound(ctx context.Context, o *op) error {
	wanted := o.plan[:min(len(o.plan), coin.MaxItems)]
	m := new(coin.Commit)
	for _, p := range wanted {
		m.Keys = append(m.Keys, p.key)
	}
	answer, err := askSigned[coin.Commitments](ctx, w, m)
	if err != nil {
		return err
	}
	if len(answer.Items) != len(wanted) {
		return fmt.Errorf("%d commitments for %d keys: %w", len(answer.Items), len(wanted), coin.ErrForm)
	}
	index, err := w.cardIndex()
	if err != nil {
		return err
	}
	var round []session
	var no *Refusal
	for i, item := range answer.Items {
		p := wanted[i]
		switch {
		case item.Key != p.key:
			return fmt.Errorf("a commitment of another key: %w", coin.ErrForm)
		case !item.Code.Paid():
			no = &Refusal{Code: item.Code}
			continue
		case item.Session <= w.state.last[p.key]:
			// The same number again would make the same coin again, and paying it
			// twice would name us.
			return fmt.Errorf("the mint opens session %d of a key after %d: %w", item.Session, w.state.last[p.key], ErrNetwork)
		}
		round = append(round, session{p.key, p.value, item.Session, commitmentBytes(&item), index})
		index++
	}
	err = w.change(func(s *state) error {
		s.ops[0].round = round
		if len(round) == 0 && !again(no.Code) && no.Code != coin.SessionOpen {
			s.ops = s.ops[1:]
		}
		return nil
	})
	if err == nil && no != nil && len(round) == 0 {
		return no
	}
	return err
}

// commitmentBytes is the form that brands.ParseCommitment reads.
func commitmentBytes(i *coin.Commitment) []byte {
	b := slices.Concat(i.A[:], i.B[:])
	if i.Image != ([32]byte{}) {
		b = append(b, i.Image[:]...)
	}
	return b
}

// cardIndex is the first index of the card that nothing of ours uses.
func (w *Wallet) cardIndex() (uint32, error) {
	if len(w.state.card) == 0 {
		return 0, nil
	}
	if w.world.Card == nil {
		return 0, ErrNeedsCard
	}
	_, _, next, err := w.world.Card.Identity()
	if err != nil {
		return 0, fmt.Errorf("ask the card for fresh nonces: %w", err)
	}
	return next, nil
}

// nonce gives the card's part of the coin with this index; nil without a card.
func (w *Wallet) nonce(index uint32) (*brands.Element, error) {
	if len(w.state.card) == 0 {
		return nil, nil
	}
	if w.world.Card == nil {
		return nil, ErrNeedsCard
	}
	nonces, err := w.world.Card.Prepare(index, 1)
	if err != nil {
		return nil, fmt.Errorf("prepare the card: %w", err)
	}
	if len(nonces) != 1 {
		return nil, fmt.Errorf("the card gives %d nonces for one: %w", len(nonces), ErrOtherCard)
	}
	return &nonces[0], nil
}

// closeRound sends the challenges and turns the answers into coins. All of it is
// made from what openRound wrote, so that a repetition sends the same.
func (w *Wallet) closeRound(ctx context.Context, o *op) error {
	m := new(coin.Challenge)
	waiting := make([]*brands.Withdrawal, len(o.round))
	for i, r := range o.round {
		var c brands.Scalar
		var err error
		if waiting[i], c, err = w.challenge(&r); err != nil {
			return err
		}
		m.Items = append(m.Items, coin.ChallengeItem{Key: r.key, Session: r.number, C: c.Bytes()})
	}
	answer, err := askSigned[coin.Answer](ctx, w, m)
	if err != nil {
		return err
	}
	if len(answer.Items) != len(m.Items) {
		return fmt.Errorf("%d answers to %d challenges: %w", len(answer.Items), len(m.Items), coin.ErrForm)
	}
	made := make([]*brands.Own, len(waiting))
	for i, item := range answer.Items {
		if item.Key != m.Items[i].Key || item.Session != m.Items[i].Session {
			return fmt.Errorf("an answer to another challenge: %w", coin.ErrForm)
		}
		if !item.Code.Paid() {
			continue
		}
		r, err := brands.ParseScalar(item.R[:])
		if err == nil {
			made[i], err = waiting[i].Finish(r)
		}
		if err != nil {
			return fmt.Errorf("withdraw: %w", err)
		}
	}
	return w.keep(answer, made)
}

func (w *Wallet) challenge(r *session) (*brands.Withdrawal, brands.Scalar, error) {
	fail := func(err error) (*brands.Withdrawal, brands.Scalar, error) {
		return nil, brands.Scalar{}, fmt.Errorf("withdraw: %w", err)
	}
	key, ok := w.known.Key(r.key)
	if !ok {
		return fail(ErrNoKeys)
	}
	commitment, err := brands.ParseCommitment(r.commitment)
	if err != nil {
		return fail(err)
	}
	nonce, err := w.nonce(r.index)
	if err != nil {
		return fail(err)
	}
	waiting, c, err := w.secrets.Challenge(key, w.secrets.Blinding(r.key, r.number), commitment, nonce)
	if err != nil {
		return fail(err)
	}
	return waiting, c, nil
}

// keep writes the coins of a round. A session that the mint let die goes back to
// the plan; a withdrawal that it refuses ends here, with what it has brought.
func (w *Wallet) keep(answer *coin.Answer, made []*brands.Own) error {
	var no *Refusal
	var sum money.Minor
	err := w.change(func(s *state) error {
		o := &s.ops[0]
		var still []session
		final := false
		for i, r := range o.round {
			switch code := answer.Items[i].Code; {
			case made[i] != nil:
				w.keepCoin(s, made[i], &r)
				s.last[r.key] = r.number
				o.got(r.key)
				sum += r.value
			default:
				no = &Refusal{Code: code}
				dead := code == coin.SessionDead || code == coin.UnknownSession
				if again(code) {
					still = append(still, r)
				}
				final = final || !again(code) && !dead
			}
		}
		o.round = still
		if final && len(still) == 0 {
			s.ops = s.ops[1:]
		}
		return nil
	})
	if err != nil {
		return err
	}
	if w.withdrawn += sum; no != nil {
		return no
	}
	return nil
}

func (w *Wallet) keepCoin(s *state, own *brands.Own, r *session) {
	if r.value == 0 {
		s.blanks = append(s.blanks, blank{own: own, index: r.index})
		return
	}
	h := holding{money: &brands.Money{Head: own.Coin()}, own: own, index: r.index, value: r.value, status: free}
	if key, ok := w.known.Key(r.key); ok {
		h.node = rootOf(key)
	}
	s.holdings = append(s.holdings, h)
}

// rootOf is the node that a coin of the key stands for: 1 for a note, else 0.
func rootOf(key *brands.PublicKey) uint16 {
	if key.Info().Kind == brands.KindNote {
		return 1
	}
	return 0
}

// got takes one coin of a key off the plan.
func (o *op) got(key brands.KeyID) {
	i := slices.IndexFunc(o.plan, func(p planned) bool { return p.key == key })
	if o.plan[i].count--; o.plan[i].count == 0 {
		o.plan = slices.Delete(o.plan, i, i+1)
	}
}

package wallet

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"jiaozi/crypt/brands"
	"jiaozi/wire/coin"
)

// Refresh makes a restored wallet whole: it fetches the mint's keys, finds the
// coins that were withdrawn, claims those that are recoverable and withdraws as
// much anew. Without the card it was made with, what is claimed stays in the account.
func (w *Wallet) Refresh(ctx context.Context) (Report, error) {
	if err := w.RefreshKeys(ctx); err != nil {
		return Report{}, err
	}
	return w.online(ctx, func() ([]op, error) {
		return w.claims(func(h *holding) bool { return h.status == recoverable }, w.canWithdraw()), nil
	})
}

func (w *Wallet) canWithdraw() bool { return len(w.state.card) == 0 || w.world.Card != nil }

// Reclaim asks the mint for the coins of a payment that was never handed over, as
// far as they were withdrawn by this wallet as coins: a claim would take the whole
// of a note. It waits until the payee would not take the payment any more. If he
// had taken it all the same, he is paid.
func (w *Wallet) Reclaim(ctx context.Context, request [32]byte) (Report, error) {
	return w.online(ctx, func() ([]op, error) {
		p := w.state.sentFor(request)
		switch {
		case p == nil:
			return nil, ErrNoRequest
		case w.now() < p.expires+w.policy().ClockSeconds:
			return nil, ErrPending
		}
		ops := w.claims(func(h *holding) bool { return h.status == paying && h.in == request && h.node == 0 }, false)
		if len(ops) == 0 {
			return nil, fmt.Errorf("reclaim: %w", ErrNothing)
		}
		return ops, nil
	})
}

// CardLost gives up paying with coins that need the card: Refresh then claims those
// that were withdrawn.
func (w *Wallet) CardLost() error {
	return w.change(func(s *state) error {
		for i := range s.holdings {
			if h := &s.holdings[i]; h.status == free && h.own.HasCard() {
				h.status = recoverable
			}
		}
		return nil
	})
}

// claims makes operations that claim the withdrawn coins among those wanted.
func (w *Wallet) claims(want func(*holding) bool, anew bool) []op {
	var ops []op
	claimed := make(map[brands.CoinID]bool)
	for i := range w.state.holdings {
		h := &w.state.holdings[i]
		if !h.withdrawn() || !want(h) || claimed[h.money.Head.ID()] {
			continue
		}
		claimed[h.money.Head.ID()] = true // of a note once, for all that is left
		group := w.group(h.money)
		j := slices.IndexFunc(ops, func(o op) bool { return o.group == group && len(o.coins) < coin.MaxItems })
		if j < 0 {
			ops, j = append(ops, op{kind: opClaim, group: group, anew: anew}), len(ops)
		}
		ops[j].coins = append(ops[j].coins, h.id())
	}
	return ops
}

// claim proves to the mint that coins are ours. The proofs differ each time; what
// they prove does not.
func (w *Wallet) claim(ctx context.Context) error {
	o := &w.state.ops[0]
	batch := o.coins[:min(len(o.coins), coin.MaxItems)]
	m := new(coin.Claim)
	for _, id := range batch {
		h := w.state.holding(id)
		if h == nil {
			return ErrState
		}
		proof, err := brands.NewClaim(w.secrets.Holder, h.own, w.world.Rand)
		if err != nil {
			return fmt.Errorf("claim: %w", err)
		}
		own := h.own.Coin()
		m.Items = append(m.Items, coin.ClaimItem{Coin: own.Append(nil), Proof: proof.Append(nil)})
	}
	answer, err := askSigned[coin.Claimed](ctx, w, m)
	if err != nil {
		return fmt.Errorf("claim: %w", err)
	}
	if len(answer.Items) != len(batch) {
		return fmt.Errorf("%d answers for %d coins: %w", len(answer.Items), len(batch), coin.ErrForm)
	}
	verdicts := make([]verdict, len(batch))
	for i, item := range answer.Items {
		verdicts[i] = verdict{code: item.Code, value: item.Value}
	}
	return w.settle(verdicts)
}

// recover asks the mint, key by key, for the withdrawals that it has answered, and
// makes their coins again.
func (w *Wallet) recover(ctx context.Context) error {
	o := &w.state.ops[0]
	if len(o.plan) == 0 {
		if err := w.confirm(ctx); err != nil {
			return fmt.Errorf("recover: %w", err)
		}
		return w.change(func(s *state) error {
			for id, key := range w.known {
				s.ops[0].plan = append(s.ops[0].plan, planned{key: id, value: key.Info().Value})
			}
			slices.SortFunc(s.ops[0].plan, func(a, b planned) int { return slices.Compare(a.key[:], b.key[:]) })
			if len(s.ops[0].plan) == 0 {
				return ErrNoKeys
			}
			return nil
		})
	}
	at := o.plan[0]
	answer, err := askSigned[coin.Recovered](ctx, w, &coin.Recover{Key: at.key, From: o.from})
	if err != nil {
		return fmt.Errorf("recover: %w", err)
	}
	if answer.Key != at.key {
		return fmt.Errorf("the mint recovers another key: %w", coin.ErrForm)
	}
	found, err := w.recall(at, answer)
	if err != nil {
		return err
	}
	return w.change(func(s *state) error {
		for _, h := range found {
			had := func(x holding) bool { return x.withdrawn() && x.money.Head.ID() == h.money.Head.ID() }
			if !slices.ContainsFunc(s.holdings, had) {
				s.holdings = append(s.holdings, h)
			}
		}
		for _, item := range answer.Items {
			s.last[at.key] = max(s.last[at.key], item.Session)
		}
		s.recovered(answer)
		return nil
	})
}

// recovered moves the search on.
func (s *state) recovered(answer *coin.Recovered) {
	o := &s.ops[0]
	if answer.More {
		o.from = answer.Items[len(answer.Items)-1].Session + 1
		return
	}
	o.plan, o.from = o.plan[1:], 0
	if len(o.plan) == 0 {
		s.ops, s.restored = s.ops[1:], false
	}
}

// recall makes the coins of a page again. Blanks are left out: nobody knows which
// have received, and one that received twice would name its honest owner.
func (w *Wallet) recall(at planned, answer *coin.Recovered) ([]holding, error) {
	key, ok := w.known.Key(at.key)
	if !ok || key.Info().Kind == brands.KindBlank {
		return nil, nil
	}
	var out []holding
	for i := range answer.Items {
		own, index, err := w.recallOne(key, &answer.Items[i])
		if err != nil {
			return nil, fmt.Errorf("recover session %d: %w", answer.Items[i].Session, err)
		}
		if own != nil {
			out = append(out, holding{money: &brands.Money{Head: own.Coin()}, own: own, index: index, node: rootOf(key), value: at.value, status: recoverable})
		}
	}
	return out, nil
}

// recallOne makes one coin again, or nil if it is not of these words: a wallet with
// another card may have had the account before.
func (w *Wallet) recallOne(key *brands.PublicKey, item *coin.RecoveredItem) (*brands.Own, uint32, error) {
	c, err := brands.ParseScalar(item.C[:])
	if err != nil {
		return nil, 0, err
	}
	r, err := brands.ParseScalar(item.R[:])
	if err != nil {
		return nil, 0, err
	}
	factors := w.secrets.Blinding(key.ID(), item.Session)
	if len(w.state.card) == 0 {
		own, err := w.secrets.Recall(key, factors, c, r, nil, nil)
		if errors.Is(err, brands.ErrAnswer) {
			return nil, 0, nil
		}
		return own, 0, err
	}
	image, err := brands.ParseElement(item.Image[:])
	if err != nil {
		return nil, 0, err
	}
	nonces, err := w.shown()
	if err != nil {
		return nil, 0, err
	}
	for index := range nonces {
		own, err := w.secrets.Recall(key, factors, c, r, &image, &nonces[index])
		if err == nil {
			return own, uint32(index), nil
		}
		if !errors.Is(err, brands.ErrAnswer) {
			return nil, 0, err
		}
	}
	return nil, 0, nil
}

// maxShown bounds how many of the card's nonces are tried for a coin whose own is
// forgotten: about half a second for each coin.
const maxShown = 2048

// shown lists the nonces that the card has ever given.
func (w *Wallet) shown() ([]brands.Element, error) {
	if w.world.Card == nil {
		return nil, ErrNeedsCard
	}
	if w.nonces != nil {
		return w.nonces, nil
	}
	_, _, next, err := w.world.Card.Identity()
	if err != nil {
		return nil, fmt.Errorf("ask the card for its nonces: %w", err)
	}
	for n := int(min(next, maxShown)); len(w.nonces) < n; {
		more, err := w.world.Card.Prepare(uint32(len(w.nonces)), min(n-len(w.nonces), cardPage))
		if err != nil || len(more) == 0 {
			w.nonces = nil
			return nil, fmt.Errorf("ask the card for its nonces: %w", err)
		}
		w.nonces = append(w.nonces, more...)
	}
	return w.nonces, nil
}

// cardPage is how many nonces one answer of a card holds.
const cardPage = 7

// Backup gives the whole state, to be sealed and kept elsewhere. It is a copy and
// knows it: a wallet that is opened from it pays nothing before Refresh, since the
// wallet it was taken from may have paid meanwhile.
func (w *Wallet) Backup() ([]byte, error) {
	if err := w.sound(); err != nil {
		return nil, err
	}
	s := w.state.clone()
	s.restored, s.ops = true, []op{{kind: opRecover}}
	s.blanks, s.asked, s.sent = nil, nil, nil
	for i := range s.holdings {
		s.holdings[i].status, s.holdings[i].in = recoverable, [32]byte{}
	}
	return s.encode(), nil
}

// TrustBackup is the owner's word that nothing was paid since the backup: money
// received from others, which the mint cannot give back, may be paid again. If the
// word is wrong, paying it names the owner as one who pays twice.
func (w *Wallet) TrustBackup() error {
	return w.change(func(s *state) error {
		if s.restored {
			return ErrRestored
		}
		for i := range s.holdings {
			if h := &s.holdings[i]; h.status == recoverable && !h.withdrawn() {
				h.status = free
			}
		}
		return nil
	})
}

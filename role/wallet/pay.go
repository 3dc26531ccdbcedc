package wallet

import (
	"fmt"
	"slices"

	"jiaozi/crypt/brands"
	"jiaozi/value/money"
	"jiaozi/wire/coin"
)

// Pay answers a request with coins, without the mint. The coins are marked durably
// before they answer. The same request again gives the same bytes, never a second
// payment; so does a repetition after a crash. If the exact amount is not there, a
// little more is paid and change is asked for, into the wallet's own blanks.
func (w *Wallet) Pay(request []byte) ([]byte, error) {
	if err := w.sound(); err != nil {
		return nil, err
	}
	r, err := coin.Parse[coin.Request](request)
	if err != nil {
		return nil, fmt.Errorf("pay: %w", err)
	}
	digest, err := r.Digest()
	if err != nil {
		return nil, err
	}
	if w.state.sentFor(digest) == nil {
		if err := w.payable(r); err != nil {
			return nil, fmt.Errorf("pay: %w", err)
		}
		p, err := w.choosePayment(r, digest)
		if err != nil {
			return nil, fmt.Errorf("pay %s: %w", r.Amount, err)
		}
		p.request = slices.Clone(request)
		if err := w.change(func(s *state) error { return w.commitPayment(s, r, p) }); err != nil {
			return nil, err
		}
	}
	if err := w.finishPayment(digest); err != nil {
		return nil, fmt.Errorf("pay: %w", err)
	}
	return slices.Clone(w.state.sentFor(digest).payment), nil
}

// payable checks what stands in a request.
func (w *Wallet) payable(r *coin.Request) error {
	switch now := w.now(); {
	case w.secrets == nil:
		return ErrNoKeys
	case w.state.restored:
		return ErrRestored
	case brands.Network(r.Network) != w.state.network:
		return fmt.Errorf("request of network %v: %w", brands.Network(r.Network), ErrNetwork)
	case r.Amount.Currency() != w.state.currency:
		return fmt.Errorf("a request for %s, the wallet holds %s: %w", r.Amount.Currency(), w.state.currency, ErrRequest)
	case now >= r.Expires:
		return ErrExpired
	case r.Time > now+w.policy().ClockSeconds:
		return fmt.Errorf("the request is from %d seconds ahead: %w", r.Time-now, ErrClock)
	}
	return nil
}

// choosePayment picks coins, the payee's blanks and, for change, ours.
func (w *Wallet) choosePayment(r *coin.Request, digest [32]byte) (*sent, error) {
	coins := w.spendable(r.Group, r.Payee == "")
	picked, err := w.choose(coins, r.Amount.Minor())
	if err != nil {
		return nil, err
	}
	room := coin.MaxItems
	if r.Payee == "" {
		room = len(r.Blanks)
	}
	if len(picked.coins) > room {
		return nil, fmt.Errorf("%d coins, room for %d: %w", len(picked.coins), room, ErrManyCoins)
	}
	if picked.over > 0 && len(w.state.freeBlanks()) == 0 {
		return nil, fmt.Errorf("%w; the exact amount is not there, and change needs blanks: %w", ErrFunds, ErrNoBlanks)
	}
	p := &sent{digest: digest, expires: r.Expires, over: picked.over, divide: picked.divide}
	for i, h := range picked.coins {
		x := handover{coin: h.id()}
		if r.Payee == "" {
			x.to = r.Blanks[i]
		}
		p.coins = append(p.coins, x)
	}
	if r.Payee == "" {
		return p, w.checkBlanks(p.coins)
	}
	return p, nil
}

// spendable lists the coins that can be paid now to payees of a group: the group's
// own first, then those that end first, so that the purse stays young.
func (w *Wallet) spendable(group string, onwards bool) []*holding {
	coins := w.pick(func(h *holding) bool {
		until, ok := w.spendUntil(h.money)
		g := w.group(h.money)
		return ok && w.now() < until && (g == "" || g == group) && (!onwards || h.money.Hops() < brands.MaxHops)
	})
	slices.SortStableFunc(coins, func(a, b *holding) int {
		if ga, gb := w.group(a.money) != "", w.group(b.money) != ""; ga != gb {
			if ga {
				return -1
			}
			return 1
		}
		ua, _ := w.spendUntil(a.money)
		ub, _ := w.spendUntil(b.money)
		return int(min(max(ua-ub, -1), 1))
	})
	return coins
}

// checkBlanks refuses blanks that the mint has not signed, or that end too soon:
// money paid onto them would be lost to everybody.
func (w *Wallet) checkBlanks(list []handover) error {
	seen := make(map[brands.CoinID]bool)
	for i, x := range list {
		blank, err := brands.ParseCoin(x.to)
		if err != nil {
			return fmt.Errorf("blank %d: %w: %w", i+1, ErrRequest, err)
		}
		key, ok := w.known.Key(blank.Key())
		switch {
		case !ok:
			return fmt.Errorf("blank %d: %w: refresh the mint's keys", i+1, brands.ErrUnknownKey)
		case key.Info().Kind != brands.KindBlank, seen[blank.ID()]:
			return fmt.Errorf("blank %d is none, or stands twice: %w", i+1, ErrRequest)
		case w.now() < key.Info().From, w.now() >= key.Info().SpendUntil:
			return fmt.Errorf("blank %d: %w", i+1, ErrExpired)
		}
		if err := blank.VerifyVartime(key); err != nil {
			return fmt.Errorf("blank %d: %w: %w", i+1, ErrRequest, err)
		}
		seen[blank.ID()] = true
	}
	return nil
}

func (s *state) freeBlanks() []*blank {
	var out []*blank
	for i := range s.blanks {
		if s.blanks[i].in == [32]byte{} {
			out = append(out, &s.blanks[i])
		}
	}
	return out
}

// commitPayment marks coins and blanks. Without a card the coins answer in the same
// write; with one, only after it.
func (w *Wallet) commitPayment(s *state, r *coin.Request, p *sent) error {
	if len(s.sent) >= maxRecords {
		return fmt.Errorf("%d payments are unconfirmed: %w", len(s.sent), ErrPending)
	}
	s.divide(p.divide)
	p.divide = nil
	for _, x := range p.coins {
		h := s.holding(x.coin)
		h.status, h.in = paying, p.digest
	}
	if p.over > 0 {
		for _, b := range s.freeBlanks()[:min(len(s.freeBlanks()), w.policy().ChangeBlanks)] {
			b.in = p.digest
		}
	}
	s.sent = append(s.sent, *p)
	if len(s.card) > 0 {
		return nil
	}
	return w.buildPayment(s, &s.sent[len(s.sent)-1], r)
}

// finishPayment lets coins answer that were marked for it.
func (w *Wallet) finishPayment(digest [32]byte) error {
	if len(w.state.sentFor(digest).payment) > 0 {
		return nil
	}
	return w.change(func(s *state) error {
		p := s.sentFor(digest)
		r, err := coin.Parse[coin.Request](p.request)
		if err != nil {
			return fmt.Errorf("%w: %w", ErrState, err)
		}
		return w.buildPayment(s, p, r)
	})
}

func (w *Wallet) buildPayment(s *state, p *sent, r *coin.Request) error {
	items, err := w.answers(s, p.coins, TermsDigest(&r.Terms))
	if err != nil {
		return err
	}
	m := &coin.Payment{
		Nonce: r.Nonce, Request: p.digest, ToBlanks: r.Payee == "", Items: items,
		Paid: w.amount(r.Amount.Minor() + p.over), Change: w.amount(p.over),
	}
	if p.over > 0 {
		for i := range s.blanks {
			if s.blanks[i].in == p.digest {
				c := s.blanks[i].own.Coin()
				m.ChangeBlanks = append(m.ChangeBlanks, c.Append(nil))
			}
		}
	}
	p.payment, err = coin.Append(nil, m)
	return err
}

// answers lets coins answer for their blanks, or for terms where there is none.
func (w *Wallet) answers(s *state, list []handover, terms brands.Digest) ([][]byte, error) {
	var out [][]byte
	for _, x := range list {
		h := s.holding(x.coin)
		if h == nil {
			return nil, ErrState
		}
		if len(x.to) == 0 {
			m, line, err := w.line(h, brands.FinalSpec(h.money.Spec(), terms))
			if err != nil {
				return nil, err
			}
			p := brands.Payment{Money: m, Final: line}
			out = append(out, p.Append(nil))
			continue
		}
		next, err := brands.ParseCoin(x.to)
		if err != nil {
			return nil, fmt.Errorf("%w: %w", ErrState, err)
		}
		onward, line, err := w.line(h, brands.LinkSpec(h.money.Spec(), &next))
		if err != nil {
			return nil, err
		}
		onward.Links = append(slices.Clone(onward.Links), brands.Link{Line: line, Next: next})
		out = append(out, onward.Append(nil))
	}
	return out, nil
}

// line is the one answer of a coin, with the money that it pays. Whoever calls it
// has written the spec, or what it follows from, and gives the same each time.
func (w *Wallet) line(h *holding, spec brands.Digest) (brands.Money, brands.Line, error) {
	fail := func(err error) (brands.Money, brands.Line, error) { return brands.Money{}, brands.Line{}, err }
	if h.node > 0 {
		return w.piece(h, spec)
	}
	if !h.own.HasCard() {
		line, err := h.own.Pay(spec)
		return *h.money, line, err
	}
	if w.world.Card == nil {
		return fail(ErrNeedsCard)
	}
	d, err := h.own.CardChallenge(spec)
	if err != nil {
		return fail(err)
	}
	answer, err := w.world.Card.Answer(h.index, d)
	if err != nil {
		return fail(fmt.Errorf("ask the card: %w", err))
	}
	line, err := h.own.PayWithCard(spec, answer)
	return *h.money, line, err
}

// Delivered is the payer's word that a payment arrived: its coins are no longer
// his. A receipt says it better.
func (w *Wallet) Delivered(request [32]byte) error {
	return w.change(func(s *state) error {
		p := s.sentFor(request)
		if p == nil || len(p.payment) == 0 {
			return ErrNoRequest
		}
		s.settlePayment(p)
		return nil
	})
}

func (s *state) settlePayment(p *sent) {
	p.settled = true
	s.drop(func(h *holding) bool { return h.in == p.digest && h.status == paying })
}

// TakeReceipt reads the payee's answer to a payment: its coins are gone, and the
// change is here. The same receipt again changes nothing.
func (w *Wallet) TakeReceipt(receipt []byte) (money.Amount, error) {
	none := w.amount(0)
	if err := w.sound(); err != nil {
		return none, err
	}
	m, err := coin.Parse[coin.Receipt](receipt)
	if err != nil {
		return none, fmt.Errorf("receipt: %w", err)
	}
	p := w.state.sentFor(m.Request)
	if p == nil {
		return none, fmt.Errorf("receipt: %w", ErrNoRequest)
	}
	if !m.Code.Paid() {
		return none, &Refusal{Code: m.Code}
	}
	if p.settled && p.over == 0 {
		return none, nil
	}
	got, sum, err := w.checkMoney(m.Change, p.digest, "")
	if err != nil {
		return none, fmt.Errorf("change: %w: %w", ErrReceipt, err)
	}
	if sum != p.over {
		return none, fmt.Errorf("change of %s instead of %s: %w", w.amount(sum), w.amount(p.over), ErrReceipt)
	}
	err = w.change(func(s *state) error {
		p := s.sentFor(m.Request)
		s.settlePayment(p)
		p.over = 0
		s.receive(got)
		s.release(p.digest)
		return nil
	})
	if err != nil {
		return none, err
	}
	return w.amount(sum), nil
}

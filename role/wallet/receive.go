package wallet

import (
	"cmp"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"slices"

	"jiaozi/crypt/brands"
	"jiaozi/value/money"
	"jiaozi/wire/coin"
)

// Demand is what a payee asks for.
type Demand struct {
	Amount   money.Amount
	Lifetime int64    // seconds until nothing is taken any more
	Deposit  bool     // into the account, as merchants do; else onto blanks, to be paid on
	Payee    string   // with Deposit, a merchant's name at the mint; "" is the wallet's own account
	Group    string   // the payee's group of merchants, with Deposit
	Contract [32]byte // digest of what is bought; zeros if nobody says
	Name     string   // for the payer's eyes
	Memo     string
	URL      string // where the payment may be sent; "" if it comes by hand
}

// Ask makes a request: bytes to show to a payer.
func (w *Wallet) Ask(d Demand) ([]byte, error) {
	if err := w.sound(); err != nil {
		return nil, err
	}
	if w.secrets == nil {
		return nil, ErrNoKeys
	}
	if d.Amount.Currency() != w.state.currency || d.Lifetime <= 0 {
		return nil, fmt.Errorf("ask for %s for %d seconds: %w", d.Amount.Currency(), d.Lifetime, ErrRequest)
	}
	r := &coin.Request{Expires: w.now() + d.Lifetime, Name: d.Name, Memo: d.Memo, URL: d.URL}
	r.Terms = coin.Terms{Network: w.state.network, Amount: d.Amount, Time: w.now(), Contract: d.Contract, Group: d.Group}
	if _, err := io.ReadFull(w.world.Rand, r.Nonce[:]); err != nil {
		return nil, fmt.Errorf("draw a nonce: %w", err)
	}
	var show []brands.CoinID
	if d.Deposit {
		if r.Payee = cmp.Or(d.Payee, w.state.account); r.Payee == "" {
			return nil, ErrNotOpen
		}
	} else if show = w.show(); len(show) == 0 {
		return nil, fmt.Errorf("ask: %w", ErrNoBlanks)
	}
	for _, id := range show {
		c := w.state.blank(id).own.Coin()
		r.Blanks = append(r.Blanks, c.Append(nil))
	}
	return w.request(r, show)
}

// show picks blanks that are good long enough, and not too many.
func (w *Wallet) show() []brands.CoinID {
	var out []brands.CoinID
	for _, b := range w.state.freeBlanks() {
		c := b.own.Coin()
		key, ok := w.known.Key(c.Key())
		if ok && w.now() < key.Info().SpendUntil && len(out) < min(w.policy().RequestBlanks, coin.MaxItems) {
			out = append(out, c.ID())
		}
	}
	return out
}

// request writes the request down before anybody sees it.
func (w *Wallet) request(r *coin.Request, show []brands.CoinID) ([]byte, error) {
	b, err := coin.Append(nil, r)
	if err != nil {
		return nil, fmt.Errorf("ask: %w", err)
	}
	a := asked{request: b, expires: r.Expires}
	if a.digest, err = r.Digest(); err != nil {
		return nil, err
	}
	err = w.change(func(s *state) error {
		if len(s.asked) >= maxRecords {
			return fmt.Errorf("%d requests are open: %w", len(s.asked), ErrPending)
		}
		for _, id := range show {
			s.blank(id).in = a.digest
		}
		s.asked = append(s.asked, a)
		return nil
	})
	if err != nil {
		return nil, err
	}
	return slices.Clone(b), nil
}

// Received is what came of a payment.
type Received struct {
	Amount  money.Amount // what was asked for
	Change  money.Amount // given back
	Receipt []byte       // for the payer, also when the payment is refused
}

// Receive checks a payment offline and keeps its coins: those on blanks can be
// paid on, those for the account wait for Deposit. The same payment again gives the
// same receipt. A refused payment leaves nothing behind, and its receipt says why.
func (w *Wallet) Receive(payment []byte) (Received, error) {
	if err := w.sound(); err != nil {
		return Received{}, err
	}
	m, err := coin.Parse[coin.Payment](payment)
	if err != nil {
		return Received{}, fmt.Errorf("payment: %w", err)
	}
	out, err := w.take(m, sha256.Sum256(payment))
	if err == nil {
		return out, nil
	}
	no := &coin.Receipt{Nonce: m.Nonce, Request: m.Request, Code: codeOf(err)}
	if out.Receipt, _ = coin.Append(nil, no); w.unknown || errors.Is(err, ErrNeedsCard) {
		out.Receipt = nil // it may have been taken: only another Receive knows
	}
	return out, fmt.Errorf("payment: %w", err)
}

func (w *Wallet) take(m *coin.Payment, digest [32]byte) (Received, error) {
	a := w.state.askedFor(m.Request)
	if a == nil {
		return Received{}, ErrNoRequest
	}
	r, err := coin.Parse[coin.Request](a.request)
	if err != nil {
		return Received{}, fmt.Errorf("%w: %w", ErrState, err)
	}
	if a.open() {
		next, err := w.checkPayment(r, a, m)
		if err != nil {
			return Received{}, err
		}
		next.payment = digest
		if err := w.change(func(s *state) error { return w.commitReceipt(s, r, m, next) }); err != nil {
			return Received{}, err
		}
	} else if a.payment != digest {
		return Received{}, ErrAnswered
	}
	if err := w.finishReceipt(m.Request); err != nil {
		return Received{}, err
	}
	return Received{r.Amount, m.Change, slices.Clone(w.state.askedFor(m.Request).receipt)}, nil
}

// incoming is a payment that was checked and not yet kept.
type incoming struct {
	money   []holding
	takings []taking
	change  []handover
	divide  []brands.CoinID // notes to split for the change
	payment [32]byte
}

// checkPayment verifies all of a payment, and that its change can be given.
func (w *Wallet) checkPayment(r *coin.Request, a *asked, m *coin.Payment) (*incoming, error) {
	due, err := m.Paid.Sub(m.Change)
	switch {
	case w.now() >= r.Expires:
		return nil, ErrExpired
	case m.Nonce != r.Nonce, m.ToBlanks != (r.Payee == ""):
		return nil, fmt.Errorf("it answers another request: %w", ErrPayment)
	case err != nil, due != r.Amount:
		return nil, fmt.Errorf("%s with change %s for %s: %w", m.Paid, m.Change, r.Amount, errAmount)
	}
	in := new(incoming)
	var sum money.Minor
	if m.ToBlanks {
		in.money, sum, err = w.checkMoney(m.Items, a.digest, r.Group)
	} else {
		in.takings, sum, err = w.checkTakings(m.Items, &r.Terms)
	}
	if err != nil {
		return nil, err
	}
	if w.amount(sum) != m.Paid {
		return nil, fmt.Errorf("coins worth %s, %s announced: %w", w.amount(sum), m.Paid, errAmount)
	}
	return in, w.changeFor(m, in)
}

// checkMoney verifies money that was paid onto blanks of ours which the request or
// payment with this digest shows.
func (w *Wallet) checkMoney(items [][]byte, shown [32]byte, group string) ([]holding, money.Minor, error) {
	var out []holding
	var sum money.Minor
	for i, b := range items {
		m, err := brands.ParseMoney(b)
		if err != nil {
			return nil, 0, fmt.Errorf("coin %d: %w: %w", i+1, ErrPayment, err)
		}
		on := w.state.blank(m.Last().ID())
		if on == nil || on.in != shown || slices.ContainsFunc(out, func(h holding) bool { return h.id() == m.Last().ID() }) {
			return nil, 0, fmt.Errorf("coin %d was not paid onto a free blank of this request: %w", i+1, errBlank)
		}
		if err := m.VerifyVartime(w.known, w.world.Rand); err != nil {
			return nil, 0, fmt.Errorf("coin %d: %w: %w", i+1, ErrPayment, err)
		}
		value, err := w.acceptable(m, group)
		if err != nil {
			return nil, 0, fmt.Errorf("coin %d: %w", i+1, err)
		}
		same := func(h holding) bool { return h.status == free && h.node == 0 && clash(h.money, m) }
		if slices.ContainsFunc(w.state.holdings, same) || slices.ContainsFunc(out, same) {
			return nil, 0, fmt.Errorf("coin %d: %w", i+1, errTwice)
		}
		out = append(out, holding{money: m, own: on.own, index: on.index, value: value, status: free})
		sum += value
	}
	return out, sum, nil
}

// checkTakings verifies payments to our account on these terms.
func (w *Wallet) checkTakings(items [][]byte, terms *coin.Terms) ([]taking, money.Minor, error) {
	digest := TermsDigest(terms)
	var out []taking
	var sum money.Minor
	for i, b := range items {
		p, err := brands.ParsePayment(b)
		if err != nil {
			return nil, 0, fmt.Errorf("coin %d: %w: %w", i+1, ErrPayment, err)
		}
		if err := p.VerifyVartime(w.known, digest, w.world.Rand); err != nil {
			return nil, 0, fmt.Errorf("coin %d: %w: %w", i+1, ErrPayment, err)
		}
		value, err := w.acceptable(&p.Money, terms.Group)
		if err != nil {
			return nil, 0, fmt.Errorf("coin %d: %w", i+1, err)
		}
		same := func(t taking) bool { return clash(&t.payment.Money, &p.Money) }
		if slices.ContainsFunc(out, same) || slices.ContainsFunc(w.state.takings, same) {
			return nil, 0, fmt.Errorf("coin %d: %w", i+1, errTwice)
		}
		out = append(out, taking{payment: p, terms: *terms, value: value})
		sum += value
	}
	return out, sum, nil
}

// acceptable checks what the mathematics does not: dates, currency, group.
func (w *Wallet) acceptable(m *brands.Money, group string) (money.Minor, error) {
	value, err := m.Value(w.known)
	if err != nil {
		return 0, err
	}
	if value.Currency() != w.state.currency {
		return 0, fmt.Errorf("a coin of %s: %w", value.Currency(), ErrPayment)
	}
	if g := w.group(m); g != "" && g != group {
		return 0, fmt.Errorf("a coin for merchants of %q: %w", g, errGroup)
	}
	until, _ := w.spendUntil(m)
	head, _ := w.known.Key(m.Head.Key())
	if w.now() >= until || w.now()+w.policy().ClockSeconds < head.Info().From {
		return 0, fmt.Errorf("a coin out of its time: %w", errDated)
	}
	return value.Minor(), nil
}

// changeFor picks coins that are exactly the change, and blanks of the payer.
func (w *Wallet) changeFor(m *coin.Payment, in *incoming) error {
	if m.Change.Sign() == 0 {
		return nil
	}
	if w.state.restored {
		return ErrRestored
	}
	coins := w.spendable("", true)
	picked, err := w.choose(coins, m.Change.Minor())
	if err != nil || picked.over > 0 || len(picked.coins) > len(m.ChangeBlanks) {
		return fmt.Errorf("change of %s: %w", m.Change, ErrNoChange)
	}
	in.divide = picked.divide
	for i, h := range picked.coins {
		in.change = append(in.change, handover{coin: h.id(), to: m.ChangeBlanks[i]})
	}
	return w.checkBlanks(in.change)
}

// commitReceipt keeps a payment and marks its change, in one write.
func (w *Wallet) commitReceipt(s *state, r *coin.Request, m *coin.Payment, in *incoming) error {
	if len(s.holdings)+len(in.money) > maxHoldings || len(s.takings)+len(in.takings) > maxHoldings {
		return fmt.Errorf("the wallet is full, deposit first: %w", ErrManyCoins)
	}
	a := s.askedFor(m.Request)
	a.payment, a.change = in.payment, in.change
	s.receive(in.money)
	s.takings = append(s.takings, in.takings...)
	s.release(a.digest)
	s.divide(in.divide)
	for _, x := range in.change {
		h := s.holding(x.coin)
		h.status, h.in = paying, a.digest
	}
	if len(s.card) > 0 && len(in.change) > 0 {
		return nil
	}
	return w.buildReceipt(s, a, r)
}

// receive turns blanks into money: none of them receives again.
func (s *state) receive(got []holding) {
	for _, h := range got {
		s.takeBlank(h.id())
	}
	s.holdings = append(s.holdings, got...)
}

// finishReceipt lets the change answer that was marked for it.
func (w *Wallet) finishReceipt(digest [32]byte) error {
	if len(w.state.askedFor(digest).receipt) > 0 {
		return nil
	}
	return w.change(func(s *state) error {
		a := s.askedFor(digest)
		r, err := coin.Parse[coin.Request](a.request)
		if err != nil {
			return fmt.Errorf("%w: %w", ErrState, err)
		}
		return w.buildReceipt(s, a, r)
	})
}

// buildReceipt makes the receipt. What it gives back is the payer's from then on:
// he can always ask for the same receipt again.
func (w *Wallet) buildReceipt(s *state, a *asked, r *coin.Request) error {
	items, err := w.answers(s, a.change, brands.Digest{})
	if err != nil {
		return err
	}
	m := &coin.Receipt{Nonce: r.Nonce, Request: a.digest, Code: coin.Accepted, Change: items}
	if a.receipt, err = coin.Append(nil, m); err != nil {
		return err
	}
	s.drop(func(h *holding) bool { return h.in == a.digest && h.status == paying })
	return nil
}

// finishSigning completes payments and receipts that wait for the card, if it is
// here.
func (w *Wallet) finishSigning() error {
	if w.world.Card == nil {
		return nil
	}
	for _, p := range w.state.sent {
		if len(p.payment) == 0 {
			if err := w.finishPayment(p.digest); err != nil {
				return err
			}
		}
	}
	for _, a := range w.state.asked {
		if !a.open() && len(a.receipt) == 0 {
			if err := w.finishReceipt(a.digest); err != nil {
				return err
			}
		}
	}
	return nil
}

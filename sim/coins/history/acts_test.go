package history

import (
	"bytes"
	"context"
	"errors"
	"maps"

	"jiaozi/crypt/brands"
	"jiaozi/role/wallet"
	"jiaozi/value/money"
	"jiaozi/wire/coin"
)

// parcel is a payment between two people.
type parcel struct {
	from    *person // nil: a copy, which nobody gives a receipt
	to      *person
	amount  money.Minor
	payment []byte
	taken   bool
	change  bool
	receipt []byte
	mayLose bool // the payer can get its coins back from the mint
	reclaim bool // and he tries
}

const lifetime = 3600 // of a request, in seconds

// manner is how a payee wants his money.
type manner uint8

const (
	cash   manner = iota // onto blanks, to be paid on
	credit               // to his account, or to the shop's at the till
)

// manner is more often the cheaper one: a blank costs as much as a coin.
func (w *town) manner() manner { return manner(min(1, w.dice.IntN(3))) }

// fill withdraws one or two coins, or a note.
func (p *person) fill() {
	p.Helper()
	p.withdraw([]money.Minor{1, 3, 3, aNote}[p.dice.IntN(4)])
}

// ask gives a request, or nil if the payee has nothing to ask with.
func (p *person) ask(amount money.Minor, how manner) (request []byte) {
	p.Helper()
	d := wallet.Demand{Amount: fen(amount), Lifetime: lifetime, Deposit: how == credit}
	if p == p.till {
		d.Deposit, d.Payee = true, shop
	}
	err := p.offline(func(w *wallet.Wallet) (err error) {
		request, err = w.Ask(d)
		return err
	})
	if errors.Is(err, wallet.ErrNoBlanks) {
		return nil
	}
	p.check(err)
	return request
}

// pay answers a request, or gives nil if the coins do not reach.
func (p *person) pay(request []byte) (payment []byte) {
	p.Helper()
	err := p.offline(func(w *wallet.Wallet) (err error) {
		payment, err = w.Pay(request)
		return err
	})
	if errors.Is(err, wallet.ErrFunds) || errors.Is(err, wallet.ErrManyCoins) || errors.Is(err, wallet.ErrNoBlanks) {
		return nil
	}
	p.check(err)
	return payment
}

// trade has one pay another. The parcel is nil if nothing came of it.
func (w *town) trade(from, to *person, amount money.Minor, how manner) *parcel {
	w.Helper()
	request := to.ask(amount, how)
	if request == nil {
		return nil
	}
	payment := from.pay(request)
	if payment == nil {
		return nil
	}
	withdrawn := true
	for _, m := range w.paid(payment) {
		withdrawn = withdrawn && m.Hops() == 0 && m.Piece == nil
	}
	w.note("%s pays %s %d", from.name, to.name, amount)
	return &parcel{from: from, to: to, amount: amount, payment: payment, mayLose: withdrawn}
}

// deliver hands the payment over, once or twice, and the receipt back, or not.
func (w *town) deliver(p *parcel) {
	w.Helper()
	var got wallet.Received
	err := p.to.offline(func(x *wallet.Wallet) (err error) {
		got, err = x.Receive(p.payment)
		return err
	})
	if err != nil {
		w.refusedAtHand(p, err)
		return
	}
	if !p.taken {
		p.taken, p.change, p.receipt = true, !got.Change.IsZero(), got.Receipt
		p.to.expect += p.amount
		if p.from != nil {
			p.from.expect -= p.amount
		}
	}
	if !bytes.Equal(got.Receipt, p.receipt) {
		w.Fatalf("town %d: a second receipt for one payment\n%q", w.seed, w.done)
	}
	if w.dice.IntN(8) == 0 {
		w.note("the payment comes again")
		w.deliver(p)
	} else if p.from != nil && w.dice.IntN(5) > 0 {
		w.confirm(p)
	}
}

// refusedAtHand checks that a payee had a reason.
func (w *town) refusedAtHand(p *parcel, err error) {
	w.Helper()
	known := errors.Is(err, wallet.ErrNoChange) || len(w.culprit) > 0 && errors.Is(err, wallet.ErrPayment)
	if p.taken || !known {
		w.check(err)
	}
	w.note("%s refuses: %v", p.to.name, err)
}

func (w *town) confirm(p *parcel) {
	w.Helper()
	w.check(p.from.offline(func(x *wallet.Wallet) error {
		_, err := x.TakeReceipt(p.receipt)
		return err
	}))
	p.receipt = nil
}

// spend is an ordinary payment of part of what somebody has: exactly, from any
// coins, if it can be.
func (w *town) spend(from *person) {
	w.Helper()
	if from.wallet.Balance().Available.IsZero() {
		from.fill()
	}
	var sum money.Minor
	for _, c := range from.wallet.Coins() {
		if c.State == "available" && w.dice.IntN(2) == 0 {
			sum += c.Value.Minor()
		}
	}
	if sum > 0 {
		w.carry(w.trade(from, w.payee(from), sum, w.manner()))
	}
}

// carry delivers a parcel, or leaves it lying for a while.
func (w *town) carry(p *parcel) {
	w.Helper()
	if p == nil {
		return
	}
	w.parcels = append(w.parcels, p)
	if w.dice.IntN(8) > 0 {
		w.deliver(p)
	}
}

// payee picks somebody honest; honest people pay each other, and so do cheats pay them.
func (w *town) payee(not ...*person) *person {
	for {
		p := w.people[w.dice.IntN(len(w.people))]
		if w.dice.IntN(4) == 0 {
			p = w.till
		}
		taken := !p.honest && w.dice.IntN(3) > 0
		for _, n := range not {
			taken = taken || p == n
		}
		if !taken {
			return p
		}
	}
}

// overpay has somebody pay with a coin that is too large, and take change.
func (w *town) overpay(from *person) {
	w.Helper()
	from.withdraw(7)
	to := w.payee(from)
	if to != w.till {
		to.withdraw(3)
	}
	w.carry(w.trade(from, to, 5, credit))
	w.carry(w.trade(from, to, 1, credit))
}

// exchange brings what has been in other hands to the mint, for fresh coins.
func (w *town) exchange(p *person) {
	w.Helper()
	w.note("%s exchanges", p.name)
	err := p.online(func(ctx context.Context, x *wallet.Wallet) (wallet.Report, error) { return x.Exchange(ctx) })
	if code(err) != coin.Insufficient {
		w.check(err)
	}
}

// lose takes somebody's telephone away and has the words bring the coins back. It
// does nothing if there is something that the words cannot bring back.
func (w *town) lose(p *person) bool {
	w.Helper()
	for _, c := range p.wallet.Coins() {
		if c.Hops > 0 {
			return false
		}
	}
	if !p.wallet.Balance().Pending.IsZero() || len(p.wallet.Unconfirmed()) > 0 || len(w.parcels) > 0 {
		return false
	}
	w.note("%s loses the telephone", p.name)
	before, had := maps.Clone(w.claims), p.holds()
	p.written = p.refused()
	p.store.state = nil
	for p.store.state == nil {
		var err error
		if p.wallet, err = wallet.Restore(p.world(), config(), words(p.name), p.name); !errors.Is(err, errFault) {
			w.check(err)
		}
	}
	if p.wallet == nil {
		p.crash()
	}
	w.check(p.offline(func(x *wallet.Wallet) error { return x.RefreshKeys(w.Context()) }))
	w.check(p.online(func(ctx context.Context, x *wallet.Wallet) (wallet.Report, error) { return x.Refresh(ctx) }))
	w.check(p.online(func(ctx context.Context, x *wallet.Wallet) (wallet.Report, error) { return x.Refresh(ctx) }))
	for id, value := range w.claims {
		if _, ok := before[id]; !ok {
			p.claimed[id] = value
			p.more += value
		}
	}
	p.more -= had
	return true
}

// The cheats.

// copied is a second process on a copy of the wallet, and of the card.
func (p *person) copied() *person {
	p.Helper()
	if p.twin == nil {
		p.twin = &person{town: p.town, name: p.name + "'s copy", store: &store{town: p.town}}
		if p.card != nil {
			p.twin.card = p.card.image()
		}
		p.twin.store.state = bytes.Clone(p.store.state)
		p.twin.crash()
		return p.twin
	}
	if p.card != nil {
		*p.twin.card = *p.card.image()
	}
	// A failed write makes the wallet read its file again, without checking keys anew.
	p.twin.store.state, p.twin.store.stale = bytes.Clone(p.store.state), true
	if err := p.twin.wallet.CardLost(); !errors.Is(err, errFault) {
		p.check(err)
	}
	return p.twin
}

// cheat pays from the wallet and from a copy of it.
func (w *town) cheat(p *person) {
	w.Helper()
	if p.wallet.Balance().Available.IsZero() {
		p.fill()
	}
	have := p.wallet.Balance().Available.Minor()
	if have == 0 {
		return
	}
	twin := p.copied()
	one := w.payee(p)
	w.carry(w.trade(p, one, 1+money.Minor(w.dice.IntN(int(have))), w.manner()))
	second := w.trade(twin, w.payee(p, one), 1+money.Minor(w.dice.IntN(int(have))), w.manner())
	if second != nil {
		second.from = nil // the copy takes no receipts
		for _, m := range w.paid(second.payment) {
			w.suspect(p.name, m.Head.ID(), m.Last().ID())
		}
	}
	w.carry(second)
}

// paid gives the money of a payment as it was before: its last coins are the payer's.
func (w *town) paid(payment []byte) (out []*brands.Money) {
	w.Helper()
	m, err := coin.Parse[coin.Payment](payment)
	w.check(err)
	for _, raw := range m.Items {
		if !m.ToBlanks {
			item, err := brands.ParsePayment(raw)
			w.check(err)
			out = append(out, &item.Money)
			continue
		}
		item, err := brands.ParseMoney(raw)
		w.check(err)
		item.Links = item.Links[:len(item.Links)-1] // the payee's
		out = append(out, item)
	}
	return out
}

// suspect writes down who cheated, and with which coin or blank of his.
func (w *town) suspect(name string, head, own brands.CoinID) {
	w.culprit[own], w.suspects[head] = name, append(w.suspects[head], own)
}

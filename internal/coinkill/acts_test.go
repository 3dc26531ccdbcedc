//go:build linux

package coinkill

import (
	"bytes"

	"jiaozi/node"
	"jiaozi/role/wallet"
	"jiaozi/value/money"
)

// stories are acts that one town plays one after the other.
func stories() map[string][]act {
	return map[string][]act{
		"mint":   {withdrawing("withdraw", 5), withdrawing("withdraw a note", 64), depositing(), exchanging()},
		"hand":   {requesting(), paying(exact), receiving(exact), confirming(exact)},
		"till":   {receiving(merchant), depositingTakings()},
		"change": {paying(change), receiving(change), confirming(change)},
		"words":  {refreshing()},
	}
}

// exactly says how a wallet differs from what it was, by how many writes have
// ended: available, pending, recoverable.
func exactly(changes ...[3]money.Minor) func(moment) bool {
	return func(m moment) bool {
		want := changes[min(m.saves, len(changes)-1)]
		return m.now.Available.Minor()-m.before.Available.Minor() == want[0] &&
			m.now.Pending.Minor()-m.before.Pending.Minor() == want[1] &&
			m.now.Recoverable.Minor()-m.before.Recoverable.Minor() == want[2]
	}
}

var untouched = [3]money.Minor{}

// withdrawing: the first write orders, the second opens a round; the third brings
// the first coins. The order is there from its first write on.
func withdrawing(verb string, amount money.Minor) act {
	return act{verb: verb, who: "anna", amount: amount, policy: policy, rule: func(m moment) bool {
		if m.saves < 3 {
			return exactly(untouched, [3]money.Minor{0, amount, 0})(m)
		}
		return sum(m.now) == sum(m.before)+amount && m.now.Available.Minor() >= m.before.Available.Minor() && m.now.Recoverable.IsZero()
	}, finish: func(w *town, m moment) { w.ended("anna", sum(m.now)) }}
}

// ended: all is available once the wallet has reconnected.
func (w *town) ended(who string, amount money.Minor) {
	w.Helper()
	if b := w.with(who, nothing); b.Available.Minor() != amount || b.Pending.Sign() != 0 || b.Recoverable.Sign() != 0 {
		w.Fatalf("%s has reconnected and holds %+v, not %d", who, b, amount)
	}
}

func depositing() act {
	return act{verb: "deposit", who: "anna", policy: policy, prepare: func(w *town) []byte {
		w.gets("anna", 5, 0)
		return nil
	}, rule: exactly(untouched, [3]money.Minor{-5, 5, 0}, [3]money.Minor{-5, 0, 0}), finish: func(w *town, m moment) {
		left := money.Minor(0)
		if m.saves == 0 {
			left = 5
		}
		w.ended("anna", left)
	}}
}

// exchanging: every coin is old for this owner. The writes order the deposit, end
// it, plan the withdrawal, open its round, bring coins.
func exchanging() act {
	p := policy
	p.OldDays = 1000
	return act{verb: "exchange", who: "anna", policy: p, prepare: depositing().prepare, rule: func(m moment) bool {
		if m.saves < 5 {
			return exactly(untouched, [3]money.Minor{-5, 5, 0})(m)
		}
		return sum(m.now) == sum(m.before) && m.now.Recoverable.IsZero()
	}, finish: func(w *town, _ moment) { w.ended("anna", 5) }}
}

// refreshing: the words alone bring back what the lost wallet had. Coins are found
// one after the other; then they are claimed, and withdrawn anew. Each time it is
// another's wallet, so that all that the mint remembers of it is what was lost.
func refreshing() act {
	const who = "lost"
	return act{verb: "refresh", who: who, policy: policy, long: 6, prepare: func(w *town) []byte {
		w.newcomer(who)
		w.gets(who, 5, 0)
		w.restore(who)
		return nil
	}, rule: func(m moment) bool {
		return sum(m.before) == 0 && sum(m.now) <= 5 && (m.now.Available.IsZero() || sum(m.now) == 5)
	}, finish: func(w *town, _ moment) {
		w.with(who, func(p *node.Purse) error {
			_, err := p.Refresh(w.Context())
			return err
		})
		w.ended(who, 5)
	}}
}

// sale is a payment of anna's: who takes it, how much is asked and paid.
type sale struct {
	payee      string
	asked      money.Minor
	paid       money.Minor
	toAccount  bool
	withChange bool
}

var (
	exact    = sale{"ben", 3, 3, false, false}
	merchant = sale{"shop", 3, 3, true, false}
	change   = sale{"ben", 1, 2, false, true}
)

// request has payer and payee make ready, and the payee ask.
func (s sale) request(w *town) []byte {
	w.Helper()
	w.gets("anna", 3, s.paid-s.asked) // leaves a coin of two if there is to be change
	var request []byte
	if s.withChange {
		w.gets(s.payee, 3, 0)
	}
	w.with(s.payee, func(p *node.Purse) error {
		if _, err := p.FillBlanks(w.Context()); err != nil {
			return err
		}
		var err error
		request, err = p.Ask(s.demand())
		return err
	})
	return request
}

func (s sale) demand() wallet.Demand {
	return wallet.Demand{Amount: yuan(s.asked), Lifetime: 600, Deposit: s.toAccount}
}

func (s sale) payment(w *town, request []byte) (payment []byte) {
	w.Helper()
	w.with("anna", func(p *node.Purse) (err error) {
		payment, err = p.Pay(request)
		return err
	})
	return payment
}

func (s sale) receipt(w *town, payment []byte) (receipt []byte) {
	w.Helper()
	w.with(s.payee, func(p *node.Purse) error {
		got, err := p.Receive(payment)
		receipt = got.Receipt
		return err
	})
	return receipt
}

// confirm takes the receipt, and looks at both wallets.
func (s sale) confirm(w *town, receipt []byte) {
	w.Helper()
	b := w.with("anna", func(p *node.Purse) error {
		_, err := p.TakeReceipt(receipt)
		return err
	})
	if s.withChange && b.Available.Minor() != 1 {
		w.Fatalf("anna holds %+v", b)
	}
	if b.Pending.Sign() != 0 {
		w.Fatalf("anna has her receipt and holds %+v", b)
	}
}

// same fails if an operation that was done again handed over something else.
func (w *town) same(m moment, again []byte) []byte {
	w.Helper()
	if len(m.out) > 0 && !bytes.Equal(m.out, again) {
		w.Fatal("the same operation again handed over something else")
	}
	return again
}

// requesting: a request binds blanks and no money.
func requesting() act {
	return act{verb: "ask", who: "ben", amount: 3, policy: policy, prepare: func(w *town) []byte {
		w.with("ben", func(p *node.Purse) error {
			_, err := p.FillBlanks(w.Context())
			return err
		})
		return nil
	}, rule: exactly(untouched), finish: func(w *town, _ moment) { exact.confirm(w, exact.receipt(w, exact.payment(w, exact.request(w)))) }}
}

func paying(s sale) act {
	return act{verb: "pay", who: "anna", policy: policy, prepare: s.request, rule: exactly(untouched, [3]money.Minor{-s.paid, s.paid, 0}), finish: func(w *town, m moment) {
		s.confirm(w, s.receipt(w, w.same(m, s.payment(w, m.read))))
	}}
}

func receiving(s sale) act {
	after := [3]money.Minor{s.asked, 0, 0}
	if s.toAccount {
		after = [3]money.Minor{0, s.asked, 0}
	}
	return act{verb: "receive", who: s.payee, policy: policy, prepare: func(w *town) []byte {
		return s.payment(w, s.request(w))
	}, rule: exactly(untouched, after), finish: func(w *town, m moment) {
		s.confirm(w, w.same(m, s.receipt(w, m.read)))
	}}
}

func confirming(s sale) act {
	return act{verb: "take receipt", who: "anna", policy: policy, prepare: func(w *town) []byte {
		return s.receipt(w, s.payment(w, s.request(w)))
	}, rule: exactly(untouched, [3]money.Minor{s.paid - s.asked, -s.paid, 0}), finish: func(w *town, m moment) { s.confirm(w, m.read) }}
}

// depositingTakings: what a payer has made out to the account.
func depositingTakings() act {
	s := merchant
	return act{verb: "deposit", who: s.payee, policy: policy, prepare: func(w *town) []byte {
		w.with(s.payee, func(p *node.Purse) error { // those of earlier payments
			if p.Balance().Pending.IsZero() {
				return nil
			}
			_, err := p.Deposit(w.Context(), yuan(0))
			return err
		})
		s.confirm(w, s.receipt(w, s.payment(w, s.request(w))))
		return nil
	}, rule: exactly(untouched, untouched, [3]money.Minor{0, -s.asked, 0}), finish: func(w *town, m moment) {
		if m.saves > 0 {
			w.ended(s.payee, 0)
		}
	}}
}

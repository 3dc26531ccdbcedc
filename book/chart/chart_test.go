package chart_test

import (
	"fmt"
	"testing"

	"jiaozi/book"
	"jiaozi/book/booktest"
	"jiaozi/book/chart"
	"jiaozi/value/clock"
	"jiaozi/value/ident"
	"jiaozi/value/money"

	"pgregory.net/rapid"
)

const (
	issuer  ident.Inst     = "62100001"
	shop    ident.Inst     = "62200001"
	network ident.Inst     = "62900001"
	cny     money.Currency = 156
	day     clock.Date     = 20261122
)

var (
	pair = chart.Pair{Issuer: issuer, Acquirer: shop}
	card = ident.CardRef{1}
)

func yuan(m money.Minor) money.Amount { return money.New(cny, m) }

func drawAmount(t *rapid.T, name string) money.Amount {
	return yuan(money.Minor(rapid.Int64Range(-1_000_000, 1_000_000_000_000).Draw(t, name)))
}

func drawSettlement(t *rapid.T) chart.Settlement {
	s := chart.Settlement{Pair: pair, Network: network, Currency: cny,
		Interchange: drawAmount(t, "interchange"), IssuerFee: drawAmount(t, "issuer fee"), AcquirerFee: drawAmount(t, "acquirer fee")}
	for i := range rapid.IntRange(0, 5).Draw(t, "merchants") {
		s.Shares = append(s.Shares, chart.Share{MID: ident.MID(fmt.Sprintf("%015d", i)),
			Gross: drawAmount(t, "gross"), Fee: drawAmount(t, "fee"), Cash: drawAmount(t, "cash")})
	}
	return s
}

// postings makes every event of the chart with the amounts drawn.
func postings(t *rapid.T) []book.Posting {
	a := drawAmount(t, "amount")
	list := []book.Posting{
		chart.Fund(issuer, "6210", a), chart.InitialBalance(issuer, card, a),
		chart.LoadAccount(issuer, "6210", card, a), chart.LoadCash(pair, card, a), chart.LoadDone(issuer, card, a),
		chart.LoadAccountUndone(issuer, "6210", card, a), chart.LoadCashUndone(pair, card, a),
		chart.Spend(pair, card, a), chart.SpendSuspense(pair, a),
		chart.TornRefund(issuer, card, "6210", a), chart.CloseRefund(issuer, card, "6210", a),
	}
	for _, bearer := range []chart.Bearer{chart.IssuerBears, chart.AcquirerBears, chart.MerchantBears} {
		p, err := chart.CloneBorne(chart.Clone{Pair: pair, MID: "000000000000001", Bearer: bearer, Amount: a})
		if err != nil {
			t.Fatal(err)
		}
		list = append(list, p)
	}
	p, err := chart.Settle(drawSettlement(t))
	if err != nil {
		t.Fatal(err)
	}
	list = append(list, coinPostings(a, chart.Place{})...)
	list = append(list, coinPostings(a, chart.PlaceAt(1234))...)
	return append(list, p)
}

// Goal: every posting balances, in whole and in each institution's own lines.
// Method: all events with drawn amounts, negative and zero ones too.
func TestEveryPostingBalances(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		for _, p := range postings(t) {
			names := map[book.AccountID]book.Account{}
			for _, a := range p.Open {
				names[a.ID] = a
			}
			sums := map[ident.Inst]money.Minor{}
			for _, leg := range p.Legs {
				if _, opened := names[leg.Account]; !opened {
					t.Fatalf("%s: a leg on an account that is not opened", p.Event)
				}
				if leg.Amount.Sign() <= 0 {
					t.Fatalf("%s: a leg of %s", p.Event, leg.Amount)
				}
				inst, _, _, _ := chart.Name(names[leg.Account].Name)
				if leg.Side == book.Debit {
					sums[inst] += leg.Amount.Minor()
				} else {
					sums[inst] -= leg.Amount.Minor()
				}
			}
			for inst, sum := range sums {
				if sum != 0 {
					t.Fatalf("%s: debits less credits of %s are %d", p.Event, inst, sum)
				}
			}
		}
	})
}

// The book accepts what the chart makes: one account is one account.
func TestTheBookTakesEveryPosting(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		ledger, err := book.Open(t.Context(), &booktest.Memory{})
		if err != nil {
			t.Fatal(err)
		}
		defer ledger.Close()
		for i, p := range postings(t) {
			r, err := ledger.Apply(t.Context(), []book.Command{p.Command(book.DeriveID(i), day)})
			if err != nil || r[0].Code != book.OK && r[0].Code != book.Insufficient {
				t.Fatalf("%s: %v %v", p.Event, r, err)
			}
		}
	})
}

// Goal: after a settlement Clearing is back at zero and the reserves have moved
// by amounts whose sum is zero, as Net announced. Method: book spends, clones and
// cash loads as they come, and settle what they add up to.
func TestSettlementClearsAndReservesSumToZero(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		b := newBank(t)
		b.post(chart.InitialBalance(issuer, card, yuan(1_000_000)))
		s := chart.Settlement{Pair: pair, Network: network, Currency: cny,
			Interchange: yuan(35), IssuerFee: yuan(7), AcquirerFee: yuan(6)}
		for m := range rapid.IntRange(1, 3).Draw(t, "merchants") {
			share := chart.Share{MID: ident.MID(fmt.Sprintf("%015d", m)), Fee: yuan(11), Gross: yuan(0), Cash: yuan(0)}
			for range rapid.IntRange(0, 4).Draw(t, "events") {
				a := yuan(money.Minor(rapid.Int64Range(1, 5000).Draw(t, "amount")))
				switch rapid.IntRange(0, 3).Draw(t, "event") {
				case 0:
					b.post(chart.Spend(pair, card, a))
					share.Gross, _ = share.Gross.Add(a)
				case 1:
					b.post(chart.SpendSuspense(pair, a))
					share.Gross, _ = share.Gross.Add(a)
				case 2:
					b.post(chart.LoadCash(pair, card, a))
					share.Cash, _ = share.Cash.Add(a)
				case 3:
					b.post(chart.LoadCash(pair, card, a))
					b.post(chart.LoadCashUndone(pair, card, a))
				}
			}
			s.Shares = append(s.Shares, share)
		}
		before := b.reserves()
		p, err := chart.Settle(s)
		if err != nil {
			t.Fatal(err)
		}
		b.post(p)
		b.want(chart.Clearing(pair, cny), 0)
		net, err := s.Net()
		if err != nil {
			t.Fatal(err)
		}
		after := b.reserves()
		moved := [3]money.Minor{after[0] - before[0], after[1] - before[1], after[2] - before[2]}
		if moved != [3]money.Minor{net.Issuer.Minor(), net.Acquirer.Minor(), net.Network.Minor()} {
			t.Fatalf("reserves moved by %v, announced %v", moved, net)
		}
		if sum := moved[0] + moved[1] + moved[2]; sum != 0 {
			t.Fatalf("reserves moved by %v, in sum %d", moved, sum)
		}
	})
}

// bank is a book with the chart on it.
type bank struct {
	t      *rapid.T
	ledger *book.Ledger
	n      int
}

func newBank(t *rapid.T) *bank {
	ledger, err := book.Open(t.Context(), &booktest.Memory{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = ledger.Close() })
	return &bank{t: t, ledger: ledger}
}

func (b *bank) post(p book.Posting) {
	b.n++
	r, err := b.ledger.Apply(b.t.Context(), []book.Command{p.Command(book.DeriveID(b.n), day)})
	if err != nil || r[0].Code != book.OK {
		b.t.Fatalf("%s: %v %v", p.Event, r, err)
	}
}

func (b *bank) balance(a book.Account) money.Minor {
	balance, _, err := b.ledger.Balance(b.t.Context(), a.ID)
	if err != nil {
		b.t.Fatal(err)
	}
	return balance.Minor()
}

func (b *bank) want(a book.Account, want money.Minor) {
	if have := b.balance(a); have != want {
		b.t.Fatalf("%s: %d, want %d", a.Name, have, want)
	}
}

func (b *bank) reserves() [3]money.Minor {
	return [3]money.Minor{b.balance(chart.Reserve(issuer, cny)), b.balance(chart.Reserve(shop, cny)), b.balance(chart.Reserve(network, cny))}
}

// A clone's second payment ends with whoever bears it, and nobody else.
func TestCloneIsBorneByOne(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		b := newBank(t)
		bearer := chart.Bearer(rapid.IntRange(1, 3).Draw(t, "bearer"))
		mid := ident.MID("000000000000001")
		b.post(chart.SpendSuspense(pair, yuan(500)))
		p, err := chart.Settle(chart.Settlement{Pair: pair, Network: network, Currency: cny, Shares: []chart.Share{{MID: mid, Gross: yuan(500)}}})
		if err != nil {
			t.Fatal(err)
		}
		b.post(p)
		if p, err = chart.CloneBorne(chart.Clone{Pair: pair, MID: mid, Bearer: bearer, Amount: yuan(500)}); err != nil {
			t.Fatal(err)
		}
		b.post(p)
		b.want(chart.Suspense(issuer, cny), 0)
		b.want(chart.Clearing(pair, cny), 0)
		left := map[chart.Bearer][3]money.Minor{chart.IssuerBears: {500, 0, 500}, chart.AcquirerBears: {0, 500, 500}, chart.MerchantBears: {0, 0, 0}}
		have := [3]money.Minor{b.balance(chart.Loss(issuer, cny)), b.balance(chart.Loss(shop, cny)), b.balance(chart.Merchant(shop, mid, cny))}
		if have != left[bearer] {
			t.Fatalf("bearer %d: loss of issuer, loss of acquirer, merchant: %v, want %v", bearer, have, left[bearer])
		}
	})
	if _, err := chart.CloneBorne(chart.Clone{Pair: pair, Amount: yuan(1)}); err == nil {
		t.Fatal("a clone that nobody bears was posted")
	}
}

// Amounts of two currencies, or out of range, are refused and not posted.
func TestSettlementRefusesSenselessSums(t *testing.T) {
	huge := yuan(1<<63 - 1)
	for why, s := range map[string]chart.Settlement{
		"two currencies": {Pair: pair, Network: network, Currency: cny, Interchange: money.New(344, 1)},
		"overflow":       {Pair: pair, Network: network, Currency: cny, Shares: []chart.Share{{Gross: huge}, {Gross: huge}}},
	} {
		if _, err := chart.Settle(s); err == nil {
			t.Errorf("%s: posted", why)
		}
		if _, err := s.Net(); err == nil {
			t.Errorf("%s: has a net", why)
		}
	}
}

// Names lead back to what they were made of.
func TestAccountNamesReadBack(t *testing.T) {
	for _, tt := range []struct {
		account      book.Account
		kind, detail string
	}{
		{chart.Float(issuer, card, cny), chart.KindFloat, card.String()},
		{chart.Clearing(pair, cny), chart.KindClearing, string(shop)},
		{chart.Reserve(issuer, cny), chart.KindReserve, ""},
		{chart.Income(issuer, chart.Interchange, cny), chart.KindIncome, "interchange"},
	} {
		inst, kind, detail, ok := chart.Name(tt.account.Name)
		if !ok || inst != issuer || kind != tt.kind || detail != tt.detail {
			t.Errorf("%s reads as %s, %s, %q", tt.account.Name, inst, kind, detail)
		}
		if tt.account.ID != chart.AccountID(tt.account.Name) {
			t.Errorf("%s has an id of its own", tt.account.Name)
		}
	}
	if _, _, _, ok := chart.Name("no account"); ok {
		t.Error("any text is an account's name")
	}
}

// A day between an issuer and an acquirer, as an accountant would write it.
func ExampleSettle() {
	p, err := chart.Settle(chart.Settlement{
		Pair: pair, Network: network, Currency: cny,
		Shares:      []chart.Share{{MID: "000000000000001", Gross: yuan(10000), Fee: yuan(60), Cash: yuan(2000)}},
		Interchange: yuan(35), IssuerFee: yuan(3), AcquirerFee: yuan(3),
	})
	if err != nil {
		fmt.Println(err)
	}
	show(p)
	// Output:
	// settle
	// Dr   100.00  62100001/clearing/62200001/CNY
	// Dr     0.03  62100001/expense/network/CNY
	// Cr     0.35  62100001/income/interchange/CNY
	// Cr    99.68  62100001/reserve/CNY
	// Dr    99.62  62200001/reserve/CNY
	// Dr     0.35  62200001/expense/interchange/CNY
	// Dr     0.03  62200001/expense/network/CNY
	// Cr     0.60  62200001/income/merchantservice/CNY
	// Dr     0.06  62900001/reserve/CNY
	// Cr     0.06  62900001/income/network/CNY
	// Dr    20.00  62100001/reserve/CNY
	// Cr    20.00  62100001/clearing/62200001/CNY
	// Cr    20.00  62200001/reserve/CNY
	// Cr    99.40  62200001/merchant/000000000000001/CNY
	// Dr    20.00  62200001/till/000000000000001/CNY
}

// An account load: authorised, and then proved to be on the card.
func ExampleLoadAccount() {
	show(chart.LoadAccount(issuer, "6210", card, yuan(5000)))
	show(chart.LoadDone(issuer, card, yuan(5000)))
	// Output:
	// load-account
	// Dr    50.00  62100001/customer/6210/CNY
	// Cr    50.00  62100001/inflight/01000000000000000000000000000000/CNY
	// load-done
	// Dr    50.00  62100001/inflight/01000000000000000000000000000000/CNY
	// Cr    50.00  62100001/float/01000000000000000000000000000000/CNY
}

func show(p book.Posting) {
	names := map[book.AccountID]string{}
	for _, a := range p.Open {
		names[a.ID] = a.Name
	}
	fmt.Println(p.Event)
	for _, leg := range p.Legs {
		fmt.Printf("%s %8s  %s\n", leg.Side, leg.Amount, names[leg.Account])
	}
}

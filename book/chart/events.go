package chart

import (
	"errors"
	"fmt"

	"jiaozi/book"
	"jiaozi/value/ident"
	"jiaozi/value/money"
)

// Event names, as they stand in the journal and in the lists of a Door.
const (
	EventFund           = "fund"
	EventInitialBalance = "initial-balance"
	EventLoadAccount    = "load-account"
	EventLoadCash       = "load-cash"
	EventLoadDone       = "load-done"
	EventLoadUndone     = "load-undone"
	EventSpend          = "spend"
	EventSpendSuspense  = "spend-suspense"
	EventTornRefund     = "torn-refund"
	EventCloseRefund    = "close-refund"
	EventCloneBorne     = "clone-borne"
	EventSettle         = "settle"
)

// Fund: a customer pays money into the account.
//
//	Dr Reserve(issuer)   Cr Customer
func Fund(issuer ident.Inst, account string, amount money.Amount) book.Posting {
	c := amount.Currency()
	return post(EventFund,
		dr(Reserve(issuer, c), amount),
		cr(Customer(issuer, account, c), amount))
}

// InitialBalance: a card is handed out with money on it, paid for in bank money.
//
//	Dr Reserve(issuer)   Cr Float
func InitialBalance(issuer ident.Inst, card ident.CardRef, amount money.Amount) book.Posting {
	c := amount.Currency()
	return post(EventInitialBalance,
		dr(Reserve(issuer, c), amount),
		cr(Float(issuer, card, c), amount))
}

// LoadAccount: a load is authorised against an account (圈存).
//
//	Dr Customer   Cr InFlight
func LoadAccount(issuer ident.Inst, account string, card ident.CardRef, amount money.Amount) book.Posting {
	c := amount.Currency()
	return post(EventLoadAccount,
		dr(Customer(issuer, account, c), amount),
		cr(InFlight(issuer, card, c), amount))
}

// LoadCash: a load is authorised against cash in the merchant's till; the
// acquirer owes the issuer that cash.
//
//	Dr Clearing   Cr InFlight
func LoadCash(p Pair, card ident.CardRef, amount money.Amount) book.Posting {
	c := amount.Currency()
	return post(EventLoadCash,
		dr(Clearing(p, c), amount),
		cr(InFlight(p.Issuer, card, c), amount))
}

// LoadDone: the card proved that the load is on it.
//
//	Dr InFlight   Cr Float
func LoadDone(issuer ident.Inst, card ident.CardRef, amount money.Amount) book.Posting {
	c := amount.Currency()
	return post(EventLoadDone,
		dr(InFlight(issuer, card, c), amount),
		cr(Float(issuer, card, c), amount))
}

// LoadAccountUndone: the load never reached the card; the account has it back.
//
//	Dr InFlight   Cr Customer
func LoadAccountUndone(issuer ident.Inst, account string, card ident.CardRef, amount money.Amount) book.Posting {
	c := amount.Currency()
	return post(EventLoadUndone,
		dr(InFlight(issuer, card, c), amount),
		cr(Customer(issuer, account, c), amount))
}

// LoadCashUndone: the load never reached the card; the till gives the cash back
// and the acquirer owes nothing.
//
//	Dr InFlight   Cr Clearing
func LoadCashUndone(p Pair, card ident.CardRef, amount money.Amount) book.Posting {
	c := amount.Currency()
	return post(EventLoadUndone,
		dr(InFlight(p.Issuer, card, c), amount),
		cr(Clearing(p, c), amount))
}

// Spend: a payment with a good cryptogram was presented.
//
//	Dr Float   Cr Clearing
func Spend(p Pair, card ident.CardRef, amount money.Amount) book.Posting {
	c := amount.Currency()
	return post(EventSpend,
		dr(Float(p.Issuer, card, c), amount),
		cr(Clearing(p, c), amount))
}

// SpendSuspense: a good cryptogram that the float does not explain, the second
// on one counter or a spend beyond the balance. The acquirer was promised the
// money for a good cryptogram and is paid like for any other, in the same gross
// sum; CloneBorne later says whose loss it is.
//
//	Dr Suspense   Cr Clearing
func SpendSuspense(p Pair, amount money.Amount) book.Posting {
	c := amount.Currency()
	return post(EventSpendSuspense,
		dr(Suspense(p.Issuer, c), amount),
		cr(Clearing(p, c), amount))
}

// TornRefund: the card was debited and the goods were not handed over.
//
//	Dr Float   Cr Customer
func TornRefund(issuer ident.Inst, card ident.CardRef, account string, amount money.Amount) book.Posting {
	return refund(EventTornRefund, issuer, card, account, amount)
}

// CloseRefund: the card proved that it is closed and empty; what was on it goes
// back to the account.
//
//	Dr Float   Cr Customer
func CloseRefund(issuer ident.Inst, card ident.CardRef, account string, amount money.Amount) book.Posting {
	return refund(EventCloseRefund, issuer, card, account, amount)
}

func refund(event string, issuer ident.Inst, card ident.CardRef, account string, amount money.Amount) book.Posting {
	c := amount.Currency()
	return post(event,
		dr(Float(issuer, card, c), amount),
		cr(Customer(issuer, account, c), amount))
}

// Bearer is who bears a spend in suspense, by the rules of the scheme.
type Bearer uint8

const (
	IssuerBears Bearer = iota + 1
	AcquirerBears
	MerchantBears
)

// Clone is a spend in suspense for which a bearer was found.
type Clone struct {
	Pair
	MID    ident.MID
	Bearer Bearer
	Amount money.Amount
}

// CloneBorne takes a spend out of suspense. The spend itself is settled like any
// other, so Clearing has no part in this: an acquirer that bears it pays it back
// from its reserve to the issuer's, and may take it from the merchant.
//
//	issuer bears:   Dr Loss(issuer)              Cr Suspense
//	acquirer bears: Dr Reserve(issuer)           Cr Suspense
//	                Dr Loss(acquirer)            Cr Reserve(acquirer)
//	merchant bears: Dr Reserve(issuer)           Cr Suspense
//	                Dr Merchant                  Cr Reserve(acquirer)
func CloneBorne(e Clone) (book.Posting, error) {
	c := e.Amount.Currency()
	out := cr(Suspense(e.Issuer, c), e.Amount)
	switch e.Bearer {
	case IssuerBears:
		return post(EventCloneBorne, dr(Loss(e.Issuer, c), e.Amount), out), nil
	case AcquirerBears:
		return post(EventCloneBorne, dr(Reserve(e.Issuer, c), e.Amount), out,
			dr(Loss(e.Acquirer, c), e.Amount), cr(Reserve(e.Acquirer, c), e.Amount)), nil
	case MerchantBears:
		return post(EventCloneBorne, dr(Reserve(e.Issuer, c), e.Amount), out,
			dr(Merchant(e.Acquirer, e.MID, c), e.Amount), cr(Reserve(e.Acquirer, c), e.Amount)), nil
	}
	return book.Posting{}, fmt.Errorf("chart: nobody bears the clone: bearer %d", e.Bearer)
}

// Share is one merchant's part of a settlement.
type Share struct {
	MID   ident.MID
	Gross money.Amount // what it sold, spends in suspense included
	Fee   money.Amount // what the acquirer keeps of it (MSC)
	Cash  money.Amount // cash taken for loads, less what was undone
}

// Settlement is one day between one issuer and one acquirer, in one currency.
type Settlement struct {
	Pair
	Network     ident.Inst
	Currency    money.Currency
	Shares      []Share
	Interchange money.Amount // acquirer to issuer
	IssuerFee   money.Amount // issuer to network
	AcquirerFee money.Amount // acquirer to network
}

// Settle pays what Clearing says. With G and L the sums of gross and cash, I the
// interchange, Ni and Na the network fees of issuer and acquirer:
//
//	issuer:   Dr Clearing G   Dr Expense(network) Ni   Cr Income(interchange) I   Cr Reserve(issuer) G-I+Ni
//	acquirer: Dr Reserve(acquirer) G-I-Na   Dr Expense(interchange) I   Dr Expense(network) Na
//	          Cr Merchant, each its gross less fee    Cr Income(merchantservice), the sum of the fees
//	network:  Dr Reserve(network) Ni+Na   Cr Income(network) Ni+Na
//	cash:     Dr Reserve(issuer) L   Cr Clearing L   Dr Till, each its cash   Cr Reserve(acquirer) L
//
// The reserves move by -(G-I+Ni)+L, +(G-I-Na)-L and +(Ni+Na): zero in sum.
func Settle(s Settlement) (book.Posting, error) {
	t, err := s.totals()
	if err != nil {
		return book.Posting{}, fmt.Errorf("chart: settle %s with %s: %w", s.Issuer, s.Acquirer, err)
	}
	c := s.Currency
	lines := []line{
		dr(Clearing(s.Pair, c), t.gross),
		dr(Expense(s.Issuer, Network, c), s.IssuerFee),
		cr(Income(s.Issuer, Interchange, c), s.Interchange),
		cr(Reserve(s.Issuer, c), t.issuerPays),

		dr(Reserve(s.Acquirer, c), t.acquirerGets),
		dr(Expense(s.Acquirer, Interchange, c), s.Interchange),
		dr(Expense(s.Acquirer, Network, c), s.AcquirerFee),
		cr(Income(s.Acquirer, MerchantService, c), t.merchantFees),

		dr(Reserve(s.Network, c), t.networkGets),
		cr(Income(s.Network, Network, c), t.networkGets),

		dr(Reserve(s.Issuer, c), t.cash),
		cr(Clearing(s.Pair, c), t.cash),
		cr(Reserve(s.Acquirer, c), t.cash),
	}
	for i := range s.Shares {
		share := &s.Shares[i]
		lines = append(lines,
			cr(Merchant(s.Acquirer, share.MID, c), t.merchantNet[i]),
			dr(Till(s.Acquirer, share.MID, c), share.Cash))
	}
	return post(EventSettle, lines...), nil
}

// Net is what a settlement moves on the three reserves; positive is incoming.
type Net struct{ Issuer, Acquirer, Network money.Amount }

// Net gives the movements of the reserves that Settle will post.
func (s Settlement) Net() (Net, error) {
	t, err := s.totals()
	if err != nil {
		return Net{}, err
	}
	var a sums
	n := Net{
		Issuer:   a.minus(t.cash, t.issuerPays),
		Acquirer: a.minus(t.acquirerGets, t.cash),
		Network:  t.networkGets,
	}
	return n, a.err
}

type settleTotals struct {
	gross, cash, merchantFees             money.Amount
	issuerPays, acquirerGets, networkGets money.Amount
	merchantNet                           []money.Amount
}

func (s Settlement) totals() (settleTotals, error) {
	var a sums
	zero := money.Zero(s.Currency)
	t := settleTotals{gross: zero, cash: zero, merchantFees: zero}
	for _, share := range s.Shares {
		t.gross = a.plus(t.gross, share.Gross)
		t.cash = a.plus(t.cash, share.Cash)
		t.merchantFees = a.plus(t.merchantFees, share.Fee)
		t.merchantNet = append(t.merchantNet, a.minus(share.Gross, share.Fee))
	}
	afterInterchange := a.minus(t.gross, s.Interchange)
	t.issuerPays = a.plus(afterInterchange, s.IssuerFee)
	t.acquirerGets = a.minus(afterInterchange, s.AcquirerFee)
	t.networkGets = a.plus(a.plus(zero, s.IssuerFee), s.AcquirerFee)
	return t, a.err
}

// sums adds amounts and keeps the first error. A missing amount (the zero value,
// of no currency) counts as zero.
type sums struct{ err error }

func (a *sums) plus(x, y money.Amount) money.Amount {
	switch none := (money.Amount{}); {
	case y == none:
		return x
	case x == none:
		return y
	}
	z, err := x.Add(y)
	a.err = errors.Join(a.err, err)
	return z
}

func (a *sums) minus(x, y money.Amount) money.Amount {
	neg, err := y.Neg()
	a.err = errors.Join(a.err, err)
	return a.plus(x, neg)
}

// line is a leg with the account that it opens.
type line struct {
	account book.Account
	side    book.Side
	amount  money.Amount
}

func dr(a book.Account, amount money.Amount) line { return line{a, book.Debit, amount} }
func cr(a book.Account, amount money.Amount) line { return line{a, book.Credit, amount} }

// post turns lines into legs: nothing for zero, the other side for less. An
// account is opened once.
func post(event string, lines ...line) book.Posting {
	p := book.Posting{Event: event}
	opened := make(map[book.AccountID]bool, len(lines))
	for _, l := range lines {
		if l.amount.IsZero() {
			continue
		}
		p.Legs = append(p.Legs, l.leg())
		if !opened[l.account.ID] {
			opened[l.account.ID] = true
			p.Open = append(p.Open, l.account)
		}
	}
	return p
}

func (l line) leg() book.Leg {
	if l.amount.Sign() > 0 {
		return book.Leg{Account: l.account.ID, Side: l.side, Amount: l.amount}
	}
	flipped := book.Debit
	if l.side == book.Debit {
		flipped = book.Credit
	}
	// The most negative amount has no opposite and stays as it is: the book
	// refuses a leg that is not positive.
	amount, err := l.amount.Neg()
	if err != nil {
		amount = l.amount
	}
	return book.Leg{Account: l.account.ID, Side: flipped, Amount: amount}
}

// Package chart is the chart of accounts and every posting rule of the scheme:
// one pure function per business event, each with its legs in a comment, so that
// an accountant can read what the money does without reading a program.
//
//	cash, bank money      Reserve   what an institution holds at the settlement bank
//	on a card             Float     what the issuer owes the bearer of the card
//	on its way to a card  InFlight  loaded, and not yet known to be on the card
//	between institutions  Clearing  what the issuer owes the acquirer, until settled
//	at the merchant       Merchant  what the acquirer owes the merchant
//	                      Till      cash that a merchant took for loads, owed to the acquirer
//	not explained yet     Suspense  spent on a card beyond what was on it
//	in purses and pockets Coins     what the issuer owes the bearers of an epoch's coins (coins.go)
//
// Every posting balances, and what one institution gives another passes through
// Clearing or through both reserves, so each institution's own lines balance as
// well. After a settlement Clearing is back at zero and reserves have moved by
// amounts whose sum is zero. Zero amounts are left out; a negative amount is
// written on the other side.
//
// Roles call the events in events.go and hand the posting to the book. Nothing
// else in the house writes a leg.
package chart

import (
	"crypto/sha256"
	"strings"

	"jiaozi/book"
	"jiaozi/value/ident"
	"jiaozi/value/money"
)

// Account kinds: the second part of an account's name, which is
// institution/kind/detail/currency.
const (
	KindCustomer = "customer"
	KindFloat    = "float"
	KindInFlight = "inflight"
	KindReserve  = "reserve"
	KindClearing = "clearing"
	KindSuspense = "suspense"
	KindLoss     = "loss"
	KindMerchant = "merchant"
	KindTill     = "till"
	KindIncome   = "income"
	KindExpense  = "expense"
	KindDayLimit = "daylimit"
	KindDayUsed  = "dayused"
)

// Fee says what an income or an expense is for.
type Fee string

const (
	Interchange     Fee = "interchange"     // acquirer pays issuer
	Network         Fee = "network"         // both pay the scheme
	MerchantService Fee = "merchantservice" // merchant pays acquirer
)

// Pair is the two ends of a clearing relation.
type Pair struct{ Issuer, Acquirer ident.Inst }

// AccountID derives the id of an account from its name. An account of the mint
// that has a Place in its name lives there, any other one wherever the hash says.
func AccountID(name string) book.AccountID {
	sum := sha256.Sum256([]byte(name))
	id := book.AccountID(sum[:16])
	if p, ok := placed(name); ok {
		id = book.AccountID(book.ID(id).At(p.part))
	}
	return id
}

// Liabilities that must be covered at every moment.

// Customer is a cardholder's account at its issuer.
func Customer(inst ident.Inst, number string, c money.Currency) book.Account {
	return covered(book.Credit, c, string(inst), KindCustomer, number)
}

// Float is the electronic cash on one card.
func Float(issuer ident.Inst, card ident.CardRef, c money.Currency) book.Account {
	return covered(book.Credit, c, string(issuer), KindFloat, card.String())
}

// InFlight is what was loaded for one card and is not yet known to be on it.
func InFlight(issuer ident.Inst, card ident.CardRef, c money.Currency) book.Account {
	return covered(book.Credit, c, string(issuer), KindInFlight, card.String())
}

// Positions that may stand on either side.

// Reserve is an institution's money at the settlement bank.
func Reserve(inst ident.Inst, c money.Currency) book.Account {
	return open(book.Debit, c, string(inst), KindReserve)
}

// Clearing is what the issuer owes the acquirer; cash loads make it negative.
func Clearing(p Pair, c money.Currency) book.Account {
	return open(book.Credit, c, string(p.Issuer), KindClearing, string(p.Acquirer))
}

// Suspense is what was paid out for spends that no float covers: clones.
func Suspense(issuer ident.Inst, c money.Currency) book.Account {
	return open(book.Debit, c, string(issuer), KindSuspense)
}

// Loss is what an institution had to bear.
func Loss(inst ident.Inst, c money.Currency) book.Account {
	return open(book.Debit, c, string(inst), KindLoss)
}

// Merchant is what the acquirer owes a merchant; a clawback may turn it round.
func Merchant(acquirer ident.Inst, mid ident.MID, c money.Currency) book.Account {
	return open(book.Credit, c, string(acquirer), KindMerchant, string(mid))
}

// Till is cash that a merchant took in for loads and owes the acquirer.
func Till(acquirer ident.Inst, mid ident.MID, c money.Currency) book.Account {
	return open(book.Debit, c, string(acquirer), KindTill, string(mid))
}

// Income is what an institution earned by a kind of fee.
func Income(inst ident.Inst, fee Fee, c money.Currency) book.Account {
	return open(book.Credit, c, string(inst), KindIncome, string(fee))
}

// Expense is what an institution spent on a kind of fee.
func Expense(inst ident.Inst, fee Fee, c money.Currency) book.Account {
	return open(book.Debit, c, string(inst), KindExpense, string(fee))
}

func covered(normal book.Side, c money.Currency, parts ...string) book.Account {
	a := open(normal, c, parts...)
	a.NeverNegative = true
	return a
}

func open(normal book.Side, c money.Currency, parts ...string) book.Account {
	name := strings.Join(parts, "/") + "/" + c.Code()
	return book.Account{ID: AccountID(name), Name: name, Normal: normal, Currency: c}
}

// Name takes an account name apart: the institution, the kind, and what stands
// between the kind and the currency (a card, a merchant, the other institution).
func Name(name string) (inst ident.Inst, kind, detail string, ok bool) {
	parts := strings.Split(name, "/")
	if len(parts) < 3 {
		return "", "", "", false
	}
	return ident.Inst(parts[0]), parts[1], strings.Join(parts[2:len(parts)-1], "/"), true
}

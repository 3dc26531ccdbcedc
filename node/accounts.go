package node

import (
	"context"
	"encoding/json"
	"fmt"

	"jiaozi/book"
	"jiaozi/book/chart"
	"jiaozi/value/money"
)

// DepositOrder is the order to book a customer's payment into an account, as
// the counter of the issuing bank does. The account is one that a card belongs
// to. A voucher counts once: the same one again changes nothing.
type DepositOrder struct {
	Account string `json:"account"`
	Amount  string `json:"amount"`
	Voucher string `json:"voucher"`
}

// AccountState is what an account holds.
type AccountState struct {
	Account  string      `json:"account"`
	Currency string      `json:"currency"`
	Balance  json.Number `json:"balance"`
}

// Verb names the order.
func (DepositOrder) Verb() string { return "account-deposit" }

// Run books the payment; an empty amount only asks for the balance.
func (d DepositOrder) Run(ctx context.Context, n *Node) (any, error) {
	if _, err := n.AccountBalance(ctx, d.Account); err != nil {
		return nil, err
	}
	if d.Amount != "" {
		sum, err := n.scheme.money(d.Amount)
		if err != nil {
			return nil, err
		}
		if err := n.Deposit(ctx, d.Account, sum, d.Voucher); err != nil {
			return nil, err
		}
	}
	balance, err := n.AccountBalance(ctx, d.Account)
	if err != nil {
		return nil, err
	}
	return AccountState{d.Account, balance.Currency().Code(), json.Number(balance.String())}, nil
}

// Deposit books a customer's payment into an account; a voucher counts once.
func (n *Node) Deposit(ctx context.Context, account string, sum money.Amount, voucher string) error {
	date, err := n.BusinessDate(ctx)
	if err != nil {
		return err
	}
	return n.issuer.Fund(ctx, book.DeriveID("node/deposit", account, voucher), account, sum, date)
}

// AccountBalance is what a customer's account holds.
func (n *Node) AccountBalance(ctx context.Context, account string) (money.Amount, error) {
	id := chart.Customer(n.scheme.Issuer, account, n.Currency()).ID
	balance, open, err := n.ledger.Balance(ctx, id)
	if err == nil && !open {
		err = fmt.Errorf("there is no account %q: making a card opens its account", account)
	}
	return balance, err
}

package main

import (
	"crypto/rand"
	"errors"

	"jiaozi/node"

	"github.com/spf13/cobra"
)

func accountCommand() *cobra.Command {
	cmd := &cobra.Command{Use: "account", Short: "The counter of the issuing bank: pay into a cardholder's account, see its balance"}
	cmd.AddCommand(accountOpenCommand(), accountDepositCommand(), accountShowCommand())
	return cmd
}

func accountOpenCommand() *cobra.Command {
	var o node.OpenAccount
	return order("open", "Open a customer's account without a card, for a wallet of coins; one that is open stays as it is", func(cmd *cobra.Command) {
		cmd.Flags().StringVar(&o.Account, "account", "", "name of the account: a-z, 0-9 and . _ @ - between them")
		mustHave(cmd, "account")
	}, func() (node.Order, error) { return o, nil }, printAccount)
}

func printAccount(cmd *cobra.Command, state node.AccountState, out output) error {
	if out.json() {
		return line(cmd.OutOrStdout(), state)
	}
	return table(cmd.OutOrStdout(), [][]string{{out.say("account", "账户"), state.Account}, {out.say("balance", "余额"), state.Currency + " " + state.Balance.String()}})
}

func accountDepositCommand() *cobra.Command {
	var order node.DepositOrder
	cmd := accountOrder("deposit", "Book a customer's payment into an account", &order, func() error {
		if order.Amount == "" {
			return errors.New("--amount is missing: say how much is paid in")
		}
		if order.Voucher == "" {
			order.Voucher = rand.Text()
		}
		return nil
	})
	cmd.Flags().StringVar(&order.Amount, "amount", "", "what is paid in, such as 200.00")
	cmd.Flags().StringVar(&order.Voucher, "voucher", "", "number of the paying-in slip; the same one again changes nothing (default: a new one)")
	return cmd
}

func accountShowCommand() *cobra.Command {
	var order node.DepositOrder
	return accountOrder("show", "Show what an account holds", &order, func() error { return nil })
}

// accountOrder is what both have in common: one account, one answer.
func accountOrder(use, short string, o *node.DepositOrder, check func() error) *cobra.Command {
	return order(use, short, func(cmd *cobra.Command) {
		cmd.Flags().StringVar(&o.Account, "account", "", "the account, as `card new` or `account open` printed it")
		mustHave(cmd, "account")
	}, func() (node.Order, error) { return *o, check() }, printAccount)
}

package main

import (
	"crypto/rand"
	"errors"

	"jiaozi/node"

	"github.com/spf13/cobra"
)

func accountCommand() *cobra.Command {
	cmd := &cobra.Command{Use: "account", Short: "The counter of the issuing bank: pay into a cardholder's account, see its balance"}
	cmd.AddCommand(accountDepositCommand(), accountShowCommand())
	return cmd
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
func accountOrder(use, short string, order *node.DepositOrder, check func() error) *cobra.Command {
	var data dataFlags
	var out output
	cmd := &cobra.Command{
		Use:   use,
		Short: short,
		Args:  cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if err := check(); err != nil {
				return err
			}
			var state node.AccountState
			if err := node.Admin(cmd.Context(), data.options(), *order, &state); err != nil {
				return classify(err)
			}
			if out.json() {
				return line(cmd.OutOrStdout(), state)
			}
			return table(cmd.OutOrStdout(), [][]string{{"account", state.Account}, {"balance", state.Currency + " " + state.Balance.String()}})
		},
	}
	data.register(cmd)
	outputFlags(cmd, &out)
	cmd.Flags().StringVar(&order.Account, "account", "", "the account, as `card new` printed it")
	if err := cmd.MarkFlagRequired("account"); err != nil {
		panic("flag --account is not defined: " + err.Error())
	}
	return cmd
}

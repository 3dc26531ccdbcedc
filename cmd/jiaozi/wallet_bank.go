package main

import (
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"strings"

	"jiaozi/node"
	"jiaozi/node/durable"
	"jiaozi/role/wallet"
	"jiaozi/value/money"
	"jiaozi/wire/coin"

	"github.com/spf13/cobra"
)

// online makes a command that opens the wallet, speaks to the mint and tells what
// came of it.
func online(use, short string, add func(*cobra.Command), do func(context.Context, *node.Purse) (wallet.Report, error)) *cobra.Command {
	f := walletFlags{withMint: true}
	var out output
	cmd := &cobra.Command{
		Use:   use,
		Short: short,
		Args:  cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			p, err := f.open()
			if err != nil {
				return classifyWallet(err)
			}
			report, err := do(cmd.Context(), p)
			if err == nil || !report.Credited.IsZero() || !report.Withdrawn.IsZero() || len(report.Refused) > 0 {
				err = errors.Join(err, printOutcome(cmd.OutOrStdout(), p, report, out)) // what moved is told, whatever came after
			}
			if err == nil && len(report.Refused) > 0 {
				err = errRefusedCoins
			}
			return classifyWallet(errors.Join(err, p.Close()))
		},
	}
	f.register(cmd)
	outputFlags(cmd, &out)
	add(cmd)
	return cmd
}

// errRefusedCoins ends a command that found worthless money.
var errRefusedCoins = fmt.Errorf("the mint does not pay for some coins: see the refusals above: %w", wallet.ErrPayment)

func nothing(*cobra.Command) {}

func walletEnrollCommand() *cobra.Command {
	var account, codeFile string
	var in io.Reader
	cmd := online("enroll", "Open an account at the bank for coins, with the one-time code of `mint enroll`", func(cmd *cobra.Command) {
		cmd.Flags().StringVar(&account, "account", "", "the account at the bank")
		cmd.Flags().StringVar(&codeFile, "code-file", "", "file that holds the code (default: standard input)")
		mustHave(cmd, "account")
		cmd.Example = "  jiaozi mint enroll --account alice | jiaozi wallet enroll --wallet my.wallet --account alice"
	}, func(ctx context.Context, p *node.Purse) (wallet.Report, error) {
		code, err := readCode(in, codeFile)
		if err != nil {
			return wallet.Report{}, err
		}
		if err := p.RefreshKeys(ctx); err != nil {
			return wallet.Report{}, err
		}
		if err := p.Enrol(ctx, account, code); err != nil {
			return wallet.Report{}, err
		}
		return p.FillBlanks(ctx) // so that money can be received before any is withdrawn
	})
	inner := cmd.RunE
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		in = cmd.InOrStdin()
		return inner(cmd, args)
	}
	return cmd
}

// readCode takes the code alone or as the last word of what `mint enroll` prints.
func readCode(in io.Reader, path string) (coin.EnrolCode, error) {
	var text string
	var err error
	if path != "" && path != "-" {
		text, err = readSecret(path)
	} else {
		var raw []byte
		raw, err = io.ReadAll(io.LimitReader(in, maxSecretFile))
		text = string(raw)
	}
	if err != nil {
		return "", err
	}
	words := strings.Fields(text)
	if len(words) == 0 {
		return "", errors.New("there is no code: the bank gives one with `jiaozi mint enroll`")
	}
	return coin.EnrolCode(words[len(words)-1]), nil
}

func walletKeysCommand() *cobra.Command {
	var path string
	return online("keys", "Fetch the mint's keys, so that coins can be checked offline", func(cmd *cobra.Command) {
		cmd.Flags().StringVar(&path, "out", "", "file to write the keys to as well, for `coin verify` and `coin trace`")
	}, func(ctx context.Context, p *node.Purse) (wallet.Report, error) {
		if path == "" {
			return wallet.Report{}, p.RefreshKeys(ctx)
		}
		raw, err := p.KeysFile(ctx)
		if err != nil {
			return wallet.Report{}, err
		}
		return wallet.Report{}, durable.WriteFile(path, raw, 0o644)
	})
}

func walletWithdrawCommand() *cobra.Command {
	var amount, group string
	cmd := online("withdraw", "Draw coins from the account, and fill up the blanks to be paid with", func(cmd *cobra.Command) {
		cmd.Flags().StringVar(&amount, "amount", "", "how much, such as 20.00")
		cmd.Flags().StringVar(&group, "group", "", "coins that only this group of merchants takes")
		mustHave(cmd, "amount")
	}, func(ctx context.Context, p *node.Purse) (wallet.Report, error) {
		sum, err := amountOf(p, amount)
		if err != nil {
			return wallet.Report{}, err
		}
		if err := p.RefreshKeys(ctx); err != nil {
			return wallet.Report{}, err
		}
		return p.Withdraw(ctx, wallet.Order{Amount: sum, Group: group})
	})
	return cmd
}

// amountOf reads an amount in the wallet's currency.
func amountOf(p *node.Purse, text string) (money.Amount, error) {
	sum, err := money.Parse(p.Balance().Available.Currency(), text)
	if err == nil && sum.Sign() <= 0 {
		err = fmt.Errorf("amount %q is not more than zero", text)
	}
	return sum, err
}

func walletDepositCommand() *cobra.Command {
	var amount string
	return online("deposit", "Pay coins into the account: all, or exactly an amount; payments to the account always", func(cmd *cobra.Command) {
		cmd.Flags().StringVar(&amount, "amount", "", "how much of the wallet's own coins (default: all of them)")
	}, func(ctx context.Context, p *node.Purse) (wallet.Report, error) {
		var sum money.Amount
		if amount != "" {
			var err error
			if sum, err = amountOf(p, amount); err != nil {
				return wallet.Report{}, err
			}
		}
		return p.Deposit(ctx, sum)
	})
}

func walletExchangeCommand() *cobra.Command {
	return online("exchange", "Have old coins, and coins that went through many hands, made new", nothing,
		func(ctx context.Context, p *node.Purse) (wallet.Report, error) {
			if err := p.RefreshKeys(ctx); err != nil {
				return wallet.Report{}, err
			}
			return p.Exchange(ctx)
		})
}

func walletRefreshCommand() *cobra.Command {
	var cardLost, trust bool
	return online("refresh", "Make a restored wallet whole: ask the mint which of its coins are still there", func(cmd *cobra.Command) {
		cmd.Flags().BoolVar(&cardLost, "card-lost", false, "give up paying with the card: its coins are claimed from the mint")
		cmd.Flags().BoolVar(&trust, "trust-backup", false, "your word that nothing was paid since the backup; if it is wrong, paying again names you")
	}, func(ctx context.Context, p *node.Purse) (wallet.Report, error) {
		if cardLost {
			if err := p.CardLost(); err != nil {
				return wallet.Report{}, err
			}
		}
		report, err := p.Refresh(ctx)
		if err == nil && trust {
			err = p.TrustBackup()
		}
		return report, err
	})
}

func walletReclaimCommand() *cobra.Command {
	var request string
	return online("reclaim", "Take back a payment that was never handed over, once its request has expired", func(cmd *cobra.Command) {
		cmd.Flags().StringVar(&request, "request", "", "number of the request, as `wallet coins` lists it")
		mustHave(cmd, "request")
	}, func(ctx context.Context, p *node.Purse) (wallet.Report, error) {
		id, err := requestID(request)
		if err != nil {
			return wallet.Report{}, err
		}
		return p.Reclaim(ctx, id)
	})
}

func requestID(text string) (id [32]byte, err error) {
	raw, err := hex.DecodeString(text)
	if err != nil || len(raw) != len(id) {
		return id, fmt.Errorf("--request %q is not %d hex digits", text, 2*len(id))
	}
	return [32]byte(raw), nil
}

func walletResumeCommand() *cobra.Command {
	return online("resume", "End whatever is pending with the mint", nothing,
		func(ctx context.Context, p *node.Purse) (wallet.Report, error) { return p.Resume(ctx) })
}

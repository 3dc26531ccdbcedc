package main

import (
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"

	"jiaozi/node"
	"jiaozi/node/durable"

	"github.com/spf13/cobra"
)

func mintCommand() *cobra.Command {
	cmd := &cobra.Command{Use: "mint", Short: "The bank's maker of coins: enroll accounts, show its books, its keys and who paid twice"}
	cmd.AddCommand(mintEnrollCommand(), mintMerchantCommand(), mintStatusCommand(), mintKeysCommand(), mintGuiltCommand())
	return cmd
}

// order makes a command that sends one administrative order.
func order[A any](use, short string, add func(*cobra.Command), order func() (node.Order, error), print func(*cobra.Command, A, output) error) *cobra.Command {
	var data dataFlags
	var out output
	cmd := &cobra.Command{
		Use:   use,
		Short: short,
		Args:  cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			o, err := order()
			if err != nil {
				return err
			}
			var answer A
			if err := node.Admin(cmd.Context(), data.options(), o, &answer); err != nil {
				return classify(err)
			}
			return classify(print(cmd, answer, out))
		},
	}
	data.register(cmd)
	outputFlags(cmd, &out)
	add(cmd)
	return cmd
}

func mintEnrollCommand() *cobra.Command {
	var o node.EnrolOrder
	return order("enroll", "Make the one-time code with which an account's owner opens it for coins", func(cmd *cobra.Command) {
		cmd.Flags().StringVar(&o.Account, "account", "", "the customer's account")
		mustHave(cmd, "account")
	}, func() (node.Order, error) { return o, nil }, func(cmd *cobra.Command, c node.EnrolCode, out output) error {
		if out.json() {
			return line(cmd.OutOrStdout(), c)
		}
		return table(cmd.OutOrStdout(), [][]string{{out.say("account", "账户"), c.Account}, {out.say("code", "开通码"), c.Code}})
	})
}

func mintMerchantCommand() *cobra.Command {
	var o node.MerchantOrder
	return order("merchant", "Let a merchant take coins under a name, and say whose special-purpose coins", func(cmd *cobra.Command) {
		cmd.Flags().StringVar(&o.Account, "account", "", "the merchant's name in requests")
		cmd.Flags().StringVar((*string)(&o.MID), "mid", "", "merchant id, 15 letters or digits")
		cmd.Flags().StringArrayVar(&o.Groups, "group", nil, "group that the merchant belongs to; repeat it for several")
		mustHave(cmd, "account", "mid")
	}, func() (node.Order, error) { return o, nil }, func(cmd *cobra.Command, m node.MerchantOrder, out output) error {
		if out.json() {
			return line(cmd.OutOrStdout(), m)
		}
		rows := [][]string{{out.say("account", "账户"), m.Account}, {out.say("merchant", "商户号"), string(m.MID)}}
		for _, g := range m.Groups {
			rows = append(rows, []string{out.say("group", "商户群"), g})
		}
		return table(cmd.OutOrStdout(), rows)
	})
}

func mintStatusCommand() *cobra.Command {
	return order("status", "Show the mint's books by epoch: issued - deposited - expired = outstanding", nothing,
		func() (node.Order, error) { return node.MintStatus{}, nil }, printStatus)
}

func printStatus(cmd *cobra.Command, list []node.EpochState, out output) error {
	if out.json() {
		return line(cmd.OutOrStdout(), list)
	}
	rows := [][]string{{out.say("epoch", "期次"), out.say("issued", "已发行"), out.say("deposited", "已回收"), out.say("expired", "已过期"),
		out.say("outstanding", "流通中"), out.say("coins issued", "发行枚数"), out.say("coins deposited", "回收枚数"), out.say("paid twice", "双花"),
		out.say("named", "已指认"), out.say("adds up", "账平")}}
	for _, e := range list {
		count := func(n uint64) string { return strconv.FormatUint(n, 10) }
		sum := func(n json.Number) string { return e.Currency + " " + n.String() }
		adds := out.say("yes", "是")
		if !e.Balanced {
			adds = out.say("NO: run audit", "否：请审计")
		}
		rows = append(rows, []string{fmt.Sprint(e.Epoch), sum(e.Issued), sum(e.Deposited), sum(e.Expired), sum(e.Outstanding),
			count(e.CoinsIssued), count(e.CoinsDeposited), count(e.DoubleSpends), count(e.Named), adds})
	}
	if err := table(cmd.OutOrStdout(), rows); err != nil {
		return err
	}
	for _, e := range list {
		if !e.Balanced {
			return fmt.Errorf("%w: the books of epoch %d do not add up", node.ErrIntegrity, e.Epoch)
		}
	}
	return nil
}

func mintKeysCommand() *cobra.Command {
	var path string
	return order("keys", "Show who the mint is, and write its public keys for checking coins offline", func(cmd *cobra.Command) {
		cmd.Flags().StringVar(&path, "out", "", "file to write the keys to, for `coin verify` and `coin trace`")
	}, func() (node.Order, error) { return node.MintKeys{}, nil }, func(cmd *cobra.Command, k node.PublishedKeys, out output) error {
		if path != "" {
			if err := durable.WriteFile(path, k.File, 0o644); err != nil {
				return err
			}
		}
		network := hex.EncodeToString(k.Network)
		if out.json() {
			return line(cmd.OutOrStdout(), keysDoc{k.Mint, network, k.Keys, path})
		}
		rows := [][]string{{out.say("mint", "铸币方"), k.Mint}, {out.say("network", "体系"), network}, {out.say("keys", "密钥数"), fmt.Sprint(k.Keys)}}
		if path != "" {
			rows = append(rows, []string{out.say("file", "文件"), path})
		}
		return table(cmd.OutOrStdout(), rows)
	})
}

type keysDoc struct {
	Mint    string `json:"mint"`
	Network string `json:"network"`
	Keys    int    `json:"keys"`
	File    string `json:"file,omitempty"`
}

func mintGuiltCommand() *cobra.Command {
	var dir string
	return order("guilt", "List who paid a coin twice, and write the proofs for anyone to check", func(cmd *cobra.Command) {
		cmd.Flags().StringVar(&dir, "out", "", "directory to write the proofs to, one file a coin, for `coin trace`")
	}, func() (node.Order, error) { return node.GuiltOrder{}, nil }, func(cmd *cobra.Command, list []node.GuiltState, out output) error {
		return printGuilt(cmd, list, dir, out)
	})
}

type guiltDoc struct {
	Account  string `json:"account"`
	Identity string `json:"identity"`
	Coin     string `json:"coin"`
	Time     string `json:"time"`
	File     string `json:"file,omitempty"`
}

func printGuilt(cmd *cobra.Command, list []node.GuiltState, dir string, out output) error {
	rows := [][]string{{out.say("account", "账户"), out.say("time", "时间"), out.say("coin", "币"), out.say("file", "文件")}}
	docs := []guiltDoc{}
	for _, g := range list {
		doc := guiltDoc{g.Account, hex.EncodeToString(g.Identity), hex.EncodeToString(g.Coin), moment(g.Time), ""}
		if dir != "" {
			doc.File = filepath.Join(dir, doc.Coin+".guilt")
			if err := errors.Join(os.MkdirAll(dir, 0o755), durable.WriteFile(doc.File, g.File, 0o644)); err != nil {
				return err
			}
		}
		docs = append(docs, doc)
		rows = append(rows, []string{doc.Account, doc.Time, doc.Coin, doc.File})
	}
	if out.json() {
		return line(cmd.OutOrStdout(), docs)
	}
	return table(cmd.OutOrStdout(), rows)
}

package main

import (
	"crypto/rand"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"

	"jiaozi/node/coincheck"
	"jiaozi/value/money"
	"jiaozi/wire/coin"
	"jiaozi/wire/explain"

	"github.com/spf13/cobra"
)

func coinCommand() *cobra.Command {
	cmd := &cobra.Command{Use: "coin", Short: "Look at coins offline: explain a message, verify a payment, trace who paid twice"}
	cmd.AddCommand(coinExplainCommand(), coinVerifyCommand(), coinTraceCommand())
	return cmd
}

func coinExplainCommand() *cobra.Command {
	var in messageIn
	var out output
	cmd := &cobra.Command{
		Use:   "explain [TEXT]",
		Short: "Put any message of coins into words: a jiaozi: address, its bytes, an NFC tag or a QR picture",
		RunE: func(cmd *cobra.Command, args []string) error {
			b, err := in.raw(cmd, args)
			if err != nil {
				return classifyWallet(err)
			}
			report, err := explain.Message(b, out.lang)
			if err != nil {
				return failWith(exitUsage, err)
			}
			if out.json() {
				return line(cmd.OutOrStdout(), report)
			}
			return printExplanation(cmd.OutOrStdout(), report)
		},
	}
	in.register(cmd, "message")
	outputFlags(cmd, &out)
	return cmd
}

const maxKeysFile = 2 * coin.MaxMessage

func readKeys(path string) (*coincheck.Keys, error) {
	raw, err := readBounded(path, maxKeysFile)
	if err != nil {
		return nil, err
	}
	return coincheck.ParseKeys(raw)
}

func coinVerifyCommand() *cobra.Command {
	var in messageIn
	var out output
	var keys, request string
	cmd := &cobra.Command{
		Use:   "verify [PAYMENT]",
		Short: "Check the coins of a payment, or the change in a receipt, with nothing but the mint's keys",
		RunE: func(cmd *cobra.Command, args []string) error {
			m, err := in.message(cmd, args)
			if err != nil {
				return classifyWallet(err)
			}
			known, err := readKeys(keys)
			if err != nil {
				return classifyWallet(err)
			}
			var asked *coin.Request
			if request != "" {
				if asked, err = readRequest(request); err != nil {
					return classifyWallet(err)
				}
			}
			list, err := known.Payment(m, asked, rand.Reader)
			if err != nil {
				return classifyWallet(err)
			}
			return printPieces(cmd, known.Mint(), list, out)
		},
	}
	in.register(cmd, "payment")
	outputFlags(cmd, &out)
	cmd.Flags().StringVar(&keys, "keys", "", "file that `mint keys --out` has written")
	cmd.Flags().StringVar(&request, "request", "", "file of the request that was paid; needed when it was to an account")
	mustHave(cmd, "keys")
	return cmd
}

func readRequest(path string) (*coin.Request, error) {
	raw, err := readBounded(path, explain.MaxMessage)
	if err != nil {
		return nil, err
	}
	m, err := coin.Read(raw)
	if err != nil {
		return nil, err
	}
	r, ok := m.(*coin.Request)
	if !ok {
		return nil, fmt.Errorf("--request: this is a %v", m.Type())
	}
	return r, nil
}

type verifiedDoc struct {
	Verified bool        `json:"verified"`
	Mint     string      `json:"mint"`
	Coins    []pieceDoc  `json:"coins"`
	Sum      json.Number `json:"sum"`
}

type pieceDoc struct {
	Value json.Number `json:"value"`
	Epoch uint32      `json:"epoch"`
	Group string      `json:"group,omitempty"`
	Hops  int         `json:"hops"`
	Until string      `json:"until"`
}

func printPieces(cmd *cobra.Command, mint string, list []coincheck.Piece, out output) error {
	doc := verifiedDoc{Verified: true, Mint: mint, Coins: []pieceDoc{}}
	rows := [][]string{{out.say("mint", "铸币方"), mint}}
	if len(list) == 0 {
		return classifyWallet(fmt.Errorf("there are no coins in it: %w", coincheck.ErrKind))
	}
	sum := money.Zero(list[0].Value.Currency())
	for _, p := range list {
		var err error
		if sum, err = sum.Add(p.Value); err != nil {
			return err
		}
		doc.Coins = append(doc.Coins, pieceDoc{number(p.Value), p.Epoch, p.Group, p.Hops, moment(p.Until)})
		rows = append(rows, []string{out.say("coin", "币"), fmt.Sprintf(out.say("%s  epoch %d, %d hands, until %s  %s", "%s  期次 %d，转手 %d 次，有效至 %s  %s"),
			p.Value.Format(out.lang), p.Epoch, p.Hops, moment(p.Until), p.Group)})
	}
	doc.Sum = number(sum)
	if out.json() {
		return line(cmd.OutOrStdout(), doc)
	}
	return table(cmd.OutOrStdout(), append(rows, []string{out.say("sum", "合计"), sum.Format(out.lang)},
		[]string{out.say("note", "说明"), out.say("genuine; whether they were paid elsewhere as well, only the mint can tell", "真币；是否曾在别处支付，只有铸币方可知")}))
}

func coinTraceCommand() *cobra.Command {
	var out output
	var keys string
	cmd := &cobra.Command{
		Use:   "trace GUILTFILE",
		Short: "Check a proof that a coin was paid twice, offline, and say whom it names",
		Args:  cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			known, err := readKeys(keys)
			if err != nil {
				return classifyWallet(err)
			}
			raw, err := readBounded(args[0], explain.MaxMessage)
			if err != nil {
				return classifyWallet(err)
			}
			m, err := coin.Read(raw)
			if err != nil {
				return failWith(exitIntegrity, err)
			}
			file, ok := m.(*coin.GuiltFile)
			if !ok {
				return failWith(exitUsage, errors.New("this is no proof of guilt but a "+m.Type().String()))
			}
			named, err := known.Trace(file)
			if err != nil {
				return classifyWallet(err)
			}
			return printNamed(cmd, named, out)
		},
	}
	outputFlags(cmd, &out)
	cmd.Flags().StringVar(&keys, "keys", "", "file that `mint keys --out` has written")
	mustHave(cmd, "keys")
	return cmd
}

type namedDoc struct {
	Proven   bool        `json:"proven"`
	Account  string      `json:"account"`
	Identity string      `json:"identity"`
	Coin     string      `json:"coin"`
	Value    json.Number `json:"value"`
	Currency string      `json:"currency"`
	Time     string      `json:"time"`
}

func printNamed(cmd *cobra.Command, n coincheck.Named, out output) error {
	id := n.Identity.Bytes()
	doc := namedDoc{true, n.Account, hex.EncodeToString(id[:]), n.Coin.String(), number(n.Value), n.Value.Currency().Code(), moment(n.Time)}
	if out.json() {
		return line(cmd.OutOrStdout(), doc)
	}
	return table(cmd.OutOrStdout(), [][]string{
		{out.say("proven", "已证实"), out.say("two payments of one coin, which only its owner can make", "同一枚币的两次支付，仅其持有人可为")},
		{out.say("account", "账户"), doc.Account}, {out.say("identity", "身份号"), doc.Identity}, {out.say("coin", "币"), doc.Coin},
		{out.say("value", "币值"), n.Value.Format(out.lang)}, {out.say("time", "时间"), doc.Time},
	})
}

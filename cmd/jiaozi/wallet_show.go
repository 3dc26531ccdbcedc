package main

import (
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"time"

	"jiaozi/node"
	"jiaozi/role/wallet"
	"jiaozi/value/money"

	"github.com/spf13/cobra"
)

func walletBalanceCommand() *cobra.Command {
	return shown("balance", "Show what the wallet holds: available, pending and recoverable apart", printWallet)
}

func walletCoinsCommand() *cobra.Command {
	return shown("coins", "List the coins, and the payments that nobody has confirmed", printCoins)
}

// shown makes a command that only looks.
func shown(use, short string, print func(io.Writer, *node.Purse, output) error) *cobra.Command {
	f := walletFlags{noCard: true}
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
			return classifyWallet(errors.Join(print(cmd.OutOrStdout(), p, out), p.Close()))
		},
	}
	f.register(cmd)
	outputFlags(cmd, &out)
	return cmd
}

// walletDoc is a wallet as scripts see it. The three sums answer different
// questions and are never added.
type walletDoc struct {
	Account     string      `json:"account"`
	Currency    string      `json:"currency"`
	Available   json.Number `json:"available"`
	Pending     json.Number `json:"pending"`
	Recoverable json.Number `json:"recoverable"`
	Coins       int         `json:"coins"`
	Blanks      int         `json:"blanks"`
	Unconfirmed int         `json:"unconfirmed"`
}

func newWalletDoc(p *node.Purse) walletDoc {
	b := p.Balance()
	return walletDoc{
		Account: p.Account(), Currency: b.Available.Currency().Code(), Available: number(b.Available), Pending: number(b.Pending),
		Recoverable: number(b.Recoverable), Coins: len(p.Coins()), Blanks: p.Blanks(), Unconfirmed: len(p.Unconfirmed()),
	}
}

func number(a money.Amount) json.Number { return json.Number(a.String()) }

func walletRows(p *node.Purse, out output) [][]string {
	b := p.Balance()
	account := p.Account()
	if account == "" {
		account = out.say("none: enroll first", "无：请先开通")
	}
	return [][]string{
		{out.say("account", "账户"), account},
		{out.say("available", "可用"), b.Available.Format(out.lang)},
		{out.say("pending", "处理中"), b.Pending.Format(out.lang)},
		{out.say("recoverable", "可追回"), b.Recoverable.Format(out.lang)},
		{out.say("coins", "币数"), fmt.Sprint(len(p.Coins()))},
		{out.say("blanks", "空白币"), fmt.Sprint(p.Blanks())},
	}
}

func printWallet(w io.Writer, p *node.Purse, out output) error {
	if out.json() {
		return line(w, newWalletDoc(p))
	}
	return table(w, walletRows(p, out))
}

type coinDoc struct {
	Value json.Number `json:"value"`
	State string      `json:"state"`
	Epoch uint32      `json:"epoch"`
	Group string      `json:"group,omitempty"`
	Hops  int         `json:"hops"`
	Until string      `json:"until"`
}

type sentDoc struct {
	Request string      `json:"request"`
	Paid    json.Number `json:"paid"`
	Expires string      `json:"expires"`
}

type coinsDoc struct {
	Coins       []coinDoc `json:"coins"`
	Unconfirmed []sentDoc `json:"unconfirmed"`
}

func moment(unix int64) string { return time.Unix(unix, 0).UTC().Format(time.RFC3339) }

func printCoins(w io.Writer, p *node.Purse, out output) error {
	doc := coinsDoc{[]coinDoc{}, []sentDoc{}}
	rows := [][]string{{out.say("value", "币值"), out.say("state", "状态"), out.say("epoch", "期次"), out.say("hands", "转手"), out.say("until", "有效至"), out.say("group", "商户群")}}
	for _, c := range p.Coins() {
		doc.Coins = append(doc.Coins, coinDoc{number(c.Value), c.State, c.Epoch, c.Group, c.Hops, moment(c.Until)})
		rows = append(rows, []string{c.Value.Format(out.lang), stateText(c.State, out), fmt.Sprint(c.Epoch), fmt.Sprint(c.Hops), moment(c.Until), c.Group})
	}
	for _, s := range p.Unconfirmed() {
		id := hex.EncodeToString(s.Request[:])
		doc.Unconfirmed = append(doc.Unconfirmed, sentDoc{id, number(s.Paid), moment(s.Expires)})
		rows = append(rows, []string{s.Paid.Format(out.lang), out.say("unconfirmed", "未确认"), "", "", moment(s.Expires), id})
	}
	if out.json() {
		return line(w, doc)
	}
	return table(w, rows)
}

func stateText(state string, out output) string {
	zh := map[string]string{"available": "可用", "paying": "支付中", "depositing": "存入中", "recoverable": "可追回", "claiming": "申报中"}[state]
	return out.say(state, zh)
}

// reportDoc is what came of an operation with the mint.
type reportDoc struct {
	Credited  json.Number  `json:"credited"`
	Withdrawn json.Number  `json:"withdrawn"`
	Refused   []refusedDoc `json:"refused"`
	Wallet    walletDoc    `json:"wallet"`
}

type refusedDoc struct {
	Coin  string      `json:"coin"`
	Value json.Number `json:"value"`
	Code  string      `json:"code"`
	Text  string      `json:"text"`
	Guilt []byte      `json:"guilt,omitempty"` // an envelope, for `coin trace`
}

func printOutcome(w io.Writer, p *node.Purse, r wallet.Report, out output) error {
	doc := reportDoc{Credited: sumOf(p, r.Credited), Withdrawn: sumOf(p, r.Withdrawn), Refused: []refusedDoc{}, Wallet: newWalletDoc(p)}
	var rows [][]string
	if !r.Credited.IsZero() {
		rows = append(rows, []string{out.say("credited", "已入账"), r.Credited.Format(out.lang)})
	}
	if !r.Withdrawn.IsZero() {
		rows = append(rows, []string{out.say("withdrawn", "已提取"), r.Withdrawn.Format(out.lang)})
	}
	for _, x := range r.Refused {
		doc.Refused = append(doc.Refused, refusedDoc{x.Coin.String(), number(x.Value), x.Code.String(), x.Code.Text(out.lang), x.Guilt})
		rows = append(rows, []string{out.say("refused", "被拒绝"), x.Value.Format(out.lang) + "  " + x.Code.Text(out.lang)})
	}
	if out.json() {
		return line(w, doc)
	}
	return table(w, append(rows, walletRows(p, out)...))
}

// sumOf is a sum in JSON; one that is absent is zero.
func sumOf(p *node.Purse, a money.Amount) json.Number {
	if a == (money.Amount{}) {
		a = money.Zero(p.Balance().Available.Currency())
	}
	return number(a)
}

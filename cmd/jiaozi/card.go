package main

import (
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"strings"
	"time"

	"jiaozi/crypt/pin"
	"jiaozi/node"
	"jiaozi/node/cardfile"
	"jiaozi/node/perso"
	"jiaozi/role/card"
	"jiaozi/value/clock"
	"jiaozi/value/ident"
	"jiaozi/value/lang"
	"jiaozi/value/money"

	"filippo.io/age"
	"github.com/spf13/cobra"
)

func cardCommand() *cobra.Command {
	cmd := &cobra.Command{Use: "card", Short: "Make, show and serve cards"}
	cmd.AddCommand(cardNewCommand(), cardShowCommand(), cardServeCommand())
	return cmd
}

// cardFlags say which card, and which key opens it.
type cardFlags struct {
	file string
	data dataFlags
}

func (f *cardFlags) register(cmd *cobra.Command) {
	cmd.Flags().StringVar(&f.file, "file", "", "card file")
	cmd.Flags().StringVar(&f.data.dir, "data", "", "data directory of the card's scheme; without it the card stands alone")
	cmd.Flags().StringVar(&f.data.keyFile, "key-file", "", "age identity that seals the card (default: JIAOZI_KEY_FILE, else the scheme's, else FILE.key)")
	if err := cmd.MarkFlagRequired("file"); err != nil {
		panic(fmt.Sprint("flag is not defined: ", err))
	}
}

// keyPath is where the card's key lies: with the scheme, or beside a lone card.
func (f *cardFlags) keyPath() string {
	beside := f.file + ".key"
	if f.data.dir != "" {
		beside = filepath.Join(f.data.dir, "scheme.key")
	}
	return node.KeyPath(f.data.keyFile, beside)
}

func (f *cardFlags) openKey() (*age.X25519Identity, error) {
	key, err := node.OpenKey(f.keyPath())
	if err != nil {
		return nil, fmt.Errorf("%w (name the card's key with --key-file, or its scheme with --data)", err)
	}
	return key, nil
}

// classifyCard adds the damage that only card files know.
func classifyCard(err error) error {
	if errors.Is(err, cardfile.ErrDamaged) || errors.Is(err, card.ErrMemory) {
		return failWith(exitIntegrity, err)
	}
	return classify(err)
}

// newCard are the wishes of `card new`, as typed.
type newCard struct {
	cardFlags
	pan, limit, expiry, pin, balance string
	reveal                           bool
}

func cardNewCommand() *cobra.Command {
	var n newCard
	var out output
	cmd := &cobra.Command{
		Use:   "new",
		Short: "Make a card: of a scheme with --data, else a test card of its own",
		Example: `  jiaozi card new --file my.card --pin 1234 -o json
  jiaozi card new --file my.card --data jiaozi-data --balance 100.00`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			made, err := n.make(cmd)
			if err != nil {
				return classifyCard(err)
			}
			return printCard(cmd.OutOrStdout(), out, made)
		},
	}
	n.register(cmd)
	outputFlags(cmd, &out)
	flags := cmd.Flags()
	flags.StringVar(&n.pan, "pan", "", "card number (default: the next of the scheme, or a random test number)")
	flags.StringVar(&n.limit, "limit", "", "most that the card may hold (default: the scheme's, or 1000.00)")
	flags.StringVar(&n.expiry, "expiry", "", "last day of validity, as 2031-12-31 (default: in five years)")
	flags.StringVar(&n.pin, "pin", "", "PIN of 4 to 12 digits (default: a card without PIN)")
	flags.StringVar(&n.balance, "balance", "", "amount to load at once; needs --data")
	flags.BoolVar(&n.reveal, "reveal", false, "print the whole card number instead of its first six and last four digits")
	return cmd
}

func (n *newCard) make(cmd *cobra.Command) (*cardView, error) {
	var expiry clock.Date
	if n.expiry != "" {
		var err error
		if expiry, err = clock.ParseDate(n.expiry); err != nil {
			return nil, fmt.Errorf("--expiry: %w", err)
		}
	}
	if n.data.dir != "" {
		return n.registerCard(cmd, expiry)
	}
	if n.balance != "" {
		return nil, errors.New("a card that stands alone has no issuer to load it: add --data DIR, or leave --balance out")
	}
	return n.standAlone(expiry)
}

// registerCard has the scheme make the card, register it and post its balance.
func (n *newCard) registerCard(cmd *cobra.Command, expiry clock.Date) (*cardView, error) {
	path, err := filepath.Abs(n.file) // the server may stand in another directory
	if err != nil {
		return nil, fmt.Errorf("card file: %w", err)
	}
	order := node.CardOrder{Path: path, PAN: n.pan, PIN: n.pin, Balance: n.balance, Limit: n.limit, Expiry: expiry}
	var issued node.CardIssued
	if err := node.Admin(cmd.Context(), n.data.options(), order, &issued); err != nil {
		return nil, err
	}
	v, err := n.view(n.reveal)
	if err != nil {
		return nil, err
	}
	v.Registered, v.Account = true, issued.Account
	v.CA = caOf(issued.CA)
	return v, nil
}

// lonelyLimit is what a test card may hold unless told otherwise.
const lonelyLimit = "1000.00"

// standAlone makes a card that belongs to no book, with an authority of its own.
func (n *newCard) standAlone(expiry clock.Date) (*cardView, error) {
	order := perso.Lone{Expiry: expiry, Today: clock.DateOf(time.Now())}
	limit := n.limit
	if limit == "" {
		limit = lonelyLimit
	}
	var err error
	if order.Limit, err = money.Parse(money.CNY, limit); err != nil {
		return nil, fmt.Errorf("--limit: %w", err)
	}
	if n.pan != "" {
		if order.PAN, err = ident.ParsePAN(n.pan); err != nil {
			return nil, fmt.Errorf("--pan: %w", err)
		}
	}
	if n.pin != "" {
		if order.PIN, err = pin.Parse(n.pin); err != nil {
			return nil, fmt.Errorf("--pin: %w", err)
		}
	}
	profile, proofs, err := perso.BuildLone(order)
	if err != nil {
		return nil, err
	}
	key, err := node.MakeKey(n.keyPath())
	if err != nil {
		return nil, err
	}
	if err := cardfile.Create(n.file, key, func(m card.Memory) error { return card.Format(m, profile) }); err != nil {
		return nil, err
	}
	v, err := n.view(n.reveal)
	if err != nil {
		return nil, err
	}
	ca := proofs.CA
	sum := ca.Checksum()
	v.CA = caOf(node.CAKey{RID: ca.RID[:], Index: ca.Index, Modulus: ca.Modulus, Exponent: ca.Exponent, Expiry: ca.Expiry, Checksum: sum[:]})
	v.Observer.IssuerKey = hex.EncodeToString(proofs.Observer)
	return v, nil
}

func cardShowCommand() *cobra.Command {
	var f cardFlags
	var out output
	cmd := &cobra.Command{
		Use:   "show",
		Short: "Show what a card holds: public data, balance, counter, logs",
		Args:  cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			v, err := f.view(false)
			if err != nil {
				return classifyCard(err)
			}
			return printCard(cmd.OutOrStdout(), out, v)
		},
	}
	f.register(cmd)
	outputFlags(cmd, &out)
	return cmd
}

// view reads the card without holding it: a card in a reader can be shown.
func (f *cardFlags) view(reveal bool) (*cardView, error) {
	key, err := f.openKey()
	if err != nil {
		return nil, err
	}
	image, err := cardfile.Read(f.file, key)
	if err != nil {
		return nil, err
	}
	c, err := card.Open(image, rand.Reader)
	if err != nil {
		return nil, err
	}
	return viewOf(f.file, c.Evidence(), reveal), nil
}

// cardView is a card as people and scripts see it.
type cardView struct {
	File         string        `json:"file"`
	PAN          string        `json:"pan"`
	PSN          ident.PSN     `json:"psn"`
	AID          string        `json:"aid"`
	Label        string        `json:"label"`
	Effective    string        `json:"effective"`
	Expiry       string        `json:"expiry"`
	Currency     string        `json:"currency"`
	Balance      string        `json:"balance"`
	BalanceLimit string        `json:"balance_limit"`
	SingleLimit  string        `json:"single_limit"`
	ATC          uint16        `json:"atc"`
	PINTries     *uint8        `json:"pin_tries,omitempty"` // absent in a card without PIN
	Blocked      bool          `json:"blocked"`
	Registered   bool          `json:"registered,omitempty"`
	Account      string        `json:"account,omitempty"`
	Log          []paidView    `json:"log"`
	Loads        []loadView    `json:"loads"`
	Observer     *observerView `json:"observer,omitempty"` // absent in a card without coins
	CA           *caView       `json:"ca,omitempty"`
	amounts      []lang.Text   // balance and limits in words
}

type paidView struct {
	ATC      uint16 `json:"atc"`
	Date     string `json:"date"`
	Amount   string `json:"amount"`
	Currency string `json:"currency"`
	Merchant string `json:"merchant"`
}

type loadView struct {
	ATC    uint16 `json:"atc"`
	Date   string `json:"date"`
	Before string `json:"before"`
	After  string `json:"after"`
}

// caView is the authority's key as terminals are given it, in hex.
type caView struct {
	RID      string `json:"rid"`
	Index    string `json:"index"`
	Modulus  string `json:"modulus"`
	Exponent string `json:"exponent"`
	Checksum string `json:"checksum"`
	Expiry   string `json:"expiry"`
}

// observerView is the coin application. Its identity is part of the account that
// its holder opens at a mint: showing it names him there.
type observerView struct {
	Identity  string `json:"identity"`
	Expiry    string `json:"expiry"`
	Prepared  uint32 `json:"prepared"` // indices ever given out
	Open      int    `json:"open"`     // of them not yet answered or retired
	Paired    bool   `json:"paired"`
	IssuerKey string `json:"issuer_key,omitempty"` // of a card that stands alone
}

func observerOf(e *card.CoinEvidence) *observerView {
	if e == nil {
		return nil
	}
	return &observerView{
		Identity: hex.EncodeToString(e.Certificate.Identity[:]), Expiry: e.Certificate.Expiry.String(),
		Prepared: e.Next, Open: e.Open, Paired: e.Paired,
	}
}

func caOf(k node.CAKey) *caView {
	text := func(b []byte) string { return strings.ToUpper(hex.EncodeToString(b)) }
	return &caView{
		RID: text(k.RID), Index: text([]byte{k.Index}), Modulus: text(k.Modulus), Exponent: text(k.Exponent),
		Checksum: text(k.Checksum), Expiry: k.Expiry.String(),
	}
}

func viewOf(file string, e card.Evidence, reveal bool) *cardView {
	v := &cardView{
		File: file, PAN: e.PAN.Masked(), PSN: e.PSN, AID: e.AID.Hex(), Label: e.Label,
		Effective: e.Effective.String(), Expiry: e.Expiry.String(), Currency: e.Currency.Code(),
		Balance: e.Balance.String(), BalanceLimit: e.BalanceLimit.String(), SingleLimit: e.SingleLimit.String(),
		ATC: e.ATC, Blocked: e.Blocked, Observer: observerOf(e.Coins), Log: []paidView{}, Loads: []loadView{},
	}
	if reveal {
		v.PAN = e.PAN.Reveal()
	}
	if e.HasPIN {
		v.PINTries = &e.PINTries
	}
	for _, a := range []money.Amount{e.Balance, e.BalanceLimit, e.SingleLimit} {
		v.amounts = append(v.amounts, lang.Text{EN: a.Format(lang.EN), ZH: a.Format(lang.ZH)})
	}
	for _, p := range e.Log {
		v.Log = append(v.Log, paidView{p.ATC, p.Date.String(), p.Amount.String(), p.Amount.Currency().Code(), p.Merchant})
	}
	for _, l := range e.Loads {
		v.Loads = append(v.Loads, loadView{l.ATC, l.Date.String(), l.Before.String(), l.After.String()})
	}
	return v
}

func printCard(w io.Writer, out output, v *cardView) error {
	if out.json() {
		return line(w, v)
	}
	return table(w, v.rows(out.lang))
}

func (v *cardView) rows(l lang.Lang) [][]string {
	row := func(en, zh, value string) []string { return []string{lang.Text{EN: en, ZH: zh}.In(l), value} }
	rows := [][]string{
		row("card", "卡号", v.PAN),
		row("application", "应用", v.AID+" "+v.Label),
		row("valid", "有效期", v.Effective+" - "+v.Expiry),
		row("balance", "余额", v.amounts[0].In(l)),
		row("balance limit", "余额上限", v.amounts[1].In(l)),
		row("single limit", "单笔限额", v.amounts[2].In(l)),
		row("counter", "交易计数器", fmt.Sprint(v.ATC)),
	}
	if v.PINTries != nil {
		rows = append(rows, row("PIN tries left", "剩余密码次数", fmt.Sprint(*v.PINTries)))
	}
	if v.Blocked {
		rows = append(rows, row("state", "状态", lang.Text{EN: "blocked by the issuer", ZH: "已被发卡行锁定"}.In(l)))
	}
	for _, p := range v.Log {
		rows = append(rows, row("paid", "消费", fmt.Sprintf("%s  %s %s  %s  #%d", p.Date, p.Currency, p.Amount, p.Merchant, p.ATC)))
	}
	for _, x := range v.Loads {
		rows = append(rows, row("loaded", "圈存", fmt.Sprintf("%s  %s -> %s  #%d", x.Date, x.Before, x.After, x.ATC)))
	}
	if o := v.Observer; o != nil {
		rows = append(rows, row("coin observer", "电子币观察器", o.Identity))
		rows = append(rows, row("coin indices", "电子币序号", fmt.Sprintf(lang.Text{EN: "%d prepared, %d open", ZH: "已准备 %d，未关闭 %d"}.In(l), o.Prepared, o.Open)))
	}
	if v.CA != nil {
		rows = append(rows,
			row("authority", "认证中心", v.CA.RID+" "+v.CA.Index),
			row("modulus", "模数", v.CA.Modulus),
			row("exponent", "指数", v.CA.Exponent),
			row("checksum", "校验值", v.CA.Checksum))
	}
	return rows
}

package till

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"strings"

	"jiaozi/crypt/pin"
	"jiaozi/node"
	"jiaozi/role/card"
	"jiaozi/role/terminal"
	"jiaozi/value/lang"
	"jiaozi/value/money"
	"jiaozi/wire/purse"
)

// command is one thing that can be typed.
type command struct {
	name        string
	least, most int // arguments
	usage       string
	about       lang.Text
	run         func(context.Context, *Desk, []string) error
}

var commands []command

// The table is filled at start because help walks it.
func init() {
	commands = []command{
		{"signon", 0, 0, "signon", lang.Text{EN: "fetch working keys", ZH: "签到"}, signOn},
		{"list", 0, 0, "list", lang.Text{EN: "fetch the blacklist", ZH: "更新黑名单"}, refreshList},
		{"tap", 2, 2, "tap CARD AMOUNT", lang.Text{EN: "pay by tapping a card file", ZH: "挥卡消费"}, pay(purse.Contactless)},
		{"insert", 2, 2, "insert CARD AMOUNT", lang.Text{EN: "pay by inserting a card file; asks for the PIN if the card does", ZH: "插卡消费，必要时输入密码"}, pay(purse.Contact)},
		{"load", 3, 3, "load CARD AMOUNT account|cash", lang.Text{EN: "load a card from its account or with cash", ZH: "圈存（账户或现金）"}, load},
		{"close", 1, 1, "close CARD", lang.Text{EN: "close a card and refund its balance", ZH: "销卡并退回余额"}, closeCard},
		{"settle", 0, 0, "settle", lang.Text{EN: "upload and settle the batch", ZH: "批结算"}, settle},
		{"help", 0, 0, "help", lang.Text{EN: "this list", ZH: "命令列表"}, help},
	}
}

func help(_ context.Context, d *Desk, _ []string) error {
	for _, c := range commands {
		d.say(lang.Pad(c.usage, 32) + c.about.In(d.Lang))
	}
	d.say(lang.Pad("quit", 32) + lang.Text{EN: "leave", ZH: "退出"}.In(d.Lang))
	return nil
}

func signOn(ctx context.Context, d *Desk, _ []string) error {
	if _, err := d.Till.SignOn(ctx); err != nil {
		return err
	}
	d.say("signed on")
	return nil
}

func refreshList(ctx context.Context, d *Desk, _ []string) error {
	if err := d.Till.RefreshList(ctx); err != nil {
		return err
	}
	d.say("blacklist is current")
	return nil
}

func pay(entry purse.Entry) func(context.Context, *Desk, []string) error {
	return func(ctx context.Context, d *Desk, args []string) error {
		amount, err := d.amount(args[1])
		if err != nil {
			return err
		}
		return d.withCard(args[0], entry, func(c *node.OpenCard) error {
			d.report(d.Till.Purchase(ctx, c, terminal.Sale{Amount: amount, Entry: entry, PIN: d.askPIN}))
			return nil
		})
	}
}

func load(ctx context.Context, d *Desk, args []string) error {
	kinds := map[string]terminal.Service{"account": terminal.Account, "cash": terminal.Cash}
	kind, ok := kinds[args[2]]
	if !ok {
		return errors.New("a load comes from account or cash")
	}
	amount, err := d.amount(args[1])
	if err != nil {
		return err
	}
	order := terminal.LoadOrder{Amount: amount, Kind: kind}
	if kind == terminal.Account {
		order.PIN = d.askPIN // the bank wants to know who takes money from the account
	}
	return d.withCard(args[0], purse.Contact, func(c *node.OpenCard) error {
		d.report(d.Till.Load(ctx, c, order))
		return nil
	})
}

func closeCard(ctx context.Context, d *Desk, args []string) error {
	return d.withCard(args[0], purse.Contact, func(c *node.OpenCard) error {
		d.report(d.Till.CloseCard(ctx, c, nil))
		return nil
	})
}

func settle(ctx context.Context, d *Desk, _ []string) error {
	s, err := d.Till.Settle(ctx)
	if err != nil {
		return err
	}
	d.say(fmt.Sprintf("batch %06d settled: %d payments, %s", s.Batch, s.Count, s.Total.Format(d.Lang)))
	return nil
}

func (d *Desk) amount(text string) (money.Amount, error) {
	c, err := money.ParseCurrency(d.Till.Spec().Currency)
	if err != nil {
		return money.Amount{}, err
	}
	a, err := money.Parse(c, text)
	if err == nil && a.Sign() <= 0 {
		err = errors.New("an amount is more than zero")
	}
	return a, err
}

// withCard opens a card file, by path or by its name among the scheme's cards,
// for as long as it is held to the reader.
func (d *Desk) withCard(name string, entry purse.Entry, use func(*node.OpenCard) error) error {
	path := name
	if !strings.ContainsAny(name, "/.") {
		path = filepath.Join(d.Options.Dir, "cards", name+".card")
	}
	c, err := node.OpenCardFile(d.Options, path)
	if err != nil {
		return err
	}
	side := card.Contact
	if entry == purse.Contactless {
		side = card.Contactless
	}
	if _, err := c.PowerOn(side); err != nil {
		return errors.Join(err, c.Close())
	}
	return errors.Join(use(c), c.Close())
}

// askPIN reads a PIN: hidden from a person, the next line of a pipe.
func (d *Desk) askPIN() (pin.PIN, error) {
	d.say("PIN:")
	if d.Secret != nil {
		digits, err := d.Secret()
		if err != nil {
			return pin.PIN{}, fmt.Errorf("read the PIN: %w", err)
		}
		return pin.Parse(digits)
	}
	if !d.lines.Scan() {
		return pin.PIN{}, errors.New("no PIN was typed")
	}
	return pin.Parse(strings.TrimSpace(d.lines.Text()))
}

func (d *Desk) report(o terminal.Outcome) {
	d.say(fmt.Sprintf("%s %s: %s", o.Result, o.Reason, o.Reason.Text(d.Lang)))
	if o.Receipt != "" {
		d.say(o.Receipt)
	}
	if o.Result != terminal.Approved && o.Result != terminal.Recovered {
		d.note(fmt.Errorf("%w: %s", ErrDeclined, o.Reason))
	}
}

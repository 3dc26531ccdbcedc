package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"time"

	"jiaozi/node"
	"jiaozi/node/handover"
	"jiaozi/role/wallet"
	"jiaozi/value/money"
	"jiaozi/wire/coin"

	"github.com/spf13/cobra"
)

// paying is what the commands have in common that pass messages from hand to hand:
// none of them needs the mint.
type paying struct {
	walletFlags
	in  messageIn
	to  messageOut
	out output
}

// passed is the end of such a command: words, and a message for the other side.
type passed struct {
	Message *messageDoc `json:"message,omitempty"`
	Amount  json.Number `json:"amount"`
	Change  json.Number `json:"change"`
	Wallet  walletDoc   `json:"wallet"`
}

// tell prints a message and words about it. A message on standard output stands
// there alone, so that it can be piped; the words then go to standard error.
func (f *paying) tell(cmd *cobra.Command, p *node.Purse, message []byte, amount, change money.Amount) error {
	doc := passed{Amount: sumOf(p, amount), Change: sumOf(p, change), Wallet: newWalletDoc(p)}
	words := cmd.OutOrStdout()
	if len(message) > 0 {
		msg, err := coin.Decode(message)
		if err != nil {
			return err
		}
		text, err := newMessageDoc(msg)
		if err != nil {
			return err
		}
		doc.Message = &text
		if f.to.toFile() || !f.out.json() {
			if err := f.to.write(words, msg); err != nil {
				return err
			}
		}
		if !f.to.toFile() && !f.out.json() {
			words = cmd.ErrOrStderr()
		}
	}
	if f.out.json() {
		return line(words, doc)
	}
	var rows [][]string
	if !amount.IsZero() {
		rows = append(rows, []string{f.out.say("amount", "金额"), amount.Format(f.out.lang)})
	}
	if !change.IsZero() {
		rows = append(rows, []string{f.out.say("change", "找零"), change.Format(f.out.lang)})
	}
	return table(words, append(rows, walletRows(p, f.out)...))
}

// run opens the wallet for do and closes it.
func (f *paying) run(do func(*node.Purse) error) error {
	if f.to.form != "" {
		if err := f.to.check(); err != nil {
			return err
		}
	}
	p, err := f.open()
	if err != nil {
		return classifyWallet(err)
	}
	return classifyWallet(errors.Join(do(p), p.Close()))
}

// asking are the wishes of `wallet request`.
type asking struct {
	paying
	amount, name, memo, url, payee, group, listen string
	deposit                                       bool
	life                                          time.Duration
}

func walletRequestCommand() *cobra.Command {
	var a asking
	cmd := &cobra.Command{
		Use:   "request",
		Short: "Ask for money: onto blanks, to be paid on, or with --deposit into an account, as merchants do",
		Example: `  jiaozi wallet request --wallet my.wallet --amount 3.50
  jiaozi wallet request --wallet shop.wallet --amount 3.50 --payee shop-1 --listen 127.0.0.1:5291`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return a.run(func(p *node.Purse) error { return a.ask(cmd, p) })
		},
	}
	a.register(cmd)
	a.to.register(cmd)
	outputFlags(cmd, &a.out)
	flags := cmd.Flags()
	flags.StringVar(&a.amount, "amount", "", "how much, such as 3.50")
	flags.StringVar(&a.name, "name", "", "who asks, for the payer's eyes")
	flags.StringVar(&a.memo, "memo", "", "what for, for the payer's eyes")
	flags.BoolVar(&a.deposit, "deposit", false, "into the wallet's account; the coins cannot be paid on")
	flags.StringVar(&a.payee, "payee", "", "into this merchant's account, as `mint merchant` has registered it")
	flags.StringVar(&a.group, "group", "", "the merchant's group, whose special-purpose coins it takes")
	flags.DurationVar(&a.life, "expires", time.Hour, "how long the request stands")
	flags.StringVar(&a.listen, "listen", "", "wait at this address for one payment over HTTP, and answer with the receipt")
	flags.StringVar(&a.url, "url", "", "address under which payers reach --listen (default: itself)")
	mustHave(cmd, "amount")
	return cmd
}

func (a *asking) ask(cmd *cobra.Command, p *node.Purse) error {
	sum, err := amountOf(p, a.amount)
	if err != nil {
		return err
	}
	demand := wallet.Demand{
		Amount: sum, Lifetime: int64(a.life / time.Second), Deposit: a.deposit || a.payee != "", Payee: a.payee, Group: a.group,
		Name: a.name, Memo: a.memo, URL: a.url,
	}
	if a.listen == "" {
		request, err := p.Ask(demand)
		if err != nil {
			return err
		}
		return a.tell(cmd, p, request, sum, money.Amount{})
	}
	ln, err := net.Listen("tcp", a.listen)
	if err != nil {
		return fmt.Errorf("wait for the payment: %w", err)
	}
	if demand.URL == "" {
		demand.URL = "http://" + ln.Addr().String() + "/"
	}
	request, err := p.Ask(demand)
	if err == nil {
		err = a.tell(cmd, p, request, sum, money.Amount{})
	}
	if err != nil {
		return errors.Join(err, ln.Close())
	}
	return a.wait(cmd, p, ln)
}

// errUnpaid ends a till at which nobody paid.
var errUnpaid = fmt.Errorf("nobody paid in time: %w", wallet.ErrExpired)

// wait is the merchant's till: it takes one payment.
func (a *asking) wait(cmd *cobra.Command, p *node.Purse, ln net.Listener) error {
	ctx, cancel := context.WithTimeout(cmd.Context(), a.life)
	defer cancel()
	var got *wallet.Received
	err := handover.Take(ctx, ln, func(payment []byte) ([]byte, bool) {
		r, err := p.Receive(payment)
		if err != nil {
			_, _ = fmt.Fprintln(cmd.ErrOrStderr(), "jiaozi:", err)
			return r.Receipt, false
		}
		got = &r
		return r.Receipt, true
	})
	if err == nil && got == nil {
		err = errUnpaid
	}
	if err != nil {
		return err
	}
	a.to = messageOut{form: "text"} // the request's place was another
	return a.tell(cmd, p, nil, got.Amount, got.Change)
}

func walletPayCommand() *cobra.Command {
	var f paying
	var post bool
	var most string
	cmd := &cobra.Command{
		Use:   "pay [REQUEST]",
		Short: "Pay a request, offline; the same request again gives the same payment, never a second one",
		Example: `  jiaozi wallet pay --wallet my.wallet --in request.txt --out payment.txt
  jiaozi wallet pay --wallet my.wallet --qr-in request.png --post`,
		RunE: func(cmd *cobra.Command, args []string) error {
			request, err := f.in.envelope(cmd, args)
			if err != nil {
				return classifyWallet(err)
			}
			return f.run(func(p *node.Purse) error {
				if post {
					return f.post(cmd, p, request, most)
				}
				payment, err := f.pay(p, request, most)
				if err != nil {
					return err
				}
				m, err := coin.Parse[coin.Payment](payment)
				if err != nil {
					return err
				}
				return f.tell(cmd, p, payment, m.Paid, m.Change)
			})
		},
	}
	f.register(cmd)
	f.in.register(cmd, "request")
	f.to.register(cmd)
	outputFlags(cmd, &f.out)
	cmd.Flags().BoolVar(&post, "post", false, "send it to the request's address and take the receipt")
	cmd.Flags().StringVar(&most, "at-most", "", "refuse a request for more than this")
	return cmd
}

func (f *paying) pay(p *node.Purse, request []byte, most string) ([]byte, error) {
	if most != "" {
		limit, err := amountOf(p, most)
		if err != nil {
			return nil, err
		}
		r, err := coin.Parse[coin.Request](request)
		if err != nil {
			return nil, err
		}
		if over, err := r.Amount.Cmp(limit); err != nil || over > 0 {
			return nil, fmt.Errorf("the request is for %s %s, more than --at-most: %w", r.Amount.Currency(), r.Amount, wallet.ErrRequest)
		}
	}
	return p.Pay(request)
}

func (f *paying) post(cmd *cobra.Command, p *node.Purse, request []byte, most string) error {
	r, err := coin.Parse[coin.Request](request)
	if err != nil {
		return err
	}
	if r.URL == "" {
		return errors.New("the request has no address: leave --post out and hand the payment over")
	}
	payment, err := f.pay(p, request, most)
	if err != nil {
		return err
	}
	receipt, err := handover.Post(cmd.Context(), r.URL, payment)
	if err != nil {
		return fmt.Errorf("%w; the payment is kept: give the same command again, or hand it over without --post", err)
	}
	change, err := p.TakeReceipt(receipt)
	if err != nil {
		return err
	}
	return f.tell(cmd, p, nil, r.Amount, change)
}

func walletReceiveCommand() *cobra.Command {
	var f paying
	cmd := &cobra.Command{
		Use:   "receive [PAYMENT]",
		Short: "Check a payment offline and keep its coins; gives the receipt for the payer",
		RunE: func(cmd *cobra.Command, args []string) error {
			payment, err := f.in.envelope(cmd, args)
			if err != nil {
				return classifyWallet(err)
			}
			return f.run(func(p *node.Purse) error { return f.receive(cmd, p, payment) })
		},
	}
	f.register(cmd)
	f.in.register(cmd, "payment")
	f.to.register(cmd)
	outputFlags(cmd, &f.out)
	return cmd
}

// receive gives a receipt also when it refuses, for the payer to know why.
func (f *paying) receive(cmd *cobra.Command, p *node.Purse, payment []byte) error {
	got, err := p.Receive(payment)
	if err != nil && got.Receipt == nil {
		return err
	}
	return errors.Join(err, f.tell(cmd, p, got.Receipt, got.Amount, got.Change))
}

func walletReceiptCommand() *cobra.Command {
	var f paying
	cmd := &cobra.Command{
		Use:   "receipt [RECEIPT]",
		Short: "Take the payee's receipt: the payment is done, and the change is here",
		RunE: func(cmd *cobra.Command, args []string) error {
			receipt, err := f.in.envelope(cmd, args)
			if err != nil {
				return classifyWallet(err)
			}
			return f.run(func(p *node.Purse) error {
				change, err := p.TakeReceipt(receipt)
				if err != nil {
					return err
				}
				return f.tell(cmd, p, nil, money.Amount{}, change)
			})
		},
	}
	f.register(cmd)
	f.in.register(cmd, "receipt")
	outputFlags(cmd, &f.out)
	return cmd
}

func walletDeliveredCommand() *cobra.Command {
	f := walletFlags{noCard: true}
	var out output
	var request string
	cmd := &cobra.Command{
		Use:   "delivered",
		Short: "Your word that a payment arrived, where no receipt came back: its coins are no longer yours",
		Args:  cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			id, err := requestID(request)
			if err != nil {
				return err
			}
			p, err := f.open()
			if err != nil {
				return classifyWallet(err)
			}
			if err := p.Delivered(id); err != nil {
				return classifyWallet(errors.Join(err, p.Close()))
			}
			return classifyWallet(errors.Join(printWallet(cmd.OutOrStdout(), p, out), p.Close()))
		},
	}
	f.register(cmd)
	outputFlags(cmd, &out)
	cmd.Flags().StringVar(&request, "request", "", "number of the request, as `wallet coins` lists it")
	mustHave(cmd, "request")
	return cmd
}

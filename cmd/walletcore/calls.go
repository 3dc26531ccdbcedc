//go:build js && wasm

package main

import (
	"context"
	"syscall/js"

	"jiaozi/role/wallet"
	"jiaozi/value/money"
	"jiaozi/wire/coin"
)

// handle is an open wallet as the page sees it.
type handle struct {
	*wallet.Wallet
	currency money.Currency
}

// lifetime of a request, in seconds: as long as people stand at a till.
const lifetime = 15 * 60

// methods are what the page may call. Amounts are decimals such as "12.34".
func (h handle) methods() js.Value {
	table := map[string]any{}
	for name, run := range map[string]func([]js.Value) (any, error){
		"balance":  h.balance,  // -> {available, pending, recoverable}
		"keys":     h.keys,     // fetch the mint's keys
		"enrol":    h.enrol,    // account, code
		"withdraw": h.withdraw, // amount -> {withdrawn}
		"request":  h.request,  // amount, memo, "deposit" or "" -> text for the payer
		"pay":      h.pay,      // request text -> payment text
		"receive":  h.receive,  // payment text -> {amount, change, receipt}
		"receipt":  h.receipt,  // receipt text -> change
		"deposit":  h.deposit,  // amount or "" for all -> {credited}
		"exchange": h.exchange, // -> {credited, withdrawn}
		"refresh":  h.refresh,  // after a restore -> {credited, withdrawn}
		"resume":   h.resume,   // -> {credited, withdrawn}
	} {
		table[name] = promise(run)
	}
	return js.ValueOf(table)
}

func (h handle) balance([]js.Value) (any, error) {
	b := h.Balance()
	return map[string]any{"available": b.Available.String(), "pending": b.Pending.String(), "recoverable": b.Recoverable.String()}, nil
}

func (h handle) keys([]js.Value) (any, error) {
	return nil, h.RefreshKeys(context.Background())
}

func (h handle) enrol(args []js.Value) (any, error) {
	return nil, h.Enrol(context.Background(), text(args, 0), coin.EnrolCode(text(args, 1)))
}

func (h handle) withdraw(args []js.Value) (any, error) {
	amount, err := money.Parse(h.currency, text(args, 0))
	if err != nil {
		return nil, err
	}
	return reported(h.Withdraw(context.Background(), wallet.Order{Amount: amount}))
}

func (h handle) request(args []js.Value) (any, error) {
	amount, err := money.Parse(h.currency, text(args, 0))
	if err != nil {
		return nil, err
	}
	return texted(h.Ask(wallet.Demand{Amount: amount, Lifetime: lifetime, Memo: text(args, 1), Deposit: text(args, 2) == "deposit"}))
}

func (h handle) pay(args []js.Value) (any, error) {
	request, err := envelope(args)
	if err != nil {
		return nil, err
	}
	return texted(h.Pay(request))
}

func (h handle) receive(args []js.Value) (any, error) {
	payment, err := envelope(args)
	if err != nil {
		return nil, err
	}
	got, err := h.Receive(payment)
	if err != nil {
		return nil, err
	}
	receipt, err := texted(got.Receipt, nil)
	return map[string]any{"amount": got.Amount.String(), "change": got.Change.String(), "receipt": receipt}, err
}

func (h handle) receipt(args []js.Value) (any, error) {
	raw, err := envelope(args)
	if err != nil {
		return nil, err
	}
	change, err := h.TakeReceipt(raw)
	return change.String(), err
}

func (h handle) deposit(args []js.Value) (any, error) {
	var amount money.Amount
	if text(args, 0) != "" {
		var err error
		if amount, err = money.Parse(h.currency, text(args, 0)); err != nil {
			return nil, err
		}
	}
	return reported(h.Deposit(context.Background(), amount))
}

func (h handle) exchange([]js.Value) (any, error) { return reported(h.Exchange(context.Background())) }
func (h handle) refresh([]js.Value) (any, error)  { return reported(h.Refresh(context.Background())) }
func (h handle) resume([]js.Value) (any, error)   { return reported(h.Resume(context.Background())) }

func reported(r wallet.Report, err error) (any, error) {
	return map[string]any{"credited": r.Credited.String(), "withdrawn": r.Withdrawn.String(), "refused": len(r.Refused)}, err
}

// texted is an envelope as the page carries it.
func texted(raw []byte, err error) (any, error) {
	if err != nil {
		return nil, err
	}
	m, err := coin.Decode(raw)
	if err != nil {
		return nil, err
	}
	return coin.Text(m)
}

// envelope reads a text that the page was handed.
func envelope(args []js.Value) ([]byte, error) {
	m, err := coin.ParseText(text(args, 0))
	if err != nil {
		return nil, err
	}
	return coin.Append(nil, m)
}

//go:build js && wasm

package main

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"syscall/js"

	"jiaozi/crypt/phrase"
	"jiaozi/role/wallet"
	"jiaozi/value/clock"
	"jiaozi/value/money"
	"jiaozi/wire/coin"
)

// page is what the wallet takes from outside, given by the page.
type page struct{ load, save, ask js.Value }

// Load gives the kept state, nil the first time.
func (p page) Load() ([]byte, error) {
	v, err := call(p.load)
	if err != nil || v.IsNull() || v.IsUndefined() {
		return nil, err
	}
	return toBytes(v)
}

// Save hands the state over. The page keeps it before it returns: what was not kept
// when the page closes is lost.
func (p page) Save(state []byte) error {
	_, err := call(p.save, fromBytes(state))
	return err
}

// Do carries a message to the mint.
func (p page) Do(_ context.Context, request []byte) ([]byte, error) {
	v, err := call(p.ask, fromBytes(request))
	if err != nil {
		return nil, err
	}
	if v, err = await(v); err != nil {
		return nil, err
	}
	return toBytes(v)
}

// Keys asks for what the mint publishes.
func (p page) Keys(ctx context.Context) ([]byte, error) {
	question, err := coin.Append(nil, &coin.Ask{What: coin.TypeKeys})
	if err != nil {
		return nil, err
	}
	return p.Do(ctx, question)
}

// open opens the kept wallet, or makes one from words if nothing is kept:
// open({load, save, ask, currency}, words, lostAccount).
func open(args []js.Value) (any, error) {
	world, cfg, err := worldOf(first(args))
	if err != nil {
		return nil, err
	}
	w, err := wallet.Open(world, cfg)
	if errors.Is(err, wallet.ErrNone) && text(args, 1) != "" {
		w, err = begin(world, cfg, text(args, 1), text(args, 2))
	}
	if err != nil {
		return nil, err
	}
	return handle{w, cfg.Currency}.methods(), nil
}

func worldOf(options js.Value) (wallet.World, wallet.Config, error) {
	if options.Type() != js.TypeObject {
		return wallet.World{}, wallet.Config{}, errors.New("open wants {load, save, ask, currency}")
	}
	p := page{options.Get("load"), options.Get("save"), options.Get("ask")}
	for name, f := range map[string]js.Value{"load": p.load, "save": p.save, "ask": p.ask} {
		if f.Type() != js.TypeFunction {
			return wallet.World{}, wallet.Config{}, fmt.Errorf("open: %s is not a function", name)
		}
	}
	currency := options.Get("currency")
	if currency.Type() != js.TypeString {
		return wallet.World{}, wallet.Config{}, errors.New("open: currency is missing, such as \"CNY\"")
	}
	c, err := money.ParseCurrency(currency.String())
	return wallet.World{Store: p, Mint: p, Clock: clock.System{}, Rand: rand.Reader}, wallet.Config{Currency: c}, err
}

// begin makes a new wallet, or, with the name of its account, one that was lost.
func begin(world wallet.World, cfg wallet.Config, words, lost string) (*wallet.Wallet, error) {
	p, err := phrase.Parse(words)
	if err != nil {
		return nil, err
	}
	if lost != "" {
		return wallet.Restore(world, cfg, p, lost)
	}
	return wallet.New(world, cfg, p)
}

//go:build js && wasm

// Command walletcore is the wallet for browsers and other places where JavaScript
// runs: role/wallet, with everything that it takes from outside given by the page.
//
//	const wallet = await jiaozi.open({load, save, ask, currency: "CNY"}, words)
//	wallet.enrol(account, code), .withdraw("12.34"), .request("5.00"), .pay(text), ...
//
// load() gives the kept state (Uint8Array, or null the first time) and save(state)
// keeps it: the page must seal it, because it holds every secret. ask(message)
// carries a message (Uint8Array) to the mint, POST /v1/coins, and gives a promise of
// its answer. Requests, payments and receipts are `jiaozi:` texts. Every method gives
// a promise; one that fails is rejected with the wallet's words, which say what to
// do. One call at a time runs; the others wait.
//
// It is built with GOOS=js GOARCH=wasm and loaded with Go's wasm_exec.js. Start with
// open in world.go; calls.go lists the methods.
package main

import (
	"crypto/rand"
	"syscall/js"

	"jiaozi/crypt/phrase"
	"jiaozi/value/lang"
)

func main() {
	js.Global().Set("jiaozi", js.ValueOf(map[string]any{
		"open":     promise(open),
		"newWords": promise(newWords),
	}))
	select {} // the page's calls keep coming
}

// newWords draws a phrase: newWords("en" or "zh").
func newWords(args []js.Value) (any, error) {
	var l lang.Lang
	if len(args) > 0 {
		if err := l.Set(args[0].String()); err != nil {
			return nil, err
		}
	}
	p, err := phrase.New(rand.Reader)
	if err != nil {
		return nil, err
	}
	return p.Reveal(l), nil
}

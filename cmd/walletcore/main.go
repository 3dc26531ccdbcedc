//go:build js && wasm

// Command walletcore is the cryptographic core of a wallet for browsers and other
// places where JavaScript runs: phrases, holders, coins and payments, from
// crypt/phrase, crypt/holding and crypt/brands, in less than 1.1 MB gzipped
// (internal/wasm weighs it).
//
//	import { load } from "./walletcore.mjs"      // after Go's wasm_exec.js
//	const core = await load(bytes)
//	const mine = core.holder(words, network)
//	const w = mine.withdraw(key, n, commitment)  // w.challenge goes to the mint
//	const own = w.finish(answer)                 // a coin with its secrets: seal it
//	const line = core.pay(own, core.specFor(core.coinOf(own), terms))
//
// Everything is a Uint8Array in the encoding of crypt/brands, except texts, whole
// numbers and the fields of keys and terms. The functions are synchronous; one that
// cannot do what it was asked throws an Error in the words of the packages behind
// it. The page seals, stores, counts withdrawals and talks to the mint; what each
// must not forget stands at the Go functions: ONE session number per withdrawal, ONE
// line per coin, noted before it leaves. Holders with a card use the native wallet,
// because a page reaches no card.
//
// Secrets go through constant-time functions only, as everywhere; what an engine makes
// of their multiplications is the engine's: one for 64 bits keeps the promise, one for
// 32 bits may not.
//
// Start with the table below; walletcore.mjs gives it the form above, since Go
// cannot throw: its functions return an Error instead.
package main

import "syscall/js"

// functions are what the page finds, by name.
var functions = map[string]func(*arguments) any{
	"newWords":      newWords,
	"holder":        openHolder,
	"forget":        forget,
	"opening":       opening,
	"sign":          sign,
	"challenge":     challenge,
	"finish":        finish,
	"recall":        recall,
	"claim":         claim,
	"coinOf":        coinOf,
	"coinID":        coinID,
	"pay":           pay,
	"payNode":       payNode,
	"allocate":      allocate,
	"specTo":        specTo,
	"pass":          pass,
	"specFor":       specFor,
	"close":         closeMoney,
	"moneyOf":       moneyOf,
	"parseKey":      parseKey,
	"payeeOf":       payeeOf,
	"termsDigest":   termsDigest,
	"verifyMoney":   verifyMoney,
	"verifyPayment": verifyPayment,
}

func main() {
	table := js.Global().Get("Object").New()
	for name, run := range functions {
		table.Set(name, callable(run))
	}
	js.Global().Set("jiaozi", table)
	select {} // the page's calls keep coming
}

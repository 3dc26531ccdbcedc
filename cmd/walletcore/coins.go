//go:build js && wasm

package main

import (
	"crypto/rand"
	"encoding/binary"
	"fmt"
	"syscall/js"

	"jiaozi/crypt/brands"
	"jiaozi/value/money"
)

// known are keys whose proofs were checked, by their encoding: a page hands a key in
// with every call.
var known = map[string]*brands.PublicKey{}

const maxKnown = 4096

// keyOf verifies a key the first time.
func keyOf(b []byte) (*brands.PublicKey, error) {
	if k := known[string(b)]; k != nil {
		return k, nil
	}
	k, err := brands.ParsePublicKey(b)
	if err != nil {
		return nil, err
	}
	if len(known) >= maxKnown {
		clear(known)
	}
	known[string(b)] = k
	return k, nil
}

// parseKey(key) -> its fields. A key whose proof does not hold throws.
func parseKey(a *arguments) any {
	k := read(a, 0, keyOf)
	if a.err != nil {
		return nil
	}
	id, info := k.ID(), k.Info()
	return map[string]any{
		"id": toPage(id[:]), "network": toPage(info.Network[:]), "kind": info.Kind.String(),
		"currency": info.Currency.Code(), "value": a.exact(info.Value), "leaf": a.exact(info.Leaf()),
		"depth": int(info.Depth), "epoch": float64(info.Epoch), "group": info.Group,
		"from": float64(info.From), "issueUntil": float64(info.IssueUntil),
		"spendUntil": float64(info.SpendUntil), "depositUntil": float64(info.DepositUntil),
	}
}

// coinOf(own) -> the coin without its secrets.
func coinOf(a *arguments) any {
	own := read(a, 0, brands.ParseOwn)
	if a.err != nil {
		return nil
	}
	c := own.Coin()
	return toPage(c.Append(nil))
}

// coinID(coin) -> its identity in the spent space.
func coinID(a *arguments) any {
	c := read(a, 0, brands.ParseCoin)
	if a.err != nil {
		return nil
	}
	id := c.ID()
	return toPage(id[:])
}

// moneyOf(coin) -> money in the hand that went through nobody's yet.
func moneyOf(a *arguments) any {
	c := read(a, 0, brands.ParseCoin)
	if a.err != nil {
		return nil
	}
	m := brands.Money{Head: c}
	return toPage(m.Append(nil))
}

// pay(own, spec) -> line. ONE per coin for ever: note the spec before calling.
func pay(a *arguments) any {
	own, spec := read(a, 0, brands.ParseOwn), digest(a, 1)
	if a.err != nil {
		return nil
	}
	l, err := own.Pay(spec)
	if !a.check(err) {
		return nil
	}
	return toPage(l.Append(nil))
}

// payNode(own, key, node, spec) -> {money, line}: a piece of a note. ONE spec per
// node, and none for a node above or below a paid one: allocate keeps that.
func payNode(a *arguments) any {
	own, key, node, spec := read(a, 0, brands.ParseOwn), read(a, 1, keyOf), a.number(2), digest(a, 3)
	if a.err != nil {
		return nil
	}
	note, err := own.Note(key)
	if !a.check(err) {
		return nil
	}
	piece, line, err := note.Pay(uint16(min(node, 1<<16-1)), spec)
	if !a.check(err) {
		return nil
	}
	m := brands.Money{Head: own.Coin(), Piece: piece}
	return map[string]any{"money": toPage(m.Append(nil)), "line": toPage(line.Append(nil))}
}

// allocate(key, used, amount) -> {nodes, used}: which nodes of a note pay an amount
// in minor units. used is 8 bytes, zeros for a fresh note; store the new one before
// a line leaves.
func allocate(a *arguments) any {
	key, amount := read(a, 0, keyOf), a.minor(2)
	var used [8]byte
	a.fixed(1, used[:])
	if a.err != nil {
		return nil
	}
	nodes, after, err := key.Info().Allocate(brands.Used(binary.BigEndian.Uint64(used[:])), amount)
	if !a.check(err) {
		return nil
	}
	list := make([]any, len(nodes))
	for i, n := range nodes {
		list[i] = int(n)
	}
	return map[string]any{"nodes": list, "used": toPage(binary.BigEndian.AppendUint64(nil, uint64(after)))}
}

// specTo(money, blank) -> what the owner of the last coin answers to pass it on.
func specTo(a *arguments) any {
	m, next := read(a, 0, brands.ParseMoney), read(a, 1, brands.ParseCoin)
	if a.err != nil {
		return nil
	}
	spec, err := m.SpecTo(&next)
	if !a.check(err) {
		return nil
	}
	return toPage(spec[:])
}

// pass(money, line, blank) -> the money in the hands of the blank's owner.
func pass(a *arguments) any {
	m, line, next := read(a, 0, brands.ParseMoney), read(a, 1, brands.ParseLine), read(a, 2, brands.ParseCoin)
	if a.err != nil {
		return nil
	}
	if m.Hops() >= brands.MaxHops {
		a.check(brands.ErrChain)
		return nil
	}
	return toPage(m.Pass(line, &next).Append(nil))
}

// specFor(money, terms) -> what the owner of the last coin answers to pay terms.
func specFor(a *arguments) any {
	m, terms := read(a, 0, brands.ParseMoney), digest(a, 1)
	if a.err != nil {
		return nil
	}
	spec := m.SpecFor(terms)
	return toPage(spec[:])
}

// closeMoney(money, line) -> the finished payment.
func closeMoney(a *arguments) any {
	m, line := read(a, 0, brands.ParseMoney), read(a, 1, brands.ParseLine)
	if a.err != nil {
		return nil
	}
	return toPage(m.Close(line).Append(nil))
}

// payeeOf(network, account) -> the payee's digest in terms.
func payeeOf(a *arguments) any {
	var n brands.Network
	a.fixed(0, n[:])
	d := brands.PayeeOf(n, a.text(1))
	return toPage(d[:])
}

// termsDigest({network, payee, currency, amount, time, nonce, contract, group}) ->
// digest; amount in minor units, time in Unix seconds.
func termsDigest(a *arguments) any {
	o := a.at(0)
	if o.Type() != js.TypeObject {
		a.fail(0, "an object with the terms")
		return nil
	}
	var t brands.Terms
	a.asFixed(0, o.Get("network"), t.Network[:])
	a.asFixed(0, o.Get("payee"), t.Payee[:])
	a.asFixed(0, o.Get("nonce"), t.Nonce[:])
	a.asFixed(0, o.Get("contract"), t.Contract[:])
	code := a.asText(0, o.Get("currency"))
	t.Amount, t.Time = money.Minor(a.asNumber(0, o.Get("amount"))), int64(a.asNumber(0, o.Get("time")))
	t.Group = a.asText(0, o.Get("group"))
	if a.err != nil {
		return nil
	}
	var err error
	if t.Currency, err = money.ParseCurrency(code); !a.check(err) {
		return nil
	}
	d := t.Digest()
	return toPage(d[:])
}

// keysOf reads a list of keys that the page trusts.
func keysOf(a *arguments, i int) brands.KeyRing {
	v := a.at(i)
	if !v.InstanceOf(js.Global().Get("Array")) || v.Length() > maxList {
		a.fail(i, fmt.Sprintf("an Array of at most %d keys", maxList))
		return nil
	}
	r := brands.KeyRing{}
	for at := range v.Length() {
		b := a.asBytes(i, v.Index(at))
		if a.err != nil {
			return nil
		}
		k, err := keyOf(b)
		if !a.check(err) {
			return nil
		}
		r[k.ID()] = k
	}
	return r
}

// verifyMoney(money, keys) -> {value, currency, hops}, or throws: what a person checks
// who is handed money to a blank of his. The keys are the mint's, as published; their
// dates and group are the page's to compare.
func verifyMoney(a *arguments) any {
	m, keys := read(a, 0, brands.ParseMoney), keysOf(a, 1)
	if a.err != nil || !a.check(m.VerifyVartime(keys, rand.Reader)) {
		return nil
	}
	return worth(a, m, keys)
}

// verifyPayment(payment, terms, keys) -> {value, currency, hops}, or throws.
func verifyPayment(a *arguments) any {
	p, terms, keys := read(a, 0, brands.ParsePayment), digest(a, 1), keysOf(a, 2)
	if a.err != nil || !a.check(p.VerifyVartime(keys, terms, rand.Reader)) {
		return nil
	}
	return worth(a, &p.Money, keys)
}

func worth(a *arguments, m *brands.Money, keys brands.KeyRing) any {
	v, err := m.Value(keys)
	if !a.check(err) {
		return nil
	}
	return map[string]any{"value": a.exact(v.Minor()), "currency": v.Currency().Code(), "hops": m.Hops()}
}

func digest(a *arguments, i int) (d brands.Digest) {
	a.fixed(i, d[:])
	return d
}

//go:build js && wasm

package main

import (
	"crypto/rand"
	"errors"

	"jiaozi/crypt/brands"
	"jiaozi/crypt/holding"
	"jiaozi/crypt/phrase"
	"jiaozi/value/lang"
)

// newWords(lang: "en"|"zh") -> 24 words for the owner's paper.
func newWords(a *arguments) any {
	l, err := lang.Parse(a.text(0))
	if !a.check(err) {
		return nil
	}
	p, err := phrase.New(rand.Reader)
	a.check(err)
	return p.Reveal(l)
}

// holders are those that the page has opened, by their number. A page has one, or a
// few while it changes; more is a page that forgets to forget.
var (
	holders    = map[uint64]*holding.Secrets{}
	lastHolder uint64
)

const maxHolders = 64

var (
	errForgot  = errors.New("the holder was forgotten: make it again from its words")
	errTooOpen = errors.New("too many holders are open: forget those that are not needed")
)

// openHolder(words, network) -> {number, identity, authKey}.
func openHolder(a *arguments) any {
	var network brands.Network
	words := a.text(0)
	a.fixed(1, network[:])
	if len(holders) >= maxHolders {
		a.check(errTooOpen)
	}
	if a.err != nil {
		return nil
	}
	p, err := phrase.Parse(words)
	if !a.check(err) {
		return nil
	}
	s, err := holding.Derive(p, network, nil)
	if !a.check(err) {
		return nil
	}
	lastHolder++
	holders[lastHolder] = s
	identity, auth := s.Identity().Bytes(), s.AuthKey()
	return map[string]any{"number": float64(lastHolder), "identity": toPage(identity[:]), "authKey": toPage(auth[:])}
}

// forget(number) drops a holder's secrets.
func forget(a *arguments) any {
	delete(holders, a.number(0))
	return nil
}

// owner reads the number of a holder, which is the first argument.
func owner(a *arguments) *holding.Secrets {
	s := holders[a.number(0)]
	if s == nil {
		a.check(errForgot)
	}
	return s
}

// opening(number, context) -> proof of knowledge of the account's secret, for the
// enrolment; the mint wants the authKey as context.
func opening(a *arguments) any {
	s, context := owner(a), a.bytes(1)
	if a.err != nil {
		return nil
	}
	o, err := s.Open(context, rand.Reader, nil)
	if !a.check(err) {
		return nil
	}
	return toPage(o.Append(nil))
}

// sign(number, message) -> Ed25519 signature of a request.
func sign(a *arguments) any {
	s, message := owner(a), a.bytes(1)
	if a.err != nil {
		return nil
	}
	signature := s.Sign(message)
	return toPage(signature[:])
}

// begun reads (number, key, n, commitment) and blinds. It is done again for finish:
// a page that is closed in between loses nothing.
func begun(a *arguments) (*brands.Withdrawal, brands.Scalar) {
	s, key, n, com := owner(a), read(a, 1, keyOf), a.number(2), read(a, 3, brands.ParseCommitment)
	if a.err != nil {
		return nil, brands.Scalar{}
	}
	w, c, err := s.Challenge(key, s.Blinding(key.ID(), n), com, nil)
	a.check(err)
	return w, c
}

// challenge(number, key, n, commitment) -> c for the mint.
func challenge(a *arguments) any {
	_, c := begun(a)
	b := c.Bytes()
	return toPage(b[:])
}

// finish(number, key, n, commitment, r) -> own coin, after checking the answer.
func finish(a *arguments) any {
	w, _ := begun(a)
	r := read(a, 4, brands.ParseScalar)
	if a.err != nil {
		return nil
	}
	own, err := w.Finish(r)
	return secretBytes(a, own, err)
}

// recall(number, key, n, c, r) -> own coin of a finished withdrawal, from what the
// mint keeps of it.
func recall(a *arguments) any {
	s, key, n := owner(a), read(a, 1, keyOf), a.number(2)
	c, r := read(a, 3, brands.ParseScalar), read(a, 4, brands.ParseScalar)
	if a.err != nil {
		return nil
	}
	own, err := s.Recall(key, s.Blinding(key.ID(), n), c, r, nil, nil)
	return secretBytes(a, own, err)
}

// claim(number, own) -> proof that the coin is the holder's, instead of a payment.
func claim(a *arguments) any {
	s, own := owner(a), read(a, 1, brands.ParseOwn)
	if a.err != nil {
		return nil
	}
	c, err := brands.NewClaim(s.Holder, own, rand.Reader)
	if !a.check(err) {
		return nil
	}
	return toPage(c.Append(nil))
}

// secretBytes hands an own coin to the page, which seals it.
func secretBytes(a *arguments, own *brands.Own, err error) any {
	if !a.check(err) {
		return nil
	}
	return toPage(own.Append(nil))
}

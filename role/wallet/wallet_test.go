package wallet

import (
	"testing"
)

// Goal: the whole life of coins: withdrawn, paid to a person, paid on to a
// merchant, deposited; nothing appears or vanishes.
func TestCoinsGoRound(t *testing.T) {
	w := newTown(t)
	w.join("alice", 100)
	w.join("bob", 0)
	w.join("shop", 10)
	w.withdraw("alice", 21)
	w.holds("alice", 21, 0, 0)
	w.withdraw("shop", 3)
	if _, err := w.of("bob").FillBlanks(t.Context()); err != nil {
		t.Fatal(err)
	}
	w.pay("alice", "bob", cash(10))
	w.holds("alice", 11, 0, 0)
	w.holds("bob", 10, 0, 0)
	w.pay("bob", "shop", till(10))
	w.pay("alice", "shop", till(3))
	if change := w.pay("alice", "shop", till(2)); change != yuan(2) {
		t.Fatalf("change %v", change)
	}
	w.holds("alice", 6, 0, 0)
	r, err := w.of("shop").Deposit(t.Context(), yuan(0))
	check(t, err)
	if len(r.Refused) > 0 || r.Credited != yuan(18) {
		t.Fatalf("%+v", r)
	}
	if w.mint.bank["alice"] != 79 || w.mint.bank["shop"] != 25 || w.mint.accused != 0 {
		t.Fatal(w.mint.bank)
	}
}

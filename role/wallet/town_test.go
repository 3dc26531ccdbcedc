package wallet

import (
	"context"
	"crypto/sha256"
	"errors"
	"maps"
	"math/rand/v2"
	"os"
	"testing"

	"jiaozi/crypt/phrase"
	"jiaozi/value/clock"
	"jiaozi/value/money"
)

// town is some wallets, their stores and cards, and a mint, all of which can be
// copied: a crash is a copy that goes on from the stores.
type town struct {
	t      *testing.T
	clock  *clock.Manual
	mint   *testMint
	stores map[string]*memStore
	cards  map[string]*testCard
	fuse   *fuse
	open   map[string]*Wallet
	notes  map[string][]byte // what went from hand to hand
}

var testPolicy = Policy{Blanks: 4, RequestBlanks: 3, ChangeBlanks: 2}

func newTown(t *testing.T) *town {
	c := clock.NewManual(start)
	return &town{
		t: t, clock: c, mint: newTestMint(c), stores: map[string]*memStore{}, cards: map[string]*testCard{}, fuse: &fuse{at: -1},
		open: map[string]*Wallet{}, notes: map[string][]byte{},
	}
}

func (w *town) clone(t *testing.T, at int) *town {
	c := clock.NewManual(w.clock.Now())
	n := &town{
		t: t, clock: c, mint: w.mint.clone(c), stores: map[string]*memStore{}, cards: map[string]*testCard{}, fuse: &fuse{at: at},
		open: map[string]*Wallet{}, notes: maps.Clone(w.notes),
	}
	for name, s := range w.stores {
		n.stores[name] = &memStore{s.state}
	}
	for name, c := range w.cards {
		n.cards[name] = &testCard{c.o, c.next, maps.Clone(c.answered)}
	}
	return n
}

func (w *town) world(name string) World {
	if w.stores[name] == nil {
		w.stores[name] = new(memStore)
	}
	out := World{Store: fusedStore{w.stores[name], w.fuse}, Mint: fusedMint{w.mint, w.fuse}, Clock: w.clock, Rand: rand.NewChaCha8([32]byte{byte(len(name)), name[0]})}
	if c := w.cards[name]; c != nil {
		out.Card = fusedCard{c, w.fuse}
	}
	return out
}

func (w *town) config() Config { return Config{Currency: cny, Policy: testPolicy} }

func words(name string) phrase.Phrase {
	return phrase.FromEntropy(sha256.Sum256([]byte(name)))
}

// of opens a wallet, as after a crash if none is open.
func (w *town) of(name string) *Wallet {
	w.t.Helper()
	if w.open[name] == nil {
		x, err := Open(w.world(name), w.config())
		check(w.t, err)
		w.open[name] = x
	}
	return w.open[name]
}

// join makes a wallet with money in the bank.
func (w *town) join(name string, bank money.Minor) *Wallet {
	w.t.Helper()
	x, err := New(w.world(name), w.config(), words(name))
	check(w.t, err)
	check(w.t, x.RefreshKeys(w.t.Context()))
	check(w.t, x.Enrol(w.t.Context(), name, "GOOD-CODE"))
	w.mint.bank[name] += bank
	w.open[name] = x
	return x
}

func (w *town) withdraw(name string, amount money.Minor) {
	w.t.Helper()
	r, err := w.of(name).Withdraw(w.t.Context(), Order{Amount: yuan(amount)})
	check(w.t, err)
	if r.Withdrawn != yuan(amount) {
		w.t.Fatalf("withdrew %v instead of %d", r.Withdrawn, amount)
	}
}

// pay plays a whole payment and gives the change.
func (w *town) pay(from, to string, d Demand) money.Amount {
	w.t.Helper()
	request, err := w.of(to).Ask(d)
	check(w.t, err)
	payment, err := w.of(from).Pay(request)
	check(w.t, err)
	got, err := w.of(to).Receive(payment)
	check(w.t, err)
	change, err := w.of(from).TakeReceipt(got.Receipt)
	check(w.t, err)
	if change != got.Change {
		w.t.Fatalf("gave %v, took %v", got.Change, change)
	}
	return change
}

func cash(amount money.Minor) Demand { return Demand{Amount: yuan(amount), Lifetime: 3600} }
func till(amount money.Minor) Demand {
	return Demand{Amount: yuan(amount), Lifetime: 3600, Deposit: true}
}

func total(x *Wallet) money.Minor {
	b := x.Balance()
	return b.Available.Minor() + b.Pending.Minor() + b.Recoverable.Minor()
}

func (w *town) holds(name string, available, pending, recoverable money.Minor) {
	w.t.Helper()
	if got, want := w.of(name).Balance(), (Balance{yuan(available), yuan(pending), yuan(recoverable)}); got != want {
		w.t.Fatalf("%s holds %v, not %v", name, got, want)
	}
}

// act is one thing that a wallet does in the sweep: it changes the wallet's total
// by some amount, and may be done again after a crash.
type act struct {
	name string
	who  string
	by   money.Minor // change of the total once it is written
	do   func(*town, *Wallet) error
	kept bool // wallet and account together hold what they held
}

func (w *town) with(a act) money.Minor { return total(w.of(a.who)) + w.mint.bank[a.who] }

func (w *town) conserved(a act, before money.Minor) {
	w.t.Helper()
	if got := w.with(a); a.kept && got != before {
		w.t.Fatalf("%s torn at %d: wallet and account hold %d, not %d", a.name, w.fuse.at, got, before)
	}
}

// sweep plays the acts, and each of them with a failure at each point of it: once
// as a crash, once as an error that the process survives.
func (w *town) sweep(acts []act) {
	points := 0
	for _, a := range acts {
		for i, crash := range []bool{true, false} {
			stride := 1
			if i > 0 && os.Getenv("JIAOZI_SOAK") == "" {
				stride = 3
			}
			if testing.Short() {
				stride = 11 // a browser's engine takes two minutes for all points (internal/wasm)
			}
			for at := i; ; at += stride {
				if !w.clone(w.t, at).tear(a, crash) {
					break
				}
				points++
			}
		}
		before, both := total(w.of(a.who)), w.with(a)
		check(w.t, a.do(w, w.of(a.who)))
		w.conserved(a, both)
		if got := total(w.of(a.who)); got != before+a.by {
			w.t.Fatalf("%s: total %d, not %d", a.name, got, before+a.by)
		}
	}
	w.t.Logf("%d failures were survived", points)
}

// tear does one act with the fuse set, and reports whether it blew.
func (w *town) tear(a act, crash bool) bool {
	w.t.Helper()
	x := w.of(a.who)
	before, both := total(x), w.with(a)
	w.fuse.passed = 0
	err := a.do(w, x)
	if w.fuse.passed <= w.fuse.at {
		check(w.t, err)
		return false
	}
	if !errors.Is(err, errFuse) {
		w.t.Fatalf("%s at %d: %v", a.name, w.fuse.at, err)
	}
	if crash {
		w.open = map[string]*Wallet{}
	}
	x = w.of(a.who)
	check(w.t, x.sound())
	torn := total(x)
	if torn < min(before, before+a.by) || torn > max(before, before+a.by) {
		w.t.Fatalf("%s torn at %d: total %d, not from %d to %d", a.name, w.fuse.at, torn, before, before+a.by)
	}
	_, err = x.Resume(context.Background())
	check(w.t, err)
	if len(x.state.ops) > 0 {
		w.t.Fatalf("%s torn at %d: still pending", a.name, w.fuse.at)
	}
	if after := total(x); after == before && a.by != 0 {
		check(w.t, a.do(w, x))
	} else if a.by == 0 {
		check(w.t, a.do(w, x))
	}
	if got := total(x); got != before+a.by {
		w.t.Fatalf("%s torn at %d: total %d in the end, not %d", a.name, w.fuse.at, got, before+a.by)
	}
	w.conserved(a, both)
	if w.mint.accused > 0 {
		w.t.Fatalf("%s torn at %d: an honest holder is accused", a.name, w.fuse.at)
	}
	return true
}

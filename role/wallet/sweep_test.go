package wallet

import (
	"bytes"
	"errors"
	"testing"
	"time"

	"jiaozi/value/money"
)

// The acts of the sweeps.

func withdrawing(who string, amount money.Minor) act {
	return act{"withdraw", who, amount, func(w *town, x *Wallet) error {
		_, err := x.Withdraw(w.t.Context(), Order{Amount: yuan(amount)})
		return err
	}, true}
}

func asking(who, note string, d Demand) act {
	return act{"ask", who, 0, func(w *town, x *Wallet) (err error) {
		w.notes[note], err = x.Ask(d)
		return err
	}, false}
}

// paying also asks twice: the same request must give the same bytes.
func answering(who, request, note string) act {
	return act{"pay", who, 0, func(w *town, x *Wallet) error {
		p, err := x.Pay(w.notes[request])
		if err != nil {
			return err
		}
		again, err := x.Pay(w.notes[request])
		if err == nil && !bytes.Equal(p, again) {
			return errors.New("a second payment for one request")
		}
		w.notes[note] = p
		return err
	}, false}
}

func receiving(who, payment, note string, by money.Minor) act {
	return act{"receive", who, by, func(w *town, x *Wallet) error {
		got, err := x.Receive(w.notes[payment])
		if err != nil {
			return err
		}
		again, err := x.Receive(w.notes[payment])
		if err == nil && !bytes.Equal(got.Receipt, again.Receipt) {
			return errors.New("a second receipt for one payment")
		}
		w.notes[note] = got.Receipt
		return err
	}, false}
}

func takingReceipt(who, note string, by money.Minor) act {
	return act{"take receipt", who, by, func(w *town, x *Wallet) error {
		if _, err := x.TakeReceipt(w.notes[note]); err != nil {
			return err
		}
		_, err := x.TakeReceipt(w.notes[note])
		return err
	}, false}
}

func depositingAll(who string, by money.Minor) act {
	return act{"deposit", who, by, func(w *town, x *Wallet) error {
		_, err := x.Deposit(w.t.Context(), yuan(0))
		return err
	}, true}
}

// paid is a whole payment: asked, paid, received with change, and confirmed.
func paid(from, to string, d Demand) []act {
	n := d.Amount.Minor()
	return []act{
		asking(to, "request", d), answering(from, "request", "payment"),
		receiving(to, "payment", "receipt", n), takingReceipt(from, "receipt", -n),
	}
}

// Goal: a crash, a lost message or a failed write at any point of any operation
// loses no coin and doubles none, and what is pending ends by itself. Method: each
// operation is torn at each of its points, resumed and repeated.
func TestNoCrashLosesOrDoublesACoin(t *testing.T) {
	t.Parallel()
	w := newTown(t)
	w.join("alice", 100)
	w.join("bob", 0)
	w.join("shop", 10)
	acts := []act{withdrawing("alice", 21), withdrawing("shop", 3), {"fill blanks", "bob", 0, func(w *town, x *Wallet) error {
		_, err := x.FillBlanks(w.t.Context())
		return err
	}, true}}
	acts = append(acts, paid("alice", "bob", cash(10))...)
	acts = append(acts, paid("bob", "shop", till(10))...)
	acts = append(acts, paid("alice", "shop", till(3))...)
	acts = append(acts, paid("alice", "shop", till(2))...) // overpaid: gives change
	acts = append(acts, depositingAll("shop", -18))
	w.sweep(acts)
	w.holds("alice", 6, 0, 0)
	if w.mint.bank["alice"] != 79 || w.mint.bank["shop"] != 25 {
		t.Fatal(w.mint.bank)
	}
}

// Goal: the same for exchange, and for a wallet that is lost and restored.
func TestNoCrashLosesACoinInExchangeAndRestore(t *testing.T) {
	t.Parallel()
	w := newTown(t)
	w.join("alice", 50)
	w.withdraw("alice", 13)
	w.clock.Advance(48 * 24 * time.Hour)
	check(t, w.of("alice").RefreshKeys(t.Context()))
	w.sweep([]act{{"exchange", "alice", 0, func(w *town, x *Wallet) error {
		_, err := x.Exchange(w.t.Context())
		return err
	}, true}})
	for _, c := range w.of("alice").Coins() {
		if c.Epoch != 202612 {
			t.Fatalf("an old coin is left: %+v", c)
		}
	}
	w.stores["alice"], w.open = new(memStore), map[string]*Wallet{}
	x, err := Restore(w.world("alice"), w.config(), words("alice"), "alice")
	check(t, err)
	w.open["alice"] = x
	check(t, x.RefreshKeys(t.Context()))
	// The mint remembers the exchanged coins as well, and says only when asked for
	// their value that they are spent.
	w.sweep([]act{{"recover", "alice", 26, func(w *town, x *Wallet) error {
		_, err := x.Resume(w.t.Context())
		return err
	}, false}})
	w.holds("alice", 0, 0, 26)
	w.sweep([]act{{"refresh", "alice", -13, func(w *town, x *Wallet) error {
		_, err := x.Refresh(w.t.Context())
		return err
	}, false}})
	w.holds("alice", 13, 0, 0)
	if w.mint.bank["alice"] != 37 || w.mint.accused > 0 {
		t.Fatal(w.mint.bank)
	}
}

// Goal: the same with a note, of which parts are paid to a merchant and a person,
// the rest deposited in part, and what is left restored.
func TestNoCrashLosesAPieceOfANote(t *testing.T) {
	t.Parallel()
	w := newTown(t)
	w.join("alice", 40)
	w.join("bob", 0)
	w.join("shop", 0)
	_, err := w.of("bob").FillBlanks(t.Context())
	check(t, err)
	acts := []act{{"withdraw a note", "alice", 16, func(w *town, x *Wallet) error {
		_, err := x.Withdraw(w.t.Context(), Order{Amount: yuan(16), Notes: true})
		return err
	}, true}}
	acts = append(acts, paid("alice", "shop", till(5))...)
	acts = append(acts, paid("alice", "bob", cash(3))...)
	acts = append(acts, paid("bob", "shop", till(2))...)
	acts = append(acts, depositingAll("shop", -7), act{"deposit a part", "alice", -6, func(w *town, x *Wallet) error {
		_, err := x.Deposit(w.t.Context(), yuan(6))
		return err
	}, true})
	w.sweep(acts)
	w.holds("alice", 2, 0, 0)
	w.holds("bob", 1, 0, 0)
	w.stores["alice"], w.open["alice"] = new(memStore), nil
	x, err := Restore(w.world("alice"), w.config(), words("alice"), "alice")
	check(t, err)
	r, err := x.Refresh(t.Context())
	check(t, err)
	if r.Credited != yuan(3) { // its own rest, and what bob has not deposited: she answers for that
		t.Fatalf("%+v", r)
	}
	_, err = w.of("bob").Deposit(t.Context(), yuan(0))
	check(t, err)
	if got := w.mint.bank["alice"] + total(x); got != 32 || w.mint.accused > 0 {
		t.Fatal(got, w.mint.bank)
	}
}

// Goal: the same with a card, whose answers may be torn as well.
func TestNoCrashLosesACoinOfACard(t *testing.T) {
	t.Parallel()
	w := newTown(t)
	w.cards["carol"] = newTestCard(1)
	w.join("carol", 40)
	w.join("shop", 10)
	w.withdraw("shop", 3)
	acts := []act{withdrawing("carol", 13)}
	acts = append(acts, paid("carol", "shop", till(3))...)
	acts = append(acts, depositingAll("shop", -6), depositingAll("carol", -10))
	w.sweep(acts)
	if w.mint.bank["carol"] != 37 || w.mint.bank["shop"] != 13 {
		t.Fatal(w.mint.bank)
	}
}

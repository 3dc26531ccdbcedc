package shard

import (
	"errors"
	"testing"

	"jiaozi/book"
	"jiaozi/book/booktest"
)

var (
	alice = account(3, "alice")    // a
	bob   = account(1500, "bob")   // b
	carol = account(4000, "carol") // c
	dave  = account(4, "dave")     // a
)

// people opens alice, with 100, and the others.
func (w *town) people() {
	w.Helper()
	w.ok(fund(alice, 100), fund(bob, 0), fund(carol, 0), fund(dave, 0))
}

func TestTransferCrossesShards(t *testing.T) {
	w := newTown(t)
	w.people()
	first := w.transfer(book.OK, pay("t", alice, bob, 30))
	if len(first.Balances) != 1 || first.Balances[0] != cny(70) {
		t.Errorf("balances %v", first.Balances)
	}
	w.has(alice, 70)
	w.has(bob, 0)
	if have := between(w.sound(), "a", "b"); have != "30 0 30" {
		t.Errorf("on its way: %s", have)
	}
	w.pump(1)
	w.pump(0)
	w.has(bob, 30)
	if have := between(w.sound(), "a", "b"); have != "30 30 0" {
		t.Errorf("arrived: %s", have)
	}
	if again := w.transfer(book.OK, pay("t", alice, bob, 30)); !again.Replayed {
		t.Error("it was booked again")
	}
	w.transfer(book.IDReused, pay("t", alice, bob, 31))
	w.transfer(book.IDReused, pay("t", alice, carol, 30))
	w.transfer(book.Insufficient, pay("u", alice, bob, 71))
	w.transfer(book.OK, pay("v", alice, dave, 20)) // of one shard
	w.has(dave, 20)
	w.pump(0)
	w.sound()
}

// A transfer that the payee's shard refuses for good comes back, whoever opens
// the account afterwards.
func TestRefusedTransferComesBack(t *testing.T) {
	w := newTown(t)
	w.people()
	nobody := account(1600, "nobody")
	w.transfer(book.OK, pay("t", alice, nobody, 30))
	w.pump(2) // there and back
	w.has(alice, 100)
	w.ok(fund(nobody, 0))
	if again := w.transfer(book.OK, pay("t", alice, nobody, 30)); !again.Replayed {
		t.Error("it was booked again")
	}
	w.pump(0)
	w.has(nobody, 0)
	if r := w.sound(); between(r, "a", "b") != "30 30 0" || between(r, "b", "a") != "30 30 0" || len(r.Unclaimed) != 0 {
		t.Errorf("%+v", r)
	}
}

// A payee in another currency, closed, or one that the value would empty below
// zero, refuses too.
func TestEveryLastingRefusalComesBack(t *testing.T) {
	w := newTown(t)
	w.people()
	dollar, closed, asset := account(1601, "dollar"), account(1602, "closed"), account(1603, "asset")
	dollar.Currency, asset.Normal = 840, book.Debit
	w.ok(fund(closed, 0), book.Command{ID: book.DeriveID("open"), Event: "e", Date: day, Open: []book.Account{dollar, asset}})
	w.ok(book.Command{ID: book.DeriveID("close"), Event: "e", Date: day, Close: []book.AccountID{closed.ID}})
	for _, to := range []book.Account{dollar, closed, asset} {
		w.transfer(book.OK, pay(to.Name, alice, to, 30))
	}
	w.pump(6)
	w.has(alice, 100)
	w.sound()
}

// What neither payee nor payer takes waits for people, and is in the report.
func TestValueThatNobodyTakesIsReported(t *testing.T) {
	w := newTown(t)
	w.people()
	nobody := account(1600, "nobody")
	w.transfer(book.OK, pay("t", alice, nobody, 100))
	w.ok(book.Command{ID: book.DeriveID("close"), Event: "e", Date: day, Close: []book.AccountID{alice.ID}})
	w.pump(2)
	r := w.sound()
	if len(r.Unclaimed) != 1 || r.Unclaimed[0] != (Unclaimed{"a", cny(100)}) {
		t.Errorf("%+v", r.Unclaimed)
	}
}

// A day that is closed at the payee's shard keeps value on its way, not lost.
func TestClosedDayWaits(t *testing.T) {
	w := newTown(t)
	w.people()
	w.transfer(book.OK, pay("t", alice, bob, 30))
	days := book.Command{ID: book.DeriveID("days"), Event: "days", Date: day, Days: book.Days{From: day + 1, To: day + 1}}
	if _, err := mustBook(w, "b").Apply(t.Context(), []book.Command{days}); err != nil {
		t.Fatal(err)
	}
	if n, err := w.Pump(t.Context(), day); n != 0 || err == nil {
		t.Fatalf("carried %d (%v)", n, err)
	}
	if have := between(w.sound(), "a", "b"); have != "30 0 30" {
		t.Errorf("on its way: %s", have)
	}
	if n, err := w.Pump(t.Context(), day+1); n != 1 || err != nil {
		t.Fatalf("carried %d (%v)", n, err)
	}
	w.has(bob, 30)
}

// A message that was taken in, and not acknowledged because the payer's shard
// failed, is not taken in again, in another way or on another day.
func TestUnacknowledgedMessageIsTakenInOnce(t *testing.T) {
	w := newTown(t)
	w.people()
	nobody := account(1600, "nobody")
	w.transfer(book.OK, pay("refused", alice, nobody, 30))
	w.transfer(book.OK, pay("taken", alice, bob, 20))
	w.Close()
	w.faulty["a"] = &booktest.Faulty{Fault: booktest.FailAppend, At: 1}
	w.open()
	if _, err := w.Pump(t.Context(), day); !errors.Is(err, booktest.ErrInjected) {
		t.Fatalf("acknowledged all the same: %v", err)
	}
	w.reopen()
	w.ok(fund(nobody, 0)) // too late
	if _, err := w.Pump(t.Context(), day+1); err != nil {
		t.Fatal(err)
	}
	w.has(nobody, 0)
	w.has(bob, 20)
	w.has(alice, 80)
	if have := between(w.sound(), "a", "b"); have != "50 50 0" {
		t.Errorf("a to b: %s", have)
	}
}

// The same id from two payers' shards is two transfers.
func TestSameIDFromTwoShardsIsTwoTransfers(t *testing.T) {
	w := newTown(t)
	w.people()
	w.ok(fund(account(1700, "erin"), 50))
	w.transfer(book.OK, pay("t", alice, carol, 30))
	w.transfer(book.OK, pay("t", account(1700, "erin"), carol, 30))
	w.pump(2)
	w.has(carol, 60)
	w.sound()
}

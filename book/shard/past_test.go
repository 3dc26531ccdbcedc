package shard

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"jiaozi/book"
	"jiaozi/value/money"
)

// lived gives part 3, where alice lives, a past: transfers inside the part, to
// another part of the shard and to other shards, holds, records, once-keys, a
// limit, a closed account, refusals, and in other currencies.
func (w *town) lived() {
	w.Helper()
	w.people()
	erin, gone := account(3, "erin"), account(3, "gone")
	w.ok(fund(erin, 50), fund(gone, 0))
	for i := range 5 {
		w.transfer(book.OK, pay(fmt.Sprint("erin", i), alice, erin, money.Minor(i+1)))
	}
	w.transfer(book.OK, pay("dave", alice, dave, 10))
	w.transfer(book.OK, pay("bob", alice, bob, 20))
	w.transfer(book.Insufficient, pay("much", alice, dave, 1000))
	w.pump(1)
	leg := []book.Leg{{Account: alice.ID, Side: book.Debit, Amount: cny(7)}}
	w.ok(
		book.Command{ID: book.DeriveID("hold").At(3), Kind: book.Hold, Event: "hold", Date: day, Legs: leg},
		book.Command{ID: book.DeriveID("held").At(3), Kind: book.Hold, Event: "hold", Date: day, Legs: leg},
		book.Command{ID: book.DeriveID("release"), Kind: book.Release, Event: "release", Date: day, Hold: book.DeriveID("held").At(3)},
		book.Command{ID: book.DeriveID("limit"), Event: "limit", Date: day, Limit: []book.Limit{{Account: erin.ID, Line: 500}}},
		book.Command{ID: book.DeriveID("closing"), Event: "close", Date: day, Close: []book.AccountID{gone.ID}},
		tap("first", 0),
	)
	w.ok(tap("second", 1))
}

// tap takes a once-key and writes a record, both in part 3.
func tap(name string, expect uint64) book.Command {
	key := func(s string) []byte { return append([]byte{0, 3 << 4}, s...) }
	return book.Command{
		ID: book.DeriveID("tap", name), Event: "tap", Date: day,
		Once: []book.Once{{Space: "tap", Key: key(name), Value: []byte(name)}},
		Put:  []book.Put{{Space: "card", Key: key("card"), Expect: expect, Value: []byte(name)}},
	}
}

// stays checks all that lived did, wherever the part is now, and ends with new
// bookings on it.
func (w *town) stays(round string) {
	w.Helper()
	ctx := context.Background()
	erin := account(3, "erin")
	w.has(alice, 55)
	w.has(erin, 65)
	for i := range 5 {
		if r := w.transfer(book.OK, pay(fmt.Sprint("erin", i), alice, erin, money.Minor(i+1))); !r.Replayed {
			w.Fatal("a transfer of the past was booked again")
		}
	}
	for id, to := range map[string]book.Account{"dave": dave, "bob": bob} {
		amount := map[string]money.Minor{"dave": 10, "bob": 20}[id]
		if r := w.transfer(book.OK, pay(id, alice, to, amount)); !r.Replayed {
			w.Fatalf("the transfer to %s was booked again", id)
		}
	}
	results, err := w.Apply(ctx, []book.Command{tap("first", 0), func() book.Command {
		c := tap("first", 2)
		c.ID = book.DeriveID("other", round)
		return c
	}()})
	if err != nil || results[0].Code != book.OK || !results[0].Replayed || results[1].Code != book.Exists || string(results[1].Prior) != "first" {
		w.Fatalf("taps: %+v (%v)", results, err)
	}
	if value, version, err := w.Get(ctx, "card", tap("first", 0).Put[0].Key); err != nil || version != 2 || string(value) != "second" {
		w.Fatalf("record: %q, version %d (%v)", value, version, err)
	}
	w.statement()
	w.sound()
}

// statement checks alice's lines and balances in the past.
func (w *town) statement() {
	w.Helper()
	ctx := context.Background()
	var have []money.Minor
	for from := uint64(0); ; {
		lines, next, err := w.Statement(ctx, alice.ID, from, 3)
		if err != nil {
			w.Fatal(err)
		}
		for _, l := range lines {
			have = append(have, l.Balance.Minor())
		}
		if from = next; next == 0 {
			break
		}
	}
	if want := []money.Minor{100, 99, 97, 94, 90, 85, 75, 55}; !slices.Equal(have, want) {
		w.Fatalf("statement %v, want %v", have, want)
	}
	for _, at := range []book.At{{}, {Date: day}} {
		if balance, _, err := w.BalanceAt(ctx, alice.ID, at); err != nil || balance != cny(55) {
			w.Fatalf("balance at %+v: %v (%v)", at, balance, err)
		}
	}
	if balance, _, err := w.BalanceAt(ctx, alice.ID, book.At{Date: day - 1}); err != nil || balance != cny(0) {
		w.Fatalf("balance the day before: %v (%v)", balance, err)
	}
}

// readers checks that a reader of the store sees what the ledger sees.
func (w *town) readers() {
	w.Helper()
	b := w.stores["b"]
	r, err := book.OpenReader(context.Background(), b.Number, b)
	if err != nil {
		w.Fatal(err)
	}
	defer r.Close()
	lines, _, err := r.Statement(context.Background(), alice.ID, 0, 100)
	if err != nil || len(lines) != 8 || lines[7].Balance != cny(55) {
		w.Fatalf("%d lines (%v)", len(lines), err)
	}
	if value, taken, err := r.GetOnce(context.Background(), "tap", tap("first", 0).Once[0].Key); err != nil || !taken || string(value) != "first" {
		w.Fatalf("once-key %q (%v)", value, err)
	}
}

// pasts checks moments before the part moved: what was on its accounts is not
// told by halves.
func (w *town) pasts(a *book.Ledger) {
	w.Helper()
	ctx := context.Background()
	if _, err := a.TrialBalance(ctx, book.At{Seq: 1}, book.AccountID{}, 100); !errors.Is(err, book.ErrNotHere) {
		w.Fatalf("trial balance of before: %v", err)
	}
	var sum money.Minor
	rows, err := a.TrialBalance(ctx, book.At{Date: day}, book.AccountID{}, 100)
	if err != nil {
		w.Fatal(err)
	}
	for _, row := range rows {
		if row.Normal == book.Credit {
			sum -= row.Balance.Minor()
		} else {
			sum += row.Balance.Minor()
		}
	}
	if sum != 0 || len(rows) == 0 {
		w.Fatalf("trial balance of %d accounts is %d", len(rows), sum)
	}
	if balance, _, err := mustBook(w, "b").BalanceAt(ctx, alice.ID, book.At{Seq: 1}); err != nil || balance != cny(0) {
		w.Fatalf("before it came: %v (%v)", balance, err)
	}
}

package booktest

import (
	"errors"
	"fmt"
	"slices"
	"testing"

	"jiaozi/book"
)

// slicesAreCarried: an engine that is a Carrier keeps slices apart, never changes a
// row that is there, and gives them back in order from anywhere.
func slicesAreCarried(t *testing.T, h *harness) {
	carrier, ok := h.engine.(book.Carrier)
	if !ok {
		return // it keeps no parts of other servers
	}
	rows := func(part, chain uint16, from, to int) (list []book.CarriedRow) {
		for n := from; n < to; n++ {
			entry := fmt.Append(nil, "entry ", n, part, chain)
			list = append(list, book.CarriedRow{Part: part, Chain: chain, N: uint64(n), Seq: uint64(n/10 + 1), Place: n % 10, Entry: entry})
		}
		return list
	}
	changed := rows(7, 2000, 0, 20)
	for i := range changed[:10] {
		changed[i].Entry = []byte("something else")
	}
	for _, list := range [][]book.CarriedRow{rows(7, 2000, 0, 10), changed, rows(7, 3, 0, 5), rows(book.Parts-1, 2000, 0, 5), nil} {
		if err := carrier.Carry(h.ctx(), list); err != nil {
			t.Fatal(err)
		}
	}
	h.carried(7, 2000, 0, 100, rows(7, 2000, 0, 20))
	h.carried(7, 2000, 3, 4, rows(7, 2000, 3, 7))
	h.carried(7, 2000, 20, 100, nil)
	if err := carrier.Forget(h.ctx(), 7, 3); err != nil {
		t.Fatal(err)
	}
	h.reopen()
	h.carried(7, 3, 0, 100, nil)
	h.carried(7, 2000, 0, 100, rows(7, 2000, 0, 20))
	h.carried(book.Parts-1, 2000, 0, 100, rows(book.Parts-1, 2000, 0, 5))
}

func (h *harness) carried(part, chain uint16, from uint64, max int, want []book.CarriedRow) {
	h.Helper()
	view, err := h.engine.View(h.ctx())
	if err != nil {
		h.Fatal(err)
	}
	defer view.Close()
	var have []book.CarriedRow
	err = view.(book.CarriedView).Carried(h.ctx(), part, chain, from, max, func(r book.CarriedRow) error {
		have = append(have, r)
		return nil
	})
	same := func(a, b book.CarriedRow) bool { return fmt.Sprint(a) == fmt.Sprint(b) }
	if err != nil || !slices.EqualFunc(want, have, same) {
		h.Fatalf("part %d of chain %d: %v (%v), want %v", part, chain, have, err, want)
	}
}

// partsGoWhole: a part that is handed out takes its rows out of the tables, and
// nothing of other parts.
func partsGoWhole(t *testing.T, h *harness) {
	if _, err := h.ledger.CarryOut(h.ctx(), 0x123); errors.Is(err, book.ErrNoCarrier) {
		return
	}
	away := func(s string) string { return "\x12\x34" + s } // not where the others live
	stranger := account("stranger", book.Credit, true)
	stranger.ID = book.AccountID(book.ID(stranger.ID).At(0x123))
	open := move("fund", bank, alice, 100)
	open.Open = append(open.Open, stranger)
	h.ok(open, put("away", away("card"), "v", 0), put("here", "here", "v", 0))
	leg := open.Legs[0]
	leg.Account, leg.Side = stranger.ID, book.Debit
	pay := move("pay", alice, stranger, 30)
	pay.Open = nil
	h.ok(pay)
	leg.Amount = pay.Legs[0].Amount
	h.ok(book.Command{ID: named("held").At(0x123), Kind: book.Hold, Event: "test", Date: day, Legs: []book.Leg{leg}})
	if err := h.ledger.Leave(h.ctx(), 0x123, 9, day); err != nil {
		t.Fatal(err)
	}
	for range 2 {
		if _, err := h.ledger.HandOut(h.ctx(), 0x123, 9, day); err != nil {
			t.Fatal(err)
		}
	}
	for range 2 {
		if _, open, err := h.ledger.Balance(h.ctx(), stranger.ID); open || err != nil {
			t.Fatalf("the account is still here (%v)", err)
		}
		if _, version, err := h.ledger.Get(h.ctx(), "cards", []byte(away("card"))); version != 0 || err != nil {
			t.Fatalf("the record is still here (%v)", err)
		}
		if _, version, err := h.ledger.Get(h.ctx(), "cards", []byte("here")); version != 1 || err != nil {
			t.Fatalf("a record of another part is gone (%v)", err)
		}
		h.balance(alice, 70)
		if err := h.ledger.WriteBehind(h.ctx()); err != nil {
			t.Fatal(err)
		}
		h.sound()
		h.reopen()
	}
}

package booktest

import (
	"slices"
	"testing"

	"jiaozi/book"
	"jiaozi/value/money"
)

// reversal asks the ledger for the command that undoes another.
func (h *harness) reversal(id, of string) book.Command {
	h.Helper()
	c, err := h.ledger.Reversal(h.ctx(), named(of), named(id), "undo", day)
	if err != nil {
		h.Fatal(err)
	}
	return c
}

// undo makes it by hand.
func undo(id string, of book.Command) book.Command {
	c := note(id)
	c.Reverses = of.ID
	for _, leg := range of.Legs {
		leg.Side = book.Debit + book.Credit - leg.Side
		c.Legs = append(c.Legs, leg)
	}
	return c
}

func entriesAreReversedOnce(_ *testing.T, h *harness) {
	h.ok(move("fund", bank, alice, 100), move("pay", alice, bob, 30))
	back := h.reversal("back", "pay")
	h.ok(back)
	h.balance(alice, 100)
	h.balance(bob, 0)
	h.codes([]book.Code{book.OK, book.NotReversible}, back, h.reversal("again", "pay"))
	h.balance(bob, 0)
	pay := move("pay 2", alice, bob, 10)
	h.codes([]book.Code{book.OK, book.OK, book.NotReversible, book.OK}, // all of it in one batch
		pay, undo("back 2", pay), undo("again 2", pay), undo("back 2", pay))
	h.codes([]book.Code{book.NotReversible}, h.reversal("reversed back", "back"))
	h.crash()
	h.codes([]book.Code{book.NotReversible, book.NotReversible}, undo("again 3", pay), h.reversal("again 4", "pay"))
	h.balance(alice, 100)
}

func reversalsMirrorWhatWasBooked(_ *testing.T, h *harness) {
	fund, pay := move("fund", bank, alice, 100), move("pay", alice, bob, 30)
	h.ok(fund, pay)
	h.codes([]book.Code{book.Insufficient}, move("poor", alice, bob, 500))
	less, same, short, swapped := undo("1", pay), undo("2", pay), undo("3", pay), undo("4", pay)
	for i := range less.Legs {
		less.Legs[i].Amount = money.New(cny, 29)
	}
	same.Legs = slices.Clone(pay.Legs)
	short.Legs = nil
	slices.Reverse(swapped.Legs)
	h.codes([]book.Code{book.NotReversible, book.NotReversible, book.Malformed, book.NotReversible, book.NotReversible, book.NotReversible},
		less, same, short, swapped, undo("5", move("nothing", alice, bob, 30)), undo("6", move("poor", alice, bob, 500)))
	h.ok(hold("h", alice, 5, 0))
	odd := undo("7", hold("h", alice, 5, 0))
	h.codes([]book.Code{book.Unbalanced}, odd)
	spent := move("8", bob, bank, 30) // the money must be there to be taken back
	h.codes([]book.Code{book.OK, book.Insufficient}, spent, undo("9", pay))
	h.codes([]book.Code{book.OK, book.OK}, undo("10", spent), undo("11", pay))
	kind := undo("12", fund)
	kind.Kind = book.Release
	h.codes([]book.Code{book.Malformed}, kind)
	h.balance(alice, 100)
}

func capturesAndChainsAreReversed(_ *testing.T, h *harness) {
	taken := capture("c", "h", alice, bob, 20, true)
	h.ok(move("fund", bank, alice, 100), hold("h", alice, 50, 0), taken)
	h.ok(h.reversal("1", "c"))
	h.balance(alice, 100)
	pay := move("pay", alice, bob, 40)
	h.ok(chained(pay, undo("2", pay))...)
	h.codes([]book.Code{book.LinkBroken, book.LinkBroken, book.NotReversible},
		chained(move("pay 2", alice, bob, 1), undo("3", move("pay 2", alice, bob, 1)), undo("4", move("pay 2", alice, bob, 1)))...)
	h.ok(chained(move("pay 2", alice, bob, 1), undo("3", move("pay 2", alice, bob, 1)))...)
	h.balance(alice, 100)
	h.balance(bob, 0)
}

// A number that no message has yet is unknown, and stays so when it comes.
func messagesToComeAreNotDone(t *testing.T, h *harness) {
	h.ok(note("first"))
	head, err := h.ledger.Head(h.ctx())
	if err != nil {
		t.Fatal(err)
	}
	guess, send := note("guess"), note("send")
	for seq := head.Seq; seq < head.Seq+9; seq++ {
		for i := range uint64(4) {
			guess.Done = append(guess.Done, (seq*book.MaxBatch+i)*book.MaxOut)
		}
	}
	send.Out = []book.Out{{Topic: "out", Body: []byte("body")}}
	h.ok(guess, send)
	h.ok(put("other", "k", "v", 0))
	for range 2 {
		if list, err := h.ledger.Outbox(h.ctx(), "out", 0, 9); err != nil || len(list) != 1 {
			t.Fatalf("%v %v: a message was acknowledged before it was sent", list, err)
		}
		h.reopen()
	}
	if list, err := h.ledger.Outbox(h.ctx(), "out", 0, -1); err != nil || len(list) != 0 {
		t.Fatal(list, err)
	}
}

// What was booked while a part was here stays booked when the part has gone.
func movedPartsDoNotSpoilTheJournal(_ *testing.T, h *harness) {
	h.ok(move("fund", bank, alice, 100))
	h.options.Parts = []book.PartRange{{From: place + 1, To: book.Parts - 1}}
	h.crash()
	h.codes([]book.Code{book.PartMoved, book.OK}, move("pay", alice, bob, 1), move("fund", bank, alice, 100))
	h.options.Parts = []book.PartRange{{From: place, To: place}}
	h.crash()
	h.ok(move("pay", alice, bob, 1))
	h.options.Parts = nil
}

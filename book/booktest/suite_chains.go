package booktest

import (
	"testing"

	"jiaozi/book"
	"jiaozi/value/money"
)

// chained links commands to one chain.
func chained(cmds ...book.Command) []book.Command {
	for i := range cmds[:len(cmds)-1] {
		cmds[i].Linked = true
	}
	return cmds
}

func chainsAreBookedWhole(t *testing.T, h *harness) {
	chain := chained(move("fund", bank, alice, 100), hold("h", alice, 60, 0), capture("c", "h", alice, bob, 50, true), move("pay", alice, bob, 50))
	first := h.ok(chain...)
	if first[3].Balances[0] != money.New(cny, 0) {
		t.Fatalf("after the chain alice has %s", first[3].Balances[0])
	}
	for i, r := range h.ok(chain...) {
		if !r.Replayed || r.Seq != first[i].Seq {
			t.Fatalf("command %d of the chain: %+v, first %+v", i, r, first[i])
		}
	}
	h.codes([]book.Code{book.IDReused}, move("pay", alice, bob, 51))
	alone := chain[0]
	alone.Linked = false // to be in a chain is part of what a command is
	h.codes([]book.Code{book.IDReused}, alone)
	two := append(chained(move("a", bank, alice, 5), move("b", alice, bob, 5)), chained(move("c1", bank, alice, 7), move("d", alice, bob, 7))...)
	h.ok(two...)
	h.balance(alice, 0)
	h.balance(bob, 112)
}

func chainsAreRefusedWhole(t *testing.T, h *harness) {
	h.ok(move("fund", bank, alice, 100))
	chain := chained(move("1", alice, bob, 60), move("2", alice, bob, 60), move("3", bank, bob, 1))
	want := []book.Code{book.LinkRefused, book.Insufficient, book.LinkRefused}
	first := h.codes(want, chain...)
	h.balance(alice, 100)
	h.ok(move("more", bank, alice, 1000))
	for i, r := range h.codes(want, chain...) { // what was declined stays declined
		if !r.Replayed || r.Seq != first[i].Seq || r.Seq == 0 {
			t.Fatalf("command %d of the chain: %+v, first %+v", i, r, first[i])
		}
	}
	h.codes([]book.Code{book.IDReused, book.LinkBroken}, chained(chain[0], move("4", bank, bob, 1))...)
	h.ok(move("4", bank, bob, 1))
	h.balance(bob, 1)
}

// A chain that is refused at its end leaves nothing of what came before.
func chainsTakeEverythingBack(t *testing.T, h *harness) {
	h.ok(move("fund", bank, alice, 100), hold("old", alice, 10, 0), put("r", "k", "v", 0))
	rich := func(id string, expect uint64) book.Command {
		c := put(id, "k", id, expect)
		c.Once = []book.Once{{Space: "tap", Key: []byte("key"), Value: []byte(id)}}
		c.Out = []book.Out{{Topic: "out", Body: []byte(id)}}
		c.Open = []book.Account{carol}
		c.Limit = []book.Limit{{Account: carol.ID, Line: 500}}
		c.Days = book.Days{From: day, To: day}
		return c
	}
	steps := []book.Command{
		rich("1", 1), put("2", "k", "w", 2), hold("new", alice, 20, 0), capture("3", "old", alice, bob, 4, false), end("4", "old", book.Release, 0),
		shut("5", account("nobody", book.Credit, true)),
	}
	h.codes([]book.Code{book.LinkBroken, book.LinkBroken, book.LinkBroken, book.LinkBroken, book.LinkBroken, book.UnknownAccount}, chained(steps...)...)
	h.balance(alice, 100)
	if value, version, err := h.ledger.Get(h.ctx(), "cards", []byte("k")); err != nil || string(value) != "v" || version != 1 {
		t.Fatalf("%q %d %v", value, version, err)
	}
	if _, taken, err := h.ledger.GetOnce(h.ctx(), "tap", []byte("key")); err != nil || taken {
		t.Fatal("a once-key of a refused chain is taken", err)
	}
	if list, err := h.ledger.Outbox(h.ctx(), "out", 0, 9); err != nil || len(list) > 0 {
		t.Fatal("a message of a refused chain was sent", list, err)
	}
	if _, open, err := h.ledger.Balance(h.ctx(), carol.ID); err != nil || open {
		t.Fatal("a refused chain opened an account", err)
	}
	h.ok(on(day+7, note("any day"))) // no days were opened
	h.codes([]book.Code{book.HoldUnknown, book.Insufficient, book.OK},
		end("6", "new", book.Release, 0), move("7", alice, bob, 91), capture("8", "old", alice, bob, 10, false))
	h.ok(chained(rich("1", 1), put("2", "k", "w", 2))...) // the ids are free
}

// A chain that cannot be booked as it stands is none: its ids stay free.
func brokenChainsLeaveNoTrace(_ *testing.T, h *harness) {
	h.ok(move("fund", bank, alice, 100), move("done", alice, bob, 1))
	open := chained(move("1", alice, bob, 1), move("2", alice, bob, 1))
	open[1].Linked = true // the call ends in the middle of it
	h.codes([]book.Code{book.LinkBroken, book.Malformed}, open...)
	h.codes([]book.Code{book.LinkBroken, book.IDReused}, chained(move("1", alice, bob, 1), move("1", alice, bob, 1))...)
	h.codes([]book.Code{book.LinkBroken, book.IDReused}, chained(move("1", alice, bob, 1), move("done", alice, bob, 1))...)
	h.codes([]book.Code{book.LinkBroken, book.VersionConflict}, chained(move("1", alice, bob, 1), put("2", "k", "v", 7))...)
	taken := note("key")
	taken.Once = []book.Once{{Space: "tap", Key: []byte("key"), Value: []byte("first")}}
	h.ok(taken)
	again := note("key again")
	again.Once = []book.Once{{Space: "tap", Key: []byte("key")}}
	r := h.codes([]book.Code{book.LinkBroken, book.Exists, book.LinkBroken}, chained(move("1", alice, bob, 1), again, note("x"))...)
	if string(r[1].Prior) != "first" {
		h.Fatalf("prior %q", r[1].Prior)
	}
	twin := again
	twin.ID, twin.Once = named("twin"), []book.Once{{Space: "tap", Key: []byte("free")}}
	other := twin
	other.ID = named("other twin")
	h.codes([]book.Code{book.LinkBroken, book.Malformed}, chained(twin, other)...) // not Exists: nobody has it
	h.balance(bob, 1)
	h.ok(chained(move("1", alice, bob, 1), move("2", alice, bob, 1))...)
}

// What comes after a refusal in its chain may be anything. Only what can be read
// again, under an id of its own, may be kept.
func refusedChainsKeepWhatCanBeRead(_ *testing.T, h *harness) {
	h.ok(move("fund", bank, alice, 100))
	poor := move("poor", alice, bob, 500)
	nonsense := note("nonsense")
	nonsense.Event = ""
	h.codes([]book.Code{book.LinkBroken, book.Malformed}, chained(poor, nonsense)...)
	h.codes([]book.Code{book.LinkBroken, book.IDReused}, chained(poor, move("fund", bank, alice, 100))...)
	h.codes([]book.Code{book.LinkBroken, book.IDReused}, chained(poor, poor)...)
	endless := chained(poor, move("1", bank, bob, 1))
	endless[1].Linked = true
	h.codes([]book.Code{book.LinkBroken, book.Malformed}, endless...)
	h.codes([]book.Code{book.Insufficient, book.LinkRefused}, chained(poor, note("sound"))...)
	h.crash()
	h.codes([]book.Code{book.Insufficient, book.LinkRefused}, chained(poor, note("sound"))...)
}

package journey

import (
	"fmt"
	"slices"
	"testing"

	"jiaozi/crypt/vault"
	"jiaozi/link/mem"
	"jiaozi/role/terminal"
	"jiaozi/value/money"
	"jiaozi/wire/apdu"
	"jiaozi/wire/purse"

	"pgregory.net/rapid"
)

// weather draws the fault of one presentation.
func weather(t *rapid.T) fault {
	n := rapid.IntRange(0, 14).Draw(t, "command")
	switch rapid.SampledFrom([]string{"fine", "command", "answer", "disk"}).Draw(t, "weather") {
	case "command":
		return fault{line: func(c apdu.Card) apdu.Card { return mem.LoseCommand(c, mem.Nth(n)) }}
	case "answer":
		return fault{line: func(c apdu.Card) apdu.Card { return mem.LoseAnswer(c, mem.Nth(n)) }}
	case "disk":
		kind := rapid.SampledFrom([]diskFault{diskLost, diskKept, diskDies, diskDiesAfter}).Draw(t, "disk")
		return fault{line: intact, disk: kind, at: rapid.IntRange(0, 3).Draw(t, "entry")}
	}
	return fault{line: intact}
}

// Goal: under any sequence of faults, with two cards at one till, no payment is
// lost, none counts twice, and no decline takes money. Method: a dozen random
// presentations; then each card's own log against what the host received.
func TestBadWeather(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		s := newShop(t, vault.Secure)
		cards := [2]*plastic{newCard(blanks()[0]), newCard(blanks()[1])}
		told := [2]map[string]bool{{}, {}}
		for range rapid.IntRange(1, 12).Draw(rt, "presentations") {
			who := rapid.IntRange(0, 1).Draw(rt, "card")
			entry := rapid.SampledFrom([]purse.Entry{tap, insert}).Draw(rt, "entry mode")
			amount := yuan(money.Minor(rapid.SampledFrom([]int{100, 250}).Draw(rt, "amount")))
			p := &play{shop: s, card: cards[who], entry: entry}
			out, alive := p.pay(amount, weather(rt))
			if alive && (out.Result == terminal.Approved || out.Result == terminal.Recovered) {
				told[who][fmt.Sprintf("%06d/%06d", out.Batch, out.STAN)] = true
			}
			if rapid.IntRange(0, 9).Draw(rt, "settle") == 0 {
				if _, err := s.till.Settle(t.Context()); err != nil {
					rt.Fatalf("settle: %v", err)
				}
			}
		}
		if _, err := s.till.Settle(t.Context()); err != nil {
			rt.Fatalf("settle: %v", err)
		}
		for who, c := range cards {
			reconcile(rt, s.host, c, told[who])
		}
	})
}

// reconcile compares one card with the host.
func reconcile(t *rapid.T, h *host, c *plastic, told map[string]bool) {
	e := c.evidence()
	sales, doubts := map[uint16]purse.Record{}, map[uint16][]purse.Record{}
	for key, r := range h.records {
		if r.PAN != e.PAN {
			continue
		}
		// Records in doubt may carry a counter that the card used for another payment, and
		// two of them the same one: an insert writes the counter that it expects.
		if _, twice := sales[r.ATC]; twice && r.Flag == purse.None {
			t.Errorf("two sales with counter %d", r.ATC)
		} else if r.Flag == purse.None {
			sales[r.ATC] = r
		} else {
			doubts[r.ATC] = append(doubts[r.ATC], r)
		}
		if told[key] && r.Flag != purse.None {
			t.Errorf("a success was signalled for a payment in doubt, %s", key)
		}
		delete(told, key)
	}
	if len(told) != 0 {
		t.Errorf("sales were signalled that the host never got: %v", told)
	}
	paid := map[uint16]bool{}
	for _, entry := range e.Log {
		paid[entry.ATC] = true
		fits := func(r purse.Record) bool { return r.Amount == entry.Amount }
		r, sold := sales[entry.ATC]
		if sold && !fits(r) || !sold && !slices.ContainsFunc(doubts[entry.ATC], fits) {
			t.Errorf("the card paid %v with counter %d; the host has %v (%t), in doubt %d", entry.Amount, entry.ATC, r.Amount, sold, len(doubts[entry.ATC]))
		}
	}
	for atc := range sales {
		if !paid[atc] && len(e.Log) < 10 {
			t.Errorf("a sale with counter %d that the card did not pay", atc)
		}
	}
}

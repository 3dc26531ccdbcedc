package journey

import (
	"fmt"
	"testing"

	"jiaozi/crypt/vault"
	"jiaozi/link/mem"
	"jiaozi/role/terminal"
	"jiaozi/value/reason"
	"jiaozi/wire/apdu"
	"jiaozi/wire/purse"
)

// day makes three sales and one payment in doubt.
func day(t testing.TB, profile vault.Profile) *play {
	t.Helper()
	p := &play{shop: newShop(t, profile), card: newCard(blanks()[0]), entry: purse.Contactless}
	for _, entry := range []purse.Entry{purse.Contactless, purse.Contact, purse.Contactless} {
		p.entry = entry
		if out, _ := p.pay(yuan(10_00), fault{line: intact}); out.Result != terminal.Approved {
			t.Fatalf("%v %s (%v)", out.Result, out.Reason, out.Err)
		}
	}
	p.entry = purse.Contactless
	out, _ := p.pay(yuan(7_00), fault{line: func(c apdu.Card) apdu.Card { return mem.LoseAnswer(c, mem.Nth(tapCommands-1)) }})
	if out.Result != terminal.Unknown || out.Reason != reason.Torn {
		t.Fatalf("the torn tap: %v %s", out.Result, out.Reason)
	}
	return p
}

func TestTheDayIsSettled(t *testing.T) {
	for _, profile := range []vault.Profile{vault.CUP, vault.Secure} {
		p := day(t, profile)
		if n := len(p.till.Uncleared()); n != 4 {
			t.Errorf("%d uncleared records, want 4", n)
		}
		got, err := p.till.Settle(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if got.Batch != 7 || got.Next != 8 || got.Count != 3 || got.Total != yuan(30_00) || got.Flagged != 1 || got.FlaggedTotal != yuan(7_00) || !got.Equal {
			t.Errorf("%+v", got)
		}
		if len(p.till.Uncleared()) != 0 || len(p.host.records) != 4 {
			t.Errorf("%d uncleared, %d at the host", len(p.till.Uncleared()), len(p.host.records))
		}
		if out, _ := p.pay(yuan(1_00), fault{line: intact}); out.Result != terminal.Approved || out.Batch != 8 {
			t.Errorf("the next batch: %v %s in %d", out.Result, out.Reason, out.Batch)
		}
		p.open()
		if p.till.Totals().Count != 1 {
			t.Error("the new batch is not on the disk")
		}
	}
}

// Goal: a settlement that anything interrupts can be called again until it
// succeeds, and then each payment is at the host once, whatever was lost.
// Method: every journal entry and every exchange of a settlement, each fault.
func TestASettlementIsRepeatedUntilItIsDone(t *testing.T) {
	probe := day(t, vault.Secure)
	probe.arm(diskSound, 0)
	probe.host.exchanges = 0
	if _, err := probe.till.Settle(t.Context()); err != nil {
		t.Fatal(err)
	}
	for _, f := range faults(0, probe.disk.appends) {
		t.Run(f.name, func(t *testing.T) { settleUnder(t, f, lineSound, 0) })
	}
	for at := range probe.host.exchanges {
		for line := lineRequest; line <= lineDead; line++ {
			t.Run(fmt.Sprintf("exchange %d fault %d", at, line), func(t *testing.T) { settleUnder(t, fault{line: intact}, line, at) })
		}
	}
}

func settleUnder(t *testing.T, f fault, line lineFault, at int) {
	p := day(t, vault.Secure)
	p.arm(f.disk, f.at)
	p.host.fault, p.host.at, p.host.exchanges = line, at, 0
	done := false
	alive := survives(func() {
		_, err := p.till.Settle(t.Context())
		done = err == nil
	})
	p.arm(diskSound, 0)
	p.host.fault = lineSound
	if !alive {
		p.open()
	}
	// The shop goes on selling, to another card, before anybody looks after the settlement.
	p.card = newCard(blanks()[1])
	out, _ := p.pay(yuan(2_00), fault{line: intact})
	if out.Result != terminal.Approved {
		t.Fatalf("a sale after the fault: %v %s (%v)", out.Result, out.Reason, out.Err)
	}
	for range 3 {
		if done && len(p.till.Uncleared()) == 0 && p.till.Totals().Count == 0 {
			break
		}
		_, err := p.till.Settle(t.Context())
		if err != nil {
			t.Fatalf("settle again: %v", err)
		}
		done = true
	}
	total := yuan(0)
	for _, r := range p.host.records {
		if r.Flag == purse.None {
			total = must(total.Add(r.Amount))
		}
	}
	if len(p.host.records) != 5 || total != yuan(32_00) {
		t.Errorf("%d records, %v of sales; want 5 and 32.00", len(p.host.records), total)
	}
}

func TestADifferenceBringsTheDetailsAgain(t *testing.T) {
	p := day(t, vault.Secure)
	p.host.unequal = true
	got, err := p.till.Settle(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if got.Equal || len(p.host.records) != 4 {
		t.Errorf("equal %v, %d records", got.Equal, len(p.host.records))
	}
	details, ends := 0, 0
	for _, m := range p.host.seen {
		switch m {
		case "0320/0/205":
			details++
		case "0320/0/207":
			ends++
		}
	}
	if details != 4 || ends != 1 {
		t.Errorf("%d details and %d ends: %v", details, ends, p.host.seen)
	}
}

func TestAnEmptyDayNeedsNoSettlement(t *testing.T) {
	s := newShop(t, vault.Secure)
	got, err := s.till.Settle(t.Context())
	if err != nil || got.Count != 0 || got.Batch != 7 {
		t.Errorf("%+v, %v", got, err)
	}
}

// A sale that the acquirer will not take holds nothing up and is not lost: the
// batch closes without it, and it is offered again every day.
func TestARefusedSaleStays(t *testing.T) {
	p := newPlay(t, tap)
	p.pay(yuan(3_00), fault{line: intact})
	p.host.refuses = true
	got, err := p.till.Settle(t.Context())
	if err != nil || got.Count != 0 || got.Refused != 1 || !got.Equal || got.Next != 8 {
		t.Fatalf("%+v, %v", got, err)
	}
	p.open()
	if len(p.till.Refused()) != 1 || len(p.till.Uncleared()) != 1 {
		t.Fatal("the sale is gone")
	}
	p.host.refuses = false
	clear(p.host.stored)
	if _, err := p.till.Settle(t.Context()); err != nil {
		t.Fatal(err)
	}
	p.open()
	if len(p.till.Refused()) != 0 || len(p.till.Uncleared()) != 0 || len(p.host.records) != 1 {
		t.Errorf("%d refused, %d uncleared, %d at the host", len(p.till.Refused()), len(p.till.Uncleared()), len(p.host.records))
	}
}

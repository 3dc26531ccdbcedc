package journey

import (
	"fmt"
	"testing"

	"jiaozi/crypt/vault"
	"jiaozi/link/mem"
	"jiaozi/role/terminal"
	"jiaozi/value/money"
	"jiaozi/wire/apdu"
	"jiaozi/wire/purse"
)

// fault is one thing that goes wrong during one presentation.
type fault struct {
	name string
	line func(apdu.Card) apdu.Card // between card and terminal
	disk diskFault
	at   int
}

func intact(c apdu.Card) apdu.Card { return c }

// faults enumerates every fault of a presentation with n commands and m entries.
func faults(n, m int) []fault {
	out := []fault{{name: "nothing", line: intact}}
	for k := range n {
		out = append(out,
			fault{name: fmt.Sprintf("command %d lost", k), line: func(c apdu.Card) apdu.Card { return mem.LoseCommand(c, mem.Nth(k)) }},
			fault{name: fmt.Sprintf("answer %d lost", k), line: func(c apdu.Card) apdu.Card { return mem.LoseAnswer(c, mem.Nth(k)) }})
	}
	names := map[diskFault]string{diskLost: "fails", diskKept: "fails but is kept", diskDies: "kills before", diskDiesAfter: "kills after"}
	for j := range m {
		for _, f := range []diskFault{diskLost, diskKept, diskDies, diskDiesAfter} {
			out = append(out, fault{name: fmt.Sprintf("entry %d %s", j, names[f]), line: intact, disk: f, at: j})
		}
	}
	return out
}

// play is one customer at one till.
type play struct {
	*shop
	card  *plastic
	entry purse.Entry
	told  int // times that success was signalled
}

// pay presents the card once with a fault. A process that dies is started anew.
func (p *play) pay(amount money.Amount, f fault) (out terminal.Outcome, alive bool) {
	p.t.Helper()
	before := p.card.evidence().Balance
	p.arm(f.disk, f.at)
	alive = survives(func() {
		out = p.till.Purchase(p.t.Context(), f.line(p.card.offer(p.entry)), terminal.Sale{Amount: amount, Entry: p.entry})
	})
	p.card.card.PowerOff()
	p.arm(diskSound, 0)
	if !alive {
		p.open()
		return out, false
	}
	switch out.Result {
	case terminal.Approved, terminal.Recovered:
		p.told++
		if now := p.card.evidence().Balance; out.Balance.Currency() != 0 && out.Balance != now {
			p.t.Errorf("the customer is shown %v, the card holds %v", out.Balance, now)
		}
	case terminal.Declined:
		if !out.Flagged && p.card.evidence().Balance != before {
			p.t.Errorf("declined (%s), yet the card has paid", out.Reason)
		}
	}
	return out, true
}

// verdict settles the day and compares the card's own log with what the host got.
func (p *play) verdict() {
	p.t.Helper()
	if _, err := p.till.Settle(p.t.Context()); err != nil {
		p.t.Fatalf("settle: %v", err)
	}
	clean, flagged := map[uint16]bool{}, map[uint16]bool{}
	for _, r := range p.host.records {
		if r.Flag != purse.None {
			flagged[r.ATC] = true
			continue
		}
		if clean[r.ATC] {
			p.t.Errorf("two records of one payment, counter %d", r.ATC)
		}
		clean[r.ATC] = true
	}
	paid := map[uint16]bool{}
	for _, e := range p.card.evidence().Log {
		paid[e.ATC] = true
		if !clean[e.ATC] && !flagged[e.ATC] {
			p.t.Errorf("the card paid with counter %d and no record of it exists", e.ATC)
		}
		if clean[e.ATC] && flagged[e.ATC] {
			p.t.Errorf("payment %d is a sale and in doubt at once", e.ATC)
		}
	}
	for atc := range clean {
		if !paid[atc] {
			p.t.Errorf("a sale is claimed with counter %d that the card did not pay", atc)
		}
	}
	if p.told != len(clean) {
		p.t.Errorf("success was signalled %d times for %d sales", p.told, len(clean))
	}
}

// count says how many commands and entries an undisturbed presentation has.
func count(t testing.TB, p *play) (commands, entries int) {
	t.Helper()
	p.arm(diskSound, 0)
	tracer := mem.Trace(p.card.offer(p.entry), func(mem.Exchange) { commands++ })
	out := p.till.Purchase(t.Context(), tracer, terminal.Sale{Amount: yuan(12_50), Entry: p.entry})
	if out.Result != terminal.Approved {
		t.Fatalf("an ordinary payment: %v %s (%v)", out.Result, out.Reason, out.Err)
	}
	return commands, p.disk.appends
}

func newPlay(t testing.TB, entry purse.Entry) *play {
	return &play{shop: newShop(t, vault.Secure), card: newCard(blanks()[0]), entry: entry}
}

// Goal: whatever goes wrong once, at any command and any journal entry, the
// customer who presents the card again has paid exactly once, and the record of it
// reaches the acquirer. Method: every fault, then presentations without fault
// until one succeeds, then settlement and the card's own log as the judge.
func TestATornPaymentIsPaidOnce(t *testing.T) {
	for _, entry := range []purse.Entry{purse.Contactless, purse.Contact} {
		commands, entries := count(t, newPlay(t, entry))
		for _, f := range faults(commands, entries) {
			t.Run(fmt.Sprintf("%v/%s", entry, f.name), func(t *testing.T) {
				p := newPlay(t, entry)
				out, _ := p.pay(yuan(12_50), f)
				for range 2 {
					if p.told > 0 {
						break
					}
					out, _ = p.pay(yuan(12_50), fault{line: intact})
				}
				if p.told != 1 {
					t.Errorf("after three presentations: %v %s (%v)", out.Result, out.Reason, out.Err)
				}
				p.verdict()
			})
		}
	}
}

package journey

import (
	"fmt"
	"testing"

	"jiaozi/crypt/pin"
	"jiaozi/crypt/vault"
	"jiaozi/link/mem"
	"jiaozi/role/terminal"
	"jiaozi/value/money"
	"jiaozi/value/reason"
	"jiaozi/wire/purse"
)

func typed(digits string) func() (pin.PIN, error) {
	return func() (pin.PIN, error) { return pin.Parse(digits) }
}

// loader is one customer who loads a card.
type loader struct {
	*shop
	card *plastic
}

func newLoader(t testing.TB, profile vault.Profile) *loader {
	return &loader{newShop(t, profile), newCard(blanks()[0])}
}

// load runs one load with a fault of the card, the disk or the line.
func (l *loader) load(amount money.Amount, f fault, line lineFault, at int) (out terminal.Outcome) {
	l.arm(f.disk, f.at)
	l.host.fault, l.host.at, l.host.exchanges = line, at, 0
	alive := survives(func() {
		out = l.till.Load(l.t.Context(), f.line(l.card.offer(purse.Contact)), terminal.LoadOrder{Amount: amount, Kind: terminal.Account, PIN: typed("1234")})
	})
	l.card.card.PowerOff()
	l.arm(diskSound, 0)
	l.host.fault = lineSound
	if !alive {
		l.open()
	}
	return out
}

// verdict brings everything to the host and says where the money is: account, card
// and what is in flight must add up, and the host must agree with the card about
// every load that it does not hold in flight.
func (l *loader) verdict(out terminal.Outcome, amount money.Amount) {
	l.t.Helper()
	if err := l.till.Flush(l.t.Context()); err != nil {
		l.t.Fatalf("flush: %v", err)
	}
	if n := l.till.Waiting(); n != 0 {
		l.t.Fatalf("%d items still wait", n)
	}
	onCard := l.card.evidence().Balance.Minor() - order(0).Balance.Minor()
	gone := yuan(1000_00).Minor() - l.host.account.Minor()
	state := "none"
	for _, x := range l.host.loads {
		state = x.state
	}
	switch state {
	case "done":
		if onCard != amount.Minor() || gone != amount.Minor() {
			l.t.Errorf("done: the card gained %d, the account lost %d", onCard, gone)
		}
	case "in flight":
		if gone != amount.Minor() {
			l.t.Errorf("in flight: the account lost %d", gone)
		}
		if out.Result == terminal.Declined {
			l.t.Errorf("declined (%s), yet the money is in flight", out.Reason)
		}
	default:
		if onCard != 0 || gone != 0 {
			l.t.Errorf("%s: the card gained %d, the account lost %d", state, onCard, gone)
		}
	}
	if out.Result == terminal.Approved && state != "done" {
		l.t.Errorf("approved, but the host holds it %s", state)
	}
	if onCard > gone {
		l.t.Errorf("the card gained %d out of %d", onCard, gone)
	}
}

func TestALoadReachesTheCard(t *testing.T) {
	for _, profile := range []vault.Profile{vault.CUP, vault.Secure} {
		l := newLoader(t, profile)
		out := l.load(yuan(50_00), fault{line: intact}, lineSound, 0)
		if out.Result != terminal.Approved || out.Balance != yuan(250_00) {
			t.Fatalf("%v: %v %s (%v), balance %v", profile, out.Result, out.Reason, out.Err, out.Balance)
		}
		l.verdict(out, yuan(50_00))
	}
}

// Goal: a load that anything goes wrong with is on the card, back on the account,
// or in flight and known to be so; never both, never neither, and Approved and
// Declined say which. Method: every fault of card, journal and line, once.
func TestALoadIsNeverDoubleAndNeverLost(t *testing.T) {
	probe := newLoader(t, vault.Secure)
	commands := 0
	probe.arm(diskSound, 0)
	probe.host.exchanges = 0
	tracer := mem.Trace(probe.card.offer(purse.Contact), func(mem.Exchange) { commands++ })
	probe.till.Load(t.Context(), tracer, terminal.LoadOrder{Amount: yuan(50_00), Kind: terminal.Account, PIN: typed("1234")})
	for _, f := range faults(commands, probe.disk.appends) {
		t.Run(f.name, func(t *testing.T) {
			l := newLoader(t, vault.Secure)
			l.verdict(l.load(yuan(50_00), f, lineSound, 0), yuan(50_00))
		})
	}
	names := []string{lineRequest: "request lost", lineAnswer: "answer lost", lineForged: "answer forged", lineTrace: "another trace", lineTerminal: "another terminal", lineGarbage: "cut short", lineDead: "dead"}
	for at := range probe.host.exchanges + 2 {
		for line := lineRequest; line <= lineDead; line++ {
			t.Run(fmt.Sprintf("exchange %d %s", at, names[line]), func(t *testing.T) {
				l := newLoader(t, vault.Secure)
				out := l.load(yuan(50_00), fault{line: intact}, line, at)
				if line == lineDead && at == 0 && out.Result != terminal.Unknown {
					t.Errorf("no line at all: %v %s", out.Result, out.Reason)
				}
				l.verdict(out, yuan(50_00))
			})
		}
	}
}

// Goal: each kind of load says who pays and proves it. Method: one row each; the
// host opens the PIN block and checks it.
func TestWhoPaysForALoad(t *testing.T) {
	for _, row := range []struct {
		why   string
		order terminal.LoadOrder
		want  reason.Code
	}{
		{"the own account with its PIN", terminal.LoadOrder{Kind: terminal.Account, PIN: typed("1234")}, reason.Approved},
		{"the own account with a wrong PIN", terminal.LoadOrder{Kind: terminal.Account, PIN: typed("4321")}, reason.PINWrong},
		{"the own account without a PIN", terminal.LoadOrder{Kind: terminal.Account}, reason.PINRequired},
		{"another account with its PIN", terminal.LoadOrder{Kind: terminal.Other, PIN: typed("1234"), Source: pan(1)}, reason.Approved},
		{"another account that is not named", terminal.LoadOrder{Kind: terminal.Other, PIN: typed("1234")}, reason.FormatError},
		{"cash on the counter", terminal.LoadOrder{Kind: terminal.Cash}, reason.Approved},
	} {
		l := newLoader(t, vault.CUP)
		row.order.Amount = yuan(20_00)
		out := l.till.Load(t.Context(), l.card.offer(purse.Contact), row.order)
		if out.Reason != row.want || (out.Result == terminal.Approved) != (row.want == reason.Approved) || out.Receipt == "" {
			t.Errorf("%s: %v %s (%v)", row.why, out.Result, out.Reason, out.Err)
		}
		if l.till.Waiting() != 0 {
			t.Errorf("%s: %d items wait", row.why, l.till.Waiting())
		}
	}
}

// A reversal must be durable before the request leaves, and is sent before the
// next online transaction.
func TestAReversalGoesOutBeforeTheNextLoad(t *testing.T) {
	l := newLoader(t, vault.CUP)
	out := l.load(yuan(50_00), fault{line: intact}, lineDead, 0)
	if out.Result != terminal.Unknown || out.Reason != reason.LoadLost || l.till.Waiting() != 1 {
		t.Fatalf("%v %s, %d waiting", out.Result, out.Reason, l.till.Waiting())
	}
	l.open() // the outbox survives the process
	if l.till.Waiting() != 1 {
		t.Fatal("the reversal is gone")
	}
	l.host.seen = nil
	out = l.load(yuan(50_00), fault{line: intact}, lineSound, 0)
	if out.Result != terminal.Approved {
		t.Fatalf("%v %s (%v)", out.Result, out.Reason, out.Err)
	}
	reversed := -1
	for i, m := range l.host.seen {
		if m == "0400/45/0" {
			reversed = i
		}
		if m == "0200/45/0" && reversed < 0 {
			t.Errorf("the load went out first: %v", l.host.seen)
		}
	}
	l.verdict(out, yuan(50_00))
}

func TestAClosureProvesAnEmptyPurse(t *testing.T) {
	l := newLoader(t, vault.Secure)
	out := l.till.CloseCard(t.Context(), l.card.offer(purse.Contact), typed("1234"))
	if out.Result != terminal.Approved || !out.Balance.IsZero() {
		t.Fatalf("%v %s (%v), balance %v", out.Result, out.Reason, out.Err, out.Balance)
	}
	if e := l.card.evidence(); !e.Blocked || !e.Balance.IsZero() {
		t.Errorf("the card is not closed: %+v", e)
	}
	again := l.till.Purchase(t.Context(), l.card.offer(purse.Contactless), terminal.Sale{Amount: yuan(100), Entry: purse.Contactless})
	if again.Result != terminal.Declined || again.Reason != reason.AppBlocked {
		t.Errorf("a closed card pays: %v %s", again.Result, again.Reason)
	}
}

func TestWhatTheHostRefusesIsNotReversed(t *testing.T) {
	l := newLoader(t, vault.Secure)
	l.host.account = yuan(10_00)
	out := l.load(yuan(50_00), fault{line: intact}, lineSound, 0)
	if out.Result != terminal.Declined || out.Reason != reason.AccountInsufficient || l.till.Waiting() != 0 {
		t.Fatalf("%v %s, %d waiting", out.Result, out.Reason, l.till.Waiting())
	}
	for _, m := range l.host.seen {
		if m == "0400/45/0" {
			t.Error("a refusal that the host signed was reversed")
		}
	}
}

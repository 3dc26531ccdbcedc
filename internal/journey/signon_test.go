package journey

import (
	"errors"
	"fmt"
	"testing"
	"time"

	"jiaozi/crypt/vault"
	"jiaozi/role/terminal"
	"jiaozi/value/ident"
	"jiaozi/wire/iso8583"
	"jiaozi/wire/list"
)

// Keys whose check values do not fit are refused and asked for again; keys that
// never fit are no sign-on.
func TestKeysThatDoNotFitAreAskedForAgain(t *testing.T) {
	for _, profile := range []vault.Profile{vault.CUP, vault.Secure} {
		s := newShop(t, profile)
		s.host.badKeys = 1
		if _, err := s.till.SignOn(t.Context()); err != nil {
			t.Errorf("%v: the second answer was good: %v", profile, err)
		}
		s.host.badKeys = 99
		if _, err := s.till.SignOn(t.Context()); !errors.Is(err, vault.ErrKCV) {
			t.Errorf("%v: %v", profile, err)
		}
	}
}

// A host that has forgotten the working keys answers A0; the terminal signs on
// again by itself and repeats.
func TestKeysOutOfStepAreRenewed(t *testing.T) {
	p := day(t, vault.Secure)
	must(p.host.keys.IssueWorkingKeys("tmk", "tpk", "tak", vault.Secure)) // the terminal knows nothing of these
	p.host.seen = nil
	if _, err := p.till.Settle(t.Context()); err != nil {
		t.Fatalf("%v: %v", p.host.seen, err)
	}
	if len(p.host.records) != 4 {
		t.Errorf("%d records: %v", len(p.host.records), p.host.seen)
	}
}

func TestSignOnTellsOfTheClockAndTheBatch(t *testing.T) {
	s := newShop(t, vault.Secure)
	for _, row := range []struct{ wrong, want time.Duration }{{0, 0}, {30 * time.Second, 0}, {-10 * time.Minute, 10 * time.Minute}, {26 * time.Hour, -26 * time.Hour}} {
		s.host.clock = fixed(s.clock.Now().Add(-row.wrong))
		got, err := s.till.SignOn(t.Context())
		if err != nil || got.ClockBehind != row.want || got.Batch != 7 {
			t.Errorf("a clock wrong by %v: %+v, %v", row.wrong, got, err)
		}
	}
	s.host.batch = 12
	if got, err := s.till.SignOn(t.Context()); err != nil || got.Batch != 12 {
		t.Errorf("the host's number is not taken over: %+v, %v", got, err)
	}
	p := &play{shop: s, card: newCard(blanks()[0]), entry: tap}
	p.pay(yuan(1_00), fault{line: intact})
	s.host.batch = 13
	if got, err := s.till.SignOn(t.Context()); err != nil || got.Batch != 12 {
		t.Errorf("a batch with a sale in it is renumbered: %+v, %v", got, err)
	}
}

type fixed time.Time

func (f fixed) Now() time.Time { return time.Time(f) }

// Goal: no list that is older, of others, expired, altered or patched together
// replaces the one in force (attack 34). Method: one row each, by download.
func TestTheBlacklistNeverStepsBack(t *testing.T) {
	s := newShop(t, vault.Secure)
	var many []list.Card
	for n := range 600 { // more than one chunk holds
		many = append(many, list.Card{PAN: must(ident.ParsePAN(ident.WithLuhn(fmt.Sprintf("622222%09d", n)))), PSN: 1})
	}
	s.host.list = blacklist(5, many...)
	check(s.till.RefreshList(t.Context()))
	other := must(list.Build(2, 9, [16]byte{1}, start.Add(-time.Hour), start.Add(time.Hour), nil))
	expired := must(list.Build(1, 9, [16]byte{1}, start.Add(-2*time.Hour), start.Add(-time.Hour), nil))
	sign := func(msg []byte) ([]byte, error) { return issuerVault().Sign("list", list.Domain, msg) }
	altered := blacklist(9)
	altered[20] ^= 1
	for why, bytes := range map[string][]byte{
		"an older number": blacklist(4), "another series": must(list.Append(nil, other, sign)), "an expired one": must(list.Append(nil, expired, sign)),
		"an altered one": altered, "half of one": blacklist(9, many...)[:1000],
	} {
		s.host.list = bytes
		if err := s.till.RefreshList(t.Context()); err == nil {
			t.Errorf("%s was taken", why)
		}
	}
	s.open()
	if number, _, ok := s.till.List(); !ok || number != 5 {
		t.Errorf("number %d is in force after a restart", number)
	}
	for _, line := range []lineFault{lineRequest, lineAnswer, lineTrace, lineTerminal, lineGarbage} {
		s.host.list = blacklist(6)
		s.host.fault, s.host.at, s.host.exchanges = line, 0, 0
		if err := s.till.RefreshList(t.Context()); err == nil {
			t.Errorf("line fault %d: taken", line)
		}
	}
	s.host.fault = lineSound
	check(s.till.RefreshList(t.Context()))
	if number, _, _ := s.till.List(); number != 6 {
		t.Errorf("number %d is in force", number)
	}
}

// A reversal that the host refuses is tried a few times, and stays for ever.
func TestAReversalIsNeverDropped(t *testing.T) {
	l := newLoader(t, vault.Secure)
	l.host.code = iso8583.CodeNoRecord
	out := l.load(yuan(50_00), fault{line: intact}, lineAnswer, 0)
	if out.Result != terminal.Unknown {
		t.Errorf("%v %s", out.Result, out.Reason)
	}
	for range 5 {
		l.host.exchanges = 0
		if err := l.till.Flush(t.Context()); err == nil || l.till.Waiting() != 1 || l.host.exchanges > 3 {
			t.Fatalf("%v, %d waiting, %d tries", err, l.till.Waiting(), l.host.exchanges)
		}
		l.open()
		if _, err := l.till.SignOn(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	l.host.code = ""
	clear(l.host.stored)
	l.verdict(out, yuan(50_00))
}

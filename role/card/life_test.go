package card

import (
	"errors"
	"testing"

	"jiaozi/value/money"
	"jiaozi/wire/apdu"
	"jiaozi/wire/emv"

	"pgregory.net/rapid"
)

// TestRandomLivesLoseNoMoney plays random lives of a card: taps, inserts, loads
// and PIN entries in any order, with power failing at random page writes. After
// every event the balance has moved by exactly what the logs tell since the last
// one, and the counter has not gone back.
func TestRandomLivesLoseNoMoney(t *testing.T) {
	blank := torn{left: -1}
	if err := Format(&blank, baseProfile); err != nil {
		t.Fatal(err)
	}
	rapid.Check(t, func(rt *rapid.T) {
		m := blank
		l := &life{card: reopen(t, &m)}
		seen := l.card.Evidence()
		for range rapid.IntRange(1, 6).Draw(rt, "events") {
			m.left = rapid.IntRange(-1, 3).Draw(rt, "page writes until power fails")
			m.how = rapid.IntRange(0, tearKinds-1).Draw(rt, "how")
			err := playAny(rt, l)
			if err != nil && !errors.Is(err, errPower) && !errors.Is(err, errRefused) {
				rt.Fatal(err)
			}
			m.left = -1
			l.card = reopen(t, &m)
			now := l.card.Evidence()
			if now.ATC < seen.ATC {
				rt.Fatalf("the counter went from %d to %d", seen.ATC, now.ATC)
			}
			if want := seen.Balance.Minor() + told(now, seen.ATC); now.Balance.Minor() != want {
				rt.Fatalf("balance %v, the logs since counter %d say %d", now.Balance, seen.ATC, want)
			}
			seen = now
		}
	})
}

// told adds up what the logs say happened after a counter value.
func told(e Evidence, since uint16) (sum money.Minor) {
	for _, l := range e.Loads {
		if l.ATC > since {
			sum += l.After.Minor() - l.Before.Minor()
		}
	}
	for _, p := range e.Log {
		if p.ATC > since {
			sum -= p.Amount.Minor()
		}
	}
	return sum
}

// errRefused: the card said no, which ends the event.
var errRefused = errors.New("refused")

func (l *life) try(commands ...apdu.Command) error {
	for _, cmd := range commands {
		answer, err := l.card.Transmit(cmd)
		if err != nil {
			return err
		}
		if answer.SW != apdu.OK {
			return errRefused
		}
	}
	return nil
}

func playAny(rt *rapid.T, l *life) error {
	minor := money.Minor(rapid.IntRange(0, 200_00).Draw(rt, "amount"))
	switch rapid.SampledFrom([]string{"tap", "insert", "load", "PIN"}).Draw(rt, "event") {
	case "tap":
		return l.tapAny(minor)
	case "insert":
		return errors.Join(l.on(Contact), l.try(apdu.Select([]byte(testAID)), apdu.GPO(pay(minor).build(contactPDOL)),
			apdu.GenerateAC(apdu.RequestTC, pay(minor).build(cdol1))))
	case "load":
		return l.loadAny(minor)
	}
	digits := rapid.SampledFrom([]string{"1234", "0000"}).Draw(rt, "PIN")
	return errors.Join(l.on(Contact), l.try(apdu.Select([]byte(testAID)), apdu.GPO(pay(minor).build(contactPDOL)), apdu.Verify(format2(digits))))
}

func (l *life) tapAny(minor money.Minor) error {
	commands := []apdu.Command{apdu.Select([]byte(testAID)), apdu.GPO(pay(minor).build(tapPDOL))}
	for _, n := range names(tapPath().afl) {
		commands = append(commands, apdu.ReadRecord(n.sfi, n.number))
	}
	return errors.Join(l.on(Contactless), l.try(commands...))
}

func (l *life) loadAny(minor money.Minor) error {
	p := load(minor)
	if err := errors.Join(l.on(Contact), l.try(apdu.Select([]byte(testAID)), apdu.GPO(p.build(contactPDOL)))); err != nil {
		return err
	}
	for _, s := range []step{
		generating("GENERATE AC 1", apdu.RequestARQC, p, cdol1, true),
		sending("EXTERNAL AUTHENTICATE", func(l *life) apdu.Command { return apdu.ExternalAuth(l.g.answer("00")) }),
		generating("GENERATE AC 2", apdu.RequestTC, p, cdol2, false),
	} {
		if err := s.run(l); err != nil {
			return err
		}
	}
	target := l.card.Evidence().Balance.Minor() + minor
	return l.try(l.g.seal(put(emv.TagECBalance, target)))
}

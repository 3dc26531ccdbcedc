package card

import (
	"errors"
	"fmt"
	"testing"

	"jiaozi/value/money"
	"jiaozi/wire/apdu"
	"jiaozi/wire/emv"
	"jiaozi/wire/tlv"
)

var errPower = errors.New("power lost")

// torn is a memory whose power fails at one page write, before it, in the middle
// of the page, or right after it.
type torn struct {
	RAM
	left int // page writes until the power fails; negative: never
	how  int
}

const (
	nothingWritten = iota
	garbageInPage
	halfThePage
	wholePage
	tearKinds
)

func (m *torn) WritePage(n int, page *[PageSize]byte) error {
	if m.left != 0 {
		m.left--
		return m.RAM.WritePage(n, page)
	}
	switch m.how {
	case garbageInPage:
		for i := range m.RAM[n] {
			m.RAM[n][i] = byte(i*7) ^ 0xA5
		}
	case halfThePage:
		copy(m.RAM[n][:PageSize/2], page[:PageSize/2])
	case wholePage:
		m.RAM[n] = *page
	}
	return errPower
}

// step is one command of the life below. It returns false when the power failed.
type step struct {
	name string
	run  func(l *life) error
}

// life is a card and what its holder, a shop and its issuer know about it.
type life struct {
	card *Card
	g    generated
}

func (l *life) send(cmd apdu.Command) ([]byte, error) {
	answer, err := l.card.Transmit(cmd)
	if err == nil && answer.SW != apdu.OK && answer.SW != apdu.WrongPIN(2) {
		return nil, fmt.Errorf("INS %02X answered %v", cmd.INS, answer.SW)
	}
	return answer.Data, err
}

func (l *life) on(i Interface) error { _, err := l.card.PowerOn(i); return err }

func sending(name string, cmd func(l *life) apdu.Command) step {
	return step{name, func(l *life) error { _, err := l.send(cmd(l)); return err }}
}

func always(cmd apdu.Command) func(*life) apdu.Command {
	return func(*life) apdu.Command { return cmd }
}

func generating(name string, p1 byte, p terms, list tlv.DOL, keep bool) step {
	return step{name, func(l *life) error {
		b, err := l.send(apdu.GenerateAC(p1, p.build(list)))
		if err != nil {
			return err
		}
		b = b[2:]
		if g := (generated{cid: emv.CID(b[0]), atc: u16(b[1:]), ac: [8]byte(b[3:11]), iad: mustGet(emv.ParseIAD(b[11:]))}); keep {
			l.g = g
		}
		return nil
	}}
}

// wholeLife is a load, a tap, and an insert with a wrong and a right PIN.
func wholeLife() []step {
	p := load(300_00)
	steps := []step{
		{"insert for a load", func(l *life) error { return l.on(Contact) }},
		sending("select", always(apdu.Select([]byte(testAID)))),
		sending("GPO", always(apdu.GPO(p.build(contactPDOL)))),
		generating("GENERATE AC 1", apdu.RequestARQC, p, cdol1, true),
		sending("EXTERNAL AUTHENTICATE", func(l *life) apdu.Command { return apdu.ExternalAuth(l.g.answer("00")) }),
		generating("GENERATE AC 2", apdu.RequestTC, p, cdol2, false),
		sending("PUT DATA", func(l *life) apdu.Command { return l.g.seal(put(emv.TagECBalance, 500_00)) }),
		{"tap", func(l *life) error { return l.on(Contactless) }},
		sending("tap select", always(apdu.Select([]byte(testAID)))),
		sending("tap GPO", always(apdu.GPO(pay(30_00).build(tapPDOL)))),
	}
	for _, n := range names(tapPath().afl) {
		steps = append(steps, sending(fmt.Sprintf("tap record %d.%d", n.sfi, n.number), always(apdu.ReadRecord(n.sfi, n.number))))
	}
	return append(steps,
		step{"insert to pay", func(l *life) error { return l.on(Contact) }},
		sending("insert select", always(apdu.Select([]byte(testAID)))),
		sending("insert GPO", always(apdu.GPO(pay(120_00).build(contactPDOL)))),
		sending("wrong PIN", always(apdu.Verify(format2("9999")))),
		sending("right PIN", always(apdu.Verify(format2("1234")))),
		generating("insert GENERATE AC", apdu.RequestTC, pay(120_00), cdol1, false),
	)
}

// conserved is the invariant of a card's whole life: what it started with, plus
// what its load log says was loaded, minus what its log says was paid, is there.
func conserved(t *testing.T, e Evidence) {
	t.Helper()
	expected := baseProfile.Balance.Minor()
	for _, l := range e.Loads {
		expected += l.After.Minor() - l.Before.Minor()
	}
	for _, p := range e.Log {
		expected -= p.Amount.Minor()
	}
	if e.Balance.Minor() != expected {
		t.Fatalf("balance %d, the card's logs add up to %d", e.Balance.Minor(), expected)
	}
}

// summary is what a step may change, comparable.
type summary struct {
	atc, online       uint16
	balance           money.Minor
	tries             uint8
	payments, reloads int
}

func sum(e Evidence) summary {
	return summary{e.ATC, e.LastOnlineATC, e.Balance.Minor(), e.PINTries, len(e.Log), len(e.Loads)}
}

func TestPowerLossAtAnyPageWriteLeavesOldOrNew(t *testing.T) {
	// For every command of a card's life, every page write it makes and every way
	// that write can be torn: the reopened card is as before the command or as
	// after it, its money adds up, and it goes on working.
	steps := wholeLife()
	torns := 0
	for at := range steps {
		before, after, writes := dryRun(t, steps, at)
		for k := range writes {
			for how := range tearKinds {
				got := tearRun(t, steps, at, k, how)
				torns++
				if got != before && got != after && !midway(steps[at].name, got, before) {
					t.Fatalf("%s torn at page write %d (%d): %+v, neither %+v nor %+v", steps[at].name, k, how, got, before, after)
				}
			}
		}
	}
	if torns < 80 {
		t.Fatalf("only %d cases: the scenario does not write", torns)
	}
}

// midway is the one command that commits twice: a right PIN spends the try first.
func midway(name string, got, before summary) bool {
	before.tries--
	return name == "right PIN" && got == before
}

// dryRun says what step at does when nothing fails.
func dryRun(t *testing.T, steps []step, at int) (before, after summary, writes int) {
	m := &torn{left: -1}
	l := begin(t, m)
	play(t, l, steps[:at])
	before, start := sum(l.card.Evidence()), m.left
	play(t, l, steps[at:at+1])
	return before, sum(l.card.Evidence()), start - m.left
}

func begin(t *testing.T, m *torn) *life {
	t.Helper()
	if err := Format(m, baseProfile); err != nil {
		t.Fatal(err)
	}
	c := reopen(t, m)
	// A card with a past: its state fills several pages, so that a commit can be
	// torn between them.
	err := c.commit(func(s *state) {
		s.patches = append(s.patches, c.applet.records[2:5]...)
	})
	if err != nil {
		t.Fatal(err)
	}
	return &life{card: c}
}

func play(t *testing.T, l *life, steps []step) {
	t.Helper()
	for _, s := range steps {
		if err := s.run(l); err != nil {
			t.Fatalf("%s: %v", s.name, err)
		}
		conserved(t, l.card.Evidence())
	}
}

// tearRun plays up to step at, loses power at its k-th page write, and reopens.
func tearRun(t *testing.T, steps []step, at, k, how int) summary {
	t.Helper()
	m := &torn{left: -1}
	l := begin(t, m)
	play(t, l, steps[:at])
	m.left, m.how = k, how
	err := steps[at].run(l)
	if !errors.Is(err, apdu.ErrGone) || !errors.Is(err, errPower) {
		t.Fatalf("%s torn at page write %d: %v, want the card gone", steps[at].name, k, err)
	}
	if _, err := l.card.PowerOn(Contact); err == nil {
		t.Fatal("a card whose memory failed can be powered without reopening it")
	}
	m.left = -1
	again := reopen(t, m)
	got := sum(again.Evidence())
	conserved(t, again.Evidence())
	// The card still pays, with a counter never seen before.
	r := power(t, again, Contactless)
	g := r.tapGPO(pay(1))
	if g.atc != got.atc+1 {
		t.Fatalf("counter %d after %d", g.atc, got.atc)
	}
	r.files(r.find(g.list, emv.TagAFL))
	conserved(t, again.Evidence())
	return got
}

func TestPowerLossWhileFormattingLeavesNoCard(t *testing.T) {
	// A card is whole or not there: also when the blank was another card before.
	count := &torn{left: -1}
	if err := Format(count, baseProfile); err != nil {
		t.Fatal(err)
	}
	writes := -1 - count.left
	for k := range writes {
		for how := range tearKinds {
			m := &torn{RAM: count.RAM, left: k, how: how}
			err := Format(m, baseProfile)
			if !errors.Is(err, errPower) {
				t.Fatalf("page write %d: %v", k, err)
			}
			c, err := Open(m, new(counting))
			if err == nil {
				conserved(t, c.Evidence())
				continue // the first write did nothing, or the last did everything
			}
			if !errors.Is(err, ErrMemory) {
				t.Fatalf("page write %d torn (%d): %v", k, how, err)
			}
		}
	}
}

func TestOneRottenSlotFallsBackToTheOther(t *testing.T) {
	// Any flipped bit in the newest slot is noticed; with both gone there is no card.
	m := new(RAM)
	if err := Format(m, baseProfile); err != nil {
		t.Fatal(err)
	}
	c := reopen(t, m)
	power(t, c, Contactless).tapGPO(pay(1))
	for bit := range 8 * 300 {
		rotten := *m
		page := &rotten[purseSlots.first(c.seq)+bit/8/PageSize]
		page[bit/8%PageSize] ^= 1 << (bit % 8)
		again, err := Open(&rotten, new(counting))
		if err != nil {
			t.Fatalf("bit %d: %v", bit, err)
		}
		// Bits behind the state's last byte mean nothing and change nothing.
		if atc := again.Evidence().ATC; atc != 0 && !(atc == 1 && bit/8 >= blockHeader+len(c.state.append(nil))) {
			t.Fatalf("bit %d flipped, counter %d", bit, atc)
		}
	}
	blank := *m
	blank[purseSlots.first(0)], blank[purseSlots.first(1)] = [PageSize]byte{}, [PageSize]byte{}
	if _, err := Open(&blank, new(counting)); !errors.Is(err, ErrMemory) {
		t.Fatalf("a card without state: %v", err)
	}
	if _, err := Open(new(RAM), new(counting)); !errors.Is(err, ErrMemory) {
		t.Fatalf("blank memory: %v", err)
	}
}

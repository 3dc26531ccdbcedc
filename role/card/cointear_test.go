package card

import (
	"bytes"
	"errors"
	"strings"
	"testing"

	"jiaozi/wire/apdu"
	"jiaozi/wire/observer"

	"pgregory.net/rapid"
)

// coinLife is what a holder does with coins, over the contacts and by air.
func coinLife() []step {
	direct := func(name string, cmd apdu.Command) step { return sending(name, always(cmd)) }
	return []step{
		{"insert", func(l *life) error { return l.on(Contact) }},
		direct("select", observer.Select()),
		direct("PIN", apdu.Verify(format2("1234"))),
		direct("prepare", observer.Prepare(observer.Range{First: maxAnswered, Count: 8})),
		direct("answer", observer.Answer(question(maxAnswered, 5))),
		direct("answer again", observer.Answer(question(maxAnswered, 5))),
		direct("answer out of order", observer.Answer(question(maxAnswered+2, 6))),
		direct("retire", observer.Retire(maxAnswered+4)),
		direct("pair", observer.Pair(walletKey)),
		{"hold to the antenna", func(l *life) error { return l.on(Contactless) }},
		direct("select by air", observer.Select()),
		direct("answer by air", seal(observer.Answer(question(maxAnswered+5, 7)))),
		direct("prepare by air", seal(observer.Prepare(observer.Range{First: maxAnswered + 8, Count: 3}))),
		direct("retire by air", seal(observer.Retire(maxAnswered+6))),
		{"insert once more", func(l *life) error { return l.on(Contact) }},
		direct("select once more", observer.Select()),
		{"wrong PIN", func(l *life) error { // torn and sent again it costs two tries
			answer, err := l.card.Transmit(apdu.Verify(format2("9999")))
			if _, wrong := answer.SW.TriesLeft(); err == nil && !wrong {
				return errRefused
			}
			return err
		}},
		{"insert to renew the air", func(l *life) error { return l.on(Contact) }},
		direct("select to renew the air", observer.Select()),
		direct("PIN that renews the air", apdu.Verify(format2("1234"))),
	}
}

// coinPast is a card with a past that fills every page of a slot.
func coinPast(t *testing.T) RAM {
	t.Helper()
	m := new(RAM)
	p := baseProfile
	withCoins(&p)
	if err := Format(m, p); err != nil {
		t.Fatal(err)
	}
	c := reopen(t, m)
	err := c.commitCoins(func(s *coins) {
		for index := uint32(0); index < maxAnswered; index += 8 {
			s.window.prepare(observer.Range{First: index, Count: 8})
		}
		for index := range uint32(maxAnswered) {
			s.answer(question(index, 3))
		}
	})
	if err != nil {
		t.Fatal(err)
	}
	return *m
}

func beginCoins(t *testing.T, past RAM) (*torn, *life) {
	t.Helper()
	m := &torn{RAM: past, left: -1}
	return m, &life{card: reopen(t, m)}
}

// everything is all that the card remembers.
func everything(c *Card) string { return string(c.coin.state.append(c.state.append(nil))) }

// TestTornCoinCommandLeavesOldOrNew tears every page write of every command of a
// card's life with coins, in every way. The reopened card is as before the command
// or as after it, the command can be sent again and then leads where it would have
// led, with the answer that it would have given, and whoever asks something else
// for an index that is closed is refused.
func TestTornCoinCommandLeavesOldOrNew(t *testing.T) {
	steps, torns, past := coinLife(), 0, coinPast(t)
	_, whole := beginCoins(t, past)
	playCoins(t, whole, steps)
	end := everything(whole.card)
	for at := range steps {
		m, l := beginCoins(t, past)
		playCoins(t, l, steps[:at])
		before, start := everything(l.card), m.left
		playCoins(t, l, steps[at:at+1])
		after, writes := everything(l.card), start-m.left
		for k := range writes {
			for how := range tearKinds {
				if got := tearCoins(t, past, steps, at, k, how, before, after); got != end {
					t.Fatalf("%s torn at page write %d (%d): repeating it led elsewhere", steps[at].name, k, how)
				}
				torns++
			}
		}
	}
	if torns < 500 {
		t.Fatalf("only %d cases: the scenario does not write", torns)
	}
}

func playCoins(t *testing.T, l *life, steps []step) {
	t.Helper()
	for _, s := range steps {
		if err := s.run(l); err != nil {
			t.Fatalf("%s: %v", s.name, err)
		}
	}
}

// tearCoins plays up to step at, loses power at its k-th page write, goes on as if
// nothing had been, and gives what the card then remembers.
func tearCoins(t *testing.T, past RAM, steps []step, at, k, how int, before, after string) string {
	t.Helper()
	m, l := beginCoins(t, past)
	playCoins(t, l, steps[:at])
	m.left, m.how = k, how
	if err := steps[at].run(l); !errors.Is(err, apdu.ErrGone) || !errors.Is(err, errPower) {
		t.Fatalf("%s torn at page write %d: %v, want the card gone", steps[at].name, k, err)
	}
	m.left = -1
	l.card = reopen(t, m)
	// A PIN is compared in steps of its own: a try may be gone, or back with the air not
	// yet renewed.
	if got := everything(l.card); got != before && got != after && !isPIN(steps[at].name) {
		t.Fatalf("%s torn at page write %d (%d) left neither the old state nor the new", steps[at].name, k, how)
	}
	playCoins(t, l, steps[sessionOf(steps, at):])
	return everything(l.card)
}

func isPIN(name string) bool {
	return name == "PIN" || name == "wrong PIN" || name == "PIN that renews the air"
}

// sessionOf is where the session of a step began.
func sessionOf(steps []step, at int) int {
	for !strings.HasPrefix(steps[at].name, "insert") && !strings.HasPrefix(steps[at].name, "hold") {
		at--
	}
	return at
}

// TestAnswerIsNeverAheadOfTheMemory: at whichever page the power fails in an
// ANSWER, no answer was heard; and if the memory has taken the challenge, it is that
// one which is answered, and no other.
func TestAnswerIsNeverAheadOfTheMemory(t *testing.T) {
	past := coinPast(t)
	for k := range coinSlotPages {
		for how := range tearKinds {
			m, l := beginCoins(t, past)
			playCoins(t, l, coinLife()[:4])
			m.left, m.how = k, how
			answer, err := l.card.Transmit(observer.Answer(question(maxAnswered, 5)))
			if err == nil || len(answer.Data) != 0 {
				t.Fatalf("page write %d: the answer left the card", k)
			}
			m.left = -1
			r := power(t, reopen(t, m), Contact).coins()
			status := mustGet(observer.ParseStatus(r.ok(observer.ReadStatus(maxAnswered))))
			other := r.send(observer.Answer(question(maxAnswered, 6)))
			switch {
			case status.State == observer.Answered && status.Challenge == challenge(5) && other.SW == apdu.DataInvalidated:
				r.ok(observer.Answer(question(maxAnswered, 5)))
			case status.State == observer.Open && other.SW == apdu.OK:
				r.want(apdu.DataInvalidated, observer.Answer(question(maxAnswered, 5)))
			default:
				t.Fatalf("page write %d (%d): %v, another challenge %v", k, how, status.State, other.SW)
			}
		}
	}
}

// TestRandomLivesAnswerOnce plays random lives with power failing at random page
// writes: whatever was heard for an index, it was heard for one challenge, and the
// same each time.
func TestRandomLivesAnswerOnce(t *testing.T) {
	blank := torn{left: -1}
	p := baseProfile
	withCoins(&p)
	withoutPIN(&p)
	if err := Format(&blank, p); err != nil {
		t.Fatal(err)
	}
	rapid.Check(t, func(rt *rapid.T) {
		m := blank
		c, next := reopen(t, &m), uint32(0)
		heard := map[uint32]observer.Question{}
		answers := map[uint32][]byte{}
		for range rapid.IntRange(1, 40).Draw(rt, "events") {
			m.left = rapid.IntRange(-1, 12).Draw(rt, "page writes until power fails")
			m.how = rapid.IntRange(0, tearKinds-1).Draw(rt, "how")
			index := uint32(rapid.IntRange(0, 12).Draw(rt, "index"))
			q := question(index, byte(rapid.IntRange(0, 2).Draw(rt, "challenge")))
			cmd := rapid.SampledFrom([]apdu.Command{
				observer.Answer(q), observer.Answer(q), observer.Answer(q), observer.Retire(index),
				observer.Prepare(observer.Range{First: index, Count: 2}),
			}).Draw(rt, "command")
			if _, err := c.PowerOn(Contact); err != nil {
				rt.Fatal(err)
			}
			_, _ = c.Transmit(observer.Select())
			answer, err := c.Transmit(cmd)
			if err == nil && answer.SW == apdu.OK && cmd.INS == observer.InsAnswer {
				if old, ok := heard[index]; ok && (old != q || !bytes.Equal(answers[index], answer.Data)) {
					rt.Fatalf("index %d was answered for %v and for %v", index, old, q)
				}
				heard[index], answers[index] = q, answer.Data
			}
			if err != nil {
				m.left = -1
				c = reopen(t, &m)
			}
			if got := c.coin.state.window.next; got < next {
				rt.Fatalf("next went from %d to %d", next, got)
			}
			next = c.coin.state.window.next
		}
	})
}

func TestPowerLossWhileFormattingCoinsLeavesNoCard(t *testing.T) {
	// Over another card with coins: afterwards it is the old card, no card, or the new
	// one whole, and never the old secret with new indices.
	old, p := baseProfile, baseProfile
	withCoins(&old)
	count := &torn{left: -1}
	if err := Format(count, old); err != nil {
		t.Fatal(err)
	}
	c := reopen(t, count)
	if err := c.commitCoins(func(s *coins) { s.window.prepare(observer.Range{Count: 8}) }); err != nil {
		t.Fatal(err)
	}
	for _, next := range []func(*Profile){withCoins, func(*Profile) {}} {
		p = baseProfile
		next(&p)
		for k := 0; ; k++ {
			whole := false
			for how := range tearKinds {
				m := &torn{RAM: count.RAM, left: k, how: how}
				err := Format(m, p)
				whole = err == nil
				again, opened := Open(m, new(counting))
				switch {
				case errors.Is(opened, ErrMemory):
				case opened != nil:
					t.Fatalf("page write %d (%d): %v", k, how, opened)
				case again.coin == nil && p.Coins.Secret.IsZero():
				case again.coin == nil:
					t.Fatalf("page write %d (%d): the card lost its coins", k, how)
				case again.coin.state.window.next != 8 && again.coin.state.window.next != 0:
					t.Fatalf("page write %d (%d): next %d", k, how, again.coin.state.window.next)
				}
			}
			if whole {
				break
			}
		}
	}
}

func TestRottenCoinMemoryIsNoticed(t *testing.T) {
	m, l := beginCoins(t, coinPast(t))
	playCoins(t, l, coinLife()[:5])
	for bit := range 8 * (blockHeader + coinPersonaBytes) {
		rotten := m.RAM
		rotten[coinArea.at][bit/8] ^= 1 << (bit % 8)
		if _, err := Open(&rotten, new(counting)); !errors.Is(err, ErrMemory) {
			t.Fatalf("bit %d of the coin application: %v", bit, err)
		}
	}
	for slot := range uint64(2) {
		rotten := m.RAM
		rotten[coinSlots.first(slot)+3][17] ^= 4
		c, err := Open(&rotten, new(counting))
		if err != nil {
			t.Fatalf("slot %d: %v", slot, err)
		}
		if want := l.card.coin.seq; c.coin.seq != want && c.coin.seq != want-1 {
			t.Fatalf("slot %d rotten: state %d of %d", slot, c.coin.seq, want)
		}
		rotten[coinSlots.first(slot+1)+3][17] ^= 4
		if _, err := Open(&rotten, new(counting)); !errors.Is(err, ErrMemory) {
			t.Fatalf("both slots rotten: %v", err)
		}
	}
}

// FuzzCoins throws arbitrary command sequences at the coin application: no panic,
// no index answered for two challenges, and the memory holds what the card believes.
func FuzzCoins(f *testing.F) {
	seed := func(i Interface, commands ...apdu.Command) {
		b := []byte{byte(i)}
		for _, c := range commands {
			raw := c.Append(nil)
			b = append(append(b, byte(len(raw))), raw...)
		}
		f.Add(b)
	}
	seed(Contact, observer.Select(), apdu.Verify(format2("1234")), observer.ReadInfo(), observer.Prepare(observer.Range{First: 8, Count: 8}),
		observer.Answer(question(9, 1)), observer.Answer(question(9, 2)), observer.ReadStatus(9), observer.Retire(10), observer.Pair(coinSecret))
	seed(Contactless, observer.Select(), seal(observer.ReadInfo()), seal(observer.Answer(question(3, 1))), seal(observer.Answer(question(3, 2))))
	memory := paired(f).memory.(*RAM)
	f.Fuzz(func(t *testing.T, b []byte) {
		if len(b) == 0 {
			return
		}
		m := *memory
		r := power(t, reopen(t, &m), Interface(b[0]&1))
		heard := map[uint32]observer.Question{}
		b = b[1:]
		for range 64 {
			if len(b) == 0 || len(b) < 1+int(b[0]) {
				break
			}
			raw := b[1 : 1+int(b[0])]
			b = b[1+len(raw):]
			cmd, err := apdu.ParseCommand(raw)
			if err != nil {
				continue
			}
			inCoinsNow := r.card.session.phase == inCoins
			answer := r.send(cmd)
			if !inCoinsNow || cmd.INS != observer.InsAnswer || answer.SW != apdu.OK {
				continue
			}
			q := mustGet(observer.ParseAnswer(cmd.Data[:questionBytes]))
			if old, ok := heard[q.Index]; ok && old != q {
				t.Fatalf("index %d was answered twice", q.Index)
			}
			heard[q.Index] = q
		}
		if everything(reopen(t, &m)) != everything(r.card) {
			t.Fatal("the memory holds another state than the card")
		}
	})
}

// FuzzDecodeCoins: what is accepted is written back byte for byte.
func FuzzDecodeCoins(f *testing.F) {
	f.Add((&coins{window: newWindow(openIndices), airLeft: 3}).append(nil))
	f.Add(paired(f).coin.state.append(nil))
	f.Fuzz(func(t *testing.T, b []byte) {
		if s, err := decodeCoins(b); err == nil && !bytes.Equal(s.append(nil), b) {
			t.Fatal("a state was accepted that is written otherwise")
		}
		if p, err := decodeCoinProfile(b); err == nil && !bytes.Equal(p.append(nil), b) {
			t.Fatal("a coin application was accepted that is written otherwise")
		}
	})
}

package card

import (
	"bytes"
	"crypto/ed25519"
	"testing"

	"jiaozi/crypt/brands"
	"jiaozi/crypt/pin"
	"jiaozi/wire/apdu"
	"jiaozi/wire/emv"
	"jiaozi/wire/observer"
)

var (
	coinSecret = mustGet(observer.NewSecret(bytes.Repeat([]byte{0xC0, 0x15}, 16)))
	walletKey  = mustGet(observer.NewSecret(bytes.Repeat([]byte{0x3A}, 32)))
	signer     = ed25519.NewKeyFromSeed(bytes.Repeat([]byte{0x51}, 32))
	coinsPart  = CoinProfile{Secret: coinSecret, AirLimit: 3, Certificate: mustGet(observer.Certify(CoinIdentity(coinSecret), 20291231,
		func(msg []byte) ([]byte, error) { return ed25519.Sign(signer, msg), nil }))}
)

func withCoins(p *Profile) { p.Coins = coinsPart }

func withoutPIN(p *Profile) { p.PIN, p.TryLimit = pin.PIN{}, 0 }

// challenge is a small number as a scalar.
func challenge(n byte) (c [observer.Size]byte) { c[0] = n; return c }

func question(index uint32, n byte) observer.Question {
	return observer.Question{Index: index, Challenge: challenge(n)}
}

func seal(cmd apdu.Command) apdu.Command { return observer.Seal(walletKey, cmd) }

// coins selects the coin application over the contacts and shows the PIN.
func (r terminal) coins() terminal {
	r.Helper()
	r.ok(observer.Select())
	if r.card.state.hasPIN() {
		r.ok(apdu.Verify(format2("1234")))
	}
	return r
}

func (r terminal) info() *observer.Info {
	r.Helper()
	return mustGet(observer.ParseInfo(r.ok(observer.ReadInfo())))
}

// paired is a card with 8 indices prepared that knows walletKey.
func paired(t testing.TB, change ...func(*Profile)) *Card {
	t.Helper()
	c := newCard(t, append([]func(*Profile){withCoins}, change...)...)
	r := power(t, c, Contact).coins()
	r.ok(observer.Prepare(observer.Range{Count: 8}))
	r.ok(observer.Pair(walletKey))
	return c
}

func TestCoinApplicationSaysWhoItIs(t *testing.T) {
	c := newCard(t, withCoins)
	r := power(t, c, Contact)
	flags := mustGet(observer.ParseSelected(r.ok(observer.Select())))
	if flags != observer.HasPIN {
		t.Errorf("flags %b", flags)
	}
	i := r.info()
	if err := i.Verify(signer.Public().(ed25519.PublicKey), today); err != nil || i.Identity != CoinIdentity(coinSecret) {
		t.Errorf("certificate: %v", err)
	}
	if i.PINTries != 3 || i.AirLeft != 3 || i.Low != 0 || i.Next != 0 || i.Window != openIndices {
		t.Errorf("%+v", i)
	}
	if e := c.Evidence().Coins; e == nil || e.Certificate != coinsPart.Certificate || e.Paired || e.Open != 0 {
		t.Errorf("evidence %+v", e)
	}
}

func TestPurseAloneHasNoCoinApplication(t *testing.T) {
	c := newCard(t)
	for _, side := range []Interface{Contact, Contactless} {
		power(t, c, side).want(apdu.FileNotFound, observer.Select())
	}
	if c.Evidence().Coins != nil {
		t.Error("a purse alone shows coins")
	}
}

func TestImageFromBeforeCoinsIsAPurseAlone(t *testing.T) {
	// Its pages end where the coin application would begin.
	memory := new(RAM)
	if err := Format(memory, baseProfile); err != nil {
		t.Fatal(err)
	}
	for n := PursePages; n < ImagePages; n++ {
		if memory[n] != [PageSize]byte{} {
			t.Fatalf("page %d of a purse is in use", n)
		}
	}
	r := power(t, reopen(t, memory), Contact)
	r.want(apdu.FileNotFound, observer.Select())
	r.ok(apdu.Select([]byte(testAID)))
}

func TestTwoApplicationsDoNotMix(t *testing.T) {
	// Each answers its own commands only, while it is selected, and the other's state
	// stays as it is.
	c := newCard(t, withCoins)
	r := power(t, c, Contact)
	r.ok(apdu.Select([]byte(testAID)))
	for _, cmd := range []apdu.Command{observer.ReadInfo(), observer.Prepare(observer.Range{Count: 1}), observer.Retire(0)} {
		r.want(apdu.UnknownInstruction, cmd)
	}
	r.coins()
	for _, cmd := range []apdu.Command{apdu.GetData(emv.TagATC), apdu.ReadRecord(1, 1), apdu.GPO(nil), apdu.GetChallenge()} {
		r.want(apdu.UnknownInstruction, cmd)
	}
	before := sum(c.Evidence())
	r.ok(observer.Prepare(observer.Range{Count: 2}))
	r.ok(observer.Answer(question(1, 7)))
	if after := sum(c.Evidence()); after != before {
		t.Errorf("the purse went from %+v to %+v", before, after)
	}
	r.insert(pay(1))
	r.generate(apdu.RequestTC, pay(1), cdol1)
	r.ok(observer.Select())
	if i := r.info(); i.Next != 2 {
		t.Errorf("next index %d after a purse payment", i.Next)
	}
}

func TestBlockedPurseLeavesTheCoinsToTheirHolder(t *testing.T) {
	c := newCard(t, withCoins)
	if err := c.commit(func(s *state) { s.blocked = true }); err != nil {
		t.Fatal(err)
	}
	r := power(t, c, Contact)
	r.want(apdu.ApplicationBlocked, apdu.Select([]byte(testAID)))
	r.coins().ok(observer.Prepare(observer.Range{Count: 1}))
	r.ok(observer.Answer(question(0, 1)))
}

// TestSameChallengeSameAnswer: the answer is right, a repetition gets it again
// across losses of power, and any other challenge is refused for ever.
func TestSameChallengeSameAnswer(t *testing.T) {
	memory := new(RAM)
	p := baseProfile
	withCoins(&p)
	if err := Format(memory, p); err != nil {
		t.Fatal(err)
	}
	r := power(t, reopen(t, memory), Contact).coins()
	r.ok(observer.Prepare(observer.Range{Count: 3}))
	q := question(1, 9)
	first := r.ok(observer.Answer(q))
	want := newObserver(coinSecret).Answer(1, mustGet(brands.ParseScalar(q.Challenge[:]))).Bytes()
	if !bytes.Equal(first, want[:]) {
		t.Fatalf("answer %X, want %X", first, want)
	}
	for range 3 {
		r = power(t, reopen(t, memory), Contact).coins()
		if again := r.ok(observer.Answer(q)); !bytes.Equal(again, first) {
			t.Fatalf("answer %X, then %X", first, again)
		}
		r.want(apdu.DataInvalidated, observer.Answer(question(1, 10)))
		r.want(apdu.DataInvalidated, observer.Answer(question(1, 0)))
	}
	if s := mustGet(observer.ParseStatus(r.ok(observer.ReadStatus(1)))); s.State != observer.Answered || s.Challenge != q.Challenge {
		t.Errorf("status %v", s.State)
	}
}

func TestChallengesAreForgottenTheIndexIsNot(t *testing.T) {
	// After maxAnswered others the card no longer knows what it answered; then it
	// refuses even the same challenge, rather than believe the wallet.
	c := newCard(t, withCoins)
	r := power(t, c, Contact).coins()
	for first := uint32(0); first <= maxAnswered; first += 8 {
		r.ok(observer.Prepare(observer.Range{First: first, Count: 8}))
	}
	for index := range uint32(maxAnswered) {
		r.ok(observer.Answer(question(index, 1)))
	}
	r.ok(observer.Answer(question(0, 1)))
	r.ok(observer.Answer(question(maxAnswered, 1)))
	r.want(apdu.DataInvalidated, observer.Answer(question(0, 1)))
	r.ok(observer.Answer(question(1, 1)))
	if s := mustGet(observer.ParseStatus(r.ok(observer.ReadStatus(0)))); s.State != observer.Closed {
		t.Errorf("status %v", s.State)
	}
}

func TestPrepareShowsAgainAndReservesOnce(t *testing.T) {
	c := newCard(t, withCoins)
	r := power(t, c, Contact).coins()
	a := r.ok(observer.Prepare(observer.Range{First: 0, Count: 4}))
	b := r.ok(observer.Prepare(observer.Range{First: 2, Count: 4}))
	if !bytes.Equal(a[2*observer.Size:], b[:2*observer.Size]) || r.info().Next != 6 {
		t.Errorf("next %d", r.info().Next)
	}
	seq := c.coin.seq
	if again := r.ok(observer.Prepare(observer.Range{First: 0, Count: 4})); !bytes.Equal(a, again) || c.coin.seq != seq {
		t.Error("showing again wrote to the memory")
	}
	r.want(apdu.DataNotFound, observer.Prepare(observer.Range{First: 7, Count: 1}))
	want := newObserver(coinSecret).Nonce(3).Bytes()
	if !bytes.Equal(a[3*observer.Size:], want[:]) {
		t.Error("B_O of index 3 is another")
	}
}

func TestWindowFillsAndMakesRoom(t *testing.T) {
	c := newCard(t, withCoins)
	if err := c.commitCoins(func(s *coins) { s.window.prepare(observer.Range{First: openIndices - 4, Count: 2}) }); err != nil {
		t.Fatal(err)
	}
	r := power(t, c, Contact).coins()
	r.want(apdu.NotEnoughSpace, observer.Prepare(observer.Range{First: openIndices - 2, Count: 3}))
	r.ok(observer.Prepare(observer.Range{First: openIndices - 2, Count: 2}))
	r.want(apdu.DataNotFound, observer.Retire(openIndices+1))
	r.ok(observer.Retire(2))
	r.ok(observer.Retire(1)) // it never goes back
	if i := r.info(); i.Low != 2 || i.Next != openIndices {
		t.Errorf("low %d, next %d", i.Low, i.Next)
	}
	r.want(apdu.DataInvalidated, observer.Answer(question(1, 1)))
	r.ok(observer.Answer(question(2, 1)))
	if low := r.info().Low; low != 3 {
		t.Errorf("low %d: it moves over what is closed", low)
	}
	r.ok(observer.Prepare(observer.Range{First: openIndices, Count: 3}))
}

func TestContactsWantThePIN(t *testing.T) {
	c := paired(t)
	r := power(t, c, Contact)
	r.ok(observer.Select())
	for _, cmd := range []apdu.Command{
		observer.Prepare(observer.Range{Count: 1}), observer.Answer(question(0, 1)), observer.Retire(1), observer.Pair(coinSecret),
	} {
		r.want(apdu.SecurityNotSatisfied, cmd)
	}
	r.ok(observer.ReadInfo())
	r.ok(observer.ReadStatus(0))
	r.want(apdu.WrongPIN(2), apdu.Verify(format2("9999")))
	r.want(apdu.SecurityNotSatisfied, observer.Answer(question(0, 1)))
	r.ok(apdu.Verify(format2("1234")))
	r.ok(observer.Answer(question(0, 1)))
	// A PIN holds for one selection.
	r.ok(observer.Select())
	r.want(apdu.SecurityNotSatisfied, observer.Answer(question(1, 1)))
	r.insert(pay(1))
	r.ok(apdu.Verify(format2("1234")))
	r.ok(observer.Select())
	r.want(apdu.SecurityNotSatisfied, observer.Answer(question(1, 1)))
}

func TestPINTriesAreOfTheWholeCard(t *testing.T) {
	c := paired(t)
	r := power(t, c, Contact)
	r.ok(observer.Select())
	r.want(apdu.WrongPIN(2), apdu.Verify(format2("9999")))
	r.gpo(pay(1))
	r.want(apdu.WrongPIN(1), apdu.Verify(format2("9999")))
	r.ok(observer.Select())
	r.want(apdu.WrongPIN(0), apdu.Verify(format2("9999")))
	r.want(apdu.AuthMethodBlocked, apdu.Verify(format2("1234")))
	// Over the air too, since somebody has been guessing.
	a := power(t, c, Contactless)
	a.ok(observer.Select())
	a.want(apdu.AuthMethodBlocked, seal(observer.Answer(question(0, 1))))
}

func TestCardWithoutPINAnswersWhoeverHoldsIt(t *testing.T) {
	c := paired(t, withoutPIN)
	r := power(t, c, Contact)
	r.ok(observer.Select())
	r.want(apdu.DataNotFound, apdu.Verify(format2("1234")))
	r.ok(observer.Answer(question(0, 1)))
	a := power(t, c, Contactless)
	a.ok(observer.Select())
	for index := uint32(1); index < 8; index++ {
		a.ok(seal(observer.Answer(question(index, 1))))
	}
}

func TestAirIsForThePairedWallet(t *testing.T) {
	// A reader in a crowd learns that there is a coin application, and nothing else; in
	// particular it cannot close an index, which would destroy a coin.
	c := paired(t)
	stranger := mustGet(observer.NewSecret(bytes.Repeat([]byte{0x66}, 32)))
	r := power(t, c, Contactless)
	flags := mustGet(observer.ParseSelected(r.ok(observer.Select())))
	if flags != observer.OverAir|observer.HasPIN|observer.Paired {
		t.Errorf("flags %b", flags)
	}
	seq := c.coin.seq
	for _, cmd := range []apdu.Command{
		observer.ReadInfo(), observer.ReadStatus(0), observer.Prepare(observer.Range{Count: 1}), observer.Answer(question(0, 1)), observer.Retire(1),
	} {
		r.want(apdu.UnknownClass, cmd)
		r.want(apdu.SecurityNotSatisfied, observer.Seal(stranger, cmd))
		spoilt := seal(cmd)
		spoilt.Data = bytes.Clone(spoilt.Data)
		spoilt.Data[0] ^= 1
		r.want(apdu.SecurityNotSatisfied, spoilt)
		moved := seal(cmd)
		moved.INS = observer.InsAnswer // the MAC covers the header
		if cmd.INS != observer.InsAnswer {
			r.want(apdu.SecurityNotSatisfied, moved)
		}
	}
	r.want(apdu.UnknownInstruction, seal(observer.Pair(stranger)))
	r.want(apdu.UnknownInstruction, apdu.Verify(format2("1234")))
	if c.coin.seq != seq {
		t.Error("a stranger wrote to the memory")
	}
	r.ok(seal(observer.ReadInfo()))
	r.ok(seal(observer.ReadStatus(0)))
	r.ok(seal(observer.Prepare(observer.Range{First: 8, Count: 1})))
	r.ok(seal(observer.Answer(question(0, 1))))
	r.ok(seal(observer.Retire(1)))
	// Over the contacts the seal is no PIN.
	power(t, c, Contact).ok(observer.Select())
	power(t, c, Contact).coins().want(apdu.UnknownClass, seal(observer.ReadInfo()))
}

func TestUnpairedCardIsSilentOverTheAir(t *testing.T) {
	r := power(t, newCard(t, withCoins), Contactless)
	r.ok(observer.Select())
	r.want(apdu.SecurityNotSatisfied, seal(observer.ReadInfo()))
}

func TestNewPairingForgetsTheOldWallet(t *testing.T) {
	c := paired(t)
	next := mustGet(observer.NewSecret(bytes.Repeat([]byte{0x77}, 32)))
	r := power(t, c, Contact).coins()
	r.want(apdu.WrongData, apdu.Command{CLA: observer.ClaPlain, INS: observer.InsPair, Data: make([]byte, 32), Le: apdu.NoLe})
	r.ok(observer.Pair(next))
	seq := c.coin.seq
	r.ok(observer.Pair(next))
	if c.coin.seq != seq {
		t.Error("the same key was written again")
	}
	a := power(t, c, Contactless)
	a.ok(observer.Select())
	a.want(apdu.SecurityNotSatisfied, seal(observer.ReadInfo()))
	a.ok(observer.Seal(next, observer.ReadInfo()))
}

func TestStolenCardAndPhonePayALimitedNumber(t *testing.T) {
	c := paired(t)
	a := power(t, c, Contactless)
	a.ok(observer.Select())
	for index := range uint32(3) {
		a.ok(seal(observer.Answer(question(index, 1))))
	}
	a.want(apdu.ConditionsNotMet, seal(observer.Answer(question(3, 1))))
	a.ok(seal(observer.Answer(question(0, 1)))) // the same again is nothing new
	power(t, c, Contact).coins()
	a = power(t, c, Contactless)
	a.ok(observer.Select())
	a.ok(seal(observer.Answer(question(3, 1))))
	if left := mustGet(observer.ParseInfo(a.ok(seal(observer.ReadInfo())))).AirLeft; left != 2 {
		t.Errorf("%d answers left", left)
	}
}

func TestCoinCommandsOutOfForm(t *testing.T) {
	raw := func(cla, ins, p1, p2 byte, data ...byte) apdu.Command {
		return apdu.Command{CLA: cla, INS: ins, P1: p1, P2: p2, Data: data, Le: apdu.NoLe}
	}
	order := bytes.Repeat([]byte{0xFF}, 36) // no scalar is that large
	short := observer.ReadInfo()
	short.Le = 5
	for _, tt := range []struct {
		why string
		cmd apdu.Command
		sw  apdu.SW
	}{
		{"unknown instruction", raw(0x80, 0x40, 0, 0), apdu.UnknownInstruction},
		{"another class", raw(0x00, observer.InsInfo, 0, 0), apdu.UnknownClass},
		{"VERIFY of another class", raw(0x80, apdu.InsVerify, 0, 0x80), apdu.UnknownClass},
		{"VERIFY of another PIN", raw(0x00, apdu.InsVerify, 0, 0x81), apdu.WrongP1P2},
		{"VERIFY cut short", raw(0x00, apdu.InsVerify, 0, 0x80, 0x24), apdu.WrongLength},
		{"parameters", raw(0x80, observer.InsInfo, 1, 0), apdu.WrongP1P2},
		{"an answer that would be cut", short, apdu.WrongLength},
		{"INFO with data", raw(0x80, observer.InsInfo, 0, 0, 1), apdu.WrongData},
		{"PREPARE of nothing", raw(0x80, observer.InsPrepare, 0, 0, 0, 0, 0, 0, 0), apdu.WrongData},
		{"PREPARE of too many", raw(0x80, observer.InsPrepare, 0, 0, 0, 0, 0, 0, 9), apdu.WrongData},
		{"PREPARE cut short", raw(0x80, observer.InsPrepare, 0, 0, 0), apdu.WrongData},
		{"ANSWER cut short", raw(0x80, observer.InsAnswer, 0, 0, 0, 0, 0, 0), apdu.WrongData},
		{"ANSWER to no scalar", raw(0x80, observer.InsAnswer, 0, 0, order...), apdu.WrongData},
		{"ANSWER of an index never prepared", observer.Answer(question(0, 1)), apdu.DataNotFound},
		{"STATUS cut short", raw(0x80, observer.InsStatus, 0, 0, 0), apdu.WrongData},
		{"RETIRE without index", raw(0x80, observer.InsRetire, 0, 0), apdu.WrongData},
		{"PAIR with half a key", raw(0x80, observer.InsPair, 0, 0, order[:16]...), apdu.WrongData},
		{"next application of that name", apdu.SelectNext([]byte(observer.AID)), apdu.FileNotFound},
		{"part of the name", apdu.Select([]byte(observer.AID[:6])), apdu.FileNotFound},
	} {
		c := newCard(t, withCoins)
		r := power(t, c, Contact).coins()
		seq := c.coin.seq
		if got := r.send(tt.cmd); got.SW != tt.sw || len(got.Data) != 0 || c.coin.seq != seq {
			t.Errorf("%s: %v with %d bytes, want %v", tt.why, got.SW, len(got.Data), tt.sw)
		}
	}
}

func TestCoinProfileMustBeWhole(t *testing.T) {
	other := coinsPart.Certificate
	other.Identity[3] ^= 1
	for why, part := range map[string]CoinProfile{
		"no certificate":      {Secret: coinSecret},
		"no secret":           {Certificate: coinsPart.Certificate},
		"another certificate": {Secret: coinSecret, Certificate: other},
	} {
		p := baseProfile
		p.Coins = part
		if err := Format(new(RAM), p); err == nil {
			t.Errorf("%s: formatted", why)
		}
	}
}

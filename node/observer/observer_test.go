package observer

import (
	"bytes"
	"crypto/rand"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"

	"jiaozi/crypt/brands"
	"jiaozi/crypt/pin"
	"jiaozi/link/mem"
	"jiaozi/node/perso"
	"jiaozi/role/card"
	"jiaozi/value/money"
	"jiaozi/wire/apdu"
	wire "jiaozi/wire/observer"
)

var (
	network   = brands.Network{1, 2, 3}
	walletKey = must(wire.NewSecret(bytes.Repeat([]byte{0x3A}, wire.Size)))
	digits    = must(pin.Parse("1234"))
)

func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}

// plastic is a card's memory, personalised by an issuer of one; copying it clones
// the card.
var plastic = sync.OnceValues(func() (*card.RAM, perso.Proofs) {
	profile, proofs, err := perso.BuildLone(perso.Lone{Limit: money.New(money.CNY, 500_00), PIN: digits, Today: 20261122})
	if err != nil {
		panic(err)
	}
	m := new(card.RAM)
	if err := card.Format(m, profile); err != nil {
		panic(err)
	}
	return m, proofs
})

func newMemory() *card.RAM {
	m, _ := plastic()
	memory := *m
	return &memory
}

// inserted powers the card in a memory up.
func inserted(t testing.TB, m *card.RAM, side card.Interface) *card.Card {
	t.Helper()
	c, err := card.Open(m, rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := c.PowerOn(side); err != nil {
		t.Fatal(err)
	}
	return c
}

func opened(t testing.TB, m *card.RAM) *Card {
	t.Helper()
	c, err := Open(inserted(t, m, card.Contact), Options{PIN: digits})
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// half is the card's half of an opening proof, as a wallet makes it.
type half struct {
	card  *Card
	index uint32
}

func (h half) Commit() (brands.Element, error) {
	points, err := h.card.Prepare(h.index, 1)
	if err != nil {
		return brands.Element{}, err
	}
	return points[0], nil
}

func (h half) Respond(e brands.Scalar) (brands.Scalar, error) { return h.card.Answer(h.index, e) }

// purse is a wallet with a card: what withdrawing and paying need.
type purse struct {
	holder *brands.Holder
	key    *brands.PrivateKey
	pub    *brands.PublicKey
}

// Key makes purse a brands.Keys.
func (p purse) Key(id brands.KeyID) (*brands.PublicKey, bool) { return p.pub, id == p.pub.ID() }

func newPurse(t testing.TB, c *Card) purse {
	t.Helper()
	identity, _, _, err := c.Identity()
	if err != nil {
		t.Fatal(err)
	}
	key, err := brands.GenerateKey(brands.KeyInfo{
		Network: network, Kind: brands.KindCoin, Currency: money.CNY, Value: 100, Epoch: 202611, From: 10, IssueUntil: 20, SpendUntil: 30, DepositUntil: 40,
	}, rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return purse{brands.NewCardHolder(brands.Digest{7}, network, identity), key, key.Public()}
}

// withdraw makes a coin of an index of the card.
func (p purse) withdraw(t testing.TB, point brands.Element) *brands.Own {
	t.Helper()
	session := brands.Digest{1}
	blinding, err := brands.RandomBlinding(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	w, c, err := p.holder.Challenge(p.pub, blinding, p.key.CommitForCard(session, p.holder.Identity()), &point)
	if err != nil {
		t.Fatal(err)
	}
	own, err := w.Finish(p.key.Respond(session, p.holder.Identity(), c))
	if err != nil {
		t.Fatal(err)
	}
	return own
}

// pay completes a payment on terms with the card's answer.
func (p purse) pay(own *brands.Own, terms brands.Digest, answer func(brands.Scalar) (brands.Scalar, error)) (*brands.Payment, error) {
	spec := brands.FinalSpec(brands.Digest{}, terms)
	d, err := own.CardChallenge(spec)
	if err != nil {
		return nil, err
	}
	r, err := answer(d)
	if err != nil {
		return nil, err
	}
	line, err := own.PayWithCard(spec, r)
	if err != nil {
		return nil, err
	}
	return &brands.Payment{Money: brands.Money{Head: own.Coin()}, Final: line}, nil
}

func (c *Card) answering(index uint32) func(brands.Scalar) (brands.Scalar, error) {
	return func(d brands.Scalar) (brands.Scalar, error) { return c.Answer(index, d) }
}

// TestCardOpensWithdrawsAndPays is a wallet's life with its card: the account opens,
// the certificate holds, a coin is withdrawn and paid, and paid once.
func TestCardOpensWithdrawsAndPays(t *testing.T) {
	c := opened(t, newMemory())
	_, proofs := plastic()
	_, raw, next, err := c.Identity()
	if err != nil || next != 0 {
		t.Fatalf("next %d, %v", next, err)
	}
	certificate, err := wire.ParseCertificate(raw)
	if err != nil || certificate.Verify(proofs.Observer, 20261122) != nil {
		t.Fatalf("certificate: %v", err)
	}
	p := newPurse(t, c)
	opening, err := p.holder.Open([]byte("account"), rand.Reader, half{c, next})
	if err != nil || opening.Verify(network, []byte("account")) != nil {
		t.Fatalf("opening: %v", err)
	}
	points, err := c.Prepare(1, 20)
	if err != nil || len(points) != 20 {
		t.Fatalf("%d points, %v", len(points), err)
	}
	own := p.withdraw(t, points[4])
	terms := brands.Digest{9}
	payment, err := p.pay(own, terms, c.answering(5))
	if err != nil {
		t.Fatal(err)
	}
	if err := payment.VerifyVartime(p, terms, rand.Reader); err != nil {
		t.Fatal(err)
	}
	if _, err := p.pay(own, terms, c.answering(5)); err != nil {
		t.Errorf("the same payment again: %v", err)
	}
	if _, err := p.pay(own, brands.Digest{10}, c.answering(5)); !errors.Is(err, ErrUsed) {
		t.Errorf("another payment with the coin: %v", err)
	}
	if s, err := c.Status(5); err != nil || s.State != wire.Answered {
		t.Errorf("status %v, %v", s.State, err)
	}
	if err := c.Retire(21); err != nil || c.refresh() != nil || c.Info().Low != 21 {
		t.Errorf("retired below 21: low %d, %v", c.Info().Low, err)
	}
}

// TestPhoneAloneCannotPay: without the card's answer to its very index there is no
// line that a payee takes, whatever the phone puts in its place.
func TestPhoneAloneCannotPay(t *testing.T) {
	c := opened(t, newMemory())
	points, err := c.Prepare(0, 2)
	if err != nil {
		t.Fatal(err)
	}
	p, terms := newPurse(t, c), brands.Digest{9}
	own := p.withdraw(t, points[0])
	if _, err := own.Pay(brands.FinalSpec(brands.Digest{}, terms)); !errors.Is(err, brands.ErrNeedsCard) {
		t.Errorf("without a card: %v", err)
	}
	for why, answer := range map[string]func(brands.Scalar) (brands.Scalar, error){
		"nothing":               func(brands.Scalar) (brands.Scalar, error) { return brands.Scalar{}, nil },
		"the challenge":         func(d brands.Scalar) (brands.Scalar, error) { return d, nil },
		"another index's reply": c.answering(1),
	} {
		payment, err := p.pay(own, terms, answer)
		if !errors.Is(err, brands.ErrCard) {
			t.Errorf("%s in place of the answer: %v, payment %v", why, err, payment != nil)
		}
	}
}

// TestClonedOrRolledBackCardNamesItsHolder: whoever copies the memory out of a card,
// or puts an older image back, can have an index answered twice. The two payments
// then name his account.
func TestClonedOrRolledBackCardNamesItsHolder(t *testing.T) {
	memory := newMemory()
	c := opened(t, memory)
	points, err := c.Prepare(0, 1)
	if err != nil {
		t.Fatal(err)
	}
	p := newPurse(t, c)
	own, clone := p.withdraw(t, points[0]), *memory
	first, err := p.pay(own, brands.Digest{1}, c.answering(0))
	if err != nil {
		t.Fatal(err)
	}
	second, err := p.pay(own, brands.Digest{2}, opened(t, &clone).answering(0))
	if err != nil {
		t.Fatalf("a clone that refuses is no clone: %v", err)
	}
	for i, payment := range []*brands.Payment{first, second} {
		if err := payment.VerifyVartime(p, brands.Digest{byte(i + 1)}, rand.Reader); err != nil {
			t.Fatalf("payee %d: %v", i+1, err)
		}
	}
	named, _, err := brands.TraceVartime(first.Points(brands.Digest{1})[0], second.Points(brands.Digest{2})[0])
	if err != nil || !named.Equal(p.holder.Identity()) {
		t.Fatalf("the two payments name %v, the holder is %v (%v)", named, p.holder.Identity(), err)
	}
}

// wish is one thing that a wallet wants from its card, and what it heard.
type wish struct {
	name string
	do   func(c *Card) (string, error)
}

func wishes() []wish {
	d, _ := brands.ParseScalar(append([]byte{5}, make([]byte, 31)...))
	return []wish{
		{"prepare", func(c *Card) (string, error) { p, err := c.Prepare(0, 11); return fmt.Sprint(p), err }},
		{"answer", func(c *Card) (string, error) { r, err := c.Answer(3, d); return r.String(), err }},
		{"retire", func(c *Card) (string, error) { return "", c.Retire(2) }},
		{"status", func(c *Card) (string, error) { s, err := c.Status(3); return fmt.Sprint(s), err }},
		{"pair", func(c *Card) (string, error) { return "", c.Pair(walletKey) }},
	}
}

// TestEveryLostCommandOrAnswerCanBeAskedAgain loses each command, and each answer,
// of a wallet's life with its card in turn. The wallet presents the card again and
// asks the same: it hears what it would have heard, and the card ends in the same
// state.
func TestEveryLostCommandOrAnswerCanBeAskedAgain(t *testing.T) {
	whole := newMemory()
	count, heard := 0, ""
	line := mem.Trace(inserted(t, whole, card.Contact), func(mem.Exchange) { count++ })
	for _, said := range live(t, whole, line) {
		heard += said
	}
	end := stateOf(t, whole)
	for n := range count {
		for name, lose := range map[string]func(apdu.Card, mem.Moment) apdu.Card{"command": mem.LoseCommand, "answer": mem.LoseAnswer} {
			memory := newMemory()
			again := ""
			for _, said := range live(t, memory, lose(inserted(t, memory, card.Contact), mem.Nth(n))) {
				again += said
			}
			if again != heard || stateOf(t, memory) != end {
				t.Fatalf("%s %d lost: the wallet heard or left something else", name, n)
			}
		}
	}
	if count < 8 {
		t.Fatalf("only %d commands", count)
	}
}

// live asks every wish of a card on a line that may break once.
func live(t *testing.T, memory *card.RAM, line apdu.Card) (heard []string) {
	t.Helper()
	c, err := Open(line, Options{PIN: digits})
	for _, w := range wishes() {
		said := ""
		if err == nil {
			said, err = w.do(c)
		}
		if err != nil {
			if !errors.Is(err, apdu.ErrGone) {
				t.Fatalf("%s: %v", w.name, err)
			}
			c = opened(t, memory)
			if said, err = w.do(c); err != nil {
				t.Fatalf("%s after presenting the card again: %v", w.name, err)
			}
		}
		heard = append(heard, said)
	}
	return heard
}

// stateOf is what the card says of itself.
func stateOf(t *testing.T, m *card.RAM) card.CoinEvidence {
	t.Helper()
	c, err := card.Open(m, rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return *c.Evidence().Coins
}

func TestOverTheAirNeedsPairing(t *testing.T) {
	memory := newMemory()
	byAir := func(key wire.Secret) (*Card, error) {
		return Open(inserted(t, memory, card.Contactless), Options{PIN: digits, Wallet: key})
	}
	if _, err := byAir(walletKey); !errors.Is(err, ErrUnpaired) {
		t.Errorf("never paired: %v", err)
	}
	if err := opened(t, memory).Pair(walletKey); err != nil {
		t.Fatal(err)
	}
	for _, key := range []wire.Secret{{}, must(wire.NewSecret(bytes.Repeat([]byte{1}, 32)))} {
		if _, err := byAir(key); !errors.Is(err, ErrUnpaired) {
			t.Errorf("with %v: %v", key, err)
		}
	}
	c, err := byAir(walletKey)
	if err != nil {
		t.Fatal(err)
	}
	points, err := c.Prepare(0, 200)
	if err != nil || len(points) != 200 {
		t.Fatalf("%d points, %v", len(points), err)
	}
	for index := range uint32(200) {
		_, err := c.Answer(index, brands.Scalar{})
		if errors.Is(err, ErrAirLimit) {
			if err := c.Pair(walletKey); !errors.Is(err, ErrUnpaired) {
				t.Errorf("pairing by air: %v", err)
			}
			return
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	t.Error("the card answers without end over the air")
}

// silent is a line with nothing on it, or with something that is no card of ours.
type silent struct {
	answer apdu.Response
	err    error
}

func (s silent) Transmit(apdu.Command) (apdu.Response, error) { return s.answer, s.err }

func TestErrorsSayWhatToDo(t *testing.T) {
	other := brands.NewObserver(brands.Digest{1}).Identity()
	bare := newMemory()
	for n := card.PursePages; n < card.ImagePages; n++ {
		bare[n] = [card.PageSize]byte{}
	}
	wrong := must(pin.Parse("9999"))
	contact := func(m *card.RAM) apdu.Card { return inserted(t, m, card.Contact) }
	tired := contact(newMemory())
	for _, tt := range []struct {
		why  string
		line apdu.Card
		o    Options
		want error
		says string
	}{
		{"nothing there", silent{err: apdu.ErrGone}, Options{}, apdu.ErrGone, "present it again"},
		{"a card without coins", contact(bare), Options{}, ErrNoCoins, "present the wallet's card"},
		{"another card", contact(newMemory()), Options{Card: &other}, ErrOther, "present the wallet's own"},
		{"something else", silent{answer: apdu.Response{SW: 0x6F42}}, Options{}, ErrStrange, "6F42"},
		{"a card that talks nonsense", silent{answer: apdu.Response{Data: []byte{1}, SW: apdu.OK}}, Options{}, ErrStrange, "newer"},
		{"a wrong PIN", tired, Options{PIN: wrong}, ErrWrongPIN, "2 tries left"},
		{"a wrong PIN again", tired, Options{PIN: wrong}, ErrWrongPIN, "1 tries left"},
		{"the last wrong PIN", tired, Options{PIN: wrong}, ErrBlocked, "issuer"},
		{"the right PIN, too late", tired, Options{PIN: digits}, ErrBlocked, "issuer"},
	} {
		_, err := Open(tt.line, tt.o)
		if !errors.Is(err, tt.want) || !strings.Contains(err.Error(), tt.says) {
			t.Errorf("%s: %v", tt.why, err)
		}
	}
}

func TestRefusalsHaveNames(t *testing.T) {
	memory := newMemory()
	line := inserted(t, memory, card.Contact)
	c, err := Open(line, Options{}) // without PIN: looking only
	if err != nil {
		t.Fatal(err)
	}
	if _, err := c.Answer(0, brands.Scalar{}); !errors.Is(err, ErrNeedsPIN) {
		t.Errorf("without PIN: %v", err)
	}
	if c, err = Open(line, Options{PIN: digits}); err != nil {
		t.Fatal(err)
	}
	window := int(c.Info().Window)
	for why, tt := range map[string]struct {
		err  error
		want error
	}{
		"never prepared": {second(c.Answer(0, brands.Scalar{})), ErrUnknown},
		"a gap":          {second(c.Prepare(1, 1)), ErrUnknown},
		"more than ever": {second(c.Prepare(0, window+1)), ErrFull},
		"less than none": {second(c.Prepare(0, -1)), ErrFull},
		"retired unborn": {c.Retire(1), ErrUnknown},
		"nothing at all": {second(c.Prepare(0, 0)), nil},
	} {
		if !errors.Is(tt.err, tt.want) {
			t.Errorf("%s: %v", why, tt.err)
		}
	}
	if _, err := c.Prepare(0, window); err != nil {
		t.Errorf("the whole window: %v", err)
	}
	if _, err := c.Prepare(uint32(window), 1); !errors.Is(err, ErrFull) {
		t.Errorf("a full window: %v", err)
	}
	if _, err := line.PowerOn(card.Contact); err != nil {
		t.Fatal(err)
	}
	if _, err := c.Answer(0, brands.Scalar{}); !errors.Is(err, apdu.ErrGone) {
		t.Errorf("after a reset that nobody told of: %v", err)
	}
}

func second[T any](_ T, err error) error { return err }

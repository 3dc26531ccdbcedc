package brands

import (
	"errors"
	"fmt"
	"testing"

	"pgregory.net/rapid"

	"jiaozi/crypt/internal/secrettest"
)

// TestHonestCoinIsPaidAnywhere: whatever the hands and hops, a coin that honest parties made is accepted in every form of
// verification, and its decoding encodes to the same bytes.
func TestHonestCoinIsPaidAnywhere(t *testing.T) {
	w := newTown(t)
	rapid.Check(t, func(r *rapid.T) {
		name, hops := rapid.String().Draw(r, "name"), rapid.IntRange(0, MaxHops).Draw(r, "hops")
		terms := digestOf("terms %d", rapid.Uint64().Draw(r, "terms"))
		key := rapid.SampledFrom([]*PrivateKey{w.coin, w.big}).Draw(r, "key")
		p := payment(t, w, key, terms, name, hops)
		if p = parsed(t, p); p.Hops() != hops {
			r.Fatal(p.Hops())
		}
		for what, err := range map[string]error{
			"one sum": p.VerifyVartime(w, terms, dice("w")), "equations": p.VerifyEquationsVartime(w, terms), "in the hand": p.Money.VerifyVartime(w, dice("w")),
			"head": p.Head.VerifyVartime(w.known[p.Head.Key()]), "last": p.Last().VerifyVartime(w.known[p.Last().Key()]),
		} {
			if err != nil {
				r.Fatalf("%s: %v", what, err)
			}
		}
		if bad, err := VerifyBatchVartime(w, []*Payment{p, p}, []Digest{terms, terms}, dice("w")); err != nil || len(bad) != 0 {
			r.Fatal(bad, err)
		}
		if value := got(p.Value(w))(t); value.Minor() != key.Public().Info().Value {
			r.Fatal(value)
		}
	})
}

// townOfBad lists payments that are wrong in one way each; good is what they were made from.
func townOfBad(t *testing.T, w *town, terms Digest) map[string]*Payment {
	t.Helper()
	make := func(change func(p, other *Payment)) *Payment {
		p, other := payment(t, w, w.coin, terms, "a", 2), payment(t, w, w.coin, terms, "b", 2)
		change(p, other)
		return p
	}
	return map[string]*Payment{
		"final line of another": make(func(p, o *Payment) { p.Final = o.Final }),
		"ordinates exchanged":   make(func(p, _ *Payment) { p.Final.R1, p.Final.R2 = p.Final.R2, p.Final.R1 }),
		"head of another":       make(func(p, o *Payment) { p.Head = o.Head }),
		"signature of another":  make(func(p, o *Payment) { p.Head.r = o.Head.r }),
		"a' of another":         make(func(p, o *Payment) { p.Head.ca = o.Head.ca }),
		"z' of another":         make(func(p, o *Payment) { p.Head.z = o.Head.z }),
		"B of another":          make(func(p, o *Payment) { p.Head.b = o.Head.b }),
		"B that is none":        make(func(p, _ *Payment) { p.Head.b[31] |= 0x80 }),
		"B the identity":        make(func(p, _ *Payment) { p.Head.b = [Size]byte{} }),
		"key of another value":  make(func(p, _ *Payment) { p.Head.key = w.big.Public().ID() }),
		"unknown key":           make(func(p, _ *Payment) { p.Head.key[0] ^= 1 }),
		"link of another":       make(func(p, o *Payment) { p.Links[1] = o.Links[1] }),
		"line of a link":        make(func(p, o *Payment) { p.Links[0].Line = o.Links[0].Line }),
		"links exchanged":       make(func(p, _ *Payment) { p.Links[0], p.Links[1] = p.Links[1], p.Links[0] }),
		"link left out":         make(func(p, _ *Payment) { p.Links = p.Links[:1] }),
		"same blank twice":      make(func(p, _ *Payment) { p.Links[1].Next = p.Links[0].Next }),
		"a coin as a blank":     make(func(p, o *Payment) { p.Links[1].Next = o.Head }),
		"a blank as the head":   make(func(p, _ *Payment) { p.Head, p.Links = p.Links[0].Next, p.Links[1:] }),
		"too many hops": make(func(p, o *Payment) {
			p.Links = append(append(append(p.Links, o.Links...), p.Links...), append(o.Links, p.Links[0])...)
		}),
		"no coin at all":          {},
		"a coin without elements": make(func(p, _ *Payment) { p.Head = Coin{key: p.Head.key} }),
	}
}

// TestBadPaymentIsRefusedAndFound: each is refused by both forms, and found, alone and all together, in a batch of good ones.
func TestBadPaymentIsRefusedAndFound(t *testing.T) {
	w, terms := newTown(t), digestOf("terms")
	good := payment(t, w, w.coin, terms, "a", 2)
	batch, list, where := []*Payment{}, []Digest{}, []int{}
	for what, p := range townOfBad(t, w, terms) {
		one, plain := p.VerifyVartime(w, terms, dice("w")), p.VerifyEquationsVartime(w, terms)
		if one == nil || plain == nil || one.Error() != plain.Error() {
			t.Errorf("%s: in one sum %v, by equations %v", what, one, plain)
		}
		bad, err := VerifyBatchVartime(w, []*Payment{good, p, good}, []Digest{terms, terms, terms}, dice("w"))
		if err != nil || len(bad) != 1 || bad[0] != 1 {
			t.Errorf("%s: found %v, %v", what, bad, err)
		}
		where = append(where, len(batch)+1)
		batch, list = append(batch, good, p, good), append(list, terms, terms, terms)
	}
	bad, err := VerifyBatchVartime(w, batch, list, dice("w"))
	if err != nil || fmt.Sprint(bad) != fmt.Sprint(where) {
		t.Errorf("found %v, not %v, %v", bad, where, err)
	}
	if bad, err := VerifyBatchVartime(w, nil, nil, dice("w")); err != nil || len(bad) != 0 {
		t.Error("an empty batch:", bad, err)
	}
	if _, err := VerifyBatchVartime(w, batch, list[1:], dice("w")); err == nil {
		t.Error("payments without terms were decided")
	}
	for _, err := range []error{good.VerifyVartime(w, terms, broken{}), second(VerifyBatchVartime(w, batch, list, broken{}))} {
		if !errors.Is(err, errBroken) {
			t.Error("verified without random weights:", err)
		}
	}
}

var errBroken = errors.New("no randomness here")

type broken struct{}

func (broken) Read([]byte) (int, error) { return 0, errBroken }

func second[T any](_ T, err error) error { return err }

// TestTermsBindThePayment: a payment made for one payee, amount, time, nonce, contract, group or network fits no other.
func TestTermsBindThePayment(t *testing.T) {
	w := newTown(t)
	base := Terms{Network: testNet, Payee: PayeeOf(testNet, "shop"), Currency: 156, Amount: 100, Time: 7, Nonce: [16]byte{9}, Contract: digestOf("tea"), Group: "canteen"}
	p := payment(t, w, w.coin, base.Digest(), "a", 1)
	if err := p.VerifyVartime(w, base.Digest(), dice("w")); err != nil {
		t.Fatal(err)
	}
	for what, change := range map[string]func(x *Terms){
		"network": func(x *Terms) { x.Network[0]++ }, "payee": func(x *Terms) { x.Payee = PayeeOf(testNet, "shop2") },
		"payee elsewhere": func(x *Terms) { x.Payee = PayeeOf(Network{}, "shop") },
		"currency":        func(x *Terms) { x.Currency++ }, "amount": func(x *Terms) { x.Amount++ }, "time": func(x *Terms) { x.Time++ },
		"nonce": func(x *Terms) { x.Nonce[15]++ }, "contract": func(x *Terms) { x.Contract[31]++ }, "group": func(x *Terms) { x.Group = "" },
	} {
		other := base
		change(&other)
		if err := p.VerifyVartime(w, other.Digest(), dice("w")); !errors.Is(err, ErrLine) {
			t.Errorf("%s: %v", what, err)
		}
	}
}

// TestSecondPaymentNamesTheSpender: two payments with one coin give u1, and u1·G1 is the account of who paid; one payment
// twice gives nothing, and neither do points of two coins give the account of an owner.
func TestSecondPaymentNamesTheSpender(t *testing.T) {
	w := newTown(t)
	rapid.Check(t, func(r *rapid.T) {
		h := holderOf(rapid.String().Draw(r, "name"))
		own := withdraw(t, h, w.coin, 0)
		point := func(terms string) Point3 {
			d := digestOf("%s", terms)
			p := &Payment{Money{Head: own.Coin()}, got(own.Pay(FinalSpec(Digest{}, d)))(t)}
			return got(ParsePoint3(p.Points(d)[0].Append(nil)))(t)
		}
		a, b := point("shop"), point("another "+rapid.String().Draw(r, "shop"))
		identity, secret, err := TraceVartime(a, b)
		if err != nil || !identity.Equal(h.Identity()) || secret.Bytes() != h.u1.reveal() {
			r.Fatal(identity, err)
		}
		if _, _, err := TraceVartime(a, a); !errors.Is(err, ErrTrace) {
			r.Fatal("one point names", err)
		}
		other := withdraw(t, holderOf("somebody else"), w.coin, 1)
		c := Point3{other.coin.abscissa(Digest{}), got(other.Pay(Digest{}))(t)}
		if identity, _, err := TraceVartime(a, c); err == nil && (identity.Equal(h.Identity()) || identity.Equal(holderOf("somebody else").Identity())) {
			r.Fatal("points of two coins name an owner")
		}
	})
}

// testCard is an observer for tests: it answers whatever it is asked.
type testCard struct{ o1, o2 secret }

func newTestCard(t *testing.T, name string) *testCard {
	return &testCard{got(drawSecret(dice("o1 %s", name)))(t), got(drawSecret(dice("o2 %s", name)))(t)}
}

func (c *testCard) identity() Element        { return newElement(times1(c.o1.num())) }
func (c *testCard) Commit() (Element, error) { return newElement(times1(c.o2.num())), nil }
func (c *testCard) Respond(d Scalar) (Scalar, error) {
	return open(mulAdd(d.num(), c.o1.num(), c.o2.num())), nil
}

// withdrawWithCard plays one session of a holder whose secret is partly in a card.
func withdrawWithCard(t *testing.T, h *Holder, card *testCard, key *PrivateKey) *Own {
	t.Helper()
	nonce := got(card.Commit())(t)
	com := key.CommitForCard(digestOf("s"), h.Identity())
	com = got(ParseCommitment(com.Append(nil)))(t)
	bl := DeriveBlinding(digestOf("card"), key.Public().ID(), 0)
	wd, c, err := h.Challenge(key.Public(), bl, com, &nonce)
	if err != nil {
		t.Fatal(err)
	}
	r := key.Respond(digestOf("s"), h.Identity(), c)
	own := got(wd.Finish(r))(t)
	again := got(h.Recall(key.Public(), bl, c, r, com.Image, &nonce))(t)
	if string(again.Append(nil)) != string(own.Append(nil)) {
		t.Fatal("the coin that was recalled is another")
	}
	wrong := com
	image := newElement(times0(rawScalar(1)))
	wrong.Image = &image
	wd, c, err = h.Challenge(key.Public(), bl, wrong, &nonce)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := wd.Finish(key.Respond(digestOf("s"), h.Identity(), c)); !errors.Is(err, ErrAnswer) {
		t.Fatal("a wrong image made a coin:", err)
	}
	return own
}

// TestCardAndPhonePayTogether: with the card's answer the payment is like any other; without it, or with a wrong one, there
// is none, and a card that answers twice names the account of card and phone.
func TestCardAndPhonePayTogether(t *testing.T) {
	w, card, terms := newTown(t), newTestCard(t, "c"), digestOf("terms")
	h := NewCardHolder(digestOf("phone"), testNet, card.identity())
	own := withdrawWithCard(t, h, card, w.coin)
	own = got(ParseOwn(own.Append(nil)))(t)
	pay := func(terms Digest) *Payment {
		spec := FinalSpec(Digest{}, terms)
		d := got(own.CardChallenge(spec))(t)
		return parsed(t, &Payment{Money{Head: own.Coin()}, got(own.PayWithCard(spec, got(card.Respond(d))(t)))(t)})
	}
	p := pay(terms)
	if err := p.VerifyVartime(w, terms, dice("w")); err != nil {
		t.Fatal(err)
	}
	if _, err := own.Pay(digestOf("spec")); !errors.Is(err, ErrNeedsCard) {
		t.Error("the phone paid alone:", err)
	}
	if _, err := own.PayWithCard(digestOf("spec"), Scalar{}); !errors.Is(err, ErrCard) {
		t.Error("a wrong answer was taken:", err)
	}
	if identity, _, err := TraceVartime(p.Points(terms)[0], pay(digestOf("2")).Points(digestOf("2"))[0]); err != nil || !identity.Equal(h.Identity()) {
		t.Error("a broken card is not named:", identity, err)
	}
	plain := withdraw(t, holderOf("a"), w.coin, 0)
	if _, err := plain.CardChallenge(Digest{}); !errors.Is(err, ErrKind) {
		t.Error(err)
	}
	if _, err := plain.PayWithCard(Digest{}, Scalar{}); !errors.Is(err, ErrKind) {
		t.Error(err)
	}
}

// TestOpeningProvesTheSecret: the proof holds for its network and context only, needs the card where there is one, and an
// account that would give coins without a name is refused.
func TestOpeningProvesTheSecret(t *testing.T) {
	h, card, context := holderOf("a"), newTestCard(t, "c"), []byte("bank A")
	withCard := NewCardHolder(digestOf("phone"), testNet, card.identity())
	for _, o := range []Opening{got(h.Open(context, dice("1"), nil))(t), got(withCard.Open(context, dice("2"), card))(t)} {
		o = got(ParseOpening(o.Append(nil)))(t)
		if err := o.Verify(testNet, context); err != nil {
			t.Error(err)
		}
		if o.Verify(Network{}, context) == nil || o.Verify(testNet, []byte("bank B")) == nil {
			t.Error("the proof holds elsewhere")
		}
	}
	if second(h.Open(context, dice("1"), card)) == nil || second(withCard.Open(context, dice("1"), nil)) == nil {
		t.Error("card and account are not of one kind")
	}
	if err := second(withCard.Open(context, dice("1"), newTestCard(t, "other"))); !errors.Is(err, ErrCard) {
		t.Error("another card opened the account:", err)
	}
	// The cheat: I = kG - G2 gives I + G2 = kG; he knows k, but not I to the base G1. With k = 0, I + G2 is nothing.
	nobody := newElement(plus(times2(rawMinusOne())))
	for _, o := range []Opening{{Account: nobody}, {Account: newElement(plus(times0(rawScalar(1)), times2(rawMinusOne())))}, {}} {
		if err := o.Verify(testNet, context); !errors.Is(err, ErrProof) {
			t.Error("an account without a name was opened:", err)
		}
	}
}

// TestWrongAnswerMakesNoCoin: nor does one of another session, and what comes with the wrong card, network or kind is
// refused before a challenge is made.
func TestWrongAnswerMakesNoCoin(t *testing.T) {
	w, h := newTown(t), holderOf("a")
	key, session := w.coin, digestOf("session")
	bl := got(RandomBlinding(dice("b")))(t)
	com := key.Commit(session, h.Identity())
	wd, c, err := h.Challenge(key.Public(), bl, com, nil)
	if err != nil {
		t.Fatal(err)
	}
	for what, r := range map[string]Scalar{
		"zero": {}, "the challenge": c, "another session": key.Respond(digestOf("other"), h.Identity(), c),
		"another account": key.Respond(session, holderOf("b").Identity(), c), "another key": w.big.Respond(session, h.Identity(), c),
	} {
		if _, err := wd.Finish(r); !errors.Is(err, ErrAnswer) {
			t.Errorf("%s: %v", what, err)
		}
	}
	r := key.Respond(session, h.Identity(), c)
	own := got(wd.Finish(r))(t)
	if recalled := got(h.Recall(key.Public(), bl, c, r, nil, nil))(t); string(recalled.Append(nil)) != string(own.Append(nil)) {
		t.Error("recalled another coin")
	}
	if _, err := h.Recall(key.Public(), got(RandomBlinding(dice("x")))(t), c, r, nil, nil); !errors.Is(err, ErrAnswer) {
		t.Error("recalled with other factors:", err)
	}
	elsewhere := infoOf(KindCoin, 100)
	elsewhere.Network[5]++
	image := com
	image.Image = &com.A
	for what, err := range map[string]error{
		"network":    third(h.Challenge(keyOf(t, elsewhere).Public(), bl, com, nil)),
		"card":       third(h.Challenge(key.Public(), bl, com, &com.A)),
		"image":      third(h.Challenge(key.Public(), bl, image, nil)),
		"commitment": third(h.Challenge(key.Public(), bl, Commitment{}, nil)),
	} {
		if err == nil {
			t.Errorf("%s: challenged", what)
		}
	}
	if _, err := RandomBlinding(zeros{}); err == nil {
		t.Error("factors of zeros")
	}
}

type zeros struct{}

func (zeros) Read(b []byte) (int, error) {
	clear(b)
	return len(b), nil
}

func third[T, U any](_ T, _ U, err error) error { return err }

// TestSessionRepeatsItsAnswer: commitment and answer are functions of key, session and account, so that the mint can lose
// everything but those; nothing else repeats a nonce.
func TestSessionRepeatsItsAnswer(t *testing.T) {
	w := newTown(t)
	again := got(ParsePrivateKey(w.coin.Public().Info(), sliceOf(w.coin.Bytes())))(t)
	a, b := holderOf("a").Identity(), holderOf("b").Identity()
	seen := make(map[[Size]byte]bool)
	for _, k := range []*PrivateKey{w.coin, w.big} {
		for _, account := range []Element{a, b} {
			for _, s := range []Digest{{1}, {2}} {
				seen[k.Commit(s, account).A.Bytes()] = true
			}
		}
	}
	if len(seen) != 8 {
		t.Errorf("%d nonces for 8 sessions", len(seen))
	}
	if c := again.Commit(Digest{1}, a); !seen[c.A.Bytes()] || again.Respond(Digest{1}, a, Scalar{}) != w.coin.Respond(Digest{1}, a, Scalar{}) {
		t.Error("the key that was stored answers otherwise")
	}
	if string(again.Public().Append(nil)) != string(w.coin.Public().Append(nil)) {
		t.Error("the key that was stored has another public half")
	}
}

func sliceOf(b [Size]byte) []byte { return b[:] }

// TestSecretsShowNothing: keys, holders, factors and own coins print nothing of themselves anywhere.
func TestSecretsShowNothing(t *testing.T) {
	w, h, bl := newTown(t), holderOf("a"), DeriveBlinding(Digest{1}, KeyID{}, 0)
	own := withdraw(t, h, w.coin, 0)
	wd, _, err := h.Challenge(w.coin.Public(), bl, w.coin.Commit(Digest{}, h.Identity()), nil)
	if err != nil {
		t.Fatal(err)
	}
	secrettest.Check(t, w.coin, sliceOf(w.coin.Bytes()))
	secrettest.Check(t, *w.coin, sliceOf(w.coin.Bytes()))
	secrettest.Check(t, h, sliceOf(h.u1.reveal()))
	secrettest.Check(t, *h, sliceOf(h.u1.reveal()))
	for _, part := range own.parts(own.form()) {
		secrettest.Check(t, own, sliceOf(part.reveal()))
		secrettest.Check(t, *own, sliceOf(part.reveal()))
	}
	for _, part := range bl.factors() {
		secrettest.Check(t, bl, sliceOf(part.reveal()))
		secrettest.Check(t, *bl, sliceOf(part.reveal()))
		secrettest.Check(t, wd, sliceOf(part.reveal()))
		secrettest.Check(t, *part, sliceOf(part.reveal()))
	}
}

// TestNothingIsNoElement: values that no decoder made, left empty by a caller's mistake, are refused everywhere: without
// coordinates they would equal anything.
func TestNothingIsNoElement(t *testing.T) {
	w, h := newTown(t), holderOf("a")
	own := withdraw(t, h, w.coin, 0)
	coin, none := own.Coin(), Element{}
	claim := got(NewClaim(h, own, dice("claim")))(t)
	for what, err := range map[string]error{
		"coin": (&Coin{key: w.coin.Public().ID()}).VerifyVartime(w.coin.Public()), "claim by nobody": claim.VerifyVartime(&coin, none),
		"claim on nothing": claim.VerifyVartime(&Coin{}, h.Identity()), "opening": Opening{}.Verify(testNet, nil),
		"card": Guarded(h.Identity(), h.Identity(), none), "account": Guarded(none, h.Identity(), h.Identity()),
	} {
		if err == nil {
			t.Errorf("%s: nothing was taken for something", what)
		}
	}
	defer func() {
		if recover() == nil {
			t.Error("the mint committed to no account")
		}
	}()
	w.coin.Commit(Digest{}, none)
}

// TestDescriptionIsPartOfTheKey: a mint that used one secret for two values, epochs, groups, currencies, kinds or networks
// would still have made two keys: no coin or payment of the one holds under the other.
func TestDescriptionIsPartOfTheKey(t *testing.T) {
	w, terms := newTown(t), digestOf("terms")
	p := payment(t, w, w.coin, terms, "a", 1)
	for what, change := range map[string]func(i *KeyInfo){
		"value": func(i *KeyInfo) { i.Value *= 2 }, "epoch": func(i *KeyInfo) { i.Epoch++ }, "group": func(i *KeyInfo) { i.Group = "canteen" },
		"currency": func(i *KeyInfo) { i.Currency++ }, "network": func(i *KeyInfo) { i.Network[0]++ }, "dates": func(i *KeyInfo) { i.DepositUntil++ },
		"kind": func(i *KeyInfo) { i.Kind, i.Depth = KindNote, 2 },
	} {
		info := w.coin.Public().Info()
		change(&info)
		twin := w.learn(t, got(ParsePrivateKey(info, sliceOf(w.coin.Bytes())))(t))
		other := *p
		other.Head.key = twin.ID()
		if twin.ID() == w.coin.Public().ID() || other.Head.VerifyVartime(twin) == nil || other.VerifyVartime(w, terms, dice("w")) == nil || other.VerifyEquationsVartime(w, terms) == nil {
			t.Errorf("%s: the coin holds under a twin of its key", what)
		}
		if err := p.Head.VerifyVartime(twin); !errors.Is(err, ErrSignature) {
			t.Errorf("%s: %v", what, err)
		}
	}
}

package brands

import (
	"errors"
	"io"
	"testing"

	"pgregory.net/rapid"
)

// A hall is a mint with one key of each kind, and the dice. It issues without guarding anything, as tests want it.
type hall struct {
	t                 failer
	dice              io.Reader
	coin, blank, note *PrivateKey
}

type failer interface {
	Helper()
	Fatal(...any)
	Fatalf(string, ...any)
}

const noteDepth = 3

func newHall(t failer, seed uint64) *hall {
	t.Helper()
	h := &hall{t: t, dice: dice("hall %d", seed)}
	note := infoOf(KindNote, 80)
	note.Depth = noteDepth
	h.coin, h.blank, h.note = h.key(infoOf(KindCoin, 100)), h.key(infoOf(KindBlank, 0)), h.key(note)
	return h
}

func (h *hall) key(info KeyInfo) *PrivateKey {
	h.t.Helper()
	k, err := GenerateKey(info, h.dice)
	if err != nil {
		h.t.Fatal(err)
	}
	return k
}

// Key makes the hall the Keys of its own coins.
func (h *hall) Key(id KeyID) (*PublicKey, bool) {
	for _, k := range []*PrivateKey{h.coin, h.blank, h.note} {
		if k.Public().ID() == id {
			return k.Public(), true
		}
	}
	return nil, false
}

func (h *hall) digest() (d Digest) {
	_, _ = h.dice.Read(d[:])
	return d
}

// A person holds an account, perhaps with a card.
type person struct {
	hall   *hall
	holder *Holder
	card   *Observer
	index  uint32
}

func (h *hall) person() *person { return &person{hall: h, holder: NewHolder(h.digest(), testNet)} }

func (h *hall) cardPerson() *person {
	card := NewObserver(h.digest())
	return &person{hall: h, card: card, holder: NewCardHolder(h.digest(), testNet, card.Identity())}
}

// A piece of property: the coin, its owner, and the index of its card part.
type owned struct {
	*Own
	by    *person
	index uint32
}

func (p *person) withdraw(key *PrivateKey) *owned {
	h := p.hall
	h.t.Helper()
	bl, err := RandomBlinding(h.dice)
	if err != nil {
		h.t.Fatal(err)
	}
	return p.withdrawWith(key, bl)
}

func (p *person) withdrawWith(key *PrivateKey, bl *Blinding) *owned {
	h := p.hall
	h.t.Helper()
	session, account := h.digest(), p.holder.Identity()
	com, nonce := key.Commit(session, account), (*Element)(nil)
	if p.card != nil {
		p.index++
		b := p.card.Nonce(p.index)
		com, nonce = key.CommitForCard(session, account), &b
	}
	w, c, err := p.holder.Challenge(key.Public(), bl, com, nonce)
	if err != nil {
		h.t.Fatal(err)
	}
	own, err := w.Finish(key.Respond(session, account, c))
	if err != nil {
		h.t.Fatal(err)
	}
	return &owned{Own: own, by: p, index: p.index}
}

// answer gives the line, through the card if there is one. It guards nothing: tests cheat with it.
func (o *owned) answer(spec Digest) Line {
	t := o.by.hall.t
	t.Helper()
	if o.by.card == nil {
		line, err := o.Pay(spec)
		if err != nil {
			t.Fatal(err)
		}
		return line
	}
	d, err := o.CardChallenge(spec)
	if err != nil {
		t.Fatal(err)
	}
	line, err := o.PayWithCard(spec, o.by.card.Answer(o.index, d))
	if err != nil {
		t.Fatal(err)
	}
	return line
}

// pointOf is the point that an owner gives for a spec.
func pointOf(o *owned, spec Digest) Point3 { return Point3{o.coin.abscissa(spec), o.answer(spec)} }

// A purse is money in the hand with the property that pays it on.
type purse struct {
	*Money
	last *owned
	node uint16 // for a note that was not divided yet: what to pay of it
}

func (p *person) coin() *purse {
	o := p.withdraw(p.hall.coin)
	return &purse{Money: &Money{Head: o.Coin()}, last: o}
}

// pay gives the line for a spec that f computes from the money; for a note also the piece.
func (u *purse) pay(f func(*Money) Digest) (*Money, Line) {
	if u.node == 0 {
		return u.Money, u.last.answer(f(u.Money))
	}
	t := u.last.by.hall.t
	t.Helper()
	note, err := u.last.Note(u.last.by.hall.note.Public())
	if err != nil {
		t.Fatal(err)
	}
	piece, line, err := note.Pay(u.node, f(u.Money))
	if err != nil {
		t.Fatal(err)
	}
	return &Money{Head: u.Head, Piece: piece}, line
}

// pass hands the money to somebody's new blank, who checks it.
func (u *purse) pass(to *person) *purse {
	h := to.hall
	h.t.Helper()
	blank := to.withdraw(h.blank)
	next := blank.Coin()
	m, line := u.pay(func(m *Money) Digest {
		spec, err := m.SpecTo(&next)
		if err != nil {
			h.t.Fatal(err)
		}
		return spec
	})
	m = m.Pass(line, &next)
	if err := m.VerifyVartime(h, h.dice); err != nil {
		h.t.Fatalf("money after %d hops: %v", m.Hops(), err)
	}
	return &purse{Money: m, last: blank}
}

// A deposit is a payment with its terms, as it comes to the mint.
type deposit struct {
	*Payment
	terms Digest
}

// close pays to new terms.
func (u *purse) close() deposit {
	h := u.last.by.hall
	h.t.Helper()
	terms := h.digest()
	m, line := u.pay(func(m *Money) Digest { return m.SpecFor(terms) })
	d := deposit{m.Close(line), terms}
	if err := d.VerifyVartime(h, terms, h.dice); err != nil {
		h.t.Fatalf("payment after %d hops: %v", m.Hops(), err)
	}
	return d
}

// accused is whom the mint names when b comes after a; nil when b is a again.
func (h *hall) accused(a, b deposit) *Element {
	h.t.Helper()
	g, err := b.AccuseVartime(b.terms, a.Points(a.terms))
	if err != nil {
		h.t.Fatal(err)
	}
	if g == nil {
		return nil
	}
	return h.convict(g)
}

// convict checks a guilt as a stranger does, from its bytes.
func (h *hall) convict(g *Guilt) *Element {
	h.t.Helper()
	g, err := ParseGuilt(g.Append(nil))
	if err != nil {
		h.t.Fatal(err)
	}
	who, err := g.VerifyVartime(h)
	if err != nil {
		h.t.Fatal(err)
	}
	return &who
}

// TestWhoeverPaysTwiceIsNamed: in chains of every length, whoever of the hands pays twice, to a blank or to terms, is named,
// with and without a card that lets him, and nobody else.
func TestWhoeverPaysTwiceIsNamed(t *testing.T) {
	h := newHall(t, 1)
	for hops := range MaxHops + 1 {
		people := make([]*person, hops+1)
		purses := make([]*purse, hops+1)
		for i := range people {
			people[i] = h.person()
			if i%3 == 1 {
				people[i] = h.cardPerson() // whose card answers whatever it is asked
			}
			if i == 0 {
				purses[i] = people[0].coin()
			} else {
				purses[i] = purses[i-1].pass(people[i])
			}
		}
		honest := purses[hops].close()
		if who := h.accused(honest, honest); who != nil {
			t.Fatalf("%d hops: the same payment again names %v", hops, who)
		}
		for cheat, u := range purses {
			want := people[cheat].holder.Identity()
			second := u.close()
			checkNamed(t, h, honest, second, want)
			if u.Hops() < MaxHops {
				checkNamed(t, h, honest, u.pass(h.person()).close(), want)
				checkNamed(t, h, second, u.pass(h.person()).close(), want)
			}
		}
	}
}

func checkNamed(t *testing.T, h *hall, a, b deposit, want Element) {
	t.Helper()
	for _, order := range [][2]deposit{{a, b}, {b, a}} {
		who := h.accused(order[0], order[1])
		if who == nil || !who.Equal(want) {
			t.Fatalf("payments of %d and %d hops name %v, not %v", a.Hops(), b.Hops(), who, want)
		}
	}
}

// TestHistoriesNameTheForkersAndNobodyElse: people pass money on at random; some of them keep what they paid and pay it
// again. When all is deposited, every pair of payments of one head is innocent or names one who paid twice; all who paid twice
// are named by some pair, and the mint, which compares with the first deposit alone, names only such.
func TestHistoriesNameTheForkersAndNobodyElse(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		h := newHall(t, rapid.Uint64().Draw(t, "seed"))
		var people []*person
		for i := range 4 {
			people = append(people, h.person())
			if i == 3 {
				people[i] = h.cardPerson()
			}
		}
		forked := map[string]bool{}
		deposits := playHistory(t, people, forked)
		named := map[string]bool{}
		first := map[CoinID]deposit{}
		for i, a := range deposits {
			for _, b := range deposits[:i] {
				if a.Head.ID() != b.Head.ID() {
					continue
				}
				if who := h.accused(b, a); who != nil {
					named[who.String()] = true
				}
			}
			if before, ok := first[a.Head.ID()]; !ok {
				first[a.Head.ID()] = a
			} else if who := h.accused(before, a); who != nil && !forked[who.String()] {
				t.Fatalf("the mint names %v, who paid nothing twice", who)
			}
		}
		if len(named) != len(forked) {
			t.Fatalf("%d paid twice, %d were named", len(forked), len(named))
		}
		for who := range named {
			if !forked[who] {
				t.Fatalf("%v is named and paid nothing twice", who)
			}
		}
	})
}

// playHistory passes coins between people, notes in forked who paid one coin in two ways, and deposits all, some of it twice.
func playHistory(t *rapid.T, people []*person, forked map[string]bool) []deposit {
	var hands []*purse
	var deposits []deposit
	somebody := rapid.SampledFrom(people)
	for range rapid.IntRange(1, 3).Draw(t, "coins") {
		hands = append(hands, somebody.Draw(t, "owner").coin())
	}
	for range rapid.IntRange(0, 12).Draw(t, "moves") {
		i := rapid.IntRange(0, len(hands)-1).Draw(t, "purse")
		u := hands[i]
		if u.Hops() == MaxHops {
			continue
		}
		next := u.pass(somebody.Draw(t, "payee"))
		if rapid.IntRange(0, 3).Draw(t, "keep") == 0 {
			hands = append(hands, next) // and u stays, to be paid again
			forked[u.last.by.holder.Identity().String()] = true
		} else {
			hands[i] = next
		}
	}
	for _, u := range hands {
		d := u.close()
		deposits = append(deposits, d)
		if rapid.Bool().Draw(t, "again") {
			deposits = append(deposits, d)
		}
	}
	return deposits
}

// TestMoneyGoesThroughEightHandsAtMost: before the line is given, not after, when the coin would be burnt.
func TestMoneyGoesThroughEightHandsAtMost(t *testing.T) {
	h := newHall(t, 2)
	u := h.person().coin()
	for range MaxHops {
		u = u.pass(h.person())
	}
	ninth := h.person().withdraw(h.blank).Coin()
	if _, err := u.SpecTo(&ninth); !errors.Is(err, ErrChain) {
		t.Fatalf("a ninth hand: %v", err)
	}
	line := u.last.answer(LinkSpec(u.Spec(), &ninth))
	if err := u.Pass(line, &ninth).VerifyVartime(h, h.dice); !errors.Is(err, ErrChain) {
		t.Fatalf("a ninth hand who does not ask: %v", err)
	}
	v := h.person().coin().pass(h.person())
	again := *v.Last()
	if _, err := v.SpecTo(&again); !errors.Is(err, ErrChain) {
		t.Fatalf("money to a coin that holds it: %v", err)
	}
	u.close()
}

// TestTwoPurchasesUnderOneAAreTwoCoins: whoever buys twice with the same A has bought two coins, which do not clash at the mint;
// under one number they would clash and name nobody.
func TestTwoPurchasesUnderOneAAreTwoCoins(t *testing.T) {
	h := newHall(t, 5)
	p := h.person()
	one, other := got(RandomBlinding(h.dice))(t), got(RandomBlinding(h.dice))(t)
	other.s = one.s
	a, b, c := p.withdrawWith(h.coin, one), p.withdrawWith(h.coin, other), p.withdrawWith(h.blank, one)
	ids := map[CoinID]bool{}
	for _, o := range []*owned{a, b, c} {
		if !o.coin.a.Equal(a.coin.a) {
			t.Fatal("the coins have different A")
		}
		ids[o.coin.ID()] = true
	}
	if len(ids) != 3 {
		t.Fatalf("three purchases have %d numbers", len(ids))
	}
	if g, err := newGuiltVartime(&a.coin, nil, pointOf(a, Digest{1}), pointOf(b, Digest{2})); err == nil {
		t.Fatalf("two coins of one A make a proof: %v", g)
	}
}

// TestPassingOnLeavesTheMoneyAlone: two continuations of one money do not write over each other.
func TestPassingOnLeavesTheMoneyAlone(t *testing.T) {
	h := newHall(t, 3)
	u := h.person().coin().pass(h.person()).pass(h.person()).pass(h.person())
	a := u.pass(h.person())
	before := string(a.Append(nil))
	u.pass(h.person())
	if string(a.Append(nil)) != before {
		t.Fatal("a second continuation changed the first")
	}
}

package wallet

import (
	"bytes"
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"jiaozi/crypt/brands"
	"jiaozi/value/money"
	"jiaozi/wire/coin"
)

func wants(t *testing.T, err, want error) {
	t.Helper()
	if !errors.Is(err, want) {
		t.Fatalf("%v instead of: %v", err, want)
	}
}

// Goal: a restored wallet pays nothing before the mint has said which coins are
// left, and afterwards holds what was not spent.
func TestRestoredWalletAsksBeforeItPays(t *testing.T) {
	w := newTown(t)
	w.join("alice", 50)
	w.join("shop", 0)
	w.withdraw("alice", 13)
	w.pay("alice", "shop", till(5))
	request, err := w.of("shop").Ask(till(1))
	check(t, err)
	if _, err := w.of("shop").Deposit(t.Context(), yuan(0)); err != nil {
		t.Fatal(err)
	}
	w.stores["alice"] = new(memStore)
	x, err := Restore(w.world("alice"), w.config(), words("alice"), "alice")
	check(t, err)
	_, err = x.Pay(request)
	wants(t, err, ErrNoKeys)
	check(t, x.RefreshKeys(t.Context()))
	_, err = x.Pay(request)
	wants(t, err, ErrRestored)
	if _, err := x.Resume(t.Context()); err != nil {
		t.Fatal(err)
	}
	_, err = x.Pay(request)
	wants(t, err, ErrFunds) // found, not yet claimed
	r, err := x.Refresh(t.Context())
	check(t, err)
	if r.Credited != yuan(8) || r.Withdrawn != yuan(8) || len(r.Refused) > 0 {
		t.Fatalf("%+v", r)
	}
	if _, err := x.Pay(request); err != nil || w.mint.accused > 0 {
		t.Fatal(err)
	}
}

// Goal: a backup is a copy and knows it. What was withdrawn is claimed; what was
// received waits for the owner's word.
func TestBackupKnowsThatItIsACopy(t *testing.T) {
	w := newTown(t)
	w.join("alice", 50)
	w.join("bob", 50)
	w.join("shop", 0)
	w.withdraw("alice", 13)
	w.withdraw("bob", 5)
	w.pay("bob", "alice", cash(5))
	copied, err := w.of("alice").Backup()
	check(t, err)
	w.pay("alice", "shop", till(1))
	w.stores["alice"], w.open["alice"] = &memStore{copied}, nil
	w.holds("alice", 0, 0, 18)
	wants(t, w.of("alice").TrustBackup(), ErrRestored)
	_, err = w.of("alice").Refresh(t.Context())
	check(t, err)
	_, err = w.of("shop").Deposit(t.Context(), yuan(0))
	check(t, err)
	w.holds("alice", 13, 0, 5)
	check(t, w.of("alice").TrustBackup())
	w.holds("alice", 18, 0, 0)
	if w.mint.accused > 0 {
		t.Fatal("an honest holder is accused")
	}
}

// Goal: a payment that was never handed over comes back from the mint, not before
// the payee would refuse it, and without harm if he had it after all.
func TestUndeliveredPaymentIsReclaimedWithoutASecondAnswer(t *testing.T) {
	w := newTown(t)
	w.join("alice", 50)
	w.join("shop", 0)
	w.withdraw("alice", 13)
	request, err := w.of("shop").Ask(till(5))
	check(t, err)
	payment, err := w.of("alice").Pay(request)
	check(t, err)
	w.holds("alice", 8, 5, 0)
	digest := w.of("alice").Unconfirmed()[0].Request
	_, err = w.of("alice").Reclaim(t.Context(), digest)
	wants(t, err, ErrPending)
	late := w.clone(t, -1)
	_, err = late.of("shop").Receive(payment) // in time, but its receipt is lost
	check(t, err)
	for _, x := range []*town{w, late} {
		x.clock.Advance(2 * time.Hour)
		_, err = x.of("shop").Receive(payment)
		if x == w {
			wants(t, err, ErrExpired)
		}
		_, err = x.of("alice").Reclaim(t.Context(), digest)
		check(t, err)
		x.holds("alice", 8, 0, 0)
		if _, err := x.of("shop").Deposit(t.Context(), yuan(0)); x == late {
			check(t, err)
		}
	}
	if w.mint.bank["alice"] != 42 || late.mint.bank["alice"] != 37 || late.mint.bank["shop"] != 5 || late.mint.accused > 0 {
		t.Fatal(w.mint.bank, late.mint.bank)
	}
}

// Goal: without its card a wallet neither pays nor withdraws, and its coins are
// claimed when the card is lost; words and card together restore it.
func TestCardIsNeededAndCanBeLost(t *testing.T) {
	w := newTown(t)
	w.cards["carol"] = newTestCard(1)
	w.join("carol", 50)
	w.join("shop", 0)
	w.withdraw("carol", 13)
	request, err := w.of("shop").Ask(till(5))
	check(t, err)
	card := w.cards["carol"]
	delete(w.cards, "carol")
	w.open["carol"] = nil
	_, err = w.of("carol").Pay(request)
	wants(t, err, ErrNeedsCard)
	w.holds("carol", 8, 5, 0)

	w.cards["carol"], w.open["carol"] = card, nil
	other := w.clone(t, -1)
	_, err = w.of("carol").Pay(request)
	check(t, err)

	delete(other.cards, "carol")
	check(t, other.of("carol").CardLost())
	_, err = other.of("carol").Refresh(t.Context())
	check(t, err)
	other.clock.Advance(2 * time.Hour)
	_, err = other.of("carol").Reclaim(t.Context(), other.of("carol").Unconfirmed()[0].Request)
	check(t, err)
	if other.mint.bank["carol"] != 50 {
		t.Fatal(other.mint.bank)
	}

	w.stores["carol"] = new(memStore)
	x, err := Restore(w.world("carol"), w.config(), words("carol"), "carol")
	check(t, err)
	_, err = x.Refresh(t.Context())
	check(t, err)
	if b := x.Balance(); b.Available != yuan(13) {
		t.Fatalf("%v", b) // the payment above was not deposited
	}
	w.cards["carol"] = newTestCard(2)
	_, err = Open(w.world("carol"), w.config())
	wants(t, err, ErrOtherCard)
}

// lyingCard answers wrongly.
type lyingCard struct{ *testCard }

func (c lyingCard) Answer(index uint32, d brands.Scalar) (brands.Scalar, error) {
	return c.o.Answer(index+1, d), nil
}

// Goal: a wrong answer of the card never leaves the wallet.
func TestCardAnswerIsCheckedBeforeUse(t *testing.T) {
	w := newTown(t)
	w.cards["carol"] = newTestCard(1)
	w.join("carol", 50)
	w.join("shop", 0)
	w.withdraw("carol", 13)
	request, err := w.of("shop").Ask(till(5))
	check(t, err)
	x := w.of("carol")
	x.world.Card = lyingCard{w.cards["carol"]}
	_, err = x.Pay(request)
	wants(t, err, brands.ErrCard)
	x.world.Card = w.cards["carol"]
	_, err = x.Pay(request)
	check(t, err)
}

// Goal: what a mint that changed says is not taken over.
func TestChangedMintIsRefused(t *testing.T) {
	w := newTown(t)
	w.join("alice", 50)
	x := w.of("alice")
	before := string(w.stores["alice"].state)
	for _, c := range []struct {
		why    string
		change func(*testMint)
		want   error
	}{
		{"another network", func(m *testMint) { m.network[0]++ }, ErrNetwork},
		{"another signing key", func(m *testMint) { m.sign[0]++ }, ErrNetwork},
		{"a clock an hour ahead", func(m *testMint) { m.clock.Advance(time.Hour) }, ErrClock},
		{"a clock an hour behind", func(m *testMint) { m.clock.Advance(-time.Hour) }, ErrClock},
	} {
		far := *w.mint
		far.clock = w.clone(t, -1).clock
		c.change(&far)
		x.world.Mint = &far
		if err := x.RefreshKeys(t.Context()); !errors.Is(err, c.want) {
			t.Errorf("%s: %v", c.why, err)
		}
	}
	if string(w.stores["alice"].state) != before {
		t.Error("something was taken over")
	}
}

// repeatingMint gives the same session number for ever.
type repeatingMint struct{ *testMint }

func (m repeatingMint) Do(ctx context.Context, b []byte) ([]byte, error) {
	out, err := m.testMint.Do(ctx, b)
	if c, bad := coin.Parse[coin.Commitments](out); bad == nil {
		for i := range c.Items {
			c.Items[i].Session = 1
		}
		return coin.Append(nil, c)
	}
	return out, err
}

// Goal: a mint cannot make an honest holder pay one coin twice by giving a session
// number again, which would give the same coin.
func TestSessionNumberThatComesAgainIsRefused(t *testing.T) {
	w := newTown(t)
	w.join("alice", 50)
	x := w.of("alice")
	x.world.Mint = repeatingMint{w.mint}
	_, err := x.Withdraw(t.Context(), Order{Amount: yuan(1)})
	wants(t, err, ErrNetwork)
	if len(x.Coins()) != 1 {
		t.Fatal(x.Coins())
	}
}

// Goal: an account that does not hold enough ends the withdrawal; a busy mint does
// not, and neither does one that cannot be reached.
func TestPendingIsKeptWhileNothingIsDecided(t *testing.T) {
	w := newTown(t)
	w.join("alice", 10)
	_, err := w.of("alice").Withdraw(t.Context(), Order{Amount: yuan(31)})
	var no *Refusal
	if !errors.As(err, &no) || no.Code != coin.Insufficient {
		t.Fatal(err)
	}
	if b := w.of("alice").Balance(); b.Pending != yuan(0) || b.Available.Minor()+w.mint.bank["alice"] != 10 {
		t.Fatal(b, w.mint.bank)
	}
	held := w.of("alice").Balance().Available.Minor()
	w.mint.busy = 2
	_, err = w.of("alice").Deposit(t.Context(), yuan(0))
	if !errors.As(err, &no) || no.Code != coin.Busy {
		t.Fatal(err)
	}
	if b := w.of("alice").Balance(); b.Available.Minor() != 0 || b.Pending.Minor()+w.mint.bank["alice"] != 10 {
		t.Fatal(b, held)
	}
	w.of("alice").world.Mint = nil
	_, err = w.of("alice").Resume(t.Context())
	wants(t, err, ErrOffline)
	w.open["alice"] = nil
	_, err = w.of("alice").Resume(t.Context())
	if w.mint.busy > 0 && err != nil {
		_, err = w.of("alice").Resume(t.Context())
	}
	check(t, err)
	if w.mint.bank["alice"] != 10 {
		t.Fatal(w.mint.bank)
	}
}

// Goal: coins of a group are paid at its merchants and nowhere else, and there
// before others.
func TestGroupCoinsStayInTheirGroup(t *testing.T) {
	w := newTown(t)
	w.join("alice", 50)
	w.join("shop", 0)
	_, err := w.of("alice").Withdraw(t.Context(), Order{Amount: yuan(3), Group: "canteen"})
	check(t, err)
	request, err := w.of("shop").Ask(till(1))
	check(t, err)
	_, err = w.of("alice").Pay(request)
	wants(t, err, ErrFunds)
	w.withdraw("alice", 3)
	d := till(3)
	d.Group = "canteen"
	w.pay("alice", "shop", d)
	for _, c := range w.of("alice").Coins() {
		if c.Group != "" {
			t.Fatalf("%+v", c)
		}
	}
	r, err := w.of("shop").Deposit(t.Context(), yuan(0))
	check(t, err)
	if len(r.Refused) > 0 {
		t.Fatalf("%+v", r)
	}
}

// Goal: money goes through eight hands and no further, the mint takes it from the
// last, and a coin past its time needs the mint.
func TestHopsAndDatesEnd(t *testing.T) {
	w := newTown(t)
	w.join("alice", 1)
	w.withdraw("alice", 1)
	from := "alice"
	for i := range brands.MaxHops {
		to := fmt.Sprintf("hand%d", i)
		w.join(to, 0)
		_, err := w.of(to).FillBlanks(t.Context())
		check(t, err)
		w.pay(from, to, cash(1))
		from = to
	}
	w.join("ninth", 0)
	_, err := w.of("ninth").FillBlanks(t.Context())
	check(t, err)
	request, err := w.of("ninth").Ask(cash(1))
	check(t, err)
	_, err = w.of(from).Pay(request)
	wants(t, err, ErrFunds)
	w.clock.Advance(59 * 24 * time.Hour)
	w.holds(from, 0, 0, 1)
	check(t, w.of(from).RefreshKeys(t.Context()))
	_, err = w.of(from).Exchange(t.Context())
	check(t, err)
	w.holds(from, 1, 0, 0)
}

// Goal: a clock that goes back revives no coin, and one that was once far ahead
// costs none: the mint's time decides.
func TestClockThatJumpedIsPutRightByTheMint(t *testing.T) {
	w := newTown(t)
	w.join("alice", 50)
	w.withdraw("alice", 7)
	w.clock.Advance(80 * 365 * 24 * time.Hour)
	_, err := w.of("alice").Ask(till(1)) // writes
	check(t, err)
	w.clock.Set(start)
	w.open["alice"] = nil
	w.holds("alice", 0, 0, 7)
	check(t, w.of("alice").RefreshKeys(t.Context()))
	w.holds("alice", 7, 0, 0)
}

// deadMint lets the first session of each key die.
type deadMint struct {
	*testMint
	dead map[[16]byte]bool
}

func (m deadMint) Do(ctx context.Context, b []byte) ([]byte, error) {
	s, err := coin.Parse[coin.Signed](b)
	if err != nil {
		return m.testMint.Do(ctx, b)
	}
	q, ok := s.Body.(*coin.Challenge)
	if !ok {
		return m.testMint.Do(ctx, b)
	}
	out := new(coin.Answer)
	for _, i := range q.Items {
		if !m.dead[i.Key] {
			m.dead[i.Key] = true
			out.Items = append(out.Items, coin.AnswerItem{Key: i.Key, Session: i.Session, Code: coin.SessionDead})
		}
	}
	if len(out.Items) > 0 {
		return coin.Append(nil, out)
	}
	return m.testMint.Do(ctx, b)
}

// Goal: a withdrawal whose session died is made again, without a second debit.
func TestDeadSessionIsOpenedAgain(t *testing.T) {
	w := newTown(t)
	w.join("alice", 50)
	x := w.of("alice")
	x.world.Mint = deadMint{w.mint, map[[16]byte]bool{}}
	_, err := x.Withdraw(t.Context(), Order{Amount: yuan(7)})
	var no *Refusal
	if !errors.As(err, &no) || no.Code != coin.SessionDead {
		t.Fatal(err)
	}
	w.holds("alice", 0, 7, 0)
	_, err = x.Resume(t.Context())
	check(t, err)
	w.holds("alice", 7, 0, 0)
	if w.mint.bank["alice"] != 43 {
		t.Fatal(w.mint.bank)
	}
}

// Goal: a restored wallet whose owner misspells the account stops, instead of
// paying its coins to somebody else.
func TestRestoreUnderAnotherNameStops(t *testing.T) {
	w := newTown(t)
	w.join("alice", 50)
	w.join("alicia", 0)
	w.withdraw("alice", 13)
	w.stores["alice"] = new(memStore)
	x, err := Restore(w.world("alice"), w.config(), words("alice"), "alicia")
	check(t, err)
	var no *Refusal
	if _, err = x.Refresh(t.Context()); !errors.As(err, &no) || no.Code != coin.AlreadyEnrolled {
		t.Fatal(err)
	}
}

// Goal: a coin that a payer pays twice is refused at once by a payee who has it,
// and by the mint if another has: that payee is told why, and keeps the rest.
func TestTwicePaidCoinIsRefusedAndListed(t *testing.T) {
	w := newTown(t)
	w.join("mallory", 8)
	w.join("shop", 0)
	w.join("stall", 0)
	w.withdraw("mallory", 8)
	copied := w.stores["mallory"].state
	w.pay("mallory", "shop", till(8))

	w.stores["mallory"], w.open["mallory"] = &memStore{copied}, nil
	request, err := w.of("shop").Ask(till(8))
	check(t, err)
	payment, err := w.of("mallory").Pay(request)
	check(t, err)
	got, err := w.of("shop").Receive(payment)
	wants(t, err, errTwice)
	no, err := coin.Parse[coin.Receipt](got.Receipt)
	if err != nil || no.Code != coin.DoubleSpent {
		t.Fatal(no, err)
	}

	w.stores["mallory"], w.open["mallory"] = &memStore{copied}, nil
	w.pay("mallory", "stall", till(8))
	_, err = w.of("shop").Deposit(t.Context(), yuan(0))
	check(t, err)
	r, err := w.of("stall").Deposit(t.Context(), yuan(0))
	check(t, err)
	if len(r.Refused) == 0 || r.Refused[0].Code != coin.DoubleSpent || len(w.of("stall").Refused()) != len(r.Refused) {
		t.Fatalf("%+v", r)
	}
	w.holds("stall", 0, 0, 0)
	if w.mint.bank["shop"] != 8 || w.mint.bank["stall"] != 0 {
		t.Fatal(w.mint.bank)
	}
}

// Goal: whatever is wrong with a payment, nothing of it is kept. Method: flip each
// byte, cut, replay to another request, repeat late.
func TestRefusedPaymentLeavesNothing(t *testing.T) {
	w := newTown(t)
	w.join("alice", 50)
	w.join("shop", 0)
	w.join("bob", 0)
	_, err := w.of("bob").FillBlanks(t.Context())
	check(t, err)
	w.withdraw("alice", 3)
	for _, c := range []struct {
		to string
		d  Demand
	}{{"shop", till(1)}, {"bob", cash(2)}} {
		request, err := w.of(c.to).Ask(c.d)
		check(t, err)
		payment, err := w.of("alice").Pay(request)
		check(t, err)
		before := w.stores[c.to].state
		for i := range payment {
			bad := bytes.Clone(payment)
			bad[i] ^= 1 << (i % 8)
			if _, err := w.of(c.to).Receive(bad); err == nil {
				t.Fatalf("%s takes a payment with byte %d changed", c.to, i)
			}
		}
		for _, n := range []int{0, 1, 9, len(payment) / 2, len(payment) - 1} {
			if _, err := w.of(c.to).Receive(payment[:n]); err == nil {
				t.Fatalf("%s takes %d bytes of a payment", c.to, n)
			}
		}
		if !bytes.Equal(before, w.stores[c.to].state) {
			t.Fatal("something was kept")
		}
		if _, err := w.of(c.to).Receive(payment); err != nil {
			t.Fatal(err)
		}
	}
}

// Goal: requests that cannot be right are not paid, and nothing is marked.
func TestWrongRequestsAreNotPaid(t *testing.T) {
	w := newTown(t)
	w.join("alice", 50)
	w.join("shop", 0)
	w.withdraw("alice", 7)
	good, err := w.of("shop").Ask(till(5))
	check(t, err)
	before := w.stores["alice"].state
	for _, c := range []struct {
		why    string
		change func(*coin.Request)
		want   error
	}{
		{"over", func(r *coin.Request) { r.Expires = start.Unix() }, ErrExpired},
		{"another network", func(r *coin.Request) { r.Network[3]++ }, ErrNetwork},
		{"another currency", func(r *coin.Request) { r.Amount = money.New(840, 5) }, ErrRequest},
		{"from tomorrow", func(r *coin.Request) { r.Time += daySeconds; r.Expires += daySeconds }, ErrClock},
		{"more than there is", func(r *coin.Request) { r.Amount = yuan(500) }, ErrFunds},
		{"blanks that are none", func(r *coin.Request) { r.Payee, r.Blanks = "", [][]byte{make([]byte, 208), make([]byte, 208)} }, ErrRequest},
	} {
		r, err := coin.Parse[coin.Request](good)
		check(t, err)
		r.Time = start.Unix() - 10
		c.change(r)
		b, err := coin.Append(nil, r)
		check(t, err)
		if _, err := w.of("alice").Pay(b); !errors.Is(err, c.want) {
			t.Errorf("%s: %v", c.why, err)
		}
	}
	if !bytes.Equal(before, w.stores["alice"].state) {
		t.Error("something was marked")
	}
}

// Goal: neither a wallet nor an error shows a secret.
func TestWalletShowsNoSecret(t *testing.T) {
	w := newTown(t)
	x := w.join("alice", 50)
	w.withdraw("alice", 3)
	entropy := words("alice").RevealEntropy()
	seed, err := words("alice").Seed()
	check(t, err)
	shown := fmt.Sprintf("%v %+v %#v %s %x", x, x, x, x, x)
	for _, secret := range [][]byte{entropy[:4], seed[:6]} {
		if strings.Contains(shown, string(secret)) || strings.Contains(strings.ToLower(shown), hex.EncodeToString(secret)) {
			t.Fatal("a secret shows")
		}
	}
}

// Goal: one store, one wallet; and a store of another kind is refused.
func TestPlacesAreNotMixedUp(t *testing.T) {
	w := newTown(t)
	w.join("alice", 50)
	_, err := New(w.world("alice"), w.config(), words("bob"))
	wants(t, err, ErrExists)
	_, err = Open(w.world("nobody"), w.config())
	wants(t, err, ErrNone)
	_, err = Open(w.world("alice"), Config{Currency: 840})
	wants(t, err, ErrOther)
	_, err = Open(w.world("alice"), Config{Currency: cny, Network: brands.Network{5}})
	wants(t, err, ErrOther)
	wants(t, w.of("alice").Enrol(t.Context(), "alice", "GOOD-CODE"), ErrOpen)
	w.stores["alice"].state[7] ^= 1
	w.stores["alice"].state = w.stores["alice"].state[:90]
	_, err = Open(w.world("alice"), w.config())
	wants(t, err, ErrState)
}

// FuzzState: a state that decodes encodes to the same bytes.
func FuzzState(f *testing.F) {
	for _, s := range []*state{{}, {currency: cny, account: "alice", last: map[brands.KeyID]uint64{{1}: 2, {2}: 9}, sent: []sent{{request: []byte{1}, coins: []handover{{to: []byte{2}}}}}, ops: []op{{kind: opRecover, plan: []planned{{count: 3}}}}}} {
		f.Add(s.encode())
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		s, err := decodeState(b)
		if err == nil && !bytes.Equal(s.encode(), b) {
			t.Fatal("another form of the same state")
		}
	})
}

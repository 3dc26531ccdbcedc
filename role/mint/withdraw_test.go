package mint

import (
	"crypto/ed25519"
	"errors"
	"testing"
	"time"

	"jiaozi/book"
	"jiaozi/book/chart"
	"jiaozi/crypt/brands"
	"jiaozi/value/clock"
	"jiaozi/value/money"
	"jiaozi/wire/coin"
	"jiaozi/wire/observer"
)

// Goal: an account that asks for many withdrawals under one key at once, as an
// attacker must who forges by solving for one more coin, has one: every further
// request gives the same session and the same nonce.
func TestManySessionsOfOneKeyAreOne(t *testing.T) {
	s := newScheme(t)
	alice := s.person("alice", 100)
	k := s.key(brands.KindCoin, 1, "", 0)
	first := alice.commit(k)
	if first.Code != coin.Accepted || first.Session != 1 {
		t.Fatalf("first: %+v", first)
	}
	for range 252 {
		again := alice.commit(k)
		if again.Code != coin.Replayed || again.Session != first.Session || again.A != first.A || again.B != first.B {
			t.Fatalf("a second session is open beside the first: %+v", again)
		}
	}
	s.refuseTwice(k, first, alice)
	s.holds(map[string]money.Minor{"alice": 99})
}

// refuseTwice answers one challenge and refuses another one for ever.
func (s *scheme) refuseTwice(k *brands.PublicKey, c coin.Commitment, p *person) {
	s.t.Helper()
	w, q := p.blind(k, c, brands.DeriveBlinding(p.seed, k.ID(), c.Session))
	_, other := p.blind(k, c, brands.DeriveBlinding(p.seed, k.ID(), 77))
	a := p.challenge(q)
	if a.Code != coin.Accepted {
		s.t.Fatalf("challenge: %v", a.Code)
	}
	p.finish(w, a.R)
	for range 3 {
		if bad := p.challenge(other); bad.Code != coin.OtherChallenge || bad.R != [32]byte{} {
			s.t.Fatalf("another challenge: %+v", bad)
		}
		if same := p.challenge(q); same.Code != coin.Replayed || same.R != a.R {
			s.t.Fatalf("the same challenge: %+v", same)
		}
	}
}

// An answered challenge has the same answer until the epoch ends, whatever came
// after it.
func TestAnswerIsTheSameUntilTheEpochEnds(t *testing.T) {
	s := newScheme(t)
	alice := s.person("alice", 100)
	k := s.key(brands.KindCoin, 2, "", 0)
	c := alice.commit(k)
	w, q := alice.blind(k, c, brands.DeriveBlinding(alice.seed, k.ID(), c.Session))
	a := alice.challenge(q)
	for range 3 {
		alice.withdraw(k)
	}
	_, other := alice.blind(k, c, brands.DeriveBlinding(alice.seed, k.ID(), 9))
	for _, later := range []time.Time{day0.AddDate(0, 0, 8), day0.AddDate(0, 3, 0), time.Date(2027, 3, 31, 23, 59, 59, 0, clock.Zone)} {
		s.now = later
		if same := alice.challenge(q); same.Code != coin.Replayed || same.R != a.R {
			t.Fatalf("%s: %+v", later, same)
		}
		if bad := alice.challenge(other); bad.Code != coin.OtherChallenge {
			t.Fatalf("%s: another challenge: %+v", later, bad)
		}
	}
	alice.finish(w, a.R)
	s.now = time.Unix(k.Info().DepositUntil, 0)
	if over := alice.challenge(q); over.Code != coin.Expired {
		t.Errorf("after the epoch: %+v", over)
	}
	s.holds(map[string]money.Minor{"alice": 92})
	s.sound()
}

// An unanswered session dies with its time-out and never comes back, not even if
// the clock goes back.
func TestTimedOutSessionIsDeadForEver(t *testing.T) {
	s := newScheme(t)
	alice := s.person("alice", 100)
	k := s.key(brands.KindCoin, 4, "", 0)
	c := alice.commit(k)
	_, q := alice.blind(k, c, brands.DeriveBlinding(alice.seed, k.ID(), c.Session))
	s.now = day0.Add(defaultSessionLife)
	if a := alice.challenge(q); a.Code != coin.SessionDead {
		t.Fatalf("after the deadline: %+v", a)
	}
	s.now = day0
	if a := alice.challenge(q); a.Code != coin.SessionDead {
		t.Fatalf("with the clock set back: %+v", a)
	}
	next := alice.commit(k)
	if next.Session != c.Session+1 || next.A == c.A {
		t.Fatalf("the next session: %+v", next)
	}
	if a := alice.challenge(q); a.Code != coin.SessionDead {
		t.Fatalf("beside the next session: %+v", a)
	}
	q.Session = 9
	if a := alice.challenge(q); a.Code != coin.UnknownSession {
		t.Errorf("a session that never was: %+v", a)
	}
	s.holds(map[string]money.Minor{"alice": 100})
}

// The coin that an account cannot pay is not made; its nonce is never used again.
func TestInsufficientFundsEndTheSession(t *testing.T) {
	s := newScheme(t)
	alice := s.person("alice", 3)
	k := s.key(brands.KindCoin, 4, "", 0)
	c := alice.commit(k)
	_, q := alice.blind(k, c, brands.DeriveBlinding(alice.seed, k.ID(), c.Session))
	for range 2 {
		if a := alice.challenge(q); a.Code != coin.Insufficient {
			t.Fatalf("%+v", a)
		}
	}
	s.post(chart.Fund(bank, "alice", yuan(5)))
	if a := alice.challenge(q); a.Code != coin.Insufficient {
		t.Fatalf("a declined challenge was taken up again: %+v", a)
	}
	alice.withdraw(k)
	s.holds(map[string]money.Minor{"alice": 4})
	s.sound()
}

// All of a withdrawal that can be made is made; each coin is decided by itself.
func TestWithdrawalOfManyKeysInOneRound(t *testing.T) {
	s := newScheme(t)
	alice := s.person("alice", 5)
	var ask [][16]byte
	var keys []*brands.PublicKey
	for _, v := range []money.Minor{4, 2, 1} {
		k := s.key(brands.KindCoin, v, "", 0)
		keys, ask = append(keys, k), append(ask, k.ID())
	}
	blank := s.key(brands.KindBlank, 0, "", 1)
	keys, ask = append(keys, blank), append(ask, blank.ID())
	ask = append(ask, [16]byte{99})
	coms := get[*coin.Commitments](s, alice.signed(&coin.Commit{Keys: ask}))
	if coms.Items[4].Code != coin.UnknownKey {
		t.Errorf("an unknown key: %v", coms.Items[4].Code)
	}
	q := &coin.Challenge{}
	var open []*brands.Withdrawal
	for i, k := range keys {
		w, item := alice.blind(k, coms.Items[i], brands.DeriveBlinding(alice.seed, k.ID(), coms.Items[i].Session))
		open, q.Items = append(open, w), append(q.Items, item)
	}
	answers := get[*coin.Answer](s, alice.signed(q))
	want := []coin.Code{coin.Accepted, coin.Insufficient, coin.Accepted, coin.Accepted}
	for i, a := range answers.Items {
		if a.Code != want[i] {
			t.Errorf("coin %d: %v, want %v", i, a.Code, want[i])
		} else if a.Code.Paid() {
			alice.finish(open[i], a.R)
		}
	}
	s.holds(map[string]money.Minor{"alice": 0})
	if l := s.line(); l.CoinsIssued != 2 || l.Issued != yuan(5) {
		t.Errorf("published: %+v", l)
	}
	s.sound()
}

// Callers who challenge one session at once, with one challenge or with two, get
// one answer and pay once.
func TestManyChallengesAtOnce(t *testing.T) {
	s := newScheme(t)
	alice := s.person("alice", 100)
	k := s.key(brands.KindCoin, 4, "", 0)
	c := alice.commit(k)
	var raw []*coin.Signed
	for n := range uint64(2) {
		_, q := alice.blind(k, c, brands.DeriveBlinding(alice.seed, k.ID(), 50+n))
		raw = append(raw, alice.signed(&coin.Challenge{Items: []coin.ChallengeItem{q}}))
	}
	answers := make(chan coin.AnswerItem)
	for n := range 8 {
		go func() {
			m, err := s.mint.Handle(t.Context(), raw[n%2], s.now)
			if err != nil {
				t.Error(err)
			}
			answers <- m.(*coin.Answer).Items[0]
		}()
	}
	seen := map[[32]byte]bool{}
	for range 8 {
		if a := <-answers; a.Code.Paid() {
			seen[a.R] = true
		} else if a.Code != coin.OtherChallenge {
			t.Errorf("%v", a.Code)
		}
	}
	if len(seen) != 1 {
		t.Errorf("%d answers under one nonce: the key is lost", len(seen))
	}
	s.holds(map[string]money.Minor{"alice": 96})
}

// What comes between reading a session and writing it is seen.
func TestSessionChangedMeanwhile(t *testing.T) {
	s := newScheme(t)
	alice := s.person("alice", 100)
	k := s.key(brands.KindCoin, 1, "", 0)
	var other coin.Commitment
	s.door.meanwhile = func() { other = alice.commit(k) }
	if c := alice.commit(k); c.Session != other.Session || c.A != other.A {
		t.Errorf("two sessions: %+v and %+v", c, other)
	}
	_, first := alice.blind(k, other, brands.DeriveBlinding(alice.seed, k.ID(), 1))
	_, second := alice.blind(k, other, brands.DeriveBlinding(alice.seed, k.ID(), 2))
	s.door.meanwhile = func() {
		if a := alice.challenge(first); a.Code != coin.Accepted {
			t.Errorf("%+v", a)
		}
	}
	if a := alice.challenge(second); a.Code != coin.OtherChallenge {
		t.Errorf("%+v", a)
	}
	s.holds(map[string]money.Minor{"alice": 99})
}

// Requests of strangers, changed ones and late ones do nothing.
func TestBadRequestsAreRefused(t *testing.T) {
	s := newScheme(t)
	alice, mallory := s.person("alice", 10), s.stranger("mallory")
	k := s.key(brands.KindCoin, 1, "", 0)
	body := &coin.Commit{Keys: [][16]byte{k.ID()}}
	s.refused(mallory.signed(body), coin.UnknownAccount)
	forged := mallory.signed(body)
	forged.Account = alice.h.Identity().Bytes()
	s.refused(forged, coin.BadSignature)
	none := alice.signed(body)
	none.Account = [32]byte{}
	s.refused(none, coin.UnknownAccount)
	changed := alice.signed(body)
	changed.Serial++
	s.refused(changed, coin.BadSignature)
	for _, off := range []time.Duration{-defaultTolerance - time.Second, defaultTolerance + time.Second, 290 * 365 * 24 * time.Hour} {
		s.now = day0.Add(off)
		late := alice.signed(body)
		s.now = day0
		s.refused(late, coin.ClockOff)
	}
	dawn := alice.signed(body)
	dawn.Time = 1<<37 - 1
	s.refused(alice.resigned(dawn), coin.ClockOff)
	s.refused(&coin.Status{}, coin.Malformed)
	for _, raw := range [][]byte{nil, {1}, []byte("JZC"), make([]byte, coin.MaxMessage+1)} {
		answer, err := s.mint.Serve(t.Context(), raw, s.now)
		check(t, err)
		f, err := coin.Parse[coin.Failure](answer)
		check(t, err)
		if f.Code != coin.Malformed && f.Code != coin.TooLarge {
			t.Errorf("%d bytes: %v", len(raw), f.Code)
		}
	}
	if _, err := s.mint.Handle(t.Context(), alice.signed(body), time.Unix(0, 0)); !errors.Is(err, errClock) {
		t.Errorf("a mint whose clock stands in 1970: %v", err)
	}
}

// A key makes coins in its month, and takes them until its end.
func TestKeyMakesCoinsInItsTimeOnly(t *testing.T) {
	s := newScheme(t)
	alice := s.person("alice", 10)
	k := s.key(brands.KindCoin, 1, "", 0)
	var next *brands.PublicKey
	for _, other := range s.keys {
		if i := other.Info(); i.Kind == brands.KindCoin && i.Value == 1 && i.Group == "" && i.Epoch == 202612 {
			next = other
		}
	}
	if c := alice.commit(next); c.Code != coin.IssueClosed {
		t.Errorf("before its month: %v", c.Code)
	}
	s.now = time.Unix(k.Info().IssueUntil, 0)
	if c := alice.commit(k); c.Code != coin.IssueClosed {
		t.Errorf("after its month: %v", c.Code)
	}
	if c := alice.commit(next); c.Code != coin.Accepted {
		t.Errorf("in its month: %v", c.Code)
	}
}

func TestEnrolmentJoinsOneAccountAndOneIdentity(t *testing.T) {
	s := newScheme(t)
	alice := s.person("alice", 10)
	again := get[*coin.Enrolled](s, alice.enrolment("WRONG"))
	if again.Account != "alice" || again.Time != day0.Unix() {
		t.Errorf("the same again: %+v", again)
	}
	if _, err := s.mint.Enroll(t.Context(), "alice", s.now); !errors.Is(err, ErrRefused) {
		t.Errorf("a second code: %v", err)
	}
	if _, err := s.mint.Enroll(t.Context(), "nobody", s.now); !errors.Is(err, ErrRefused) {
		t.Errorf("no account: %v", err)
	}
	bob := s.stranger("bob")
	bob.fund(5)
	code, err := s.mint.Enroll(t.Context(), "bob", s.now)
	check(t, err)
	s.refused(bob.enrolment("AAAAAA"), coin.BadEnrolCode)
	bob.now = day0.Add(defaultCodeLife)
	s.refused(bob.enrolment(code), coin.BadEnrolCode)
	bob.now = day0

	thief := s.stranger("thief")
	thief.name, thief.h = "bob", alice.h // alice's identity on bob's account
	s.refused(thief.enrolment(code), coin.AlreadyEnrolled)
	stolen := bob.enrolment(code)
	stolen.Body.(*coin.Enrol).AuthKey = alice.authKey() // bob's opening under another's key
	s.refused(alice.resigned(stolen), coin.Invalid)
	foreign := bob.enrolment(code)
	foreign.Body.(*coin.Enrol).Network[0]++
	s.refused(bob.resigned(foreign), coin.WrongNetwork)
	if e := get[*coin.Enrolled](s, bob.enrolment(code)); e.Account != "bob" {
		t.Errorf("%+v", e)
	}
	late := s.stranger("late")
	late.name = "bob"
	s.refused(late.enrolment(code), coin.BadEnrolCode)
}

// resigned signs a changed request again, as its sender could.
func (p *person) resigned(m *coin.Signed) *coin.Signed {
	p.t.Helper()
	msg, err := m.SigningBytes(net)
	check(p.t, err)
	m.Signature = [64]byte(ed25519.Sign(p.auth, msg))
	return m
}

// Two wallets that open one account at once: one has it, the other is told so.
func TestTwoWalletsEnrolOneAccountAtOnce(t *testing.T) {
	s := newScheme(t)
	alice, twin := s.stranger("alice"), s.stranger("twin")
	alice.fund(10)
	twin.name = "alice"
	one, err := s.mint.Enroll(t.Context(), "alice", s.now)
	check(t, err)
	two, err := s.mint.Enroll(t.Context(), "alice", s.now)
	check(t, err)
	s.door.meanwhile = func() { get[*coin.Enrolled](s, twin.enrolment(two)) }
	s.refused(alice.enrolment(one), coin.AlreadyEnrolled)
	s.refused(alice.signed(&coin.Recover{}), coin.UnknownAccount)
	twin.withdraw(s.key(brands.KindCoin, 1, "", 0))
	s.holds(map[string]money.Minor{"alice": 9})
}

// observed is the card's half of an opening.
type observed struct{ o *brands.Observer }

func (c observed) Commit() (brands.Element, error)                { return c.o.Nonce(0), nil }
func (c observed) Respond(e brands.Scalar) (brands.Scalar, error) { return c.o.Answer(0, e), nil }

// Goal: a card counts only if the issuer vouches for it and the phone proves that it
// does not hold the card's secret itself. Then the coins need the card.
func TestCardMustBeGenuineAndNeeded(t *testing.T) {
	s := newScheme(t)
	alice := s.stranger("alice")
	alice.fund(10)
	code, err := s.mint.Enroll(t.Context(), "alice", s.now)
	check(t, err)
	o := brands.NewObserver(brands.Digest{5})
	certify := func(id brands.Element, expiry clock.Date, key ed25519.PrivateKey) []byte {
		c, err := observer.Certify(id.Bytes(), expiry, func(msg []byte) ([]byte, error) { return ed25519.Sign(key, msg), nil })
		check(t, err)
		return c.Append(nil)
	}
	plain := alice.h
	enrolment := func(h *brands.Holder, cert []byte, phone *brands.Holder, card brands.OpeningCard) *coin.Signed {
		auth := alice.authKey()
		opening, err := h.Open(auth[:], s.rand, card)
		check(t, err)
		part, err := phone.OpenPhone(auth[:], s.rand)
		check(t, err)
		alice.h = h
		return alice.signed(&coin.Enrol{Network: net, Code: code, Account: "alice", Opening: opening.Append(nil), AuthKey: auth,
			Card: append(cert, part.Append(nil)...)})
	}
	h := brands.NewCardHolder(alice.seed, net, o.Identity())
	good := certify(o.Identity(), 20301231, cardAuthority())
	s.refused(enrolment(plain, good, plain, nil), coin.Invalid) // a phone that borrows a card's certificate
	s.refused(enrolment(h, good, brands.NewHolder(brands.Digest{8}, net), observed{o}), coin.Invalid)
	s.refused(enrolment(h, certify(o.Identity(), 20201231, cardAuthority()), h, observed{o}), coin.Invalid)
	s.refused(enrolment(h, certify(o.Identity(), 20301231, alice.auth), h, observed{o}), coin.Invalid)
	get[*coin.Enrolled](s, enrolment(h, good, h, observed{o}))

	k, nonce := s.key(brands.KindCoin, 2, "", 0), o.Nonce(1)
	c := alice.commit(k)
	com, err := brands.ParseCommitment(append(append(c.A[:], c.B[:]...), c.Image[:]...))
	check(t, err)
	w, x, err := h.Challenge(k, brands.DeriveBlinding(alice.seed, k.ID(), 1), com, &nonce)
	check(t, err)
	a := alice.challenge(coin.ChallengeItem{Key: c.Key, Session: 1, C: x.Bytes()})
	own := alice.finish(w, a.R)
	bill := s.bill("alice", 2, 1)
	spec := brands.FinalSpec(brands.Digest{}, digest(bill))
	d, err := own.CardChallenge(spec)
	check(t, err)
	line, err := own.PayWithCard(spec, o.Answer(1, d))
	check(t, err)
	p := &brands.Payment{Money: *head(own), Final: line}
	s.codes(bill, []coin.Code{coin.Accepted}, p.Append(nil))
	if r := get[*coin.Recovered](s, alice.signed(&coin.Recover{Key: k.ID()})); r.Items[0].Image != c.Image || c.Image == [32]byte{} {
		t.Error("the image is missing")
	}
	s.sound()
}

// A restored wallet gets back what was answered, a page at a time, and makes the
// same coins of it.
func TestRecoverListsAnsweredWithdrawals(t *testing.T) {
	s := newScheme(t)
	alice := s.person("alice", 100)
	k := s.key(brands.KindCoin, 1, "", 0)
	want := map[brands.CoinID]bool{}
	for n := range 70 {
		if n == 5 { // one dies
			alice.commit(k)
			s.now = s.now.Add(defaultSessionLife)
		}
		own := alice.withdraw(k)
		c := own.Coin()
		want[c.ID()] = true
	}
	from, pages := uint64(0), 0
	for more := true; more; pages++ {
		page := get[*coin.Recovered](s, alice.signed(&coin.Recover{Key: k.ID(), From: from}))
		for _, i := range page.Items {
			c, err := brands.ParseScalar(i.C[:])
			check(t, err)
			r, err := brands.ParseScalar(i.R[:])
			check(t, err)
			own, err := alice.h.Recall(k, brands.DeriveBlinding(alice.seed, k.ID(), i.Session), c, r, nil, nil)
			check(t, err)
			found := own.Coin()
			delete(want, found.ID())
			from = i.Session + 1
		}
		more = page.More
	}
	if len(want) != 0 || pages != 2 {
		t.Errorf("%d coins are lost, %d pages", len(want), pages)
	}
	s.refused(alice.signed(&coin.Recover{Key: [16]byte{1}}), coin.UnknownKey)
}

// A full disk loses nothing: the error says so, and the same request goes through
// when there is room again.
func TestFullDiskLosesNothing(t *testing.T) {
	s := newScheme(t)
	alice := s.person("alice", 10)
	k := s.key(brands.KindCoin, 4, "", 0)
	c := alice.commit(k)
	w, q := alice.blind(k, c, brands.DeriveBlinding(alice.seed, k.ID(), c.Session))
	raw := alice.signed(&coin.Challenge{Items: []coin.ChallengeItem{q}})
	s.door.failAt, s.door.fault = s.door.calls+1, book.ErrFull
	_, err := s.mint.Handle(t.Context(), raw, s.now)
	if !errors.Is(err, book.ErrFull) || Failure(err).Code != coin.Unavailable {
		t.Fatalf("%v", err)
	}
	s.holds(map[string]money.Minor{"alice": 10})
	a := get[*coin.Answer](s, raw).Items[0]
	alice.finish(w, a.R)
	s.holds(map[string]money.Minor{"alice": 6})
	for err, want := range map[error]coin.Code{ErrBusy: coin.Busy, book.ErrUnknown: coin.Unavailable, ErrForged: coin.Internal} {
		if f := Failure(err); f.Code != want || f.Text == "" {
			t.Errorf("%v: %+v", err, f)
		}
	}
}

// Whoever is overtaken again and again is told to come back, after a bounded number
// of tries.
func TestOvertakenAgainAndAgainIsBusy(t *testing.T) {
	s := newScheme(t)
	s.shop()
	alice := s.person("alice", 100)
	k := s.key(brands.KindCoin, 1, "", 0)
	c := alice.commit(k)
	_, q := alice.blind(k, c, brands.DeriveBlinding(alice.seed, k.ID(), 1))
	d, note := alice.divided(), s.key(brands.KindNote, 8, "", 0)
	bill := s.bill("shop", 2, 1)
	piece, claim := d.pay(4, bill), alice.lost(alice.withdraw(note))
	s.door.stale = true
	for why, m := range map[string]coin.Message{
		"commit":    alice.signed(&coin.Commit{Keys: [][16]byte{note.ID()}}),
		"challenge": alice.signed(&coin.Challenge{Items: []coin.ChallengeItem{q}}),
		"deposit":   &coin.Deposit{Terms: bill, Items: [][]byte{piece}},
		"claim":     alice.signed(&coin.Claim{Items: []coin.ClaimItem{claim}}),
	} {
		if _, err := s.mint.Handle(t.Context(), m, s.now); !errors.Is(err, ErrBusy) || Failure(err).Code != coin.Busy {
			t.Errorf("%s: %v", why, err)
		}
	}
	if err := s.mint.RegisterMerchant(t.Context(), Merchant{Account: "kiosk", MID: shopMID}, s.now); !errors.Is(err, ErrBusy) {
		t.Errorf("a merchant: %v", err)
	}
	s.door.stale = false
	s.codes(bill, []coin.Code{coin.Accepted}, piece)
	if a := alice.challenge(q); a.Code != coin.Accepted {
		t.Errorf("%+v", a)
	}
}

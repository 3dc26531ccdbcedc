package mint

import (
	"context"
	"crypto/ed25519"
	"crypto/sha256"
	"errors"
	"math/rand/v2"
	"sync"
	"testing"
	"time"

	"jiaozi/book"
	"jiaozi/book/booktest"
	"jiaozi/book/chart"
	"jiaozi/crypt/brands"
	"jiaozi/crypt/vault"
	"jiaozi/value/clock"
	"jiaozi/value/ident"
	"jiaozi/value/money"
	"jiaozi/wire/coin"
)

// The scheme of these tests: one mint on the real book and the real vault, with
// holders that do what wallets do, because roles never import one another.

const (
	bank    ident.Inst = "62100001"
	shopMID ident.MID  = "M00000000000001"
	thisMon            = 202611
)

var (
	day0 = time.Date(2026, 11, 22, 10, 0, 0, 0, clock.Zone)
	net  = brands.Network{7}
)

func yuan(m money.Minor) money.Amount { return money.New(money.CNY, m) }

func check(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// faultyDoor fails at its n-th Apply, before or after the book has taken the
// commands; the caller cannot tell which.
type faultyDoor struct {
	Door
	failAt int
	after  bool
	fault  error
	calls  int
	stale  bool // whatever is written was overtaken
	// meanwhile is what others do while the next commands are on their way.
	meanwhile func()
}

var errFault = errors.New("the line to the book broke")

func (d *faultyDoor) Apply(ctx context.Context, cmds []book.Command) ([]book.Result, error) {
	d.calls++
	if others := d.meanwhile; others != nil {
		d.meanwhile = nil
		others()
	}
	if d.stale {
		results := make([]book.Result, len(cmds))
		for i := range results {
			results[i].Code = book.VersionConflict
		}
		return results, nil
	}
	if d.calls != d.failAt {
		return d.Door.Apply(ctx, cmds)
	}
	if d.after {
		if _, err := d.Door.Apply(ctx, cmds); err != nil {
			return nil, err
		}
	}
	return nil, d.fault
}

// lockedReader is a random source that repeats itself from run to run.
type lockedReader struct {
	mu sync.Mutex
	*rand.ChaCha8
}

func (r *lockedReader) Read(b []byte) (int, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.ChaCha8.Read(b)
}

func dice(seed byte) *lockedReader { return &lockedReader{ChaCha8: rand.NewChaCha8([32]byte{seed})} }

type scheme struct {
	t     testing.TB
	book  *book.Ledger // nil in a book of many shards
	door  *faultyDoor
	vault *vault.Vault
	mint  *Mint
	cfg   Config
	now   time.Time
	keys  map[brands.KeyID]*brands.PublicKey
	rand  *lockedReader
	posts int // postings of the bank
}

func (s *scheme) Key(id brands.KeyID) (*brands.PublicKey, bool) {
	k, ok := s.keys[id]
	return k, ok
}

// newScheme has coins of 1, 2 and 4, those again for the group "campus", notes of 8
// in four leaves, and two blanks at a time.
func newScheme(t testing.TB) *scheme {
	t.Helper()
	l, err := book.Open(t.Context(), &booktest.Memory{})
	check(t, err)
	t.Cleanup(func() { check(t, l.Close()) })
	s := newSchemeOn(t, l.Door(Events, Spaces(bank)), func(*Config) {})
	s.book = l
	return s
}

// theVault has the keys of these tests; making them takes longer than most tests.
var theVault = sync.OnceValue(func() *vault.Vault {
	v := vault.New(vault.Options{Test: true, Rand: dice(1)})
	if err := v.Generate("sign", vault.Signing); err != nil {
		panic(err)
	}
	return v
})

func newSchemeOn(t testing.TB, door Door, adjust func(*Config)) *scheme {
	t.Helper()
	s := &scheme{t: t, now: day0, door: &faultyDoor{Door: door, fault: errFault}, vault: theVault(), rand: dice(2),
		keys: map[brands.KeyID]*brands.PublicKey{}}
	s.cfg = Config{
		Inst: bank, Name: "test mint", Network: net, Currency: money.CNY, Sign: "sign",
		Coins: 3, Notes: []Note{{Value: 8, Depth: 2}}, Groups: []string{"campus"}, Blanks: 2,
		CardKey: cardAuthority().Public().(ed25519.PublicKey),
	}
	adjust(&s.cfg)
	s.open()
	check(t, s.mint.EnsureKeys(t.Context(), s.now, func(context.Context) error { return nil }))
	s.learn()
	return s
}

func cardAuthority() ed25519.PrivateKey {
	return ed25519.NewKeyFromSeed(append(make([]byte, 31), 9))
}

// open makes the mint anew, as after a crash: it keeps nothing in memory.
func (s *scheme) open() {
	s.t.Helper()
	var err error
	s.mint, err = New(s.cfg, s.door, s.vault, s.rand)
	check(s.t, err)
}

// learn reads the published keys as everybody does.
func (s *scheme) learn() {
	s.t.Helper()
	list, err := s.mint.Keys(s.t.Context(), s.now)
	check(s.t, err)
	for _, raw := range list.Keys {
		k, err := brands.ParsePublicKey(raw)
		check(s.t, err)
		s.keys[k.ID()] = k
	}
}

// key finds the n-th published key of a kind and value of the current month.
func (s *scheme) key(kind brands.Kind, value money.Minor, group string, n int) *brands.PublicKey {
	s.t.Helper()
	list, err := s.mint.Keys(s.t.Context(), s.now)
	check(s.t, err)
	for _, raw := range list.Keys {
		k, err := brands.ParsePublicKey(raw)
		check(s.t, err)
		i := k.Info()
		if i.Kind == kind && i.Value == value && i.Group == group && s.now.Unix() >= i.From && s.now.Unix() < i.IssueUntil {
			if n--; n < 0 {
				return k
			}
		}
	}
	s.t.Fatalf("no key for a %v of %d", kind, value)
	return nil
}

// post books what the bank does besides.
func (s *scheme) post(p book.Posting) {
	s.t.Helper()
	s.posts++
	r, err := s.book.Apply(s.t.Context(), []book.Command{p.Command(book.DeriveID("test", s.posts), clock.DateOf(s.now))})
	check(s.t, err)
	if r[0].Code != book.OK {
		s.t.Fatalf("%s: %s", p.Event, r[0].Code)
	}
}

// ask sends a message until the mint answers, with a mint that remembers nothing
// after each fault.
func (s *scheme) ask(m coin.Message) coin.Message {
	s.t.Helper()
	raw, err := coin.Append(nil, m)
	check(s.t, err)
	for range 5 {
		answer, err := s.mint.Serve(s.t.Context(), raw, s.now)
		if err == nil {
			out, err := coin.Decode(answer)
			check(s.t, err)
			return out
		}
		if !errors.Is(err, s.door.fault) {
			s.t.Fatal(err)
		}
		s.open()
	}
	s.t.Fatal("the mint never answered")
	return nil
}

// get is ask for an answer of one type.
func get[T coin.Message](s *scheme, m coin.Message) T {
	s.t.Helper()
	out, ok := s.ask(m).(T)
	if !ok {
		s.t.Fatalf("%v was answered by %+v", m.Type(), s.ask(m))
	}
	return out
}

// refused expects a failure.
func (s *scheme) refused(m coin.Message, want coin.Code) {
	s.t.Helper()
	if f, ok := s.ask(m).(*coin.Failure); !ok || f.Code != want {
		s.t.Fatalf("%v: %+v, want %v", m.Type(), s.ask(m), want)
	}
}

// person is a holder with an account at the bank.
type person struct {
	*scheme
	name   string
	seed   brands.Digest
	h      *brands.Holder
	auth   ed25519.PrivateKey
	serial uint64
}

// person opens an account with some money and enrols it.
func (s *scheme) person(name string, funds money.Minor) *person {
	s.t.Helper()
	p := s.stranger(name)
	p.fund(funds)
	p.enrol()
	return p
}

// fund opens the account at the bank, with or without money.
func (p *person) fund(funds money.Minor) {
	p.t.Helper()
	posting := chart.Fund(bank, p.name, yuan(funds))
	if funds == 0 {
		posting.Open = []book.Account{chart.Customer(bank, p.name, money.CNY)}
	}
	p.post(posting)
}

func (s *scheme) stranger(name string) *person {
	seed := sha256.Sum256([]byte(name))
	p := &person{scheme: s, name: name, auth: ed25519.NewKeyFromSeed(seed[:])}
	p.seed = brands.Digest(sha256.Sum256(seed[:]))
	p.h = brands.NewHolder(p.seed, net)
	return p
}

func (p *person) authKey() [32]byte { return [32]byte(p.auth.Public().(ed25519.PublicKey)) }

func (p *person) enrolment(code coin.EnrolCode) *coin.Signed {
	p.t.Helper()
	auth := p.authKey()
	opening, err := p.h.Open(OpeningContext(auth), p.rand, nil)
	check(p.t, err)
	return p.signed(&coin.Enrol{Network: net, Code: code, Account: p.name, Opening: opening.Append(nil), AuthKey: auth})
}

func (p *person) enrol() {
	p.t.Helper()
	var code coin.EnrolCode
	p.insist(func() (err error) { code, err = p.mint.Enroll(p.t.Context(), p.name, p.now); return err })
	if e := get[*coin.Enrolled](p.scheme, p.enrolment(code)); e.Account != p.name || e.Identity != p.h.Identity().Bytes() {
		p.t.Fatalf("enrolled %+v", e)
	}
}

// insist calls until the book does not fail any more.
func (s *scheme) insist(call func() error) {
	s.t.Helper()
	for range 5 {
		err := call()
		if err == nil {
			return
		}
		if !errors.Is(err, s.door.fault) {
			s.t.Fatal(err)
		}
		s.open()
	}
	s.t.Fatal("it never went through")
}

func (p *person) signed(body coin.Message) *coin.Signed {
	p.t.Helper()
	p.serial++
	m := &coin.Signed{Account: p.h.Identity().Bytes(), Time: p.now.Unix(), Serial: p.serial, Body: body}
	msg, err := m.SigningBytes(net)
	check(p.t, err)
	m.Signature = [64]byte(ed25519.Sign(p.auth, msg))
	return m
}

// commit opens a withdrawal.
func (p *person) commit(k *brands.PublicKey) coin.Commitment {
	p.t.Helper()
	return get[*coin.Commitments](p.scheme, p.signed(&coin.Commit{Keys: [][16]byte{k.ID()}})).Items[0]
}

// blind makes the challenge of a withdrawal.
func (p *person) blind(k *brands.PublicKey, c coin.Commitment, bl *brands.Blinding) (*brands.Withdrawal, coin.ChallengeItem) {
	p.t.Helper()
	com, err := brands.ParseCommitment(append(c.A[:], c.B[:]...))
	check(p.t, err)
	w, x, err := p.h.Challenge(k, bl, com, nil)
	check(p.t, err)
	return w, coin.ChallengeItem{Key: c.Key, Session: c.Session, C: x.Bytes()}
}

func (p *person) challenge(c coin.ChallengeItem) coin.AnswerItem {
	p.t.Helper()
	return get[*coin.Answer](p.scheme, p.signed(&coin.Challenge{Items: []coin.ChallengeItem{c}})).Items[0]
}

// withdraw gets a coin, with the factors that the seed gives.
func (p *person) withdraw(k *brands.PublicKey) *brands.Own {
	p.t.Helper()
	c := p.commit(k)
	return p.withdrawn(k, c, brands.DeriveBlinding(p.seed, k.ID(), c.Session))
}

func (p *person) withdrawn(k *brands.PublicKey, c coin.Commitment, bl *brands.Blinding) *brands.Own {
	p.t.Helper()
	w, q := p.blind(k, c, bl)
	a := p.challenge(q)
	if !a.Code.Paid() {
		p.t.Fatalf("withdrawal: %v", a.Code)
	}
	return p.finish(w, a.R)
}

func (p *person) finish(w *brands.Withdrawal, answer [32]byte) *brands.Own {
	p.t.Helper()
	r, err := brands.ParseScalar(answer[:])
	check(p.t, err)
	own, err := w.Finish(r)
	check(p.t, err)
	return own
}

func (p *person) coin(value money.Minor) *brands.Own {
	p.t.Helper()
	return p.withdraw(p.key(brands.KindCoin, value, "", 0))
}

// bill is what a payee asks for.
func (s *scheme) bill(payee string, amount money.Minor, nonce byte) coin.Terms {
	return coin.Terms{Network: net, Payee: payee, Amount: yuan(amount), Time: s.now.Unix(), Nonce: [16]byte{nonce}}
}

func digest(t coin.Terms) brands.Digest {
	b := brands.Terms{Network: brands.Network(t.Network), Payee: brands.PayeeOf(brands.Network(t.Network), t.Payee), Currency: t.Amount.Currency(),
		Amount: t.Amount.Minor(), Time: t.Time, Nonce: t.Nonce, Contract: t.Contract, Group: t.Group}
	return b.Digest()
}

// head is money that has been nowhere yet.
func head(own *brands.Own) *brands.Money { return &brands.Money{Head: own.Coin()} }

// pass pays money on to a blank.
func (s *scheme) pass(m *brands.Money, owner *brands.Own, to *brands.Own) *brands.Money {
	s.t.Helper()
	next := to.Coin()
	line, err := owner.Pay(brands.LinkSpec(m.Spec(), &next))
	check(s.t, err)
	return &brands.Money{Head: m.Head, Piece: m.Piece, Links: append(append([]brands.Link(nil), m.Links...), brands.Link{Line: line, Next: next})}
}

// pay closes money with its last owner's line.
func (s *scheme) pay(m *brands.Money, owner *brands.Own, t coin.Terms) []byte {
	s.t.Helper()
	line, err := owner.Pay(brands.FinalSpec(m.Spec(), digest(t)))
	check(s.t, err)
	p := &brands.Payment{Money: *m, Final: line}
	return p.Append(nil)
}

func (s *scheme) deposit(t coin.Terms, items ...[]byte) []coin.DepositedItem {
	s.t.Helper()
	return get[*coin.Deposited](s, &coin.Deposit{Terms: t, Items: items}).Items
}

// codes deposits and compares the codes.
func (s *scheme) codes(t coin.Terms, want []coin.Code, items ...[]byte) []coin.DepositedItem {
	s.t.Helper()
	have := s.deposit(t, items...)
	for i := range want {
		if have[i].Code != want[i] {
			s.t.Fatalf("coin %d: %v, want %v", i, have[i].Code, want[i])
		}
	}
	return have
}

// named expects a proof of guilt against a person, checks it as a stranger would,
// and returns it.
func (s *scheme) named(item coin.DepositedItem, guilty *person) *coin.GuiltFile {
	s.t.Helper()
	f, err := coin.Parse[coin.GuiltFile](item.Guilt)
	check(s.t, err)
	list, err := s.mint.Keys(s.t.Context(), s.now)
	check(s.t, err)
	check(s.t, f.Verify(list.Sign))
	k, err := brands.ParsePublicKey(f.Key)
	check(s.t, err)
	g, err := brands.ParseGuilt(f.Guilt)
	check(s.t, err)
	who, err := g.VerifyVartime(oneKey{k})
	check(s.t, err)
	if who.Bytes() != guilty.h.Identity().Bytes() || f.Identity != who.Bytes() || f.Account != guilty.name {
		s.t.Fatalf("the proof names %s, want %s", f.Account, guilty.name)
	}
	return f
}

type oneKey struct{ k *brands.PublicKey }

func (o oneKey) Key(id brands.KeyID) (*brands.PublicKey, bool) { return o.k, o.k.ID() == id }

// holds compares the balances of people's accounts.
func (s *scheme) holds(want map[string]money.Minor) {
	s.t.Helper()
	for name, m := range want {
		a := chart.Customer(bank, name, money.CNY)
		if name == "shop" {
			a = chart.Merchant(bank, shopMID, money.CNY)
		}
		if have := s.balance(a); have != m {
			s.t.Errorf("%s has %d, want %d", name, have, m)
		}
	}
}

func (s *scheme) balance(a book.Account) money.Minor {
	s.t.Helper()
	have, _, err := s.door.Balance(s.t.Context(), a.ID)
	check(s.t, err)
	return have.Minor()
}

// line is the status of this month; it must add up, and agree with the journal.
func (s *scheme) line() coin.StatusLine {
	s.t.Helper()
	status, err := s.mint.Status(s.t.Context(), s.now)
	check(s.t, err)
	for _, l := range status.Lines {
		if !l.Balanced() {
			s.t.Fatalf("epoch %d does not add up: %+v", l.Epoch, l)
		}
	}
	return status.Lines[0]
}

// sound verifies the book and counts coins again from the journal.
func (s *scheme) sound() {
	s.t.Helper()
	report, err := s.book.Verify(s.t.Context())
	check(s.t, err)
	for _, f := range report.Findings {
		s.t.Errorf("finding: %s", f)
	}
	l := s.line()
	if coins := s.balance(chart.Coins(bank, thisMon, chart.Place{}, money.CNY)); coins != l.Outstanding.Minor() {
		s.t.Errorf("outstanding %d, published %s", coins, l.Outstanding)
	}
}

// shop registers the merchant.
func (s *scheme) shop(groups ...string) {
	s.t.Helper()
	s.insist(func() error {
		return s.mint.RegisterMerchant(s.t.Context(), Merchant{Account: "shop", MID: shopMID, Groups: groups}, s.now)
	})
}

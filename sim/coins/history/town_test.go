package history

import (
	"context"
	"crypto/ed25519"
	"crypto/sha256"
	"errors"
	"fmt"
	"math/rand/v2"
	"sync"
	"testing"
	"time"

	"jiaozi/book"
	"jiaozi/book/booktest"
	"jiaozi/book/chart"
	"jiaozi/crypt/brands"
	"jiaozi/crypt/vault"
	"jiaozi/role/mint"
	"jiaozi/value/clock"
	"jiaozi/value/ident"
	"jiaozi/value/money"
	"jiaozi/wire/coin"
)

const (
	bank    ident.Inst  = "62100001"
	shopMID ident.MID   = "M00000000000001"
	shop                = "shop"
	aNote   money.Minor = 4   // of which four parts can be paid
	purse   money.Minor = 400 // that everybody begins with, at the bank
)

var (
	network  = brands.Network{9}
	start    = time.Date(2026, 11, 1, 8, 0, 0, 0, clock.Zone)
	errFault = errors.New("the world failed here")
)

func fen(m money.Minor) money.Amount { return money.New(money.CNY, m) }

// dice repeat themselves from run to run, and may be shared.
type dice struct {
	mu sync.Mutex
	*rand.ChaCha8
}

func (d *dice) Read(b []byte) (int, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.ChaCha8.Read(b)
}

func newDice(name string) *dice { return &dice{ChaCha8: rand.NewChaCha8(sha256.Sum256([]byte(name)))} }

// theVault holds the keys of all towns: making and checking keys takes longer than a
// history does.
var theVault = sync.OnceValue(func() *vault.Vault {
	v := vault.New(vault.Options{Test: true, Rand: newDice("vault")})
	if err := v.Generate("sign", vault.Signing); err != nil {
		panic(err)
	}
	return v
})

func cardAuthority() ed25519.PrivateKey { return ed25519.NewKeyFromSeed(make([]byte, 32)) }

// town is a mint and the people around it.
type town struct {
	testing.TB
	seed   uint64
	dice   *rand.Rand
	clock  *clock.Manual
	book   *book.Ledger
	mint   *mint.Mint
	rand   *dice
	people []*person
	till   *person // the shop's, whose money goes to a merchant's account
	posts  int
	faults int // that may still happen in this history
	seen   map[brands.CoinID][]transcript
	// claims are the coins that the mint credited to those who lost them.
	claims map[brands.CoinID]money.Minor
	// Who cheated with a coin or a blank of his, as it was played, and with which of
	// those that a coin went through.
	culprit  map[brands.CoinID]string
	suspects map[brands.CoinID][]brands.CoinID
	parcels  []*parcel                // of this history
	done     []string                 // what happened in it
	alarm    bool                     // the mint has refused a coin in it
	proved   map[brands.CoinID]string // whom the mint has named so far
}

func (w *town) check(err error) {
	w.Helper()
	if err != nil {
		w.Fatalf("town %d: %v\n%q", w.seed, err, w.done)
	}
}

func (w *town) note(format string, args ...any) {
	w.done = append(w.done, fmt.Sprintf(format, args...))
}

// newTown opens a mint of three coins, one note and one blank for a month, and lets the people move
// in. All calls take their turn on one vault.
func newTown(t testing.TB, seed uint64) *town {
	w := &town{
		TB: t, seed: seed, dice: rand.New(rand.NewPCG(seed, 1)), clock: clock.NewManual(start), rand: newDice(fmt.Sprint("town", seed)),
		seen: map[brands.CoinID][]transcript{}, claims: map[brands.CoinID]money.Minor{}, culprit: map[brands.CoinID]string{},
		suspects: map[brands.CoinID][]brands.CoinID{}, proved: map[brands.CoinID]string{},
	}
	var err error
	w.book, err = book.Open(t.Context(), &booktest.Memory{})
	w.check(err)
	w.mint, err = mint.New(mint.Config{
		Inst: bank, Name: "town", Network: network, Currency: money.CNY, Sign: "sign", Coins: 3, Notes: []mint.Note{{Value: aNote, Depth: 2}},
		Blanks: 1, CardKey: cardAuthority().Public().(ed25519.PublicKey),
	}, w.book.Door(mint.Events, mint.Spaces(bank)), theVault(), w.rand)
	w.check(err)
	makeKeys.Lock()
	err = w.mint.EnsureKeys(t.Context(), start, func(context.Context) error { return nil })
	makeKeys.Unlock()
	w.check(err)
	w.check(w.mint.RegisterMerchant(t.Context(), mint.Merchant{Account: shop, MID: shopMID}, start))
	w.till = w.moveIn(person{name: "till", honest: true})
	for _, p := range []person{{name: "alice", honest: true}, {name: "bob", honest: true}, {name: "carol", honest: true, card: newCard("carol")},
		{name: "mallory"}, {name: "craig", card: newCard("craig")}} {
		w.people = append(w.people, w.moveIn(p))
	}
	return w
}

// makeKeys keeps two towns from making one key at a time.
var makeKeys sync.Mutex

// account opens an account with money in it, and gives the code to enrol it with.
func (w *town) account(name string) coin.EnrolCode {
	w.Helper()
	w.posts++
	cmd := chart.Fund(bank, name, fen(purse)).Command(book.DeriveID("fund", w.posts), clock.DateOf(w.clock.Now()))
	r, err := w.book.Apply(w.Context(), []book.Command{cmd})
	w.check(err)
	if r[0].Code != book.OK {
		w.Fatalf("fund %s: %s", name, r[0].Code)
	}
	code, err := w.mint.Enroll(w.Context(), name, w.clock.Now())
	w.check(err)
	return code
}

// fault decides whether something fails now.
func (w *town) fault() bool {
	if w.faults == 0 || w.dice.IntN(6) > 0 {
		return false
	}
	w.faults--
	return true
}

// line is the way to the mint. It loses requests and answers, and repeats requests.
type line struct{ *town }

func (l line) Keys(ctx context.Context) ([]byte, error) {
	b, err := coin.Append(nil, &coin.Ask{What: coin.TypeKeys})
	if err != nil {
		return nil, err
	}
	return l.mint.Serve(ctx, b, l.clock.Now())
}

func (l line) Do(ctx context.Context, request []byte) ([]byte, error) {
	if l.fault() {
		return nil, errFault
	}
	answer, err := l.serve(ctx, request)
	if err == nil && l.fault() {
		answer, err = l.serve(ctx, request) // the same once more
	}
	if err == nil && l.fault() {
		return nil, errFault
	}
	return answer, err
}

func (l line) serve(ctx context.Context, request []byte) ([]byte, error) {
	answer, err := l.mint.Serve(ctx, request, l.clock.Now())
	if err == nil {
		l.witness(request, answer)
	}
	return answer, err
}

// transcript is one payment of a coin that reached the mint and was no forgery.
type transcript struct {
	node uint16 // of a note; 0 for a coin
	sum  [32]byte
}

// clashes reports whether two payments of one coin cannot both be honest.
func (a transcript) clashes(b transcript) bool {
	for low, high := min(a.node, b.node), max(a.node, b.node); ; high /= 2 {
		if high == low {
			return a.sum != b.sum
		}
		if high < low {
			return false
		}
	}
}

// witness writes down what reached the mint, in the words of the messages.
func (w *town) witness(request, answer []byte) {
	q, err := coin.Decode(request)
	w.check(err)
	if s, ok := q.(*coin.Signed); ok {
		q = s.Body
	}
	if c, ok := q.(*coin.Claim); ok {
		w.witnessClaim(c, answer)
	}
	d, ok := q.(*coin.Deposit)
	if !ok {
		return
	}
	a, err := coin.Parse[coin.Deposited](answer)
	w.check(err)
	terms := termsDigest(&d.Terms)
	for i, item := range a.Items {
		if !item.Code.Paid() && item.Code != coin.DoubleSpent {
			w.Fatalf("town %d: a deposit was refused: %v\n%q", w.seed, item.Code, w.done)
		}
		w.alarm = w.alarm || item.Code == coin.DoubleSpent
		p, err := brands.ParsePayment(d.Items[i])
		w.check(err)
		t := transcript{sum: sha256.Sum256(append(terms[:], d.Items[i]...))}
		if p.Piece != nil {
			t.node = p.Piece.Node
		}
		w.seen[p.Head.ID()] = append(w.seen[p.Head.ID()], t)
	}
}

func (w *town) witnessClaim(c *coin.Claim, answer []byte) {
	a, err := coin.Parse[coin.Claimed](answer)
	w.check(err)
	for i, item := range a.Items {
		if item.Code == coin.Accepted {
			lost, err := brands.ParseCoin(c.Items[i].Coin)
			w.check(err)
			w.claims[lost.ID()] = item.Value.Minor()
		}
	}
}

// termsDigest is what a payment's last line is bound to.
func termsDigest(t *coin.Terms) brands.Digest {
	terms := brands.Terms{
		Network: t.Network, Payee: brands.PayeeOf(t.Network, t.Payee), Currency: t.Amount.Currency(), Amount: t.Amount.Minor(),
		Time: t.Time, Nonce: t.Nonce, Contract: t.Contract, Group: t.Group,
	}
	return terms.Digest()
}

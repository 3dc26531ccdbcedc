package mintapi

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"jiaozi/book"
	"jiaozi/book/chart"
	"jiaozi/book/sqlite"
	"jiaozi/crypt/brands"
	"jiaozi/crypt/phrase"
	"jiaozi/crypt/vault"
	"jiaozi/role/mint"
	"jiaozi/role/wallet"
	"jiaozi/value/clock"
	"jiaozi/value/ident"
	"jiaozi/value/money"
	"jiaozi/wire/coin"
)

const bank ident.Inst = "62100001"

func yuan(fen money.Minor) money.Amount { return money.New(money.CNY, fen) }

// clocked is the real mint behind the machine's clock; fault makes it undecided.
type clocked struct {
	*mint.Mint
	fault error
}

func (c *clocked) Handle(ctx context.Context, m coin.Message) (coin.Message, error) {
	if c.fault != nil {
		return nil, c.fault
	}
	return c.Mint.Handle(ctx, m, clock.System{}.Now())
}

func (c *clocked) Failure(err error) *coin.Failure { return mint.Failure(err) }

// keyring has the keys of these tests: making them takes longer than most tests.
var keyring = sync.OnceValue(func() *vault.Vault {
	v := vault.New(vault.Options{Test: true})
	if err := v.Generate("sign", vault.Signing); err != nil {
		panic(err)
	}
	return v
})

// town is a real mint on a real book in a file, served over HTTP.
type town struct {
	*testing.T
	mint   *clocked
	book   *book.Ledger
	server *httptest.Server
	posts  int
}

func newTown(t *testing.T) *town {
	t.Helper()
	engine, err := sqlite.Open(filepath.Join(t.TempDir(), "book"))
	check(t, err)
	l, err := book.Open(t.Context(), engine)
	check(t, err)
	m, err := mint.New(mint.Config{
		Inst: bank, Name: "test mint", Network: brands.Network{7}, Currency: money.CNY, Sign: "sign", Coins: 4, Blanks: 2,
	}, l.Door(mint.Events, mint.Spaces(bank)), keyring(), rand.Reader)
	check(t, err)
	check(t, m.EnsureKeys(t.Context(), clock.System{}.Now(), func(context.Context) error { return nil }))
	w := &town{T: t, mint: &clocked{Mint: m}, book: l}
	w.server = httptest.NewServer(Handler(w.mint))
	t.Cleanup(func() { w.server.Close(); check(t, l.Close()) })
	return w
}

func check(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// fund opens an account with money in it.
func (w *town) fund(name string) {
	w.Helper()
	w.posts++
	post := chart.Fund(bank, name, yuan(100))
	r, err := w.book.Apply(w.Context(), []book.Command{post.Command(book.DeriveID("test", w.posts), clock.DateOf(clock.System{}.Now()))})
	check(w.T, err)
	if r[0].Code != book.OK {
		w.Fatal(r[0].Code)
	}
}

func (w *town) client() *Client {
	w.Helper()
	c, err := NewClient(w.server.URL)
	check(w.T, err)
	return c
}

type memory struct{ state []byte }

func (m *memory) Load() ([]byte, error)   { return m.state, nil }
func (m *memory) Save(state []byte) error { m.state = state; return nil }

// join makes a wallet that speaks through a port, and enrols it.
func (w *town) join(name string, port wallet.Mint) *wallet.Wallet {
	w.Helper()
	w.fund(name)
	words, err := phrase.New(rand.Reader)
	check(w.T, err)
	p, err := wallet.New(wallet.World{Store: new(memory), Mint: port, Clock: clock.System{}, Rand: rand.Reader},
		wallet.Config{Currency: money.CNY, Policy: wallet.Policy{Blanks: 4, RequestBlanks: 4, ChangeBlanks: 2}}, words)
	check(w.T, err)
	check(w.T, p.RefreshKeys(w.Context()))
	code, err := w.mint.Enroll(w.Context(), name, clock.System{}.Now())
	check(w.T, err)
	check(w.T, p.Enrol(w.Context(), name, code))
	return p
}

// twice is a port that asks everything in JSON and in the compact form, compares the
// answers and gives the compact one. JSON goes first, so that it acts and the other
// repeats, unless last is set: a wallet draws nothing anew of a claim that the mint
// calls a repetition.
type twice struct {
	*town
	compact *Client
	last    bool     // JSON goes last
	asked   []string // operations, in order
}

func (p *twice) Keys(ctx context.Context) ([]byte, error) { return p.compact.Keys(ctx) }

func (p *twice) Do(ctx context.Context, request []byte) ([]byte, error) {
	m, err := coin.Decode(request)
	check(p.T, err)
	name, body := bodyOf(m)
	p.asked = append(p.asked, name)
	var status int
	var first, raw []byte
	if !p.last {
		status, first = p.post("/v1/"+name, body)
	}
	raw, err = p.compact.Do(ctx, request)
	check(p.T, err)
	if p.last {
		status, first = p.post("/v1/"+name, body)
	}
	second, err := coin.Decode(raw)
	check(p.T, err)
	if failure, ok := second.(*coin.Failure); ok {
		var doc refusal
		check(p.T, json.Unmarshal(first, &doc))
		if doc.Code != failure.Code.String() || doc.Text != failure.Text || status != statusOf(failure) {
			p.Errorf("%s: %d %+v in JSON, %+v", name, status, doc, failure)
		}
		return raw, nil
	}
	if got, want := plain(p.T, first), plain(p.T, docOf(second)); status != http.StatusOK || !bytes.Equal(got, want) {
		p.Errorf("%s: status %d\nin JSON %s\ncompact %s", name, status, got, want)
	}
	return raw, nil
}

// plain is a document without what tells the first time from the second.
func plain(t *testing.T, doc []byte) []byte {
	t.Helper()
	var v any
	check(t, json.Unmarshal(doc, &v))
	out, err := json.Marshal(v)
	check(t, err)
	return bytes.ReplaceAll(out, []byte(`"replayed"`), []byte(`"accepted"`))
}

func (w *town) post(path string, body any) (int, []byte) {
	w.Helper()
	raw, err := json.Marshal(body)
	check(w.T, err)
	resp, err := http.Post(w.server.URL+path, "application/json", bytes.NewReader(raw))
	check(w.T, err)
	defer resp.Body.Close()
	got, err := io.ReadAll(resp.Body)
	check(w.T, err)
	return resp.StatusCode, got
}

type object = map[string]any

// bodyOf writes a request as a scripting operator would.
func bodyOf(m coin.Message) (string, object) {
	if d, ok := m.(*coin.Deposit); ok {
		return "deposit", object{
			"network": d.Network[:], "payee": d.Payee, "amount": object{"amount": json.Number(d.Amount.String()), "currency": d.Amount.Currency().Code()},
			"time": d.Time, "nonce": d.Nonce[:], "contract": d.Contract[:], "group": d.Group, "items": d.Items, "aids": d.Aids,
		}
	}
	s := m.(*coin.Signed)
	body := object{"account": s.Account[:], "time": s.Time, "serial": s.Serial, "signature": s.Signature[:]}
	items := []object{}
	switch b := s.Body.(type) {
	case *coin.Enrol:
		body["network"], body["code"], body["name"] = b.Network[:], b.Code.Reveal(), b.Account
		body["opening"], body["auth_key"] = b.Opening, b.AuthKey[:]
		return "enrol", body
	case *coin.Commit:
		keys := [][]byte{}
		for i := range b.Keys {
			keys = append(keys, b.Keys[i][:])
		}
		body["keys"] = keys
		return "commit", body
	case *coin.Challenge:
		for _, i := range b.Items {
			items = append(items, object{"key": i.Key[:], "session": i.Session, "c": i.C[:]})
		}
	case *coin.Recover:
		body["key"], body["from"] = b.Key[:], b.From
		return "recover", body
	case *coin.Claim:
		for _, i := range b.Items {
			items = append(items, object{"coin": i.Coin, "proof": i.Proof})
		}
	}
	body["items"] = items
	return s.Body.Type().String(), body
}

// docOf is the JSON of an answer that came in the compact form.
func docOf(m coin.Message) []byte {
	var doc any
	switch m := m.(type) {
	case *coin.Enrolled:
		doc = enrolledDoc(m)
	case *coin.Commitments:
		doc = commitmentsDoc(m)
	case *coin.Answer:
		doc = answerDoc(m)
	case *coin.Recovered:
		doc = recoveredDoc(m)
	case *coin.Claimed:
		doc = claimedDoc(m)
	case *coin.Deposited:
		doc = depositedDoc(m)
	}
	raw, _ := json.Marshal(doc)
	return raw
}

// Goal: both forms are one mint. Method: whole wallets live through a port that asks
// everything in JSON and again in the compact form, on one book.
func TestBothFormsGiveTheSameAnswers(t *testing.T) {
	w := newTown(t)
	port := &twice{town: w, compact: w.client()}
	anna, ben := w.join("anna", port), w.join("ben", port)
	for _, p := range []*wallet.Wallet{anna, ben} {
		r, err := p.Withdraw(t.Context(), wallet.Order{Amount: yuan(9)})
		check(t, err)
		if r.Withdrawn != yuan(9) {
			t.Fatal(r.Withdrawn)
		}
	}
	request, err := ben.Ask(wallet.Demand{Amount: yuan(5), Lifetime: 600, Deposit: true})
	check(t, err)
	payment, err := anna.Pay(request)
	check(t, err)
	got, err := ben.Receive(payment)
	check(t, err)
	_, err = anna.TakeReceipt(got.Receipt)
	check(t, err)
	r, err := ben.Deposit(t.Context(), yuan(0))
	check(t, err)
	if r.Credited != yuan(14) {
		t.Errorf("credited %v", r.Credited)
	}
	port.last = true
	again, err := wallet.Restore(wallet.World{Store: new(memory), Mint: port, Clock: clock.System{}, Rand: rand.Reader},
		wallet.Config{Currency: money.CNY}, anna.Words(), "anna")
	check(t, err)
	_, err = again.Refresh(t.Context())
	check(t, err)
	if b := again.Balance(); b.Available != yuan(4) {
		t.Errorf("%+v", b)
	}
	slices.Sort(port.asked)
	if seen := slices.Compact(port.asked); !slices.Equal(seen, []string{"challenge", "claim", "commit", "deposit", "enrol", "recover"}) {
		t.Errorf("asked %v", seen)
	}
}

// Goal: what is published is the same in both forms and adds up.
func TestWhatIsPublishedIsTheSameInBothForms(t *testing.T) {
	w := newTown(t)
	raw, err := w.client().Status(t.Context())
	check(t, err)
	status, err := coin.Parse[coin.Status](raw)
	check(t, err)
	raw, err = w.client().Keys(t.Context())
	check(t, err)
	keys, err := coin.Parse[coin.Keys](raw)
	check(t, err)
	for path, want := range map[string]any{"/v1/status": statusDoc(status), "/v1/keys": keysOf(keys)} {
		resp, err := http.Get(w.server.URL + path)
		check(t, err)
		got, err := io.ReadAll(resp.Body)
		check(t, errors.Join(err, resp.Body.Close()))
		doc, err := json.Marshal(want)
		check(t, err)
		if a, b := timeless(t, got), timeless(t, doc); !bytes.Equal(a, b) || resp.StatusCode != http.StatusOK {
			t.Errorf("%s: %d\n%s\n%s", path, resp.StatusCode, a, b)
		}
	}
	if len(keys.Keys) != 12 { // 4 coins and 2 blanks, of this epoch and the next
		t.Errorf("%d keys", len(keys.Keys))
	}
	resp, err := http.Get(w.server.URL + "/openapi.json")
	check(t, err)
	doc, err := io.ReadAll(resp.Body)
	check(t, errors.Join(err, resp.Body.Close()))
	for _, path := range strings.Fields("coins keys status enrol commit challenge recover claim deposit") {
		if !bytes.Contains(doc, []byte(`"/v1/`+path+`"`)) {
			t.Errorf("/v1/%s is not described", path)
		}
	}
}

func timeless(t *testing.T, doc []byte) []byte {
	t.Helper()
	var v map[string]any
	check(t, json.Unmarshal(doc, &v))
	delete(v, "time")
	out, err := json.Marshal(v)
	check(t, err)
	return out
}

package coincheck

import (
	"crypto/ed25519"
	"crypto/rand"
	"errors"
	"sync"
	"testing"

	"jiaozi/crypt/brands"
	"jiaozi/role/wallet"
	"jiaozi/value/money"
	"jiaozi/wire/coin"
)

var (
	network = brands.Network{5}
	mintKey = ed25519.NewKeyFromSeed(make([]byte, 32))
	// private makes the one key of these tests, a coin of 1.
	private = sync.OnceValue(func() *brands.PrivateKey {
		k, err := brands.GenerateKey(brands.KeyInfo{
			Network: network, Kind: brands.KindCoin, Currency: money.CNY, Value: 1, Epoch: 202611, From: 10, IssueUntil: 20, SpendUntil: 30, DepositUntil: 40,
		}, rand.Reader)
		if err != nil {
			panic(err)
		}
		return k
	})
)

func check(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func keys(t *testing.T) *Keys {
	t.Helper()
	k, err := ParseKeys(keysFile(t, private().Public().Append(nil)))
	check(t, err)
	return k
}

func keysFile(t *testing.T, list ...[]byte) []byte {
	t.Helper()
	b, err := coin.Append(nil, &coin.Keys{Network: network, Mint: "bank", Sign: [32]byte(mintKey.Public().(ed25519.PublicKey)), Time: 11, Keys: list})
	check(t, err)
	return b
}

// spender is a holder with one coin.
type spender struct {
	*testing.T
	holder *brands.Holder
	own    *brands.Own
}

func newSpender(t *testing.T) spender {
	t.Helper()
	h := brands.NewHolder(brands.Digest{9}, network)
	bl, err := brands.RandomBlinding(rand.Reader)
	check(t, err)
	com := private().Commit(brands.Digest{1}, h.Identity())
	w, c, err := h.Challenge(private().Public(), bl, com, nil)
	check(t, err)
	own, err := w.Finish(private().Respond(brands.Digest{1}, h.Identity(), c))
	check(t, err)
	return spender{t, h, own}
}

func request(nonce byte) *coin.Request {
	r := &coin.Request{Expires: 19}
	r.Terms = coin.Terms{Network: network, Payee: "shop", Amount: money.New(money.CNY, 1), Time: 11, Nonce: [16]byte{nonce}}
	return r
}

func (s spender) pay(r *coin.Request) (*coin.Payment, *brands.Payment) {
	s.Helper()
	head := &brands.Money{Head: s.own.Coin()}
	terms := wallet.TermsDigest(&r.Terms)
	line, err := s.own.Pay(head.SpecFor(terms))
	check(s.T, err)
	p := head.Close(line)
	digest, err := r.Digest()
	check(s.T, err)
	return &coin.Payment{Nonce: r.Nonce, Request: digest, Paid: r.Amount, Change: money.Zero(money.CNY), Items: [][]byte{p.Append(nil)}}, p
}

// Goal: a payment is good with its own request and keys only, and every change of it
// is found.
func TestAPaymentIsGoodForItsOwnRequestOnly(t *testing.T) {
	s := newSpender(t)
	r := request(1)
	m, _ := s.pay(r)
	list, err := keys(t).Payment(m, r, rand.Reader)
	if err != nil || len(list) != 1 || list[0].Value != money.New(money.CNY, 1) || list[0].Epoch != 202611 || list[0].Until != 30 {
		t.Fatalf("%+v, %v", list, err)
	}
	if _, err := keys(t).Payment(m, nil, rand.Reader); !errors.Is(err, ErrNeedsRequest) {
		t.Errorf("without the request: %v", err)
	}
	if _, err := keys(t).Payment(&coin.Ask{What: coin.TypeKeys}, r, rand.Reader); !errors.Is(err, ErrKind) {
		t.Errorf("a question: %v", err)
	}
	none, err := ParseKeys(keysFile(t))
	check(t, err)
	if _, err := none.Payment(m, r, rand.Reader); !errors.Is(err, ErrFalse) {
		t.Errorf("without the key: %v", err)
	}
	if _, err := keys(t).Payment(m, request(2), rand.Reader); !errors.Is(err, ErrFalse) {
		t.Errorf("another request: %v", err)
	}
	lied := *m
	lied.Paid = money.New(money.CNY, 2)
	if _, err := keys(t).Payment(&lied, r, rand.Reader); !errors.Is(err, ErrFalse) {
		t.Errorf("another sum: %v", err)
	}
	for i := range m.Items[0] {
		bad := *m
		bad.Items = [][]byte{append([]byte(nil), m.Items[0]...)}
		bad.Items[0][i] ^= 1
		if _, err := keys(t).Payment(&bad, r, rand.Reader); !errors.Is(err, ErrFalse) {
			t.Fatalf("byte %d: %v", i, err)
		}
	}
}

// Goal: a proof names the holder, and whatever is changed in it is found, also when
// the mint itself signs the change.
func TestAProofOfGuiltNamesTheHolder(t *testing.T) {
	s := newSpender(t)
	first, second := request(1), request(2)
	_, a := s.pay(first)
	_, b := s.pay(second)
	terms := wallet.TermsDigest(&second.Terms)
	guilt, err := b.AccuseVartime(terms, a.Points(wallet.TermsDigest(&first.Terms)))
	check(t, err)
	file := &coin.GuiltFile{Network: network, Time: 12, Key: private().Public().Append(nil), Guilt: guilt.Append(nil), Identity: s.holder.Identity().Bytes()}
	sign := func(g *coin.GuiltFile) *coin.GuiltFile {
		msg, err := g.SigningBytes()
		check(t, err)
		copy(g.Signature[:], ed25519.Sign(mintKey, append([]byte(nil), msg...)))
		return g
	}
	named, err := keys(t).Trace(sign(file))
	if err != nil || !named.Identity.Equal(s.holder.Identity()) || named.Coin != a.Head.ID() || named.Value != money.New(money.CNY, 1) {
		t.Fatalf("%+v, %v", named, err)
	}
	for why, change := range map[string]func(*coin.GuiltFile){
		"another identity": func(g *coin.GuiltFile) { g.Identity = brands.NewHolder(brands.Digest{8}, network).Identity().Bytes() },
		"another scheme":   func(g *coin.GuiltFile) { g.Network[0]++ },
		"no key":           func(g *coin.GuiltFile) { g.Key = []byte{1} },
		"no proof":         func(g *coin.GuiltFile) { g.Guilt = []byte{1} },
		"a changed proof":  func(g *coin.GuiltFile) { g.Guilt = append([]byte(nil), g.Guilt...); g.Guilt[len(g.Guilt)-1] ^= 1 },
		"a false opening":  func(g *coin.GuiltFile) { g.Account, g.Opening = "anna", make([]byte, 96) },
	} {
		bad := *file
		change(&bad)
		if _, err := keys(t).Trace(sign(&bad)); !errors.Is(err, ErrFalse) {
			t.Errorf("%s: %v", why, err)
		}
	}
	unsigned := *file
	unsigned.Time++
	if _, err := keys(t).Trace(&unsigned); !errors.Is(err, ErrFalse) || !errors.Is(err, coin.ErrSignature) {
		t.Errorf("unsigned: %v", err)
	}
}

func TestKeysThatAreNoneAreRefused(t *testing.T) {
	key := private().Public().Append(nil)
	key[len(key)-1] ^= 1
	ask, err := coin.Append(nil, &coin.Ask{What: coin.TypeKeys})
	check(t, err)
	for why, b := range map[string][]byte{"noise": []byte("noise"), "a question": ask, "a changed key": keysFile(t, key)} {
		if _, err := ParseKeys(b); err == nil {
			t.Errorf("%s was taken", why)
		}
	}
}

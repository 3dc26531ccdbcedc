package holding

import (
	"bytes"
	"crypto/ed25519"
	"encoding/hex"
	"encoding/json"
	"errors"
	"os"
	"testing"

	"jiaozi/crypt/brands"
	"jiaozi/crypt/internal/secrettest"
	"jiaozi/crypt/phrase"
	"jiaozi/value/money"
)

// vector pins what words mean. Identity, AuthKey and Signature show holder and auth;
// Challenge and Coin show the blinding, through a withdrawal with a fixed mint.
type vector struct {
	Why       string `json:"why"`
	Words     string `json:"words"`
	Network   string `json:"network"`
	Card      string `json:"card,omitempty"` // seed of the card's observer
	Number    uint64 `json:"number"`         // of the withdrawal
	Identity  string `json:"identity"`
	AuthKey   string `json:"authKey"`
	Signature string `json:"signature"` // of the words' first letter
	Challenge string `json:"challenge"`
	Coin      string `json:"coin"` // its identity in the spent space
}

func vectors(t *testing.T) (list []vector) {
	t.Helper()
	b, err := os.ReadFile("testdata/vectors.json")
	if err == nil {
		err = json.Unmarshal(b, &list)
	}
	if err != nil || len(list) == 0 {
		t.Fatal("testdata/vectors.json: ", err)
	}
	return list
}

func unhex(t *testing.T, s string) []byte {
	t.Helper()
	b, err := hex.DecodeString(s)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func derive(t *testing.T, v vector) (*Secrets, *brands.Observer) {
	t.Helper()
	words, err := phrase.Parse(v.Words)
	if err != nil {
		t.Fatal(err)
	}
	var card *brands.Observer
	var identity *brands.Element
	if v.Card != "" {
		card = brands.NewObserver(brands.Digest(unhex(t, v.Card)))
		id := card.Identity()
		identity = &id
	}
	s, err := Derive(words, brands.Network(unhex(t, v.Network)), identity)
	if err != nil {
		t.Fatal(err)
	}
	return s, card
}

// withdrawal is the challenge for a mint with the private key 1, 0, 0, ... and the
// session of zeros, and the coin that comes of it.
func withdrawal(t *testing.T, v vector, s *Secrets, card *brands.Observer) (brands.Scalar, brands.Coin) {
	t.Helper()
	key, err := brands.ParsePrivateKey(brands.KeyInfo{
		Network: brands.Network(unhex(t, v.Network)), Kind: brands.KindCoin, Currency: money.CNY, Value: 128, Epoch: 202611,
		From: 1, IssueUntil: 2, SpendUntil: 3, DepositUntil: 4,
	}, append([]byte{1}, make([]byte, 31)...))
	if err != nil {
		t.Fatal(err)
	}
	com, nonce := key.Commit(brands.Digest{}, s.Identity()), (*brands.Element)(nil)
	if card != nil {
		com = key.CommitForCard(brands.Digest{}, s.Identity())
		n := card.Nonce(0)
		nonce = &n
	}
	w, c, err := s.Challenge(key.Public(), s.Blinding(key.Public().ID(), v.Number), com, nonce)
	if err != nil {
		t.Fatal(err)
	}
	own, err := w.Finish(key.Respond(brands.Digest{}, s.Identity(), c))
	if err != nil {
		t.Fatal(err)
	}
	return c, own.Coin()
}

// Goal: what a phrase opens today it opens for ever. Method: published values, which
// may only be added to.
func TestWordsMeanTheSameForEver(t *testing.T) {
	for _, v := range vectors(t) {
		s, card := derive(t, v)
		auth, signature := s.AuthKey(), s.Sign([]byte(v.Words[:1]))
		c, coin := withdrawal(t, v, s, card)
		got := v
		got.Identity, got.AuthKey, got.Signature = s.Identity().String(), hex.EncodeToString(auth[:]), hex.EncodeToString(signature[:])
		got.Challenge, got.Coin = c.String(), coin.ID().String()
		if got != v {
			t.Errorf("%s: gives\n%+v, want\n%+v", v.Why, got, v)
		}
		if !ed25519.Verify(auth[:], []byte(v.Words[:1]), signature[:]) {
			t.Errorf("%s: the signature does not verify", v.Why)
		}
	}
}

// Goal: one phrase on two networks, or with and without a card, is two holders that
// share nothing.
func TestNetworksShareNothing(t *testing.T) {
	seen := map[string]string{}
	for _, v := range vectors(t) {
		for _, value := range []string{v.Identity, v.Challenge, v.Coin} {
			if seen[value] != "" {
				t.Errorf("%s and %s share %s", v.Why, seen[value], value)
			}
			seen[value] = v.Why
		}
	}
}

func TestNoWordsNoSecrets(t *testing.T) {
	if _, err := Derive(phrase.Phrase{}, brands.Network{}, nil); err == nil {
		t.Error("secrets came of nothing")
	}
	if _, err := phrase.Parse("abandon"); !errors.Is(err, phrase.ErrCount) {
		t.Error(err)
	}
}

// Goal: no careless caller shows them.
func TestSecretsShowNothing(t *testing.T) {
	v := vectors(t)[0]
	s, _ := derive(t, v)
	k := *s.kept
	for _, raw := range [][]byte{k.blinding[:], k.auth[:32]} {
		if bytes.Equal(raw, make([]byte, len(raw))) {
			t.Fatal("the test looks for zeros")
		}
		secrettest.Check(t, s, raw)
		secrettest.Check(t, *s, raw)
	}
}

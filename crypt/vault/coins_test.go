package vault

import (
	"bytes"
	"testing"

	"jiaozi/crypt/brands"
	"jiaozi/value/money"
)

var someCoin = brands.KeyInfo{Network: brands.Network{1}, Kind: brands.KindCoin, Currency: money.CNY, Value: 4, Epoch: 202611,
	From: 1, IssueUntil: 2, SpendUntil: 3, DepositUntil: 4}

func someHolder() brands.Element {
	return brands.NewHolder(brands.Digest{2}, someCoin.Network).Identity()
}

// The three verbs make a coin that verifies under the published key, after the vault
// was sealed and opened again as well.
func TestVaultIssuesACoin(t *testing.T) {
	v := seeded(20, false)
	mustDo(t, v.GenerateCoin("c", someCoin))
	expectError(t, "a second key", v.GenerateCoin("c", someCoin), ErrExists)
	again := New(Options{})
	mustDo(t, again.decode(v.encode()))
	public, err := again.CoinPublic("c")
	mustDo(t, err)
	if public.Info() != someCoin {
		t.Fatalf("the key stands for %+v", public.Info())
	}
	h, session := brands.NewHolder(brands.Digest{2}, someCoin.Network), brands.Digest{3}
	com, err := v.CoinCommit("c", session, h.Identity(), false)
	mustDo(t, err)
	same, err := again.CoinCommit("c", session, h.Identity(), false)
	mustDo(t, err)
	if !bytes.Equal(com.Append(nil), same.Append(nil)) {
		t.Fatal("one session has two nonces")
	}
	w, c, err := h.Challenge(public, brands.DeriveBlinding(brands.Digest{4}, public.ID(), 1), com, nil)
	mustDo(t, err)
	r, err := again.CoinRespond("c", session, h.Identity(), c)
	mustDo(t, err)
	own, err := w.Finish(r)
	mustDo(t, err)
	coin := own.Coin()
	mustDo(t, coin.VerifyVartime(public))
}

// A description that contradicts itself makes no key, and a sealed one cannot be
// changed: the halves would part.
func TestCoinKeyCannotPartFromItsDescription(t *testing.T) {
	v := seeded(21, true)
	if err := v.GenerateCoin("bad", brands.KeyInfo{Kind: brands.KindCoin}); err == nil || v.Has("bad") {
		t.Error("a key without a value was made")
	}
	mustDo(t, v.GenerateCoin("c", someCoin))
	raw := v.keys["c"].raw
	for i := range raw {
		changed := bytes.Clone(raw)
		changed[i] ^= 1
		if err := v.Import("d", CoinKey, changed); err == nil {
			t.Fatalf("byte %d was changed unseen", i)
		}
	}
	for _, n := range []int{0, 31, 32, 33, len(raw) - 1} {
		if err := v.Import("d", CoinKey, raw[:n]); err == nil {
			t.Errorf("%d bytes were taken", n)
		}
	}
	if err := v.Import("d", CoinKey, append(bytes.Clone(raw), 0)); err == nil {
		t.Error("a byte too many was taken")
	}
	if err := v.Generate("d", CoinKey); err == nil {
		t.Error("a coin key was made without a description")
	}
}

// A coin key of a pattern is refused in production like any other.
func TestPatternedCoinKeyIsForTestSchemes(t *testing.T) {
	secret := make([]byte, brands.Size)
	secret[0] = 1 // the number one
	key, err := brands.ParsePrivateKey(someCoin, secret)
	if err != nil {
		t.Skip(err)
	}
	raw := key.Public().Append(secret)
	expectError(t, "in production", seeded(22, false).Import("c", CoinKey, raw), ErrTestKey)
	mustDo(t, seeded(22, true).Import("c", CoinKey, raw))
}

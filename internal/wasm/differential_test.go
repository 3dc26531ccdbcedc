package wasm

import (
	"bytes"
	"crypto/rand"
	"encoding/binary"
	"encoding/hex"
	"testing"

	"jiaozi/crypt/brands"
	"jiaozi/crypt/holding"
	"jiaozi/crypt/phrase"
	"jiaozi/value/lang"
	"jiaozi/value/money"
)

var network = brands.Network{7, 7, 7}

// mint is the other side, native.
type mint map[brands.KeyID]*brands.PrivateKey

func newMint(t *testing.T) (m mint, coin, blank, note *brands.PrivateKey) {
	t.Helper()
	m = mint{}
	make1 := func(kind brands.Kind, value money.Minor, depth uint8) *brands.PrivateKey {
		k, err := brands.GenerateKey(brands.KeyInfo{
			Network: network, Kind: kind, Currency: money.CNY, Value: value, Depth: depth, Epoch: 202611,
			From: 100, IssueUntil: 200, SpendUntil: 300, DepositUntil: 400,
		}, rand.Reader)
		must(t, err)
		m[k.Public().ID()] = k
		return k
	}
	return m, make1(brands.KindCoin, 128, 0), make1(brands.KindBlank, 0, 0), make1(brands.KindNote, 6400, 6)
}

// Key makes the mint the Keys of its own coins.
func (m mint) Key(id brands.KeyID) (*brands.PublicKey, bool) {
	k, ok := m[id]
	if !ok {
		return nil, false
	}
	return k.Public(), true
}

// published is what a page has of the keys.
func (m mint) published() (list []raw) {
	for _, k := range m {
		list = append(list, k.Public().Append(nil))
	}
	return list
}

// person is a holder twice: natively, and in the engine.
type person struct {
	*holding.Secrets
	e      *engine
	handle int
}

func newPerson(e *engine) person {
	e.t.Helper()
	words := ask[string](e, 0, "newWords", "en")
	p, err := phrase.Parse(words)
	must(e.t, err)
	s, err := holding.Derive(p, network, nil)
	must(e.t, err)
	// The engine reads the Chinese words: they are the same phrase.
	h := ask[struct {
		Identity, AuthKey raw
		Handle            int
	}](e, 0, "holder", p.Reveal(lang.ZH), raw(network[:]))
	id, auth := s.Identity().Bytes(), s.AuthKey()
	if !bytes.Equal(h.Identity, id[:]) || !bytes.Equal(h.AuthKey, auth[:]) {
		e.t.Fatalf("one phrase is two holders: %x and %x", h.Identity, id)
	}
	return person{s, e, h.Handle}
}

// withdraw takes a coin in both worlds, which must agree at each step, and gives it with what the mint keeps of it.
func (p person) withdraw(key *brands.PrivateKey, n uint64) (*brands.Own, raw) {
	t, pub := p.e.t, key.Public()
	t.Helper()
	session := brands.Digest{byte(n)}
	com := key.Commit(session, p.Identity())
	w, c, err := p.Challenge(pub, p.Blinding(pub.ID(), n), com, nil)
	must(t, err)
	r := key.Respond(session, p.Identity(), c)
	native, err := w.Finish(r)
	must(t, err)

	begun := ask[struct {
		Challenge raw
		Handle    int
	}](p.e, p.handle, "withdraw", raw(pub.Append(nil)), n, raw(com.Append(nil)))
	cb, rb := c.Bytes(), r.Bytes()
	if !bytes.Equal(begun.Challenge, cb[:]) {
		t.Fatalf("challenges differ: %x and %x", begun.Challenge, cb)
	}
	own := p.e.gives(native.Append(nil), begun.Handle, "finish", raw(rb[:]))
	p.e.gives(own, p.handle, "recall", raw(pub.Append(nil)), n, raw(cb[:]), raw(rb[:]))
	p.e.throws("answer", begun.Handle, "finish", raw(cb[:]))
	p.e.throws("answer", p.handle, "recall", raw(pub.Append(nil)), n+1, raw(cb[:]), raw(rb[:]))
	return native, own
}

// Goal: from the words on, the core in the engine gives every byte that the native packages give, and its proofs convince
// them. Method: each step is done in both worlds; the mint is native.
func TestTheCoreGivesTheNativeBytes(t *testing.T) {
	e := start(t)
	m, coinKey, blankKey, noteKey := newMint(t)
	alice, bob := newPerson(e), newPerson(e)

	context := []byte("whoever")
	o, err := brands.ParseOpening(ask[raw](e, alice.handle, "opening", raw(context)))
	must(t, err)
	must(t, o.Verify(network, context))
	signature := alice.Sign(context)
	e.gives(signature[:], alice.handle, "sign", raw(context))

	own, ownRaw := alice.withdraw(coinKey, 3)
	blank, blankRaw := bob.withdraw(blankKey, 0)
	coin, next := own.Coin(), blank.Coin()
	coinRaw := e.gives(coin.Append(nil), 0, "coinOf", ownRaw)
	nextRaw := e.gives(next.Append(nil), 0, "coinOf", blankRaw)
	id := coin.ID()
	e.gives(id[:], 0, "coinID", coinRaw)
	claim, err := brands.ParseClaim(ask[raw](e, alice.handle, "claim", ownRaw))
	must(t, err)
	must(t, claim.VerifyVartime(&coin, alice.Identity()))

	native := &brands.Money{Head: coin}
	spec, err := native.SpecTo(&next)
	must(t, err)
	line, err := own.Pay(spec)
	must(t, err)
	moneyRaw := e.gives(native.Append(nil), 0, "moneyOf", coinRaw)
	specRaw := e.gives(spec[:], 0, "specTo", moneyRaw, nextRaw)
	lineRaw := e.gives(line.Append(nil), 0, "pay", ownRaw, specRaw)
	native = native.Pass(line, &next)
	moneyRaw = e.gives(native.Append(nil), 0, "pass", moneyRaw, lineRaw, nextRaw)
	e.is(worth{128, "CNY", 1}, "verifyMoney", moneyRaw, m.published())

	terms := e.terms("alice")
	spec = native.SpecFor(brands.Digest(terms))
	line, err = blank.Pay(spec)
	must(t, err)
	e.gives(spec[:], 0, "specFor", moneyRaw, terms)
	e.gives(line.Append(nil), 0, "pay", blankRaw, raw(spec[:]))
	payment := e.gives(native.Close(line).Append(nil), 0, "close", moneyRaw, raw(line.Append(nil)))
	e.is(worth{128, "CNY", 1}, "verifyPayment", payment, terms, m.published())
	e.throws("answer", 0, "verifyPayment", payment, e.terms("mallory"), m.published())
	e.throws("not known", 0, "verifyPayment", payment, terms, []raw{})

	alice.payNodes(m, noteKey, terms)
	if e.replies < 40 {
		t.Errorf("only %d replies", e.replies)
	}
}

type worth struct {
	Value    int64
	Currency string
	Hops     int
}

func (e *engine) is(want worth, name string, args ...any) {
	e.t.Helper()
	if got := ask[worth](e, 0, name, args...); got != want {
		e.t.Fatalf("%s says %v, not %v", name, got, want)
	}
}

// terms asks for 1.28 in both worlds.
func (e *engine) terms(payee string) raw {
	e.t.Helper()
	n := brands.Terms{
		Network: network, Payee: brands.PayeeOf(network, payee), Currency: money.CNY, Amount: 128, Time: 1_790_000_000,
		Nonce: [16]byte{1, 2}, Contract: brands.Digest{3}, Group: "shops.north",
	}
	e.gives(n.Payee[:], 0, "payeeOf", raw(network[:]), payee)
	d := n.Digest()
	return e.gives(d[:], 0, "termsDigest", map[string]any{
		"network": raw(network[:]), "payee": raw(n.Payee[:]), "currency": "CNY", "amount": 128, "time": n.Time,
		"nonce": raw(n.Nonce[:]), "contract": raw(n.Contract[:]), "group": n.Group,
	})
}

// payNodes pays 19.00 of a note of 64.00, in three pieces.
func (p person) payNodes(m mint, key *brands.PrivateKey, terms raw) {
	e, t, pub := p.e, p.e.t, key.Public()
	t.Helper()
	own, ownRaw := p.withdraw(key, 0)
	nodes, used, err := pub.Info().Allocate(0, 1900)
	must(t, err)
	got := ask[struct {
		Nodes []uint16
		Used  raw
	}](e, 0, "allocate", raw(pub.Append(nil)), raw(make([]byte, 8)), 1900)
	if len(got.Nodes) != len(nodes) || binary.BigEndian.Uint64(got.Used) != uint64(used) {
		t.Fatalf("allocate gives %v, natively %v, %x", got, nodes, used)
	}
	note, err := own.Note(pub)
	must(t, err)
	spec := (&brands.Money{Head: own.Coin()}).SpecFor(brands.Digest(terms))
	for i, node := range nodes {
		piece, line, err := note.Pay(node, spec)
		must(t, err)
		native := &brands.Money{Head: own.Coin(), Piece: piece}
		paid := ask[struct{ Money, Line raw }](e, 0, "payNode", ownRaw, raw(pub.Append(nil)), node, raw(spec[:]))
		if got.Nodes[i] != node || !bytes.Equal(paid.Money, native.Append(nil)) || !bytes.Equal(paid.Line, line.Append(nil)) {
			t.Fatalf("node %d is paid otherwise", node)
		}
		e.gives(spec[:], 0, "specFor", paid.Money, terms)
		payment := e.gives(native.Close(line).Append(nil), 0, "close", paid.Money, paid.Line)
		value, err := native.Value(m)
		must(t, err)
		e.is(worth{int64(value.Minor()), "CNY", 0}, "verifyPayment", payment, terms, m.published())
	}
}

// Goal: a page sees of a key what the mint published, and a key with another proof not at all.
func TestThePageReadsKeys(t *testing.T) {
	e := start(t)
	_, _, _, note := newMint(t)
	k := note.Public()
	id, info := k.ID(), k.Info()
	type fields struct {
		Kind, Currency, Group                      string
		Value, Leaf                                int64
		Depth                                      uint8
		Epoch                                      uint32
		From, IssueUntil, SpendUntil, DepositUntil int64
	}
	got := ask[fields](e, 0, "parseKey", raw(k.Append(nil)))
	want := fields{"note", "CNY", "", 6400, 100, 6, 202611, info.From, info.IssueUntil, info.SpendUntil, info.DepositUntil}
	if got != want {
		t.Errorf("the page sees %+v, not %+v", got, want)
	}
	if names := ask[struct{ ID, Network raw }](e, 0, "parseKey", raw(k.Append(nil))); hex.EncodeToString(names.ID) != id.String() || !bytes.Equal(names.Network, network[:]) {
		t.Errorf("the page sees key %x of %x", names.ID, names.Network)
	}
	bad := k.Append(nil)
	bad[20] ^= 1 // its value
	e.throws("secret", 0, "parseKey", raw(bad))
}

// Goal: whatever a page hands in, it gets an Error that says what was wrong, and the core goes on.
func TestWrongInputThrows(t *testing.T) {
	e := start(t)
	_, coin, _, _ := newMint(t)
	key, p := raw(coin.Public().Append(nil)), newPerson(e)
	other := brands.Network{8}
	words := ask[string](e, 0, "newWords", "zh")
	stranger := ask[struct{ Handle int }](e, 0, "holder", words, raw(other[:]))
	com := coin.Commit(brands.Digest{}, p.Identity())
	own, ownRaw := p.withdraw(coin, 0)
	c := own.Coin()
	for _, f := range []struct {
		words string
		on    int
		name  string
		args  []any
	}{
		{"argument 1", 0, "newWords", nil},
		{"lang", 0, "newWords", []any{"fr"}},
		{"24 words", 0, "holder", []any{"abandon", raw(network[:])}},
		{"16 bytes", 0, "holder", []any{words, raw{1}}},
		{"Uint8Array", 0, "holder", []any{words, "0707"}},
		{"argument 2", 0, "holder", []any{words}},
		{"at most", 0, "holder", []any{string(bytes.Repeat([]byte("a "), 1<<10)), raw(network[:])}},
		{"network", stranger.Handle, "withdraw", []any{key, 0, raw(com.Append(nil))}},
		{"whole number", p.handle, "withdraw", []any{key, -1, raw(com.Append(nil))}},
		{"whole number", p.handle, "withdraw", []any{key, 0.5, raw(com.Append(nil))}},
		{"whole number", p.handle, "withdraw", []any{key, 1 << 53, raw(com.Append(nil))}},
		{"whole number", p.handle, "withdraw", []any{key, "1", raw(com.Append(nil))}},
		{"commitment", p.handle, "withdraw", []any{key, 0, raw(make([]byte, 64))}},
		{"own coin", stranger.Handle, "claim", []any{raw{}}},
		{"not of account", stranger.Handle, "claim", []any{ownRaw}},
		{"own coin", 0, "coinOf", []any{raw(c.Append(nil))}},
		{"at most", 0, "coinOf", []any{raw(make([]byte, 1<<20))}},
		{"no nodes", 0, "payNode", []any{ownRaw, key, 1, raw(make([]byte, 32))}},
		{"cannot pay", 0, "allocate", []any{key, raw(make([]byte, 8)), 1}},
		{"32 bytes", 0, "pay", []any{ownRaw, raw{}}},
		{"object", 0, "termsDigest", []any{"terms"}},
		{"argument 1", 0, "termsDigest", []any{map[string]any{}}},
		{"Array", 0, "verifyMoney", []any{raw(c.Append([]byte{0, 0})), "keys"}},
		{"Uint8Array", 0, "verifyMoney", []any{raw(c.Append([]byte{0, 0})), []string{"key"}}},
		{"money", 0, "verifyMoney", []any{raw{}, []raw{key}}},
	} {
		e.throws(f.words, f.on, f.name, f.args...)
	}
	ask[any](e, p.handle, "forget")
	e.throws("forgotten", p.handle, "sign", raw{})
	if next := newPerson(e); next.handle == 0 {
		t.Error("the core does not go on")
	}
}

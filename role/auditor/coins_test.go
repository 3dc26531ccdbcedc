package auditor_test

import (
	"crypto/ed25519"
	"crypto/sha256"
	"encoding/binary"
	"math/rand/v2"
	"slices"
	"testing"

	"jiaozi/book"
	"jiaozi/book/chart"
	"jiaozi/crypt/brands"
	"jiaozi/role/auditor"
	"jiaozi/value/money"
	"jiaozi/wire/coin"
)

// The mint of these tests is written by hand, record by record, so that each fact of
// it can be wrong by itself; that the real one satisfies the auditor is shown by
// sim/coins/history.

var coinNetwork = brands.Network{5}

const coinSpaces = "mint/" + string(issuer) + "/"

// coinWorld is a book with a mint in it.
type coinWorld struct {
	*world
	sign ed25519.PrivateKey
	key  *brands.PrivateKey // of a coin of 4
	rand *rand.ChaCha8
	n    byte
}

func newCoinWorld(t testing.TB) *coinWorld {
	w := &coinWorld{world: newWorld(t), sign: ed25519.NewKeyFromSeed(make([]byte, 32)), rand: rand.NewChaCha8([32]byte{})}
	w.evidence.Mint = &auditor.Mint{Inst: issuer, Network: coinNetwork, Sign: [32]byte(w.sign.Public().(ed25519.PublicKey))}
	var err error
	w.key, err = brands.GenerateKey(brands.KeyInfo{Network: coinNetwork, Kind: brands.KindCoin, Currency: cny, Value: 4, Epoch: 202611,
		From: 10, IssueUntil: 20, SpendUntil: 30, DepositUntil: 40}, w.rand)
	w.must(err)
	id := w.key.Public().ID()
	w.put("key", id[:], blob(nil, []byte("handle")), blob(nil, w.key.Public().Append(nil)))
	w.post(chart.Fund(issuer, "anna", yuan(100)))
	w.post(chart.CoinIssue(w.at(), "anna", yuan(4)), w.once("answer", 1))
	w.post(chart.CoinIssue(w.at(), "anna", yuan(4)), w.once("answer", 2))
	return w
}

func (w *coinWorld) must(err error) {
	if err != nil {
		w.Fatal(err)
	}
}

func (w *coinWorld) at() chart.CoinKey {
	return chart.CoinKey{Issuer: issuer, Epoch: 202611, Name: w.key.Public().ID().String()}
}

func (w *coinWorld) once(space string, key byte, value ...[]byte) book.Once {
	return book.Once{Space: coinSpaces + space, Key: append(make([]byte, 31), key), Value: slices.Concat(append([][]byte{{1}}, value...)...)}
}

// spent is the record of a coin that came back.
func (w *coinWorld) spent(key byte, kind, value uint64) book.Once {
	return w.once("spent", key, binary.AppendUvarint(nil, kind), blob(nil, []byte("shop")), binary.AppendUvarint(nil, value))
}

// node is the record of a node of a note.
func (w *coinWorld) node(key byte, node uint16, kind, value uint64) book.Once {
	o := w.spent(key, kind, value)
	o.Key = binary.BigEndian.AppendUint16(o.Key, node)
	return o
}

func blob(b, s []byte) []byte { return append(binary.AppendUvarint(b, uint64(len(s))), s...) }

func (w *coinWorld) put(space string, key []byte, value ...[]byte) {
	w.world.n++
	cmd := book.Command{ID: book.DeriveID("put", w.world.n), Event: "mint/" + space, Date: 20261122,
		Put: []book.Put{{Space: coinSpaces + space, Key: key, Value: slices.Concat(append([][]byte{{1}}, value...)...)}}}
	r, err := w.ledger.Apply(background, []book.Command{cmd})
	if err != nil || r[0].Code != book.OK {
		w.Fatalf("put %s: %v %v", space, r, err)
	}
}

func (w *coinWorld) deposit(amount money.Minor, once ...book.Once) {
	w.post(chart.CoinDeposit(w.at(), chart.Customer(issuer, "shop", cny), yuan(amount)), once...)
}

// finds wants exactly these findings, in any order.
func (w *coinWorld) finds(want ...auditor.Code) {
	w.Helper()
	var have []auditor.Code
	for _, f := range w.audit().Findings {
		have = append(have, f.Code)
	}
	slices.Sort(have)
	slices.Sort(want)
	if !slices.Equal(have, want) {
		w.Fatalf("found %v, want %v: %v", have, want, w.audit().Findings)
	}
}

func TestCoinsAddUpFromTheJournal(t *testing.T) {
	w := newCoinWorld(t)
	w.deposit(4, w.spent(1, 1, 4))
	w.finds()
	w.post(chart.CoinClaim(w.at(), chart.Customer(issuer, "anna", cny), yuan(4)), w.spent(2, 2, 4))
	w.post(chart.CoinClaimedSpent(chart.Customer(issuer, "anna", cny), chart.Customer(issuer, "shop", cny), yuan(4)),
		book.Once{Space: coinSpaces + "late", Key: w.spent(2, 1, 4).Key, Value: w.spent(2, 1, 4).Value})
	w.post(chart.CoinExpire(issuer, 202611, chart.Place{}, yuan(0)), w.once("expired", 1))
	report := w.conserved()
	want := auditor.CoinTotal{Epoch: 202611, Currency: cny, Issued: yuan(8), Deposited: yuan(8), Expired: yuan(0), Outstanding: yuan(0)}
	if len(report.Coins) != 1 || report.Coins[0] != want {
		t.Fatalf("%+v", report.Coins)
	}
}

// Goal: one wrong fact about coins is found, under its own name. Method: books that
// are sound as books, each with one entry that no mint may make.
func TestOneWrongFactAboutCoinsIsFound(t *testing.T) {
	shop := chart.Customer(issuer, "shop", cny)
	for name, test := range map[string]struct {
		play func(*coinWorld)
		want []auditor.Code
	}{
		"a payment without a spent key":  {func(w *coinWorld) { w.deposit(4) }, []auditor.Code{auditor.CodeCoinEntry}},
		"a payment with two spent keys":  {func(w *coinWorld) { w.deposit(4, w.spent(1, 1, 4), w.spent(2, 1, 4)) }, []auditor.Code{auditor.CodeCoinEntry}},
		"a record of another value":      {func(w *coinWorld) { w.deposit(4, w.spent(1, 1, 3)) }, []auditor.Code{auditor.CodeCoinEntry}},
		"a claim that says it was paid":  {func(w *coinWorld) { w.deposit(4, w.spent(1, 2, 4)) }, []auditor.Code{auditor.CodeCoinEntry}},
		"a coin of no denomination":      {func(w *coinWorld) { w.deposit(3, w.spent(1, 1, 3)) }, []auditor.Code{auditor.CodeCoinEntry}},
		"a node that fixes no ancestor":  {func(w *coinWorld) { w.deposit(4, w.node(1, 4, 1, 4), w.node(1, 3, 3, 0)) }, []auditor.Code{auditor.CodeCoinEntry}},
		"a node with another note's":     {func(w *coinWorld) { w.deposit(4, w.node(1, 4, 1, 4), w.node(2, 2, 3, 0)) }, []auditor.Code{auditor.CodeCoinEntry}},
		"a withdrawal without a session": {func(w *coinWorld) { w.post(chart.CoinIssue(w.at(), "anna", yuan(4))) }, []auditor.Code{auditor.CodeCoinEntry}},
		"a coin burned for nothing":      {func(w *coinWorld) { w.post(chart.Fund(issuer, "shop", yuan(4)), w.spent(1, 1, 4)) }, []auditor.Code{auditor.CodeCoinSpent}},
		"an epoch that ends in silence":  {func(w *coinWorld) { w.post(chart.CoinExpire(issuer, 202611, chart.Place{}, yuan(8))) }, []auditor.Code{auditor.CodeCoinEntry}},
		"coins taken by another event": {func(w *coinWorld) {
			p := chart.CoinDeposit(w.at(), shop, yuan(4))
			p.Event, p.Legs = "fund", p.Legs[:2]
			w.post(p)
		}, []auditor.Code{auditor.CodeCoinEntry, auditor.CodeCoinCount}},
		"coins of a key that nobody published": {func(w *coinWorld) {
			at := w.at()
			at.Name = "00000000000000000000000000000000"
			w.post(chart.CoinDeposit(at, shop, yuan(4)), w.spent(1, 1, 4))
		}, []auditor.Code{auditor.CodeCoinEntry, auditor.CodeCoinForged}},
		"a late payment of a claim that takes no key": {func(w *coinWorld) {
			w.post(chart.CoinClaimedSpent(chart.Customer(issuer, "anna", cny), shop, yuan(4)))
		}, []auditor.Code{auditor.CodeCoinEntry}},
		"a key that is none": {func(w *coinWorld) { w.put("key", make([]byte, 16), blob(nil, nil), blob(nil, make([]byte, 90))) }, []auditor.Code{auditor.CodeCoinKey}},
		"more coins back than were made": {func(w *coinWorld) {
			other := w.other()
			w.post(chart.CoinIssue(other, "anna", yuan(2)), w.once("answer", 3))
			for i := range byte(3) {
				w.deposit(4, w.spent(i, 1, 4))
			}
		}, []auditor.Code{auditor.CodeCoinForged}},
	} {
		t.Run(name, func(t *testing.T) {
			w := newCoinWorld(t)
			if name == "more coins back than were made" {
				w.post(chart.CoinIssue(w.other(), "anna", yuan(2)), w.once("answer", 4))
			}
			test.play(w)
			w.finds(test.want...)
		})
	}
}

// other is another key of the epoch, of coins of 2, made and published once.
func (w *coinWorld) other() chart.CoinKey {
	info := w.key.Public().Info()
	info.Value = 2
	key, err := brands.GenerateKey(info, rand.NewChaCha8([32]byte{2}))
	w.must(err)
	id, at := key.Public().ID(), w.at()
	if at.Name = id.String(); w.n == 0 {
		w.n = 1
		w.put("key", id[:], blob(nil, []byte("other")), blob(nil, key.Public().Append(nil)))
	}
	return at
}

// convict makes the proof that anna paid a coin twice.
func (w *coinWorld) convict() *coin.GuiltFile {
	seed, auth := brands.Digest{8}, [32]byte{7}
	h := brands.NewHolder(seed, coinNetwork)
	session := brands.Digest(sha256.Sum256([]byte("session")))
	waiting, c, err := h.Challenge(w.key.Public(), brands.DeriveBlinding(seed, w.key.Public().ID(), 1), w.key.Commit(session, h.Identity()), nil)
	w.must(err)
	own, err := waiting.Finish(w.key.Respond(session, h.Identity(), c))
	w.must(err)
	pay := func(terms brands.Digest) *brands.Payment {
		line, err := own.Pay(brands.FinalSpec(brands.Digest{}, terms))
		w.must(err)
		return &brands.Payment{Money: brands.Money{Head: own.Coin()}, Final: line}
	}
	one, two := brands.Digest{1}, brands.Digest{2}
	guilt, err := pay(two).AccuseVartime(two, pay(one).Points(one))
	w.must(err)
	opening, err := h.Open(auth[:], w.rand, nil)
	w.must(err)
	home, id := chart.Customer(issuer, "anna", cny).ID, h.Identity().Bytes()
	w.put("id", id[:], blob(nil, []byte("anna")), auth[:])
	w.put("holder", home[:], id[:])
	return &coin.GuiltFile{Network: coinNetwork, Time: 15, Key: w.key.Public().Append(nil), Guilt: guilt.Append(nil), Identity: id,
		Account: "anna", Opening: opening.Append(nil)}
}

// record signs a proof and writes it down.
func (w *coinWorld) record(f *coin.GuiltFile, key ed25519.PrivateKey) {
	msg, err := f.SigningBytes()
	w.must(err)
	f.Signature = [64]byte(ed25519.Sign(key, msg))
	file, err := coin.Append(nil, f)
	w.must(err)
	of := [32]byte{}
	if guilt, err := brands.ParseGuilt(f.Guilt); err == nil {
		of = guilt.Coin.ID()
	}
	w.put("guilt", of[:], binary.AppendUvarint(nil, 202611), f.Identity[:], blob(nil, file))
}

func TestAProofOfGuiltIsCheckedAndNoted(t *testing.T) {
	w := newCoinWorld(t)
	w.record(w.convict(), w.sign)
	report := w.conserved()
	if !noted(report, auditor.CodeDoubleSpent) || report.Coins[0].DoubleSpent != 1 || report.Coins[0].Named != 1 {
		t.Fatalf("%+v", report)
	}
}

// Goal: nobody is accused by a record alone. Method: true proofs with one fact
// changed, signed by the mint all the same.
func TestAFalseProofOfGuiltIsFound(t *testing.T) {
	for name, test := range map[string]struct {
		change func(*coin.GuiltFile)
		want   auditor.Code
	}{
		"another number": {func(f *coin.GuiltFile) {
			f.Identity = brands.NewHolder(brands.Digest{9}, coinNetwork).Identity().Bytes()
		}, auditor.CodeGuilt},
		"a changed line":  {func(f *coin.GuiltFile) { f.Guilt[len(f.Guilt)-5] ^= 1 }, auditor.CodeGuilt},
		"another scheme":  {func(f *coin.GuiltFile) { f.Network[0] ^= 1 }, auditor.CodeGuilt},
		"another account": {func(f *coin.GuiltFile) { f.Account = "bert" }, auditor.CodeGuiltStranger},
	} {
		t.Run(name, func(t *testing.T) {
			w := newCoinWorld(t)
			f := w.convict()
			test.change(f)
			w.record(f, w.sign)
			w.finds(test.want)
		})
	}
	t.Run("another signature", func(t *testing.T) {
		w := newCoinWorld(t)
		w.record(w.convict(), ed25519.NewKeyFromSeed(append(make([]byte, 31), 1)))
		w.finds(auditor.CodeGuilt)
	})
}

package brands_test

import (
	"crypto/rand"
	"fmt"

	"jiaozi/crypt/brands"
	"jiaozi/value/money"
)

// keys are the mint's public keys, as everybody has them.
type keys []*brands.PublicKey

func (k keys) Key(id brands.KeyID) (*brands.PublicKey, bool) {
	for _, key := range k {
		if key.ID() == id {
			return key, true
		}
	}
	return nil, false
}

// must is for examples: real callers look at errors.
func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}

var network = brands.Network{'e', 'x', 'a', 'm', 'p', 'l', 'e'}

func key(info brands.KeyInfo) *brands.PrivateKey {
	info.Network, info.Epoch = network, 202611
	info.From, info.IssueUntil, info.SpendUntil, info.DepositUntil = 1, 2, 3, 4
	return must(brands.GenerateKey(info, rand.Reader))
}

// withdraw is one session. A mint does its two steps in role/mint, which guards that a session answers once.
func withdraw(holder *brands.Holder, mint *brands.PrivateKey, session byte) *brands.Own {
	id := brands.Digest{session}
	commitment := mint.Commit(id, holder.Identity())
	blinding := must(brands.RandomBlinding(rand.Reader))
	w, challenge, err := holder.Challenge(mint.Public(), blinding, commitment, nil)
	if err != nil {
		panic(err)
	}
	return must(w.Finish(mint.Respond(id, holder.Identity(), challenge)))
}

// asks is what a shop asks for; its time and nonce make two payments to it differ.
func asks(shop string) brands.Digest {
	terms := brands.Terms{Network: network, Payee: brands.PayeeOf(network, shop), Currency: money.CNY, Amount: 100}
	return terms.Digest()
}

// Ann passes a coin to Bob with nobody else there, Bob pays a shop with it, and then pays another shop with it again.
func Example() {
	coins := key(brands.KeyInfo{Kind: brands.KindCoin, Currency: money.CNY, Value: 100})
	blanks := key(brands.KeyInfo{Kind: brands.KindBlank})
	known := keys{coins.Public(), blanks.Public()}
	ann, bob := brands.NewHolder(brands.Digest{1}, network), brands.NewHolder(brands.Digest{2}, network)
	coin, blank := withdraw(ann, coins, 1), withdraw(bob, blanks, 2)

	// Bob shows his blank, Ann answers for it, Bob checks.
	inHand, next := &brands.Money{Head: coin.Coin()}, blank.Coin()
	spec := must(inHand.SpecTo(&next))
	inHand = inHand.Pass(must(coin.Pay(spec)), &next)
	fmt.Println("Bob takes it:", inHand.VerifyVartime(known, rand.Reader) == nil)

	// Two shops ask, Bob answers both, each sees a good payment.
	tea, books := asks("tea"), asks("books")
	first := inHand.Close(must(blank.Pay(inHand.SpecFor(tea))))
	second := inHand.Close(must(blank.Pay(inHand.SpecFor(books))))
	fmt.Println("both shops take it:", first.VerifyVartime(known, tea, rand.Reader) == nil, second.VerifyVartime(known, books, rand.Reader) == nil)

	// The mint keeps the points of the first; the second makes a proof that anyone can check.
	guilt := must(second.AccuseVartime(books, first.Points(tea)))
	who := must(guilt.VerifyVartime(known))
	fmt.Println("Bob is named:", who.Equal(bob.Identity()), "Ann is named:", who.Equal(ann.Identity()))
	// Output:
	// Bob takes it: true
	// both shops take it: true true
	// Bob is named: true Ann is named: false
}

// A note of 80 with leaves of 10 pays 30 in two pieces, and 50 are left.
func ExampleOwn_Note() {
	notes := key(brands.KeyInfo{Kind: brands.KindNote, Currency: money.CNY, Value: 80, Depth: 3})
	own := withdraw(brands.NewHolder(brands.Digest{3}, network), notes, 1)
	info, known := notes.Public().Info(), keys{notes.Public()}

	var used brands.Used // all that a wallet remembers of a note, stored before anything is paid
	nodes, used, err := info.Allocate(used, 30)
	if err != nil {
		panic(err)
	}
	note, terms := must(own.Note(notes.Public())), brands.Digest{'t', 'e', 'r', 'm', 's'}
	for _, node := range nodes {
		piece, line, err := note.Pay(node, brands.FinalSpec(brands.Digest{}, terms))
		if err != nil {
			panic(err)
		}
		p := &brands.Payment{Money: brands.Money{Head: own.Coin(), Piece: piece}, Final: line}
		p = must(brands.ParsePayment(p.Append(nil)))
		fmt.Println(must(p.Value(known)), p.VerifyVartime(known, terms, rand.Reader) == nil)
	}
	fmt.Println("left:", money.New(info.Currency, info.Rest(used)))
	// Output:
	// 0.20 true
	// 0.10 true
	// left: 0.50
}

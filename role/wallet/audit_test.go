package wallet

import (
	"bytes"
	"context"
	"testing"
	"time"

	"jiaozi/crypt/brands"
	"jiaozi/value/money"
	"jiaozi/wire/coin"
)

// Goal: a request that nobody paid gives its blanks back when it is over, at once
// and offline, and a withdrawal fills up those that payers may still use.
func TestUnpaidRequestsGiveTheirBlanksBack(t *testing.T) {
	w := newTown(t)
	bob := w.join("bob", 0)
	_, err := bob.FillBlanks(t.Context())
	check(t, err)
	for range 2 {
		_, err = bob.Ask(cash(1))
		check(t, err)
	}
	_, err = bob.Ask(cash(1))
	wants(t, err, ErrNoBlanks)
	later := w.clone(t, -1)
	later.clock.Advance(time.Hour)
	_, err = later.of("bob").Ask(cash(1))
	check(t, err)
	_, err = bob.FillBlanks(t.Context())
	check(t, err)
	_, err = bob.Ask(cash(1))
	check(t, err)
}

// Goal: a wallet can receive in every epoch: blanks that are over make room for
// new ones and are forgotten.
func TestBlanksThatAreOverAreReplaced(t *testing.T) {
	w := newTown(t)
	bob := w.join("bob", 0)
	_, err := bob.FillBlanks(t.Context())
	check(t, err)
	w.clock.Advance(59 * 24 * time.Hour) // the first epoch is over
	_, err = bob.FillBlanks(t.Context())
	check(t, err)
	_, err = bob.Ask(cash(1))
	check(t, err)
	if len(bob.state.blanks) != testPolicy.Blanks {
		t.Fatalf("%d blanks", len(bob.state.blanks))
	}
}

// Goal: a payee cannot fill a payer's wallet, nor bind a payment for ever: a
// request is not kept once it is answered, and lives no longer than a season.
func TestRequestsOfAPayeeCannotFillThePayersWallet(t *testing.T) {
	w := newTown(t)
	w.join("alice", 50)
	w.join("shop", 0)
	w.withdraw("alice", 7)
	_, err := w.of("shop").Ask(cash(1))
	wants(t, err, ErrNoBlanks)
	_, err = w.of("shop").FillBlanks(t.Context())
	check(t, err)
	b, err := w.of("shop").Ask(cash(1))
	check(t, err)
	r, err := coin.Parse[coin.Request](b)
	check(t, err)
	for len(r.Blanks) < coin.MaxItems {
		r.Blanks = append(r.Blanks, make([]byte, coin.MaxItem))
	}
	b, err = coin.Append(nil, r)
	check(t, err)
	before := len(w.stores["alice"].state)
	_, err = w.of("alice").Pay(b)
	check(t, err)
	if grown := len(w.stores["alice"].state) - before; grown > 4096 {
		t.Fatalf("one payment of one coin takes %d bytes for good", grown)
	}
	r.Expires += 10 * 365 * daySeconds
	b, err = coin.Append(nil, r)
	check(t, err)
	_, err = w.of("alice").Pay(b)
	wants(t, err, ErrRequest)
}

// Goal: a till takes more payments than it keeps records of.
func TestTillForgetsOldRecordsBeforeItStops(t *testing.T) {
	w := newTown(t)
	shop := w.join("shop", 0)
	for i := range maxRecords {
		shop.state.asked = append(shop.state.asked, asked{digest: [32]byte{1, byte(i), byte(i >> 8)}, expires: start.Unix() - 1})
	}
	_, err := shop.Ask(till(1))
	check(t, err)
}

// Goal: a state that cannot be read back is never written, and a wallet that is
// nearly full can still deposit.
func TestFullWalletStillDeposits(t *testing.T) {
	w := newTown(t)
	alice := w.join("alice", 50)
	w.withdraw("alice", 1)
	for len(alice.state.holdings) < maxHoldings*3/4+1 {
		alice.state.holdings = append(alice.state.holdings, alice.state.holdings[0])
	}
	_, err := alice.Withdraw(t.Context(), Order{Amount: yuan(1)})
	wants(t, err, ErrManyCoins)
	_, err = alice.Ask(till(1))
	wants(t, err, ErrManyCoins)
	check(t, alice.change(func(*state) error { return nil }))
	err = alice.change(func(s *state) error {
		for len(s.holdings) <= maxHoldings {
			s.holdings = append(s.holdings, s.holdings[0])
		}
		return nil
	})
	wants(t, err, ErrManyCoins)
	_, err = Open(w.world("alice"), w.config())
	check(t, err)
}

// Goal: the owner's word that nothing was paid since the backup is enough: coins
// that had answered before it never answer again. Method: received coins, one in a
// payment, one in a deposit that the mint has taken and whose answer was lost.
func TestBackupDoesNotFreeCoinsThatHaveAnswered(t *testing.T) {
	w := newTown(t)
	w.join("bob", 50)
	w.join("alice", 0)
	w.join("shop", 0)
	_, err := w.of("alice").FillBlanks(t.Context())
	check(t, err)
	w.withdraw("bob", 7)
	w.pay("bob", "alice", cash(3))
	request, err := w.of("shop").Ask(till(1))
	check(t, err)
	payment, err := w.of("alice").Pay(request)
	check(t, err)
	w.fuse.at, w.fuse.passed = 3, 0 // the mint's answer to the deposit
	_, err = w.of("alice").Deposit(t.Context(), yuan(2))
	wants(t, err, errFuse)
	if w.mint.bank["alice"] != 2 {
		t.Fatal(w.mint.bank)
	}
	copied, err := w.of("alice").Backup()
	check(t, err)
	_, err = w.of("shop").Receive(payment)
	check(t, err)
	w.stores["alice"], w.open["alice"] = &memStore{copied}, nil
	w.holds("alice", 0, 3, 0)
	_, err = w.of("alice").Refresh(t.Context())
	check(t, err)
	check(t, w.of("alice").TrustBackup())
	w.holds("alice", 0, 1, 0)
	if again, err := w.of("alice").Pay(request); err != nil || !bytes.Equal(again, payment) {
		t.Fatal("another payment for the request", err)
	}
	_, err = w.of("alice").Deposit(t.Context(), yuan(0))
	wants(t, err, ErrNothing)
	_, err = w.of("shop").Deposit(t.Context(), yuan(0))
	check(t, err)
	if w.mint.accused > 0 || w.mint.bank["shop"] != 1 || w.mint.bank["alice"] != 2 {
		t.Fatal(w.mint.accused, w.mint.bank)
	}
}

// wrongMint spoils the answers of one value.
type wrongMint struct {
	*testMint
	value money.Minor
}

func (m wrongMint) Do(ctx context.Context, b []byte) ([]byte, error) {
	out, err := m.testMint.Do(ctx, b)
	a, bad := coin.Parse[coin.Answer](out)
	if bad != nil {
		return out, err
	}
	for i := range a.Items {
		if m.keys[a.Items[i].Key].Public().Info().Value == m.value {
			a.Items[i].R[0] ^= 1
		}
	}
	return coin.Append(nil, a)
}

// Goal: a withdrawal that the mint answers wrongly costs the coins of no other, and
// holds up no deposit; it is not ordered again meanwhile, and ends when the mint is
// put right.
func TestWrongAnswerHoldsUpNothingElse(t *testing.T) {
	w := newTown(t)
	w.join("alice", 50)
	w.join("bob", 50)
	w.withdraw("bob", 3)
	w.pay("bob", "alice", till(3))
	x := w.of("alice")
	x.world.Mint = wrongMint{w.mint, 2}
	_, err := x.Withdraw(t.Context(), Order{Amount: yuan(7)})
	wants(t, err, brands.ErrAnswer)
	if b := x.Balance(); b.Available != yuan(5) || b.Pending != yuan(5) {
		t.Fatal(b)
	}
	r, err := x.Deposit(t.Context(), yuan(1))
	wants(t, err, brands.ErrAnswer)
	if r.Credited != yuan(4) {
		t.Fatalf("%+v", r)
	}
	_, err = x.Withdraw(t.Context(), Order{Amount: yuan(7)})
	wants(t, err, brands.ErrAnswer)
	w.holds("alice", 4, 2, 0)
	x.world.Mint = w.mint
	_, err = x.Resume(t.Context())
	check(t, err)
	w.holds("alice", 6, 0, 0)
	if w.mint.bank["alice"] != 50-7+4 {
		t.Fatal(w.mint.bank)
	}
}

// Goal: a deposit that waits for a card which is lost ends all the same, and one
// coin that the card has closed holds up no other.
func TestDepositThatWaitsForALostCardIsClaimed(t *testing.T) {
	w := newTown(t)
	w.cards["carol"] = newTestCard(1)
	w.join("carol", 50)
	w.withdraw("carol", 13)
	closed := w.of("carol").state.holdings[0]
	w.cards["carol"].answered[closed.index] = brands.Scalar{} // somebody asked nonsense
	_, err := w.of("carol").Deposit(t.Context(), yuan(0))
	if err == nil {
		t.Fatal("the card answered")
	}
	w.holds("carol", 0, closed.value, 0)
	delete(w.cards, "carol")
	w.open["carol"] = nil
	check(t, w.of("carol").CardLost())
	w.holds("carol", 0, 0, closed.value)
	_, err = w.of("carol").Refresh(t.Context())
	check(t, err)
	w.holds("carol", 0, 0, 0)
	if w.mint.bank["carol"] != 50 {
		t.Fatal(w.mint.bank)
	}
}

// Goal: a holder's own coins of a group come back from the mint, which pays them to
// the group's merchants only: when he deposits all, and when they are exchanged.
func TestGroupCoinsComeBackToTheirHolder(t *testing.T) {
	w := newTown(t)
	w.join("alice", 50)
	_, err := w.of("alice").Withdraw(t.Context(), Order{Amount: yuan(3), Group: "canteen"})
	check(t, err)
	w.withdraw("alice", 5)
	r, err := w.of("alice").Deposit(t.Context(), yuan(0))
	check(t, err)
	if r.Credited != yuan(8) || len(r.Refused) > 0 || w.mint.bank["alice"] != 50 {
		t.Fatalf("%+v %v", r, w.mint.bank)
	}
	w.holds("alice", 0, 0, 0)
}

// Goal: a mint that opens one session number twice learns nothing of the coin: each
// commitment is blinded with factors of its own. With the same factors for both, the
// two challenges and the spent coin satisfy an equation that only this holder's do.
func TestSameSessionWithAnotherCommitmentIsBlindedAnew(t *testing.T) {
	w := newTown(t)
	x := w.join("alice", 50)
	k := testKeys[0]
	holder := x.secrets.Identity()
	var coins []brands.CoinID
	for i := range 2 {
		secret := brands.Digest{byte(i)} // the mint's nonce
		c := k.Commit(secret, holder)
		item := coin.Commitment{A: c.A.Bytes(), B: c.B.Bytes()}
		waiting, q, err := x.challenge(&session{key: k.Public().ID(), value: 1, number: 1, commitment: commitmentBytes(&item)})
		check(t, err)
		own, err := waiting.Finish(k.Respond(secret, holder, q))
		check(t, err)
		made := own.Coin()
		coins = append(coins, made.ID())
	}
	if coins[0] == coins[1] {
		t.Fatal("both sessions make one coin: they share their factors")
	}
}

// Goal: a card whose room is taken by indices that no coin needs any more is made
// to forget them, and those of coins that are held stay.
func TestCardNeverRunsFullOfIndicesThatNobodyNeeds(t *testing.T) {
	w := newTown(t)
	card := newTestCard(1)
	w.cards["carol"] = card
	w.join("carol", 50)
	card.next, card.window = 30, 20 // twenty-nine sessions died
	card.low = 10
	w.withdraw("carol", 3)
	w.join("shop", 0)
	w.pay("carol", "shop", till(3))
}

// Goal: words and card find a coin whose index is beyond any that are searched from
// the beginning.
func TestRestoreSearchesTheLatestIndices(t *testing.T) {
	w := newTown(t)
	w.cards["carol"] = newTestCard(1)
	w.join("carol", 50)
	w.cards["carol"].next = maxShown + 50
	w.withdraw("carol", 1)
	w.stores["carol"] = new(memStore)
	x, err := Restore(w.world("carol"), w.config(), words("carol"), "carol")
	check(t, err)
	r, err := x.Refresh(t.Context())
	check(t, err)
	if r.Credited != yuan(1) {
		t.Fatalf("%+v", r)
	}
}

// Goal: nobody but a payee who has the payment can have the payer forget its coins.
func TestForgedReceiptDoesNotMakeAPaymentGone(t *testing.T) {
	w := newTown(t)
	w.join("alice", 50)
	w.join("shop", 0)
	w.withdraw("alice", 7)
	request, err := w.of("shop").Ask(till(2))
	check(t, err)
	_, err = w.of("alice").Pay(request) // and the line is cut
	check(t, err)
	r, err := coin.Parse[coin.Request](request)
	check(t, err)
	digest, err := r.Digest()
	check(t, err)
	forged, err := coin.Append(nil, &coin.Receipt{Nonce: r.Nonce, Request: digest, Code: coin.Accepted})
	check(t, err)
	_, err = w.of("alice").TakeReceipt(forged)
	wants(t, err, ErrReceipt)
	w.holds("alice", 5, 2, 0)
}

// Goal: a payee knows a coin again that he has, in whatever way it comes the second
// time: onto a blank what he holds for his account, and the other way round.
func TestCoinThatIsHeldIsKnownAgain(t *testing.T) {
	for _, order := range [][2]Demand{{till(8), cash(8)}, {cash(8), till(8)}} {
		w := newTown(t)
		w.join("mallory", 8)
		w.join("shop", 0)
		_, err := w.of("shop").FillBlanks(t.Context())
		check(t, err)
		w.mint.bank["mallory"] = 8
		_, err = w.of("mallory").Withdraw(t.Context(), Order{Amount: yuan(8)})
		check(t, err)
		copied := w.stores["mallory"].state
		for i, d := range order {
			w.stores["mallory"], w.open["mallory"] = &memStore{copied}, nil
			d.Amount = yuan(1)
			request, err := w.of("shop").Ask(d)
			check(t, err)
			payment, err := w.of("mallory").Pay(request)
			check(t, err)
			if _, err = w.of("shop").Receive(payment); i == 1 {
				wants(t, err, errTwice)
			}
		}
	}
}

// Goal: a payment whose coins end before its request does is reclaimed then, while
// the mint still knows them.
func TestPaymentIsReclaimedBeforeItsCoinsAreWorthNothing(t *testing.T) {
	w := newTown(t)
	w.join("alice", 50)
	w.join("shop", 0)
	w.withdraw("alice", 1)
	d := till(1)
	d.Lifetime = maxLifetime
	request, err := w.of("shop").Ask(d)
	check(t, err)
	_, err = w.of("alice").Pay(request)
	check(t, err)
	digest := w.of("alice").Unconfirmed()[0].Request
	_, err = w.of("alice").Reclaim(t.Context(), digest)
	wants(t, err, ErrPending)
	w.clock.Advance(59 * 24 * time.Hour)
	_, err = w.of("alice").Reclaim(t.Context(), digest)
	check(t, err)
	w.holds("alice", 0, 0, 0)
	if w.mint.bank["alice"] != 50 {
		t.Fatal(w.mint.bank)
	}
}

// meanMint credits less than it takes.
type meanMint struct{ *testMint }

func (m meanMint) Do(ctx context.Context, b []byte) ([]byte, error) {
	out, err := m.testMint.Do(ctx, b)
	d, bad := coin.Parse[coin.Deposited](out)
	if bad != nil {
		return out, err
	}
	for i := range d.Items {
		d.Items[i].Value = yuan(1)
	}
	return coin.Append(nil, d)
}

// Goal: a mint cannot make a coin smaller: what it does not credit whole stays
// pending, and seen.
func TestMintThatCreditsTooLittleIsNotBelieved(t *testing.T) {
	w := newTown(t)
	w.join("alice", 50)
	w.withdraw("alice", 8)
	x := w.of("alice")
	x.world.Mint = meanMint{w.mint}
	_, err := x.Deposit(t.Context(), yuan(0))
	wants(t, err, coin.ErrForm)
	w.holds("alice", 0, 8, 0)
	x.world.Mint = w.mint
	_, err = x.Resume(t.Context())
	check(t, err)
	w.holds("alice", 0, 0, 0)
}

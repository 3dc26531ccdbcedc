package coin

import (
	"bytes"
	"crypto/ed25519"

	"jiaozi/value/money"
)

// The cast of the tests: fixed bytes in place of coins and keys, since this
// package does not look into them.
var (
	network = [16]byte([]byte("test network 001"))
	nonce   = [16]byte([]byte("nonce of request"))
	owner   = ed25519.NewKeyFromSeed(fill(0xA1, 32))
	bank    = ed25519.NewKeyFromSeed(fill(0xB2, 32))
)

const noon = 1_793_700_000 // 2026-11-03, some time of the day

func fill(b byte, n int) []byte    { return bytes.Repeat([]byte{b}, n) }
func point(b byte) [32]byte        { return [32]byte(fill(b, 32)) }
func key(b byte) [16]byte          { return [16]byte(fill(b, 16)) }
func yuan(fen int64) money.Amount  { return money.New(money.CNY, money.Minor(fen)) }
func must[T any](v T, err error) T { check2(err); return v }

func check2(err error) {
	if err != nil {
		panic(err)
	}
}

func terms() Terms {
	return Terms{Network: network, Payee: "teahouse", Amount: yuan(1234), Time: noon, Nonce: nonce, Contract: point(7), Group: "campus.north"}
}

func sampleRequest() *Request {
	return &Request{Terms: terms(), Expires: noon + 600, Name: "老茶馆 Tea House", Memo: "two pots of tea", URL: "https://tea.example/pay?table=4"}
}

func sampleSigned(body Message) *Signed {
	s := &Signed{Account: point(0x11), Time: noon, Serial: 5, Body: body}
	copy(s.Signature[:], ed25519.Sign(owner, must(s.SigningBytes(network))))
	return s
}

func sampleKeys(keys ...[]byte) *Keys {
	k := &Keys{Network: network, Mint: "Bank of the Coins", Sign: [32]byte(bank.Public().(ed25519.PublicKey)), Time: noon, Keys: keys}
	copy(k.Signature[:], ed25519.Sign(bank, must(k.SigningBytes())))
	return k
}

func sampleGuilt() *GuiltFile {
	g := &GuiltFile{Network: network, Time: noon, Key: fill(0x21, 200), Guilt: fill(0x22, 400), Identity: point(0x23), Account: "mallory", Opening: fill(0x24, 96)}
	copy(g.Signature[:], ed25519.Sign(bank, must(g.SigningBytes())))
	return g
}

// samples hold every type, with every list filled, and the forms that differ.
func samples() []Message {
	person := sampleRequest()
	person.Payee, person.Group, person.URL, person.Blanks = "", "", "", [][]byte{fill(0x31, 208), fill(0x32, 208)}
	enrol := &Enrol{Network: network, Code: "K7QP-22XA", Account: "alice@bank", Opening: fill(0x41, 96), AuthKey: [32]byte(owner.Public().(ed25519.PublicKey))}
	withCard := *enrol
	withCard.Card = fill(0x42, 300)
	return []Message{
		sampleRequest(), person,
		&Payment{Nonce: nonce, Request: point(1), Paid: yuan(1234), Change: yuan(0), Items: [][]byte{fill(0x51, 272), fill(0x52, 544)}},
		&Payment{Nonce: nonce, Request: point(1), ToBlanks: true, Paid: yuan(2000), Change: yuan(766), Items: [][]byte{fill(0x53, 480)}, ChangeBlanks: [][]byte{fill(0x54, 208)}},
		&Receipt{Nonce: nonce, Request: point(1), Code: Accepted, Change: [][]byte{fill(0x55, 480)}},
		&Receipt{Nonce: nonce, Request: point(1), Code: DoubleSpent},
		sampleSigned(enrol), sampleSigned(&Commit{Keys: [][16]byte{key(1), key(2)}}),
		&Failure{Code: ClockOff, Text: "the wallet's clock is 2 h behind"},
		sampleKeys(fill(0x61, 250), fill(0x62, 250)),
		enrol, &withCard,
		&Enrolled{Account: "alice@bank", Identity: point(0x11), Time: noon},
		&Commit{Keys: [][16]byte{key(1), key(2)}},
		&Commitments{Items: []Commitment{{Key: key(1), Code: Accepted, Session: 9, A: point(3), B: point(4), Deadline: noon + 60}, {Key: key(2), Code: SessionOpen}}},
		&Commitments{Items: []Commitment{{Key: key(1), Code: Accepted, Session: 9, A: point(3), B: point(4), Image: point(5), Deadline: noon + 60}}},
		&Ask{What: TypeKeys}, &Ask{What: TypeStatus},
		&Challenge{Items: []ChallengeItem{{Key: key(1), Session: 9, C: point(5)}}},
		&Answer{Items: []AnswerItem{{Key: key(1), Session: 9, Code: Accepted, R: point(6)}, {Key: key(2), Session: 4, Code: SessionDead}}},
		&Deposit{Terms: terms(), Items: [][]byte{fill(0x71, 272)}},
		&Deposit{Terms: terms(), Items: [][]byte{fill(0x71, 274), fill(0x72, 1108)}, Aids: [][]byte{fill(0x73, 160), nil}},
		&Deposited{Items: []DepositedItem{{Code: Accepted, Value: yuan(1024)}, {Code: DoubleSpent, Guilt: must(Append(nil, sampleGuilt()))}, {Code: AfterClaim, Value: yuan(64)}}},
		&Recover{Key: key(1), From: 3},
		&Recovered{Key: key(1), Items: []RecoveredItem{{Session: 3, A: point(1), B: point(2), C: point(3), R: point(4), At: noon}, {Session: 8, At: noon}}, More: true},
		&Claim{Items: []ClaimItem{{Coin: fill(0x81, 208), Proof: fill(0x82, 64)}}},
		&Claimed{Items: []ClaimedItem{{Code: Replayed, Value: yuan(64)}, {Code: Spent}}},
		&Status{Network: network, Time: noon, Lines: []StatusLine{{Epoch: 202611, Issued: yuan(500), Deposited: yuan(300), Expired: yuan(0), Outstanding: yuan(200), CoinsIssued: 9, CoinsDeposited: 5, DoubleSpends: 1, Named: 1}}},
		sampleGuilt(),
	}
}

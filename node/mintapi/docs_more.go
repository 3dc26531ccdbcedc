package mintapi

import (
	"errors"

	"jiaozi/wire/coin"
)

type commitmentsBody struct {
	Items []commitmentBody `json:"items"`
}

type commitmentBody struct {
	Key      []byte    `json:"key"`
	Code     coin.Code `json:"code"`
	Session  uint64    `json:"session,omitempty"`
	A        []byte    `json:"a,omitempty"`
	B        []byte    `json:"b,omitempty"`
	Image    []byte    `json:"image,omitempty" doc:"for holders with a card"`
	Deadline int64     `json:"deadline,omitempty"`
}

func commitmentsDoc(m *coin.Commitments) commitmentsBody {
	doc := commitmentsBody{Items: []commitmentBody{}}
	for _, i := range m.Items {
		item := commitmentBody{Key: i.Key[:], Code: i.Code}
		if i.Code.Paid() {
			item.Session, item.A, item.B, item.Deadline = i.Session, i.A[:], i.B[:], i.Deadline
			item.Image = present(i.Image)
		}
		doc.Items = append(doc.Items, item)
	}
	return doc
}

type challengeBody struct {
	SignedBody
	Items []challengeItem `json:"items"`
}

type challengeItem struct {
	Key     []byte `json:"key"`
	Session uint64 `json:"session"`
	C       []byte `json:"c"`
}

func signedChallenge(b challengeBody) (coin.Message, error) {
	var m coin.Challenge
	for _, i := range b.Items {
		item := coin.ChallengeItem{Session: i.Session}
		if err := errors.Join(fixed(item.Key[:], i.Key, "key"), fixed(item.C[:], i.C, "c")); err != nil {
			return nil, err
		}
		m.Items = append(m.Items, item)
	}
	return b.wrap(&m)
}

type answerBody struct {
	Items []answerItem `json:"items"`
}

type answerItem struct {
	Key     []byte    `json:"key"`
	Session uint64    `json:"session"`
	Code    coin.Code `json:"code"`
	R       []byte    `json:"r,omitempty"`
}

func answerDoc(m *coin.Answer) answerBody {
	doc := answerBody{Items: []answerItem{}}
	for _, i := range m.Items {
		item := answerItem{Key: i.Key[:], Session: i.Session, Code: i.Code}
		if i.Code.Paid() {
			item.R = i.R[:]
		}
		doc.Items = append(doc.Items, item)
	}
	return doc
}

type recoverBody struct {
	SignedBody
	Key  []byte `json:"key"`
	From uint64 `json:"from"`
}

func signedRecover(b recoverBody) (coin.Message, error) {
	m := coin.Recover{From: b.From}
	if err := fixed(m.Key[:], b.Key, "key"); err != nil {
		return nil, err
	}
	return b.wrap(&m)
}

type recoveredBody struct {
	Key   []byte          `json:"key"`
	Items []recoveredItem `json:"items"`
	More  bool            `json:"more"`
}

type recoveredItem struct {
	Session uint64 `json:"session"`
	A       []byte `json:"a"`
	B       []byte `json:"b"`
	Image   []byte `json:"image,omitempty" doc:"for holders with a card"`
	C       []byte `json:"c"`
	R       []byte `json:"r"`
	At      int64  `json:"at"`
}

func recoveredDoc(m *coin.Recovered) recoveredBody {
	doc := recoveredBody{Key: m.Key[:], Items: []recoveredItem{}, More: m.More}
	for _, i := range m.Items {
		doc.Items = append(doc.Items, recoveredItem{i.Session, i.A[:], i.B[:], present(i.Image), i.C[:], i.R[:], i.At})
	}
	return doc
}

type claimBody struct {
	SignedBody
	Items []claimItem `json:"items"`
}

type claimItem struct {
	Coin  []byte `json:"coin"`
	Proof []byte `json:"proof"`
}

func signedClaim(b claimBody) (coin.Message, error) {
	var m coin.Claim
	for _, i := range b.Items {
		m.Items = append(m.Items, coin.ClaimItem(i))
	}
	return b.wrap(&m)
}

type claimedBody struct {
	Items []claimedItem `json:"items"`
}

type claimedItem struct {
	Code  coin.Code `json:"code"`
	Value *sum      `json:"value,omitempty"`
}

func claimedDoc(m *coin.Claimed) claimedBody {
	doc := claimedBody{Items: []claimedItem{}}
	for _, i := range m.Items {
		doc.Items = append(doc.Items, claimedItem{i.Code, sumOf(i.Value)})
	}
	return doc
}

type depositBody struct {
	Network  []byte   `json:"network"`
	Payee    string   `json:"payee" doc:"the account that is credited"`
	Amount   *sum     `json:"amount" doc:"of the whole payment"`
	Time     int64    `json:"time"`
	Nonce    []byte   `json:"nonce"`
	Contract []byte   `json:"contract"`
	Group    string   `json:"group,omitempty"`
	Items    [][]byte `json:"items" doc:"payments as package brands writes them"`
	Aids     [][]byte `json:"aids,omitempty" doc:"none, or one for each item, which may be empty: inverse square roots that spare the mint most of decoding, 160 bytes for each coin of the item (A, B, Z, A', B'); wrong ones change no answer"`
}

func depositOf(b depositBody) (coin.Message, error) {
	m := coin.Deposit{Terms: coin.Terms{Payee: b.Payee, Time: b.Time, Group: b.Group}, Items: b.Items, Aids: b.Aids}
	amount, err := b.Amount.read()
	m.Amount = amount
	return &m, errors.Join(err, fixed(m.Network[:], b.Network, "network"), fixed(m.Nonce[:], b.Nonce, "nonce"), fixed(m.Contract[:], b.Contract, "contract"))
}

type depositedBody struct {
	Items []depositedItem `json:"items"`
}

type depositedItem struct {
	Code  coin.Code `json:"code"`
	Value *sum      `json:"value,omitempty"`
	Guilt []byte    `json:"guilt,omitempty" doc:"a guilt file, for anyone to check"`
}

func depositedDoc(m *coin.Deposited) depositedBody {
	doc := depositedBody{Items: []depositedItem{}}
	for _, i := range m.Items {
		doc.Items = append(doc.Items, depositedItem{i.Code, sumOf(i.Value), i.Guilt})
	}
	return doc
}

// present is a point that may be absent.
func present(p [32]byte) []byte {
	if p == [32]byte{} {
		return nil
	}
	return p[:]
}

package mintapi

import (
	"errors"

	"jiaozi/wire/coin"
)

// The bodies of the JSON operations. Fields are those of package wire/coin; bytes
// are base64.

type keysDoc struct {
	Network   []byte   `json:"network"`
	Mint      string   `json:"mint"`
	Sign      []byte   `json:"sign" doc:"Ed25519 key under which this list and guilt are signed"`
	Time      int64    `json:"time"`
	Keys      [][]byte `json:"keys"`
	Signature []byte   `json:"signature" doc:"over the canonical bytes of all the rest"`
}

func keysOf(k *coin.Keys) keysDoc {
	return keysDoc{k.Network[:], k.Mint, k.Sign[:], k.Time, k.Keys, k.Signature[:]}
}

type statusBody struct {
	Network []byte     `json:"network"`
	Time    int64      `json:"time"`
	Lines   []lineBody `json:"lines"`
}

type lineBody struct {
	Epoch          uint32 `json:"epoch"`
	Issued         *sum   `json:"issued"`
	Deposited      *sum   `json:"deposited"`
	Expired        *sum   `json:"expired"`
	Outstanding    *sum   `json:"outstanding"`
	CoinsIssued    uint64 `json:"coins_issued"`
	CoinsDeposited uint64 `json:"coins_deposited"`
	DoubleSpends   uint64 `json:"double_spends"`
	Named          uint64 `json:"named"`
	Balanced       bool   `json:"balanced"`
}

func statusDoc(s *coin.Status) statusBody {
	doc := statusBody{Network: s.Network[:], Time: s.Time, Lines: []lineBody{}}
	for _, l := range s.Lines {
		doc.Lines = append(doc.Lines, lineBody{l.Epoch, sumOf(l.Issued), sumOf(l.Deposited), sumOf(l.Expired), sumOf(l.Outstanding),
			l.CoinsIssued, l.CoinsDeposited, l.DoubleSpends, l.Named, l.Balanced()})
	}
	return doc
}

// SignedBody is what every request of an account's owner has. It is exported because
// the framework describes embedded fields of exported types only.
type SignedBody struct {
	Account   []byte `json:"account" doc:"the holder's number"`
	Time      int64  `json:"time"`
	Serial    uint64 `json:"serial"`
	Signature []byte `json:"signature" doc:"Ed25519 over the canonical bytes"`
}

func (b *SignedBody) wrap(body coin.Message) (coin.Message, error) {
	s := coin.Signed{Time: b.Time, Serial: b.Serial, Body: body}
	err := errors.Join(fixed(s.Account[:], b.Account, "account"), fixed(s.Signature[:], b.Signature, "signature"))
	return &s, err
}

type enrolBody struct {
	SignedBody
	Network []byte `json:"network"`
	Code    string `json:"code" doc:"one-time code from the bank"`
	Name    string `json:"name" doc:"the account at the bank"`
	Opening []byte `json:"opening"`
	AuthKey []byte `json:"auth_key"`
	Card    []byte `json:"card,omitempty" doc:"certificate of the card observer, then the opening of the phone's part"`
}

func signedEnrol(b enrolBody) (coin.Message, error) {
	e := coin.Enrol{Code: coin.EnrolCode(b.Code), Account: b.Name, Opening: b.Opening, Card: b.Card}
	err := errors.Join(fixed(e.Network[:], b.Network, "network"), fixed(e.AuthKey[:], b.AuthKey, "auth_key"))
	if err != nil {
		return nil, err
	}
	return b.wrap(&e)
}

type enrolledBody struct {
	Account  string `json:"account"`
	Identity []byte `json:"identity"`
	Time     int64  `json:"time"`
}

func enrolledDoc(e *coin.Enrolled) enrolledBody {
	return enrolledBody{e.Account, e.Identity[:], e.Time}
}

type commitBody struct {
	SignedBody
	Keys [][]byte `json:"keys"`
}

func signedCommit(b commitBody) (coin.Message, error) {
	c := coin.Commit{Keys: make([][16]byte, len(b.Keys))}
	for i, raw := range b.Keys {
		if err := fixed(c.Keys[i][:], raw, "key"); err != nil {
			return nil, err
		}
	}
	return b.wrap(&c)
}

package node

import (
	"context"
	"encoding/json"
	"fmt"

	"jiaozi/crypt/brands"
	"jiaozi/role/mint"
	"jiaozi/value/ident"
	"jiaozi/value/money"
	"jiaozi/wire/coin"
)

// OpenAccount is the order to open a customer's account without a card, for a
// wallet of coins. One that is open stays as it is.
type OpenAccount struct {
	Account string `json:"account"`
}

// Verb names the order.
func (OpenAccount) Verb() string { return "account-open" }

// Run opens the account.
func (o OpenAccount) Run(ctx context.Context, n *Node) (any, error) {
	// A name that no message can carry would be an account that no wallet can have.
	if _, err := coin.Append(nil, &coin.Enrolled{Account: o.Account}); err != nil {
		return nil, fmt.Errorf("account %q: a name has 1 to %d of a-z, 0-9 and . _ @ / - and begins and ends with a letter or digit", o.Account, coin.MaxAccount)
	}
	date, err := n.BusinessDate(ctx)
	if err != nil {
		return nil, err
	}
	if err := n.issuer.OpenAccount(ctx, o.Account, date); err != nil {
		return nil, err
	}
	balance, err := n.AccountBalance(ctx, o.Account)
	if err != nil {
		return nil, err
	}
	return AccountState{o.Account, balance.Currency().Code(), json.Number(balance.String())}, nil
}

// EnrolOrder is the order to let an account's owner open it for coins.
type EnrolOrder struct {
	Account string `json:"account"`
}

// EnrolCode is what the bank hands to the account's owner.
type EnrolCode struct {
	Account string `json:"account"`
	Code    string `json:"code"` // secret until it is used
}

// Format keeps the code out of logs.
func (c EnrolCode) Format(f fmt.State, _ rune) { fmt.Fprintf(f, "{%s ***}", c.Account) }

// Verb names the order.
func (EnrolOrder) Verb() string { return "mint-enrol" }

// Run makes the code.
func (o EnrolOrder) Run(ctx context.Context, n *Node) (any, error) {
	if n.mint == nil {
		return nil, errNoMint
	}
	code, err := n.mint.Enroll(ctx, o.Account, n.Now())
	if err != nil {
		return nil, err
	}
	return EnrolCode{o.Account, code.Reveal()}, nil
}

// MerchantOrder is the order to let a merchant take coins under a name, or to
// change the groups whose special-purpose coins it takes.
type MerchantOrder struct {
	Account string    `json:"account"`
	MID     ident.MID `json:"mid"`
	Groups  []string  `json:"groups"`
}

// Verb names the order.
func (MerchantOrder) Verb() string { return "mint-merchant" }

// Run registers the merchant.
func (o MerchantOrder) Run(ctx context.Context, n *Node) (any, error) {
	if n.mint == nil {
		return nil, errNoMint
	}
	return o, n.mint.RegisterMerchant(ctx, mint.Merchant(o), n.Now())
}

// MintKeys is the order to give what the mint publishes, as wallets get it.
type MintKeys struct{}

// PublishedKeys is the file of a mint's keys, and some words about it.
type PublishedKeys struct {
	Mint    string `json:"mint"`
	Network []byte `json:"network"`
	Keys    int    `json:"keys"`
	File    []byte `json:"file"` // an envelope
}

// Verb names the order.
func (MintKeys) Verb() string { return "mint-keys" }

// Run makes the keys that are due and lists them.
func (MintKeys) Run(ctx context.Context, n *Node) (any, error) {
	if n.mint == nil {
		return nil, errNoMint
	}
	if err := n.keepMint(ctx); err != nil {
		return nil, err
	}
	keys, err := n.mint.Keys(ctx, n.Now())
	if err != nil {
		return nil, err
	}
	file, err := coin.Append(nil, keys)
	return PublishedKeys{keys.Mint, keys.Network[:], len(keys.Keys), file}, err
}

// MintStatus is the order to show the mint's books by epoch.
type MintStatus struct{}

// EpochState is one epoch of coins. Issued less deposited less expired is
// outstanding, or Balanced is false and the book needs an audit.
type EpochState struct {
	Epoch          uint32      `json:"epoch"`
	Currency       string      `json:"currency"`
	Issued         json.Number `json:"issued"`
	Deposited      json.Number `json:"deposited"`
	Expired        json.Number `json:"expired"`
	Outstanding    json.Number `json:"outstanding"`
	CoinsIssued    uint64      `json:"coins_issued"`
	CoinsDeposited uint64      `json:"coins_deposited"`
	DoubleSpends   uint64      `json:"double_spends"`
	Named          uint64      `json:"named"`
	Balanced       bool        `json:"balanced"`
}

// Verb names the order.
func (MintStatus) Verb() string { return "mint-status" }

// Run reads the mint's books.
func (MintStatus) Run(ctx context.Context, n *Node) (any, error) {
	if n.mint == nil {
		return nil, errNoMint
	}
	status, err := n.mint.Status(ctx, n.Now())
	if err != nil {
		return nil, err
	}
	list := []EpochState{}
	for _, l := range status.Lines {
		list = append(list, epochState(l))
	}
	return list, nil
}

func epochState(l coin.StatusLine) EpochState {
	number := func(a money.Amount) json.Number { return json.Number(a.String()) }
	return EpochState{l.Epoch, l.Issued.Currency().Code(), number(l.Issued), number(l.Deposited), number(l.Expired), number(l.Outstanding),
		l.CoinsIssued, l.CoinsDeposited, l.DoubleSpends, l.Named, l.Balanced()}
}

// GuiltOrder is the order to list the proofs of who paid a coin twice.
type GuiltOrder struct{}

// GuiltState is one proof of guilt. File is for anyone to check: `jiaozi coin trace`.
type GuiltState struct {
	Account  string `json:"account"`
	Identity []byte `json:"identity"`
	Coin     []byte `json:"coin"` // its number, another one for each proof
	Time     int64  `json:"time"`
	File     []byte `json:"file"` // an envelope
}

// Verb names the order.
func (GuiltOrder) Verb() string { return "mint-guilt" }

// Run lists the proofs.
func (GuiltOrder) Run(ctx context.Context, n *Node) (any, error) {
	if n.mint == nil {
		return nil, errNoMint
	}
	list := []GuiltState{}
	err := n.mint.Guilts(ctx, func(file []byte) error {
		g, err := coin.Parse[coin.GuiltFile](file)
		if err != nil {
			return err
		}
		proof, err := brands.ParseGuilt(g.Guilt)
		if err != nil {
			return err
		}
		id := proof.Coin.ID()
		list = append(list, GuiltState{g.Account, g.Identity[:], id[:], g.Time, file})
		return nil
	})
	return list, err
}

package notes

import (
	"fmt"

	"jiaozi/crypt/brands"
	"jiaozi/value/money"
	"jiaozi/wire/coin"
)

// Note is a note and what was paid of it. It belongs to one goroutine.
type Note struct {
	info brands.KeyInfo
	head brands.Coin
	tree *brands.Note
	used brands.Used
}

// ID names the note as the mint keeps it.
func (n *Note) ID() brands.CoinID { return n.head.ID() }

// Rest is what has not been paid yet.
func (n *Note) Rest() money.Amount { return money.New(n.info.Currency, n.info.Rest(n.used)) }

// Copy is what a cheat makes: it does not know what the original pays from now on.
func (n *Note) Copy() *Note {
	other := *n
	return &other
}

// Pay answers a request (coin.Request) with pieces of exactly its amount: a
// coin.Payment.
func (n *Note) Pay(request []byte) ([]byte, error) {
	r, err := coin.Parse[coin.Request](request)
	if err != nil {
		return nil, fmt.Errorf("pay from a note: %w", err)
	}
	digest, err := r.Digest()
	if err != nil {
		return nil, fmt.Errorf("pay from a note: %w", err)
	}
	nodes, used, err := n.info.Allocate(n.used, r.Amount.Minor())
	if err != nil {
		return nil, fmt.Errorf("pay %s from a note: %w", r.Amount, err)
	}
	m := &coin.Payment{Nonce: r.Nonce, Request: digest, ToBlanks: r.Payee == "", Paid: r.Amount, Change: money.Zero(r.Amount.Currency())}
	if m.ToBlanks && len(nodes) > len(r.Blanks) {
		return nil, fmt.Errorf("%w: %d pieces, room for %d", ErrRefused, len(nodes), len(r.Blanks))
	}
	n.used = used
	for i, node := range nodes {
		item, err := n.piece(node, r, i)
		if err != nil {
			return nil, fmt.Errorf("pay from a note: %w", err)
		}
		m.Items = append(m.Items, item)
	}
	return coin.Append(nil, m)
}

// piece pays one node, to the payee's terms or onto a blank of his.
func (n *Note) piece(node uint16, r *coin.Request, place int) ([]byte, error) {
	if r.Payee != "" {
		piece, line, err := n.tree.Pay(node, brands.FinalSpec(brands.Digest{}, Digest(&r.Terms)))
		if err != nil {
			return nil, err
		}
		p := &brands.Payment{Money: brands.Money{Head: n.head, Piece: piece}, Final: line}
		return p.Append(nil), nil
	}
	next, err := brands.ParseCoin(r.Blanks[place])
	if err != nil {
		return nil, err
	}
	piece, line, err := n.tree.Pay(node, brands.LinkSpec(brands.Digest{}, &next))
	if err != nil {
		return nil, err
	}
	m := &brands.Money{Head: n.head, Piece: piece, Links: []brands.Link{{Line: line, Next: next}}}
	return m.Append(nil), nil
}

// Digest is what a payment's last line is bound to.
func Digest(t *coin.Terms) brands.Digest {
	terms := brands.Terms{
		Network: t.Network, Payee: brands.PayeeOf(t.Network, t.Payee), Currency: t.Amount.Currency(), Amount: t.Amount.Minor(),
		Time: t.Time, Nonce: t.Nonce, Contract: t.Contract, Group: t.Group,
	}
	return terms.Digest()
}

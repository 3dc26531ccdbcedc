package wallet

import (
	"encoding/binary"
	"fmt"
	"math/bits"
	"slices"

	"jiaozi/crypt/brands"
	"jiaozi/value/money"
)

// A note is kept as the free nodes of its tree, each a holding: one at first, the
// root. To pay a part, a node is split into its two children until one is worth
// what is missing. So no node is ever paid besides one above or below it, which
// would name the owner; a split is written in the write that marks the payment.

// nodeID names a node of a note among the holdings: the note's own identity is that
// of all its nodes.
func nodeID(note brands.CoinID, node uint16) brands.CoinID {
	n := binary.BigEndian.Uint16(note[:2]) ^ node
	binary.BigEndian.PutUint16(note[:2], n)
	return note
}

// divisible reports whether the holding is a node with nodes below it.
func (w *Wallet) divisible(h *holding) bool {
	key, ok := w.known.Key(h.money.Head.Key())
	return ok && h.node > 0 && bits.Len16(h.node)-1 < int(key.Info().Depth)
}

// halves gives the two nodes below a node.
func (h *holding) halves() [2]holding {
	var out [2]holding
	for i := range out {
		out[i] = *h
		out[i].node, out[i].value = 2*h.node+uint16(i), h.value/2
	}
	return out
}

// divide replaces nodes by the two below each of them, in this order.
func (s *state) divide(list []brands.CoinID) {
	for _, id := range list {
		i := slices.IndexFunc(s.holdings, func(h holding) bool { return h.id() == id })
		both := s.holdings[i].halves()
		s.holdings = slices.Replace(s.holdings, i, i+1, both[:]...)
	}
}

// choice is which coins pay an amount.
type choice struct {
	coins  []*holding
	over   money.Minor     // paid too much: change is wanted
	divide []brands.CoinID // nodes to split first, in this order
}

// choose picks coins for an amount, and splits notes where that makes it exact.
func (w *Wallet) choose(coins []*holding, amount money.Minor) (choice, error) {
	coins = slices.Clone(coins)
	var out choice
	for {
		picked, over, err := choose(valuesOf(coins), amount)
		if err != nil {
			return choice{}, err
		}
		out.coins, out.over = at(coins, picked), over
		if over == 0 {
			return out, nil
		}
		// All that is smaller than the missing rest is in the choice already: only a
		// note at least as large as the coin that is too large can help.
		i := w.smallestNote(coins, out.coins[len(picked)-1].value)
		if i < 0 {
			return out, nil
		}
		both := coins[i].halves()
		out.divide = append(out.divide, coins[i].id())
		coins = slices.Replace(coins, i, i+1, &both[0], &both[1])
	}
}

func (w *Wallet) smallestNote(coins []*holding, least money.Minor) int {
	best := -1
	for i, h := range coins {
		if h.value >= least && w.divisible(h) && (best < 0 || h.value < coins[best].value) {
			best = i
		}
	}
	return best
}

// piece lets a node answer: the money that it is, and its line.
func (w *Wallet) piece(h *holding, spec brands.Digest) (brands.Money, brands.Line, error) {
	key, ok := w.known.Key(h.money.Head.Key())
	if !ok {
		return brands.Money{}, brands.Line{}, ErrNoKeys
	}
	note, err := h.own.Note(key)
	if err != nil {
		return brands.Money{}, brands.Line{}, err
	}
	p, line, err := note.Pay(h.node, spec)
	if err != nil {
		return brands.Money{}, brands.Line{}, fmt.Errorf("pay a piece of a note: %w", err)
	}
	return brands.Money{Head: h.money.Head, Piece: p}, line, nil
}

// clash reports whether two pieces of money cannot both be honest: one coin, one
// node, or a node and one above it.
func clash(a, b *brands.Money) bool {
	if a.Head.ID() != b.Head.ID() {
		return false
	}
	if a.Piece == nil || b.Piece == nil {
		return true
	}
	x, y := a.Piece.Node, b.Piece.Node
	if x < y {
		x, y = y, x
	}
	return x>>(bits.Len16(x)-bits.Len16(y)) == y
}

package mint

import (
	"testing"

	"jiaozi/crypt/brands"
	"jiaozi/value/money"
	"jiaozi/wire/coin"
)

// divided is a note with its public part.
type divided struct {
	*scheme
	n *brands.Note
	c brands.Coin
}

func (p *person) divided() divided {
	p.t.Helper()
	k := p.key(brands.KindNote, 8, "", 0)
	own := p.withdraw(k)
	n, err := own.Note(k)
	check(p.t, err)
	return divided{p.scheme, n, own.Coin()}
}

// pay pays one node to terms.
func (d divided) pay(node uint16, t coin.Terms) []byte {
	d.t.Helper()
	p, line, err := d.n.Pay(node, brands.FinalSpec(brands.Digest{}, digest(t)))
	check(d.t, err)
	pay := &brands.Payment{Money: brands.Money{Head: d.c, Piece: p}, Final: line}
	return pay.Append(nil)
}

func TestNoteIsPaidInPieces(t *testing.T) {
	s := newScheme(t)
	s.shop()
	alice := s.person("alice", 20)
	s.person("bob", 0)
	d := alice.divided()
	shop, bob := s.bill("shop", 6, 1), s.bill("bob", 2, 2)
	pieces := [][]byte{d.pay(2, shop), d.pay(6, shop)}
	s.codes(shop, []coin.Code{coin.Accepted, coin.Accepted}, pieces...)
	s.codes(shop, []coin.Code{coin.Replayed, coin.Replayed}, pieces...)
	s.codes(bob, []coin.Code{coin.Accepted}, d.pay(7, bob))
	s.holds(map[string]money.Minor{"alice": 12, "shop": 6, "bob": 2})
	if l := s.line(); l.CoinsIssued != 1 || l.CoinsDeposited != 1 || l.Outstanding != yuan(0) {
		t.Errorf("published: %+v", l)
	}
	s.sound()
}

// Goal: whichever two nodes of a note that have a leaf in common are paid, the
// second one names the owner, in either order; two others name nobody.
func TestEveryPairOfNodesIsJudgedRightly(t *testing.T) {
	s := newScheme(t)
	s.shop()
	alice := s.person("alice", 1000)
	s.person("bob", 0)
	within := func(a, b uint16) bool { // b is a or below a
		for ; b > a; b /= 2 {
		}
		return a == b
	}
	nonce := byte(0)
	for a := uint16(1); a < 8; a++ {
		for b := uint16(1); b < 8; b++ {
			d := alice.divided()
			nonce++
			one, two := s.bill("shop", 8, nonce), s.bill("bob", 8, nonce)
			s.codes(one, []coin.Code{coin.Accepted}, d.pay(a, one))
			second := d.pay(b, two)
			if within(a, b) || within(b, a) {
				s.named(s.codes(two, []coin.Code{coin.DoubleSpent}, second)[0], alice)
			} else {
				s.codes(two, []coin.Code{coin.Accepted}, second)
			}
			s.codes(one, []coin.Code{coin.Replayed}, d.pay(a, one))
		}
	}
	s.sound()
}

// A piece goes from hand to hand like a coin; who cheats on the way is named, and
// not the owner of the note.
func TestPieceThatWentThroughHandsNamesItsCheat(t *testing.T) {
	s := newScheme(t)
	s.shop()
	alice, bob := s.person("alice", 20), s.person("bob", 0)
	d := alice.divided()
	blank := bob.withdraw(s.key(brands.KindBlank, 0, "", 0))
	next := blank.Coin()
	p, line, err := d.n.Pay(5, brands.LinkSpec(brands.Digest{}, &next))
	check(t, err)
	m := &brands.Money{Head: d.c, Piece: p, Links: []brands.Link{{Line: line, Next: next}}}
	one, two := s.bill("shop", 2, 1), s.bill("bob", 2, 2)
	s.codes(one, []coin.Code{coin.Accepted}, s.pay(m, blank, one))
	s.named(s.codes(two, []coin.Code{coin.DoubleSpent}, s.pay(m, blank, two))[0], bob)
	s.holds(map[string]money.Minor{"shop": 2, "bob": 0})
	s.sound()
}

// Two callers with pieces of one note at once both get theirs.
func TestPiecesOfOneNoteAtOnce(t *testing.T) {
	s := newScheme(t)
	s.shop()
	alice := s.person("alice", 20)
	d := alice.divided()
	one, two := s.bill("shop", 4, 1), s.bill("shop", 4, 2)
	other := [][]byte{d.pay(4, two), d.pay(5, two)}
	s.door.meanwhile = func() { s.codes(two, []coin.Code{coin.Accepted, coin.Accepted}, other...) }
	s.codes(one, []coin.Code{coin.Accepted, coin.Accepted}, d.pay(6, one), d.pay(7, one))
	s.holds(map[string]money.Minor{"shop": 8})
	s.sound()
}

package brands

import (
	"bytes"
	"errors"
	"fmt"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"jiaozi/crypt/internal/secrettest"
	"jiaozi/value/money"
)

// A drawer is what a mint keeps of notes: one point per node, and of each paid piece its chain.
type drawer struct {
	hall  *hall
	nodes map[string]NodePoint
	paid  map[string]deposit
}

func newDrawer(h *hall) *drawer {
	return &drawer{hall: h, nodes: map[string]NodePoint{}, paid: map[string]deposit{}}
}

// take books a verified payment of a piece, or names who paid twice; nil and false is a payment that came again.
func (k *drawer) take(d deposit) (who *Element, booked bool) {
	t := k.hall.t
	t.Helper()
	place := func(node uint16) string { return fmt.Sprint(d.Head.ID(), node) }
	fresh := map[string]NodePoint{}
	for _, now := range d.NodePoints(d.terms) {
		had, ok := k.nodes[place(now.Node)]
		if !ok {
			fresh[place(now.Node)] = now
			continue
		}
		g, err := d.AccuseNodeVartime(d.terms, had)
		if err != nil {
			t.Fatal(err)
		}
		if g != nil {
			return k.hall.convict(g), false
		}
		if had.Spent != now.Spent {
			t.Fatalf("node %d is spent and fixed at one point", now.Node)
		}
		if first, ok := k.paid[place(now.Node)]; ok && now.Spent {
			return k.hall.accused(first, d), false
		}
	}
	for at, point := range fresh {
		k.nodes[at] = point
	}
	k.paid[place(d.Piece.Node)] = d
	return nil, true
}

func (p *person) note(node uint16) *purse {
	o := p.withdraw(p.hall.note)
	return &purse{Money: &Money{Head: o.Coin()}, last: o, node: node}
}

// TestEveryNodePays: at every depth, each node is worth its share and its payment verifies, in one sum and equation by
// equation, after a way through bytes.
func TestEveryNodePays(t *testing.T) {
	for depth := uint8(1); depth <= MaxDepth; depth++ {
		h := newHall(t, 10)
		info := infoOf(KindNote, money.Minor(5)<<depth)
		info.Depth = depth
		h.note = h.key(info)
		u := h.person().note(1)
		for u.node = 1; u.node < 2<<depth; u.node++ {
			if depth > 4 && u.node&(u.node+1) != 0 && u.node&(u.node-1) != 0 {
				continue // of the big trees, the edges
			}
			d := u.close()
			p := parsed(t, d.Payment)
			if !bytes.Equal(p.Append(nil), d.Append(nil)) {
				t.Fatalf("depth %d, node %d: other bytes come back", depth, u.node)
			}
			if err := p.VerifyVartime(h, d.terms, h.dice); err != nil {
				t.Fatalf("depth %d, node %d: %v", depth, u.node, err)
			}
			if err := p.VerifyEquationsVartime(h, d.terms); err != nil {
				t.Fatalf("depth %d, node %d: %v", depth, u.node, err)
			}
			if v := got(p.Value(h))(t); v != money.New(info.Currency, info.Value>>level(u.node)) {
				t.Fatalf("depth %d, node %d is worth %v", depth, u.node, v)
			}
		}
	}
}

// TestNodesClashExactlyWhenOneHoldsTheOther: for all pairs of nodes of a note, in both orders, the mint names the owner if the
// nodes are one or one is above the other, and books both otherwise.
func TestNodesClashExactlyWhenOneHoldsTheOther(t *testing.T) {
	h := newHall(t, 11)
	p := h.person()
	u := p.note(1)
	const nodes = 2 << noteDepth
	var first, second [nodes]deposit
	for u.node = 1; u.node < nodes; u.node++ {
		first[u.node], second[u.node] = u.close(), u.close()
	}
	for a := uint16(1); a < nodes; a++ {
		for b := uint16(1); b < nodes; b++ {
			k := newDrawer(h)
			if who, booked := k.take(first[a]); who != nil || !booked {
				t.Fatalf("node %d alone names %v", a, who)
			}
			if who, booked := k.take(first[a]); who != nil || booked {
				t.Fatalf("node %d again names %v, booked %v", a, who, booked)
			}
			who, booked := k.take(second[b])
			if clash := leavesOf(a, noteDepth)&leavesOf(b, noteDepth) != 0; clash != (who != nil) || clash == booked {
				t.Fatalf("node %d after %d: booked %v, names %v", b, a, booked, who)
			}
			if who != nil && !who.Equal(p.holder.Identity()) {
				t.Fatalf("node %d after %d names a stranger", b, a)
			}
		}
	}
}

// TestNoteHistoriesNameWhoPaidTwice: owners divide notes, honestly by Allocate or as they like, and pieces go through hands,
// one of which may pay twice. The mint names the owner if he paid leaves twice, else exactly those who paid twice, and never
// anybody else. (Behind an owner who cheats, the second payment of a hand is refused on the owner's account already.)
func TestNoteHistoriesNameWhoPaidTwice(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		h := newHall(t, rapid.Uint64().Draw(t, "seed"))
		owner, guilty := h.person(), map[string]bool{}
		id, u := owner.holder.Identity().String(), owner.note(1)
		k, named := newDrawer(h), map[string]bool{}
		for _, node := range drawNodes(t, owner, guilty) {
			u.node = node
			for _, d := range drawWay(t, h, u, guilty) {
				if who, _ := k.take(d); who != nil {
					named[who.String()] = true
				}
			}
		}
		for who := range named {
			if !guilty[who] {
				t.Fatalf("%v is named and paid nothing twice", who)
			}
		}
		if named[id] != guilty[id] || !guilty[id] && len(named) != len(guilty) {
			t.Fatalf("named %v, guilty %v", named, guilty)
		}
	})
}

// drawNodes divides a note. A cheat takes any nodes, and is guilty if two of them share a leaf.
func drawNodes(t *rapid.T, owner *person, guilty map[string]bool) []uint16 {
	info := owner.hall.note.Public().Info()
	var used Used
	var nodes []uint16
	if rapid.Bool().Draw(t, "honest") {
		for range rapid.IntRange(1, 3).Draw(t, "payments") {
			units := rapid.Int64Range(1, 1<<noteDepth).Draw(t, "units")
			if more, after, err := info.Allocate(used, info.Leaf()*money.Minor(units)); err == nil {
				nodes, used = append(nodes, more...), after
			}
		}
		return nodes
	}
	for range rapid.IntRange(1, 4).Draw(t, "nodes") {
		node := rapid.Uint16Range(1, 2<<noteDepth-1).Draw(t, "node")
		leaves := leavesOf(node, noteDepth)
		if used&leaves != 0 {
			guilty[owner.holder.Identity().String()] = true
		}
		nodes, used = append(nodes, node), used|leaves
	}
	return nodes
}

// drawWay sends a piece through some hands to the mint; one of them may pay it twice.
func drawWay(t *rapid.T, h *hall, u *purse, guilty map[string]bool) []deposit {
	hops := rapid.IntRange(0, 2).Draw(t, "hops")
	cheat := rapid.IntRange(0, 4).Draw(t, "cheat")
	var deposits []deposit
	for i := range hops + 1 {
		if i == cheat {
			guilty[u.last.by.holder.Identity().String()] = true
			deposits = append(deposits, u.close())
		}
		if i < hops {
			u = u.pass(h.person())
		}
	}
	return append(deposits, u.close())
}

// TestAPieceIsOfItsNoteAlone: what does not belong to the note, the tree or the node is refused with a reason.
func TestAPieceIsOfItsNoteAlone(t *testing.T) {
	h := newHall(t, 12)
	good := h.person().note(10).close()
	other := h.person().note(10).close()
	sibling := h.person().note(11).close()
	deep := infoOf(KindNote, 80)
	deep.Depth = noteDepth - 1
	for _, c := range []struct {
		why  string
		want error
		bend func(p *Payment)
	}{
		{"another note's branch", ErrSignature, func(p *Payment) { p.Piece.Branch = other.Piece.Branch }},
		{"another node's number", ErrSignature, func(p *Payment) { p.Piece.Node = 11 }},
		{"another level's number", ErrChain, func(p *Payment) { p.Piece.Node = 5 }},
		{"a node below the leaves", ErrChain, func(p *Payment) { p.Piece.Node = 20 }},
		{"no node", ErrChain, func(p *Payment) { p.Piece.Node = 0 }},
		{"something under a leaf", ErrChain, func(p *Payment) { p.Piece.Below[0] = 1 }},
		{"no fixed points", ErrChain, func(p *Payment) { p.Piece.Fixed = nil }},
		{"a fixed point too many", ErrChain, func(p *Payment) { p.Piece.Fixed = append(p.Piece.Fixed, p.Final) }},
		{"another note's fixed points", ErrLine, func(p *Payment) { p.Piece.Fixed = other.Piece.Fixed }},
		{"fixed points in another order", ErrLine, func(p *Payment) { f := p.Piece.Fixed; f[0], f[1] = f[1], f[0] }},
		{"another payment's line", ErrLine, func(p *Payment) { p.Final = sibling.Final }},
		{"the note as a coin", ErrChain, func(p *Payment) { p.Piece = nil }},
		{"a coin as a note", ErrChain, func(p *Payment) { p.Head = h.person().withdraw(h.coin).Coin() }},
	} {
		p := parsed(t, good.Payment)
		c.bend(p)
		if err := p.VerifyVartime(h, good.terms, h.dice); !errors.Is(err, c.want) {
			t.Errorf("%s: %v", c.why, err)
		}
		if err := p.VerifyEquationsVartime(h, good.terms); !errors.Is(err, c.want) {
			t.Errorf("%s, equation by equation: %v", c.why, err)
		}
	}
	if err := good.Piece.check(&good.Head, deep); !errors.Is(err, ErrChain) {
		t.Errorf("a leaf under a shallower key: %v", err)
	}
}

// TestEveryBitOfAPieceCounts: a payment with a piece with one bit flipped does not parse, or does not verify.
func TestEveryBitOfAPieceCounts(t *testing.T) {
	h := newHall(t, 13)
	d := h.person().note(11).close()
	raw := d.Append(nil)
	for bit := range 8 * len(raw) {
		if testing.Short() && bit%31 != 0 { // meets every bit of a byte
			continue
		}
		bad := bytes.Clone(raw)
		bad[bit/8] ^= 1 << (bit % 8)
		p, err := ParsePayment(bad)
		if err == nil {
			err = p.VerifyVartime(h, d.terms, h.dice)
		}
		if err == nil {
			t.Fatalf("bit %d does not count", bit)
		}
	}
}

// TestPiecesVerifyInBatches: among coins and chains, and a bad one is found by its place.
func TestPiecesVerifyInBatches(t *testing.T) {
	h := newHall(t, 51)
	owner := h.person()
	batch := []deposit{owner.coin().close(), owner.note(4).close(), owner.note(9).pass(h.person()).close(), owner.note(1).close(), owner.note(6).close()}
	ps, terms := make([]*Payment, len(batch)), make([]Digest, len(batch))
	for i, d := range batch {
		ps[i], terms[i] = parsed(t, d.Payment), d.terms
	}
	if bad, err := VerifyBatchVartime(h, ps, terms, h.dice); err != nil || len(bad) != 0 {
		t.Fatalf("of good ones bad: %v, %v", bad, err)
	}
	ps[1].Piece.Fixed[0] = ps[4].Piece.Fixed[0]
	ps[4].Piece.Below[0] ^= 1
	if bad, err := VerifyBatchVartime(h, ps, terms, h.dice); err != nil || !slices.Equal(bad, []int{1, 4}) {
		t.Fatalf("bad ones at %v, %v", bad, err)
	}
}

// TestANoteOutlivesTheWallet: from its sealed form a note gives the same lines; under another key, or as a coin, it gives none.
func TestANoteOutlivesTheWallet(t *testing.T) {
	h := newHall(t, 14)
	o := h.person().withdraw(h.note)
	back := got(ParseOwn(o.Append(nil)))(t)
	spec := h.digest()
	p1, l1, err := got(o.Note(h.note.Public()))(t).Pay(5, spec)
	if err != nil {
		t.Fatal(err)
	}
	p2, l2, err := got(back.Note(h.note.Public()))(t).Pay(5, spec)
	if err != nil || l1 != l2 || !bytes.Equal(p1.append(nil), p2.append(nil)) {
		t.Fatalf("a note that was stored pays otherwise: %v", err)
	}
	if _, err := o.Pay(spec); !errors.Is(err, ErrKind) {
		t.Errorf("a note paid whole without a node: %v", err)
	}
	if _, err := o.Note(h.coin.Public()); !errors.Is(err, ErrKind) {
		t.Errorf("nodes under a coin's key: %v", err)
	}
	if _, err := o.Note(h.key(h.note.Public().Info()).Public()); !errors.Is(err, ErrUnknownKey) {
		t.Errorf("nodes under another note's key: %v", err)
	}
	back.tree = o.s
	if _, err := back.Note(h.note.Public()); !errors.Is(err, ErrSignature) {
		t.Errorf("nodes from a wrong seed: %v", err)
	}
	for _, node := range []uint16{0, 2 << noteDepth, 65535} {
		if _, _, err := got(o.Note(h.note.Public()))(t).Pay(node, spec); !errors.Is(err, ErrChain) {
			t.Errorf("node %d: %v", node, err)
		}
	}
}

func TestANoteShowsNoSecret(t *testing.T) {
	h := newHall(t, 19)
	o := h.person().withdraw(h.note)
	for _, s := range []secret{o.s, o.us, o.tree} {
		raw := s.reveal()
		secrettest.Check(t, *got(o.Note(h.note.Public()))(t), raw[:])
	}
}

// TestANoteNeedsAPhoneAlone: a holder with a card is refused before anything is signed.
func TestANoteNeedsAPhoneAlone(t *testing.T) {
	h := newHall(t, 15)
	p := h.cardPerson()
	nonce := p.card.Nonce(1)
	com := h.note.CommitForCard(h.digest(), p.holder.Identity())
	if _, _, err := p.holder.Challenge(h.note.Public(), got(RandomBlinding(h.dice))(t), com, &nonce); !errors.Is(err, ErrKind) {
		t.Fatalf("a note for a card: %v", err)
	}
}

func FuzzPiece(f *testing.F) {
	h := newHall(f, 16)
	for _, node := range []uint16{1, 2, 5, 15} {
		f.Add(h.person().note(node).close().Piece.append(nil))
	}
	f.Add([]byte{0, 127})
	f.Fuzz(func(t *testing.T, b []byte) {
		p, rest, err := parsePiece(b)
		if err != nil {
			return
		}
		if again := append(p.append(nil), rest...); !bytes.Equal(again, b) {
			t.Fatalf("%x comes back as %x", b, again)
		}
	})
}

func BenchmarkNote(b *testing.B) {
	h := newHall(b, 18)
	info := infoOf(KindNote, 64)
	info.Depth = MaxDepth
	h.note = h.key(info)
	u := h.person().note(64)
	d := u.close()
	raw := d.Append(nil)
	b.Run("grow", func(b *testing.B) {
		for b.Loop() {
			_ = got(u.last.Note(h.note.Public()))(b)
		}
	})
	note := got(u.last.Note(h.note.Public()))(b)
	b.Run("pay a leaf", func(b *testing.B) {
		for b.Loop() {
			if _, _, err := note.Pay(64, Digest{}); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("verify a leaf", func(b *testing.B) {
		b.ReportMetric(float64(len(raw)), "bytes")
		for b.Loop() {
			if err := got(ParsePayment(raw))(b).VerifyVartime(h, d.terms, h.dice); err != nil {
				b.Fatal(err)
			}
		}
	})
}

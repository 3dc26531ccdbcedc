package brands

import (
	"bytes"
	"errors"
	"slices"
	"testing"

	"pgregory.net/rapid"
)

// guilts gives a proof of each form: of a coin, of a blank in the middle of a chain, of the node of a note paid twice, and of a
// node paid besides one below it.
func guilts(t testing.TB, h *hall) (map[string]*Guilt, Element) {
	t.Helper()
	cheat := h.person()
	proofs := map[string]*Guilt{}
	accuse := func(why string, a, b deposit) {
		proofs[why] = got(b.AccuseVartime(b.terms, a.Points(a.terms)))(t)
	}
	coin := cheat.coin()
	accuse("coin", coin.close(), coin.close())
	hand := h.person().coin().pass(cheat)
	accuse("blank", hand.close(), hand.pass(h.person()).close())
	note := cheat.note(5)
	a := note.close()
	accuse("node", a, note.close())
	note.node = 11
	below := note.close()
	proofs["node above"] = got(below.AccuseNodeVartime(below.terms, a.NodePoints(a.terms)[0]))(t)
	return proofs, cheat.holder.Identity()
}

// TestGuiltConvincesAnyone: from its bytes and the published keys alone a stranger learns who paid twice.
func TestGuiltConvincesAnyone(t *testing.T) {
	h := newHall(t, 30)
	proofs, cheat := guilts(t, h)
	for why, g := range proofs {
		raw := g.Append(nil)
		back, err := ParseGuilt(raw)
		if err != nil || !bytes.Equal(back.Append(nil), raw) || len(raw) > 1024 {
			t.Fatalf("%s: proof of %d bytes: %v", why, len(raw), err)
		}
		if who := h.convict(g); !who.Equal(cheat) {
			t.Errorf("%s names %v", why, who)
		}
		turned, err := newGuiltVartime(&g.Coin, g.Branch, g.Second, g.First)
		if err != nil || !bytes.Equal(turned.Append(nil), raw) {
			t.Errorf("%s: the same two points give another proof: %v", why, err)
		}
	}
}

// TestEveryBitOfAGuiltCounts: a proof with one bit flipped is refused.
func TestEveryBitOfAGuiltCounts(t *testing.T) {
	h := newHall(t, 31)
	proofs, _ := guilts(t, h)
	for _, why := range []string{"coin", "node"} { // the two forms
		raw := proofs[why].Append(nil)
		for bit := range 8 * len(raw) {
			if testing.Short() && bit%31 != 0 { // meets every bit of a byte
				continue
			}
			bad := bytes.Clone(raw)
			bad[bit/8] ^= 1 << (bit % 8)
			back, err := ParseGuilt(bad)
			if err == nil {
				_, err = back.VerifyVartime(h)
			}
			if err == nil {
				t.Fatalf("%s: bit %d does not count", why, bit)
			}
		}
	}
}

// TestAGuiltIsNotMadeUp: what is missing, added, doubled, of another coin or key is refused with its reason.
func TestAGuiltIsNotMadeUp(t *testing.T) {
	h := newHall(t, 32)
	proofs, _ := guilts(t, h)
	stranger := h.person().withdraw(h.coin).Coin()
	for _, c := range []struct {
		why, of string
		want    error
		bend    func(g *Guilt)
	}{
		{"another coin", "coin", ErrLine, func(g *Guilt) { g.Coin = stranger }},
		{"another's point", "coin", ErrLine, func(g *Guilt) { g.Second = proofs["blank"].Second }},
		{"one point twice", "coin", ErrTrace, func(g *Guilt) { g.Second = g.First }},
		{"a branch on a coin", "coin", ErrKind, func(g *Guilt) { g.Branch = proofs["node"].Branch }},
		{"a note without its branch", "node", ErrKind, func(g *Guilt) { g.Branch = nil }},
		{"another node's branch", "node above", ErrSignature, func(g *Guilt) {
			branch := *g.Branch
			branch.Node = 4
			g.Branch = &branch
		}},
		{"a key that nobody knows", "coin", ErrUnknownKey, func(g *Guilt) { g.Coin.key[0] ^= 1 }},
		{"a coin that nobody signed", "coin", ErrSignature, func(g *Guilt) { g.Coin.r = stranger.r }},
	} {
		g := *proofs[c.of]
		c.bend(&g)
		if who, err := g.VerifyVartime(h); !errors.Is(err, c.want) {
			t.Errorf("%s: names %v, %v", c.why, who, err)
		}
	}
	raw := proofs["node"].Append(nil)
	for _, bad := range [][]byte{nil, raw[:len(raw)-1], append(slices.Clone(raw), 0), raw[:CoinSize+2*PointSize+1]} {
		if _, err := ParseGuilt(bad); !errors.Is(err, ErrEncoding) {
			t.Errorf("a proof of %d bytes: %v", len(bad), err)
		}
	}
}

// TestNobodyIsGuiltyOfHonesty: from all that honest people ever gave away, no two points of any coin or node make a proof,
// whichever coin they are held against.
func TestNobodyIsGuiltyOfHonesty(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		h := newHall(t, rapid.Uint64().Draw(t, "seed"))
		var deposits []deposit
		for range rapid.IntRange(1, 2).Draw(t, "coins") {
			u := h.person().coin()
			for range rapid.IntRange(0, 3).Draw(t, "hops") {
				u = u.pass(h.person())
			}
			deposits = append(deposits, u.close())
		}
		note, used := h.person().note(1), Used(0)
		info := h.note.Public().Info()
		for range rapid.IntRange(0, 3).Draw(t, "payments") {
			nodes, after, err := info.Allocate(used, info.Leaf()*2)
			if err != nil {
				break
			}
			for _, note.node = range nodes {
				deposits = append(deposits, note.close())
			}
			used = after
		}
		noGuilt(t, h, deposits)
	})
}

// noGuilt holds every point that deposits show against the line of every coin and node in them.
func noGuilt(t *rapid.T, h *hall, deposits []deposit) {
	type place struct {
		coin   *Coin
		branch *Branch
	}
	var places []place
	points := map[Point3]bool{}
	for _, d := range deposits {
		for i, p := range d.Points(d.terms) {
			coin, branch := d.at(i)
			points[p], places = true, append(places, place{coin, branch})
		}
		for i, n := range d.NodePoints(d.terms) {
			branch := d.Piece.above(d.Head.key, i)
			points[n.Point], places = true, append(places, place{&d.Head, &branch})
		}
	}
	for _, at := range places {
		g := &Guilt{Coin: *at.coin, Branch: at.branch}
		line, err := g.line()
		if err != nil {
			t.Fatal(err)
		}
		on := 0
		for p := range points {
			if s := onLine(&at.coin.a, line, p); s.checkVartime() == nil {
				on++
			}
		}
		if on != 1 {
			t.Fatalf("%d points of one line", on)
		}
	}
}

func FuzzGuilt(f *testing.F) {
	h := newHall(f, 33)
	proofs, _ := guilts(f, h)
	for _, g := range proofs {
		f.Add(g.Append(nil))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		g, err := ParseGuilt(b)
		if err == nil && !bytes.Equal(g.Append(nil), b) {
			t.Fatalf("%x comes back as %x", b, g.Append(nil))
		}
	})
}

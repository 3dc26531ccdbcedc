package brands

import (
	"bytes"
	"fmt"
	"go/ast"
	"maps"
	"math/rand/v2"
	"reflect"
	"slices"
	"testing"

	"jiaozi/crypt/brands/bulk"
)

// aided reads a payment as it comes with its aid.
func aided(t testing.TB, p *Payment) *Payment {
	t.Helper()
	q := got(ParseAidedPayment(p.Append(nil), p.Aid()))(t)
	if !q.aided() {
		t.Fatal("the aid was not taken")
	}
	return q
}

// wrongAids are aids that do not help, or not with everything.
func wrongAids(aid []byte) map[string][]byte {
	off, other := bytes.Clone(aid), bytes.Clone(aid)
	for i := 0; i < len(off); i += Size {
		off[i] ^= 2
	}
	slices.Reverse(other)
	return map[string][]byte{
		"none": nil, "zeros": make([]byte, len(aid)), "ones": bytes.Repeat([]byte{0xff}, len(aid)), "a bit off": off, "another order": other,
		"cut short": aid[:max(len(aid)-1, 0)], "too long": append(bytes.Clone(aid), 0), "half wrong": append(bytes.Clone(aid[:len(aid)/2]), off[len(aid)/2:]...),
	}
}

// readable are the bytes of good and bad payments, with the aids that their payers compute; those that cannot be read are
// among them.
func readable(t *testing.T, w *town, terms Digest) (encs, aids map[string][]byte) {
	t.Helper()
	list := townOfBad(t, w, terms)
	for hops := range MaxHops + 1 {
		list[fmt.Sprint("good, hops ", hops)] = payment(t, w, w.coin, terms, "a", hops)
	}
	encs, aids = map[string][]byte{}, map[string][]byte{}
	for what, p := range list {
		encs[what], aids[what] = p.Append(nil), p.Aid()
	}
	good := list["good, hops 1"]
	enc := good.Append(nil)
	negative := newElement(g1).enc
	negative[0] |= 1
	for i, at := range []int{18, 50, 82, 114, 146, 178, 210, 242, 290, 322, 354, 386, 418, 450, 482, 514} { // all elements and numbers
		for what, with := range map[string][]byte{"ones": bytes.Repeat([]byte{0xff}, Size), "nothing": make([]byte, Size), "a negative": negative[:]} {
			b := bytes.Clone(enc)
			copy(b[at:], with)
			name := fmt.Sprint(what, " in place ", i)
			encs[name], aids[name] = b, good.Aid()
		}
	}
	encs["nothing"], encs["too many hops"], encs["cut short"] = nil, append([]byte{9}, enc[1:]...), enc[:len(enc)-1]
	aids["cut short"] = good.Aid()
	return encs, aids
}

// Goal: an aid makes no payment good or bad and changes no word that is said of it. Method: payments of every kind, read
// with no aid and with right and wrong ones; everything that is asked of a payment is asked of each.
func TestAnAidChangesNothingButTime(t *testing.T) {
	w, terms := newTown(t), digestOf("terms")
	encs, aids := readable(t, w, terms)
	first := payment(t, w, w.coin, digestOf("other terms"), "a", 2).Points(digestOf("other terms"))
	for what, enc := range encs {
		plain, bad := ParsePayment(enc)
		all := wrongAids(aids[what])
		all["right"] = aids[what]
		for which, aid := range all {
			p, err := ParseAidedPayment(enc, aid)
			if fmt.Sprint(err) != fmt.Sprint(bad) || (p == nil) != (plain == nil) {
				t.Fatalf("%s, aid %s: %v, without %v", what, which, err, bad)
			}
			if bad != nil {
				continue
			}
			if !bytes.Equal(p.Append(nil), enc) {
				t.Errorf("%s, aid %s: reads other bytes", what, which)
			}
			if asked, want := askedOf(t, w, p, terms, first), askedOf(t, w, plain, terms, first); !reflect.DeepEqual(asked, want) {
				t.Errorf("%s, aid %s: %v, without %v", what, which, asked, want)
			}
		}
	}
}

// askedOf is what a payment says to everybody who has one in hand.
func askedOf(t *testing.T, w *town, p *Payment, terms Digest, first []Point3) map[string]string {
	t.Helper()
	said := make(map[string]string)
	say := func(what string, v any) { said[what] = fmt.Sprint(v) }
	say("sum", p.VerifyVartime(w, terms, dice("w")))
	say("equations", p.VerifyEquationsVartime(w, terms))
	say("in the hand", p.Money.VerifyVartime(w, dice("w")))
	say("other terms", p.VerifyVartime(w, digestOf("none"), dice("w")))
	bad, err := VerifyBatchVartime(w, []*Payment{p}, []Digest{terms}, dice("w"))
	say("batch", fmt.Sprint(bad, err))
	say("points", p.Points(terms))
	value, err := p.Value(w)
	say("value", fmt.Sprint(value, err))
	if key, ok := w.Key(p.Head.Key()); ok {
		say("head", p.Head.VerifyVartime(key))
	}
	g, err := p.AccuseVartime(terms, first)
	say("accused", err)
	if g != nil {
		say("guilt", g.Append(nil))
		who, err := g.VerifyVartime(w)
		say("guilty", fmt.Sprint(who, err))
	}
	m := p.Money
	say("next", fmt.Sprint(m.SpecTo(&p.Head)))
	return said
}

// TestTheGuiltyAreNamedByAidedPaymentsToo: a cheat in a chain is named, by proofs of the same bytes, and a coin that was read
// with an aid is claimed and passed on.
func TestTheGuiltyAreNamedByAidedPaymentsToo(t *testing.T) {
	h := newHall(t, 50)
	cheat := h.person()
	u := h.person().coin().pass(cheat)
	a, b := u.close(), u.pass(h.person()).close()
	plain := got(b.AccuseVartime(b.terms, a.Points(a.terms)))(t)
	helped := got(aided(t, b.Payment).AccuseVartime(b.terms, aided(t, a.Payment).Points(a.terms)))(t)
	if !bytes.Equal(plain.Append(nil), helped.Append(nil)) {
		t.Error("another proof of guilt")
	}
	if who := h.convict(helped); who == nil || !who.Equal(cheat.holder.Identity()) {
		t.Errorf("%v is named", who)
	}
	if who, err := helped.VerifyVartime(h); err != nil || !who.Equal(cheat.holder.Identity()) {
		t.Errorf("%v is named, %v", who, err)
	}
	claim := got(NewClaim(cheat.holder, u.last.Own, h.dice))(t)
	if err := claim.VerifyVartime(aided(t, a.Payment).Last(), cheat.holder.Identity()); err != nil {
		t.Error(err)
	}
	if err := claim.VerifyVartime(&aided(t, a.Payment).Head, cheat.holder.Identity()); err == nil {
		t.Error("a claim on another's coin holds")
	}
	// An aided head with a link that was read alone: neither kind, and verified all the same.
	mixed := *aided(t, b.Payment)
	mixed.Links = b.Links
	if bad, err := VerifyBatchVartime(h, []*Payment{&mixed, b.Payment}, []Digest{b.terms, a.terms}, h.dice); err != nil || !slices.Equal(bad, []int{1}) {
		t.Error(bad, err)
	}
}

// Goal: a batch finds the same bad ones in the same order, whichever payments came with an aid. Method: random batches of
// good and bad payments and chains, each of which comes with no aid, the right one or a wrong one; which are bad is known,
// and the batch without aids is asked as well.
func TestBatchesFindTheSameWithAids(t *testing.T) {
	w, terms := newTown(t), digestOf("terms")
	encs, aids := readable(t, w, terms)
	names := slices.DeleteFunc(slices.Sorted(maps.Keys(encs)), func(what string) bool { return second(ParsePayment(encs[what])) != nil })
	var good []string
	for hops := range 4 {
		good = append(good, fmt.Sprint("good, hops ", hops))
	}
	r := rand.New(rand.NewPCG(1, 2))
	for round := range 60 {
		var plain, mixed []*Payment
		var want []int
		for i := range r.IntN(40) {
			what := good[r.IntN(len(good))]
			if r.IntN(8) < round%4 {
				what = names[r.IntN(len(names))]
			}
			aid := aids[what]
			if r.IntN(3) == 0 {
				all := wrongAids(aid)
				aid = all[slices.Sorted(maps.Keys(all))[r.IntN(len(all))]]
			}
			plain = append(plain, got(ParsePayment(encs[what]))(t))
			mixed = append(mixed, got(ParseAidedPayment(encs[what], aid))(t))
			if plain[i].VerifyEquationsVartime(w, terms) != nil {
				want = append(want, i)
			}
		}
		all := slices.Repeat([]Digest{terms}, len(plain))
		for which, ps := range map[string][]*Payment{"plain": plain, "mixed": mixed} {
			if bad, err := VerifyBatchVartime(w, ps, all, dice("%d", round)); err != nil || !slices.Equal(bad, want) {
				t.Fatalf("round %d, %s: %v, not %v: %v", round, which, bad, want, err)
			}
		}
	}
}

// TestABatchOfManyShares: more payments than one sum takes, the bad ones in the last.
func TestABatchOfManyShares(t *testing.T) {
	w, terms := newTown(t), digestOf("terms")
	good, bad := payment(t, w, w.coin, terms, "a", 0), payment(t, w, w.coin, digestOf("other"), "a", 0)
	ps := append(slices.Repeat([]*Payment{aided(t, good)}, inBulkAtATime+3), aided(t, bad), bad, aided(t, good))
	n := len(ps)
	if found, err := VerifyBatchVartime(w, ps, slices.Repeat([]Digest{terms}, n), dice("w")); err != nil || !slices.Equal(found, []int{n - 3, n - 2}) {
		t.Error(found, err)
	}
}

// TestAPieceNeedsNoAid: a note's payment has none and ignores what comes in its place.
func TestAPieceNeedsNoAid(t *testing.T) {
	h := newHall(t, 51)
	d := h.person().note(5).close()
	if aid := d.Aid(); aid != nil {
		t.Errorf("an aid of %d bytes", len(aid))
	}
	p := got(ParseAidedPayment(d.Append(nil), make([]byte, AidSize)))(t)
	if err := p.VerifyVartime(h, d.terms, h.dice); err != nil || p.aided() {
		t.Error(err)
	}
}

// TestPointsHaveOneDoor: coordinates for the library may be none, which would equal everything; only point, which knows, and
// what makes elements touch them.
func TestPointsHaveOneDoor(t *testing.T) {
	may := map[string]bool{"point": true, "parse": true, "newElement": true}
	for file, f := range sources(t, ".") {
		for _, d := range f.Decls {
			fn, ok := d.(*ast.FuncDecl)
			if !ok || may[fn.Name.Name] && file == "element.go" {
				continue
			}
			ast.Inspect(fn, func(n ast.Node) bool {
				if s, ok := n.(*ast.SelectorExpr); ok && s.Sel.Name == "p" {
					t.Errorf("%s: %s reads coordinates past point()", file, fn.Name.Name)
				}
				return true
			})
		}
	}
	e := newElement(g1)
	quick := Element{aided: new(bulk.Point), enc: e.enc}
	if !quick.aided.Decode(&quick.enc, nil) || quick.point().Equal(g1) != 1 || quick.point().Equal(g2) != 0 {
		t.Error("an element that was read with an aid is another point")
	}
}

// FuzzAid: no aid changes what is read.
func FuzzAid(f *testing.F) {
	w, terms := newTown(f), digestOf("terms")
	p := payment(f, w, w.coin, terms, "a", 1)
	f.Add(p.Append(nil), p.Aid())
	f.Add(p.Append(nil), []byte{})
	f.Fuzz(func(t *testing.T, b, aid []byte) {
		plain, bad := ParsePayment(b)
		helped, err := ParseAidedPayment(b, aid)
		if fmt.Sprint(bad) != fmt.Sprint(err) {
			t.Fatalf("%v, with an aid %v", bad, err)
		}
		if err != nil {
			return
		}
		one, both := fmt.Sprint(plain.VerifyEquationsVartime(w, terms)), fmt.Sprint(helped.VerifyEquationsVartime(w, terms))
		found, err := VerifyBatchVartime(w, []*Payment{helped}, []Digest{terms}, dice("w"))
		if one != both || err != nil || (len(found) == 0) != (one == "<nil>") {
			t.Fatalf("%s, with an aid %s, in a batch %v: %v", one, both, found, err)
		}
	})
}

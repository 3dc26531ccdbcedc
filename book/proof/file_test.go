package proof

import (
	"bytes"
	"encoding/base64"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"jiaozi/book"

	"golang.org/x/mod/sumdb/note"
)

// Goal: any entry can be shown in any later checkpoint. Method: the entries at
// and around every border of the tree, in three checkpoints.
func TestEveryEntryCanBeShown(t *testing.T) {
	r, h := long(), newHouse(t, "bank")
	tree := New(testChain)
	leaves, at := r.leavesOf(t)
	for day, end := range []int{3, len(r) / 2, len(r)} {
		c, signed := h.day(t, tree, r[:end], 20+day)
		for _, i := range []int{0, 1, 2, 301, 302, tileLeaves - 1, tileLeaves, tileLeaves + 1, 2*tileLeaves - 1, 2 * tileLeaves, len(leaves) - 1} {
			b, err := tree.Prove(t.Context(), r, at[i].seq, uint16(at[i].taken), signed, h.keys)
			if at[i].seq > c.Seq {
				expect(t, fmt.Sprint("entry ", i), err, ErrLater)
				continue
			}
			must(t, err)
			p, err := Verify(b, h.keys)
			must(t, err)
			if p.Index != uint64(i) || p.Checkpoint != c || !bytes.Equal(p.Leaf.appendTo(nil), leaves[i]) || p.Entry.Command.Event != "test/pay" {
				t.Fatalf("entry %d: %+v", i, p)
			}
		}
	}
}

func TestWhatIsNotInTheJournalCannotBeShown(t *testing.T) {
	r, h := rows(nil).grow(1, 3, 3), newHouse(t, "bank")
	tree := New(testChain)
	_, signed := h.day(t, tree, r, 22)
	for _, p := range []place{{0, 0}, {1, 3}, {2, 9999}} {
		_, err := tree.Prove(t.Context(), r, p.seq, uint16(p.taken), signed, h.keys)
		expect(t, fmt.Sprint(p), err, ErrNoEntry)
	}
	_, err := New(9).Prove(t.Context(), r, 1, 0, signed, h.keys)
	expect(t, "another chain", err, ErrLater)
	changed := rows(nil).grow(2, 3, 3)
	_, err = tree.Prove(t.Context(), changed, 1, 0, signed, h.keys)
	expect(t, "changed journal", err, ErrHistory)
}

// Goal: a false proof is refused, and the reason names what is wrong. Method:
// one lie at a time, each as good as a liar without the key could make it.
func TestALieIsRefused(t *testing.T) {
	r, h, rogue := rows(nil).grow(1, 5, 5, 3), newHouse(t, "bank"), newHouse(t, "rogue")
	tree := New(testChain)
	_, signed := h.day(t, tree, r, 22)
	_, older := h.day(t, tree, r[:2], 21)
	forgery := rows(nil).grow(2, 5, 5, 3)
	_, forged := rogue.day(t, New(testChain), forgery, 22)
	good, err := tree.Prove(t.Context(), r, 2, 1, signed, h.keys)
	must(t, err)
	lie := func(change func(f *file)) []byte {
		f, err := parseFile(good, proofMagic)
		must(t, err)
		change(f)
		return f.bytes()
	}
	leafLie := func(change func(l *Leaf)) []byte {
		return lie(func(f *file) {
			l, err := decodeLeaf(f.extra)
			must(t, err)
			l.Entry = bytes.Clone(l.Entry)
			change(&l)
			f.extra = l.appendTo(nil)
		})
	}
	otherTree, err := New(testChain).Prove(t.Context(), forgery, 2, 1, forged, rogue.keys)
	must(t, err)
	for _, c := range []struct {
		why  string
		b    []byte
		want error
	}{
		{"signed by another key of the same name", otherTree, ErrSignature},
		{"signed by another key", lie(func(f *file) { f.signed = forged }), ErrSignature},
		{"an amount altered", leafLie(func(l *Leaf) { alterAmount(t, l) }), ErrFalse},
		{"another batch", leafLie(func(l *Leaf) { l.Seq++ }), ErrFalse},
		{"another place in the batch", leafLie(func(l *Leaf) { l.Index++ }), ErrFalse},
		{"another chain", leafLie(func(l *Leaf) { l.Chain++ }), ErrFalse},
		{"another salt", leafLie(func(l *Leaf) { l.Salt[0]++ }), ErrFalse},
		{"path of another entry", lie(func(f *file) { f.number++ }), ErrFalse},
		{"entry beyond the tree", lie(func(f *file) { f.number = 1 << 40 }), ErrFalse},
		{"another tree of the same bank", lie(func(f *file) { f.signed = older }), ErrFalse},
		{"path too long", lie(func(f *file) { f.path = append(f.path, f.path[0]) }), ErrFalse},
		{"path far too long", lie(func(f *file) { f.path = slices.Repeat(f.path[:1], maxPath+1) }), ErrForm},
		{"path too short", lie(func(f *file) { f.path = f.path[1:] }), ErrFalse},
		{"hash altered", lie(func(f *file) { f.path[1][5] ^= 1 }), ErrFalse},
		{"an inner node as the entry", lie(func(f *file) { f.extra = append(f.path[0], f.path[0]...) }), ErrForm},
		{"text of the checkpoint altered", bytes.Replace(good, []byte("date 2026-11-22"), []byte("date 2026-11-23"), 1), ErrSignature},
		{"spaces", append([]byte(" "), good...), ErrForm},
		{"line ends of another system", bytes.ReplaceAll(good, []byte("\n"), []byte("\r\n")), ErrForm},
		{"a form of the number", bytes.Replace(good, []byte("index 6"), []byte("index 06"), 1), ErrForm},
		{"a proof of the other kind", bytes.Replace(good, []byte(proofMagic), []byte(extensionMagic), 1), ErrForm},
		{"too large", make([]byte, MaxFile+1), ErrForm},
		{"empty", nil, ErrForm},
	} {
		p, err := Verify(c.b, h.keys)
		expect(t, c.why, err, c.want)
		if p != nil {
			t.Errorf("%s: a lie was shown", c.why)
		}
	}
	for n := range good {
		if _, err := Verify(good[:n], h.keys); err == nil {
			t.Fatalf("cut at %d of %d", n, len(good))
		}
	}
}

func alterAmount(t *testing.T, l *Leaf) {
	t.Helper()
	e, err := book.DecodeEntry(l.Seq, l.Entry)
	must(t, err)
	for i := range e.Command.Legs {
		more, err := e.Command.Legs[i].Amount.Add(e.Command.Legs[i].Amount)
		must(t, err)
		e.Command.Legs[i].Amount = more
	}
	l.Entry = book.AppendEntry(nil, &e)
}

// Goal: a proof tells its holder nothing that helps to guess another entry.
// Method: the hash of each neighbour, tried with everything that the holder
// knows and the neighbour's very entry.
func TestNeighboursCannotBeTriedOut(t *testing.T) {
	r, h := rows(nil).grow(1, 2, 1, 1), newHouse(t, "bank")
	tree := New(testChain)
	c, signed := h.day(t, tree, r[:2], 22)
	b, err := tree.Prove(t.Context(), r, 1, 0, signed, h.keys)
	must(t, err)
	p, err := Verify(b, h.keys)
	must(t, err)
	f, err := parseFile(b, proofMagic)
	must(t, err)
	leaves, at := r.leavesOf(t)
	known := [][32]byte{{}, p.Leaf.Salt, saltOf(book.Hash(c.Head), 0), saltOf(book.Hash(c.Head), 1), saltOf(book.Hash(p.Leaf.Salt), 1), c.Root, c.Head}
	for i, raw := range leaves[1:] {
		guess, err := decodeLeaf(raw)
		must(t, err)
		if guess.Seq != at[i+1].seq {
			t.Fatal("places")
		}
		for _, salt := range known {
			guess.Salt = salt
			for _, hash := range f.path {
				if bytes.Equal(hasher.HashLeaf(guess.appendTo(nil)), hash) {
					t.Fatalf("entry %d can be tried out with salt %x", i+1, salt)
				}
			}
		}
	}
	if bytes.Contains(signed, []byte(base64.StdEncoding.EncodeToString(r[1].Hash[:]))) {
		t.Fatal("the checkpoint publishes the hash of a row")
	}
}

// Goal: an auditor sees that history was only added to. Method: each pair of
// days; then days of two histories, and days turned around.
func TestACheckpointExtendsTheOneBefore(t *testing.T) {
	r, h := long(), newHouse(t, "bank")
	tree := New(testChain)
	ends := []int{0, 1, 2, 3, len(r) / 2, len(r) - 1, len(r)}
	var signed [][]byte
	for day, end := range ends {
		_, s := h.day(t, tree, r[:end], 1+day)
		signed = append(signed, s)
	}
	for i := range signed {
		for k := i; k < len(signed); k++ {
			b, err := tree.Extend(t.Context(), r, signed[i], signed[k], h.keys)
			must(t, err)
			a, z, err := VerifyExtension(b, h.keys)
			if err != nil || a.Seq != uint64(ends[i]) || z.Seq != uint64(ends[k]) || !IsExtension(b) {
				t.Fatal(i, k, a, z, err)
			}
			f, err := parseFile(b, extensionMagic)
			must(t, err)
			f.extra, f.signed = f.signed, f.extra
			if _, _, err := VerifyExtension(f.bytes(), h.keys); i != k && err == nil {
				t.Fatal("turned around", i, k)
			}
		}
	}
	other := rows(nil).grow(2, 4000, 5000)
	forked := New(testChain)
	_, fork := h.day(t, forked, other, 30)
	_, err := tree.Extend(t.Context(), r, signed[3], fork, h.keys)
	expect(t, "a fork", err, ErrHistory)
	_, err = tree.Extend(t.Context(), r, fork, signed[3], h.keys)
	expect(t, "smaller", err, ErrFalse)
}

func TestACheckpointReadsBackAndHasOneForm(t *testing.T) {
	h, r := newHouse(t, "bank"), rows(nil).grow(1, 3)
	c, signed := h.day(t, New(testChain), r, 22)
	if got, err := OpenCheckpoint(signed, h.keys); err != nil || got != c {
		t.Fatal(got, err)
	}
	text := c.text()
	for _, bad := range []string{
		"", text + "more\n", strings.TrimSuffix(text, "\n"), strings.Replace(text, "\n3\n", "\n03\n", 1), strings.Replace(text, "\n3\n", "\n+3\n", 1),
		strings.Replace(text, "chain 7", "chain 70000", 1), strings.Replace(text, "2026-11-22", "2026-11-31", 1), strings.Replace(text, "head 1 ", "head 1  ", 1),
		strings.Replace(text, "date", "Date", 1), strings.Replace(text, "=\n", "\n", 1),
	} {
		_, err := parseCheckpoint(bad)
		expect(t, bad, err, ErrForm)
	}
	_, err := OpenCheckpoint(append(signed, make([]byte, maxNote)...), h.keys)
	expect(t, "too large", err, ErrForm)
	_, err = Sign(Checkpoint{Origin: "someone else"}, h.signer)
	if err == nil {
		t.Error("signed for another origin")
	}
}

// Goal: a witness may countersign; a key that is trusted under another name
// does not vouch for this log.
func TestOnlyTheLogsOwnKeyVouchesForIt(t *testing.T) {
	h, r := newHouse(t, "bank"), rows(nil).grow(1, 3)
	c, _ := h.day(t, New(testChain), r, 22)
	skey, vkey, err := note.GenerateKey(bytes.NewReader(make([]byte, 64)), "witness.example")
	must(t, err)
	witness, err := note.NewSigner(skey)
	must(t, err)
	both, err := note.Sign(&note.Note{Text: c.text()}, h.signer, witness)
	must(t, err)
	if got, err := OpenCheckpoint(both, h.keys); err != nil || got != c {
		t.Fatal(err)
	}
	keys, err := ParseKeys(vkey)
	must(t, err)
	_, err = OpenCheckpoint(both, keys)
	expect(t, "witness alone", err, ErrSignature)
}

func TestKeysAreReadStrictly(t *testing.T) {
	for _, bad := range []string{"", "# none\n", "bank", "a+b+c", "bank+00000000+AAAA"} {
		if _, err := ParseKeys(bad); err == nil {
			t.Errorf("%q taken", bad)
		}
	}
	s := &Signer{sign: func(string, []byte) ([]byte, error) { return nil, errors.New("the vault is closed") }}
	s.Verifier = newHouse(t, "bank").signer.Verifier
	if _, err := Sign(Checkpoint{Origin: s.Name(), Date: 20261122}, s); err == nil || !strings.Contains(err.Error(), "the vault is closed") {
		t.Error(err)
	}
	s.sign = func(string, []byte) ([]byte, error) { return make([]byte, 64), nil }
	_, err := Sign(Checkpoint{Origin: s.Name(), Date: 20261122}, s)
	expect(t, "a signature that does not hold", err, ErrSignature)
}

func FuzzVerify(f *testing.F) {
	r, h := rows(nil).grow(1, 5, 5), newHouse(f, "bank")
	tree := New(testChain)
	_, first := h.day(f, tree, r[:1], 21)
	_, signed := h.day(f, tree, r, 22)
	good, err := tree.Prove(f.Context(), r, 2, 1, signed, h.keys)
	must(f, err)
	extension, err := tree.Extend(f.Context(), r, first, signed, h.keys)
	must(f, err)
	f.Add(good)
	f.Add(extension)
	f.Fuzz(func(t *testing.T, b []byte) {
		if p, err := Verify(b, h.keys); err == nil && (p.Leaf.Seq != 2 || p.Leaf.Index != 1) {
			t.Fatalf("a forgery: %+v", p)
		}
		if a, z, err := VerifyExtension(b, h.keys); err == nil && (a.Seq != 1 || z.Seq != 2) && a != z {
			t.Fatalf("a forgery: %+v %+v", a, z)
		}
	})
}

func FuzzCheckpointText(f *testing.F) {
	c := Checkpoint{Origin: "jiaozi/1/book/7", Size: 1 << 40, Chain: 7, Seq: 9, Date: 20261122}
	f.Add(c.text())
	f.Add("a\n0\n")
	f.Fuzz(func(t *testing.T, text string) {
		if got, err := parseCheckpoint(text); err == nil && got.text() != text {
			t.Fatal("two forms")
		}
	})
}

// Goal: what is under the signature is exact in every file. Method: proofs and
// extensions whose outer form is kept and whose every part is drawn.
func FuzzFile(f *testing.F) {
	f.Add([]byte("leaf"), uint64(3), []byte("path"), []byte("signed\n"))
	f.Fuzz(func(t *testing.T, extra []byte, number uint64, path, signed []byte) {
		in := file{magic: proofMagic, extra: extra, number: number & (1<<62 - 1), signed: signed}
		for ; len(path) >= 32; path = path[32:] {
			in.path = append(in.path, path[:32])
		}
		out, err := parseFile(in.bytes(), proofMagic)
		if len(in.path) > maxPath {
			expect(t, "long path", err, ErrForm)
			return
		}
		must(t, err)
		if !bytes.Equal(out.bytes(), in.bytes()) || out.number != in.number || !bytes.Equal(out.extra, extra) || !bytes.Equal(out.signed, signed) {
			t.Fatalf("%+v", out)
		}
	})
}

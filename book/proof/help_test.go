package proof

import (
	"context"
	"crypto/ed25519"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"math/rand/v2"
	"testing"

	"jiaozi/book"
	"jiaozi/value/clock"
	"jiaozi/value/money"

	"golang.org/x/mod/sumdb/note"
)

// rows is a journal in memory.
type rows []book.Row

func (r rows) Journal(_ context.Context, from uint64, fn func(book.Row) error) error {
	for i := max(from, 1) - 1; i < uint64(len(r)); i++ {
		if err := fn(r[i]); err != nil {
			return err
		}
	}
	return nil
}

func (r rows) Row(_ context.Context, seq uint64) (book.Row, bool, error) {
	if seq == 0 || seq > uint64(len(r)) {
		return book.Row{}, false, nil
	}
	return r[seq-1], true, nil
}

const testChain = 7

// grow adds batches of these sizes.
func (r rows) grow(seed uint64, sizes ...int) rows {
	rnd := rand.New(rand.NewPCG(seed, 1))
	for _, n := range sizes {
		var raw [][]byte
		for range n {
			raw = append(raw, book.AppendEntry(nil, payment(rnd)))
		}
		row := book.Row{Part: testChain, Seq: uint64(len(r)) + 1, Body: book.AppendBody(nil, raw)}
		if len(r) > 0 {
			row.Prev = r[len(r)-1].Hash
		}
		row.Hash = book.Link(row.Part, row.Seq, row.Prev, row.Body)
		r = append(r, row)
	}
	return r
}

func payment(rnd *rand.Rand) *book.Entry {
	amount := money.New(money.CNY, money.Minor(1+rnd.IntN(100000)))
	c := book.Command{Event: "test/pay", Date: 20261122, Note: []byte("a note"), Legs: []book.Leg{
		{Side: book.Debit, Amount: amount}, {Side: book.Credit, Amount: amount},
	}}
	binary.BigEndian.PutUint64(c.ID[:], rnd.Uint64()|1)
	c.Legs[0].Account[0], c.Legs[1].Account[0] = byte(rnd.Uint32()), byte(rnd.Uint32())
	return &book.Entry{Command: c, Result: book.Result{Code: book.OK, Balances: []money.Amount{amount, amount}}}
}

// leavesOf lists the leaves by a path of its own: no tiles, no walk.
func (r rows) leavesOf(t testing.TB) (leaves [][]byte, at []place) {
	t.Helper()
	for i := range r {
		must(t, book.Entries(r[i].Body, func(n int, raw []byte) error {
			leaf := newLeaf(&r[i], n, raw)
			leaves = append(leaves, leaf.appendTo(nil))
			at = append(at, place{r[i].Seq, uint32(n)})
			return nil
		}))
	}
	return leaves, at
}

// naiveRoot is RFC 6962, 2.1, as it is written there.
func naiveRoot(leaves [][]byte) [32]byte {
	switch len(leaves) {
	case 0:
		return sha256.Sum256(nil)
	case 1:
		return sha256.Sum256(append([]byte{0}, leaves[0]...))
	}
	k := 1
	for k*2 < len(leaves) {
		k *= 2
	}
	left, right := naiveRoot(leaves[:k]), naiveRoot(leaves[k:])
	return sha256.Sum256(append(append([]byte{1}, left[:]...), right[:]...))
}

// house is a bank with a key.
type house struct {
	signer *Signer
	keys   note.Verifiers
}

func newHouse(t testing.TB, name string) house {
	t.Helper()
	seed := sha256.Sum256([]byte(name))
	key := ed25519.NewKeyFromSeed(seed[:])
	public := key.Public().(ed25519.PublicKey)
	origin := Origin("90000001", testChain)
	s, err := NewSigner(origin, public, func(domain string, msg []byte) ([]byte, error) {
		if domain != origin+"\n" || string(msg[:len(domain)]) != domain {
			return nil, errors.New("another domain")
		}
		return ed25519.Sign(key, msg), nil
	})
	must(t, err)
	line, err := PublicKey(origin, public)
	must(t, err)
	keys, err := ParseKeys("# the bank\n\n" + line + "\n")
	must(t, err)
	return house{s, keys}
}

// day signs the journal as it is.
func (h house) day(t testing.TB, tree *Tree, r rows, date int) (Checkpoint, []byte) {
	t.Helper()
	tip, err := tree.Grow(t.Context(), r, uint64(len(r)))
	must(t, err)
	c := tip.Checkpoint(h.signer.Name(), testChain, clock.Date(20261100+date))
	signed, err := Sign(c, h.signer)
	must(t, err)
	return c, signed
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func expect(t testing.TB, what string, got, want error) {
	t.Helper()
	if !errors.Is(got, want) {
		t.Errorf("%s: got %v, want %v", what, got, want)
	}
}

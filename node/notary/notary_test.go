package notary

import (
	"bytes"
	"context"
	"crypto/ed25519"
	"encoding/binary"
	"errors"
	"os"
	"path/filepath"
	"testing"

	"jiaozi/book"
	"jiaozi/book/proof"
	"jiaozi/value/clock"
	"jiaozi/value/money"
)

const chain = 2

// rows is a journal in memory.
type rows []book.Row

func (r rows) Head(context.Context) (book.Head, error) {
	if len(r) == 0 {
		return book.Head{}, nil
	}
	return book.Head{Seq: uint64(len(r)), Hash: r[len(r)-1].Hash}, nil
}

func (r rows) Row(_ context.Context, seq uint64) (book.Row, bool, error) {
	if seq == 0 || seq > uint64(len(r)) {
		return book.Row{}, false, nil
	}
	return r[seq-1], true, nil
}

func (r rows) Journal(_ context.Context, from uint64, fn func(book.Row) error) error {
	for i := max(from, 1) - 1; i < uint64(len(r)); i++ {
		if err := fn(r[i]); err != nil {
			return err
		}
	}
	return nil
}

// pay adds a batch of one payment of so many fen.
func (r rows) pay(fen money.Minor) rows {
	amount := money.New(money.CNY, fen)
	e := book.Entry{
		Command: book.Command{Event: "test/pay", Date: 20261122, Legs: []book.Leg{
			{Account: book.AccountID{1}, Side: book.Debit, Amount: amount}, {Account: book.AccountID{2}, Side: book.Credit, Amount: amount}}},
		Result: book.Result{Code: book.OK, Balances: []money.Amount{amount, amount}},
	}
	binary.BigEndian.PutUint64(e.Command.ID[:], uint64(len(r))+1)
	row := book.Row{Part: chain, Seq: uint64(len(r)) + 1, Body: book.AppendBody(nil, [][]byte{book.AppendEntry(nil, &e)})}
	if len(r) > 0 {
		row.Prev = r[len(r)-1].Hash
	}
	row.Hash = book.Link(row.Part, row.Seq, row.Prev, row.Body)
	return append(r[:len(r):len(r)], row)
}

func signer(t *testing.T) *proof.Signer {
	t.Helper()
	key := ed25519.NewKeyFromSeed(make([]byte, 32))
	s, err := proof.NewSigner(proof.Origin("test", chain), key.Public().(ed25519.PublicKey), func(_ string, msg []byte) ([]byte, error) {
		return ed25519.Sign(key, msg), nil
	})
	must(t, err)
	return s
}

func open(t *testing.T, dir string) (*Notary, *proof.Signer) {
	t.Helper()
	s := signer(t)
	line, err := proof.PublicKey(s.Name(), ed25519.NewKeyFromSeed(make([]byte, 32)).Public().(ed25519.PublicKey))
	must(t, err)
	keys, err := proof.ParseKeys(line)
	must(t, err)
	n, err := Open(dir, chain, keys)
	must(t, err)
	return n, s
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func expect(t *testing.T, what string, got, want error) {
	t.Helper()
	if !errors.Is(got, want) {
		t.Errorf("%s: got %v, want %v", what, got, want)
	}
}

func TestEachDayIsSignedOnceAndCanBeShown(t *testing.T) {
	n, s := open(t, filepath.Join(t.TempDir(), "checkpoints"))
	_, err := n.Last()
	expect(t, "before the first day", err, ErrNone)
	var r rows
	for day := range 3 {
		r = r.pay(100).pay(200)
		date := clock.Date(20261120 + day)
		made, err := n.Sign(t.Context(), r, date, s)
		must(t, err)
		again, err := n.Sign(t.Context(), r, date, s)
		if err != nil || again.Path != made.Path || !bytes.Equal(again.Note, made.Note) {
			t.Fatal("signed twice", err)
		}
	}
	if last, err := n.Check(t.Context(), r); err != nil || last.Checkpoint.Date != 20261122 {
		t.Fatal(last, err)
	}
	for seq := uint64(1); seq <= 6; seq++ {
		b, err := n.Prove(t.Context(), r, seq, 0, 0)
		must(t, err)
		p, err := proof.Verify(b, n.keys)
		if err != nil || p.Leaf.Seq != seq || p.Checkpoint.Date != 20261122 {
			t.Fatal(p, err)
		}
	}
	_, err = n.Prove(t.Context(), r, 5, 0, 20261121)
	expect(t, "an earlier day", err, proof.ErrLater)
	_, err = n.Prove(t.Context(), r, 5, 0, 20261119)
	expect(t, "a day without", err, ErrNone)
	b, err := n.Extend(t.Context(), r, 20261120, 20261122)
	must(t, err)
	if _, _, err := proof.VerifyExtension(b, n.keys); err != nil {
		t.Fatal(err)
	}
	_, err = n.Sign(t.Context(), r.pay(1), 20261121, s)
	if err == nil {
		t.Error("the date went back")
	}
}

// Goal: a checkpoint made by hand on an open day stands beside the one of its
// end; the later one is the day's.
func TestASecondCheckpointOfADayReplacesNothing(t *testing.T) {
	n, s := open(t, t.TempDir())
	r := rows(nil).pay(1)
	first, err := n.Sign(t.Context(), r, 20261122, s)
	must(t, err)
	second, err := n.Sign(t.Context(), r.pay(2), 20261122, s)
	must(t, err)
	if _, err := os.Stat(first.Path); err != nil || first.Path == second.Path {
		t.Fatal(err)
	}
	if of, err := n.Of(20261122); err != nil || of.Path != second.Path {
		t.Fatal(of, err)
	}
}

// Goal: a crash, or a careless hand, between any two steps changes no answer.
func TestWhatIsDerivedMayBeLost(t *testing.T) {
	dir := t.TempDir()
	n, s := open(t, dir)
	r := rows(nil).pay(1).pay(2)
	made, err := n.Sign(t.Context(), r, 20261121, s)
	must(t, err)
	r = r.pay(3)
	after, err := n.Sign(t.Context(), r, 20261122, s)
	must(t, err)
	for what, damage := range map[string]func() error{
		"no tree":                     func() error { return os.Remove(filepath.Join(dir, cacheName)) },
		"tree of nothing":             func() error { return os.WriteFile(filepath.Join(dir, cacheName), nil, 0o600) },
		"tree ahead of the last note": func() error { return os.Remove(after.Path) },
		"unfinished file": func() error {
			return os.WriteFile(filepath.Join(dir, ".2026-11-23-000000000009.checkpoint.1"), nil, 0o600)
		},
		"foreign file": func() error { return os.WriteFile(filepath.Join(dir, "2026-11-23-9.checkpoint"), nil, 0o600) },
	} {
		must(t, damage())
		n, _ := open(t, dir)
		again, err := n.Sign(t.Context(), r, 20261122, s)
		if err != nil || !bytes.Equal(again.Note, after.Note) {
			t.Errorf("%s: %v", what, err)
		}
	}
	raw, err := os.ReadFile(made.Path)
	must(t, err)
	must(t, os.WriteFile(after.Path, raw, 0o600))
	_, err = n.Sign(t.Context(), r.pay(4), 20261122, s)
	expect(t, "another checkpoint under the name", err, proof.ErrFalse)
	must(t, os.WriteFile(after.Path, after.Note[:len(after.Note)-5], 0o600))
	_, err = n.Sign(t.Context(), r.pay(4), 20261122, s)
	if err == nil {
		t.Error("signed after a damaged checkpoint")
	}
}

func TestAChangedJournalIsNeitherSignedNorShown(t *testing.T) {
	n, s := open(t, t.TempDir())
	_, err := n.Sign(t.Context(), rows(nil).pay(1).pay(2), 20261121, s)
	must(t, err)
	for what, r := range map[string]rows{"changed": rows(nil).pay(1).pay(3).pay(4), "shorter": rows(nil).pay(1), "empty": nil} {
		_, err := n.Sign(t.Context(), r, 20261122, s)
		expect(t, what, err, proof.ErrHistory)
		_, err = n.Prove(t.Context(), r, 1, 0, 0)
		expect(t, what, err, proof.ErrHistory)
		_, err = n.Check(t.Context(), r)
		expect(t, what, err, proof.ErrHistory)
	}
}

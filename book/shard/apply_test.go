package shard

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"

	"jiaozi/book"
)

// Commands of one call go each to its shard, and the answers come in the order of
// the call.
func TestCommandsFindTheirShard(t *testing.T) {
	w := newTown(t)
	var cmds []book.Command
	for i := range 30 {
		cmds = append(cmds, fund(account(uint16(i*130), fmt.Sprint("p", i)), 100))
	}
	poor := book.Command{ID: book.DeriveID("poor"), Event: "spend", Date: day, Legs: []book.Leg{
		{Account: account(130, "p1").ID, Side: book.Debit, Amount: cny(101)},
		{Account: account(130, "bank of p1").ID, Side: book.Credit, Amount: cny(101)},
	}}
	cmds = append(cmds[:7], append([]book.Command{poor}, cmds[7:]...)...)
	results, err := w.Apply(t.Context(), cmds)
	if err != nil {
		t.Fatal(err)
	}
	for i, r := range results {
		want := book.OK
		if i == 7 {
			want = book.Insufficient
		}
		if r.Code != want {
			t.Errorf("command %d: %s", i, r.Code)
		}
	}
	for i := range 30 {
		a := account(uint16(i*130), fmt.Sprint("p", i))
		w.has(a, 100)
		if _, open, _ := mustBook(w, w.Map().Of(a.ID.Part()).Name).Balance(t.Context(), a.ID); !open {
			t.Errorf("account %d is not in its shard", i)
		}
	}
	w.sound()
}

// What no single shard can book whole is not booked in part.
func TestCommandThatSpansShardsIsRefused(t *testing.T) {
	w := newTown(t)
	x, y := account(1, "x"), account(1001, "y")
	across := book.Command{ID: book.DeriveID("both"), Event: "e", Date: day, Open: []book.Account{x, y}}
	_, err := w.Apply(t.Context(), []book.Command{fund(x, 1), across})
	if !errors.Is(err, ErrSpans) || !strings.Contains(err.Error(), "part 1 of a and part 1001 of b") {
		t.Fatalf("%v", err)
	}
	chain := []book.Command{fund(x, 1), fund(y, 1)}
	chain[0].Linked = true
	if _, err := w.Apply(t.Context(), chain); !errors.Is(err, ErrSpans) {
		t.Fatalf("a chain over two shards: %v", err)
	}
	if _, err := w.Apply(t.Context(), []book.Command{{ID: book.DeriveID("none"), Event: "e", Date: day}}); !errors.Is(err, ErrNoPlace) {
		t.Fatalf("a command that touches nothing: %v", err)
	}
	if _, open, err := w.Balance(t.Context(), x.ID); open || err != nil {
		t.Fatalf("something was booked (%v)", err)
	}
}

// A chain stays one on its shard.
func TestChainStaysTogether(t *testing.T) {
	w := newTown(t)
	x, y, z := account(1, "x"), account(2, "y"), account(1001, "z")
	chain := []book.Command{fund(x, 1), fund(z, 1), fund(y, 1), fund(x, 1)}
	chain[2].Linked = true // y, and x again with other content: refused
	chain[3].Date++
	results, err := w.Apply(t.Context(), chain)
	if err != nil {
		t.Fatal(err)
	}
	want := []book.Code{book.OK, book.OK, book.LinkBroken, book.IDReused}
	for i := range want {
		if results[i].Code != want[i] {
			t.Errorf("command %d: %s, want %s", i, results[i].Code, want[i])
		}
	}
}

// Reads go where the key lives, and a scan sees every shard.
func TestReadsFindTheirShard(t *testing.T) {
	w := newTown(t)
	for _, key := range []string{"\x00\x00 a", "\x50\x00 b", "\xFF\xF0 c"} {
		w.ok(book.Command{ID: book.DeriveID(key), Event: "e", Date: day,
			Once: []book.Once{{Space: "s", Key: []byte(key), Value: []byte(key)}},
			Put:  []book.Put{{Space: "s", Key: []byte(key), Value: []byte(key)}}})
		value, version, err := w.Get(t.Context(), "s", []byte(key))
		if err != nil || version == 0 || string(value) != key {
			t.Errorf("record %q: %q (%v)", key, value, err)
		}
		value, taken, err := w.GetOnce(t.Context(), "s", []byte(key))
		if err != nil || !taken || string(value) != key {
			t.Errorf("once-key %q: %q (%v)", key, value, err)
		}
	}
	n := 0
	if err := w.Scan(t.Context(), "s", nil, func(_, _ []byte, _ uint64) error { n++; return nil }); err != nil || n != 3 {
		t.Errorf("scanned %d (%v)", n, err)
	}
}

// A shard of another process is named, and the others work.
func TestShardElsewhereIsNamed(t *testing.T) {
	w := newTown(t)
	elsewhere := func(ctx context.Context, s Shard) (book.Engine, error) {
		if s.Name == "b" {
			return nil, ErrElsewhere
		}
		return w.engine(ctx, s)
	}
	w.Close()
	var err error
	if w.Shards, err = Open(t.Context(), w.m, elsewhere, Options{}); err != nil {
		t.Fatal(err)
	}
	x, y := account(1, "x"), account(1001, "y")
	results, err := w.Apply(t.Context(), []book.Command{fund(x, 5), fund(y, 5)})
	if !errors.Is(err, ErrElsewhere) || results[0].Code != book.OK || results[1].Code != 0 {
		t.Fatalf("%v %v", results, err)
	}
	w.transfer(book.OK, pay("t", x, y, 5)) // it waits in the outbox
	w.pump(0)
	if report, err := w.Audit(t.Context()); err != nil || len(report.Findings) > 0 {
		t.Errorf("%v %v", report, err)
	}
}

// A store that belongs to another line of the map is not opened as this one.
func TestStoreOfAnotherShardIsRefused(t *testing.T) {
	w := newTown(t)
	w.Close()
	w.stores["b"] = w.stores["c"]
	if err := w.tryOpen(); !errors.Is(err, ErrMap) {
		t.Fatalf("%v", err)
	}
}

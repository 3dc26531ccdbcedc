package shard

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"

	"jiaozi/book"
	"jiaozi/book/booktest"
)

// left brings part 3 of a town that lived to the fence on its way from a to b.
func (w *town) left() (a, b *book.Ledger) {
	w.Helper()
	w.lived()
	a, b = mustBook(w, "a"), mustBook(w, "b")
	if err := a.Leave(w.Context(), 3, w.stores["b"].Number, day); err != nil {
		w.Fatal(err)
	}
	return a, b
}

// A part that left for one shard is not given to another one, though two moves of
// it run at once.
func TestPartGoesWhereItLeftFor(t *testing.T) {
	w := newTown(t)
	a, _ := w.left()
	if err := w.tryMove(3, "a", "c", w.lane(3, "a", "c")); !errors.Is(err, book.ErrNotHere) {
		t.Errorf("moved to c: %v", err)
	}
	if _, err := a.HandOut(t.Context(), 3, w.stores["b"].Number, day); err != nil {
		t.Fatal(err)
	}
	if err := w.tryMove(3, "a", "c", w.lane(3, "a", "c")); !errors.Is(err, book.ErrNotHere) {
		t.Errorf("moved to c after it was handed to b: %v", err)
	}
	w.move(3, "a", "b")
	w.stays("moved")
	if mustBook(w, "c").Keeps(3) {
		t.Error("c keeps it too")
	}
}

// A part that cannot be handed in is not fenced, let alone handed out: the rows of
// its first time are still there, or the target's days are others.
func TestImpossibleMoveFencesNothing(t *testing.T) {
	w := newTown(t)
	w.lived()
	w.move(3, "a", "b")
	w.move(3, "b", "a")
	if err := w.tryMove(3, "a", "b", w.lane(3, "a", "b")); !errors.Is(err, book.ErrNotHere) {
		t.Fatalf("moved the same way twice: %v", err)
	}
	w.stays("refused")
	days := book.Command{ID: book.DeriveID("days"), Event: "days", Date: day, Days: book.Days{From: day + 1, To: day + 1}}
	if r, err := mustBook(w, "c").Apply(t.Context(), []book.Command{days}); err != nil || r[0].Code != book.OK {
		t.Fatal(r, err)
	}
	if err := w.tryMove(3, "a", "c", w.lane(3, "a", "c")); !errors.Is(err, book.ErrNotHere) {
		t.Fatalf("moved on a day that is closed at the target: %v", err)
	}
	w.stays("refused again")
	w.transfer(book.OK, pay("not fenced", alice, alice, 1))
}

// A refusal that names a part which is gone is no part of its slice.
func TestMoveGoesOnAfterARefusalOfALaterTime(t *testing.T) {
	w := newTown(t)
	a, _ := w.left()
	if _, err := a.HandOut(t.Context(), 3, w.stores["b"].Number, day); err != nil {
		t.Fatal(err)
	}
	much := book.Command{ID: book.DeriveID("too much"), Event: "e", Date: day, Linked: true, Legs: []book.Leg{
		{Account: dave.ID, Side: book.Debit, Amount: cny(9999)}, {Account: account(dave.ID.Part(), "bank of dave").ID, Side: book.Credit, Amount: cny(9999)}}}
	results, err := a.Apply(t.Context(), []book.Command{much, tap("late", 2)})
	if err != nil || results[0].Code != book.Insufficient || results[1].Code != book.LinkRefused {
		t.Fatalf("%+v (%v)", results, err)
	}
	w.move(3, "a", "b")
	w.stays("moved")
}

// An account with the first id of its part is an account.
func TestFirstAccountOfAPartGoesAlong(t *testing.T) {
	w := newTown(t)
	w.lived()
	first := account(3, "first")
	first.ID = book.AccountID(book.ID{}.At(3))
	w.ok(fund(first, 12))
	w.move(3, "a", "b")
	w.has(first, 12)
	w.stays("moved")
}

// What is asked of a part that is gone does not bring it back to memory.
func TestCommandsOnAGonePartLeaveNoTrace(t *testing.T) {
	w := newTown(t)
	w.lived()
	a := mustBook(w, "a")
	if err := a.WriteBehind(t.Context()); err != nil {
		t.Fatal(err)
	}
	w.move(3, "a", "b")
	late := book.Command{ID: book.DeriveID("late"), Event: "e", Date: day, Legs: []book.Leg{
		{Account: alice.ID, Side: book.Debit, Amount: cny(1)}, {Account: dave.ID, Side: book.Credit, Amount: cny(1)}}}
	if r, err := a.Apply(t.Context(), []book.Command{late}); err != nil || r[0].Code != book.PartMoved {
		t.Fatal(r, err)
	}
	if balance, open, err := a.Balance(t.Context(), alice.ID); open || err != nil {
		t.Errorf("the source has the account again, with %v (%v)", balance, err)
	}
}

// An entry that came with its part can be reversed, and the auditor agrees.
func TestCarriedEntryIsReversed(t *testing.T) {
	t.Run("index in memory", func(t *testing.T) { carriedEntryIsReversed(t, "") })
	t.Run("index on disk", func(t *testing.T) { carriedEntryIsReversed(t, t.TempDir()) })
}

func carriedEntryIsReversed(t *testing.T, dir string) {
	w := newTown(t)
	w.onDisk(dir)
	w.lived()
	w.move(3, "a", "b")
	c, err := mustBook(w, "b").Reversal(t.Context(), book.DeriveID("erin4"), book.DeriveID("undo"), "undo", day)
	if err != nil {
		t.Fatal(err)
	}
	w.ok(c)
	w.has(alice, 60)
	w.sound()
	w.reopen()
	w.sound()
}

// Rows of accounts that the target has from nobody knows where are not mixed with
// those of a part.
func TestOccupiedPartIsNotHandedIn(t *testing.T) {
	w := newTown(t)
	zoe := account(3, "zoe")
	w.stores["b"] = &booktest.Memory{Number: w.stores["b"].Number}
	l, err := book.Open(t.Context(), w.stores["b"]) // without a map it keeps all parts
	if err != nil {
		t.Fatal(err)
	}
	if r, err := l.Apply(t.Context(), []book.Command{fund(zoe, 1)}); err != nil || r[0].Code != book.OK {
		t.Fatal(r, err)
	}
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	w.reopen()
	w.lived()
	if err := w.tryMove(3, "a", "b", w.lane(3, "a", "b")); !errors.Is(err, book.ErrNotHere) {
		t.Fatalf("moved into a part with accounts: %v", err)
	}
	if !mustBook(w, "a").Keeps(3) {
		t.Error("and it was fenced for that")
	}
}

// A slice goes on after the last entry of a full batch.
func TestSliceGoesOnAfterAFullBatch(t *testing.T) {
	w := newTown(t)
	w.lived()
	a := mustBook(w, "a")
	for { // a batch with an odd number is next
		head, err := a.Head(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if head.Seq%2 == 0 {
			break
		}
		w.ok(fund(account(5, fmt.Sprint("odd", head.Seq)), 0))
	}
	batch := make([]book.Command, book.MaxBatch)
	for i := range batch {
		key := []byte(strings.Repeat("k", i%64) + fmt.Sprint(i))
		batch[i] = book.Command{ID: book.DeriveID("full", i), Event: "e", Date: day,
			Once: []book.Once{{Space: "full", Key: append([]byte{0, 3 << 4}, key...)}}}
	}
	w.ok(batch...)
	h, err := a.CarryOut(t.Context(), 3)
	if err != nil {
		t.Fatal(err)
	}
	again, err := a.CarryOut(t.Context(), 3)
	if err != nil || again.Count != h.Count {
		t.Fatalf("%d entries, and then %d (%v)", h.Count, again.Count, err)
	}
}

// A move that is given up is not given up for a part that is safe elsewhere.
func TestAbandonLooksAtTheTarget(t *testing.T) {
	w := newTown(t)
	a, b := w.left()
	old := w.stores["a"]
	v, err := old.View(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	back := &booktest.Memory{Number: old.Number} // a backup from between the fence and the hand-over
	if err := v.Journal(t.Context(), 0, func(r book.Row) error { return back.Append(t.Context(), &r) }); err != nil {
		t.Fatal(err)
	}
	h, err := a.HandOut(t.Context(), 3, w.stores["b"].Number, day)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := w.lane(3, "a", "b").Arrived(context.Background()); err != nil {
		t.Fatal(err)
	}
	if err := b.HandIn(t.Context(), h, day); err != nil {
		t.Fatal(err)
	}
	w.stores["a"] = back
	w.reopen()
	if err := w.Abandon(t.Context(), Move{Part: 3, From: "a", To: "b", Date: day, Road: w.lane(3, "a", "b")}); !errors.Is(err, book.ErrNotHere) {
		t.Errorf("%v", err)
	}
	if mustBook(w, "a").Keeps(3) {
		t.Error("both keep the part")
	}
}

// A statement that was begun before its part went on is continued after it.
func TestStatementGoesOnWhereThePartWentOn(t *testing.T) {
	for _, way := range []string{"abc", "cba"} {
		w := newTown(t)
		w.lived()
		if way == "cba" {
			w.move(3, "a", "c")
		}
		w.move(3, way[:1], way[1:2])
		_, next, err := w.Statement(t.Context(), alice.ID, 0, 3)
		if err != nil {
			t.Fatal(err)
		}
		w.move(3, way[1:2], way[2:])
		lines, _, err := w.Statement(t.Context(), alice.ID, next, 100)
		if err != nil || len(lines) != 5 || lines[0].Balance != cny(94) {
			t.Errorf("%s: %d lines (%v)", way, len(lines), err)
		}
	}
}

// The balance at a batch from before the part came is nothing, also of a day.
func TestBalanceAtABatchBeforeThePartCame(t *testing.T) {
	w := newTown(t)
	w.lived()
	w.move(3, "a", "b")
	for _, at := range []book.At{{Seq: 1}, {Seq: 1, Date: day}, {Seq: 1, Date: day - 1}} {
		if balance, _, err := mustBook(w, "b").BalanceAt(t.Context(), alice.ID, at); err != nil || balance != cny(0) {
			t.Errorf("%+v: %v (%v)", at, balance, err)
		}
	}
}

// A part that its slice does not prove is not handed out: the target would refuse
// it, and by then it could not stay.
func TestUnprovenPartStays(t *testing.T) {
	w := newTown(t)
	w.left()
	if err := mustBook(w, "a").WriteBehind(t.Context()); err != nil {
		t.Fatal(err)
	}
	w.reopen()
	a := mustBook(w, "a")
	w.stores["a"].DropAccount(alice.ID)
	if _, err := a.HandOut(t.Context(), 3, w.stores["b"].Number, day); !errors.Is(err, book.ErrDamaged) {
		t.Errorf("handed out: %v", err)
	}
	if err := a.Stay(t.Context(), 3, day); err != nil || !a.Keeps(3) {
		t.Errorf("it cannot stay: %v", err)
	}
}

package shard

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"

	"jiaozi/book"
	"jiaozi/book/booktest"
)

// lane is a road between two stores in memory.
type lane struct {
	from, to     *booktest.Memory
	part, chain  uint16
	fail, at     int // the at-th call fails, before or after its work
	started, end bool
}

func (l *lane) hit() bool { l.at++; return l.at == l.fail }

func (l *lane) Start(context.Context) error {
	if l.hit() {
		return booktest.ErrInjected
	}
	l.started = true
	return nil
}

func (l *lane) Arrived(ctx context.Context) (bool, error) {
	if l.hit() {
		return false, booktest.ErrInjected
	}
	v, err := l.from.View(ctx)
	if err != nil {
		return false, err
	}
	var rows []book.CarriedRow
	err = v.(book.CarriedView).Carried(ctx, l.part, l.chain, 0, 1<<30, func(r book.CarriedRow) error { rows = append(rows, r); return nil })
	return true, errors.Join(err, l.to.Carry(ctx, rows))
}

func (l *lane) End(context.Context) error {
	if l.hit() {
		return booktest.ErrInjected
	}
	l.end = true
	return nil
}

func (w *town) lane(part uint16, from, to string) *lane {
	return &lane{from: w.stores[from], to: w.stores[to], part: part, chain: w.stores[from].Number}
}

func (w *town) tryMove(part uint16, from, to string, road Road) error {
	return w.Move(context.Background(), Move{
		Part: part, From: from, To: to, Date: day, Road: road,
		Wait: soon,
		Save: func(_ context.Context, m Map) error { w.m = m; return nil },
	})
}

// soon is a moment later.
func soon(ctx context.Context) error {
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-time.After(20 * time.Millisecond):
		return nil
	}
}

func (w *town) move(part uint16, from, to string) {
	w.Helper()
	if err := w.tryMove(part, from, to, w.lane(part, from, to)); err != nil {
		w.Fatal(err)
	}
}

// A part that moves keeps its balances, holds, records, keys, answers and
// statements, and the shard that gave it keeps nothing of it.
func TestPartKeepsItsPast(t *testing.T) {
	t.Run("index in memory", func(t *testing.T) { partKeepsItsPast(t, "") })
	t.Run("index on disk", func(t *testing.T) { partKeepsItsPast(t, t.TempDir()) })
}

// onDisk keeps the indexes there from now on.
func (w *town) onDisk(dir string) {
	w.Close()
	w.dir = dir
	w.open()
}

func partKeepsItsPast(t *testing.T, dir string) {
	w := newTown(t)
	w.onDisk(dir)
	w.lived()
	w.stays("before")
	w.move(3, "a", "b")
	if name := w.Map().Of(3).Name; name != "b" {
		t.Fatalf("the map says %s", name)
	}
	w.stays("after")
	w.crash()
	w.stays("crashed")
	w.reopen()
	w.stays("reopened")
	a := mustBook(w, "a")
	if _, open, err := a.Balance(t.Context(), alice.ID); open || err != nil {
		t.Errorf("the source still has the account (%v)", err)
	}
	if results, err := a.Apply(t.Context(), []book.Command{tap("third", 2)}); err != nil || results[0].Code != book.PartMoved {
		t.Errorf("the source books on the part: %v %v", results, err)
	}
	w.readers()
	w.pasts(a)
	// Life goes on: the hold is used up, a new transfer crosses to where alice was.
	w.ok(book.Command{ID: book.DeriveID("capture"), Kind: book.Capture, Final: true, Event: "capture", Date: day, Hold: book.DeriveID("hold").At(3),
		Legs: []book.Leg{{Account: alice.ID, Side: book.Debit, Amount: cny(5)}, {Account: account(3, "erin").ID, Side: book.Credit, Amount: cny(5)}}})
	w.transfer(book.OK, pay("home", alice, dave, 50))
	w.pump(1)
	w.has(alice, 0)
	w.has(dave, 60)
	w.ok(tap("third", 2))
	for range 2 {
		w.sound()
		w.reopen()
	}
}

// A part goes on from shard to shard, and home again.
func TestPartTravelsOnAndHome(t *testing.T) {
	t.Run("index in memory", func(t *testing.T) { partTravels(t, "") })
	t.Run("index on disk", func(t *testing.T) { partTravels(t, t.TempDir()) })
}

func partTravels(t *testing.T, dir string) {
	w := newTown(t)
	w.onDisk(dir)
	w.lived()
	for i, step := range []string{"ab", "bc", "ca"} {
		w.move(3, step[:1], step[1:])
		w.stays(step)
		if i%2 == 0 {
			w.crash()
			w.stays(step + " again")
		}
	}
	w.move(3, "a", "c") // c had it from b, and now has it from a
	w.stays("last")
}

// A message to a part that is leaving does not stop the part, and follows it.
func TestMessageToALeavingPartWaits(t *testing.T) {
	w := newTown(t)
	w.lived()
	frank := account(2000, "frank")
	w.ok(fund(frank, 9))
	if err := mustBook(w, "a").Leave(t.Context(), 3, w.stores["b"].Number, day); err != nil {
		t.Fatal(err)
	}
	w.transfer(book.OK, pay("to alice", frank, alice, 9))
	w.move(3, "a", "b")
	w.pump(2) // to a, and on to b
	w.has(alice, 64)
	w.sound()
}

// A message of the part itself is delivered first, or stops the move before the
// fence.
func TestPartDoesNotLeaveItsMessagesBehind(t *testing.T) {
	w := newTown(t)
	w.lived()
	note := tap("note", 2)
	note.Out = []book.Out{{Topic: "host", Body: []byte("note")}}
	w.ok(note)
	if err := w.tryMove(3, "a", "b", w.lane(3, "a", "b")); !errors.Is(err, book.ErrUnsent) {
		t.Fatalf("%v", err)
	}
	if !mustBook(w, "a").Keeps(3) {
		t.Fatal("the part was fenced for nothing")
	}
	if err := mustBook(w, "a").Leave(t.Context(), 3, w.stores["b"].Number, day); err != nil {
		t.Fatal(err)
	}
	if _, err := mustBook(w, "a").HandOut(t.Context(), 3, w.stores["b"].Number, day); !errors.Is(err, book.ErrUnsent) {
		t.Fatalf("%v", err)
	}
	if err := mustBook(w, "a").Stay(t.Context(), 3, day); err != nil {
		t.Fatal(err)
	}
	list, err := mustBook(w, "a").Outbox(t.Context(), "host", 0, 1)
	if err != nil || len(list) != 1 {
		t.Fatal(err)
	}
	done := book.Command{ID: book.DeriveID("done"), Event: "done", Date: day, Done: []uint64{list[0].Number}}
	if _, err := mustBook(w, "a").Apply(t.Context(), []book.Command{done}); err != nil {
		t.Fatal(err)
	}
	w.transfer(book.OK, pay("out", alice, carol, 5)) // pumped by the move
	w.move(3, "a", "b")
	w.has(carol, 5)
	w.sound()
}

// A move that is given up leaves the part where it was, and can be tried again.
func TestAbandonedMoveLeavesThePartInUse(t *testing.T) {
	w := newTown(t)
	w.lived()
	road := w.lane(3, "a", "b")
	m := Move{Part: 3, From: "a", To: "b", Date: day, Road: road}
	if err := mustBook(w, "a").Leave(t.Context(), 3, w.stores["b"].Number, day); err != nil {
		t.Fatal(err)
	}
	if _, err := mustBook(w, "a").CarryOut(t.Context(), 3); err != nil {
		t.Fatal(err)
	}
	if _, err := road.Arrived(t.Context()); err != nil {
		t.Fatal(err)
	}
	w.transfer(book.PartMoved, pay("fenced", alice, dave, 1))
	for range 2 {
		if err := w.Abandon(t.Context(), m); err != nil {
			t.Fatal(err)
		}
	}
	w.stays("abandoned")
	w.crash()
	w.stays("crashed")
	w.move(3, "a", "b")
	w.stays("moved")
	if err := w.Abandon(t.Context(), m); !errors.Is(err, book.ErrNotHere) {
		t.Errorf("abandoned when it was too late: %v", err)
	}
	w.stays("still")
}

// A message that is on its way to a part while the part leaves follows it.
func TestMessageFollowsThePart(t *testing.T) {
	w := newTown(t)
	w.lived()
	frank := account(2000, "frank")
	w.ok(fund(frank, 9))
	a := mustBook(w, "a")
	if err := a.Leave(t.Context(), 3, w.stores["b"].Number, day); err != nil {
		t.Fatal(err)
	}
	w.transfer(book.OK, pay("to alice", frank, alice, 9))
	if n, err := w.Pump(t.Context(), day); n != 0 || err == nil {
		t.Fatalf("%d arrived at a part that has left (%v)", n, err)
	}
	h, err := a.HandOut(t.Context(), 3, w.stores["b"].Number, day)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := w.lane(3, "a", "b").Arrived(t.Context()); err != nil {
		t.Fatal(err)
	}
	if _, _, err := w.Balance(t.Context(), alice.ID); !errors.Is(err, ErrMoving) {
		t.Fatalf("read between the shards: %v", err)
	}
	if err := mustBook(w, "b").HandIn(t.Context(), h, day); err != nil {
		t.Fatal(err)
	}
	if w.m, err = w.m.Moved(3, "b"); err != nil {
		t.Fatal(err)
	}
	w.pump(2) // to a, and on to b
	w.has(alice, 64)
	if have := between(w.sound(), "a", "b"); have != "29 29 0" {
		t.Errorf("a to b: %s", have)
	}
}

// A slice that lost, gained or changed an entry on the way is refused.
func TestDamagedSliceIsRefused(t *testing.T) {
	for name, damage := range map[string]func([]book.CarriedRow) []book.CarriedRow{
		"lost":    func(r []book.CarriedRow) []book.CarriedRow { return r[:len(r)-1] },
		"gained":  func(r []book.CarriedRow) []book.CarriedRow { last := r[len(r)-1]; last.N++; return append(r, last) },
		"changed": func(r []book.CarriedRow) []book.CarriedRow { r[1].Entry[20] ^= 1; return r },
	} {
		w := newTown(t)
		w.lived()
		a, b := mustBook(w, "a"), mustBook(w, "b")
		if err := a.Leave(t.Context(), 3, w.stores["b"].Number, day); err != nil {
			t.Fatal(err)
		}
		h, err := a.HandOut(t.Context(), 3, w.stores["b"].Number, day)
		if err != nil {
			t.Fatal(err)
		}
		v, _ := w.stores["a"].View(t.Context())
		var rows []book.CarriedRow
		v.(book.CarriedView).Carried(t.Context(), 3, 0, 0, 1<<30, func(r book.CarriedRow) error {
			r.Entry = slices.Clone(r.Entry)
			rows = append(rows, r)
			return nil
		})
		w.stores["b"].Carry(t.Context(), damage(rows))
		if err := b.HandIn(t.Context(), h, day); !errors.Is(err, book.ErrDamaged) {
			t.Errorf("%s: %v", name, err)
		}
		if b.Keeps(3) {
			t.Errorf("%s: the part is kept all the same", name)
		}
	}
}

// Accounts that would not be those of the source are refused too.
func TestOtherAccountsAreRefused(t *testing.T) {
	w := newTown(t)
	w.lived()
	a, b := mustBook(w, "a"), mustBook(w, "b")
	if err := a.Leave(t.Context(), 3, w.stores["b"].Number, day); err != nil {
		t.Fatal(err)
	}
	h, err := a.HandOut(t.Context(), 3, w.stores["b"].Number, day)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := w.lane(3, "a", "b").Arrived(t.Context()); err != nil {
		t.Fatal(err)
	}
	h.State[0] ^= 1
	if err := b.HandIn(t.Context(), h, day); !errors.Is(err, book.ErrDamaged) || b.Keeps(3) {
		t.Errorf("%v", err)
	}
}

// A hold that was given back elsewhere does not come back with its part, though
// the tables of the first stay still have it.
func TestHoldDoesNotComeBack(t *testing.T) {
	w := newTown(t)
	w.lived()
	w.move(3, "a", "b")
	release := book.Command{ID: book.DeriveID("give back"), Kind: book.Release, Event: "release", Date: day, Hold: book.DeriveID("hold").At(3)}
	w.ok(release)
	w.move(3, "b", "a")
	release.ID = book.DeriveID("give back again")
	results, err := w.Apply(t.Context(), []book.Command{release})
	if err != nil || results[0].Code != book.HoldUnknown {
		t.Fatalf("%v (%v)", results, err)
	}
	w.sound()
}

// The tables are made again from the journal and the carried rows alone.
func TestTablesAreMadeAgain(t *testing.T) {
	w := newTown(t)
	w.lived()
	for _, step := range []string{"ab", "bc", "ca"} {
		w.move(3, step[:1], step[1:])
		for name, store := range w.stores {
			w.stores[name] = withoutTables(t, store)
		}
		w.crash()
		w.stays(step)
		for _, s := range w.Map().Shards() {
			if err := mustBook(w, s.Name).WriteBehind(t.Context()); err != nil {
				t.Fatal(err)
			}
		}
		w.sound()
	}
}

func withoutTables(t *testing.T, from *booktest.Memory) *booktest.Memory {
	t.Helper()
	to := &booktest.Memory{Number: from.Number}
	v, err := from.View(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	err = v.Journal(t.Context(), 0, func(r book.Row) error { return to.Append(t.Context(), &r) })
	for _, chain := range []uint16{0, 1000, 2345} {
		err = errors.Join(err, v.(book.CarriedView).Carried(t.Context(), 3, chain, 0, 1<<30, func(r book.CarriedRow) error {
			return to.Carry(t.Context(), []book.CarriedRow{r})
		}))
	}
	if err != nil {
		t.Fatal(err)
	}
	return to
}

// Whatever operation of either store, or of the road, fails during a move: opened
// again and gone on with, it ends as without the fault.
func TestMoveSurvivesACrashAnywhere(t *testing.T) {
	for fault := range booktest.Faults {
		for _, name := range []string{"a", "b"} {
			t.Run(fmt.Sprintf("fault %d of %s", fault, name), func(t *testing.T) {
				for k := 1; moveFailingAt(t, name, fault, k); k++ {
				}
			})
		}
	}
	t.Run("road", func(t *testing.T) {
		for k := 1; ; k++ {
			w := newTown(t)
			w.lived()
			road := w.lane(3, "a", "b")
			road.fail = k
			failures := w.insistMove(road)
			w.stays("after")
			if failures == 0 {
				break
			}
		}
	})
}

func (w *town) insistMove(road Road) (failures int) {
	w.Helper()
	for {
		err := w.tryMove(3, "a", "b", road)
		if err == nil {
			return failures
		}
		if failures++; failures > 4 {
			w.Fatalf("it does not end: %v", err)
		}
		w.reopen()
	}
}

func moveFailingAt(t *testing.T, name string, fault booktest.Fault, k int) bool {
	t.Helper()
	w := newTown(t)
	w.lived()
	w.Close()
	f := &booktest.Faulty{Fault: fault, At: k}
	w.faulty[name] = f
	if err := w.tryOpen(); err != nil {
		w.open()
	}
	w.insistMove(w.lane(3, "a", "b"))
	hit := f.Hit()
	w.reopen() // without the fault, if it has not come yet
	w.stays("moved")
	return hit
}

func mustBook(w *town, name string) *book.Ledger {
	w.Helper()
	l, err := w.Ledger(name)
	if err != nil {
		w.Fatal(err)
	}
	return l
}

// Nobody moves a part by a command.
func TestOnlyTheLedgerMovesParts(t *testing.T) {
	w := newTown(t)
	leave := book.Command{ID: book.DeriveID("leave"), Kind: book.Leave, Event: "e", Date: day, Handover: book.Handover{Part: 3, Chain: 1000}}
	results, err := mustBook(w, "a").Apply(t.Context(), []book.Command{leave})
	if err != nil || results[0].Code != book.Malformed || !mustBook(w, "a").Keeps(3) {
		t.Fatalf("%v %v", results, err)
	}
	for why, err := range map[string]error{
		"home":       mustBook(w, "a").Leave(t.Context(), 0, 1000, day),
		"to itself":  mustBook(w, "a").Leave(t.Context(), 3, 0, day),
		"of another": mustBook(w, "a").Leave(t.Context(), 1500, 1000, day),
		"in use":     mustBook(w, "a").HandIn(t.Context(), book.Handover{Part: 3, Chain: 1000}, day),
	} {
		if !errors.Is(err, book.ErrNotHere) {
			t.Errorf("%s: %v", why, err)
		}
	}
	if _, err := mustBook(w, "a").HandOut(t.Context(), 3, w.stores["b"].Number, day); !errors.Is(err, book.ErrNotHere) {
		t.Errorf("not left: %v", err)
	}
}

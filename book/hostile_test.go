package book_test

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"jiaozi/book"
	"jiaozi/book/booktest"
	"jiaozi/book/index"
)

func opened(t *testing.T, e book.Engine, o book.Options) *book.Ledger {
	t.Helper()
	ledger, err := book.OpenWith(t.Context(), e, o)
	if err != nil {
		t.Fatal(err)
	}
	return ledger
}

func booked(t *testing.T, l *book.Ledger, cmds ...book.Command) {
	t.Helper()
	results, err := l.Apply(t.Context(), cmds)
	if err != nil {
		t.Fatal(err)
	}
	for i, r := range results {
		if r.Code != book.OK {
			t.Fatalf("command %d: %s", i, r.Code)
		}
	}
}

// Options that mean nothing are refused at once, and not by a panic of the keeper
// or by a shard that keeps no part.
func TestOptionsOutOfRangeAreRefused(t *testing.T) {
	for why, o := range map[string]book.Options{
		"accounts": {Accounts: -1}, "behind": {Behind: -time.Second}, "linger": {Linger: -1},
		"no part": {Parts: []book.PartRange{{From: 9, To: 8}}}, "too many parts": {Parts: []book.PartRange{{From: 0, To: book.Parts}}},
	} {
		if ledger, err := book.OpenWith(t.Context(), &booktest.Memory{}, o); err == nil {
			t.Errorf("%s: opened %v", why, ledger)
		}
	}
}

// A ledger that has stopped writes nothing more: the store may be another
// writer's by now.
func TestStoppedLedgerWritesNothingBehind(t *testing.T) {
	store := &booktest.Memory{}
	ledger := opened(t, &booktest.Faulty{Engine: store, Fault: booktest.FailSync, At: 2}, book.Options{Behind: time.Hour})
	booked(t, ledger, note("1"))
	if _, err := ledger.Apply(t.Context(), []book.Command{note("2")}); !errors.Is(err, book.ErrStopped) {
		t.Fatal(err)
	}
	if err := ledger.WriteBehind(t.Context()); !errors.Is(err, book.ErrStopped) {
		t.Errorf("writing behind: %v", err)
	}
	if err := ledger.Close(); err != nil {
		t.Fatal(err)
	}
	view, err := store.View(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if applied, err := view.Applied(t.Context()); err != nil || applied.Seq != 0 {
		t.Fatalf("the tables were brought to %v after the ledger had stopped (%v)", applied, err)
	}
}

// stale is evidence whose first view is from a while ago, as it is for who takes
// several beside a writer.
type stale struct {
	*booktest.Memory
	first book.View
}

func (s *stale) View(ctx context.Context) (book.View, error) {
	if v := s.first; v != nil {
		s.first = nil
		return v, nil
	}
	return s.Memory.View(ctx)
}

// What is booked while Verify looks is no finding: here an entry and its reversal
// that came after the tables were looked at.
func TestVerifyBesideAWriterFindsNoGhosts(t *testing.T) {
	store := &stale{Memory: &booktest.Memory{}}
	ledger := opened(t, store.Memory, book.Options{})
	booked(t, ledger, note("before"))
	var err error
	if store.first, err = store.Memory.View(t.Context()); err != nil {
		t.Fatal(err)
	}
	pay := step{ID: "pay", Amount: 5, From: 1, To: 2}
	back := pay
	back.ID, back.Reverses = "back", "pay"
	booked(t, ledger, pay.command())
	booked(t, ledger, back.command())
	report, err := book.Verify(t.Context(), 0, store)
	if err != nil || len(report.Findings) > 0 || report.Batches != 3 {
		t.Fatalf("%+v %v", report, err)
	}
	if err := ledger.Close(); err != nil {
		t.Fatal(err)
	}
}

// A journal of another shard is not this one's, even if its hashes are right.
func TestForeignJournalIsNotOpened(t *testing.T) {
	store := &booktest.Memory{}
	ours := opened(t, store, book.Options{Behind: time.Hour})
	booked(t, ours, note("1"))
	view, err := store.View(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	row, _, err := view.Row(t.Context(), 1)
	if err != nil {
		t.Fatal(err)
	}
	row.Part = 7
	row.Hash = book.Link(row.Part, row.Seq, row.Prev, row.Body)
	if err := store.PutRow(row); err != nil {
		t.Fatal(err)
	}
	if _, err := book.Open(t.Context(), store); !errors.Is(err, book.ErrDamaged) {
		t.Fatal(err)
	}
}

// An index that leads to the wrong entry is damage, and not a panic.
func TestWrongIndexOfStatementsIsDamage(t *testing.T) {
	store := &booktest.Memory{Index: t.TempDir()}
	ledger := opened(t, store, book.Options{})
	pay := step{ID: "pay", Amount: 5, From: 1, To: 2}
	reserve := step{ID: "reserve", Kind: book.Hold, Amount: 5, From: 1} // which has no line
	booked(t, ledger, pay.command(), reserve.command())
	head, err := ledger.Head(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if err := ledger.Close(); err != nil {
		t.Fatal(err)
	}
	if err := os.RemoveAll(filepath.Join(store.Index, "lines")); err != nil {
		t.Fatal(err)
	}
	x, err := index.Open(filepath.Join(store.Index, "lines"), index.Options{})
	if err != nil {
		t.Fatal(err)
	}
	id := testAccount(1).ID
	var hash uint64
	for _, b := range id[:8] {
		hash = hash<<8 | uint64(b)
	}
	if err := errors.Join(x.Seal([]index.Entry{{Hash: hash, Pos: 1<<13 | 1}}, head.Seq, head.Hash), x.Close()); err != nil {
		t.Fatal(err)
	}
	ledger = opened(t, store, book.Options{})
	if lines, _, err := ledger.Statement(t.Context(), id, 0, 10); !errors.Is(err, book.ErrDamaged) {
		t.Errorf("%v %v", lines, err)
	}
	if err := ledger.Close(); err != nil {
		t.Fatal(err)
	}
}

// The index may be lost under a running ledger: it goes on booking, says that it
// cannot write behind, and the index is made again at the next opening.
func TestLostIndexIsMadeAgain(t *testing.T) {
	store := &booktest.Memory{Index: t.TempDir()}
	ledger := opened(t, store, book.Options{Behind: time.Hour})
	booked(t, ledger, step{ID: "1", Amount: 5, From: 1, To: 2}.command())
	if err := ledger.WriteBehind(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := os.RemoveAll(store.Index); err != nil {
		t.Fatal(err)
	}
	booked(t, ledger, step{ID: "2", Amount: 5, From: 1, To: 2}.command())
	if err := ledger.WriteBehind(t.Context()); err == nil {
		t.Error("an index that is gone was written")
	}
	booked(t, ledger, step{ID: "3", Amount: 5, From: 1, To: 2}.command())
	if err := ledger.Close(); err == nil {
		t.Error("closing hid that the index was not written")
	}
	ledger = opened(t, store, book.Options{})
	if err := booktest.CheckHistory(t.Context(), ledger); err != nil {
		t.Error(err)
	}
	again, err := ledger.Apply(t.Context(), []book.Command{step{ID: "1", Amount: 5, From: 1, To: 2}.command()})
	if err != nil || !again[0].Replayed {
		t.Errorf("%+v %v", again, err)
	}
	if err := ledger.WriteBehind(t.Context()); err != nil {
		t.Fatal(err)
	}
	report, err := ledger.Verify(t.Context())
	if err != nil || len(report.Findings) > 0 {
		t.Errorf("%v %v", report.Findings, err)
	}
	if err := ledger.Close(); err != nil {
		t.Fatal(err)
	}
}

// Batches whose rows are torn do not pass for booked.
func TestTornBatchIsDamage(t *testing.T) {
	store := &booktest.Memory{}
	ledger := opened(t, store, book.Options{Behind: time.Hour})
	booked(t, ledger, note("1"))
	booked(t, ledger, note("2"))
	view, err := store.View(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	whole, _, err := view.Row(t.Context(), 2)
	if err != nil {
		t.Fatal(err)
	}
	for n := range len(whole.Body) {
		torn := whole
		torn.Body = whole.Body[:n]
		if err := store.PutRow(torn); err != nil {
			t.Fatal(err)
		}
		if _, err := book.Open(t.Context(), store); !errors.Is(err, book.ErrDamaged) {
			t.Fatalf("a row of %d bytes instead of %d: %v", n, len(whole.Body), err)
		}
		report, err := book.Verify(t.Context(), 0, store)
		if err != nil || len(report.Findings) == 0 {
			t.Fatalf("a row of %d bytes has no findings: %v", n, err)
		}
	}
}

// Holds of parts that are kept elsewhere are not listed as expired: their chain
// gives them back, and this one could not.
func TestExpiredHoldsAreThoseThatAreKeptHere(t *testing.T) {
	store := &booktest.Memory{}
	ledger := opened(t, store, book.Options{})
	pay := step{ID: "fund", Amount: 50, From: 1, To: 3}
	soon := step{ID: "soon", Kind: book.Hold, Amount: 5, From: 3, At: 10}
	later := step{ID: "later", Kind: book.Hold, Amount: 5, From: 3, At: 11}
	booked(t, ledger, pay.command(), soon.command(), later.command())
	expired := func(now int64, max int) (n int) {
		t.Helper()
		ids, err := ledger.Expired(t.Context(), now, max)
		if err != nil {
			t.Fatal(err)
		}
		return len(ids)
	}
	for range 2 { // in memory, and in the tables
		if a, b, c, d := expired(9, 9), expired(10, 9), expired(11, 9), expired(11, 1); a != 0 || b != 1 || c != 2 || d != 1 {
			t.Fatalf("%d at 9, %d at 10, %d at 11, %d of at most 1", a, b, c, d)
		}
		if err := ledger.Close(); err != nil {
			t.Fatal(err)
		}
		ledger = opened(t, store, book.Options{})
	}
	if err := ledger.Close(); err != nil {
		t.Fatal(err)
	}
	ledger = opened(t, store, book.Options{Parts: []book.PartRange{{From: 1, To: book.Parts - 1}}})
	if n := expired(11, 9); n != 0 {
		t.Errorf("%d holds of a part that is not kept here", n)
	}
	if err := ledger.Close(); err != nil {
		t.Fatal(err)
	}
}

// However often the keeper seals, an index stays in a bounded number of runs: merged
// beside him while the ledger is open, and by whoever rolls it forward.
func TestIndexStaysInFewRuns(t *testing.T) {
	const layers = 3 * book.MaxRuns
	store := &booktest.Memory{Index: t.TempDir()}
	ledger := opened(t, store, book.Options{Behind: time.Hour})
	for i := range layers {
		booked(t, ledger, step{ID: fmt.Sprint(i), Amount: 5, From: 1, To: 2}.command())
		if err := ledger.WriteBehind(t.Context()); err != nil {
			t.Fatal(err)
		}
		if n := runsIn(t, store.Index); n > 2*(book.MaxRuns+8) { // two indexes; a merge takes its runs away last
			t.Fatalf("%d runs after %d layers", n, i+1)
		}
	}
	if err := ledger.Close(); err != nil {
		t.Fatal(err)
	}
	ledger = opened(t, store, book.Options{})
	again, err := ledger.Apply(t.Context(), []book.Command{step{ID: "0", Amount: 5, From: 1, To: 2}.command()})
	if err != nil || !again[0].Replayed {
		t.Errorf("%+v %v", again, err)
	}
	report, err := ledger.Verify(t.Context())
	if err != nil || len(report.Findings) > 0 {
		t.Errorf("%v %v", report.Findings, err)
	}
	if err := ledger.Close(); err != nil {
		t.Fatal(err)
	}
}

// runsIn counts the files of runs under dir.
func runsIn(t *testing.T, dir string) (n int) {
	t.Helper()
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err == nil && strings.HasSuffix(path, ".run") {
			n++
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return n
}

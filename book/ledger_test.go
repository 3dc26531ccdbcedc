package book_test

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"testing/synctest"

	"jiaozi/book"
	"jiaozi/book/booktest"
	"jiaozi/value/money"
)

// gate is an engine whose commits wait until they are let through.
type gate struct {
	*booktest.Memory
	pass chan struct{}
}

func (g *gate) Append(ctx context.Context, row *book.Row) error {
	<-g.pass
	return g.Memory.Append(ctx, row)
}

func gated(t *testing.T) (*book.Ledger, *gate) {
	t.Helper()
	g := &gate{&booktest.Memory{}, make(chan struct{})}
	ledger, err := book.Open(t.Context(), g)
	if err != nil {
		t.Fatal(err)
	}
	return ledger, g
}

func note(id string) book.Command {
	return book.Command{ID: book.DeriveID(id), Event: "test", Date: 20261122}
}

type answer struct {
	results []book.Result
	err     error
}

func apply(ctx context.Context, l *book.Ledger, cmds ...book.Command) <-chan answer {
	got := make(chan answer, 1)
	go func() {
		results, err := l.Apply(ctx, cmds)
		got <- answer{results, err}
	}()
	return got
}

// What arrives during a commit is the next batch: a hundred callers, two commits.
func TestWhatArrivesDuringACommitIsTheNextBatch(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ledger, g := gated(t)
		first := apply(t.Context(), ledger, note("first"))
		synctest.Wait() // it is at the gate
		var rest []<-chan answer
		for i := range 100 {
			rest = append(rest, apply(t.Context(), ledger, note(fmt.Sprint(i))))
		}
		synctest.Wait() // all are in the queue
		g.pass <- struct{}{}
		g.pass <- struct{}{}
		if a := <-first; a.err != nil || a.results[0].Seq != 1 {
			t.Fatalf("%+v", a)
		}
		for _, got := range rest {
			if a := <-got; a.err != nil || a.results[0].Seq != 2 {
				t.Fatalf("%+v", a)
			}
		}
		if err := ledger.Close(); err != nil {
			t.Fatal(err)
		}
	})
}

// A caller who leaves while the command waits has booked nothing; one who leaves
// after it was taken is told that the outcome is unknown, and a retry tells it.
func TestLeavingCallersLearnWhatIsKnown(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ledger, g := gated(t)
		ctx, leave := context.WithCancel(t.Context())
		taken := apply(ctx, ledger, note("taken"))
		synctest.Wait()
		waiting := apply(ctx, ledger, note("waiting"))
		synctest.Wait()
		leave()
		if a := <-taken; !errors.Is(a.err, book.ErrUnknown) || !errors.Is(a.err, context.Canceled) {
			t.Fatalf("%+v", a)
		}
		if a := <-waiting; errors.Is(a.err, book.ErrUnknown) || !errors.Is(a.err, context.Canceled) {
			t.Fatalf("%+v", a)
		}
		if _, err := ledger.Apply(ctx, []book.Command{note("late")}); !errors.Is(err, context.Canceled) {
			t.Fatal(err)
		}
		close(g.pass)
		results, err := ledger.Apply(t.Context(), []book.Command{note("taken"), note("waiting")})
		if err != nil || !results[0].Replayed || results[1].Replayed {
			t.Fatalf("%+v %v", results, err)
		}
		if err := ledger.Close(); err != nil {
			t.Fatal(err)
		}
	})
}

// A full queue says so instead of growing; what was accepted is still booked.
func TestFullQueueIsBusy(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ledger, g := gated(t)
		var accepted []<-chan answer
		call := func(n int) <-chan answer {
			cmds := make([]book.Command, book.MaxBatch)
			for i := range cmds {
				cmds[i] = note(fmt.Sprint(n, "/", i))
			}
			got := apply(t.Context(), ledger, cmds...)
			synctest.Wait()
			return got
		}
		for n := range 9 { // one at the gate, eight in the queue
			accepted = append(accepted, call(n))
		}
		if a := <-call(9); !errors.Is(a.err, book.ErrBusy) {
			t.Fatalf("%v", a.err)
		}
		close(g.pass)
		for _, got := range accepted {
			if a := <-got; a.err != nil {
				t.Fatal(a.err)
			}
		}
		if err := ledger.Close(); err != nil {
			t.Fatal(err)
		}
	})
}

// Close books what is waiting, and then the ledger is closed for good.
func TestCloseBooksWhatIsWaiting(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ledger, g := gated(t)
		one := apply(t.Context(), ledger, note("one"))
		synctest.Wait()
		two := apply(t.Context(), ledger, note("two"))
		synctest.Wait()
		closed := make(chan error, 1)
		go func() { closed <- ledger.Close() }()
		synctest.Wait()
		if _, err := ledger.Apply(t.Context(), []book.Command{note("three")}); !errors.Is(err, book.ErrClosed) {
			t.Fatal(err)
		}
		close(g.pass)
		if a, b, err := <-one, <-two, <-closed; a.err != nil || b.err != nil || err != nil {
			t.Fatal(a.err, b.err, err)
		}
		if err := ledger.Close(); err != nil {
			t.Fatalf("closing twice: %v", err)
		}
	})
}

// Results belong to the caller: changing one does not change another's.
func TestResultsAreNotShared(t *testing.T) {
	ledger, err := book.Open(t.Context(), &booktest.Memory{})
	if err != nil {
		t.Fatal(err)
	}
	defer ledger.Close()
	c := step{ID: "x", Amount: 5, From: 1, To: 2}.command()
	results, err := ledger.Apply(t.Context(), []book.Command{c, c})
	if err != nil {
		t.Fatal(err)
	}
	results[0].Balances[0] = money.Amount{}
	if results[1].Balances[0] == results[0].Balances[0] {
		t.Fatal("two results share their balances")
	}
}

// A role reaches its own events, spaces and topics, and nothing else.
func TestDoorKeepsRolesApart(t *testing.T) {
	ledger, err := book.Open(t.Context(), &booktest.Memory{})
	if err != nil {
		t.Fatal(err)
	}
	defer ledger.Close()
	door := ledger.Door([]string{"spend", "iss/"}, []string{"tap", "iss/62/", "clearing"})
	ours := note("1")
	ours.Event = "iss/alert"
	ours.Once = []book.Once{{Space: "tap", Key: []byte("k"), Value: []byte("v")}}
	ours.Put = []book.Put{{Space: "iss/62/card", Key: []byte("k"), Value: []byte("v")}}
	ours.Out = []book.Out{{Topic: "clearing", Body: []byte("b")}}
	if _, err := door.Apply(t.Context(), []book.Command{ours}); err != nil {
		t.Fatal(err)
	}
	for name, change := range map[string]func(*book.Command){
		"event": func(c *book.Command) { c.Event = "settle" },
		"once":  func(c *book.Command) { c.Once = []book.Once{{Space: "coin", Key: []byte("k")}} },
		"put":   func(c *book.Command) { c.Put = []book.Put{{Space: "iss/63/card", Key: []byte("k")}} },
		"out":   func(c *book.Command) { c.Out = []book.Out{{Topic: "other"}} },
		"days":  func(c *book.Command) { c.Days = book.Days{From: 20261122, To: 20261123} }, // would close the others' days
	} {
		c := note(name)
		c.Event = "spend"
		change(&c)
		if _, err := door.Apply(t.Context(), []book.Command{c}); !errors.Is(err, book.ErrForeign) {
			t.Errorf("foreign %s: %v", name, err)
		}
	}
	_, _, get := door.Get(t.Context(), "acq/x", nil)
	_, _, once := door.GetOnce(t.Context(), "coin", nil)
	scan := door.Scan(t.Context(), "acq/x", nil, nil)
	_, out := door.Outbox(t.Context(), "other", 0, 1)
	_, many := door.GetMany(t.Context(), "acq/x", nil)
	for _, err := range []error{get, once, scan, out, many} {
		if !errors.Is(err, book.ErrForeign) {
			t.Error(err)
		}
	}
	value, version, err := door.Get(t.Context(), "iss/62/card", []byte("k"))
	if err != nil || string(value) != "v" || version != 1 {
		t.Fatal(value, version, err)
	}
}

// pool is an engine that lends a limited number of views.
type pool struct {
	*booktest.Memory
	lent chan struct{}
}

func (p *pool) View(ctx context.Context) (book.View, error) {
	select {
	case p.lent <- struct{}{}:
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	v, err := p.Memory.View(ctx)
	return &lentView{v, p}, err
}

type lentView struct {
	book.View
	pool *pool
}

func (v *lentView) Close() error {
	<-v.pool.lent
	return v.View.Close()
}

// Readers who have all the views that there are do not stop the writer, on whom
// they may be waiting: here each of them books from within its scan.
func TestReadersDoNotStopTheWriter(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ledger, err := book.Open(t.Context(), &pool{&booktest.Memory{}, make(chan struct{}, book.MaxViews)})
		if err != nil {
			t.Fatal(err)
		}
		first := note("record")
		first.Put = []book.Put{{Space: "s", Key: []byte("k"), Value: []byte("v")}}
		if _, err := ledger.Apply(t.Context(), []book.Command{first}); err != nil {
			t.Fatal(err)
		}
		all := make(chan struct{})
		var scans []chan error
		for i := range 2 * book.MaxViews {
			done := make(chan error, 1)
			scans = append(scans, done)
			go func() {
				done <- ledger.Scan(t.Context(), "s", nil, func(_, _ []byte, _ uint64) error {
					<-all
					_, err := ledger.Apply(t.Context(), []book.Command{note(fmt.Sprint(i)), first}) // a replay: the writer needs a view too
					return err
				})
			}()
		}
		synctest.Wait() // some scan, the others wait for a view
		close(all)
		for _, done := range scans {
			if err := <-done; err != nil {
				t.Fatal(err)
			}
		}
		if err := ledger.Close(); err != nil {
			t.Fatal(err)
		}
	})
}

package book_test

import (
	"context"
	"errors"
	"fmt"
	"reflect"
	"testing"
	"testing/synctest"
	"time"

	"jiaozi/book"
	"jiaozi/book/booktest"
	"jiaozi/value/money"
)

// payments opens two accounts and moves money between them, all of which is booked.
func payments(n int) []book.Command {
	a := book.Account{ID: book.AccountID{1}, Name: "a", Normal: book.Debit, Currency: testCurrency}
	b := book.Account{ID: book.AccountID{2}, Name: "b", Normal: book.Credit, Currency: testCurrency, NeverNegative: true}
	list := make([]book.Command, n)
	for i := range list {
		sum := money.New(testCurrency, 1)
		c := book.Command{ID: book.DeriveID("payment", i), Event: "pay", Date: 20261122}
		c.Legs = []book.Leg{{Account: a.ID, Side: book.Debit, Amount: sum}, {Account: b.ID, Side: book.Credit, Amount: sum}}
		c.Once = []book.Once{{Space: "tap", Key: c.ID[:], Value: []byte("v")}}
		list[i] = c
	}
	list[0].Open = []book.Account{a, b}
	return list
}

// tooMuch makes commands ask for more than there is.
func tooMuch(list []book.Command, which ...int) []book.Command {
	for _, i := range which {
		legs, sum := list[i].Legs, money.New(testCurrency, 1e9)
		legs[0].Side, legs[1].Side, legs[0].Amount, legs[1].Amount = book.Credit, book.Debit, sum, sum
	}
	return list
}

func helped(t *testing.T, e book.Engine, piece, shared int) *book.Ledger {
	t.Helper()
	l, err := book.OpenWith(t.Context(), e, book.Shared(book.InPieces(book.Options{Behind: time.Hour}, piece), shared))
	if err != nil {
		t.Fatal(err)
	}
	return l
}

// Help changes no byte and no answer, whether the body is as the scribe foresees it
// or not: all is booked, something is refused in whatever place, was asked before,
// or has a wrong form.
func TestHelpShowsNowhere(t *testing.T) {
	const n = 100
	again := append(payments(n), payments(n)[10:20]...)
	malformed := payments(n)
	malformed[50].Event = ""
	for why, cmds := range map[string][]book.Command{
		"all booked": payments(n), "refused early": tooMuch(payments(n), 1), "refused in the middle": tooMuch(payments(n), 49, 50),
		"refused last": tooMuch(payments(n), n-1), "asked again": again, "malformed": malformed,
	} {
		for _, piece := range []int{1, 7, 64, n, 3 * n} {
			var engines [2]booktest.Memory
			var got [2][][]book.Result
			for i, l := range []*book.Ledger{helped(t, &engines[0], 3*n, 3*n), helped(t, &engines[1], piece, 2)} {
				for round := range 3 { // from the second on, beside a new command
					results, err := l.Apply(t.Context(), append(cmds[:len(cmds):len(cmds)], note(fmt.Sprint(round))))
					if err == nil && round == 1 {
						err = l.WriteBehind(t.Context())
					}
					if err != nil {
						t.Fatal(err)
					}
					got[i] = append(got[i], results)
				}
				if err := l.Close(); err != nil {
					t.Fatal(err)
				}
			}
			if !reflect.DeepEqual(got[0], got[1]) || !reflect.DeepEqual(journal(t, &engines[0]), journal(t, &engines[1])) {
				t.Errorf("%s, pieces of %d: another journal or other answers", why, piece)
			}
		}
	}
}

// stuck is an engine that cannot read its tables when it is asked for the nth time,
// or waits until it may.
type stuck struct {
	*booktest.Memory
	left int
	wait chan struct{}
}

var errTables = errors.New("the tables cannot be read")

func (s *stuck) Load(ctx context.Context, t book.Touch) (book.Loaded, error) {
	if s.left--; s.left == 0 {
		if s.wait == nil {
			return book.Loaded{}, errTables
		}
		<-s.wait
	}
	return s.Memory.Load(ctx, t)
}

// A batch that fails in the middle leaves nobody at work, and the next is booked as
// if it had not been.
func TestHelpEndsWithTheBatch(t *testing.T) {
	cmds := payments(40)
	for i := range cmds { // so that every piece asks the tables
		cmds[i].Put = []book.Put{{Space: "s", Key: []byte{byte(i)}, Value: []byte("v")}}
	}
	var plain booktest.Memory
	l := helped(t, &plain, 100, 100)
	want, err := l.Apply(t.Context(), cmds)
	if err := errors.Join(err, l.Close()); err != nil {
		t.Fatal(err)
	}
	for fails := 1; fails <= 20; fails++ {
		synctest.Test(t, func(t *testing.T) {
			e := &stuck{Memory: &booktest.Memory{}, left: fails}
			l := helped(t, e, 2, 2)
			if _, err := l.Apply(t.Context(), cmds); !errors.Is(err, errTables) {
				t.Fatal(err)
			}
			results, err := l.Apply(t.Context(), cmds)
			if err != nil || !reflect.DeepEqual(results, want) || !reflect.DeepEqual(journal(t, e.Memory), journal(t, &plain)) {
				t.Errorf("after a failure in piece %d: %v", fails, err)
			}
			if err := l.Close(); err != nil {
				t.Fatal(err)
			}
		})
	}
}

// In the middle of a batch that is shared the caller leaves and the ledger is
// closed: the batch is booked whole.
func TestClosingWaitsForASharedBatch(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		cmds := payments(40)
		for i := range cmds {
			cmds[i].Put = []book.Put{{Space: "s", Key: []byte{byte(i)}, Value: []byte("v")}}
		}
		e := &stuck{Memory: &booktest.Memory{}, left: 10, wait: make(chan struct{})}
		l := helped(t, e, 2, 2)
		ctx, leave := context.WithCancel(t.Context())
		got := apply(ctx, l, cmds...)
		synctest.Wait() // in the middle
		leave()
		if a := <-got; !errors.Is(a.err, book.ErrUnknown) || !errors.Is(a.err, context.Canceled) {
			t.Fatal(a.err)
		}
		closed := make(chan error, 1)
		go func() { closed <- l.Close() }()
		synctest.Wait()
		close(e.wait)
		if err := <-closed; err != nil {
			t.Fatal(err)
		}
		l = helped(t, e.Memory, 2, 2)
		results, err := l.Apply(t.Context(), cmds)
		if err := errors.Join(err, l.Close()); err != nil {
			t.Fatal(err)
		}
		for i := range results {
			if r := results[i]; r.Code != book.OK || !r.Replayed || r.Seq != 1 {
				t.Fatalf("%d: %+v", i, r)
			}
		}
	})
}

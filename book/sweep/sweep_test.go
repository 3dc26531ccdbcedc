package sweep

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"jiaozi/book"
	"jiaozi/book/booktest"
	"jiaozi/value/clock"
	"jiaozi/value/money"
)

var (
	bank  = book.Account{ID: book.AccountID{2, 0, 1}, Name: "bank", Normal: book.Debit, Currency: 156}
	alice = book.Account{ID: book.AccountID{2}, Name: "alice", Normal: book.Credit, Currency: 156, NeverNegative: true}
)

// bubble is the time of synctest.
type bubble struct{}

func (bubble) Now() time.Time { return time.Now().In(clock.Zone) }

func command(id string, kind book.Kind, amount money.Minor, legs ...book.Leg) book.Command {
	for i := range legs {
		legs[i].Amount = money.New(156, amount)
	}
	return book.Command{
		ID: book.DeriveID(id).At(alice.ID.Part()), Kind: kind, Event: "test", Date: clock.DateOf(bubble{}.Now()), Legs: legs,
		Open: []book.Account{bank, alice},
	}
}

func hold(id string, after time.Duration) book.Command {
	c := command(id, book.Hold, 10, book.Leg{Account: alice.ID, Side: book.Debit})
	c.Expires = time.Now().Add(after).Unix()
	return c
}

func open(t *testing.T) *book.Ledger {
	t.Helper()
	ledger, err := book.Open(t.Context(), &booktest.Memory{})
	if err != nil {
		t.Fatal(err)
	}
	apply(t, ledger, command("fund", book.Transfer, 100, book.Leg{Account: bank.ID, Side: book.Debit}, book.Leg{Account: alice.ID, Side: book.Credit}))
	return ledger
}

func apply(t *testing.T, ledger *book.Ledger, cmds ...book.Command) {
	t.Helper()
	results, err := ledger.Apply(t.Context(), cmds)
	if err != nil {
		t.Fatal(err)
	}
	for i, r := range results {
		if r.Code != book.OK {
			t.Fatalf("command %d: %s", i, r.Code)
		}
	}
}

func held(t *testing.T, ledger *book.Ledger) (sum money.Minor) {
	t.Helper()
	err := ledger.Accounts(t.Context(), func(a book.AccountRow) error { sum += a.Held; return nil })
	if err != nil {
		t.Fatal(err)
	}
	return sum
}

// Each hold is given back in the turn after its time, whether it is in memory or
// in the tables by then, and a hold without an end never.
func TestHoldsAreGivenBackInTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ledger := open(t)
		endless := hold("endless", 0)
		endless.Expires = 0
		apply(t, ledger, hold("soon", 90*time.Second), hold("later", 10*time.Minute), endless, hold("captured", time.Minute))
		capture := command("capture", book.Capture, 10, book.Leg{Account: alice.ID, Side: book.Debit}, book.Leg{Account: bank.ID, Side: book.Credit})
		capture.Hold, capture.At = hold("captured", 0).ID, time.Now().Unix()
		apply(t, ledger, capture)
		ctx, stop := context.WithCancel(t.Context())
		ended := make(chan error, 1)
		s := &Sweeper{Ledger: ledger, Clock: bubble{}, Event: "expire", Trouble: func(err error) { t.Error(err) }}
		go func() { ended <- s.Run(ctx, time.Minute) }()
		for _, step := range []struct {
			wait time.Duration
			held money.Minor
		}{{time.Second, 30}, {time.Minute, 30}, {time.Minute, 20}, {7 * time.Minute, 20}, {2 * time.Minute, 10}, {time.Hour, 10}} {
			<-time.After(step.wait)
			synctest.Wait()
			if have := held(t, ledger); have != step.held {
				t.Fatalf("after %s more: %d held, want %d", step.wait, have, step.held)
			}
		}
		stop()
		if err := <-ended; !errors.Is(err, context.Canceled) {
			t.Fatal(err)
		}
		apply(t, ledger, hold("last", -time.Second))
		if err := ledger.Close(); err != nil {
			t.Fatal(err)
		}
		if err := s.Run(t.Context(), time.Minute); !errors.Is(err, book.ErrClosed) {
			t.Fatal(err)
		}
	})
}

// Two sweepers, and more holds than one call takes, give each back once.
func TestTwoSweepersGiveEachHoldBackOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ledger := open(t)
		const n = page + 10
		for i := range n {
			c := hold(fmt.Sprint(i), time.Second)
			c.Legs[0].Account, c.Legs[0].Side = bank.ID, book.Credit // the bank has no floor
			apply(t, ledger, c)
		}
		<-time.After(time.Minute)
		swept := make(chan int, 2)
		for i := range 2 {
			go func() {
				s := &Sweeper{Ledger: ledger, Clock: late{i}, Event: "expire"}
				count, err := s.Turn(t.Context())
				if err != nil {
					t.Error(err)
				}
				swept <- count
			}()
		}
		if a, b := <-swept, <-swept; a+b != n || held(t, ledger) != 0 {
			t.Fatalf("%d and %d swept, want %d in all; %d still held", a, b, n, held(t, ledger))
		}
		if err := ledger.Close(); err != nil {
			t.Fatal(err)
		}
	})
}

// late clocks differ, so that two sweepers say different times of one hold.
type late struct{ seconds int }

func (l late) Now() time.Time { return bubble{}.Now().Add(time.Duration(l.seconds) * time.Second) }

// A hold that cannot be given back is told, turn after turn, and nothing else waits.
func TestClosedDaysAreTold(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ledger := open(t)
		days := book.Command{ID: book.ID{9}, Event: "test", Date: clock.DateOf(bubble{}.Now())}
		days.Days = book.Days{From: days.Date, To: days.Date}
		apply(t, ledger, hold("h", time.Second), days)
		<-time.After(time.Minute)
		s := &Sweeper{Ledger: ledger, Clock: bubble{}, Event: "expire", Date: func() clock.Date { return days.Date.AddDays(1) }}
		if n, err := s.Turn(t.Context()); n != 0 || !errors.Is(err, ErrRefused) {
			t.Fatal(n, err)
		}
		s.Date = func() clock.Date { return days.Date }
		if n, err := s.Turn(t.Context()); n != 1 || err != nil {
			t.Fatal(n, err)
		}
		if err := ledger.Close(); err != nil {
			t.Fatal(err)
		}
	})
}

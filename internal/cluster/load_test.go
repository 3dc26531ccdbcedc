package cluster_test

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"sync"
	"testing"
	"time"

	"jiaozi/book"
	"jiaozi/book/postgres"
	"jiaozi/internal/cluster"
	"jiaozi/value/clock"
	"jiaozi/value/money"
)

// load is a ledger on the cluster and callers who pay through it. A caller goes on to the next payment when he knows what
// became of the last one, and remembers every answer.
type load struct {
	dsn     string
	options postgres.Options
	stop    context.CancelFunc // callers begin nothing more
	group   sync.WaitGroup

	door     sync.Mutex // held while the ledger is opened again
	ledger   *book.Ledger
	reopened int

	mu   sync.Mutex
	told []payment
	more chan struct{} // signals answers to await; one may stand for several
}

// payment is a command and the first answer that its caller got.
type payment struct {
	book.Command
	book.Result
}

const callers = 4

// startLoad opens the ledger and lets the callers loose on it. Its first engine has less patience than a failover takes,
// so that the ledger stops; those after it ride over one.
func startLoad(ctx context.Context, t *testing.T, dsn string) *load {
	t.Helper()
	folder := t.TempDir()
	open, stop := context.WithCancel(ctx)
	l := &load{dsn: dsn, stop: stop, more: make(chan struct{}, 1)}
	l.options = postgres.Options{
		HeadFile: filepath.Join(folder, "head"), IndexDir: filepath.Join(folder, "index"),
		Silence: 2 * time.Second, Patience: 2 * time.Second,
	}
	var err error
	if l.ledger, err = l.open(ctx); err != nil {
		t.Fatal(err)
	}
	l.options.Patience = cluster.Patience
	for i := range callers {
		l.group.Go(func() { l.call(ctx, open, t, i) })
	}
	t.Cleanup(l.end)
	return l
}

func (l *load) open(ctx context.Context) (*book.Ledger, error) {
	engine, err := postgres.Open(ctx, l.dsn, l.options)
	if err != nil {
		return nil, err
	}
	ledger, err := book.OpenWith(ctx, engine, book.Options{Behind: 200 * time.Millisecond})
	if err != nil {
		err = errors.Join(err, engine.Close())
	}
	return ledger, err
}

// end lets every caller learn what became of his last payment.
func (l *load) end() {
	l.stop()
	l.group.Wait()
}

// call pays 1, 2, 3, ... from the caller's purse to the till, and now and then tries to use the key of an earlier payment.
func (l *load) call(ctx, open context.Context, t *testing.T, caller int) {
	for n := 1; open.Err() == nil; n++ {
		cmd, want := pay(caller, n), book.OK
		if n%16 == 0 {
			cmd, want = pay(caller, n-1), book.Exists
			cmd.ID = book.DeriveID("again", caller, n)
		}
		result, err := l.insist(ctx, cmd)
		if err != nil {
			t.Errorf("payment %d of caller %d: %v", n, caller, err)
			return
		}
		if result.Code != want || want == book.Exists && string(result.Prior) != string(cmd.Once[0].Value) {
			t.Errorf("payment %d of caller %d: %v, not %v", n, caller, result, want)
		}
		l.note(cmd, result)
	}
}

// pay moves n from the caller's purse to the till, which are opened by the first payment.
func pay(caller, n int) book.Command {
	amount := money.New(money.Currency(978), money.Minor(n))
	purse := book.Account{ID: purseOf(caller), Name: fmt.Sprintf("purse %d", caller), Normal: book.Credit, Currency: amount.Currency()}
	till := book.Account{ID: tillID, Name: "till", Normal: book.Credit, Currency: amount.Currency()}
	key := fmt.Appendf(nil, "%d/%d", caller, n)
	return book.Command{
		ID: book.DeriveID("pay", caller, n), Event: "test.pay", Date: clock.DateOf(time.Date(2026, time.January, 2, 0, 0, 0, 0, time.UTC)),
		Open: []book.Account{purse, till},
		Legs: []book.Leg{{Account: purse.ID, Side: book.Debit, Amount: amount}, {Account: till.ID, Side: book.Credit, Amount: amount}},
		Once: []book.Once{{Space: "payment", Key: key, Value: key}},
	}
}

var tillID = book.AccountID(book.DeriveID("till"))

func purseOf(caller int) book.AccountID { return book.AccountID(book.DeriveID("purse", caller)) }

// insist sends a command under the same id until its outcome is known.
func (l *load) insist(ctx context.Context, cmd book.Command) (book.Result, error) {
	for {
		ledger := l.now()
		results, err := ledger.Apply(ctx, []book.Command{cmd})
		switch {
		case err == nil:
			return results[0], nil
		case ctx.Err() != nil:
			return book.Result{}, err
		case errors.Is(err, book.ErrDamaged), errors.Is(err, book.ErrFenced):
			return book.Result{}, err
		}
		if ledger.Sound() != nil {
			l.reopen(ctx, ledger)
		}
		pause(ctx)
	}
}

func (l *load) now() *book.Ledger {
	l.door.Lock()
	defer l.door.Unlock()
	return l.ledger
}

// reopen replaces a ledger that stopped, as the one who starts the process again would: as often as it takes.
func (l *load) reopen(ctx context.Context, stopped *book.Ledger) {
	l.door.Lock()
	defer l.door.Unlock()
	if l.ledger != stopped {
		return
	}
	_ = stopped.Close() // it lost its server: what that says is no news
	for ctx.Err() == nil {
		ledger, err := l.open(ctx)
		if err == nil {
			l.ledger, l.reopened = ledger, l.reopened+1
			return
		}
		pause(ctx)
	}
}

// pause keeps a caller without a server from spinning.
func pause(ctx context.Context) {
	tick := time.NewTicker(50 * time.Millisecond)
	defer tick.Stop()
	select {
	case <-ctx.Done():
	case <-tick.C:
	}
}

// note remembers what the journal must hold: a key that is taken leaves no trace.
func (l *load) note(cmd book.Command, result book.Result) {
	l.mu.Lock()
	if result.Code.Kept() {
		l.told = append(l.told, payment{cmd, result})
	}
	l.mu.Unlock()
	select {
	case l.more <- struct{}{}:
	default:
	}
}

func (l *load) promised() []payment {
	l.mu.Lock()
	defer l.mu.Unlock()
	return slices.Clone(l.told)
}

// await returns when so many more payments are answered.
func (l *load) await(ctx context.Context, t *testing.T, more int) {
	t.Helper()
	for goal := len(l.promised()) + more; len(l.promised()) < goal; {
		select {
		case <-l.more:
		case <-ctx.Done():
			t.Fatalf("%d of %d answered: %v", len(l.promised()), goal, ctx.Err())
		}
	}
}

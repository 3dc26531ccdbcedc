package hammer

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"sync"
	"time"

	"jiaozi/book"
	"jiaozi/book/postgres"
	"jiaozi/book/sqlite"
)

const childEnv = "JIAOZI_HAMMER_CHILD"

// orders are what the parent tells a child.
type orders struct {
	Path     string // SQLite: the file; PostgreSQL: what it keeps on this machine
	DSN      string // PostgreSQL
	Seed     uint64
	Groups   int
	From     []int    // the next call of each client
	Last     []string // and the answer to the one before
	Calls    int      // of each client
	Finish   bool     // close the ledger afterwards, instead of waiting for the end
	Accounts int      // in memory
}

func (o *orders) open(ctx context.Context) (*book.Ledger, error) {
	engine, err := o.engine(ctx)
	if err != nil {
		return nil, err
	}
	return book.OpenWith(ctx, engine, book.Options{Accounts: o.Accounts, Behind: 20 * time.Millisecond})
}

func (o *orders) engine(ctx context.Context) (book.Engine, error) {
	if o.DSN == "" {
		return sqlite.Open(o.Path)
	}
	return postgres.Open(ctx, o.DSN, postgres.Options{IndexDir: o.Path, HeadFile: o.Path + ".head", TakeOver: true})
}

// child is a process with a ledger and its clients. It is killed, or ends with
// exit code 0; whatever it says on standard error is a failure.
func child(text string) int {
	var o orders
	if err := json.Unmarshal([]byte(text), &o); err != nil {
		return complain(err)
	}
	ctx := context.Background()
	ledger, err := o.open(ctx)
	if err != nil {
		return complain(err)
	}
	if _, err := ledger.Apply(ctx, fund(o.Groups)); err != nil {
		return complain(err)
	}
	tell("ready")
	var clients sync.WaitGroup
	for c := range o.From {
		clients.Go(func() { o.client(ctx, ledger, c) })
	}
	clients.Wait()
	if !o.Finish {
		select {} // until the parent has had enough
	}
	if err := ledger.Close(); err != nil {
		return complain(err)
	}
	return 0
}

func complain(err error) int {
	fmt.Fprintln(os.Stderr, "child:", err)
	return 1
}

// tell writes one line in one piece. A call is told before it is made and an
// answer after it came, so that what the parent reads is no shorter than it was.
func tell(format string, args ...any) { fmt.Fprintf(os.Stdout, format+"\n", args...) }

func (o *orders) client(ctx context.Context, ledger *book.Ledger, c int) {
	last := o.Last[c]
	for n := o.From[c]; n < o.From[c]+o.Calls; n++ {
		call := draw(o.Seed, o.Groups, c, n, last)
		tell("call %d %d", c, n)
		said, err := call.do(ctx, ledger)
		for errors.Is(err, book.ErrBusy) {
			said, err = call.do(ctx, ledger)
		}
		if err != nil {
			os.Exit(complain(err))
		}
		tell("said %d %d %s", c, n, said)
		last = said
	}
}

func (o op) do(ctx context.Context, ledger *book.Ledger) (string, error) {
	switch o.Act {
	case balance:
		amount, _, err := ledger.Balance(ctx, account(o.Group, o.From).ID)
		return fmt.Sprint(int64(amount.Minor())), err
	case get:
		value, version, err := ledger.Get(ctx, "record", o.recordKey())
		if version == 0 {
			value = []byte("-")
		}
		return fmt.Sprintf("%d %s", version, value), err
	}
	results, err := ledger.Apply(ctx, []book.Command{o.command()})
	if err != nil {
		return "", err
	}
	return told(results[0]), nil
}

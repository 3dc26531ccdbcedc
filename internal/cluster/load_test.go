package cluster_test

import (
	"context"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
)

// load is a set of callers who insert numbers and remember which of them PostgreSQL acknowledged.
type load struct {
	dsn   string
	stop  context.CancelFunc
	group sync.WaitGroup
	mu    sync.Mutex
	acked map[int64]bool
	more  chan struct{} // signals acknowledgements to await; one may stand for several
}

// startLoad makes the table and lets four callers loose on it, until the test ends.
func startLoad(ctx context.Context, t *testing.T, dsn string) *load {
	t.Helper()
	exec(ctx, t, dsn, "CREATE TABLE number (n bigint PRIMARY KEY, attempts int NOT NULL)")
	ctx, stop := context.WithCancel(ctx)
	l := &load{dsn: dsn, stop: stop, acked: make(map[int64]bool), more: make(chan struct{}, 1)}
	const callers = 4
	for i := range int64(callers) {
		l.group.Go(func() { l.call(ctx, i, callers) })
	}
	t.Cleanup(l.end)
	return l
}

func (l *load) end() {
	l.stop()
	l.group.Wait()
}

// call inserts from, from+step, ... until ctx ends. After an error it connects again and repeats the same number, since
// the first attempt may have been kept.
func (l *load) call(ctx context.Context, from, step int64) {
	for n := from; ctx.Err() == nil; {
		conn, err := pgx.Connect(ctx, l.dsn)
		if err != nil {
			pause(ctx)
			continue
		}
		for err == nil {
			if err = insert(ctx, conn, n); err == nil {
				l.note(n)
				n += step
			}
		}
		conn.Close(context.WithoutCancel(ctx))
	}
}

// write is one durable answer. A repetition must write too: one that only finds the row, as ON CONFLICT DO NOTHING would,
// has nothing to wait for, and acknowledges what no standby may have.
const write = "INSERT INTO number VALUES ($1, 1) ON CONFLICT (n) DO UPDATE SET attempts = number.attempts + 1"

// insert gives up on a silent server long before TCP does.
func insert(ctx context.Context, conn *pgx.Conn, n int64) error {
	ctx, cancel := context.WithTimeout(ctx, 5*time.Second)
	defer cancel()
	_, err := conn.Exec(ctx, write, n)
	return err
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

func (l *load) note(n int64) {
	l.mu.Lock()
	l.acked[n] = true
	l.mu.Unlock()
	select {
	case l.more <- struct{}{}:
	default:
	}
}

func (l *load) promised() []int64 {
	l.mu.Lock()
	defer l.mu.Unlock()
	list := make([]int64, 0, len(l.acked))
	for n := range l.acked {
		list = append(list, n)
	}
	return list
}

// await returns when so many more numbers are acknowledged.
func (l *load) await(ctx context.Context, t *testing.T, more int) {
	t.Helper()
	for goal := len(l.promised()) + more; len(l.promised()) < goal; {
		select {
		case <-l.more:
		case <-ctx.Done():
			t.Fatalf("%d of %d acknowledged: %v", len(l.promised()), goal, ctx.Err())
		}
	}
}

// mustHold looks for every number that was acknowledged until now.
func (l *load) mustHold(ctx context.Context, t *testing.T, dsn, when string) {
	t.Helper()
	promised := l.promised()
	var missing []int64
	query(ctx, t, dsn, "SELECT array(SELECT unnest($1::bigint[]) EXCEPT SELECT n FROM number)", []any{promised}, &missing)
	if len(missing) > 0 {
		t.Errorf("%s: %d of %d acknowledged numbers are lost: %v", when, len(missing), len(promised), missing)
	}
}

func connect(ctx context.Context, t *testing.T, dsn string) *pgx.Conn {
	t.Helper()
	conn, err := pgx.Connect(ctx, dsn)
	if err != nil {
		t.Fatal(err)
	}
	return conn
}

func exec(ctx context.Context, t *testing.T, dsn, sql string) {
	t.Helper()
	conn := connect(ctx, t, dsn)
	defer conn.Close(context.WithoutCancel(ctx))
	if _, err := conn.Exec(ctx, sql); err != nil {
		t.Fatalf("%s: %v", sql, err)
	}
}

func query(ctx context.Context, t *testing.T, dsn, sql string, args []any, to ...any) {
	t.Helper()
	conn := connect(ctx, t, dsn)
	defer conn.Close(context.WithoutCancel(ctx))
	if err := conn.QueryRow(ctx, sql, args...).Scan(to...); err != nil {
		t.Fatalf("%s: %v", sql, err)
	}
}

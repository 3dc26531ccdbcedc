package cluster_test

import (
	"context"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"jiaozi/internal/cluster"
)

// writers insert numbers and remember which of them PostgreSQL acknowledged.
type writers struct {
	dsn   string
	mu    sync.Mutex
	acked map[int64]bool
	more  chan struct{} // one signal for each acknowledgement, dropped if nobody listens
}

// write inserts from, from+step, ... until ctx ends. After any error it connects again and repeats the same number: the
// first attempt may have been kept.
func (w *writers) write(ctx context.Context, from, step int64) {
	var conn *pgx.Conn
	for n := from; ctx.Err() == nil; {
		if conn == nil {
			fresh, err := pgx.Connect(ctx, w.dsn)
			if err != nil {
				continue
			}
			conn = fresh
		}
		attempt, cancel := context.WithTimeout(ctx, 10*time.Second)
		_, err := conn.Exec(attempt, "INSERT INTO number VALUES ($1) ON CONFLICT DO NOTHING", n)
		cancel()
		if err != nil {
			conn.Close(ctx)
			conn = nil
			continue
		}
		w.note(n)
		n += step
	}
	if conn != nil {
		conn.Close(context.Background())
	}
}

func (w *writers) note(n int64) {
	w.mu.Lock()
	w.acked[n] = true
	w.mu.Unlock()
	select {
	case w.more <- struct{}{}:
	default:
	}
}

func (w *writers) count() int {
	w.mu.Lock()
	defer w.mu.Unlock()
	return len(w.acked)
}

// await returns when n more numbers are acknowledged.
func (w *writers) await(ctx context.Context, t *testing.T, n int) {
	t.Helper()
	for goal := w.count() + n; w.count() < goal; {
		select {
		case <-w.more:
		case <-ctx.Done():
			t.Fatalf("%d of %d acknowledged: %v", w.count(), goal, ctx.Err())
		}
	}
}

// mustHold reads the table on one machine and misses every acknowledged number that is not there.
func (w *writers) mustHold(ctx context.Context, t *testing.T, dsn, when string) {
	t.Helper()
	w.mu.Lock()
	promised := make([]int64, 0, len(w.acked))
	for n := range w.acked {
		promised = append(promised, n)
	}
	w.mu.Unlock()
	var missing []int64
	query(ctx, t, dsn, "SELECT array(SELECT p FROM unnest($1::bigint[]) p WHERE NOT EXISTS (SELECT FROM number WHERE n = p))", []any{promised}, &missing)
	if len(missing) > 0 {
		t.Errorf("%s: %d of %d acknowledged numbers are lost: %v", when, len(missing), len(promised), missing)
	}
}

func query(ctx context.Context, t *testing.T, dsn, sql string, args []any, to ...any) {
	t.Helper()
	conn, err := pgx.Connect(ctx, dsn)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close(ctx)
	if err := conn.QueryRow(ctx, sql, args...).Scan(to...); err != nil {
		t.Fatalf("%s: %v", sql, err)
	}
}

func must[T any](t *testing.T) func(T, error) T {
	return func(v T, err error) T {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
}

// The machine with the primary loses power under load. The standby takes over with every commit that was acknowledged,
// and when the dead machine is back, it follows, and work goes on.
func TestNothingAcknowledgedIsLostWhenThePrimaryDies(t *testing.T) {
	c := cluster.Start(t)
	ctx, cancel := context.WithTimeout(t.Context(), cluster.Patience)
	defer cancel()
	began := time.Now()
	step := func(what string) {
		t.Log(fmt.Sprintf("%5.1f s: %s", time.Since(began).Seconds(), what))
	}

	w := &writers{dsn: c.DSN(), acked: make(map[int64]bool), more: make(chan struct{}, 1)}
	var made int
	query(ctx, t, c.DSN(), "WITH x AS (SELECT 1) SELECT * FROM x", nil, &made)
	conn := must[*pgx.Conn](t)(pgx.Connect(ctx, c.DSN()))
	if _, err := conn.Exec(ctx, "CREATE TABLE number (n bigint PRIMARY KEY)"); err != nil {
		t.Fatal(err)
	}
	conn.Close(ctx)

	load, stop := context.WithCancel(ctx)
	var group sync.WaitGroup
	const callers = 4
	for i := range int64(callers) {
		group.Go(func() { w.write(load, i, callers) })
	}
	w.await(ctx, t, 500)
	step("under load")
	dead := must[*cluster.Machine](t)(c.Primary(ctx))
	if err := c.Kill(dead); err != nil {
		t.Fatal(err)
	}
	step("killed " + dead.Name)
	heir := must[*cluster.Machine](t)(c.Primary(ctx))
	step("primary is " + heir.Name)
	if heir == dead {
		t.Fatalf("%s was killed and leads", dead.Name)
	}
	w.mustHold(ctx, t, heir.DSN(), "after the failover")
	if err := c.Boot(dead); err != nil {
		t.Fatal(err)
	}
	if err := c.WaitSynchronous(ctx); err != nil {
		t.Fatal(err)
	}
	step("standby is back")
	w.await(ctx, t, 100)
	step("worked on")
	stop()
	group.Wait()
	w.mustHold(ctx, t, c.DSN(), "at the end")
}

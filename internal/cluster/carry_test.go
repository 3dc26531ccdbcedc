package cluster_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"jiaozi/internal/cluster"
	"jiaozi/internal/pgtest"
)

// single starts a server with the settings that people install from deploy/postgresql.
func single(t *testing.T) *pgtest.Server {
	t.Helper()
	text, err := os.ReadFile(filepath.Join("..", "..", "deploy", "postgresql", "jiaozi.conf"))
	if err != nil {
		t.Fatal(err)
	}
	settings := map[string]string{"wal_retrieve_retry_interval": "500ms"} // by default a subscription rests five seconds after a loss
	for line := range strings.Lines(string(text)) {
		if name, value, found := strings.Cut(line, "="); found && !strings.HasPrefix(line, "#") {
			settings[strings.TrimSpace(name)] = strings.TrimSpace(value)
		}
	}
	return pgtest.Start(t, pgtest.Options{Settings: settings})
}

// A carriage moves the entries of one part from one server to another by a row-filtered subscription.
type carriage struct {
	from, to string // DSNs
}

const carried = "CREATE TABLE carried (part smallint, n bigint, entry bytea NOT NULL, PRIMARY KEY (part, n))"

func (m carriage) start(ctx context.Context, t *testing.T) {
	t.Helper()
	exec(ctx, t, m.from, "CREATE PUBLICATION part_7 FOR TABLE carried WHERE (part = 7)")
	exec(ctx, t, m.to, carried)
	// By default a subscription applies without waiting for the disk: a row could be seen here, and be gone after a crash.
	exec(ctx, t, m.to, fmt.Sprintf("CREATE SUBSCRIPTION part_7 CONNECTION '%s' PUBLICATION part_7 WITH (synchronous_commit = 'on')", m.from))
}

// mustCopy waits until the rows that were there at the start have arrived, and changes stream.
func (m carriage) mustCopy(ctx context.Context, t *testing.T) {
	t.Helper()
	mustBecome(ctx, t, m.to, "SELECT count(*) > 0 AND bool_and(srsubstate = 'r') FROM pg_subscription_rel")
}

// mustCatchUp waits until the other server has on its disk whatever this one has committed by now.
func (m carriage) mustCatchUp(ctx context.Context, t *testing.T) {
	t.Helper()
	var end string
	query(ctx, t, m.from, "SELECT pg_current_wal_flush_lsn()::text", nil, &end)
	mustBecome(ctx, t, m.from, "SELECT coalesce(bool_and(confirmed_flush_lsn >= $1::pg_lsn), false) FROM pg_replication_slots WHERE slot_name = 'part_7'", end)
}

// end leaves no slot, origin, subscription or publication behind. A slot that nobody reads would fill the disk.
func (m carriage) end(ctx context.Context, t *testing.T) {
	t.Helper()
	exec(ctx, t, m.to, "DROP SUBSCRIPTION part_7")
	exec(ctx, t, m.from, "DROP PUBLICATION part_7")
	for _, dsn := range []string{m.from, m.to} {
		var left int
		query(ctx, t, dsn, `SELECT (SELECT count(*) FROM pg_replication_slots) + (SELECT count(*) FROM pg_replication_origin)
			+ (SELECT count(*) FROM pg_subscription) + (SELECT count(*) FROM pg_publication)`, nil, &left)
		if left != 0 {
			t.Errorf("%d things of the move are left on %s", left, dsn)
		}
	}
}

// mustBecome asks until the answer is true; a server that was just killed may not answer yet.
func mustBecome(ctx context.Context, t *testing.T, dsn, sql string, args ...any) {
	t.Helper()
	ctx, cancel := context.WithTimeout(ctx, cluster.Patience)
	defer cancel()
	for {
		done, err := ask(ctx, dsn, sql, args...)
		if done {
			return
		}
		if ctx.Err() != nil {
			t.Fatalf("%s: never true: %v", sql, errors.Join(ctx.Err(), err))
		}
		pause(ctx)
	}
}

func ask(ctx context.Context, dsn, sql string, args ...any) (done bool, err error) {
	conn, err := pgx.Connect(ctx, dsn)
	if err != nil {
		return false, err
	}
	defer conn.Close(context.WithoutCancel(ctx))
	return done, conn.QueryRow(ctx, sql, args...).Scan(&done)
}

// fill commits so many more entries of parts 7 and 8, one by one, as a writer would.
func fill(ctx context.Context, t *testing.T, dsn string, from, count int) {
	t.Helper()
	conn := connect(ctx, t, dsn)
	defer conn.Close(context.WithoutCancel(ctx))
	for n := from; n < from+count; n++ {
		if _, err := conn.Exec(ctx, "INSERT INTO carried SELECT part, $1::int, sha256(($1::int || ' of ' || part)::bytea) FROM (VALUES (7), (8)) p(part)", n); err != nil {
			t.Fatal(err)
		}
	}
}

// A part travels to another server while its rows are written and both servers lose power on the way; nothing of another
// part travels with it; and when the source says that the other disk has all, the other server has all, even if it
// loses power the moment after.
func TestPartTravelsBetweenServers(t *testing.T) {
	if testing.Short() {
		t.Skip("starts two servers: not in short mode")
	}
	t.Parallel()
	a, b := single(t), single(t)
	ctx, cancel := context.WithTimeout(t.Context(), 2*cluster.Patience)
	defer cancel()
	m := carriage{a.DSN("postgres"), b.DSN("postgres")}
	exec(ctx, t, m.from, carried)
	began := time.Now()
	step := func(what string) { t.Logf("%5.1f s: %s", time.Since(began).Seconds(), what) }

	fill(ctx, t, m.from, 0, 500)
	m.start(ctx, t)
	fill(ctx, t, m.from, 500, 100)
	m.mustCopy(ctx, t)
	step("copied")
	for i, server := range []*pgtest.Server{b, a} {
		fill(ctx, t, m.from, 600+200*i, 100)
		cut(t, server)
		fill(ctx, t, m.from, 700+200*i, 100)
	}
	step("both had a power cut")
	m.mustCatchUp(ctx, t)
	cut(t, b)
	step("caught up")

	const digest = "SELECT count(*), coalesce(string_agg(encode(entry, 'hex'), '' ORDER BY n), '') FROM carried WHERE part = 7"
	var rows, arrived, strangers int
	var sent, received string
	query(ctx, t, m.from, digest, nil, &rows, &sent)
	query(ctx, t, m.to, digest, nil, &arrived, &received)
	query(ctx, t, m.to, "SELECT count(*) FROM carried WHERE part <> 7", nil, &strangers)
	if rows != 1000 || arrived != rows || sent != received || strangers != 0 {
		t.Errorf("%d rows of the part, %d arrived (equal: %v), and %d of another part", rows, arrived, sent == received, strangers)
	}
	m.end(ctx, t)
	step("ended")
}

// cut is a power cut and the end of it.
func cut(t *testing.T, s *pgtest.Server) {
	t.Helper()
	if err := errors.Join(s.Kill(), s.Restart()); err != nil {
		t.Fatal(err)
	}
}

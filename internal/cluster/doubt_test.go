package cluster_test

import (
	"context"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"jiaozi/internal/cluster"
)

// mustDoubt shows, on a primary without a standby, two things that a ledger on PostgreSQL must know. A commit that waits
// for the standby is already done here: ended from outside, it leaves a row that everybody can read and no standby has.
// And if it is cancelled rather than ended, it is even acknowledged, with a warning. Hence: a writer that starts commits
// a row of its own before it believes what it reads, and takes a commit with a warning for one of unknown outcome.
func mustDoubt(ctx context.Context, t *testing.T, m *cluster.Machine) {
	t.Helper()
	if _, err := interrupted(ctx, t, m, -1, "SELECT pg_terminate_backend($1)"); err == nil {
		t.Error("a commit that was ended is acknowledged")
	}
	if warning, err := interrupted(ctx, t, m, -2, "SELECT pg_cancel_backend($1)"); err != nil || warning == "" {
		t.Errorf("a commit that was cancelled: error %v, warning %q; want none, and a warning", err, warning)
	}
	var seen int
	query(ctx, t, m.DSN(), "SELECT count(*) FROM number WHERE n < 0", nil, &seen)
	if seen != 2 {
		t.Errorf("%d of 2 rows that no standby has can be read", seen)
	}
}

// interrupted commits a number, which waits for a standby that is not there, until another session interrupts it. It
// returns what the caller is told.
func interrupted(ctx context.Context, t *testing.T, m *cluster.Machine, n int64, how string) (warning string, err error) {
	t.Helper()
	config, err := pgx.ParseConfig(m.DSN())
	if err != nil {
		t.Fatal(err)
	}
	config.OnNotice = func(_ *pgconn.PgConn, notice *pgconn.Notice) { warning = notice.Message }
	conn, err := pgx.ConnectConfig(ctx, config)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close(ctx)
	pid := conn.PgConn().PID()
	told := make(chan error, 1)
	go func() {
		_, err := conn.Exec(ctx, "INSERT INTO number VALUES ($1)", n)
		told <- err
	}()
	mustBecome(ctx, t, m.DSN(), "SELECT coalesce(bool_or(wait_event = 'SyncRep'), false) FROM pg_stat_activity WHERE pid = $1", pid)
	var sent bool
	query(ctx, t, m.DSN(), how, []any{pid}, &sent)
	err = <-told
	return warning, err
}

package cluster_test

import (
	"context"
	"testing"

	"github.com/jackc/pgx/v5"
)

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

package postgres

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
)

// The defaults of Options.Silence and Options.Patience. The machines of deploy/
// need up to 50 seconds to decide that one of them is dead, and to take over.
const (
	defaultSilence  = 15 * time.Second
	defaultPatience = 2 * time.Minute
)

// deadline gives every statement of a connection so long for its answer, by way
// of the hooks for tracing: a hung machine closes no connection, and its kernel
// may go on to confirm every packet, so nothing else ends the wait.
type deadline time.Duration

var (
	_ pgx.QueryTracer = deadline(0)
	_ pgx.BatchTracer = deadline(0)
)

type (
	cancelKey struct{}
	slowKey   struct{}
)

// slow exempts the statements of a context: those of an audit take as long as
// the tables are large.
func slow(ctx context.Context) context.Context { return context.WithValue(ctx, slowKey{}, true) }

func (d deadline) start(ctx context.Context) context.Context {
	if ctx.Value(slowKey{}) != nil {
		return ctx
	}
	ctx, cancel := context.WithTimeout(ctx, time.Duration(d))
	return context.WithValue(ctx, cancelKey{}, cancel)
}

func (d deadline) end(ctx context.Context) {
	if cancel, ok := ctx.Value(cancelKey{}).(context.CancelFunc); ok {
		cancel()
	}
}

func (d deadline) TraceQueryStart(ctx context.Context, _ *pgx.Conn, _ pgx.TraceQueryStartData) context.Context {
	return d.start(ctx)
}
func (d deadline) TraceQueryEnd(ctx context.Context, _ *pgx.Conn, _ pgx.TraceQueryEndData) {
	d.end(ctx)
}

func (d deadline) TraceBatchStart(ctx context.Context, _ *pgx.Conn, _ pgx.TraceBatchStartData) context.Context {
	return d.start(ctx)
}
func (d deadline) TraceBatchQuery(context.Context, *pgx.Conn, pgx.TraceBatchQueryData) {}
func (d deadline) TraceBatchEnd(ctx context.Context, _ *pgx.Conn, _ pgx.TraceBatchEndData) {
	d.end(ctx)
}

// patient bounds a call that tries again and again. Its end says why.
func (s *store) patient(ctx context.Context, call func(context.Context) error) error {
	inner, cancel := context.WithTimeout(ctx, s.o.Patience)
	defer cancel()
	err := call(inner)
	if err != nil && inner.Err() != nil && ctx.Err() == nil {
		return fmt.Errorf("gave up on the database server after %s, in which it was away, silent or without its standby: %w", s.o.Patience, err)
	}
	return err
}

// silent tells that no answer came in time.
func silent(err error) bool {
	return pgconn.Timeout(err) || errors.Is(err, context.DeadlineExceeded)
}

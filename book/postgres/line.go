package postgres

import (
	"context"
	"errors"
	"fmt"

	"jiaozi/book"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
)

// line is the writer's connection and its right to write: its owner, drawn by
// the server when the shard was claimed, and its turn, which every connection
// raises by one. A statement names both under a lock on the row, so one that is
// still under way on a connection that was given up can do nothing any more.
type line struct {
	conn  *pgx.Conn
	owner [16]byte
	turn  int64
	// doubt is set while it is not known what became of the last statement.
	doubt bool
	// warned is set by a warning of the server. The one that matters says that a
	// commit did not wait for the standby; its text is in the server's language.
	warned bool
	// acked is the last batch that was answered, or read as the head.
	acked book.Head
}

// errDoubt asks for one more round: the statement may or may not have happened.
var errDoubt = errors.New("the server does not confirm that the commit is as durable as configured")

// listen sets a flag at every warning.
func listen(warned *bool) pgconn.NoticeHandler {
	return func(_ *pgconn.PgConn, n *pgconn.Notice) {
		if n.SeverityUnlocalized == "WARNING" || n.Severity == "WARNING" {
			*warned = true
		}
	}
}

// A live session of the same start time is the same process: pids come again,
// the time at which a session began does not. A role that may not see the time
// counts as alive.
const holder = `FROM pg_stat_activity a JOIN writer w ON a.pid = w.pid AND (a.backend_start = w.started OR a.backend_start IS NULL)
	WHERE w.chain = $1 AND a.pid <> pg_backend_pid()`

const mySession = `pg_backend_pid(), coalesce((SELECT backend_start FROM pg_stat_activity WHERE pid = pg_backend_pid()), 'epoch')`

// claim takes the shard unless somebody holds it. The process that was killed a
// moment ago may still be seen for a while.
func (e *Engine) claim(ctx context.Context) error {
	const tries = 8 // about two seconds
	if e.o.TakeOver {
		if err := e.endSession(ctx, holder, chainOf(e.o)); err != nil {
			return fmt.Errorf("end the writer before: %w", err)
		}
	}
	delay := firstPause
	for try := 1; ; try++ {
		err := e.line.conn.QueryRow(ctx, `INSERT INTO writer AS w (chain, owner, turn, pid, started)
			VALUES ($1, gen_random_uuid(), 1, `+mySession+`)
			ON CONFLICT (chain) DO UPDATE
			SET owner = excluded.owner, turn = w.turn + 1, pid = excluded.pid, started = excluded.started
			WHERE $2 OR NOT EXISTS (SELECT 1 FROM pg_stat_activity a
				WHERE a.pid = w.pid AND (a.backend_start = w.started OR a.backend_start IS NULL))
			RETURNING owner, turn`, chainOf(e.o), e.o.TakeOver).Scan(&e.line.owner, &e.line.turn)
		switch {
		case err == nil:
			e.line.doubt = e.line.warned
			return nil
		case errors.Is(err, pgx.ErrNoRows) && try == tries:
			return e.inUse(ctx)
		case !again(err) && !errors.Is(err, pgx.ErrNoRows), try == tries:
			return fault(err)
		}
		if err := e.wait(ctx, delay); err != nil {
			return err
		}
		delay = min(2*delay, longPause)
	}
}

// endSession makes a session stop waiting. It only saves time, so it may be
// forbidden, or unknown to the server.
func (e *Engine) endSession(ctx context.Context, which string, args ...any) error {
	_, err := e.line.conn.Exec(ctx, "SELECT pg_terminate_backend(a.pid) "+which, args...)
	if code := state(err); code == stateDenied || code == stateNoFunction {
		return nil
	}
	return err
}

// inUse names the writer that is in the way.
func (e *Engine) inUse(ctx context.Context) error {
	var pid int
	var program, from string
	err := e.line.conn.QueryRow(ctx, `SELECT a.pid, coalesce(a.application_name, ''), coalesce(host(a.client_addr), 'the server''s own machine') `+holder,
		chainOf(e.o)).Scan(&pid, &program, &from)
	if err != nil {
		return fmt.Errorf("%w: it is just changing hands; try again", book.ErrFenced)
	}
	return fmt.Errorf("%w: chain %d is written by session %d of the server (%q, from %s): stop that process first, or take over if it is dead",
		book.ErrFenced, e.o.Chain, pid, program, from)
}

// withLine runs reads on the writer's connection, once more if it is lost.
func (e *Engine) withLine(ctx context.Context, read func(context.Context) error) error {
	return e.patient(ctx, func(ctx context.Context) (err error) {
		for range rounds {
			if err = e.ready(ctx); err != nil {
				return err
			}
			if err = read(ctx); err == nil || !e.failed(ctx, err) {
				return fault(err)
			}
		}
		return fault(err)
	})
}

// failed marks what must be found out after an error, and reports whether it is
// worth another round.
func (e *Engine) failed(ctx context.Context, err error) bool {
	lost := e.line.conn.IsClosed()
	if lost || ctx.Err() != nil || errors.Is(err, errDoubt) {
		e.line.doubt = true
	}
	if state(err) == stateReadOnly { // demoted: the next connection finds the primary
		e.giveUp()
		lost = true
	}
	return ctx.Err() == nil && (lost || again(err) || errors.Is(err, errDoubt))
}

func (e *Engine) giveUp() {
	drop(e.line.conn)
	e.line.doubt = true
}

// ready makes sure that the writer's connection works, that it still has the
// right to write, and that nothing sent before is under way.
func (e *Engine) ready(ctx context.Context) error {
	if err := e.sickness(); err != nil {
		return err
	}
	if !e.line.doubt && !e.line.conn.IsClosed() {
		return nil
	}
	var err error
	delay := firstPause
	for {
		if err = e.renew(ctx); err == nil || e.sickness() != nil || ctx.Err() != nil {
			break
		}
		if !e.line.conn.IsClosed() && !again(err) && !errors.Is(err, errDoubt) {
			break
		}
		if waitErr := e.wait(ctx, delay); waitErr != nil {
			break
		}
		delay = min(2*delay, longPause)
	}
	if errors.Is(err, errDoubt) {
		return fmt.Errorf("%w: %w", book.ErrNotDurable, err)
	}
	return fault(err)
}

// renew begins a new turn. Its commit waits for whatever the turn before still
// does, so what is read afterwards stays true; and it goes the way of every
// commit, so when it is durable, on a standby too, then all before it is.
func (e *Engine) renew(ctx context.Context) (err error) {
	if e.line.conn.IsClosed() {
		conn, err := e.connect(ctx, listen(&e.line.warned))
		if err != nil {
			return err
		}
		e.line.conn = conn
		e.pool.Reset() // the views' connections may lead to a server that is no more
	}
	// The session before may wait for bytes that will never come.
	if err := e.endSession(ctx, holder+" AND w.owner = $2", chainOf(e.o), e.line.owner); err != nil {
		return err
	}
	e.line.warned = false
	err = e.line.conn.QueryRow(ctx, `UPDATE writer SET turn = turn + 1, (pid, started) = (SELECT `+mySession+`)
		WHERE chain = $1 AND owner = $2 RETURNING turn`, chainOf(e.o), e.line.owner).Scan(&e.line.turn)
	if errors.Is(err, pgx.ErrNoRows) {
		return e.fenced()
	}
	if err != nil {
		return err
	}
	if e.line.warned {
		return errDoubt
	}
	if err := e.remembers(ctx); err != nil {
		return err
	}
	e.line.doubt = false
	return nil
}

// remembers checks that the server, which may be another or may have recovered,
// has what it answered before. Otherwise what the ledger holds in memory is no
// longer built on what the tables say.
func (e *Engine) remembers(ctx context.Context) error {
	err := holds(ctx, e.line.conn, e.o.Chain, e.line.acked)
	if errors.Is(err, book.ErrDamaged) {
		return e.fallIll(err)
	}
	if err != nil {
		return err
	}
	known := e.applied.Load()
	applied, err := readApplied(ctx, e.line.conn, e.o.Chain)
	if err == nil && applied.Seq < known {
		return e.fallIll(fmt.Errorf("%w: the tables fell back from batch %d to %d: open the store again", book.ErrNotDurable, known, applied.Seq))
	}
	return err
}

func (e *Engine) fenced() error {
	return e.fallIll(fmt.Errorf("%w: chain %d was taken over", book.ErrFenced, e.o.Chain))
}

func chainOf(o Options) int16 { return int16(o.Chain) }

// Package postgres keeps one shard of the book in a PostgreSQL database, or in
// one schema of it (search_path in the DSN); one shard each.
//
//	Append --> writer's connection: one INSERT per batch, autocommit, durable
//	Load   --> the same connection, one round trip
//	Flush  --> keeper's connection: one transaction, set by set
//	View   --> a bounded pool: REPEATABLE READ, READ ONLY
//
// Promises: a batch that was answered is as durable as the server can make it:
// the journal is never written with synchronous_commit=off, a server with
// fsync=off is refused, and a commit whose wait for the standby was cancelled is
// not taken for one. One process writes at a time: every statement of a writer
// names its owner and its turn in the table writer, under a row lock, so that a
// writer that was taken over, or a statement still under way from a connection
// that was given up, can change nothing. A lost connection is looked after here,
// and so is a server that says nothing: the DSN may name several, the one that
// writes is found, the same row is sent again, and it is known whether the first
// one is there. A turn is itself a commit, so nothing is believed before it that
// a standby may lack. Every call ends in bounded time (Options.Patience).
//
// It asks nothing of the server but tables: no advisory lock, no function of
// ours, no extension, and every key begins with part. Open looks in
// pg_stat_activity whether the last writer's connection is alive. A system that
// shows there the sessions of one node only, or of another kind (YugabyteDB,
// CockroachDB; this engine was not run on them), cannot refuse an accidental
// second start: that is a take-over then, and the row lock fences the first
// writer as ever. The writer's connection must reach the server itself or a
// pooler in session mode.
//
// Start with Open; OpenReader is for audits, on a standby too.
package postgres

import (
	"context"
	"errors"
	"fmt"
	"math"
	"sync/atomic"
	"time"

	"jiaozi/book"
	"jiaozi/book/headfile"

	"github.com/jackc/pgx/v5"
)

// Options say which shard this is and how to hold it.
type Options struct {
	// Chain is the number of the journal, at most 32767.
	Chain uint16
	// IndexDir is the folder of the derived index on this machine; "" keeps it
	// in memory.
	IndexDir string
	// HeadFile keeps the head outside the database, on this machine. A missing
	// file is made from the database: a machine that takes over has none. "" = no
	// such file.
	HeadFile string
	// TakeOver takes the shard from a writer whose connection the server still
	// shows. Set it only when that process is known to be dead or cut off.
	TakeOver bool
	// Views is how many views may be open at one time; 0, or fewer than a ledger needs, is book.MaxViews.
	Views int
	// Silence is how long the server may owe the answer to one statement before
	// its connection is given up and the server looked for again; 0 = 15 seconds.
	// A commit may wait longer for a standby: then it is asked for again. Walks of
	// views get Patience for each step, and Inspect the time of its context.
	Silence time.Duration
	// Patience is how long a call of the writer or the keeper, or Open, tries to
	// get over a server that is away, silent, or without its standby, before it
	// ends with an error; 0 = 2 minutes. It must be longer than a fail-over takes.
	Patience time.Duration
	// Wait pauses between two attempts; nil waits by the clock.
	Wait func(context.Context, time.Duration) error
}

// Engine is the writer's side of a store. It implements book.Engine.
type Engine struct {
	*store
	line   line   // Head, Append and Load: the writer's
	keeper keeper // Flush: the keeper's
	head   *headfile.File
	// applied is what the last Flush reached, so that tables which fell back are
	// noticed.
	applied atomic.Uint64
	// sick is why nothing more can be done with this store.
	sick atomic.Pointer[error]
}

var _ book.Engine = (*Engine)(nil)

const defaultViews = book.MaxViews

// Open opens the database that the DSN names for writing, and makes the tables if
// there are none. It refuses while another writer is connected.
func Open(ctx context.Context, dsn string, o Options) (*Engine, error) {
	s, err := newStore(ctx, dsn, o, writable)
	if err != nil {
		return nil, fmt.Errorf("open store: %w", err)
	}
	e := &Engine{store: s}
	if err := e.patient(ctx, e.open); err != nil {
		return nil, errors.Join(fmt.Errorf("open store %s: %w", s.name(), err), e.Close())
	}
	return e, nil
}

func (e *Engine) open(ctx context.Context) error {
	conn, err := e.connect(ctx, listen(&e.line.warned))
	if err != nil {
		return err
	}
	e.line.conn = conn
	if err := migrate(ctx, conn, e.wait); err != nil {
		return err
	}
	if err := e.claim(ctx); err != nil {
		return err
	}
	if _, err = e.Head(ctx); err != nil {
		return err
	}
	applied, err := readApplied(ctx, e.line.conn, e.o.Chain)
	if err != nil {
		return err
	}
	e.applied.Store(applied.Seq)
	return e.openHead(ctx)
}

// openHead refuses a journal that is behind the head outside, or beside it.
func (e *Engine) openHead(ctx context.Context) error {
	if e.o.HeadFile == "" {
		return nil
	}
	kept, err := e.Kept(ctx)
	if err != nil && !missing(err) {
		return err
	}
	if err := holds(ctx, e.line.conn, e.o.Chain, kept); err != nil {
		return err
	}
	e.head, err = headfile.Open(e.o.HeadFile, e.o.Chain, e.line.acked)
	return err
}

// holds checks that a batch which was answered is in the journal.
func holds(ctx context.Context, conn *pgx.Conn, chain uint16, head book.Head) error {
	if head.Seq == 0 {
		return nil
	}
	hash, err := hashAt(ctx, conn, chain, head.Seq)
	if err == nil && hash != head.Hash {
		return fmt.Errorf("%w (batch %d was answered and is not in the journal: was a standby promoted that lacked it?)", book.ErrDamaged, head.Seq)
	}
	return err
}

// Chain is the number in the first column of the journal.
func (e *Engine) Chain() uint16 { return e.o.Chain }

// Head reads the last batch. After a failure it first makes sure that nothing is
// still under way, so that the answer stays true, and that what it shows has
// reached the standby.
func (e *Engine) Head(ctx context.Context) (head book.Head, err error) {
	err = e.withLine(ctx, func(ctx context.Context) error {
		head, err = readHead(ctx, e.line.conn, e.o.Chain)
		return err
	})
	if err == nil {
		e.line.acked = head
	}
	return head, err
}

// Close lets the store go. Close the views first: it waits for them.
func (e *Engine) Close() error {
	ctx, cancel := context.WithTimeout(context.Background(), closing)
	defer cancel()
	var errs []error
	if e.head != nil {
		errs = append(errs, e.head.Sync(), e.head.Close())
	}
	for _, conn := range []*pgx.Conn{e.line.conn, e.keeper.conn} {
		if conn != nil && !conn.IsClosed() {
			errs = append(errs, conn.Close(ctx))
		}
	}
	e.pool.Close()
	return errors.Join(errs...)
}

// closing is how long a goodbye to the server may take.
const closing = 5 * time.Second

func (e *Engine) sickness() error {
	if err := e.sick.Load(); err != nil {
		return *err
	}
	return nil
}

// fallIll keeps the first reason for which nothing more can be done.
func (e *Engine) fallIll(err error) error {
	e.sick.CompareAndSwap(nil, &err)
	return e.sickness()
}

func checkOptions(o Options) error {
	if o.Chain > math.MaxInt16 {
		return fmt.Errorf("chain %d: at most %d", o.Chain, math.MaxInt16)
	}
	if o.Silence < 0 || o.Patience < 0 {
		return errors.New("a negative time to wait for the server: leave it 0, or make it some seconds")
	}
	return nil
}

package postgres

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"time"

	"jiaozi/book"
	"jiaozi/book/headfile"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgxpool"
)

// store is what Engine and Reader have in common: the way to the server, and
// views.
type store struct {
	o      Options
	config *pgx.ConnConfig
	pool   *pgxpool.Pool
	wait   func(context.Context, time.Duration) error
}

// oldest is the first version with gen_random_uuid and plan_cache_mode.
const oldest = 130000

// writable refuses a server that only reads, so that of several in a DSN the
// primary is found: a standby lags, and one that was demoted no longer knows.
func writable(ctx context.Context, conn *pgconn.PgConn) error {
	results, err := conn.Exec(ctx, "SHOW transaction_read_only").ReadAll()
	if err == nil && (len(results) != 1 || len(results[0].Rows) != 1 || string(results[0].Rows[0][0]) != "off") {
		err = errStandby
	}
	return err
}

// newStore takes a check for every connection instead of the DSN's own; nil takes
// the DSN's.
func newStore(ctx context.Context, dsn string, o Options, check pgconn.ValidateConnectFunc) (*store, error) {
	if err := checkOptions(o); err != nil {
		return nil, err
	}
	o.Silence, o.Patience = cmp.Or(o.Silence, defaultSilence), cmp.Or(o.Patience, defaultPatience)
	config, err := pgxpool.ParseConfig(dsn)
	if err != nil { // the error may quote the DSN
		return nil, errors.New("the DSN is malformed (not shown: it may hold a password): write postgres://user@host/database or host=x dbname=y")
	}
	config.ConnConfig.Tracer = deadline(o.Silence)
	if config.ConnConfig.ConnectTimeout == 0 {
		config.ConnConfig.ConnectTimeout = o.Silence // for each of several servers
	}
	if check != nil {
		config.ConnConfig.ValidateConnect = check
	}
	s := &store{o: o, config: config.ConnConfig.Copy(), wait: o.Wait}
	if s.wait == nil {
		s.wait = pause
	}
	if s.config.RuntimeParams["application_name"] == "" {
		s.config.RuntimeParams["application_name"] = "jiaozi"
		config.ConnConfig.RuntimeParams["application_name"] = "jiaozi views"
	}
	config.MaxConns, config.MinConns, config.MinIdleConns = defaultViews, 0, 0
	if o.Views > defaultViews {
		config.MaxConns = int32(min(o.Views, 1000))
	}
	config.AfterConnect, config.PingTimeout = prepareView, o.Silence
	s.pool, err = pgxpool.NewWithConfig(ctx, config)
	return s, err
}

// name says in errors which database is meant.
func (s *store) name() string { return s.config.Database + " at " + s.config.Host }

// pause waits by the clock.
func pause(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-timer.C:
		return nil
	}
}

// The longest pause between two attempts to reach the server, and how many there
// are: together about half a minute, the time that a fail-over takes.
const (
	firstPause = 10 * time.Millisecond
	longPause  = time.Second
	attempts   = 36
)

// connect makes a connection for writing, and tries again while the server is
// away or starting.
func (s *store) connect(ctx context.Context, notice pgconn.NoticeHandler) (*pgx.Conn, error) {
	config := s.config.Copy()
	config.OnNotice = notice
	delay := firstPause
	for attempt := 1; ; attempt++ {
		conn, err := pgx.ConnectConfig(ctx, config)
		if err == nil {
			if err = prepareWriter(ctx, conn); err == nil {
				return conn, nil
			}
			drop(conn)
		}
		if attempt == attempts || hopeless(err) || ctx.Err() != nil {
			return nil, fmt.Errorf("reach the database server: %w", err)
		}
		if err := s.wait(ctx, delay); err != nil {
			return nil, err
		}
		delay = min(2*delay, longPause)
	}
}

// drop ends a connection without a word; the server sees it go.
func drop(conn *pgx.Conn) {
	if conn == nil {
		return
	}
	gone, cancel := context.WithCancel(context.Background())
	cancel()
	_ = conn.Close(gone) // it is given up whatever this says
}

// prepareWriter makes the session independent of what the server's or the role's
// defaults are: every commit waits for the standby's disk, and the warning that
// one did not is heard. The planner gets one plan for all sizes: down the key's index.
func prepareWriter(ctx context.Context, conn *pgx.Conn) error {
	var fsync *string
	var version int
	err := conn.QueryRow(ctx, `SELECT current_setting('fsync', true),
		current_setting('server_version_num')::int,
		set_config('default_transaction_isolation', 'read committed', false),
		set_config('statement_timeout', '0', false), set_config('lock_timeout', '0', false),
		set_config('plan_cache_mode', 'force_generic_plan', false),
		set_config('synchronous_commit', CASE current_setting('synchronous_commit')
			WHEN 'remote_apply' THEN 'remote_apply' ELSE 'on' END, false),
		set_config('client_min_messages', 'warning', false)`).
		Scan(&fsync, &version, nil, nil, nil, nil, nil, nil)
	switch {
	case err != nil:
		return err
	case version < oldest:
		return refusal(fmt.Sprintf("PostgreSQL %d is too old: use 13 or newer", version/10000))
	case fsync != nil && *fsync == "off":
		return refusal("the server runs with fsync=off and would lose what it answers: set fsync=on")
	}
	return nil
}

func prepareView(ctx context.Context, conn *pgx.Conn) error {
	return conn.QueryRow(ctx, `SELECT set_config('default_transaction_read_only', 'on', false),
		set_config('statement_timeout', '0', false), set_config('idle_in_transaction_session_timeout', '0', false)`).
		Scan(nil, nil, nil)
}

// IndexDir is the folder of the derived index.
func (s *store) IndexDir() string { return s.o.IndexDir }

// Kept reads the head outside the database; zero if none is kept.
func (s *store) Kept(context.Context) (book.Head, error) {
	if s.o.HeadFile == "" {
		return book.Head{}, nil
	}
	return headfile.Load(s.o.HeadFile, s.o.Chain)
}

func missing(err error) bool { return errors.Is(err, fs.ErrNotExist) }

// Reader is a store opened as evidence: it changes nothing. It implements
// book.Evidence.
type Reader struct{ *store }

var _ book.Evidence = (*Reader)(nil)

// OpenReader opens the database for reading, beside a writer or without one, on
// the primary or on a standby.
func OpenReader(ctx context.Context, dsn string, o Options) (*Reader, error) {
	s, err := newStore(ctx, dsn, o, nil)
	if err != nil {
		return nil, fmt.Errorf("open store: %w", err)
	}
	err = s.pool.AcquireFunc(ctx, func(conn *pgxpool.Conn) error {
		version, err := readVersion(ctx, conn.Conn())
		if err == nil && version != schemaVersion {
			err = otherVersion(version)
		}
		return err
	})
	if err != nil {
		s.pool.Close()
		return nil, fmt.Errorf("open store %s: %w", s.name(), fault(err))
	}
	return &Reader{s}, nil
}

// Close lets the store go. Close the views first: it waits for them.
func (r *Reader) Close() error {
	r.pool.Close()
	return nil
}

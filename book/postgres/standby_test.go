package postgres

import (
	"context"
	"testing"
	"time"

	"jiaozi/book"
	"jiaozi/internal/pgtest"

	"github.com/jackc/pgx/v5"
)

// lonely is a server that has lost its synchronous standby, with defaults that
// would have a commit neither wait for one nor warn.
type lonely struct {
	*pgtest.Server
	other *pgx.Conn
}

func newLonely(t *testing.T) *lonely {
	t.Helper()
	l := &lonely{Server: pgtest.Start(t, pgtest.Options{Settings: map[string]string{"synchronous_commit": "local", "client_min_messages": "error"}})}
	must(t, l.CreateDB("a"))
	l.other = session(t, l.DSN("a"))
	return l
}

func (l *lonely) standby(t *testing.T, name string) {
	t.Helper()
	exec(t, l.other, "ALTER SYSTEM SET synchronous_standby_names = '"+name+"'")
	exec(t, l.other, "SELECT pg_reload_conf()")
	waitFor(t, l.DSN("a"), "SELECT 1 WHERE current_setting('synchronous_standby_names') = '"+name+"'")
}

const waiting = "FROM pg_stat_activity WHERE wait_event = 'SyncRep'"

// TestCommitWithoutStandbyIsNotDurable: PostgreSQL takes a commit whose wait for
// the standby was cancelled for done, with a warning, and shows what another one
// left whose session was ended. The engine answers neither before a commit of its
// own has had its standby.
func TestCommitWithoutStandbyIsNotDurable(t *testing.T) {
	t.Parallel()
	l := newLonely(t)
	e := open(t, l.DSN("a"), Options{})
	var booked []book.Head
	for what, call := range map[string]func(context.Context) error{
		"append": func(ctx context.Context) error {
			row := batch(e.line.acked, 10)
			booked = append(booked, headOf(row))
			return e.Append(ctx, row)
		},
		"flush": func(ctx context.Context) error {
			return e.Flush(ctx, &book.Change{At: book.Head{Seq: e.applied.Load() + 1}})
		},
	} {
		for how, interrupt := range map[string]string{"cancelled": "SELECT pg_cancel_backend(pid) ", "ended": "SELECT pg_terminate_backend(pid) "} {
			t.Run(what+" "+how, func(t *testing.T) {
				l.standby(t, "nobody")
				answer := make(chan error, 1)
				go func() { answer <- call(context.Background()) }()
				for range 3 {
					waitFor(t, l.DSN("a"), "SELECT 1 "+waiting)
					exec(t, l.other, interrupt+waiting)
				}
				waitFor(t, l.DSN("a"), "SELECT 1 "+waiting)
				select {
				case err := <-answer:
					t.Fatalf("answered without a standby: %v", err)
				default:
				}
				l.standby(t, "")
				must(t, <-answer)
			})
		}
	}
	mustHold(t, l.DSN("a"), booked)
}

// TestStandbyIsWaitedForAndNotForEver: a wait for the standby may be longer than
// a server may be silent, and ends in an error when patience does; then the same
// row is appended once, by the same engine or the next one.
func TestStandbyIsWaitedForAndNotForEver(t *testing.T) {
	t.Parallel()
	l := newLonely(t)
	e := open(t, l.DSN("a"), Options{Silence: time.Second})
	one := batch(book.Head{}, 10)
	two := batch(headOf(one), 10)
	l.standby(t, "nobody")
	answer := make(chan error, 1)
	go func() { answer <- e.Append(context.Background(), one) }()
	waitFor(t, l.DSN("a"), "SELECT 1 FROM writer WHERE turn > 2")
	l.standby(t, "")
	must(t, <-answer)

	l.standby(t, "nobody")
	e.o.Patience = time.Second
	for range 2 {
		mustBe(t, e.Append(t.Context(), two), context.DeadlineExceeded)
	}
	_, err := e.Head(t.Context())
	mustBe(t, err, context.DeadlineExceeded)
	_, err = Open(t.Context(), l.DSN("a"), Options{Chain: chain + 1, Silence: time.Second})
	mustBe(t, err, context.DeadlineExceeded)
	l.standby(t, "")
	must(t, e.Append(t.Context(), two))
	mustHold(t, l.DSN("a"), []book.Head{headOf(one), headOf(two)})
}

package postgres

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"jiaozi/book"
	"jiaozi/internal/pgtest"
)

// TestSecondWriterIsRefused: an accidental second start is told who is writing;
// after a deliberate take-over the first can neither append nor flush.
func TestSecondWriterIsRefused(t *testing.T) {
	dsn := pgtest.Schema(t)
	first := open(t, dsn, Options{})
	row := batch(book.Head{}, 10)
	must(t, first.Append(t.Context(), row))
	_, err := Open(t.Context(), dsn, Options{Chain: chain})
	if mustBe(t, err, book.ErrFenced); !strings.Contains(fmt.Sprint(err), "jiaozi") {
		t.Errorf("the error does not name the writer: %v", err)
	}
	other, err := Open(t.Context(), dsn, Options{Chain: chain + 1})
	must(t, err)
	must(t, other.Close())

	second := open(t, dsn, Options{TakeOver: true})
	mustBe(t, first.Append(t.Context(), batch(headOf(row), 10)), book.ErrFenced)
	mustBe(t, first.Flush(t.Context(), &book.Change{At: book.Head{Seq: 1}}), book.ErrFenced)
	_, err = first.Head(t.Context())
	mustBe(t, err, book.ErrFenced)
	must(t, second.Append(t.Context(), batch(headOf(row), 10)))
}

// TestTakenNumberIsFenced: the same row again is the answer that was lost;
// another row under its number is another writer's.
func TestTakenNumberIsFenced(t *testing.T) {
	e := open(t, pgtest.Schema(t), Options{})
	row := batch(book.Head{}, 10)
	must(t, e.Append(t.Context(), row))
	must(t, e.Append(t.Context(), row))
	mustBe(t, e.Append(t.Context(), batch(book.Head{}, 10)), book.ErrFenced)
	if err := e.Append(t.Context(), &book.Row{Part: chain + 1, Seq: 2}); err == nil {
		t.Error("a row of another chain is taken")
	}
	head, err := e.Head(t.Context())
	if must(t, err); head != headOf(row) {
		t.Error(head)
	}
}

// TestDeadWriterIsFollowed: a process that died leaves nothing to clean up.
func TestDeadWriterIsFollowed(t *testing.T) {
	dsn := pgtest.Schema(t)
	first := open(t, dsn, Options{})
	must(t, first.Append(t.Context(), batch(book.Head{}, 10)))
	drop(first.line.conn)
	second := open(t, dsn, Options{})
	mustBe(t, first.Append(t.Context(), batch(first.line.acked, 10)), book.ErrFenced)
	must(t, second.Append(t.Context(), batch(second.line.acked, 10)))
}

// TestStaleStatementIsFenced: a statement that waits while the shard is taken
// over books nothing after it.
func TestStaleStatementIsFenced(t *testing.T) {
	dsn := pgtest.Schema(t)
	e, other := open(t, dsn, Options{}), session(t, dsn)
	exec(t, other, "BEGIN")
	exec(t, other, "UPDATE writer SET owner = gen_random_uuid()")
	answer := make(chan error)
	go func() { answer <- e.Append(context.Background(), batch(book.Head{}, 10)) }()
	waitFor(t, dsn, "SELECT 1 FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'")
	exec(t, other, "COMMIT")
	mustBe(t, <-answer, book.ErrFenced)
	v := view(t, e)
	if head, err := v.Head(t.Context()); head.Seq != 0 || err != nil {
		t.Error(head, err)
	}
}

// waitFor asks until the query gives a row.
func waitFor(t *testing.T, dsn, query string) {
	t.Helper()
	conn := session(t, dsn)
	for range 5000 {
		tag, err := conn.Exec(t.Context(), query)
		must(t, err)
		if tag.RowsAffected() > 0 {
			return
		}
		exec(t, conn, "SELECT pg_sleep(0.01)")
	}
	t.Fatalf("never: %s", query)
}

// TestLostConnectionsLoseNothing: sessions are ended all the time while batches
// are appended and flushed; each batch is in the journal once.
func TestLostConnectionsLoseNothing(t *testing.T) {
	dsn := pgtest.Schema(t)
	e := open(t, dsn, Options{})
	ctx, stop := context.WithCancel(t.Context())
	var killer sync.WaitGroup
	var killed atomic.Int64
	other := session(t, dsn)
	killer.Go(func() {
		for ctx.Err() == nil {
			tag, err := other.Exec(context.Background(), `SELECT pg_terminate_backend(pid), pg_sleep($1)
				FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()`, 0.05+float64(rand.IntN(100))/1000)
			if err != nil {
				t.Error(err)
				return
			}
			killed.Add(tag.RowsAffected())
		}
	})
	var head book.Head
	var acked []book.Head
	for i := 0; killed.Load() < 20; i++ {
		row := batch(head, 10+rand.IntN(100_000))
		must(t, e.Append(t.Context(), row))
		head = headOf(row)
		acked = append(acked, head)
		if i%50 == 0 {
			must(t, e.Flush(t.Context(), &book.Change{At: headOf(row)}))
		}
	}
	stop()
	killer.Wait()
	t.Logf("%d sessions were ended during %d batches", killed.Load(), len(acked))
	mustHold(t, dsn, acked)
}

// mustHold checks that the journal is just the list.
func mustHold(t *testing.T, dsn string, acked []book.Head) {
	t.Helper()
	r, err := OpenReader(t.Context(), dsn, Options{Chain: chain})
	must(t, err)
	defer r.Close()
	v, err := r.View(t.Context())
	must(t, err)
	defer v.Close()
	n := 0
	must(t, v.Journal(t.Context(), 0, func(r book.Row) error {
		if n >= len(acked) || headOf(&r) != acked[n] {
			return fmt.Errorf("row %d is %d, which is not what was answered", n, r.Seq)
		}
		n++
		return nil
	}))
	if n != len(acked) {
		t.Errorf("%d batches were answered, %d are there", len(acked), n)
	}
}

// TestKilledServerLosesNothing: kill -9 of all processes of the server during
// appends, then a restart; the engine goes on by itself.
func TestKilledServerLosesNothing(t *testing.T) {
	s := pgtest.Start(t, pgtest.Options{})
	must(t, s.CreateDB("a"))
	file := filepath.Join(t.TempDir(), "head")
	e := open(t, s.DSN("a"), Options{HeadFile: file})
	var head book.Head
	var acked []book.Head
	for range 3 {
		warm, restarted, done := make(chan bool), make(chan bool), make(chan error)
		go func() {
			for {
				row := batch(head, 2000)
				if err := e.Append(context.Background(), row); err != nil {
					done <- err
					return
				}
				head = headOf(row)
				acked = append(acked, head)
				select {
				case <-restarted:
					done <- e.Flush(context.Background(), &book.Change{At: head})
					return
				case warm <- true: // taken once
				default:
				}
			}
		}()
		<-warm
		must(t, s.Kill())
		must(t, s.Restart())
		close(restarted)
		must(t, <-done)
	}
	t.Logf("%d batches", len(acked))
	kept, err := e.Kept(t.Context())
	if must(t, err); kept != head {
		t.Errorf("kept %v, not %v", kept, head)
	}
	mustHold(t, s.DSN("a"), acked)
}

// TestForgettingServerIsRefused: a server that comes back without a batch that it
// answered, or with tables that fell back, is not written to.
func TestForgettingServerIsRefused(t *testing.T) {
	for what, c := range map[string]struct {
		statement string
		want      error
	}{
		"journal": {"DELETE FROM journal WHERE seq = 2", book.ErrDamaged},
		"tables":  {"UPDATE progress SET applied = 1", book.ErrNotDurable},
	} {
		t.Run(what, func(t *testing.T) {
			dsn := pgtest.Schema(t)
			file := filepath.Join(t.TempDir(), "head")
			e := open(t, dsn, Options{HeadFile: file})
			one := batch(book.Head{}, 10)
			two := batch(headOf(one), 10)
			must(t, errors.Join(e.Append(t.Context(), one), e.Append(t.Context(), two), e.Flush(t.Context(), &book.Change{At: book.Head{Seq: 2}})))
			exec(t, session(t, dsn), c.statement)
			drop(e.line.conn)
			mustBe(t, e.Append(t.Context(), batch(headOf(two), 10)), c.want)
			mustBe(t, e.Flush(t.Context(), &book.Change{At: book.Head{Seq: 3}}), c.want)
			_, err := e.Load(t.Context(), book.Touch{})
			mustBe(t, err, c.want)
			must(t, e.Close())
			if again, err := Open(t.Context(), dsn, Options{Chain: chain, HeadFile: file}); what == "journal" {
				mustBe(t, err, book.ErrDamaged)
			} else {
				must(t, err)
				must(t, again.Close())
			}
		})
	}
}

// TestHeadAfterGivingUpStaysTrue: the caller's time ends while the statement
// waits; Head ends it for good, and then says what is in the journal.
func TestHeadAfterGivingUpStaysTrue(t *testing.T) {
	dsn := pgtest.Schema(t)
	e, other := open(t, dsn, Options{}), session(t, dsn)
	exec(t, other, "BEGIN")
	exec(t, other, "LOCK TABLE journal IN SHARE MODE")
	ctx, cancel := context.WithCancel(t.Context())
	answer := make(chan error)
	go func() { answer <- e.Append(ctx, batch(book.Head{}, 10)) }()
	waitFor(t, dsn, "SELECT 1 FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'")
	cancel()
	mustBe(t, <-answer, context.Canceled)
	head, err := e.Head(t.Context())
	must(t, err)
	exec(t, other, "COMMIT")
	must(t, e.Append(t.Context(), batch(head, 10)))
	if after, err := e.Head(t.Context()); err != nil || after.Seq != head.Seq+1 {
		t.Error(after, err)
	}
}

// TestSerializationFailureIsRetried: a real 40001 during Append and a real
// deadlock during Flush are not the caller's trouble.
func TestSerializationFailureIsRetried(t *testing.T) {
	dsn := pgtest.Schema(t)
	e, other := open(t, dsn, Options{}), session(t, dsn)
	answer := make(chan error)
	locked := "SELECT 1 FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"

	exec(t, e.line.conn, "SET default_transaction_isolation = 'repeatable read'")
	exec(t, other, "BEGIN")
	exec(t, other, "UPDATE writer SET pid = pid")
	go func() { answer <- e.Append(context.Background(), batch(book.Head{}, 10)) }()
	waitFor(t, dsn, locked)
	exec(t, other, "COMMIT")
	must(t, <-answer)

	c := sample()
	must(t, e.Flush(t.Context(), c))
	exec(t, other, "BEGIN")
	exec(t, other, "UPDATE accounts SET held = 0 WHERE part = 4095")
	next := &book.Change{At: book.Head{Seq: 2}, Accounts: []book.StateRow{{ID: c.Opened[0].ID}, {ID: c.Opened[1].ID}}}
	go func() { answer <- e.Flush(context.Background(), next) }()
	waitFor(t, dsn, locked)
	exec(t, other, "SET deadlock_timeout = '60s'") // so that the engine is the victim
	exec(t, other, "UPDATE accounts SET held = 0 WHERE part < 4095")
	exec(t, other, "COMMIT")
	must(t, <-answer)
	waitFor(t, dsn, "SELECT 1 FROM pg_stat_database WHERE datname = current_database() AND deadlocks > 0")
	sent, err := e.Load(t.Context(), touchOf(c))
	if must(t, err); sent.Accounts[0].Balance != 0 || sent.Accounts[1].Balance != 0 {
		t.Error(sent.Accounts)
	}
}

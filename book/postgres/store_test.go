package postgres

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"jiaozi/book"
	"jiaozi/internal/pgtest"

	"github.com/jackc/pgx/v5/pgconn"
)

// TestFlushIsAtomicAndNeverGoesBack: a change that cannot be made whole leaves
// no trace; one that comes again, or late, does nothing.
func TestFlushIsAtomicAndNeverGoesBack(t *testing.T) {
	e := open(t, pgtest.Schema(t), Options{})
	bad := sample()
	bad.Accounts = []book.StateRow{{ID: book.AccountID{1, 2, 3}}}
	mustBe(t, e.Flush(t.Context(), bad), book.ErrDamaged)
	sameView(t, e, &book.Change{})

	c := sample()
	must(t, e.Flush(t.Context(), c))
	must(t, e.Flush(t.Context(), c))
	sameView(t, e, c)
	late := sample()
	late.At.Seq, late.Opened[0].Balance = 0, 1
	must(t, e.Flush(t.Context(), late))
	sameView(t, e, c)
	c.At.Seq, c.Opened[0].Balance = 2, 1 // opened again: the journal is replayed over old tables
	must(t, e.Flush(t.Context(), c))
	sameView(t, e, c)
}

// TestTablesAreMadeOnce: of many processes that make the tables at once, all
// succeed and nothing is made twice; a second time changes nothing.
func TestTablesAreMadeOnce(t *testing.T) {
	dsn := pgtest.Schema(t)
	var all sync.WaitGroup
	for range 6 {
		conn := session(t, dsn)
		all.Go(func() {
			for range 2 {
				if err := migrate(context.Background(), conn, pause); err != nil {
					t.Error(err)
				}
			}
		})
	}
	all.Wait()
	e := open(t, dsn, Options{})
	findings, err := e.Inspect(t.Context())
	if must(t, err); len(findings) > 0 {
		t.Error(findings)
	}
}

// TestOtherStoresAreRefused: a newer version, somebody else's tables, no tables,
// a server that does not sync, a chain out of range: each with a clear error.
func TestOtherStoresAreRefused(t *testing.T) {
	refuses := func(t *testing.T, err error, words string) {
		t.Helper()
		if err == nil || !strings.Contains(err.Error(), words) {
			t.Errorf("%v, which lacks %q", err, words)
		}
	}
	newer, foreign, empty := pgtest.Schema(t), pgtest.Schema(t), pgtest.Schema(t)
	must(t, open(t, newer, Options{}).Close())
	exec(t, session(t, newer), "INSERT INTO versions VALUES (2)")
	exec(t, session(t, foreign), "CREATE TABLE accounts (v int)")
	_, err := Open(t.Context(), newer, Options{})
	refuses(t, err, "version 2")
	_, err = OpenReader(t.Context(), newer, Options{})
	refuses(t, err, "version 2")
	_, err = Open(t.Context(), foreign, Options{Wait: noWait})
	refuses(t, err, "not a book")
	_, err = OpenReader(t.Context(), empty, Options{})
	refuses(t, err, "no book")
	_, err = Open(t.Context(), empty, Options{Chain: 40000})
	refuses(t, err, "at most")

	s := pgtest.Start(t, pgtest.Options{Settings: map[string]string{"fsync": "off"}})
	_, err = Open(t.Context(), s.DSN("postgres"), Options{})
	refuses(t, err, "fsync=off")
}

func noWait(ctx context.Context, _ time.Duration) error { return ctx.Err() }

// TestDurabilityIsNotTurnedOff: a role or database whose commits do not wait is
// overruled for the journal.
func TestDurabilityIsNotTurnedOff(t *testing.T) {
	dsn := pgtest.Database(t)
	conn := session(t, dsn)
	for set, want := range map[string]string{"off": "on", "remote_apply": "remote_apply", "on": "on"} {
		exec(t, conn, "ALTER DATABASE "+conn.Config().Database+" SET synchronous_commit = "+set)
		e := open(t, dsn, Options{})
		var got string
		must(t, e.line.conn.QueryRow(t.Context(), "SHOW synchronous_commit").Scan(&got))
		if got != want {
			t.Errorf("%s became %s", set, got)
		}
		must(t, e.Close())
	}
}

// TestReaderStandsBesideTheWriter: a snapshot does not move, and a reader changes
// nothing.
func TestReaderStandsBesideTheWriter(t *testing.T) {
	dsn := pgtest.Schema(t)
	e := open(t, dsn, Options{})
	c := sample()
	row := batch(book.Head{}, 10)
	must(t, errors.Join(e.Append(t.Context(), row), e.Flush(t.Context(), c)))
	r, err := OpenReader(t.Context(), dsn, Options{Chain: chain, IndexDir: "x"})
	must(t, err)
	v, err := r.View(t.Context())
	must(t, err)
	must(t, errors.Join(e.Append(t.Context(), batch(headOf(row), 10)), e.Flush(t.Context(), &book.Change{At: book.Head{Seq: 2}, Done: []uint64{5}})))
	head, err := v.Head(t.Context())
	if must(t, err); head != headOf(row) {
		t.Error(head)
	}
	if _, err := v.(*snapshot).conn.Exec(t.Context(), "DELETE FROM outbox"); err == nil {
		t.Error("a reader may write")
	}
	must(t, v.Close())
	if kept, err := r.Kept(t.Context()); kept != (book.Head{}) || err != nil || r.IndexDir() != "x" {
		t.Error(kept, err)
	}
	must(t, r.Close())
}

// TestDamageIsNamed: a value of the wrong size, in a part that is not its key's,
// or out of range is damage to whoever reads it; Inspect tells of parts that do
// not exist, of other chains, of missing keys and changed columns.
func TestDamageIsNamed(t *testing.T) {
	for statement, inspected := range map[string]string{
		"UPDATE accounts SET id = id || '\\x00' WHERE part = 4095":    "",
		"UPDATE accounts SET part = 3 WHERE part = 4095":              "",
		"UPDATE accounts SET currency = 65536 WHERE part = 4095":      "",
		"UPDATE accounts SET normal = -1 WHERE part = 4095":           "",
		"UPDATE accounts SET part = 4096 WHERE part = 4095":           "accounts: 1 rows in parts that do not exist",
		"INSERT INTO journal VALUES (8, 1, '', '', '')":               "journal: 1 rows of another chain",
		"UPDATE journal SET prev = '\\x00'":                           "",
		"UPDATE journal SET seq = -1":                                 "",
		"ALTER TABLE holds DROP CONSTRAINT holds_pkey":                "indexes: of 8 primary keys 7 are there",
		"ALTER TABLE accounts ALTER COLUMN held TYPE integer USING 0": "tables: the columns are not as they were made",
		"DROP TABLE progress":                                         "",
	} {
		t.Run(statement, func(t *testing.T) {
			dsn := pgtest.Schema(t)
			e := open(t, dsn, Options{})
			must(t, errors.Join(e.Append(t.Context(), batch(book.Head{}, 10)), e.Flush(t.Context(), sample())))
			must(t, e.Close())
			exec(t, session(t, dsn), statement)
			r, err := OpenReader(t.Context(), dsn, Options{Chain: chain})
			must(t, err)
			defer r.Close()
			findings, err := r.Inspect(t.Context())
			if inspected != "" && (err != nil || !strings.Contains(fmt.Sprint(findings), inspected)) {
				t.Errorf("inspect: %v %v", findings, err)
			}
			if inspected == "" || strings.HasPrefix(inspected, "accounts") {
				mustBe(t, readAll(t, r), book.ErrDamaged)
			}
		})
	}
}

func readAll(t *testing.T, r *Reader) error {
	v, err := r.View(t.Context())
	if err != nil {
		return err
	}
	defer v.Close()
	return errors.Join(
		v.Journal(t.Context(), 0, func(book.Row) error { return nil }),
		v.Accounts(t.Context(), book.AccountID{}, func(book.AccountRow) error { return nil }))
}

// TestAmcheckIsUsed: with the extension the indexes are compared with their
// tables.
func TestAmcheckIsUsed(t *testing.T) {
	dsn := pgtest.Schema(t)
	e := open(t, dsn, Options{})
	must(t, e.Flush(t.Context(), sample()))
	exec(t, session(t, dsn), "CREATE EXTENSION amcheck")
	findings, err := e.Inspect(t.Context())
	if must(t, err); len(findings) > 0 {
		t.Error(findings)
	}
}

// TestNoPasswordInErrors: whatever is wrong with the way to the server.
func TestNoPasswordInErrors(t *testing.T) {
	s := pgtest.Shared(t)
	const password = "tulip-4711"
	for _, dsn := range []string{
		"postgres://postgres:" + password + "@127.0.0.1:1/x?connect_timeout=1",
		"postgres://postgres:" + password + "@%zz/x",
		"postgres://postgres:" + password + "@host:port/x",
		"host=" + s.Dir() + " password=" + password + " dbname=none user=postgres",
		"host=" + s.Dir() + " password='" + password + " dbname=none",
		strings.Replace(s.URL("postgres"), "postgres:", "postgres:"+password, 1),
	} {
		for _, err := range []error{
			func() error { _, err := Open(t.Context(), dsn, Options{Wait: noWait}); return err }(),
			func() error { _, err := OpenReader(t.Context(), dsn, Options{}); return err }(),
		} {
			if err == nil || strings.Contains(err.Error(), password) {
				t.Errorf("%v", err)
			}
		}
	}
}

// FuzzRow: no bytes of a server make a reader panic, and a row that is accepted
// is in its part.
func FuzzRow(f *testing.F) {
	f.Add([]byte{0x01, 0x20}, []byte("0123456789abcdef"), []byte{0, 0, 0, 0, 0, 0, 0, 1}, uint8(11))
	f.Fuzz(func(t *testing.T, small, key, big []byte, n uint8) {
		columns := make([][]byte, n%12)
		for i := range columns {
			columns[i] = [][]byte{small, key, big, nil, {1}, {0, 0, 1, 0}, small}[(int(n)+i)%7]
		}
		if a, err := (&row{columns: columns}).account(); err == nil && columns[0][1] != byte(a.ID.Part()) {
			t.Errorf("%x", columns)
		}
		for _, err := range []error{
			second((&row{columns: columns}).record()), second((&row{columns: columns}).hold()),
			second((&row{columns: columns}).pending()), second((&row{columns: columns}).journal()),
		} {
			if err != nil && !errors.Is(err, book.ErrDamaged) {
				t.Error(err)
			}
		}
	})
}

func second[T any](_ T, err error) error { return err }

// TestFaultsAreNamed: what the server says, and what it means for a batch.
func TestFaultsAreNamed(t *testing.T) {
	for code, want := range map[string]error{
		"53100": book.ErrFull, "XX001": book.ErrDamaged, "XX002": book.ErrDamaged, "42P01": book.ErrDamaged, "42703": book.ErrDamaged,
		"58030": nil, "53200": nil, "57014": nil, "25006": nil, "57P01": nil,
	} {
		err := fault(fmt.Errorf("x: %w", &pgconn.PgError{Code: code}))
		for _, kind := range []error{book.ErrFull, book.ErrDamaged, book.ErrNotDurable, book.ErrFenced} {
			if errors.Is(err, kind) != (kind == want) {
				t.Errorf("%s is %v", code, err)
			}
		}
	}
}

// TestViewsFindTheNewServer: after a restart the connections of the pool are
// dead, and nobody who asks for a view sees it.
func TestViewsFindTheNewServer(t *testing.T) {
	s := pgtest.Start(t, pgtest.Options{})
	e := open(t, s.DSN("postgres"), Options{})
	views := []book.View{view(t, e), view(t, e), view(t, e)}
	for _, v := range views {
		must(t, v.Close())
	}
	must(t, s.Kill())
	must(t, s.Restart())
	for range 4 {
		v := view(t, e)
		head, err := v.Head(t.Context())
		if must(t, err); head.Seq != 0 {
			t.Error(head)
		}
	}
	if e.Chain() != chain {
		t.Error(e.Chain())
	}
}

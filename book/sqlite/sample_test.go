package sqlite

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"jiaozi/book"
	"jiaozi/value/money"

	"zombiezen.com/go/sqlite"
	"zombiezen.com/go/sqlite/sqlitex"
)

const cny money.Currency = 156

// soak makes the exhaustive tests visit every byte; otherwise they visit every
// byte of the headers and some of the rest.
var soak = os.Getenv("JIAOZI_SOAK") != ""

func openEngine(t testing.TB, path string) *Engine {
	t.Helper()
	e, err := Open(path)
	if err != nil {
		t.Fatal(err)
	}
	return e
}

func closeEngine(t testing.TB, e *Engine) {
	t.Helper()
	if err := e.Close(); err != nil {
		t.Fatal(err)
	}
}

// rowAt is a row of a small journal; the engine does not look into it.
func rowAt(seq uint64, size int) *book.Row {
	body := bytes.Repeat(fmt.Appendf(nil, "batch %d ", seq), size/8+1)[:size]
	return &book.Row{Seq: seq, Prev: hashOf(seq - 1), Hash: hashOf(seq), Body: body}
}

func hashOf(seq uint64) book.Hash {
	if seq == 0 {
		return book.Hash{}
	}
	return sha256.Sum256(binary.BigEndian.AppendUint64(nil, seq))
}

func headAt(seq uint64) book.Head { return book.Head{Seq: seq, Hash: hashOf(seq)} }

// add appends n rows of a size, of which every third is large.
func add(t testing.TB, e *Engine, n int, size int) {
	t.Helper()
	head, err := e.Head(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for seq := head.Seq + 1; seq <= head.Seq+uint64(n); seq++ {
		if err := e.Append(t.Context(), rowAt(seq, size)); err != nil {
			t.Fatal(err)
		}
	}
}

func flush(t testing.TB, e *Engine, c *book.Change) {
	t.Helper()
	if err := e.Flush(t.Context(), c); err != nil {
		t.Fatal(err)
	}
}

func accountID(n int) book.AccountID { return book.AccountID(book.DeriveID("account", n)) }

func accountRow(n int) book.AccountRow {
	a := book.AccountRow{Account: book.Account{ID: accountID(n), Name: fmt.Sprint("account ", n), Normal: book.Credit, Currency: cny, NeverNegative: true, Line: 7}}
	a.AccountState = book.AccountState{Balance: money.Minor(n), Held: 1, Line: -3}
	return a
}

// sample is a change with a row of every kind.
func sample(seq uint64) *book.Change {
	key := func(s string) book.Key { return book.Key{Space: "cards", Key: s} }
	return &book.Change{
		At:     headAt(seq),
		Opened: []book.AccountRow{accountRow(1), accountRow(2)},
		Records: []book.RecordRow{
			{Key: key(""), Record: book.Record{Value: []byte{}, Version: 1}},
			{Key: key("gone"), Record: book.Record{Version: 4}},
			{Key: key("k"), Record: book.Record{Value: []byte("value"), Version: 2}},
			{Key: key("kk"), Record: book.Record{Value: []byte("other"), Version: 1}},
		},
		Holds: []book.HoldChange{holdRow(1), holdRow(2)},
		Outbox: []book.Pending{
			{Number: 9, Part: 77, Out: book.Out{Topic: "issuer", Key: []byte("key"), Body: []byte("body")}},
			{Number: 10, Part: 1, Out: book.Out{Topic: "other", Key: []byte{}, Body: []byte{}}},
			{Number: 11, Part: 0, Out: book.Out{Topic: "issuer", Key: []byte("key"), Body: []byte("body 2")}},
		},
	}
}

func holdRow(n int) book.HoldChange {
	leg := book.Leg{Account: accountID(1), Side: book.Debit, Amount: money.New(cny, money.Minor(n))}
	return book.HoldChange{ID: book.DeriveID("hold", n), Row: book.HoldRow{Leg: leg, Expires: -5}}
}

// storeFiles are what a crash of the process leaves of a store.
var storeFiles = []string{"", "-wal", ".head", ".tables", ".tables-wal"}

// snapshotOf copies them.
func snapshotOf(t testing.TB, path string) string {
	t.Helper()
	to := filepath.Join(t.TempDir(), filepath.Base(path))
	for _, suffix := range storeFiles {
		b, err := os.ReadFile(path + suffix)
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(to+suffix, b, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return to
}

// crashed is a store with n batches, all of them in the log, and tables that
// reflect the first.
func crashed(t testing.TB, n int) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "book.db")
	e := openEngine(t, path)
	defer e.Close()
	add(t, e, n, 250)
	flush(t, e, sample(1))
	return snapshotOf(t, path)
}

// closed is the same store without logs.
func closed(t testing.TB, n int) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "book.db")
	e := openEngine(t, path)
	add(t, e, n, 250)
	flush(t, e, sample(1))
	closeEngine(t, e)
	return path
}

// tamper changes a database behind everybody's back.
func tamper(t testing.TB, path, sql string) {
	t.Helper()
	conn, err := sqlite.OpenConn(path, sqlite.OpenReadWrite)
	if err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(sqlitex.ExecuteTransient(conn, sql, nil), conn.Close()); err != nil {
		t.Fatal(err)
	}
}

// journalRows reads the whole journal through a view.
func journalRows(t testing.TB, s book.Evidence) (rows []book.Row) {
	t.Helper()
	within(t, s, func(v book.View) {
		err := v.Journal(t.Context(), 0, func(r book.Row) error { rows = append(rows, r); return nil })
		if err != nil {
			t.Fatal(err)
		}
	})
	return rows
}

func within(t testing.TB, s book.Evidence, fn func(book.View)) {
	t.Helper()
	v, err := s.View(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	fn(v)
	if err := v.Close(); err != nil {
		t.Fatal(err)
	}
}

// dump reads every value of the tables through a view: what the store says.
func dump(t testing.TB, s book.Evidence) string {
	t.Helper()
	var out strings.Builder
	put := func(v ...any) error { _, err := fmt.Fprintf(&out, "%#v\n", v); return err }
	within(t, s, func(v book.View) {
		ctx := t.Context()
		applied, err := v.Applied(ctx)
		if err := errors.Join(err, put(applied),
			v.Accounts(ctx, book.AccountID{}, func(a book.AccountRow) error { return put(a) }),
			v.AllRecords(ctx, func(k book.Key, r book.Record) error { return put(k, r) }),
			v.Holds(ctx, func(id book.ID, h book.HoldRow) error { return put(id, h) }),
			v.AllOutbox(ctx, func(p book.Pending) error { return put(p) })); err != nil {
			t.Fatal(err)
		}
	})
	return out.String()
}

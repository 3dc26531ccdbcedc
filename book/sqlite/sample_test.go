package sqlite

import (
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

// command is one step of a small book that has a row in every table.
func command(n int) book.Command {
	named := func(name string, normal book.Side) book.Account {
		return book.Account{ID: book.AccountID(book.DeriveID(name)), Name: name, Normal: normal, Currency: cny, NeverNegative: normal == book.Credit}
	}
	bank, alice := named("bank", book.Debit), named("alice", book.Credit)
	amount := money.New(cny, money.Minor(100+n))
	c := book.Command{
		ID: book.DeriveID("sample", n), Event: "sample", Date: 20261122, Open: []book.Account{bank, alice},
		Once: []book.Once{{Space: "tap", Key: fmt.Appendf(nil, "card-%d", n), Value: []byte("proof")}},
		Put:  []book.Put{{Space: "cards", Key: []byte("k"), Expect: uint64(n), Value: fmt.Appendf(nil, "value %d", n)}},
		Out:  []book.Out{{Topic: "issuer", Key: []byte("key"), Body: fmt.Appendf(nil, "body %d", n)}},
		Note: []byte(strings.Repeat("note ", 20)),
		Legs: []book.Leg{{Account: bank.ID, Side: book.Debit, Amount: amount}, {Account: alice.ID, Side: book.Credit, Amount: amount}},
	}
	if n%3 == 2 {
		c.Kind, c.Legs = book.Hold, []book.Leg{{Account: alice.ID, Side: book.Debit, Amount: money.New(cny, 50)}}
	}
	return c
}

func openLedger(t testing.TB, path string) *book.Ledger {
	t.Helper()
	engine, err := Open(path)
	if err != nil {
		t.Fatal(err)
	}
	l, err := book.Open(t.Context(), engine)
	if err != nil {
		t.Fatal(err)
	}
	return l
}

func book1(t testing.TB, l *book.Ledger, n int) {
	t.Helper()
	r, err := l.Apply(t.Context(), []book.Command{command(n)})
	if err != nil || r[0].Code != book.OK {
		t.Fatalf("command %d: %v %v", n, r, err)
	}
}

// snapshot copies the files of a store as a crash of the process leaves them.
func snapshot(t testing.TB, path string) string {
	t.Helper()
	to := filepath.Join(t.TempDir(), filepath.Base(path))
	for _, suffix := range []string{"", "-wal", ".head"} {
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

// crashed is a store with n batches, all of them in the log.
func crashed(t testing.TB, n int) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "book.db")
	l := openLedger(t, path)
	defer l.Close()
	for i := range n {
		book1(t, l, i)
	}
	return snapshot(t, path)
}

// closed is a store with n batches and no log.
func closed(t testing.TB, n int) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "book.db")
	l := openLedger(t, path)
	for i := range n {
		book1(t, l, i)
	}
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	return snapshot(t, path)
}

// found reports whether an audit of the store sees anything wrong.
func found(t testing.TB, path string) bool {
	t.Helper()
	report, err := Verify(t.Context(), path)
	return err != nil || len(report.Findings) > 0
}

func sound(t testing.TB, path string) book.Report {
	t.Helper()
	report, err := Verify(t.Context(), path)
	if err != nil || len(report.Findings) > 0 {
		t.Fatalf("findings %v, error %v", report.Findings, err)
	}
	return report
}

// dump reads every value of every table with its type: what the store says,
// whoever reads it.
func dump(t testing.TB, path string) string {
	t.Helper()
	conn, err := sqlite.OpenConn(uri(path, "immutable=1"), sqlite.OpenReadOnly|sqlite.OpenURI)
	if err != nil {
		return "error: " + err.Error()
	}
	defer conn.Close()
	var out strings.Builder
	for _, table := range []string{"journal", "commands", "accounts", "onces", "records", "holds", "outbox"} {
		err := sqlitex.ExecuteTransient(conn, "SELECT * FROM "+table, &sqlitex.ExecOptions{ResultFunc: func(s *sqlite.Stmt) error {
			for col := range s.ColumnCount() {
				fmt.Fprintf(&out, "%v:%q|", s.ColumnType(col), s.ColumnText(col))
			}
			out.WriteByte('\n')
			return nil
		}})
		if err != nil {
			fmt.Fprintln(&out, "error:", err)
		}
	}
	return out.String()
}

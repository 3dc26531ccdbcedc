package sqlite

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"jiaozi/book"

	"zombiezen.com/go/sqlite"
	"zombiezen.com/go/sqlite/sqlitex"
)

// flipEach flips one byte of a file at a time and puts it back.
func flipEach(t *testing.T, path string, visit func(at int) bool, check func(at int)) {
	t.Helper()
	clean, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	f, err := os.OpenFile(path, os.O_RDWR, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	for at := range clean {
		if !visit(at) {
			continue
		}
		// One bit low or high, or all: each makes other kinds of damage.
		mask := [...]byte{0x01, 0xFF, 0x80}[at%3]
		if _, err := f.WriteAt([]byte{clean[at] ^ mask}, int64(at)); err != nil {
			t.Fatal(err)
		}
		check(at)
		if _, err := f.WriteAt(clean[at:at+1], int64(at)); err != nil {
			t.Fatal(err)
		}
	}
}

// Goal: an audit names damage to the log of a crashed store. Method: flip bytes
// in the headers of all frames and across their pages, and audit each time.
func TestAuditFindsAFlippedByteInTheLog(t *testing.T) {
	path := booked(t, 3, false)
	sound(t, path)
	visit := func(at int) bool { return at%311 == 0 || !inPage(at) && at%3 == 0 }
	if soak {
		visit = func(int) bool { return true }
	}
	flipEach(t, walPath(path), visit, func(at int) {
		if !found(t, path) {
			t.Fatalf("byte %d of the log changed and the audit is content", at)
		}
	})
	sound(t, path)
}

// Goal: an audit names damage to either database file. Method: flip bytes of
// every page and audit each time; if the audit is content, every row of every
// table must read exactly as before, so that the byte belonged to nothing.
func TestAuditFindsAFlippedByteInAnyRow(t *testing.T) {
	path := booked(t, 6, true)
	report := sound(t, path)
	if report.Entries != 6 {
		t.Fatalf("%d entries", report.Entries)
	}
	before := dumpFiles(t, path)
	for _, file := range []string{path, tablesPath(path)} {
		dead := 0
		flipEach(t, file, func(at int) bool { return soak || at%127 == 0 }, func(at int) {
			if found(t, path) {
				return
			}
			dead++
			if after := dumpFiles(t, path); after != before {
				t.Fatalf("byte %d of %s changed a row and the audit is content:\n%s\nwas\n%s", at, filepath.Base(file), after, before)
			}
		})
		t.Logf("%s: %d bytes that belong to nothing", filepath.Base(file), dead)
	}
	sound(t, path)
}

// Goal: the bytes of the journal rows themselves are all covered, with nothing
// excused. Method: find the stored rows in the file and flip each of their bytes.
func TestAuditFindsEveryByteOfAJournalRow(t *testing.T) {
	path := booked(t, 3, true)
	file, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	spans := journalSpans(t, path, file)
	visit := func(at int) bool {
		for _, s := range spans {
			if at >= s[0] && at < s[1] {
				return soak || at%11 == 0 || at < s[0]+16
			}
		}
		return false
	}
	flipEach(t, path, visit, func(at int) {
		if !found(t, path) {
			t.Fatalf("byte %d of a journal row changed and the audit is content", at)
		}
	})
}

// journalSpans locates the records of the journal in the file: each begins 8
// bytes or so before its prev hash (lengths, types, part, seq) and ends with its
// body, which is small enough to stand on one page.
func journalSpans(t *testing.T, path string, file []byte) (spans [][2]int) {
	t.Helper()
	r, err := OpenReader(path)
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	view, err := r.View(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer view.Close()
	err = view.Journal(t.Context(), 0, func(row book.Row) error {
		content := append(append(bytes.Clone(row.Prev[:]), row.Hash[:]...), row.Body...)
		at := bytes.Index(file, content)
		if at < 0 {
			t.Fatalf("row %d is not in one piece in the file", row.Seq)
		}
		spans = append(spans, [2]int{at - 8, at + len(content)})
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return spans
}

// Goal: each lie of one fact is found. Method: change one value with SQL, which
// leaves SQLite's own structure intact.
func TestOneFactCorruptionsAreFound(t *testing.T) {
	path := booked(t, 4, true)
	for _, sql := range []string{
		"UPDATE accounts SET balance = balance + 1 WHERE name = 'alice'",
		"UPDATE accounts SET balance = balance + 1",
		"UPDATE accounts SET held = 0 WHERE name = 'alice'",
		"UPDATE accounts SET name = 'mallory' WHERE name = 'alice'",
		"UPDATE accounts SET never_negative = 0 WHERE name = 'alice'",
		"UPDATE accounts SET normal = 3 - normal WHERE name = 'alice'",
		"UPDATE accounts SET currency = 344 WHERE name = 'alice'",
		"UPDATE accounts SET line = 5 WHERE name = 'alice'",
		"UPDATE accounts SET opened_line = 5 WHERE name = 'alice'",
		"UPDATE accounts SET closed = 1 WHERE name = 'alice'",
		"UPDATE accounts SET part = part + 1 WHERE name = 'alice'",
		"DELETE FROM accounts WHERE name = 'alice'",
		"INSERT INTO accounts SELECT part, randomblob(16), 'extra', 1, 156, 0, 0, 0, 0, 0, 0 FROM accounts LIMIT 1",
		"UPDATE records SET value = x'00'",
		"UPDATE records SET value = NULL",
		"UPDATE records SET version = version + 1",
		"DELETE FROM records",
		"DELETE FROM holds",
		"UPDATE holds SET left = left - 1",
		"UPDATE holds SET expires = 5",
		"UPDATE holds SET side = 2",
		"DELETE FROM outbox WHERE number = (SELECT max(number) FROM outbox)",
		"UPDATE outbox SET body = x'00'",
		"UPDATE outbox SET topic = 'elsewhere'",
		"UPDATE outbox SET number = number + 1",
		"DELETE FROM journal WHERE seq = 2",
		"UPDATE journal SET seq = 9 WHERE seq = 4",
		"UPDATE journal SET part = 1 WHERE seq = 4",
		"UPDATE journal SET prev = x'" + strings.Repeat("00", 32) + "' WHERE seq = 3",
		"UPDATE journal SET hash = x'" + strings.Repeat("00", 32) + "' WHERE seq = 3",
		"UPDATE journal SET hash = x'00' WHERE seq = 3",
		"UPDATE journal SET body = (SELECT body FROM journal WHERE seq = 1) WHERE seq = 3",
		"UPDATE journal SET body = CAST(body || x'00' AS BLOB) WHERE seq = 4",
		"INSERT INTO journal SELECT part, 5, hash, prev, body FROM journal WHERE seq = 4",
		"DROP INDEX outbox_topic",
		"DROP TABLE holds",
		"UPDATE progress SET applied = applied - 1",
		"UPDATE progress SET applied = applied + 1",
		"UPDATE progress SET hash = zeroblob(32)",
		"DELETE FROM progress",
	} {
		copied := snapshotOf(t, path)
		file := tablesPath(copied)
		if strings.Contains(sql, "journal") {
			file = copied
		}
		tamper(t, file, sql)
		if !found(t, copied) {
			t.Errorf("nobody saw: %s", sql)
		}
	}
}

// dumpFiles reads every value of every table with its type: what the store says,
// whoever reads it.
func dumpFiles(t testing.TB, path string) string {
	t.Helper()
	return dumpFile(path, "journal") + dumpFile(tablesPath(path), "accounts", "records", "holds", "outbox", "progress")
}

func dumpFile(path string, tables ...string) string {
	conn, err := sqlite.OpenConn(uri(path, "immutable=1"), sqlite.OpenReadOnly|sqlite.OpenURI)
	if err != nil {
		return "error: " + err.Error()
	}
	defer conn.Close()
	var out strings.Builder
	for _, table := range tables {
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

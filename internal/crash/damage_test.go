package crash

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"zombiezen.com/go/sqlite"
	"zombiezen.com/go/sqlite/sqlitex"
)

// settled is a data directory after one whole demo, closed in good order: a copy
// of one that is made once.
func settled(t *testing.T) string {
	t.Helper()
	golden := filepath.Join(scratch, "settled")
	if _, err := os.Stat(golden); err != nil {
		mustPlayDemo(t, golden)
		mustConserve(t, golden)
	}
	dir := filepath.Join(t.TempDir(), "data")
	if out, err := exec.Command("cp", "-a", golden, dir).CombinedOutput(); err != nil {
		t.Fatalf("copy: %v %s", err, out)
	}
	return dir
}

func readFile(t *testing.T, path string) []byte {
	t.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func writeFile(t *testing.T, path string, b []byte) {
	t.Helper()
	if err := os.WriteFile(path, b, 0o600); err != nil {
		t.Fatal(err)
	}
}

// flipped has one bit of one byte changed.
func flipped(b []byte, at int) []byte {
	b = bytes.Clone(b)
	b[at] ^= 0x10
	return b
}

// mustAccuse: the audit ends with exit 5 and names what it found, in JSON or, if
// a file cannot even be opened, in the error.
func mustAccuse(t *testing.T, dir, what string) {
	t.Helper()
	r := play(t, audit(dir)...)
	if r.code != exitIntegrity {
		t.Errorf("%s: the audit must end with exit %d\n%s", what, exitIntegrity, r)
		return
	}
	if len(strings.TrimSpace(r.errors)) < 20 {
		t.Errorf("%s: the audit must say what it found\n%s", what, r)
	}
	var doc report
	if len(r.out) == 0 {
		return
	}
	if err := json.Unmarshal(r.out, &doc); err != nil || doc.Conserved || len(doc.Findings) == 0 || !strings.Contains(r.errors, doc.Findings[0].Text) {
		t.Errorf("%s: %v\n%s", what, err, r)
	}
}

// liveRows finds the places in the database file where bodies of journal rows
// lie. SQLite leaves old copies behind when it rebuilds a page; a body of which
// there are two is left out, since one of them is nobody's.
func liveRows(t *testing.T, path string, file []byte) []int {
	t.Helper()
	conn, err := sqlite.OpenConn(path, sqlite.OpenReadOnly)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	var places []int
	err = sqlitex.ExecuteTransient(conn, "SELECT body FROM journal ORDER BY seq", &sqlitex.ExecOptions{ResultFunc: func(row *sqlite.Stmt) error {
		body := make([]byte, min(100, row.ColumnLen(0))) // the beginning lies in one piece
		row.ColumnBytes(0, body)
		if bytes.Count(file, body) == 1 {
			places = append(places, bytes.Index(file, body))
		}
		return nil
	}})
	if err != nil {
		t.Fatal(err)
	}
	return places
}

// One byte of a journal row changed, by whatever: the audit says so, and goes on
// saying so until the byte is mended.
func TestAuditNamesADamagedJournalRow(t *testing.T) {
	dir := settled(t)
	path := filepath.Join(dir, "book", "journal.db")
	whole := readFile(t, path)
	places := liveRows(t, path, whole)
	if len(places) < 10 {
		t.Fatalf("%d rows of the journal were found in the database", len(places))
	}
	for _, n := range []int{0, len(places) / 3, len(places) / 2, len(places) - 1} {
		const inside = 20
		writeFile(t, path, flipped(whole, places[n]+inside))
		mustAccuse(t, dir, fmt.Sprintf("byte %d of row %d of the journal", inside, n))
	}
	writeFile(t, path, whole)
	mustConserve(t, dir)
}

// SQLite silently drops what follows a damaged frame of its log. A byte changed
// in the log that a crash left behind is found all the same.
func TestAuditNamesADamagedLogFrame(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "data")
	took := mustPlayDemo(t, dir).took
	wal := filepath.Join(dir, "book", "journal.db-wal")
	for part := time.Duration(9); ; part-- {
		if info, err := os.Stat(wal); err == nil && info.Size() > 0 {
			break
		}
		if part == 0 {
			t.Fatal("no kill left a log behind")
		}
		playFor(t, took*part/10, demo(dir)...)
	}
	whole := readFile(t, wal)
	const header, frame = 32, 24 + 4096
	frames := (len(whole) - header) / frame
	dice := rand.New(rand.NewPCG(1, 2))
	for range 4 {
		// The first half: the kill may have torn the last commit, which nobody was told of.
		at := header + dice.IntN(max(1, frames/2))*frame + dice.IntN(frame)
		writeFile(t, wal, flipped(whole, at))
		mustAccuse(t, dir, "frame of the log")
		r := play(t, demo(dir)...)
		if r.code != exitIntegrity {
			t.Errorf("byte %d of %d of the log: the demo must refuse\n%s", at, len(whole), r)
			return // it has changed the files
		}
	}
	writeFile(t, wal, whole)
	mustPlayDemo(t, dir)
	mustConserve(t, dir)
}

// Damage outside the book: each file says what is wrong with it and keeps the
// program from going on, and mending it is enough.
func TestDamagedFilesAreNamed(t *testing.T) {
	dir := settled(t)
	for _, row := range []struct {
		file  string
		why   string
		wreck func([]byte) []byte
	}{
		{"cards/alice-1.card", "a byte of the card's sealed image", func(b []byte) []byte { return flipped(b, len(b)/2) }},
		{"cards/alice-1.card", "a card file cut short", func(b []byte) []byte { return b[:len(b)/3] }},
		{"cards/alice-1.card", "an empty card file", func([]byte) []byte { return nil }},
		{"terminals/TEA00001/journal", "a byte in the terminal's journal", func(b []byte) []byte { return flipped(b, len(b)/2) }},
		{"book/journal.db.head", "the head outside the book", func(b []byte) []byte { return flipped(b, len(b)/2) }},
		{"book/journal.db", "a database cut short", func(b []byte) []byte { return b[:len(b)/2] }},
		{"book/journal.db", "a database that is none", func([]byte) []byte { return []byte("this is no database at all, whatever its name says") }},
	} {
		path := filepath.Join(dir, filepath.FromSlash(row.file))
		whole := readFile(t, path)
		writeFile(t, path, row.wreck(whole))
		mustAccuse(t, dir, row.why)
		writeFile(t, path, whole)
	}
	mustConserve(t, dir)
	mustPlayDemo(t, dir)
}

// A demo whose own audit finds something must not end as if all were well: it
// says so in the summary, names the finding, and ends with the code of damage.
func TestDemoEndsWithItsAudit(t *testing.T) {
	dir := settled(t)
	path := filepath.Join(dir, "cards", "alice-1.card")
	whole := readFile(t, path)
	writeFile(t, path, flipped(whole, len(whole)/2))
	r := play(t, demo(dir)...)
	if r.code != exitIntegrity || !strings.Contains(r.errors, "alice-1.card") || !bytes.Contains(r.out, []byte(`"conserved":false`)) {
		t.Errorf("%s", r)
	}
	writeFile(t, path, whole)
	mustPlayDemo(t, dir)
	mustConserve(t, dir)
}

// A file without which nothing opens: the commands fail with words. A sealed or
// checked file is known to be damaged; one that people edit may be a slip.
func TestUnreadableSchemeIsRefusedWithWords(t *testing.T) {
	dir := settled(t)
	for _, row := range []struct {
		file string
		code int
	}{
		{"vault.age", exitIntegrity},
		{"trust.json", exitIntegrity},
		{"scheme.json", exitUsage},
		{"scheme.key", exitUsage},
	} {
		path := filepath.Join(dir, row.file)
		whole := readFile(t, path)
		writeFile(t, path, flipped(whole, len(whole)/2))
		for _, args := range [][]string{demo(dir), audit(dir)} {
			if r := play(t, args...); r.code != row.code || !strings.Contains(r.errors, row.file) {
				t.Errorf("%s damaged, exit %d expected\n%s", row.file, row.code, r)
			}
		}
		writeFile(t, path, whole)
	}
	mustPlayDemo(t, dir)
	mustConserve(t, dir)
}

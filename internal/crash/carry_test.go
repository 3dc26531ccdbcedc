package crash

import (
	"encoding/json"
	"os"
	"path/filepath"
	"testing"
	"time"
)

const carryKills = 8

// Goal: carrying a book can be cut short anywhere and begun again. Method: kill
// restore, import and rebuild at moments spread over the time that each takes,
// then let each end: the head is that of the book, and the audit finds nothing.
func TestKilledWhileABookIsCarried(t *testing.T) {
	if testing.Short() {
		t.Skip("kills the program many times; left out of -short")
	}
	dir := settled(t)
	files := t.TempDir()
	text, copied := filepath.Join(files, "book.ndjson"), filepath.Join(files, "copy.db")
	head := headOf(t, "export", text, dir)
	if got := headOf(t, "backup", copied, dir); got != head {
		t.Fatal(got, head)
	}
	for _, verb := range [][2]string{{"restore", copied}, {"import", text}, {"rebuild", ""}} {
		t.Run(verb[0], func(t *testing.T) {
			began := time.Now()
			again(t, verb, dir, head)
			took := time.Since(began)
			for n := range carryKills {
				empty(t, verb[0], dir)
				r := playFor(t, took*time.Duration(n+1)/(carryKills+1), carry(verb[0], verb[1], dir)...)
				if r.code > 0 {
					t.Fatal(r)
				}
				next := verb
				if verb[0] == "restore" && present(dir) {
					next = [2]string{"rebuild", ""} // it was killed when all was in place
				}
				if got := headOf(t, next[0], next[1], dir); got != head {
					t.Fatalf("kill %d: %s", n, got)
				}
				mustConserve(t, dir)
			}
		})
	}
}

func again(t *testing.T, verb [2]string, dir, head string) {
	t.Helper()
	empty(t, verb[0], dir)
	if got := headOf(t, verb[0], verb[1], dir); got != head {
		t.Fatal(got, head)
	}
	mustConserve(t, dir)
}

// empty takes the book away from those who bring one.
func empty(t *testing.T, verb, dir string) {
	t.Helper()
	if verb == "rebuild" {
		return
	}
	home := filepath.Join(dir, "book")
	if err := os.RemoveAll(home); err != nil {
		t.Fatal(err)
	}
	if err := os.Mkdir(home, 0o700); err != nil {
		t.Fatal(err)
	}
}

// present reports whether the book's folder has something in it: then it is a
// whole book.
func present(dir string) bool {
	there, err := os.ReadDir(filepath.Join(dir, "book"))
	return err == nil && len(there) > 0
}

func carry(verb, file, dir string) []string {
	args := []string{"book", verb, "--data", dir, "-o", "json"}
	if file != "" {
		args = append(args, file)
	}
	return args
}

func headOf(t *testing.T, verb, file, dir string) string {
	t.Helper()
	r := play(t, carry(verb, file, dir)...)
	var report struct{ Head string }
	if err := json.Unmarshal(r.out, &report); r.code != 0 || err != nil || report.Head == "" {
		t.Fatal(r)
	}
	return report.Head
}

package main

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"jiaozi/internal/pgtest"
	"jiaozi/node"
)

// bank is a small scheme with one account that was paid into.
type bank struct {
	t       *testing.T
	dir     string
	account string
}

func newBank(t *testing.T) *bank {
	t.Helper()
	b := &bank{t: t, dir: filepath.Join(t.TempDir(), "data")}
	b.run("init", "--test")
	var card struct{ Account string }
	b.into(&card, "card", "new", "--file", b.file("card"), "--balance", "10.00", "-o", "json")
	b.account = card.Account
	b.deposit("1")
	return b
}

func (b *bank) run(args ...string) string {
	b.t.Helper()
	return runOK(b.t, append(args, "--data", b.dir)...)
}

func (b *bank) into(v any, args ...string) {
	b.t.Helper()
	if err := json.Unmarshal([]byte(b.run(args...)), v); err != nil {
		b.t.Fatal(err)
	}
}

func (b *bank) deposit(voucher string) {
	b.t.Helper()
	b.run("account", "deposit", "--account", b.account, "--amount", "50.00", "--voucher", voucher)
}

func (b *bank) file(name string) string { return filepath.Join(filepath.Dir(b.dir), name) }

func (b *bank) key() string { return filepath.Join(b.dir, "book.pub") }

// exit runs a command line that is to fail and gives its exit code.
func (b *bank) exit(args ...string) int {
	b.t.Helper()
	_, code := run(b.t, b.t.Context(), "", args...)
	return code
}

// Goal: a customer checks his balance with a file and a public key, and a file
// that was altered in any way ends with exit 5.
func TestACustomerChecksAnEntryOffline(t *testing.T) {
	b := newBank(t)
	if got := b.exit("prove", "--account", b.account, "--data", b.dir); got != exitUsage {
		t.Fatalf("a proof without a checkpoint: exit %d", got)
	}
	note := b.run("checkpoint")
	file := b.file("deposit.tlog-proof")
	b.run("prove", "--account", b.account, "--out", file)
	var shown provenDoc
	check := func(path string) string { return runOK(t, "verify", path, "--key", b.key(), "-o", "json") }
	if err := json.Unmarshal([]byte(check(file)), &shown); err != nil {
		t.Fatal(err)
	}
	if !shown.Proven || shown.Outcome != "ok" || !strings.HasPrefix(note, shown.Origin+"\n") || len(shown.Legs) != 2 || shown.Legs[1].Balance != "50.00" {
		t.Fatalf("%+v", shown)
	}
	b.run("prove", "--id", shown.ID, "--out", b.file("again"))
	if !strings.Contains(check(b.file("again")), shown.ID) {
		t.Fatal("by id")
	}
	b.lies(file)

	// The day's end signs by itself, and adds to what was signed.
	b.deposit("2")
	b.run("day")
	b.run("prove", "--since", shown.Signed, "--out", b.file("extension"))
	var grown extensionDoc
	if err := json.Unmarshal([]byte(check(b.file("extension"))), &grown); err != nil || !grown.Proven {
		t.Fatal(grown, err)
	}
}

// lies alters a proof.
func (b *bank) lies(file string) {
	b.t.Helper()
	good, err := os.ReadFile(file)
	if err != nil {
		b.t.Fatal(err)
	}
	other := newKey(b.t)
	for what, args := range map[string][]string{
		"cut":         {b.altered(good[:len(good)-3]), b.key()},
		"another key": {file, other},
		"amount":      {b.altered(swapByte(b.t, good)), b.key()},
	} {
		if got := b.exit("verify", args[0], "--key", args[1]); got != exitIntegrity {
			b.t.Errorf("%s: exit %d", what, got)
		}
	}
	for what, args := range map[string][]string{
		"no such file": {"verify", file + "x", "--key", b.key()}, "no key": {"verify", file}, "not a key": {"verify", file, "--key", file},
		"two questions": {"prove", "--id", "00", "--account", "x", "--data", b.dir}, "no question": {"prove", "--data", b.dir},
		"not an id": {"prove", "--id", "zz", "--data", b.dir}, "unknown id": {"prove", "--id", strings.Repeat("ab", 16), "--data", b.dir},
		"unknown account": {"prove", "--account", "nobody", "--data", b.dir}, "no such day": {"prove", "--since", "2020-01-01", "--data", b.dir},
	} {
		if got := b.exit(args...); got != exitUsage {
			b.t.Errorf("%s: exit %d", what, got)
		}
	}
}

func (b *bank) altered(raw []byte) string {
	b.t.Helper()
	path := b.file("altered")
	if err := os.WriteFile(path, raw, 0o600); err != nil {
		b.t.Fatal(err)
	}
	return path
}

// swapByte changes a byte inside the entry that a proof carries.
func swapByte(t *testing.T, file []byte) []byte {
	t.Helper()
	lines := bytes.SplitN(file, []byte("\n"), 3)
	leaf, err := base64.StdEncoding.DecodeString(string(bytes.TrimPrefix(lines[1], []byte("extra "))))
	if err != nil {
		t.Fatal(err)
	}
	leaf[len(leaf)-1] ^= 1
	lines[1] = []byte("extra " + base64.StdEncoding.EncodeToString(leaf))
	return bytes.Join(lines, []byte("\n"))
}

// newKey is the public key of another bank of the same name.
func newKey(t *testing.T) string {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "data")
	runOK(t, "init", "--test", "--data", dir)
	return filepath.Join(dir, "book.pub")
}

// Goal: a book that is lost comes back from a backup or from text, the same to
// the last hash. Method: both ways, and back to a running scheme.
func TestABookComesBack(t *testing.T) {
	b := newBank(t)
	b.run("checkpoint")
	var before, got node.BookReport
	b.into(&before, "book", "export", b.file("book.ndjson"), "-o", "json")
	b.into(&got, "book", "backup", b.file("copy.db"), "-o", "json")
	if got.Head != before.Head || before.Batches == 0 {
		t.Fatal(before, got)
	}
	if text := b.run("book", "export", "-"); !strings.HasPrefix(text, `{"format":"jiaozi-journal"`) || strings.Count(text, "\n") != int(before.Batches+before.Entries)+2 {
		t.Fatal(text)
	}
	for what, again := range map[string][]string{
		"backup": {"book", "restore", b.file("copy.db"), "-o", "json"}, "text": {"book", "import", b.file("book.ndjson"), "-o", "json"},
	} {
		if err := os.RemoveAll(filepath.Join(b.dir, "book")); err != nil {
			t.Fatal(err)
		}
		if err := os.Mkdir(filepath.Join(b.dir, "book"), 0o700); err != nil {
			t.Fatal(err)
		}
		got = node.BookReport{}
		b.into(&got, again...)
		if got.Head != before.Head || got.Appended+got.Batches == 0 {
			t.Fatal(what, got)
		}
		b.into(&got, "book", "rebuild", "-o", "json")
		if got.Head != before.Head || !auditOK(t, b.dir).Conserved {
			t.Fatal(what, got)
		}
	}
	b.run("book", "import", b.file("book.ndjson"), "--check")
	for what, args := range map[string][]string{
		"restore over a book":    {"book", "restore", b.file("copy.db")},
		"export over a file":     {"book", "export", b.file("copy.db")},
		"backup over a file":     {"book", "backup", b.file("copy.db")},
		"import of another file": {"book", "import", b.file("copy.db")},
	} {
		if code := b.exit(append(args, "--data", b.dir)...); code != exitUsage {
			t.Errorf("%s: exit %d", what, code)
		}
	}
}

// Goal: going back to an old backup is noticed: what was signed is not there.
func TestAnOldBackupIsNoticed(t *testing.T) {
	b := newBank(t)
	b.run("book", "backup", b.file("copy.db"))
	b.deposit("3")
	b.run("checkpoint")
	if err := os.RemoveAll(filepath.Join(b.dir, "book")); err != nil {
		t.Fatal(err)
	}
	if code := b.exit("book", "restore", b.file("copy.db"), "--data", b.dir); code != exitIntegrity {
		t.Errorf("restore: exit %d", code)
	}
	for _, verb := range []string{"checkpoint", "audit", "day"} {
		if code := b.exit(verb, "--data", b.dir); code != exitIntegrity {
			t.Errorf("%s: exit %d", verb, code)
		}
	}
}

// Goal: a checkpoint that somebody else signed convinces nobody in the house,
// although he put his key and his checkpoint into our folder.
func TestAForgedCheckpointIsAFinding(t *testing.T) {
	b, forger := newBank(t), newBank(t)
	b.run("checkpoint")
	forger.run("checkpoint")
	for _, path := range []string{"book.pub", "checkpoints"} {
		if err := os.RemoveAll(filepath.Join(b.dir, path)); err != nil {
			t.Fatal(err)
		}
		if err := os.Rename(filepath.Join(forger.dir, path), filepath.Join(b.dir, path)); err != nil {
			t.Fatal(err)
		}
	}
	for _, verb := range []string{"audit", "checkpoint"} {
		if code := b.exit(verb, "--data", b.dir); code != exitIntegrity {
			t.Errorf("%s: exit %d", verb, code)
		}
	}
}

// Goal: a book moves to a database server and back as text and stays the same
// book: hashes, checkpoints, proofs. Method: a scheme is carried over, works
// there, and is carried home.
func TestABookMovesBetweenEngines(t *testing.T) {
	server := pgtest.Start(t, pgtest.Options{})
	if err := server.CreateDB("book"); err != nil {
		t.Fatal(err)
	}
	b := newBank(t)
	b.run("checkpoint")
	b.run("prove", "--account", b.account, "--out", b.file("before"))
	b.carry(server.SocketURL("book"), "out")
	b.run("prove", "--account", b.account, "--out", b.file("after"))
	before, err1 := os.ReadFile(b.file("before"))
	after, err2 := os.ReadFile(b.file("after"))
	if err1 != nil || err2 != nil || !bytes.Equal(before, after) {
		t.Fatal("another proof", err1, err2)
	}
	b.deposit("on the server")
	b.run("day")
	if code := b.exit("book", "backup", b.file("copy.db"), "--data", b.dir); code != exitUsage {
		t.Errorf("backup of a server: exit %d", code)
	}
	b.carry("", "home")
	b.deposit("at home")
	b.run("day")
	b.run("prove", "--account", b.account, "--out", b.file("last"))
	var shown provenDoc
	if err := json.Unmarshal([]byte(runOK(t, "verify", b.file("last"), "--key", b.key(), "-o", "json")), &shown); err != nil || shown.Legs[1].Balance != "150.00" {
		t.Fatal(shown, err)
	}
}

// carry moves the book to another store, as docs/proofs.md says.
func (b *bank) carry(store, name string) {
	b.t.Helper()
	var before, after node.BookReport
	b.into(&before, "book", "export", b.file(name), "-o", "json")
	if err := os.Rename(filepath.Join(b.dir, "book"), b.file(name+".book")); err != nil {
		b.t.Fatal(err)
	}
	if err := os.Mkdir(filepath.Join(b.dir, "book"), 0o700); err != nil {
		b.t.Fatal(err)
	}
	path := filepath.Join(b.dir, "scheme.json")
	raw, err := os.ReadFile(path)
	if err != nil {
		b.t.Fatal(err)
	}
	var scheme map[string]any
	if err := json.Unmarshal(raw, &scheme); err != nil {
		b.t.Fatal(err)
	}
	if scheme["store"] = store; store == "" {
		delete(scheme, "store")
	}
	if raw, err = json.Marshal(scheme); err == nil {
		err = os.WriteFile(path, raw, 0o600)
	}
	if err != nil {
		b.t.Fatal(err)
	}
	b.into(&after, "book", "import", b.file(name), "-o", "json")
	if after.Head != before.Head || after.Appended != before.Batches || after.SignedTo == "" {
		b.t.Fatalf("%+v %+v", before, after)
	}
	if !auditOK(b.t, b.dir).Conserved {
		b.t.Fatal("audit")
	}
}

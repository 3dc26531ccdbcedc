package walletfile

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"filippo.io/age"
)

// cheap is scrypt's work in tests.
const cheap = 3

func pass(t *testing.T, text string) Secret {
	t.Helper()
	s, err := Passphrase(text, cheap)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func made(t *testing.T, secret Secret, state string) (*File, string) {
	t.Helper()
	path := filepath.Join(t.TempDir(), "wallet")
	f, err := Create(path, secret)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = f.Close() })
	if b, err := f.Load(); b != nil || err != nil {
		t.Fatalf("a new wallet holds %d bytes: %v", len(b), err)
	}
	if err := f.Save([]byte(state)); err != nil {
		t.Fatal(err)
	}
	return f, path
}

func reopened(t *testing.T, path string, secret Secret) string {
	t.Helper()
	f, err := Open(path, secret)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	b, err := f.Load()
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

// Goal: what was saved is what is opened, under passphrase and key file, and
// nothing of it shows in the file.
func TestSavedStateComesBack(t *testing.T) {
	id, err := age.GenerateX25519Identity()
	if err != nil {
		t.Fatal(err)
	}
	for name, secret := range map[string]Secret{"passphrase": pass(t, "open sesame"), "key file": Key(id)} {
		f, path := made(t, secret, "first state")
		if err := f.Save([]byte("second state")); err != nil {
			t.Fatal(err)
		}
		if err := f.Close(); err != nil {
			t.Fatal(err)
		}
		raw, err := os.ReadFile(path)
		if err != nil || bytes.Contains(raw, []byte("state")) {
			t.Fatal(name, "shows its state", err)
		}
		if info, err := os.Stat(path); err != nil || info.Mode().Perm() != 0o600 {
			t.Fatal(name, info.Mode(), err)
		}
		if got := reopened(t, path, secret); got != "second state" {
			t.Fatalf("%s: %q", name, got)
		}
	}
}

// Goal: each wrong opening is refused for its own reason.
func TestWrongOpeningsSayWhatToDo(t *testing.T) {
	f, path := made(t, pass(t, "right"), "state")
	if _, err := Open(path, pass(t, "right")); !errors.Is(err, ErrBusy) {
		t.Fatal("two wallets on one file:", err)
	}
	if _, err := Create(path, pass(t, "right")); !errors.Is(err, ErrBusy) {
		t.Fatal(err)
	}
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
	if _, err := Create(path, pass(t, "right")); !errors.Is(err, ErrExists) {
		t.Fatal("overwritten:", err)
	}
	if _, err := Open(path, pass(t, "wrong")); !errors.Is(err, ErrForeign) || strings.Contains(err.Error(), "wrong") {
		t.Fatal(err)
	}
	if _, err := Open(path+"2", pass(t, "right")); !errors.Is(err, os.ErrNotExist) {
		t.Fatal(err)
	}
	if _, err := os.Stat(path + "2.lock"); err == nil {
		t.Fatal("a lock is left beside a file that is not there")
	}
	if _, err := Open(path, Secret{}); err == nil {
		t.Fatal("opened with nothing")
	}
	for _, s := range []struct {
		text string
		cost int
	}{{"", cheap}, {"x", 0}, {"x", 63}} {
		if _, err := Passphrase(s.text, s.cost); err == nil {
			t.Fatalf("passphrase %q with cost %d", s.text, s.cost)
		}
	}
}

// Goal: no change of the file goes unnoticed. Method: flip a bit of each byte, cut
// at each length.
func TestDamageIsNoticed(t *testing.T) {
	secret := pass(t, "right")
	whole, err := Seal([]byte("state"), secret)
	if err != nil {
		t.Fatal(err)
	}
	for i := range whole {
		bad := bytes.Clone(whole)
		bad[i] ^= 1 << (i % 8)
		if _, err := Unseal(bad, secret); !errors.Is(err, ErrDamaged) && !errors.Is(err, ErrForeign) {
			t.Fatalf("byte %d: %v", i, err)
		}
		if _, err := Unseal(whole[:i], secret); !errors.Is(err, ErrDamaged) {
			t.Fatalf("cut to %d: %v", i, err)
		}
	}
	if got, err := Unseal(whole, secret); err != nil || string(got) != "state" {
		t.Fatal(string(got), err)
	}
	if _, err := Seal(make([]byte, MaxState+1), secret); err == nil {
		t.Fatal("a state beyond its bound is sealed")
	}
}

// Goal: a full disk leaves the old state, says so, and nothing is written before
// the file was read again.
func TestFullDiskKeepsTheOldState(t *testing.T) {
	secret := pass(t, "right")
	f, path := made(t, secret, "old")
	real := f.write
	f.write = func(string, []byte, os.FileMode) error { return fmt.Errorf("write: %w", syscall.ENOSPC) }
	if err := f.Save([]byte("new")); !errors.Is(err, ErrFull) {
		t.Fatal(err)
	}
	f.write = real
	if err := f.Save([]byte("new")); !errors.Is(err, ErrStopped) {
		t.Fatal("written over an unknown state:", err)
	}
	if b, err := f.Load(); err != nil || string(b) != "old" {
		t.Fatal(string(b), err)
	}
	if err := f.Save([]byte("new")); err != nil {
		t.Fatal(err)
	}
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
	if err := f.Save([]byte("late")); !errors.Is(err, ErrStopped) {
		t.Fatal(err)
	}
	if got := reopened(t, path, secret); got != "new" {
		t.Fatal(got)
	}
}

func TestSecretShowsNothing(t *testing.T) {
	s := pass(t, "open sesame")
	doc, err := json.Marshal(s)
	if err != nil {
		t.Fatal(err)
	}
	shown := string(doc)
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%d"} {
		shown += fmt.Sprintf(verb+verb, s, struct{ hidden Secret }{s})
	}
	if strings.Contains(shown, "sesame") || strings.Contains(shown, fmt.Sprintf("%x", "sesame")) {
		t.Fatal(shown)
	}
}

func FuzzUnseal(f *testing.F) {
	secret, err := Passphrase("x", cheap)
	if err != nil {
		f.Fatal(err)
	}
	b, err := Seal([]byte("state"), secret)
	if err != nil {
		f.Fatal(err)
	}
	f.Add(b)
	f.Add([]byte(magic))
	f.Fuzz(func(t *testing.T, b []byte) {
		if _, err := Unseal(b, secret); err != nil && !errors.Is(err, ErrDamaged) && !errors.Is(err, ErrForeign) {
			t.Fatal(err)
		}
	})
}

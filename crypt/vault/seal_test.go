package vault

import (
	"bytes"
	"encoding/binary"
	"errors"
	"slices"
	"testing"

	"filippo.io/age"
)

func identity(t testing.TB) *age.X25519Identity {
	t.Helper()
	id, err := age.GenerateX25519Identity()
	mustDo(t, err)
	return id
}

func TestSealedVaultOpensWithAllItsKeys(t *testing.T) {
	v, id := full(t, true), identity(t)
	sealed, err := v.Seal(id.Recipient())
	mustDo(t, err)
	for h, e := range v.keys {
		if bytes.Contains(sealed, e.raw[:8]) || bytes.Contains(sealed, []byte(h)) {
			t.Errorf("%s lies open in the file", h)
		}
	}
	opened, err := Open(sealed, id, Options{Test: true})
	mustDo(t, err)
	if !bytes.Equal(opened.encode(), v.encode()) {
		t.Error("the opened vault differs")
	}
	for name, verb := range verbs {
		if err := verb.call(opened, Handle(verb.allowed[0].String())); err != nil {
			t.Errorf("%s after opening: %v", name, err)
		}
	}
}

func TestTestMarkCannotBeChangedByOpening(t *testing.T) {
	id := identity(t)
	for _, test := range []bool{true, false} {
		sealed, err := seeded(1, test).Seal(id.Recipient())
		mustDo(t, err)
		_, err = Open(sealed, id, Options{Test: !test})
		expectError(t, "opened as the other kind", err, ErrTestMark)
		v, err := Open(sealed, id, Options{Test: test})
		mustDo(t, err)
		if v.Test() != test {
			t.Error("the mark was lost")
		}
	}
}

// Somebody who holds the file key could edit the mark of a test vault; the keys in
// it are still refused.
func TestTestKeysUnderAProductionMarkAreRefused(t *testing.T) {
	v := seeded(1, true)
	mustDo(t, v.Import("k", IMKAC, unhex(t, "0123456789ABCDEFFEDCBA9876543210")))
	clear := v.encode()
	clear[len(magic)] = 0
	err := New(Options{}).decode(clear)
	expectError(t, "edited mark", err, ErrTestKey)
	expectError(t, "edited mark", err, ErrSealed)
}

func TestEveryFlippedByteOfTheFileIsFound(t *testing.T) {
	id := identity(t)
	v := seeded(1, false)
	mustDo(t, v.Generate("k", TPK))
	sealed, err := v.Seal(id.Recipient())
	mustDo(t, err)
	for i := range sealed {
		sealed[i] ^= 1
		if _, err := Open(sealed, id, Options{}); err == nil {
			t.Errorf("byte %d was flipped unseen", i)
		}
		sealed[i] ^= 1
	}
	for _, n := range []int{0, 1, len(sealed) / 2, len(sealed) - 1} {
		if _, err := Open(sealed[:n], id, Options{}); err == nil {
			t.Errorf("%d bytes opened", n)
		}
	}
	if _, err := Open(append(bytes.Clone(sealed), 0), id, Options{}); err == nil {
		t.Error("a byte too many opened")
	}
	if _, err := Open(sealed, identity(t), Options{}); err == nil {
		t.Error("another identity opened the vault")
	}
}

// entryBytes writes one entry as a careless or hostile writer might.
func entryBytes(h string, p Purpose, raw []byte) []byte {
	out := append([]byte{byte(len(h))}, h...)
	out = append(out, byte(p))
	out = binary.BigEndian.AppendUint16(out, uint16(len(raw)))
	return append(out, raw...)
}

func vaultBytes(mark byte, count uint32, entries ...[]byte) []byte {
	out := append([]byte(magic), mark)
	out = binary.BigEndian.AppendUint32(out, count)
	return append(out, slices.Concat(entries...)...)
}

func TestClearFormIsCanonical(t *testing.T) {
	key := []byte("an unguessed key")
	a, b := entryBytes("a", TPK, key), entryBytes("b", ZPK, key)
	for _, c := range []struct {
		why  string
		form []byte
		want error
	}{
		{"empty vault", vaultBytes(0, 0), nil},
		{"two keys", vaultBytes(0, 2, a, b), nil},
		{"nothing", nil, ErrSealed},
		{"another version", append([]byte("JZVAULT2"), vaultBytes(0, 0)[8:]...), ErrSealed},
		{"no mark", []byte(magic), ErrSealed},
		{"mark 2", vaultBytes(2, 0), ErrSealed},
		{"mark of a test", vaultBytes(1, 0), ErrTestMark},
		{"out of order", vaultBytes(0, 2, b, a), ErrSealed},
		{"a handle twice", vaultBytes(0, 2, a, a), ErrSealed},
		{"count too low", vaultBytes(0, 1, a, b), ErrSealed},
		{"count too high", vaultBytes(0, 3, a, b), ErrSealed},
		{"count beyond all bounds", vaultBytes(0, 1<<31), ErrSealed},
		{"a byte too many", append(vaultBytes(0, 1, a), 0), ErrSealed},
		{"a byte too few", vaultBytes(0, 1, a[:len(a)-1]), ErrSealed},
		{"unknown purpose", vaultBytes(0, 1, entryBytes("a", 200, key)), ErrSealed},
		{"wrong length for the purpose", vaultBytes(0, 1, entryBytes("a", TPK, key[:8])), ErrSealed},
		{"empty handle", vaultBytes(0, 1, entryBytes("", TPK, key)), ErrSealed},
		{"handle with a control character", vaultBytes(0, 1, entryBytes("a\n", TPK, key)), ErrSealed},
		{"RSA key that is none", vaultBytes(0, 1, entryBytes("a", RSACA, key)), ErrSealed},
		{"RSA key beyond all bounds", vaultBytes(0, 1, entryBytes("a", RSACA, make([]byte, 60000))), ErrSealed},
	} {
		if err := New(Options{}).decode(c.form); !errors.Is(err, c.want) {
			t.Errorf("%s: got %v, want %v", c.why, err, c.want)
		}
	}
}

func FuzzDecode(f *testing.F) {
	key := []byte("an unguessed key")
	f.Add(vaultBytes(1, 0))
	f.Add(vaultBytes(1, 2, entryBytes("a", TPK, key), entryBytes("b/c", ZAK, key)))
	f.Add(full(f, true).encode())
	f.Fuzz(func(t *testing.T, form []byte) {
		v := seeded(1, true)
		if err := v.decode(form); err == nil && !bytes.Equal(v.encode(), form) {
			t.Error("a vault has two clear forms")
		}
	})
}

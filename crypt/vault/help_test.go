package vault

import (
	"encoding/hex"
	"errors"
	"math/rand/v2"
	"testing"

	"jiaozi/value/ident"
)

// seeded is a vault whose keys follow from the seed.
func seeded(seed byte, test bool) *Vault {
	return New(Options{Test: test, Rand: rand.NewChaCha8([32]byte{seed})})
}

func mustDo(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func expectError(t *testing.T, what string, got, want error) {
	t.Helper()
	if !errors.Is(got, want) {
		t.Errorf("%s: got %v, want %v", what, got, want)
	}
}

func pan(t testing.TB) ident.PAN {
	t.Helper()
	p, err := ident.ParsePAN(ident.WithLuhn("621234567890123"))
	mustDo(t, err)
	return p
}

func unhex(t testing.TB, h string) []byte {
	t.Helper()
	b, err := hex.DecodeString(h)
	mustDo(t, err)
	return b
}

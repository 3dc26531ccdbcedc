package testkeys

import (
	"testing"

	"jiaozi/crypt/oda"
)

func TestStoredKeysHaveTheSizesOfTheScheme(t *testing.T) {
	if CA().Size() != 1984/8 || Issuer().Size() != 1408/8 {
		t.Errorf("authority %v, issuer %v", CA(), Issuer())
	}
	seen := map[string]bool{}
	for i := range Cards {
		k, err := Card(i)
		if err != nil || k.Size() != 1152/8 {
			t.Fatalf("card key %d: %v, %v", i, k, err)
		}
		seen[string(k.Public().Modulus)] = true
	}
	if len(seen) != Cards {
		t.Errorf("%d different card keys", len(seen))
	}
	for _, i := range []int{-1, Cards} {
		if _, err := Card(i); err == nil {
			t.Errorf("there is a card key %d", i)
		}
	}
}

func TestStoredKeysAreKnownAndFreshOnesAreNot(t *testing.T) {
	if !Known(CA().Public()) || !Known(Issuer().Public()) {
		t.Error("a stored key is not known")
	}
	fresh, err := oda.Generate(1024)
	if err != nil {
		t.Fatal(err)
	}
	if Known(fresh.Public()) {
		t.Error("a fresh key is known")
	}
}

func BenchmarkLoad(b *testing.B) {
	for b.Loop() {
		parse()
	}
}

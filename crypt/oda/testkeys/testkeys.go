// Package testkeys holds RSA keys for seeded test schemes. THEIR PRIVATE HALVES
// ARE PUBLIC: they are in this file's repository. Never certify anything real
// with them; the vault refuses them outside a scheme that is marked as a test.
//
// They exist because Go's RSA generation ignores the reader that it is given, so
// that a run could not be repeated from its seed, and because making one card
// key takes longer than ten taps. One certification authority (1984 bits), one
// issuer (1408) and Cards card keys (1152, the largest whose signed tap answer
// fits one APDU). Start with CA, Issuer and Card; Known is for the vault.
package testkeys

import (
	_ "embed" // the keys
	"encoding/pem"
	"fmt"
	"sync"

	"jiaozi/crypt/oda"
	"jiaozi/value/must"
)

//go:generate go run generate.go

//go:embed keys.pem
var file []byte

// Cards is how many card keys there are.
const Cards = 24

// Places in the file.
const (
	placeCA     = 0
	placeIssuer = 1
	placeCards  = 2
)

var load = sync.OnceValue(parse)

func parse() []oda.PrivateKey {
	var keys []oda.PrivateKey
	for rest := file; ; {
		var block *pem.Block
		if block, rest = pem.Decode(rest); block == nil {
			break
		}
		k, err := oda.Parse(block.Bytes)
		must.Hold(err == nil, "stored test key %d: %v", len(keys), err)
		keys = append(keys, k)
	}
	must.Hold(len(keys) == placeCards+Cards, "there are %d stored test keys", len(keys))
	return keys
}

// CA gives the test certification authority's key, 1984 bits.
func CA() oda.PrivateKey { return load()[placeCA] }

// Issuer gives the test issuer's key, 1408 bits.
func Issuer() oda.PrivateKey { return load()[placeIssuer] }

// Card gives card key i, 1152 bits, from 0 to Cards-1.
func Card(i int) (oda.PrivateKey, error) {
	if i < 0 || i >= Cards {
		return oda.PrivateKey{}, fmt.Errorf("test card key %d: there are %d, counted from 0", i, Cards)
	}
	return load()[placeCards+i], nil
}

// Known reports whether k is one of the stored keys.
func Known(k oda.PublicKey) bool {
	for _, stored := range load() {
		if stored.Public().Equal(k) {
			return true
		}
	}
	return false
}

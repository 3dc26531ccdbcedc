package clearing_test

import (
	"crypto/ed25519"
	"errors"
	"fmt"

	"jiaozi/value/ident"
	"jiaozi/value/money"
	"jiaozi/wire/clearing"
)

// An acquirer presents a payment; whoever gets the file knows that it is whole.
func Example() {
	key := ed25519.NewKeyFromSeed(make([]byte, ed25519.SeedSize))
	raw, err := clearing.Append(nil, &clearing.File{
		Header: clearing.Header{Kind: clearing.Presentment, From: "20000001", To: "90000001", Date: 20261122, Sequence: 1, Currency: money.CNY},
		Details: []clearing.Detail{{Sequence: 1, Acquirer: "20000001", Issuer: "10000001",
			Record: []byte("what the card signed"), Gross: money.New(money.CNY, 1250)}},
	}, func(msg []byte) ([]byte, error) { return ed25519.Sign(key, msg), nil })
	if err != nil {
		fmt.Println(err)
		return
	}
	f, err := clearing.Decode(raw, func(from ident.Inst, msg, sig []byte) error {
		if from != "20000001" || !ed25519.Verify(key.Public().(ed25519.PublicKey), msg, sig) {
			return errors.New("not signed by " + string(from))
		}
		return nil
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(f.Header.Kind, f.Trailer.Count, f.Trailer.Sum)
	// Output: presentment 1 12.50
}

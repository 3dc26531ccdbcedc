package list_test

import (
	"crypto/ed25519"
	"fmt"
	"time"

	"jiaozi/value/ident"
	"jiaozi/wire/list"
)

// An issuer lists a card; a terminal takes the list over and finds the card.
func Example() {
	key := ed25519.NewKeyFromSeed(make([]byte, ed25519.SeedSize))
	pan, err := ident.ParsePAN(ident.WithLuhn("621234567890123"))
	if err != nil {
		fmt.Println(err)
		return
	}
	now := time.Date(2026, 11, 22, 9, 0, 0, 0, time.UTC)
	l, err := list.Build(1, 7, [16]byte{42}, now, now.Add(24*time.Hour), []list.Card{{PAN: pan, PSN: 1}})
	if err != nil {
		fmt.Println(err)
		return
	}
	raw, err := list.Append(nil, l, func(msg []byte) ([]byte, error) { return ed25519.Sign(key, msg), nil })
	if err != nil {
		fmt.Println(err)
		return
	}
	got, err := list.Decode(raw, key.Public().(ed25519.PublicKey))
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(list.Accept(nil, got, now.Add(time.Hour)), got.Contains(pan, 1), got.Contains(pan, 2))
	// Output: <nil> true false
}

package terminal_test

import (
	"bytes"
	"context"
	"crypto/ed25519"
	"fmt"
	"time"

	"jiaozi/role/terminal"
	"jiaozi/value/clock"
	"jiaozi/value/lang"
	"jiaozi/value/money"
	"jiaozi/wire/purse"
)

// journal is the least that a Store can be; node/durable has one that lasts.
type journal struct{ entries [][]byte }

func (j *journal) Append(e []byte) error {
	j.entries = append(j.entries, bytes.Clone(e))
	return nil
}

func (j *journal) Replay(fn func([]byte) error) error {
	for _, e := range j.entries {
		if err := fn(e); err != nil {
			return err
		}
	}
	return nil
}

func (j *journal) Rewrite(entries [][]byte) error {
	j.entries = entries
	return nil
}

// A terminal that has never fetched a blacklist takes nothing, and says why.
func ExampleOpen() {
	key := ed25519.NewKeyFromSeed(make([]byte, ed25519.SeedSize))
	till, err := terminal.Open(terminal.Config{
		TID: "JZ000001", MID: "JIAOZI000000001", MerchantName: "Tea House",
		Country: 156, Currency: money.CNY, TapLimit: money.New(money.CNY, 300_00), ListKey: key.Public().(ed25519.PublicKey),
	}, new(journal), nil, nil, clock.NewManual(time.Date(2026, 11, 22, 9, 30, 0, 0, clock.Zone)), nil)
	if err != nil {
		fmt.Println(err)
		return
	}
	out := till.Purchase(context.Background(), nil, terminal.Sale{Amount: money.New(money.CNY, 12_50), Entry: purse.Contactless})
	fmt.Println(out.Result, out.Reason)
	fmt.Println(out.Reason.Text(lang.EN))
	// Output:
	// declined list_expired
	// The terminal's blacklist is too old to trust: connect the terminal and refresh the list.
}

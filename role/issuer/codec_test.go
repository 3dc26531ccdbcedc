package issuer

import (
	"bytes"
	"errors"
	"testing"

	"github.com/google/go-cmp/cmp"

	"jiaozi/value/ident"
	"jiaozi/value/money"
)

func fullCard() *Card {
	return &Card{
		PAN: pan, PSN: 1, Account: account, Currency: money.CNY, Status: Closing, Listed: true, Expiry: 20301231,
		Limit: yuan(100000), Label: "cards/anna.card", PINRef: []byte{1, 2, 3}, PINTries: 2, Shadow: yuan(4711), Online: 513,
		Load: &Order{Kind: LoadCash, Trace: "48010001/T0000001/000001/000002", Acquirer: acquirerInst, MID: mid,
			Amount: yuan(5000), ATC: 512, AC: [8]byte{1, 2}, Before: yuan(99), Sent: true, Record: []byte{0xE1, 0}},
		Close:   &Order{Kind: Closure, Trace: "x", Acquirer: acquirerInst, MID: mid, Amount: yuan(0), Source: "acct", ATC: 513, Before: yuan(7)},
		Flagged: []Flagged{{ATC: 9, AC: [8]byte{7}, Amount: yuan(10), Before: yuan(20), Proved: true}},
		Seen:    History{{ATC: 8, Balance: 5, Delta: -3, Proved: true, Settled: true, Scripts: -1}, {ATC: 9, Before: true, Scripts: 15}},
	}
}

var exported = cmp.Options{
	cmp.Comparer(func(a, b money.Amount) bool { return a == b }),
	cmp.Comparer(func(a, b ident.PAN) bool { return a == b }),
}

// Goal: a card's record reads back as it was written.
func TestCardRecordReadsBack(t *testing.T) {
	for _, want := range []*Card{fullCard(), {PAN: pan, Account: "a", Currency: money.CNY, Status: Active, Limit: yuan(0), Shadow: yuan(0)}} {
		got, err := decodeCard(appendCard(nil, want))
		check(t, err)
		if diff := cmp.Diff(want, got, exported); diff != "" {
			t.Error(diff)
		}
	}
}

// Goal: a record that was cut, lengthened or altered in its frame is refused.
func TestDamagedCardRecordIsRefused(t *testing.T) {
	good := appendCard(nil, fullCard())
	for n := range good {
		if _, err := decodeCard(good[:n]); !errors.Is(err, errRecord) {
			t.Fatalf("cut at %d: %v", n, err)
		}
	}
	if _, err := decodeCard(append(bytes.Clone(good), 0)); !errors.Is(err, errRecord) {
		t.Errorf("lengthened: %v", err)
	}
	good[0]++
	if _, err := decodeCard(good); !errors.Is(err, errRecord) {
		t.Errorf("another version: %v", err)
	}
}

// FuzzCard: whatever decodes is written back byte for byte.
func FuzzCard(f *testing.F) {
	f.Add(appendCard(nil, fullCard()))
	f.Add([]byte{recordVersion})
	f.Fuzz(func(t *testing.T, b []byte) {
		c, err := decodeCard(b)
		if err == nil && !bytes.Equal(appendCard(nil, c), b) {
			t.Errorf("% X was not written back", b)
		}
	})
}

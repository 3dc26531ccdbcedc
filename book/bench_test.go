package book_test

import (
	"encoding/binary"
	"fmt"
	"testing"

	"jiaozi/book"
	"jiaozi/book/booktest"
	"jiaozi/value/money"
)

const benchAccounts = 100_000

// BenchmarkApply is the ledger without a disk: form, hash, plan, publish, for
// spends with a once-key among a hundred thousand accounts. The figure is per
// command.
func BenchmarkApply(b *testing.B) {
	for _, size := range []int{1, 1000, 8000} {
		b.Run(fmt.Sprint("batch ", size), func(b *testing.B) {
			ledger, err := book.Open(b.Context(), &booktest.Memory{})
			if err != nil {
				b.Fatal(err)
			}
			defer ledger.Close()
			fundBench(b, ledger)
			cmds := make([]book.Command, size)
			b.ReportAllocs()
			n := 0
			for b.Loop() {
				b.StopTimer()
				for i := range cmds {
					cmds[i] = benchSpend(n)
					n++
				}
				b.StartTimer()
				results, err := ledger.Apply(b.Context(), cmds)
				if err != nil || results[0].Code != book.OK {
					b.Fatal(results[0], err)
				}
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(n), "ns/command")
		})
	}
}

func benchAccount(n int) book.Account {
	name := fmt.Sprint("customer ", n)
	return book.Account{
		ID: book.AccountID(book.DeriveID(name)), Name: name, Normal: book.Credit, Currency: testCurrency, NeverNegative: true,
	}
}

var benchIDs = func() (ids [benchAccounts]book.AccountID) {
	for n := range ids {
		ids[n] = benchAccount(n).ID
	}
	return ids
}()

func fundBench(b *testing.B, l *book.Ledger) {
	vault := book.Account{ID: book.AccountID{1}, Name: "vault", Normal: book.Debit, Currency: testCurrency}
	amount := money.New(testCurrency, 1e12)
	for from := 0; from < benchAccounts; from += 5000 {
		var cmds []book.Command
		for n := from; n < from+5000; n++ {
			a := benchAccount(n)
			cmds = append(cmds, book.Command{
				ID: book.DeriveID("fund", n), Event: "fund", Date: 20261122, Open: []book.Account{vault, a},
				Legs: []book.Leg{{Account: vault.ID, Side: book.Debit, Amount: amount}, {Account: a.ID, Side: book.Credit, Amount: amount}},
			})
		}
		if _, err := l.Apply(b.Context(), cmds); err != nil {
			b.Fatal(err)
		}
	}
}

func benchSpend(n int) book.Command {
	id := book.DeriveID("spend", n)
	from := binary.BigEndian.Uint32(id[:]) % benchAccounts
	to := binary.BigEndian.Uint32(id[4:]) % benchAccounts
	amount := money.New(testCurrency, 5)
	key := make([]byte, 32)
	copy(key, id[:])
	return book.Command{
		ID: id, Event: "spend", Date: 20261122,
		Legs: []book.Leg{{Account: benchIDs[from], Side: book.Debit, Amount: amount}, {Account: benchIDs[to], Side: book.Credit, Amount: amount}},
		Once: []book.Once{{Space: "tap", Key: key, Value: id[:]}},
	}
}

package sqlite

import (
	"fmt"
	"path/filepath"
	"testing"

	"jiaozi/book"
	"jiaozi/book/chart"
	"jiaozi/value/ident"
	"jiaozi/value/money"
)

// BenchmarkApply books spends in batches, each with its once-key, over a
// thousand cards; the figure is per command.
func BenchmarkApply(b *testing.B) {
	for _, size := range []int{1, 100, 1000} {
		b.Run(fmt.Sprint("batch ", size), func(b *testing.B) {
			ledger := openLedger(b, filepath.Join(b.TempDir(), "book.db"))
			defer ledger.Close()
			fundCards(b, ledger)
			b.ReportAllocs()
			n := 0
			for b.Loop() {
				cmds := make([]book.Command, size)
				for i := range cmds {
					cmds[i] = spend(n)
					n++
				}
				results, err := ledger.Apply(b.Context(), cmds)
				if err != nil || results[0].Code != book.OK {
					b.Fatal(results, err)
				}
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(n), "ns/command")
		})
	}
}

const benchCards = 1000

func benchCard(n int) ident.CardRef {
	return ident.CardRef{byte(n % benchCards), byte(n % benchCards >> 8)}
}

func fundCards(b *testing.B, l *book.Ledger) {
	var cmds []book.Command
	for n := range benchCards {
		p := chart.InitialBalance("62100001", benchCard(n), money.New(cny, 1e12))
		cmds = append(cmds, p.Command(book.DeriveID("card", n), 20261122))
	}
	if _, err := l.Apply(b.Context(), cmds); err != nil {
		b.Fatal(err)
	}
}

func spend(n int) book.Command {
	pair := chart.Pair{Issuer: "62100001", Acquirer: "62200001"}
	c := chart.Spend(pair, benchCard(n), money.New(cny, 100)).Command(book.DeriveID("spend", n), 20261122)
	card := benchCard(n)
	c.Once = []book.Once{{Space: "tap", Key: fmt.Appendf(card[:], "%08d", n), Value: make([]byte, 60)}}
	return c
}

// BenchmarkGet reads one record through a view of its own.
func BenchmarkGet(b *testing.B) {
	ledger := openLedger(b, filepath.Join(b.TempDir(), "book.db"))
	defer ledger.Close()
	book1(b, ledger, 0)
	for b.Loop() {
		if _, version, err := ledger.Get(b.Context(), "cards", []byte("k")); err != nil || version == 0 {
			b.Fatal(err)
		}
	}
}

package postgres

import (
	"bytes"
	"context"
	"crypto/sha256"
	"fmt"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"

	"jiaozi/book"
	"jiaozi/internal/pgtest"

	"github.com/jackc/pgx/v5"
)

// BenchmarkAppend writes batches of commands of 250 bytes, each synced.
func BenchmarkAppend(b *testing.B) {
	for _, commands := range []int{1, 1000, 8000} {
		b.Run(fmt.Sprint(commands), func(b *testing.B) {
			e := open(b, pgtest.Schema(b), Options{})
			row := batch(book.Head{}, 250*commands)
			b.SetBytes(int64(len(row.Body)))
			before := serverTime(b, e.line.conn)
			for b.Loop() {
				must(b, e.Append(context.Background(), row))
				row.Seq, row.Prev = row.Seq+1, row.Hash
				row.Hash = sha256.Sum256(row.Prev[:])
			}
			b.ReportMetric(float64(serverTime(b, e.line.conn)-before)*1000/userHz/float64(b.N), "server-ms/op")
			b.ReportMetric(float64(b.N*commands)/b.Elapsed().Seconds(), "commands/s")
		})
	}
}

// BenchmarkFlush changes the states of 100,000 accounts in one transaction.
func BenchmarkFlush(b *testing.B) {
	b.Run("100k", func(b *testing.B) {
		e := open(b, pgtest.Schema(b), Options{})
		opened, changed := manyAccounts(100_000)
		must(b, e.Flush(context.Background(), opened))
		before := serverTime(b, e.keeper.conn)
		for b.Loop() {
			changed.At.Seq++
			must(b, e.Flush(context.Background(), changed))
		}
		b.ReportMetric(float64(b.N*len(changed.Accounts))/b.Elapsed().Seconds(), "rows/s")
		b.ReportMetric(float64(serverTime(b, e.keeper.conn)-before)*1000/userHz/float64(b.N), "server-ms/op")
	})
}

// BenchmarkLoad reads 16,384 of 100,000 accounts in one round trip.
func BenchmarkLoad(b *testing.B) {
	e := open(b, pgtest.Schema(b), Options{})
	opened, _ := manyAccounts(100_000)
	must(b, e.Flush(context.Background(), opened))
	touch := touchOf(opened)
	touch.Accounts = touch.Accounts[:16384]
	for b.Loop() {
		l, err := e.Load(context.Background(), touch)
		if must(b, err); len(l.Accounts) != 16384 {
			b.Fatal(len(l.Accounts))
		}
	}
}

// userHz is the unit of /proc, part of its interface.
const userHz = 100

// serverTime is the processor time that a session has used, in ticks: it says
// more than the clock on a machine that is shared.
func serverTime(b *testing.B, conn *pgx.Conn) (ticks int) {
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", conn.PgConn().PID()))
	must(b, err)
	fields := strings.Fields(string(text[bytes.LastIndexByte(text, ')')+1:]))
	for _, field := range fields[11:13] { // utime, stime
		n, err := strconv.Atoi(field)
		must(b, err)
		ticks += n
	}
	return ticks
}

func manyAccounts(n int) (opened, changed *book.Change) {
	opened, changed = &book.Change{At: book.Head{Seq: 1}}, &book.Change{At: book.Head{Seq: 1}}
	for i := range n {
		hash := sha256.Sum256([]byte(fmt.Sprint(i)))
		id := book.AccountID(hash[:16])
		opened.Opened = append(opened.Opened, book.AccountRow{Account: book.Account{ID: id, Name: fmt.Sprint("account/", i), Normal: book.Credit, Currency: 156}})
		changed.Accounts = append(changed.Accounts, book.StateRow{ID: id})
	}
	order := func(a, b book.AccountID) int { return bytes.Compare(a[:], b[:]) }
	slices.SortFunc(opened.Opened, func(a, b book.AccountRow) int { return order(a.ID, b.ID) })
	slices.SortFunc(changed.Accounts, func(a, b book.StateRow) int { return order(a.ID, b.ID) })
	return opened, changed
}

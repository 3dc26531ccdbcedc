package sqlite

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"syscall"
	"testing"

	"jiaozi/book"
	"jiaozi/value/money"
)

// BenchmarkAppend commits batches of commands of 250 bytes each, with a flush
// now and then, as the keeper does, so that the log is used again.
func BenchmarkAppend(b *testing.B) {
	for _, size := range []int{1, 100, 1000, 8000} {
		b.Run(fmt.Sprint(size), func(b *testing.B) {
			e := openEngine(b, filepath.Join(b.TempDir(), "book.db"))
			defer e.Close()
			seq := uint64(1)
			for ; e.grown.Load() < checkpointBytes; seq++ { // make the log as long as it gets
				if err := e.Append(b.Context(), rowAt(seq, 1<<20)); err != nil {
					b.Fatal(err)
				}
			}
			body := make([]byte, 250*size)
			start, began := cpuTime(), seq
			for b.Loop() {
				row := book.Row{Seq: seq, Prev: hashOf(seq - 1), Hash: hashOf(seq), Body: body}
				if err := e.Append(b.Context(), &row); err != nil {
					b.Fatal(err)
				}
				if e.grown.Load() >= checkpointBytes {
					if err := e.relieve(); err != nil {
						b.Fatal(err)
					}
				}
				seq++
			}
			commands := float64(seq-began) * float64(size)
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/commands, "ns/command")
			b.ReportMetric(float64(cpuTime()-start)/commands, "cpu-ns/command")
		})
	}
}

// cpuTime of the process in nanoseconds.
func cpuTime() int64 {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		return 0
	}
	return u.Utime.Nano() + u.Stime.Nano()
}

// BenchmarkSync is the limit of one caller alone: a page appended and synced.
func BenchmarkSync(b *testing.B) {
	f, err := os.Create(filepath.Join(b.TempDir(), "raw"))
	if err != nil {
		b.Fatal(err)
	}
	defer f.Close()
	page := make([]byte, 4096)
	for b.Loop() {
		if _, err := f.Write(page); err != nil {
			b.Fatal(err)
		}
		if err := syscall.Fdatasync(int(f.Fd())); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkFlush brings 100,000 changed accounts forward.
func BenchmarkFlush(b *testing.B) {
	const accounts = 100_000
	e := openEngine(b, filepath.Join(b.TempDir(), "book.db"))
	defer e.Close()
	add(b, e, 1, 10)
	opened := opening(1, accounts)
	flush(b, e, opened)
	c := &book.Change{At: headAt(1)}
	for i := range opened.Opened {
		c.Accounts = append(c.Accounts, book.StateRow{ID: opened.Opened[i].ID})
	}
	start, n := cpuTime(), 0
	for b.Loop() {
		for i := range c.Accounts {
			c.Accounts[i].Balance = money.Minor(n + i)
		}
		flush(b, e, c)
		n++
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(n)/accounts, "ns/account")
	b.ReportMetric(float64(cpuTime()-start)/float64(n)/accounts, "cpu-ns/account")
}

// BenchmarkLoad looks up a thousand accounts of 100,000.
func BenchmarkLoad(b *testing.B) {
	e := openEngine(b, filepath.Join(b.TempDir(), "book.db"))
	defer e.Close()
	add(b, e, 1, 10)
	opened := opening(1, 100_000)
	flush(b, e, opened)
	var t book.Touch
	for i := 0; i < len(opened.Opened); i += 100 {
		t.Accounts = append(t.Accounts, opened.Opened[i].ID)
	}
	slices.SortFunc(t.Accounts, func(a, b book.AccountID) int { return slices.Compare(a[:], b[:]) })
	for b.Loop() {
		if l, err := e.Load(b.Context(), t); err != nil || len(l.Accounts) != len(t.Accounts) {
			b.Fatal(err)
		}
	}
}

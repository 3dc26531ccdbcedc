package issuer

import (
	"fmt"
	"syscall"
	"testing"
	"time"

	"jiaozi/wire/purse"
)

// BenchmarkOfflineUpload is a clearing file at the issuer: decode, verify
// cryptogram and balance, decide, post. One operation is one payment; a file
// holds 2000 payments of 1000 cards. CPU seconds count all threads, so the rate
// is per core.
func BenchmarkOfflineUpload(b *testing.B) {
	const cards, each = 1000, 2
	s := newScheme(b)
	deck := make([]*simCard, cards)
	for n := range deck {
		deck[n] = s.cardOf(mustPAN(fmt.Sprintf("62123456%07d", n)), 100000)
	}
	b.ResetTimer()
	b.StopTimer()
	cpu, done := time.Duration(0), 0
	for done < b.N {
		var records []purse.Record
		for range each {
			for _, c := range deck {
				if c.balance < 10 {
					b.Fatal("the cards are empty: give them more")
				}
				records = append(records, s.tap(c, 1))
			}
		}
		file := s.file(records...)
		before := cpuTime()
		b.StartTimer()
		out, err := s.issuer.Present(b.Context(), file, s.now)
		b.StopTimer()
		cpu += cpuTime() - before
		check(b, err)
		if d := s.decodeOutcome(out); d[0].Reason != "approved" {
			b.Fatalf("the first payment was judged %s", d[0].Reason)
		}
		done += len(records)
	}
	b.ReportMetric(float64(done)/cpu.Seconds(), "records/cpu-s")
	b.ReportMetric(float64(cpu.Nanoseconds())/float64(done), "cpu-ns/record")
	b.ReportMetric(float64(done)/max(b.Elapsed().Seconds(), 1e-9), "records/s")
}

func cpuTime() time.Duration {
	var u syscall.Rusage
	if syscall.Getrusage(syscall.RUSAGE_SELF, &u) != nil {
		return 0
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

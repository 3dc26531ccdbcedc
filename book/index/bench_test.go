package index

import (
	"fmt"
	"math/rand/v2"
	"os"
	"runtime"
	"testing"
)

// randomHash is the n-th of an endless row of hashes as keyed hashes are: uniform.
func randomHash(n uint64) uint64 {
	n += 0x9e3779b97f4a7c15
	n = (n ^ n>>30) * 0xbf58476d1ce4e5b9
	n = (n ^ n>>27) * 0x94d049bb133111eb
	return n ^ n>>31
}

// entriesFrom makes size entries in the order of the journal.
func entriesFrom(start, size int) []Entry {
	entries := make([]Entry, size)
	for i := range entries {
		entries[i] = Entry{randomHash(uint64(start + i)), uint64(start + i)}
	}
	return entries
}

// BenchmarkSeal seals a million entries, durably.
func BenchmarkSeal(b *testing.B) {
	const size = 1_000_000
	for _, o := range []Options{{Filter: true}, {Filter: false}} {
		b.Run(fmt.Sprintf("filter %v", o.Filter), func(b *testing.B) {
			x := must(Open(b.TempDir(), o))
			defer x.Close()
			n := 0
			for b.Loop() {
				b.StopTimer()
				entries := entriesFrom(n, size)
				n += size
				b.StartTimer()
				if err := x.Seal(entries, x.Seq()+1, testMark); err != nil {
					b.Fatal(err)
				}
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(n), "ns/entry")
		})
	}
}

// BenchmarkMerge makes one run of eight with half a million entries each.
func BenchmarkMerge(b *testing.B) {
	const size = 500_000
	n := 0
	for b.Loop() {
		b.StopTimer()
		x := must(Open(b.TempDir(), Options{Filter: true}))
		for range mergeFactor {
			if err := x.Seal(entriesFrom(n, size), x.Seq()+1, testMark); err != nil {
				b.Fatal(err)
			}
			n += size
		}
		b.StartTimer()
		if more, err := x.Merge(); err != nil || more || len(x.now.Load().runs) != 1 {
			b.Fatal(more, err)
		}
		b.StopTimer()
		x.Close()
		b.StartTimer()
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(n), "ns/entry")
}

// BenchmarkFind asks an index of the given size, sealed in runs of half a
// million with the merges that they call for, for hashes that are not there and
// for hashes that are.
func BenchmarkFind(b *testing.B) {
	sizes := []int{1_000_000}
	if os.Getenv("JIAOZI_SOAK") != "" {
		sizes = append(sizes, 50_000_000)
	}
	for _, size := range sizes {
		dir := b.TempDir()
		x := must(Open(dir, Options{Filter: true}))
		build(b, x, size)
		b.Run(fmt.Sprintf("absent of %d", size), func(b *testing.B) {
			benchmarkFind(b, x, func() uint64 { return rand.Uint64() })
		})
		b.Run(fmt.Sprintf("present of %d", size), func(b *testing.B) {
			benchmarkFind(b, x, func() uint64 { return randomHash(rand.Uint64N(uint64(size))) })
		})
		b.Run(fmt.Sprintf("open %d", size), func(b *testing.B) {
			for b.Loop() {
				must(OpenReader(dir, Options{})).Close()
			}
		})
		x.Close()
	}
}

func benchmarkFind(b *testing.B, x *Index, hash func() uint64) {
	var to []uint64
	b.ReportAllocs()
	for b.Loop() {
		var err error
		if to, err = x.Find(hash(), to[:0]); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(len(x.now.Load().runs)), "runs")
	bytes, mapped := kept(x)
	b.ReportMetric(float64(bytes)/float64(x.Len()), "kept-B/entry")
	b.ReportMetric(float64(mapped)/float64(x.Len()), "mapped-B/entry")
}

// kept is the memory that the runs keep, and what they have mapped: summaries and filters.
func kept(x *Index) (bytes, mapped uint64) {
	for _, r := range x.now.Load().runs {
		bytes += uint64(len(r.summary)) * entrySize
		mapped += r.filterSize
	}
	return bytes, mapped
}

func build(b *testing.B, x *Index, size int) {
	const step = 500_000
	var stats runtime.MemStats
	var most uint64
	for n := 0; n < size; n += step {
		if err := x.Seal(entriesFrom(n, step), x.Seq()+1, testMark); err != nil {
			b.Fatal(err)
		}
		for more := true; more; {
			var err error
			if more, err = x.Merge(); err != nil {
				b.Fatal(err)
			}
		}
		runtime.ReadMemStats(&stats)
		most = max(most, stats.Sys)
	}
	b.Logf("%d entries: at most %d MB from the system", size, most>>20)
}

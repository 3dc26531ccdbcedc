package sqlite

import (
	"crypto/rand"
	"fmt"
	"path/filepath"
	"slices"
	"testing"

	"zombiezen.com/go/sqlite"
	"zombiezen.com/go/sqlite/sqlitex"
)

// BenchmarkKeysInATable is the way not taken (ADR 0011): random 32-byte keys in a
// table without rowid, inserted in sorted batches. Compare with the index of keys:
// go test -bench Seal ./book/index. The figure is per key.
func BenchmarkKeysInATable(b *testing.B) {
	for _, present := range []int{0, 1_000_000, 4_000_000} {
		for _, batch := range []int{1000, 100_000} {
			b.Run(fmt.Sprintf("present %d batch %d", present, batch), func(b *testing.B) {
				conn := keyTable(b, present)
				defer conn.Close()
				n := 0
				for b.Loop() {
					b.StopTimer()
					keys := randomKeys(batch)
					b.StartTimer()
					insertKeys(b, conn, keys)
					n += batch
				}
				b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(n), "ns/key")
			})
		}
	}
}

func keyTable(b *testing.B, present int) *sqlite.Conn {
	b.Helper()
	conn, err := sqlite.OpenConn(filepath.Join(b.TempDir(), "keys.db"))
	if err != nil {
		b.Fatal(err)
	}
	for _, setting := range []string{
		"PRAGMA journal_mode=WAL", "PRAGMA synchronous=NORMAL", "PRAGMA cache_size=-262144",
		"CREATE TABLE keys (part INTEGER NOT NULL, key BLOB NOT NULL, place INTEGER NOT NULL, PRIMARY KEY (part, key)) WITHOUT ROWID",
	} {
		if err := sqlitex.ExecuteTransient(conn, setting, nil); err != nil {
			b.Fatal(err)
		}
	}
	const atOnce = 1_000_000
	for ; present > 0; present -= atOnce {
		insertKeys(b, conn, randomKeys(min(present, atOnce)))
	}
	return conn
}

// randomKeys are sorted, as a keeper would sort them.
func randomKeys(n int) [][]byte {
	all, keys := make([]byte, 32*n), make([][]byte, n)
	_, _ = rand.Read(all) // never fails
	for i := range keys {
		keys[i] = all[32*i : 32*i+32]
	}
	slices.SortFunc(keys, slices.Compare[[]byte])
	return keys
}

func insertKeys(b *testing.B, conn *sqlite.Conn, keys [][]byte) {
	b.Helper()
	if err := run(conn, "BEGIN IMMEDIATE", nil); err != nil {
		b.Fatal(err)
	}
	for i, key := range keys {
		err := run(conn, "INSERT INTO keys (part, key, place) VALUES (?, ?, ?)", func(s *sqlite.Stmt) {
			s.BindInt64(1, int64(key[0])<<4|int64(key[1])>>4)
			s.BindBytes(2, key)
			s.BindInt64(3, int64(i))
		})
		if err != nil {
			b.Fatal(err)
		}
	}
	if err := run(conn, "COMMIT", nil); err != nil {
		b.Fatal(err)
	}
}

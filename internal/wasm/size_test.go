package wasm

import (
	"compress/gzip"
	"os"
	"testing"
	"time"
)

// most is what a page may have to load, in bytes, gzipped at level 9. Two thirds of it are Go's runtime and fmt.
const most = 1_100_000

type counter int

func (c *counter) Write(b []byte) (int, error) { *c += counter(len(b)); return len(b), nil }

// Goal: the wallet core stays within a browser's reach. What to do when it does not: see with
// GOOS=js GOARCH=wasm go list -deps ./cmd/walletcore what came in; log/slog, encoding/json and net/http never belong there.
func TestTheCoreIsSmall(t *testing.T) {
	b, err := os.ReadFile(buildCore(t))
	must(t, err)
	var size counter
	z, err := gzip.NewWriterLevel(&size, gzip.BestCompression)
	must(t, err)
	_, err = z.Write(b)
	must(t, err)
	must(t, z.Close())
	t.Logf("%d bytes, %d gzipped, at most %d", len(b), size, most)
	if size >= most {
		t.Errorf("the wallet core has %d bytes gzipped, not less than %d", size, most)
	}
}

// Goal: go vet reads the core too, which it skips on every other system.
func TestTheCoreIsVetted(t *testing.T) {
	goTool(t, 5*time.Minute, "vet", "./cmd/walletcore")
}

package meter

import (
	"os"
	"testing"
	"time"

	"pgregory.net/rapid"
)

// A quantile is a value of the list; the share of values up to it is at least q,
// and without it would be less.
func TestQuantileIsTheSmallestValueThatCoversTheShare(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		n := rapid.IntRange(1, 2000).Draw(t, "n")
		q := float64(rapid.IntRange(0, 1000).Draw(t, "permille")) / 1000
		list := make([]time.Duration, n)
		for i := range list {
			list[i] = time.Duration(i + 1)
		}
		got := int(Quantile(list, q))
		if float64(got) < q*float64(n) || got > 1 && float64(got-1) >= q*float64(n) {
			t.Fatalf("quantile %v of 1..%d is %d", q, n, got)
		}
	})
	if Quantile(nil, 0.5) != 0 {
		t.Error("of nothing")
	}
}

func TestMedianIsTheMiddle(t *testing.T) {
	if got := Median([]float64{9, 1, 5}); got != 5 {
		t.Error(got)
	}
}

func TestFileGrowsByWhatIsWritten(t *testing.T) {
	f, err := NewFile(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if err := f.Write([]byte("abc")); err != nil {
		t.Fatal(err)
	}
	if err := Times(2, f.Append(4))(); err != nil {
		t.Fatal(err)
	}
	if b, err := os.ReadFile(f.f.Name()); err != nil || string(b) != "abc\x00\x00\x00\x00\x00\x00\x00\x00" {
		t.Errorf("%q, %v", b, err)
	}
}

func TestMemoryIsSeen(t *testing.T) {
	if private, mapped, err := Memory(); err == nil && (private < 1<<20 || mapped < 1<<20) {
		t.Error(private, mapped)
	}
}

package bench

import (
	"context"
	"errors"
	"math"
	"slices"
	"strings"
	"testing"
	"time"

	"jiaozi/sim/bench/meter"
)

func TestMain(m *testing.M) {
	meter.RoundSpan = time.Millisecond
	m.Run()
}

// Each benchmark runs on the real rooms and gives figures that can be compared:
// a positive value, a positive limit, a name of its own.
func TestEveryBenchmarkGivesFiguresBesideTheirLimits(t *testing.T) {
	var seen []string
	for _, name := range Names() {
		count := 0
		err := Run(t.Context(), name, t.TempDir(), func(f Figure) error {
			count++
			t.Logf("%-24s %12.2f %-20s limit %12.2f ratio %.2f", f.Name, f.Value, f.Unit, f.Limit, f.Ratio())
			if !strings.HasPrefix(f.Name, name+"/") || slices.Contains(seen, f.Name) {
				t.Errorf("%s: name %q", name, f.Name)
			}
			seen = append(seen, f.Name)
			if ratio := f.Ratio(); !(f.Value > 0) || !(f.Limit > 0) || math.IsInf(ratio, 0) || f.Unit == "" || f.About.EN == "" || f.About.ZH == "" {
				t.Errorf("%+v", f)
			}
			return nil
		})
		if err != nil || count == 0 {
			t.Errorf("%s: %d figures, %v", name, count, err)
		}
	}
}

func TestUnknownBenchmarkNamesTheKnown(t *testing.T) {
	err := Run(t.Context(), "speed", t.TempDir(), nil)
	if err == nil || !strings.Contains(err.Error(), "upload") {
		t.Error(err)
	}
}

// Who interrupts a run, or cannot take its figures, is not measured on.
func TestBenchmarkStopsWhenAsked(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := Run(ctx, "iso8583", t.TempDir(), nil); !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
}

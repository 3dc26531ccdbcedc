package coins

import (
	"slices"
	"strings"
	"testing"
	"time"

	"jiaozi/sim/bench/load"
	"jiaozi/sim/bench/meter"
)

// small is a run that looks at the form of figures, not at their values.
func small(t *testing.T) Options {
	usual := meter.RoundSpan
	meter.RoundSpan = time.Millisecond
	t.Cleanup(func() { meter.RoundSpan = usual })
	return Options{Dir: t.TempDir(), Scale: Scale{Batches: []int{3, 5}, People: 2, Tills: 2, Rounds: 1, Coins: 128}}
}

// Goal: every figure that was promised is taken, beside its limit and with its bounds. Method: a run of a few coins through
// the real mint, its API and its store.
func TestEveryFigureStandsBesideItsLimit(t *testing.T) {
	seen := make(map[string]load.Figure)
	err := Run(t.Context(), small(t), func(f load.Figure) error {
		if _, twice := seen[f.Name]; twice || f.About.EN == "" || f.About.ZH == "" || f.Ops <= 0 || f.Limit <= 0 || f.CPU <= 0 {
			t.Errorf("%+v", f)
		}
		seen[f.Name] = f
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]struct {
		most, gate float64
		more       string
	}{
		"coins/issue": {45, 0, "coin_bytes 208"}, "coins/issue-alone": {0, 0, ""}, "coins/pay": {3, 0, ""},
		"coins/verify": {90, 0, "payment_bytes 274"}, "coins/chain-1": {130, 0, "payment_bytes 546"},
		"coins/chain-4": {260, 0, "payment_bytes 1362"}, "coins/chain-8": {420, 0, "payment_bytes 2450"},
		"coins/piece": {0, 0, "payment_bytes 1108"}, "coins/batch-3": {0, 0.5, "aim_per_s 35000"}, "coins/batch-5": {0, 0.5, "aim_per_s 35000"},
		"coins/batch-aided-3": {0, 0.5, "aim_per_s 35000"}, "coins/batch-aided-5": {0, 0.5, "aim_per_s 35000"},
		"coins/withdraw": {0, 0, "journal_bytes tables_bytes"}, "coins/deposit": {0, 0, "wire_bytes journal_bytes tables_bytes"},
	} {
		f, taken := seen[name]
		if !taken || f.Most != want.most || f.Gate != want.gate || !shows(f, want.more) {
			t.Errorf("%s: %+v", name, f)
		}
		delete(seen, name)
	}
	if len(seen) > 0 {
		t.Errorf("nobody asked for %v", seen)
	}
}

// shows reports whether all words stand in what else was seen.
func shows(f load.Figure, words string) bool {
	var all []string
	for _, e := range f.More {
		all = append(all, strings.Fields(e.String())...)
	}
	return !slices.ContainsFunc(strings.Fields(words), func(w string) bool { return !slices.Contains(all, w) })
}

func TestAPartThatIsNoneIsRefused(t *testing.T) {
	o := small(t)
	o.Only = []string{"mint", "bank"}
	if err := Run(t.Context(), o, func(load.Figure) error { return nil }); err == nil || !strings.Contains(err.Error(), "bank") {
		t.Error(err)
	}
}

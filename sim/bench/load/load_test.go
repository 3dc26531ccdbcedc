package load

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"jiaozi/book"
)

const childMark = "JIAOZI_LOAD_TEST_CHILD"

// The test binary is its own child process.
func TestMain(m *testing.M) {
	if os.Getenv(childMark) == "" {
		os.Exit(m.Run())
	}
	if err := Child(context.Background(), naiveEngines(), os.Stdin, os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func naiveEngines() Engines {
	open := func(context.Context, string) (Store, error) { return newNaive(), nil }
	return Engines{SQLite: open, Postgres: open, Server: func() (string, func() error, error) {
		return "", nil, fmt.Errorf("%w: PostgreSQL", ErrAbsent)
	}}
}

// small is a run that looks at the form of figures, not at their values.
func small(t *testing.T) Options {
	t.Setenv(childMark, "1")
	return Options{Engines: naiveEngines(), Dir: t.TempDir(), Child: []string{os.Args[0]}, Scale: Scale{
		Accounts: 100, Rounds: 1, Span: 2 * time.Millisecond, Lag: 2048,
		Once: 1000, LongOnce: []int{2000, 3000}, Entries: 20_000, Soak: 20 * time.Millisecond, Extra: 5000,
	}}
}

func TestEveryFigureStandsBesideItsLimit(t *testing.T) {
	o := small(t)
	o.Long, o.DSN = true, "a database"
	want := []string{
		"book/sqlite-1000", "book/sqlite-1000-hot", "book/sqlite-8000", "book/alone", "book/callers-64", "book/callers-1024",
		"book/postgres-1000", "book/once-1000", "book/once-2000", "book/once-3000", "book/restart-20000", "book/soak",
	}
	if len(cores()) > 1 {
		want = append(want, "book/two-shards")
	}
	seen := make(map[string]Figure)
	err := Run(t.Context(), o, func(f Figure) error {
		if _, twice := seen[f.Name]; twice || f.About.EN == "" || f.About.ZH == "" {
			t.Errorf("%+v", f)
		}
		seen[f.Name] = f
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if left, err := os.ReadDir(o.Dir); err != nil || len(left) > 0 {
		t.Errorf("left behind: %v, %v", left, err)
	}
	for _, name := range want {
		f, ok := seen[name]
		if !ok || f.Missing != "" || !(f.Ops > 0) || !(f.Limit > 0) || f.CPU < 0 {
			t.Errorf("%s: %+v", name, f)
		}
	}
}

// Without a PostgreSQL the run goes on, and says that this figure is not there:
// no number stands in its place.
func TestWhatIsAbsentIsNotMeasured(t *testing.T) {
	var f Figure
	r := &run{Options: small(t), emit: func(got Figure) error { f = got; return nil }}
	if err := r.postgres(t.Context()); err != nil {
		t.Fatal(err)
	}
	if f.Name != "book/postgres-1000" || f.Missing == "" || f.Ops != 0 || f.Passes() {
		t.Errorf("%+v", f)
	}
	line, err := json.Marshal(f)
	if err != nil || !strings.Contains(string(line), `"ops_per_s":null`) || !strings.Contains(string(line), "not_measured") {
		t.Errorf("%s, %v", line, err)
	}
}

func TestFigureHasTheAgreedForm(t *testing.T) {
	f := Figure{Name: "book/x", Ops: 150_000, Limit: 600_000, CPU: 4.2, Most: 5, Gate: 0.15, Aim: 0.35, More: []Extra{{Name: "p50_us", Value: 12, Max: 100}}}
	line, err := json.Marshal(f)
	const want = `{"name":"book/x","ops_per_s":150000,"limit_per_s":600000,"ratio":0.25,"cpu_us":4.2,"cpu_us_max":5,"gate":0.15,"aim":0.35,"p50_us":12,"p50_us_max":100}`
	if err != nil || string(line) != want {
		t.Errorf("%s, %v", line, err)
	}
	if !f.Passes() {
		t.Error("above its gate")
	}
	for why, bad := range map[string]Figure{
		"gate":  {Ops: 1, Limit: 10, Gate: 0.15},
		"most":  {Ops: 1, Limit: 1, CPU: 6, Most: 5},
		"max":   {Ops: 1, Limit: 1, More: []Extra{{Value: 2, Max: 1}}},
		"min":   {Ops: 1, Limit: 1, More: []Extra{{Value: 0.5, Min: 1}}},
		"limit": {Ops: 1, Gate: 0.1},
	} {
		if bad.Passes() {
			t.Error(why)
		}
	}
}

// A refused command ends the run: figures of refusals would be lies.
func TestRefusedCommandsAreNotMeasured(t *testing.T) {
	o := small(t)
	o.Engines.SQLite = func(context.Context, string) (Store, error) { return refusing{newNaive()}, nil }
	err := Run(t.Context(), o, func(Figure) error { return nil })
	if err == nil || !strings.Contains(err.Error(), book.Insufficient.Explain()) {
		t.Error(err)
	}
}

type refusing struct{ *naive }

func (r refusing) Apply(ctx context.Context, cmds []book.Command) ([]book.Result, error) {
	results, err := r.naive.Apply(ctx, cmds)
	if len(results) == 1000 {
		results[999].Code = book.Insufficient
	}
	return results, err
}

func TestInterruptedRunLeavesNothing(t *testing.T) {
	o := small(t)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := Run(ctx, o, nil); !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
	if left, _ := filepath.Glob(filepath.Join(o.Dir, "*")); len(left) > 0 {
		t.Error(left)
	}
}

// A child that cannot work says why, and its parent passes that on.
func TestChildSaysWhyItFailed(t *testing.T) {
	r := &run{Options: small(t)}
	c, err := r.spawn(t.Context(), "nonsense", -1)
	if err == nil {
		_, err = c.read()
	}
	if err == nil || !strings.Contains(err.Error(), "nonsense") {
		t.Error(err)
	}
}

func TestMedianRoundGivesTheWholeFigure(t *testing.T) {
	l := &lane{samples: []sample{{ops: 9, limit: 10, cpu: 1}, {ops: 10, limit: 20, cpu: 2}, {ops: 1, limit: 10, cpu: 3}}}
	if f := l.figure(); f.Ops != 10 || f.Limit != 20 || f.CPU != 2 {
		t.Errorf("%+v", f)
	}
}

func TestMemoryIsComparedWhenCachesAreWarm(t *testing.T) {
	var list []float64
	for i := range 100 {
		list = append(list, float64(min(i, 20)+100)*1e6)
	}
	got := flat(list, list)
	if got[0].Value != 120 || got[1].Value != 1 || got[2].Value != 120 || got[3].Value != 120 {
		t.Errorf("%+v", got)
	}
	if got := flat([]float64{5e6}, []float64{5e6}); got[1].Value != 1 {
		t.Errorf("of one second: %+v", got)
	}
}

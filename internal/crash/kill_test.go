package crash

import (
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strconv"
	"testing"
	"time"

	"jiaozi/internal/pgtest"
)

// The sweep: data directories that live through several kills each.
const (
	kills     = 50
	soakKills = 1000

	serverKills     = 20
	soakServerKills = 200

	killsPerData = 5
	workers      = 2 // at once; the machine of CI has two cores
)

// pace is how long things take on this machine, to spread the kills over them.
type pace struct {
	start time.Duration // of a new scheme, until the first step is told
	fresh time.Duration // the first demo of a directory
	again time.Duration // a later one
}

// TestKilledAnywhereNoMoneyIsLost kills demo with SIGKILL at random moments that
// are spread over the whole of a run, making the scheme included, and starts it
// again on the same data: it must play to its end, and the audit must find that
// no money appeared or vanished. Some restarts are killed too.
func TestKilledAnywhereNoMoneyIsLost(t *testing.T) {
	if testing.Short() {
		t.Skip("kills the demo many times, a minute or two; left out of -short")
	}
	seed := crashSeed(t)
	t.Logf("JIAOZI_CRASH_SEED=%d repeats these moments", seed)
	p := measure(t)
	t.Logf("pace: scheme %v, first demo %v, later demo %v", p.start, p.fresh, p.again)
	count, slots := kills, make(chan struct{}, workers)
	if os.Getenv("JIAOZI_SOAK") != "" {
		count = soakKills
	}
	for line := range count / killsPerData {
		t.Run(fmt.Sprintf("data %d", line), func(t *testing.T) {
			t.Parallel()
			slots <- struct{}{}
			defer func() { <-slots }()
			v := victim{t: t, dir: filepath.Join(t.TempDir(), "data"), pace: p, dice: rand.New(rand.NewPCG(seed, uint64(line))), line: line}
			v.live()
		})
	}
}

// The same on PostgreSQL: fewer kills, each of the program while its server lives
// on. That the server may die as well is book/postgres's to prove.
func TestKilledAnywhereNoMoneyIsLostOnPostgreSQL(t *testing.T) {
	if testing.Short() {
		t.Skip("kills the demo many times; left out of -short")
	}
	server := pgtest.Start(t, pgtest.Options{})
	seed := crashSeed(t)
	t.Logf("JIAOZI_CRASH_SEED=%d repeats these moments", seed)
	count := serverKills
	if os.Getenv("JIAOZI_SOAK") != "" {
		count = soakServerKills
	}
	for line := range count / killsPerData {
		name := fmt.Sprintf("data%d", line)
		if err := server.CreateDB(name); err != nil {
			t.Fatal(err)
		}
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dir := filepath.Join(t.TempDir(), name)
			if r := play(t, "init", "--test", "--data", dir, "--store", server.SocketURL(name)); r.code != 0 {
				t.Fatal(r)
			}
			first := mustPlayDemo(t, dir)
			v := victim{t: t, dir: dir, pace: pace{fresh: first.took, again: first.took}, dice: rand.New(rand.NewPCG(seed, uint64(line))), line: 2*line + 1}
			v.live()
		})
	}
}

func crashSeed(t *testing.T) uint64 {
	t.Helper()
	text := os.Getenv("JIAOZI_CRASH_SEED")
	if text == "" {
		return rand.Uint64()
	}
	seed, err := strconv.ParseUint(text, 10, 64)
	if err != nil {
		t.Fatalf("JIAOZI_CRASH_SEED: %v", err)
	}
	return seed
}

func measure(t *testing.T) pace {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "data")
	first := mustPlayDemo(t, dir)
	second := mustPlayDemo(t, dir)
	mustConserve(t, dir)
	const beside = 3 // halves: how much slower all is with a second worker
	return pace{start: first.first * beside / 2, fresh: first.took * beside / 2, again: second.took * beside / 2}
}

// victim is one data directory and what happens to it.
type victim struct {
	t    *testing.T
	dir  string
	pace pace
	dice *rand.Rand
	line int
}

// live kills, restarts and audits, several times over. The first kill of every
// second directory falls into the making of the scheme.
func (v *victim) live() {
	for n := range killsPerData {
		switch {
		case n == 0 && v.line%2 == 0:
			v.kill(n, v.pace.start)
		case n == 0:
			v.kill(n, v.pace.fresh)
		default:
			v.kill(n, v.pace.again)
		}
		if v.dice.IntN(4) == 0 {
			v.kill(n, v.pace.again) // the restart dies as well
		}
		v.pace.again = mustPlayDemo(v.t, v.dir).took // now that others run beside it
		mustConserve(v.t, v.dir)
	}
}

// kill ends a demo somewhere within span. The kills of a directory's life are
// spread evenly: each has a part of the span of its own. If the demo was faster
// than the pace, it is killed earlier.
func (v *victim) kill(n int, span time.Duration) {
	part := (float64((n+v.line)%killsPerData) + v.dice.Float64()) / killsPerData
	for after := time.Duration(part * float64(span)); ; after = after * 3 / 4 {
		r := playFor(v.t, after, demo(v.dir)...)
		v.t.Logf("kill %d after %v of %v: exit %d", n, after, span, r.code)
		if r.code < 0 {
			return
		}
		if r.code > 0 {
			v.t.Fatalf("the demo failed before it was killed\n%s", r)
		}
	}
}

// A second demo on the same data is no replay: it plays new cards and books new
// entries, and both days add up.
func TestSecondDemoContinues(t *testing.T) {
	dir := settled(t)
	before := mustConserve(t, dir)
	mustPlayDemo(t, dir)
	if after := mustConserve(t, dir); after.Entries <= before.Entries {
		t.Errorf("%d entries, then %d", before.Entries, after.Entries)
	}
}

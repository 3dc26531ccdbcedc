package index

import (
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"os"
	"slices"
	"testing"
)

const crashBatches = 18 // two merges of eight, and two runs on top

// crashBatch is what the journal's batch seq says; each repeats a part of the one before.
func crashBatch(seq uint64) []Entry { return entriesFrom(int(seq)*20, 30) }

// crashWant is what an index that reflects seq holds.
func crashWant(seq uint64) []Entry {
	set := make(map[Entry]bool)
	for s := uint64(1); s <= seq; s++ {
		for _, e := range crashBatch(s) {
			set[e] = true
		}
	}
	return slices.SortedFunc(maps.Keys(set), compare)
}

// play rolls an index forward from wherever it is, merging as a keeper does, until an error. It returns the last sequence
// number that was acknowledged.
func play(dir folder) (acknowledged uint64, err error) {
	x, err := open(dir, Options{Filter: true})
	if err != nil {
		return 0, err
	}
	defer x.Close()
	acknowledged = x.Seq()
	for seq := x.Seq() + 1; seq <= crashBatches; seq++ {
		if err := x.Seal(crashBatch(seq), seq, testMark); err != nil {
			return acknowledged, errors.Join(err, sound(x, acknowledged, acknowledged))
		}
		acknowledged = seq
		if _, err := x.Merge(); err != nil {
			return acknowledged, errors.Join(err, sound(x, acknowledged, acknowledged))
		}
	}
	return acknowledged, nil
}

var errUnsound = errors.New("unsound")

// sound says whether the index reflects a sequence number from low to high and holds exactly what goes with it. A fault
// of the disk while it is read is no answer.
func sound(x *Index, low, high uint64) error {
	if x.Seq() < low || x.Seq() > high {
		return fmt.Errorf("%w: reflects %d, not %d to %d", errUnsound, x.Seq(), low, high)
	}
	got, err := walked(x)
	if errors.Is(err, errFault) {
		return nil
	}
	if err != nil || !slices.Equal(got, crashWant(x.Seq())) {
		return fmt.Errorf("%w: %d entries at %d (%v)", errUnsound, len(got), x.Seq(), err)
	}
	return nil
}

// eachFault plays the whole scenario once for each operation of the disk, which fails in each way, once or for ever.
func eachFault(t *testing.T, check func(t *testing.T, d *faulty, acknowledged uint64)) {
	whole := newFaulty()
	if seq, err := play(whole); err != nil || seq != crashBatches {
		t.Fatal(seq, err)
	}
	t.Logf("%d operations", whole.ops)
	for k := 1; k <= whole.ops; k++ {
		for kind := range faultKinds {
			for _, dead := range []bool{false, true} {
				if dead && kind != k%faultKinds && os.Getenv("JIAOZI_SOAK") == "" {
					continue
				}
				d := newFaulty()
				d.failAt, d.kind, d.dead = k, kind, dead
				seq, err := play(d)
				if errors.Is(err, errUnsound) || errors.Is(err, ErrDamaged) {
					t.Fatalf("operation %d fails (kind %d, dead %v): %v", k, kind, dead, err)
				}
				d.failAt = 0
				if check(t, d, seq); t.Failed() {
					t.Fatalf("operation %d fails (kind %d, dead %v)", k, kind, dead)
				}
			}
		}
	}
}

// TestFaultLosesNothing: after any failed operation of the disk the index opens again, reflects what was acknowledged or
// the batch after it, and takes the rest of the journal.
func TestFaultLosesNothing(t *testing.T) {
	eachFault(t, func(t *testing.T, d *faulty, acknowledged uint64) {
		rollForward(t, d, acknowledged)
	})
}

// TestPowerCutLosesNothing: the same when, after the fault, the power fails and takes whatever was not synced.
func TestPowerCutLosesNothing(t *testing.T) {
	dice := rand.New(rand.NewPCG(1, 2))
	eachFault(t, func(t *testing.T, d *faulty, acknowledged uint64) {
		rollForward(t, d.crash(dice), acknowledged)
	})
}

func rollForward(t *testing.T, d *faulty, acknowledged uint64) {
	t.Helper()
	x, err := open(d, Options{Filter: true})
	if err != nil {
		t.Error("reopen:", err)
		return
	}
	if err := sound(x, acknowledged, acknowledged+1); err != nil {
		t.Error(err)
	}
	files, _ := d.names()
	if len(files) != len(x.now.Load().runs)+1 {
		t.Errorf("%d files for %d runs", len(files), len(x.now.Load().runs))
	}
	x.Close()
	if seq, err := play(d); seq != crashBatches || err != nil {
		t.Error("roll forward:", seq, err)
	}
}

// TestFailedSealMayBeRepeated: a full disk passes; the same index takes the same batch when there is room again.
func TestFailedSealMayBeRepeated(t *testing.T) {
	for k := range 12 { // the operations of a seal before the manifest changes its name
		d := newFaulty()
		x := must(open(d, Options{Filter: true}))
		seal(t, x, 1, crashBatch(1)...)
		d.failAt, d.kind = d.ops+k+1, half
		if err := x.Seal(crashBatch(2), 2, testMark); !errors.Is(err, errFault) || x.Seq() != 1 {
			t.Errorf("operation %d: %v", k, err)
		}
		if err := errors.Join(x.Seal(crashBatch(2), 2, testMark), sound(x, 2, 2)); err != nil {
			t.Errorf("operation %d: %v", k, err)
		}
		x.Close()
		rollForward(t, d, 2)
	}
}

// TestUnsureIndexStops: when nobody knows which manifest is on the disk, nothing more is written until it is read again.
func TestUnsureIndexStops(t *testing.T) {
	d := newFaulty()
	x := must(open(d, Options{}))
	d.failAt, d.kind = d.ops+11, all // the renaming
	for seq := uint64(1); seq < 4; seq++ {
		if err := x.Seal(crashBatch(seq), seq, testMark); !errors.Is(err, errFault) || x.Seq() != 0 {
			t.Error(seq, x.Seq(), err)
		}
	}
	if err := sound(x, 0, 0); err != nil {
		t.Error(err)
	}
	x.Close()
	rollForward(t, d, 0)
}

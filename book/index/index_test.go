package index

import (
	"errors"
	"fmt"
	"io/fs"
	"math"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"testing"
)

// testMark stands for the hash of a place in the journal.
var testMark = [32]byte{1, 2, 3}

func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}

func seal(t testing.TB, x *Index, seq uint64, entries ...Entry) {
	t.Helper()
	if err := x.Seal(entries, seq, testMark); err != nil {
		t.Fatal(err)
	}
}

// walked is everything that an index holds.
func walked(x *Index) (entries []Entry, err error) {
	err = x.Walk(func(e Entry) error {
		entries = append(entries, e)
		return nil
	})
	return entries, err
}

func wantWalk(t testing.TB, x *Index, want []Entry) {
	t.Helper()
	got, err := walked(x)
	if err != nil || !slices.Equal(got, want) {
		t.Fatalf("walk: %d entries, want %d (%v)", len(got), len(want), err)
	}
}

// mergeAll merges until nothing is due.
func mergeAll(t testing.TB, x *Index) {
	t.Helper()
	for more := true; more; {
		var err error
		if more, err = x.Merge(); err != nil {
			t.Fatal(err)
		}
	}
}

func ExampleIndex() {
	x, err := Open("", Options{Filter: true}) // "" for an example; a folder of its own for a ledger
	if err != nil {
		panic(err)
	}
	defer x.Close()
	// The journal's batch 7 named the key with hash 0xcafe in its third command.
	if err := x.Seal([]Entry{{Hash: 0xcafe, Pos: 7<<13 | 2}}, 7, testMark); err != nil {
		panic(err)
	}
	positions, err := x.Find(0xcafe, nil)
	fmt.Println(positions, x.Seq(), err)
	// Output: [57346] 7 <nil>
}

// TestReopenedIndexIsTheSame: entries, sequence, count and secret survive, and the files are the owner's alone.
func TestReopenedIndexIsTheSame(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "deep", "keys")
	x := must(Open(dir, Options{Filter: true}))
	want := entriesFrom(0, 3000)
	seal(t, x, 5, want...)
	seal(t, x, 9) // a stretch of the journal without entries
	secret := x.Secret()
	x.Close()
	slices.SortFunc(want, compare)
	for _, open := range []func(string, Options) (*Index, error){Open, OpenReader} {
		y := must(open(dir, Options{}))
		if y.Seq() != 9 || y.Len() != 3000 || y.Secret() != secret || secret == [16]byte{} {
			t.Errorf("seq %d, %d entries, secret %x; was %x", y.Seq(), y.Len(), y.Secret(), secret)
		}
		wantWalk(t, y, want)
		y.Close()
	}
	for _, entry := range must(os.ReadDir(dir)) {
		if mode := must(entry.Info()).Mode(); mode.Perm() != 0o600 {
			t.Errorf("%s has mode %v", entry.Name(), mode)
		}
	}
}

// TestSameSequenceAgainDoesNothing: what a roll-forward offers a second time changes nothing, and what it offers in part
// is found once.
func TestSameSequenceAgainDoesNothing(t *testing.T) {
	x := must(Open("", Options{}))
	defer x.Close()
	seal(t, x, 4, Entry{1, 1}, Entry{1, 1}, Entry{1, 2})
	seal(t, x, 4, Entry{1, 3})
	seal(t, x, 3, Entry{1, 4})
	seal(t, x, 6, Entry{1, 2}, Entry{2, 5})
	if got := must(x.Find(1, []uint64{77})); !slices.Equal(got, []uint64{77, 1, 2}) {
		t.Error(got)
	}
	wantWalk(t, x, []Entry{{1, 1}, {1, 2}, {2, 5}})
	if x.Seq() != 6 {
		t.Error(x.Seq())
	}
}

// TestOneHashFillsManyBlocks: an account with a hundred thousand legs, its neighbours, and every border of a block.
func TestOneHashFillsManyBlocks(t *testing.T) {
	x := must(Open("", Options{Filter: true}))
	defer x.Close()
	const hot, legs = 1 << 40, 100_000
	entries := []Entry{{hot - 1, 3}, {hot + 1, 4}, {0, 0}, {math.MaxUint64, math.MaxUint64}}
	for i := range uint64(legs) {
		entries = append(entries, Entry{hot, 10 * (i + 1)})
	}
	seal(t, x, 1, entries...)
	if got := must(x.Find(hot, nil)); len(got) != legs || !slices.IsSorted(got) {
		t.Fatal(len(got))
	}
	for i := uint64(1); i <= legs; i++ {
		if i%perBlock > 3 && i%perBlock < perBlock-3 {
			continue
		}
		for at := 10*i - 1; at <= 10*i+1; at++ {
			before, ok, err := x.Before(hot, at)
			if want := (at - 1) / 10 * 10; err != nil || before != want || ok != (want > 0) {
				t.Fatalf("before %d: %d %v %v", at, before, ok, err)
			}
			from, err := x.From(hot, at, 2, nil)
			want := slices.DeleteFunc([]uint64{(at + 9) / 10 * 10, (at+9)/10*10 + 10}, func(p uint64) bool { return p > 10*legs })
			if err != nil || !slices.Equal(from, want) {
				t.Fatalf("from %d: %d, want %d (%v)", at, from, want, err)
			}
		}
	}
	for _, e := range entries[:4] {
		if got := must(x.Find(e.Hash, nil)); !slices.Equal(got, []uint64{e.Pos}) {
			t.Error(e, len(got))
		}
	}
	if before, ok, _ := x.Before(math.MaxUint64, math.MaxUint64); ok {
		t.Error(before)
	}
}

// TestRunsStayFew: whatever the sizes of the seals, merges keep fewer than eight runs of each size.
func TestRunsStayFew(t *testing.T) {
	x := must(Open("", Options{}))
	defer x.Close()
	n := 0
	for seq := uint64(1); seq <= 600; seq++ {
		size := []int{1, 3, 50, 5000}[seq%4]
		seal(t, x, seq, entriesFrom(n, size)...)
		n += size
		mergeAll(t, x)
		if runs := len(x.now.Load().runs); runs >= mergeFactor*(tier(uint64(n))+1) {
			t.Fatalf("%d runs for %d entries", runs, n)
		}
	}
	if x.Len() != uint64(n) {
		t.Error(x.Len(), n)
	}
	for i := uint64(0); i < uint64(n); i += 17 {
		if got := must(x.Find(randomHash(i), nil)); !slices.Equal(got, []uint64{i}) {
			t.Fatal(i, got)
		}
	}
	if files := must(x.dir.names()); len(files) != len(x.now.Load().runs)+1 {
		t.Error("merged runs are still there:", files)
	}
}

// TestFastSortIsTheSameSort as the plain one, for uniform and for crowded hashes, in any order, and a copy.
func TestFastSortIsTheSameSort(t *testing.T) {
	for _, mask := range []uint64{math.MaxUint64, 0xff000000000000ff, 7, 0} {
		for _, size := range []int{0, 1, radixFrom - 1, radixFrom, 3*radixFrom + 5} {
			entries := entriesFrom(0, size)
			for i := range entries {
				entries[i].Hash &= mask
			}
			slices.Reverse(entries[:size/2])
			before, want := slices.Clone(entries), slices.SortedFunc(slices.Values(entries), compare)
			if got := sorted(entries); !slices.Equal(got, want) {
				t.Errorf("%d entries of %x: not sorted", size, mask)
			}
			if !slices.Equal(entries, before) {
				t.Errorf("%d entries of %x: the caller's slice is touched", size, mask)
			}
		}
	}
}

// TestOrphansAreSwept: what a crash left is removed by the writer, not by a reader, and what is not ours stays.
func TestOrphansAreSwept(t *testing.T) {
	dir := t.TempDir()
	x := must(Open(dir, Options{}))
	seal(t, x, 1, Entry{1, 1})
	x.Close()
	orphans, strangers := []string{runName(99), manifestStage}, []string{"notes.txt", "00.run", runName(7) + "~"}
	for _, name := range slices.Concat(orphans, strangers) {
		if err := os.WriteFile(filepath.Join(dir, name), []byte("x"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	must(OpenReader(dir, Options{})).Close()
	if n := len(must(os.ReadDir(dir))); n != 7 {
		t.Errorf("the reader leaves %d files", n)
	}
	must(Open(dir, Options{})).Close()
	names := must(disk(dir).names())
	for _, name := range orphans {
		if slices.Contains(names, name) {
			t.Errorf("%s is still there", name)
		}
	}
	for _, name := range strangers {
		if !slices.Contains(names, name) {
			t.Errorf("%s is gone", name)
		}
	}
}

// TestWhoMayDoWhat: a reader needs an index and cannot write, a closed index answers nothing, and closing twice is once.
func TestWhoMayDoWhat(t *testing.T) {
	dir := t.TempDir()
	for _, d := range []string{"", dir, filepath.Join(dir, "none")} {
		if _, err := OpenReader(d, Options{}); !errors.Is(err, fs.ErrNotExist) || errors.Is(err, ErrDamaged) {
			t.Errorf("reader of %q: %v", d, err)
		}
	}
	x := must(Open(dir, Options{}))
	seal(t, x, 1, Entry{1, 1})
	r := must(OpenReader(dir, Options{}))
	_, merging := r.Merge()
	if sealing := r.Seal(nil, 2, testMark); sealing == nil || merging == nil {
		t.Error("a reader writes")
	}
	r.Close()
	x.Close()
	x.Close()
	_, find := x.Find(1, nil)
	_, _, before := x.Before(1, 2)
	_, merge := x.Merge()
	for _, err := range []error{find, before, merge, x.Walk(nil), x.Seal(nil, 2, testMark)} {
		if !errors.Is(err, fs.ErrClosed) {
			t.Error(err)
		}
	}
	if _, err := Open(filepath.Join(dir, manifestName), Options{}); err == nil {
		t.Error("a file is no folder")
	}
}

// TestAbsentHashCostsNoAllocation, with filters and without.
func TestAbsentHashCostsNoAllocation(t *testing.T) {
	for _, o := range []Options{{Filter: true}, {}} {
		x := must(Open(t.TempDir(), o))
		defer x.Close()
		for seq := range uint64(3) {
			seal(t, x, seq+1, entriesFrom(int(seq)*1000, 1000)...)
		}
		var n uint64 = 1 << 50
		if allocs := testing.AllocsPerRun(1000, func() {
			n++
			if found, err := x.Find(randomHash(n), nil); err != nil || found != nil {
				t.Fatal(found, err)
			}
		}); allocs > 0 {
			t.Errorf("%+v: %v allocations", o, allocs)
		}
	}
}

// TestFilterSparesTheDisk: of hashes that are not there, about one in 240 reads a block.
func TestFilterSparesTheDisk(t *testing.T) {
	x := must(Open("", Options{Filter: true}))
	defer x.Close()
	const size, asked = 200_000, 100_000
	seal(t, x, 1, entriesFrom(0, size)...)
	r := x.now.Load().runs[0]
	wrong := 0
	for i := range uint64(asked) {
		if must(r.may(randomHash(1<<50 + i))) {
			wrong++
		}
	}
	if wrong > asked/150 {
		t.Errorf("%d of %d", wrong, asked)
	}
	if bits := r.filterSize * 8 / size; bits != bitsPerHash {
		t.Errorf("%d bits for each hash", bits)
	}
}

// TestMemoryDoesNotGrow: a merge of four times as many entries takes no more memory while it works, and leaves behind
// one entry in 65025.
func TestMemoryDoesNotGrow(t *testing.T) {
	merge := func(size int) (took uint64) {
		x := must(Open(t.TempDir(), Options{Filter: true}))
		defer x.Close()
		for seq := range mergeFactor {
			seal(t, x, uint64(seq+1), entriesFrom(seq*size, size)...)
		}
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		mergeAll(t, x)
		runtime.ReadMemStats(&after)
		r := x.now.Load().runs[0]
		if want := (mergeFactor*size + perBlock*perBlock - 1) / (perBlock * perBlock); len(x.now.Load().runs) != 1 || len(r.summary) != want {
			t.Errorf("%d of %d entries are kept in memory, want %d", len(r.summary), r.count, want)
		}
		return after.TotalAlloc - before.TotalAlloc
	}
	few, many := merge(100_000), merge(400_000)
	if many > few+few/10 {
		t.Errorf("a merge of %d entries takes %d bytes, of four times as many %d", mergeFactor*100_000, few, many)
	}
}

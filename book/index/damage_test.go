package index

import (
	"errors"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"testing"
)

// small is an index of two runs, one of two blocks, with filters.
func small(t testing.TB) (*memory, []Entry) {
	dir := newMemory()
	x := must(open(dir, Options{Filter: true}))
	seal(t, x, 1, entriesFrom(0, perBlock+3)...)
	seal(t, x, 2, entriesFrom(1000, 9)...)
	x.Close()
	want := slices.Concat(entriesFrom(0, perBlock+3), entriesFrom(1000, 9))
	slices.SortFunc(want, compare)
	return dir, want
}

// examine opens an index and reads all of it in each way. It returns the first error, and fails the test if there is none
// although something differs.
func examine(t testing.TB, dir folder, want []Entry, what string) error {
	t.Helper()
	x, err := openReader(dir, Options{})
	if err != nil {
		return err
	}
	defer x.Close()
	got, err := walked(x)
	if err != nil {
		return err
	}
	if !slices.Equal(got, want) || x.Seq() != 2 {
		t.Errorf("%s: other entries, and nobody notices", what)
	}
	for _, e := range want[:5] {
		found, err := x.Find(e.Hash, nil)
		if err != nil {
			return err
		}
		if !slices.Equal(found, []uint64{e.Pos}) {
			t.Errorf("%s: %v is lost, and nobody notices", what, e)
		}
	}
	return nil
}

// TestEveryFlippedByteIsNoticed: in the manifest, in heads, blocks, filters and directories.
func TestEveryFlippedByteIsNoticed(t *testing.T) {
	dir, want := small(t)
	if err := examine(t, dir, want, "untouched"); err != nil {
		t.Fatal(err)
	}
	for name, f := range dir.files {
		for i := range f.data {
			mask := byte(1) << (i % 8)
			f.data[i] ^= mask
			if err := examine(t, dir, want, name); !errors.Is(err, ErrDamaged) {
				t.Fatalf("%s: byte %d: %v", name, i, err)
			}
			f.data[i] ^= mask
		}
	}
}

// TestEveryCutIsNoticed: a file cut to any length, or longer by a byte.
func TestEveryCutIsNoticed(t *testing.T) {
	dir, want := small(t)
	for name, f := range dir.files {
		whole := f.data
		for size := range whole {
			f.data = whole[:size:size]
			if err := examine(t, dir, want, name); !errors.Is(err, ErrDamaged) {
				t.Fatalf("%s: cut to %d: %v", name, size, err)
			}
		}
		f.data = append(slices.Clone(whole), 0)
		if err := examine(t, dir, want, name); !errors.Is(err, ErrDamaged) {
			t.Fatalf("%s: a byte more: %v", name, err)
		}
		f.data = whole
	}
}

// TestForeignFilesAreNoticed: a file that is missing, one in the place of another, one of another index, and the blocks
// and filters of another run.
func TestForeignFilesAreNoticed(t *testing.T) {
	one, two := runName(1), runName(2)
	other := newMemory()
	x := must(open(other, Options{Filter: true}))
	seal(t, x, 1, entriesFrom(5000, perBlock+3)...)
	x.Close()
	foreign := other.files[one].data
	// The first run has a head, one page of filter, a directory, two blocks and a summary.
	put := func(to int, from []byte, page int) func(files map[string]*memoryFile) {
		return func(files map[string]*memoryFile) {
			copy(files[one].data[to*pageSize:(to+1)*pageSize], from[page*pageSize:])
		}
	}
	for what, deed := range map[string]func(files map[string]*memoryFile){
		"run missing":         func(files map[string]*memoryFile) { delete(files, two) },
		"manifest missing":    func(files map[string]*memoryFile) { delete(files, manifestName) },
		"runs swapped":        func(files map[string]*memoryFile) { files[one], files[two] = files[two], files[one] },
		"foreign run":         func(files map[string]*memoryFile) { files[one] = other.files[one] },
		"foreign manifest":    func(files map[string]*memoryFile) { files[manifestName] = other.files[manifestName] },
		"foreign filter":      put(1, foreign, 1),
		"foreign directory":   put(2, foreign, 2),
		"foreign block":       put(3, foreign, 3),
		"block twice":         func(files map[string]*memoryFile) { put(4, files[one].data, 3)(files) },
		"block for directory": func(files map[string]*memoryFile) { put(2, files[one].data, 3)(files) },
	} {
		dir, want := small(t)
		deed(dir.files)
		before := maps.Clone(dir.files)
		x, err := open(dir, Options{})
		if err == nil {
			_, err = walked(x)
			x.Close()
		}
		if !errors.Is(err, ErrDamaged) && what != "foreign manifest" {
			t.Errorf("%s: %v", what, err)
		}
		if what == "foreign manifest" && err == nil {
			t.Errorf("%s: nobody notices", what)
		}
		if err := examine(t, dir, want, what); err == nil {
			t.Errorf("%s: the reader does not notice", what)
		}
		if !maps.Equal(dir.files, before) {
			t.Errorf("%s: files were touched", what)
		}
	}
}

// TestFilterIsCheckedWhenItIsAsked: a bit that changes in the mapped filter of an open index, as when a page of it was
// dropped and came back otherwise, hides no entry.
func TestFilterIsCheckedWhenItIsAsked(t *testing.T) {
	dir, want := small(t)
	x := must(open(dir, Options{}))
	defer x.Close()
	noticed := 0
	for i := range dir.files[runName(1)].data[filterAt : filterAt+pageSize] {
		f := dir.files[runName(1)].data[filterAt:]
		for _, mask := range []byte{1 << (i % 8), f[i]} {
			f[i] ^= mask
			for _, e := range want {
				switch found, err := x.Find(e.Hash, nil); {
				case errors.Is(err, ErrDamaged):
					noticed++
				case err != nil || !slices.Equal(found, []uint64{e.Pos}):
					t.Fatalf("byte %d: %v is lost, and nobody notices: %v %v", i, e, found, err)
				}
			}
			f[i] ^= mask
		}
	}
	if noticed < len(want) {
		t.Errorf("%d questions met the damage", noticed)
	}
}

// TestFileCutUnderAReader: somebody cuts the file of an open index short. Asking the filter is an error then, not the end
// of the process.
func TestFileCutUnderAReader(t *testing.T) {
	dir := t.TempDir()
	x := must(Open(dir, Options{Filter: true}))
	defer x.Close()
	seal(t, x, 1, entriesFrom(0, 10_000)...)
	if err := os.Truncate(filepath.Join(dir, runName(1)), 0); err != nil {
		t.Fatal(err)
	}
	e := entriesFrom(0, 1)[0]
	for range 2 {
		_, find := x.Find(e.Hash, nil)
		_, _, before := x.Before(e.Hash, e.Pos+1)
		each := x.FindEach([]uint64{e.Hash}, func(int, uint64) { t.Error("a hit in a file that is gone") })
		for _, err := range []error{find, before, each} {
			if !errors.Is(err, ErrDamaged) {
				t.Error(err)
			}
		}
	}
}

// TestReaderFollowsAMerge: a run that vanishes between the reading of the manifest and the opening is looked for in the
// next manifest; one that stays away is damage.
func TestReaderFollowsAMerge(t *testing.T) {
	dir, want := small(t)
	late := &lateFolder{memory: dir, name: runName(2), absent: 3}
	if err := examine(t, late, want, "late"); err != nil || late.absent != 0 {
		t.Error(late.absent, err)
	}
	late.absent = 1000
	if err := examine(t, late, want, "never"); !errors.Is(err, ErrDamaged) {
		t.Error(err)
	}
}

// lateFolder says a few times that a file is not there.
type lateFolder struct {
	*memory
	name   string
	absent int
}

func (d *lateFolder) open(name string) (file, error) {
	if name == d.name && d.absent > 0 {
		d.absent--
		return nil, d.memory.absent(name)
	}
	return d.memory.open(name)
}

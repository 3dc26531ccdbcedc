package index

import (
	"errors"
	"maps"
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
	for what, deed := range map[string]func(files map[string]*memoryFile){
		"run missing":      func(files map[string]*memoryFile) { delete(files, two) },
		"manifest missing": func(files map[string]*memoryFile) { delete(files, manifestName) },
		"runs swapped":     func(files map[string]*memoryFile) { files[one], files[two] = files[two], files[one] },
		"foreign run":      func(files map[string]*memoryFile) { files[one] = other.files[one] },
		"foreign manifest": func(files map[string]*memoryFile) { files[manifestName] = other.files[manifestName] },
		"foreign block":    func(files map[string]*memoryFile) { copy(files[one].data[pageSize:2*pageSize], foreign[pageSize:]) },
		"block twice": func(files map[string]*memoryFile) {
			copy(files[one].data[2*pageSize:], files[one].data[pageSize:2*pageSize])
		},
		"foreign filter": func(files map[string]*memoryFile) { copy(files[one].data[3*pageSize:], foreign[3*pageSize:]) },
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

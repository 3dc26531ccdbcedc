// Package index finds places in a journal by a 64-bit hash: a multi-map from
// hash to position that survives a restart, grows without bound, and is written
// by one keeper while anybody reads. It knows nothing of what is hashed or what
// a position means; two keys may share a hash, so every hit is to be checked
// against the journal.
//
// On disk it is a small log-structured merge tree:
//
//	Seal --> run, sorted, immutable --+
//	Seal --> run ---------------------+-- Merge, 8 of a size --> bigger run
//	...                               |
//	MANIFEST: the runs that count, the journal's sequence that they reflect
//
// Promises: after Seal returns, a crash takes nothing back; a crash in the middle
// leaves the state before or after, and never a third; what is read was checked
// against a checksum; the memory used is one entry in 65025, whatever the size.
// Filters, if asked for, are files too, mapped (on Linux; elsewhere they are
// read): 13 bits for each hash that the kernel keeps in memory if there is room.
// Everything in here is derived: an index that is damaged is deleted, and made
// again from the journal.
//
// Start with Open, Index.Find and Index.Seal.
package index

import (
	"cmp"
	"crypto/rand"
	"errors"
	"fmt"
	"io/fs"
	"sync"
	"sync/atomic"
)

// ErrDamaged is wrapped by every error about files that are not what was
// written: changed, cut short, missing, or of another version.
var ErrDamaged = errors.New("the index is damaged; it is derived data: stop, delete its folder, and start again to have it made from the journal")

// An Entry is one place in the journal and the hash of what stands there.
// Entries are ordered by Hash, then Pos; the same entry twice counts once.
type Entry struct{ Hash, Pos uint64 }

func compare(a, b Entry) int {
	if a.Hash != b.Hash {
		return cmp.Compare(a.Hash, b.Hash)
	}
	return cmp.Compare(a.Pos, b.Pos)
}

func (e Entry) less(o Entry) bool { return e.Hash < o.Hash || e.Hash == o.Hash && e.Pos < o.Pos }

// Options say how an index is built. They may change from one opening to the
// next: what they mean for a run is decided when the run is written.
type Options struct {
	// Filter keeps 13 bits for each hash beside it, which lie in memory if there is
	// room, so that a hash which is not there costs no read of the disk (one in 240
	// for each run does).
	Filter bool
}

// Index is a multi-map from hash to positions. Find, Before, From and Walk are
// for any goroutine at any time. Seal and Merge are for the keeper; they may run
// beside each other.
type Index struct {
	dir      folder
	options  Options
	secret   [16]byte
	readOnly bool

	now    atomic.Pointer[state] // never nil once open
	next   atomic.Uint64         // number of the next run
	closed atomic.Bool

	sealing, merging sync.Mutex // one of each at a time
	edit             sync.Mutex // guards the manifest, sick and the change of now
	sick             error
}

// Open opens the index in a folder for its one writer, and makes it if there is
// none. The caller sees to it that there is one writer. With dir "" the index is
// kept in memory and forgotten by Close.
func Open(dir string, o Options) (*Index, error) {
	if dir == "" {
		return open(newMemory(), o)
	}
	d, err := makeDisk(dir)
	if err != nil {
		return nil, fmt.Errorf("open index: %w", err)
	}
	return open(d, o)
}

// OpenReader opens the index in a folder as it is now, beside a writer or
// without one; what the writer does later is not seen. Its Seal and Merge are
// refused. If there is no index it returns an error that wraps fs.ErrNotExist.
func OpenReader(dir string, o Options) (*Index, error) {
	if dir == "" {
		return nil, fmt.Errorf("open index to read: an index in memory has no other reader: %w", fs.ErrNotExist)
	}
	return openReader(disk(dir), o)
}

func open(dir folder, o Options) (*Index, error) {
	m, err := loadManifest(dir)
	if errors.Is(err, fs.ErrNotExist) {
		m, err = firstManifest(dir)
	}
	if err != nil {
		return nil, err
	}
	runs, _, err := openRuns(dir, m)
	if err != nil {
		return nil, err
	}
	x := newIndex(dir, o, m, runs)
	if err := sweep(dir, m); err != nil {
		return nil, errors.Join(fmt.Errorf("open index: remove what a crash left: %w", err), x.Close())
	}
	return x, nil
}

func openReader(dir folder, o Options) (*Index, error) {
	// A merge may delete runs between the reading of the manifest and the
	// opening of the files. It takes far longer than one try of ours.
	const tries = 20
	for try := 1; ; try++ {
		m, err := loadManifest(dir)
		if err != nil {
			return nil, err
		}
		runs, missing, err := openRuns(dir, m)
		if missing && try < tries {
			continue
		}
		if err != nil {
			return nil, err
		}
		x := newIndex(dir, o, m, runs)
		x.readOnly = true
		return x, nil
	}
}

func newIndex(dir folder, o Options, m manifest, runs []*run) *Index {
	x := &Index{dir: dir, options: o, secret: m.secret}
	x.next.Store(m.next)
	x.now.Store(newState(m.at, runs))
	return x
}

// firstManifest makes an empty index. The manifest precedes every run, so runs
// without one are not a crash but somebody's deed.
func firstManifest(dir folder) (manifest, error) {
	names, err := dir.names()
	if err != nil {
		return manifest{}, fmt.Errorf("make index: %w", err)
	}
	for _, name := range names {
		if _, ok := runNumber(name); ok {
			return manifest{}, damaged(dir, manifestName, "it is missing, and there are runs")
		}
	}
	m := manifest{next: 1}
	rand.Read(m.secret[:])
	if err := m.stage(dir); err != nil {
		return manifest{}, fmt.Errorf("make index: %w", err)
	}
	if err := m.commit(dir); err != nil {
		return manifest{}, fmt.Errorf("make index: %w", err)
	}
	return m, nil
}

// Secret is 16 random bytes, drawn when the index was made. Hashes keyed with it
// cannot be made to collide by whoever chooses the keys.
func (x *Index) Secret() [16]byte { return x.secret }

// Seq is the journal's sequence number that the sealed runs reflect, 0 at first.
func (x *Index) Seq() uint64 { return x.now.Load().at.seq }

// Mark is what came with Seq: the hash of that place in the journal, which shows
// that the index belongs to this journal and not to another one.
func (x *Index) Mark() [32]byte { return x.now.Load().at.mark }

// Len is the number of sealed entries. An entry that was sealed more than once
// may count more than once until a merge.
func (x *Index) Len() uint64 { return count(x.now.Load().runs) }

// Runs is in how many files the entries lie: a question looks into each.
func (x *Index) Runs() int { return len(x.now.Load().runs) }

// Close lets go of the files, once the last reader has left; a merge on its way
// gives up. Reading or sealing afterwards returns fs.ErrClosed.
func (x *Index) Close() error {
	if x.closed.Swap(true) {
		return nil
	}
	x.merging.Lock()
	defer x.merging.Unlock()
	x.sealing.Lock()
	defer x.sealing.Unlock()
	x.now.Load().release()
	return nil
}

func damaged(dir folder, name, why string, args ...any) error {
	return fmt.Errorf("%w (%s: %s)", ErrDamaged, dir.path(name), fmt.Sprintf(why, args...))
}

package index

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"slices"
)

// The manifest is the file that says which runs count. It is replaced as a
// whole, which is the moment at which a seal or a merge becomes true:
//
//	write run, sync run, write MANIFEST.new, sync it, sync folder
//	rename MANIFEST.new to MANIFEST, sync folder
//	delete the runs that were merged
const (
	manifestName  = "MANIFEST"
	manifestStage = "MANIFEST.new"
	manifestMagic = "JZIDX02\n"
	listedSize    = 8 + 8 + 4
	manifestFixed = len(manifestMagic) + 16 + 8 + 32 + 8 + 4 // and the checksum
	maxRuns       = 1 << 16
)

type manifest struct {
	secret [16]byte
	at     point
	next   uint64 // number that no run has had
	runs   []listed
}

// point is a place in the journal: a sequence number, and the hash there.
type point struct {
	seq  uint64
	mark [32]byte
}

// listed is a run by number, its count of entries and the checksum of its head.
type listed struct {
	number, count uint64
	headSum       uint32
}

func (m *manifest) encode() []byte {
	b := append(make([]byte, 0, manifestFixed+len(m.runs)*listedSize+4), manifestMagic...)
	b = append(b, m.secret[:]...)
	b = little.AppendUint64(b, m.at.seq)
	b = append(b, m.at.mark[:]...)
	b = little.AppendUint64(b, m.next)
	b = little.AppendUint32(b, uint32(len(m.runs)))
	for _, r := range m.runs {
		b = little.AppendUint64(b, r.number)
		b = little.AppendUint64(b, r.count)
		b = little.AppendUint32(b, r.headSum)
	}
	return little.AppendUint32(b, checksum(b))
}

func decodeManifest(b []byte) (manifest, error) {
	var m manifest
	body := len(b) - manifestFixed - 4
	if body < 0 || string(b[:len(manifestMagic)]) != manifestMagic {
		return m, errors.New("not a manifest of this version")
	}
	if checksum(b[:len(b)-4]) != little.Uint32(b[len(b)-4:]) {
		return m, errors.New("wrong checksum")
	}
	at := len(manifestMagic)
	copy(m.secret[:], b[at:])
	m.at.seq, m.next = little.Uint64(b[at+16:]), little.Uint64(b[at+56:])
	copy(m.at.mark[:], b[at+24:])
	if n := little.Uint32(b[at+64:]); uint64(body) != uint64(n)*listedSize {
		return m, fmt.Errorf("%d runs in %d bytes", n, body)
	}
	for r := range slices.Chunk(b[manifestFixed:len(b)-4], listedSize) {
		m.runs = append(m.runs, listed{little.Uint64(r), little.Uint64(r[8:]), little.Uint32(r[16:])})
	}
	return m, m.check()
}

// check wants runs in the order of their numbers, all below next.
func (m *manifest) check() error {
	for i, r := range m.runs {
		if r.number >= m.next || i > 0 && r.number <= m.runs[i-1].number {
			return errors.New("runs out of order")
		}
	}
	return nil
}

// loadManifest returns an error that wraps fs.ErrNotExist if there is none.
func loadManifest(dir folder) (manifest, error) {
	f, err := dir.open(manifestName)
	if err != nil {
		return manifest{}, fmt.Errorf("open index: %w", err)
	}
	defer f.Close()
	size, err := f.Size()
	if err != nil {
		return manifest{}, fmt.Errorf("open index: %w", err)
	}
	if size > int64(manifestFixed+maxRuns*listedSize+4) {
		return manifest{}, damaged(dir, manifestName, "%d bytes are too many", size)
	}
	b := make([]byte, size)
	if _, err := f.ReadAt(b, 0); err != nil && !errors.Is(err, io.EOF) {
		return manifest{}, fmt.Errorf("open index: %w", err)
	}
	m, err := decodeManifest(b)
	if err != nil {
		return manifest{}, damaged(dir, manifestName, "%v", err)
	}
	return m, nil
}

// stage writes the new manifest beside the old one. If it fails, nothing has
// happened.
func (m *manifest) stage(dir folder) error {
	if len(m.runs) > maxRuns {
		return fmt.Errorf("%d runs, at most %d: merge first", len(m.runs), maxRuns)
	}
	f, err := dir.create(manifestStage)
	if err != nil {
		return err
	}
	_, err = f.Write(m.encode())
	if err == nil {
		err = f.Sync()
	}
	// The folder too: the name of a run must be on the disk before its mention.
	return errors.Join(err, f.Close(), dir.sync())
}

// commit puts the staged manifest in force. If it fails, either is in force.
func (m *manifest) commit(dir folder) error {
	if err := dir.rename(manifestStage, manifestName); err != nil {
		return err
	}
	return dir.sync()
}

// openRuns opens what the manifest lists, all or nothing. A missing file is
// damage, unless a writer took it away since the manifest was read.
func openRuns(dir folder, m manifest) (runs []*run, missing bool, err error) {
	for _, want := range m.runs {
		r, err := openRun(dir, want)
		if err == nil {
			runs = append(runs, r)
			continue
		}
		for _, r := range runs {
			r.file.Close()
		}
		if missing = errors.Is(err, fs.ErrNotExist); missing {
			err = damaged(dir, runName(want.number), "it is missing")
		}
		return nil, missing, err
	}
	return runs, false, nil
}

// sweep removes runs that the manifest does not list: a crash came between the
// writing of a run and its mention, or between a merge and the deletion of what
// it merged. Files that are not ours stay.
func sweep(dir folder, m manifest) error {
	names, err := dir.names()
	if err != nil {
		return err
	}
	for _, name := range names {
		number, ours := runNumber(name)
		known := slices.ContainsFunc(m.runs, func(r listed) bool { return r.number == number })
		if ours && !known || name == manifestStage {
			if err := dir.remove(name); err != nil {
				return err
			}
		}
	}
	return nil
}

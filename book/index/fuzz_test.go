package index

import (
	"bytes"
	"errors"
	"testing"
)

// FuzzManifest: what is accepted is encoded as it was.
func FuzzManifest(f *testing.F) {
	dir, _ := small(f)
	f.Add(dir.files[manifestName].data)
	f.Add((&manifest{next: 1}).encode())
	f.Fuzz(func(t *testing.T, b []byte) {
		for _, b := range [][]byte{b, withChecksum(b)} {
			if m, err := decodeManifest(b); err == nil && !bytes.Equal(m.encode(), b) {
				t.Errorf("%x comes back as %x", b, m.encode())
			}
		}
	})
}

func withChecksum(b []byte) []byte {
	if len(b) < 4 {
		return b
	}
	b = bytes.Clone(b)
	little.PutUint32(b[len(b)-4:], checksum(b[:len(b)-4]))
	return b
}

// FuzzRun: any bytes in the place of a run, also with their checksums put right, are damage or can be read, and neither
// takes more memory than the file has.
func FuzzRun(f *testing.F) {
	dir, _ := small(f)
	f.Add(dir.files[runName(1)].data, uint64(7))
	f.Add(dir.files[runName(2)].data, uint64(8))
	f.Fuzz(func(t *testing.T, b []byte, hash uint64) {
		readAnyRun(t, b, hash)
		readAnyRun(t, withChecksums(bytes.Clone(b)), hash)
	})
}

func readAnyRun(t *testing.T, b []byte, hash uint64) {
	var want listed
	if len(b) >= pageSize {
		if h, err := decodeHead(b[:pageSize]); err == nil {
			want = listed{h.number, h.count, little.Uint32(b[checksumAt:])}
		}
	}
	dir := newMemory()
	dir.files[runName(want.number)] = &memoryFile{b}
	m := manifest{next: want.number + 1, runs: []listed{want}}
	runs, _, err := openRuns(dir, m)
	if err != nil {
		if !errors.Is(err, ErrDamaged) {
			t.Error(err)
		}
		return
	}
	x := newIndex(dir, Options{}, m, runs)
	defer x.Close()
	_, walk := walked(x)
	_, find := x.Find(hash, nil)
	_, _, before := x.Before(hash, hash)
	_, last := x.Find(runs[0].last.Hash, nil)
	for _, err := range []error{walk, find, before, last} {
		if err != nil && !errors.Is(err, ErrDamaged) {
			t.Error(err)
		}
	}
}

// withChecksums puts right every checksum that is where the head says.
func withChecksums(b []byte) []byte {
	if len(b) < pageSize {
		return b
	}
	first := withChecksum(b[:pageSize])
	h, err := decodeHead(first)
	if err == nil && h.size() == int64(len(b)) {
		for n := range h.blocks() {
			sealBlock(b[blockAt(n):], h.number, n)
		}
		h.directory = checksum(b[h.directoryAt():])
		first = h.encode()
	}
	copy(b, first)
	return b
}

// FuzzFilter: with parameters that are accepted, no hash leads outside the fingerprints.
func FuzzFilter(f *testing.F) {
	dir, _ := small(f)
	b := dir.files[runName(2)].data
	f.Add(b[len(b)-filterSize:], uint64(1))
	f.Fuzz(func(t *testing.T, b []byte, hash uint64) {
		if len(b) != filterSize {
			return
		}
		_, set, size, _, err := decodeFilter(b)
		if err != nil || size > 1<<20 {
			return
		}
		set.Fingerprints = make([]byte, size)
		for i := range uint64(64) {
			set.Contains(hash + i<<58)
		}
	})
}

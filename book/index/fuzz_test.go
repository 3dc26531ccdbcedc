package index

import (
	"bytes"
	"errors"
	"hash/crc32"
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

// FuzzRun: a run with any change and any cut, also with its checksums put right, is damage or can be read, and neither
// takes more memory than the file has. The input is the change, which is short and so quickly made shorter.
func FuzzRun(f *testing.F) {
	dir, _ := small(f)
	good := dir.files[runName(1)].data
	f.Add(uint16(0), []byte(runMagic), uint16(0), uint64(7))
	f.Add(uint16(24), []byte{9, 0, 0, 0, 1}, uint16(0), uint64(8)) // the count of entries
	f.Add(uint16(48), []byte{0, 0}, uint16(0), uint64(9))          // the size of the filter
	f.Add(uint16(pageSize), make([]byte, 40), uint16(pageSize), uint64(0))
	f.Fuzz(func(t *testing.T, at uint16, change []byte, cut uint16, hash uint64) {
		b := bytes.Clone(good)
		copy(b[int(at)%len(b):], change)
		b = b[:len(b)-int(cut)%len(b)]
		readAnyRun(t, b, hash)
		readAnyRun(t, withChecksums(b), hash)
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
			sealBlock(b[h.blockAt(n):], h.number, n)
		}
		for g := range h.groups() {
			sealBlock(b[h.directoryAt(g):], h.number, isDirectory|g)
		}
		h.filterSum = crc32.ChecksumIEEE(b[filterAt:h.directoryAt(0)])
		h.summarySum = checksum(b[h.summaryAt():])
		first = h.encode()
	}
	copy(b, first)
	return b
}

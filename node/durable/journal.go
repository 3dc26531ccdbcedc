package durable

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"os"
	"path/filepath"
)

// MaxEntry bounds one entry; longer ones are refused before they are written.
const MaxEntry = 1 << 20

// frameHead is what stands before each entry's bytes: length (4), CRC-32C of
// the length (4), CRC-32C of the entry (4). The length has a checksum of its own
// because a damaged one would otherwise look like a torn last entry and cut off
// every entry behind it.
const frameHead = 12

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// ErrCorrupt says that the journal holds a damaged entry before its end. Do not
// delete it: keep a copy, then restore from a backup or ask for help.
var ErrCorrupt = errors.New("the journal is damaged")

// ErrStopped says that an earlier write failed, so that what is on the disk is
// no longer known. Open the journal anew.
var ErrStopped = errors.New("the journal stopped after a failed write; open it again")

// Journal is an append-only file of entries.
type Journal struct {
	f       *os.File
	path    string
	size    int64
	stopped bool
}

// OpenJournal opens or creates the journal at path. A torn last entry, which no
// Append ever acknowledged, is cut off; damage before the end is ErrCorrupt.
func OpenJournal(path string) (*Journal, error) {
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, fmt.Errorf("open journal: %w", err)
	}
	j := &Journal{f: f, path: path}
	if err := j.recover(); err != nil {
		f.Close()
		return nil, fmt.Errorf("journal %s: %w", filepath.Base(path), err)
	}
	return j, nil
}

func (j *Journal) recover() error {
	whole, err := scan(j.f, func([]byte) error { return nil })
	if err != nil {
		return err
	}
	if err := j.f.Truncate(whole); err != nil {
		return err
	}
	j.size = whole
	if err := j.f.Sync(); err != nil {
		return err
	}
	return SyncDir(filepath.Dir(j.path))
}

// ReadJournal hands every whole entry of the journal at path to fn without
// changing the file, for an auditor beside a running writer. A file that does
// not exist has no entries.
func ReadJournal(path string, fn func(entry []byte) error) error {
	f, err := os.Open(path)
	if errors.Is(err, os.ErrNotExist) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("read journal: %w", err)
	}
	defer f.Close()
	if _, err := scan(f, fn); err != nil {
		return fmt.Errorf("journal %s: %w", filepath.Base(path), err)
	}
	return nil
}

// scan reads entries from the start and returns the length of the whole ones.
func scan(f *os.File, fn func([]byte) error) (int64, error) {
	info, err := f.Stat()
	if err != nil {
		return 0, err
	}
	var at int64
	for at < info.Size() {
		entry, err := readEntry(f, at, info.Size())
		if errors.Is(err, errTorn) {
			return at, nil
		}
		if err != nil {
			return at, err
		}
		if err := fn(entry); err != nil {
			return at, err
		}
		at += frameHead + int64(len(entry))
	}
	return at, nil
}

var errTorn = errors.New("torn entry")

// readEntry reads the entry at offset at. What a power cut can leave of an
// append that was never acknowledged is errTorn: a head or body that runs past
// the end, or zeros that the file system put where the data never came. All
// else that does not check is damage.
func readEntry(f *os.File, at, size int64) ([]byte, error) {
	if size-at < frameHead {
		return nil, errTorn
	}
	var head [frameHead]byte
	if _, err := f.ReadAt(head[:], at); err != nil {
		return nil, err
	}
	if head == [frameHead]byte{} && zeros(f, at, size) {
		return nil, errTorn
	}
	n := int64(binary.BigEndian.Uint32(head[:4]))
	if sum(head[:4]) != binary.BigEndian.Uint32(head[4:]) || n > MaxEntry {
		return nil, fmt.Errorf("%w: the entry at byte %d has a false head", ErrCorrupt, at)
	}
	if at+frameHead+n > size {
		return nil, errTorn
	}
	entry := make([]byte, n)
	if _, err := f.ReadAt(entry, at+frameHead); err != nil && err != io.EOF {
		return nil, err
	}
	if sum(entry) != binary.BigEndian.Uint32(head[8:]) {
		return nil, fmt.Errorf("%w: the entry at byte %d has a false checksum", ErrCorrupt, at)
	}
	return entry, nil
}

func sum(b []byte) uint32 { return crc32.Checksum(b, castagnoli) }

// zeros reports whether only zero bytes stand from at to size; it looks no
// further than one largest entry, the most that one append can leave.
func zeros(f *os.File, at, size int64) bool {
	if size-at > frameHead+MaxEntry {
		return false
	}
	rest := make([]byte, size-at)
	if _, err := f.ReadAt(rest, at); err != nil && err != io.EOF {
		return false
	}
	return len(bytes.Trim(rest, "\x00")) == 0
}

func frame(entry []byte) []byte {
	out := make([]byte, frameHead, frameHead+len(entry))
	binary.BigEndian.PutUint32(out, uint32(len(entry)))
	binary.BigEndian.PutUint32(out[4:], sum(out[:4]))
	binary.BigEndian.PutUint32(out[8:], sum(entry))
	return append(out, entry...)
}

// Append adds an entry and returns when it is on the disk. After an error that
// left the file unknown every call returns ErrStopped; a full disk is undone
// and reported, and the journal goes on when there is room.
func (j *Journal) Append(entry []byte) error {
	if j.stopped {
		return ErrStopped
	}
	if len(entry) > MaxEntry {
		return fmt.Errorf("journal entry of %d bytes: at most %d", len(entry), MaxEntry)
	}
	b := frame(entry)
	if _, err := j.f.WriteAt(b, j.size); err != nil {
		if j.f.Truncate(j.size) != nil {
			j.stopped = true
		}
		return fmt.Errorf("append to journal: %w", err)
	}
	if err := j.f.Sync(); err != nil {
		j.stopped = true
		return fmt.Errorf("flush journal: %w", err)
	}
	j.size += int64(len(b))
	return nil
}

// Replay hands every entry to fn, oldest first.
func (j *Journal) Replay(fn func(entry []byte) error) error {
	_, err := scan(j.f, fn)
	return err
}

// Rewrite replaces the content by the given entries in one step: after a power
// cut either all the old or all the new entries are there.
func (j *Journal) Rewrite(entries [][]byte) error {
	if j.stopped {
		return ErrStopped
	}
	var all []byte
	for _, e := range entries {
		if len(e) > MaxEntry {
			return fmt.Errorf("journal entry of %d bytes: at most %d", len(e), MaxEntry)
		}
		all = append(all, frame(e)...)
	}
	if err := WriteFile(j.path, all, 0o600); err != nil {
		j.stopped = !j.inPlace()
		return err
	}
	f, err := os.OpenFile(j.path, os.O_RDWR, 0o600)
	if err != nil {
		j.stopped = true
		return fmt.Errorf("reopen journal: %w", err)
	}
	j.f.Close()
	j.f, j.size = f, int64(len(all))
	return nil
}

// inPlace tells whether the open file is still the one under its name: a replacement
// that failed late has taken the name, and what is appended to the old file is lost.
func (j *Journal) inPlace() bool {
	mine, err := j.f.Stat()
	if err != nil {
		return false
	}
	named, err := os.Stat(j.path)
	return err == nil && os.SameFile(mine, named)
}

// Close releases the file.
func (j *Journal) Close() error { return j.f.Close() }

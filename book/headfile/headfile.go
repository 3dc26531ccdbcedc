// Package headfile keeps the head of a journal outside its store. A chain alone
// cannot see that its last rows are gone; a few bytes elsewhere can.
//
// Promises: the file is as old as the journal or older, never newer, because it
// is written after the commit that it tells of; a file that is torn, of another
// journal or changed is refused, never guessed at. Writing does not sync: a crash
// of the process leaves the file exact, a power cut may leave an older one.
//
// Open is for the one writer, Load for whoever compares.
package headfile

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"os"
	"path/filepath"

	"jiaozi/book"
)

// The file: magic, chain, sequence, hash, CRC-32C, numbers big-endian.
const (
	magic = "JZHEAD1\n"
	size  = len(magic) + 2 + 8 + 32 + 4
)

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// File is the head of one chain, open for writing.
type File struct {
	file  *os.File
	chain uint16
}

// Open opens or makes the file at path, writes the head and makes both durable.
func Open(path string, chain uint16, head book.Head) (*File, error) {
	file, err := os.OpenFile(path, os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return nil, err
	}
	f := &File{file, chain}
	if err := errors.Join(f.Write(head), f.Sync(), syncDir(filepath.Dir(path))); err != nil {
		return nil, errors.Join(err, file.Close())
	}
	return f, nil
}

// Write replaces the head. It is for after the commit, and does not sync.
func (f *File) Write(head book.Head) error {
	_, err := f.file.WriteAt(encode(f.chain, head), 0)
	return err
}

// Sync makes what was written durable.
func (f *File) Sync() error { return f.file.Sync() }

// Close lets the file go; it does not sync.
func (f *File) Close() error { return f.file.Close() }

// Load reads the head of a chain. A writer may be in the middle of writing it,
// so bad content is read again; damage stays. Errors wrap book.ErrDamaged, and
// os.ErrNotExist too if there is no file, or nothing in it.
func Load(path string, chain uint16) (head book.Head, err error) {
	const attempts = 5
	for range attempts {
		var b []byte
		b, err = os.ReadFile(path)
		if errors.Is(err, os.ErrNotExist) {
			return book.Head{}, fmt.Errorf("%w (its head file is missing: put back the copy from the backup): %w", book.ErrDamaged, err)
		}
		if err != nil {
			return book.Head{}, err
		}
		if head, err = decode(b, chain); err == nil {
			break
		}
	}
	return head, err
}

func encode(chain uint16, head book.Head) []byte {
	b := append(make([]byte, 0, size), magic...)
	b = binary.BigEndian.AppendUint16(b, chain)
	b = binary.BigEndian.AppendUint64(b, head.Seq)
	b = append(b, head.Hash[:]...)
	return binary.BigEndian.AppendUint32(b, crc32.Checksum(b, castagnoli))
}

// decode takes an empty file for none: a crash came between making it and the
// first write, which is of all bytes at once.
func decode(b []byte, chain uint16) (book.Head, error) {
	if len(b) == 0 {
		return book.Head{}, fmt.Errorf("%w (its head file is empty: put back the copy from the backup): %w", book.ErrDamaged, os.ErrNotExist)
	}
	if len(b) != size {
		return book.Head{}, fmt.Errorf("%w (its head file has %d bytes, not %d)", book.ErrDamaged, len(b), size)
	}
	at := len(magic) + 2
	head := book.Head{Seq: binary.BigEndian.Uint64(b[at:]), Hash: book.Hash(b[at+8 : at+40])}
	if !bytes.Equal(b, encode(chain, head)) {
		return book.Head{}, fmt.Errorf("%w (its head file is not in order, or of another chain)", book.ErrDamaged)
	}
	return head, nil
}

func syncDir(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}

package sqlite

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

// The head file: magic, chain, sequence, hash, CRC-32C. A chain alone cannot see
// that its last rows are gone; this file outside the store can. It is written
// after every commit without a sync, so a crash of the process leaves it exact;
// after a power cut it may be older, never newer, than the journal.
const (
	headMagic = "JZHEAD1\n"
	headSize  = len(headMagic) + 2 + 8 + 32 + 4
)

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

type headFile struct{ file *os.File }

func headPath(path string) string { return path + ".head" }

// openHead opens or makes the file, writes the head and makes it durable.
func openHead(path string, head book.Head) (*headFile, error) {
	file, err := os.OpenFile(headPath(path), os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return nil, err
	}
	h := &headFile{file}
	if err := errors.Join(h.write(head), h.sync(), syncDir(filepath.Dir(path))); err != nil {
		return nil, errors.Join(err, file.Close())
	}
	return h, nil
}

func (h *headFile) write(head book.Head) error {
	_, err := h.file.WriteAt(encodeHead(head), 0)
	return err
}

func (h *headFile) sync() error { return h.file.Sync() }

func encodeHead(head book.Head) []byte {
	b := append(make([]byte, 0, headSize), headMagic...)
	b = binary.BigEndian.AppendUint16(b, Chain)
	b = binary.BigEndian.AppendUint64(b, head.Seq)
	b = append(b, head.Hash[:]...)
	return binary.BigEndian.AppendUint32(b, crc32.Checksum(b, castagnoli))
}

// loadHead reads the head kept outside the store at path. A writer may be in the
// middle of writing it, so bad content is read again; damage stays.
func loadHead(path string) (head book.Head, err error) {
	const attempts = 5
	for range attempts {
		if head, err = loadHeadOnce(path); !errors.Is(err, book.ErrDamaged) {
			break
		}
	}
	return head, err
}

func loadHeadOnce(path string) (book.Head, error) {
	b, err := os.ReadFile(headPath(path))
	if errors.Is(err, os.ErrNotExist) {
		return book.Head{}, fmt.Errorf("%w (its head file is missing: put back the copy from the backup): %w", book.ErrDamaged, err)
	}
	if err != nil {
		return book.Head{}, err
	}
	if len(b) != headSize {
		return book.Head{}, fmt.Errorf("%w (its head file has %d bytes, not %d)", book.ErrDamaged, len(b), headSize)
	}
	at := len(headMagic) + 2
	head := book.Head{Seq: binary.BigEndian.Uint64(b[at:]), Hash: book.Hash(b[at+8 : at+40])}
	if !bytes.Equal(b, encodeHead(head)) {
		return book.Head{}, fmt.Errorf("%w (its head file is not in order)", book.ErrDamaged)
	}
	return head, nil
}

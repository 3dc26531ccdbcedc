package sqlite

import (
	"bufio"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"os"

	"jiaozi/book"
)

// The write-ahead log, by https://www.sqlite.org/fileformat2.html#walformat:
// a header of 32 bytes, then frames of 24 bytes and a page. The checksum of a
// frame covers the first 8 bytes of its header and its page, and starts from
// the checksum of the frame before it. A frame is live if its salts are those
// of the header. A frame whose header names a database size ends a commit.
const (
	walHeaderSize  = 32
	walFrameHeader = 24
	walMagic       = 0x377f0682 // the lowest bit says big-endian checksums
	walFormat      = 3007000
)

func walPath(path string) string { return path + "-wal" }

// ScanWAL looks for damage in the write-ahead log of the database at path,
// without opening the database. SQLite takes the first bad frame for the end of
// the log, however much was acknowledged after it.
//
// A crash may leave one unfinished commit at the end, so a bad frame is a
// finding only if a whole commit stands after it and the log went on from
// there: the next commit starts only when the one before is on the disk.
// Damage to the last commit alone looks like an unfinished one; it is found by
// the head outside, which then names a batch that the store lacks.
func ScanWAL(path string) ([]book.Finding, error) {
	const attempts = 5 // a writer may be appending while we read
	var last string
	for range attempts {
		finding, err := scanWAL(walPath(path))
		if err != nil {
			return nil, fmt.Errorf("scan write-ahead log: %w", err)
		}
		if finding == nil {
			return nil, nil
		}
		if finding.Where == last { // damage stays where it is
			return []book.Finding{*finding}, nil
		}
		last = finding.Where
	}
	return nil, nil
}

func scanWAL(path string) (*book.Finding, error) {
	file, err := os.Open(path)
	if errors.Is(err, os.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	defer file.Close() // only read
	info, err := file.Stat()
	if err != nil {
		return nil, err
	}
	return scanFrames(bufio.NewReaderSize(file, 1<<16), info.Size())
}

func scanFrames(r io.Reader, size int64) (*book.Finding, error) {
	var raw [walHeaderSize]byte
	if _, err := io.ReadFull(r, raw[:]); err != nil {
		return nil, endOfLog(err) // shorter than a header: nothing was ever committed
	}
	header, ok := parseWALHeader(raw[:])
	if !ok {
		if size < walHeaderSize+walFrameHeader+512 {
			return nil, nil // a header that was never finished
		}
		return &book.Finding{Code: "wal-header", Where: "write-ahead log, bytes 0 to 31",
			What: "the header is damaged, and SQLite would drop the whole log"}, nil
	}
	scan := walScan{header: header, sum: header.sum}
	frame := make([]byte, walFrameHeader+header.pageSize)
	for n := 1; ; n++ {
		if _, err := io.ReadFull(r, frame); err != nil {
			return scan.verdict(), endOfLog(err)
		}
		scan.frame(n, frame)
	}
}

func endOfLog(err error) error {
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		return nil
	}
	return err
}

type walHeader struct {
	order    binary.ByteOrder // of the words under the checksum
	pageSize int
	salts    [8]byte
	sum      [2]uint32
}

func parseWALHeader(b []byte) (walHeader, bool) {
	h := walHeader{order: binary.LittleEndian, salts: [8]byte(b[16:24])}
	magic := binary.BigEndian.Uint32(b)
	if magic&1 == 1 {
		h.order = binary.BigEndian
	}
	h.pageSize = int(binary.BigEndian.Uint32(b[8:]))
	h.sum = walChecksum(h.order, [2]uint32{}, b[:24])
	return h, magic&^1 == walMagic &&
		binary.BigEndian.Uint32(b[4:]) == walFormat &&
		h.pageSize >= 512 && h.pageSize <= 65536 && h.pageSize&(h.pageSize-1) == 0 &&
		h.sum == storedSum(b[24:])
}

func storedSum(b []byte) [2]uint32 {
	return [2]uint32{binary.BigEndian.Uint32(b), binary.BigEndian.Uint32(b[4:])}
}

func walChecksum(order binary.ByteOrder, sum [2]uint32, b []byte) [2]uint32 {
	for ; len(b) >= 8; b = b[8:] {
		sum[0] += order.Uint32(b) + sum[1]
		sum[1] += order.Uint32(b[4:]) + sum[0]
	}
	return sum
}

// walScan walks the frames. Up to the first bad one it does what SQLite does;
// after that it counts what SQLite would drop.
type walScan struct {
	header  walHeader
	sum     [2]uint32
	bad     int  // number of the first bad frame
	commits int  // live ends of commits from there on
	beyond  bool // a live frame stands after one of them
}

func (s *walScan) frame(n int, b []byte) {
	live := [8]byte(b[8:16]) == s.header.salts
	if s.bad == 0 {
		s.sum = walChecksum(s.header.order, s.sum, b[:8])
		s.sum = walChecksum(s.header.order, s.sum, b[walFrameHeader:])
		if live && s.sum == storedSum(b[16:]) && binary.BigEndian.Uint32(b) != 0 {
			return
		}
		s.bad = n
	}
	if !live {
		return
	}
	if s.commits > 0 {
		s.beyond = true
	}
	if binary.BigEndian.Uint32(b[4:]) != 0 {
		s.commits++
	}
}

func (s *walScan) verdict() *book.Finding {
	if !s.beyond {
		return nil
	}
	at := walHeaderSize + int64(s.bad-1)*int64(walFrameHeader+s.header.pageSize)
	return &book.Finding{Code: "wal-frame",
		Where: fmt.Sprintf("write-ahead log, frame %d at byte %d", s.bad, at),
		What:  fmt.Sprintf("the frame is damaged, and SQLite would drop it and %d commits from there on", s.commits)}
}

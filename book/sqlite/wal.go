package sqlite

import (
	"bufio"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"jiaozi/book"
)

// The write-ahead log, by https://www.sqlite.org/fileformat2.html#walformat:
// a header of 32 bytes, then frames of 24 bytes and a page. The checksum of a
// frame covers the first 8 bytes of its header and its page, and starts from
// the checksum of the frame before it. A frame is live if its salts are those
// of the header. A frame whose header names a database size ends a commit.
//
// When all of it is in the database, SQLite begins the log anew in the same
// file, with other salts, and what stands behind the live frames is stale.
const (
	walHeaderSize  = 32
	walFrameHeader = 24
	walMagic       = 0x377f0682 // the lowest bit says big-endian checksums
	walFormat      = 3007000
)

func walPath(path string) string { return path + "-wal" }

// ScanWAL looks for damage in the write-ahead logs of the store at path, without
// opening its databases. SQLite takes the first bad frame for the end of the log,
// however much was acknowledged after it.
//
// The log may end at any frame: where stale ones begin, or where a crash tore the
// last commit. A bad frame is a finding only if a commit stands after it and the
// log went on from there: a live frame whose checksum starts from that of the
// commit's last one. Nobody can have written it before that commit was on the
// disk. Damage to the last commit alone looks like an unfinished one; it is found
// by the head outside, which then names a batch that the store lacks.
func ScanWAL(path string) (findings []book.Finding, err error) {
	for _, database := range []string{path, tablesPath(path)} {
		finding, err := scanLog(database)
		if err != nil {
			return findings, err
		}
		if finding != nil {
			findings = append(findings, *finding)
		}
	}
	return findings, nil
}

// scanLog scans the log of one database.
func scanLog(database string) (*book.Finding, error) {
	const attempts = 5 // a writer may be appending, or beginning anew, while we read
	var last book.Finding
	for range attempts {
		finding, steady, err := scanFile(walPath(database))
		if err != nil {
			return nil, fmt.Errorf("scan write-ahead log: %w", err)
		}
		if finding == nil {
			return nil, nil
		}
		finding.Where = filepath.Base(walPath(database)) + ", " + finding.Where
		if steady && *finding == last { // damage stays as it is
			return finding, nil
		}
		last = *finding
	}
	return nil, nil
}

// scanFile also tells whether the log was the same one from beginning to end: a
// log that begins anew begins with its header.
func scanFile(path string) (finding *book.Finding, steady bool, err error) {
	file, err := os.Open(path)
	if errors.Is(err, os.ErrNotExist) {
		return nil, true, nil
	}
	if err != nil {
		return nil, false, err
	}
	defer file.Close() // only read
	info, err := file.Stat()
	if err != nil {
		return nil, false, err
	}
	var before, after [walHeaderSize]byte
	if _, err := file.ReadAt(before[:], 0); err != nil {
		return nil, true, endOfLog(err) // shorter than a header: nothing was ever committed
	}
	if finding, err = scanFrames(bufio.NewReaderSize(file, 1<<16), info.Size()); err != nil {
		return nil, false, err
	}
	_, err = file.ReadAt(after[:], 0)
	return finding, err == nil && before == after, endOfLog(err)
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
		return &book.Finding{Code: "wal-header", Where: "bytes 0 to 31",
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
// after that it looks for what SQLite would drop.
type walScan struct {
	header  walHeader
	sum     [2]uint32 // that the next frame starts from, as long as none is bad
	bad     int       // number of the first bad frame
	before  lastFrame
	dropped int // commits that the log went on from
}

// lastFrame is what a frame says to the next one. Its checksum is known twice, so
// that a damaged frame still shows whether the next one came after it.
type lastFrame struct {
	stored, computed [2]uint32
	commit           bool
}

func (s *walScan) frame(n int, b []byte) {
	live := [8]byte(b[8:16]) == s.header.salts
	this := lastFrame{stored: storedSum(b[16:]), commit: binary.BigEndian.Uint32(b[4:]) != 0}
	if s.bad == 0 {
		this.computed = s.frameSum(s.sum, b)
		if live && this.computed == this.stored && binary.BigEndian.Uint32(b) != 0 {
			s.sum = this.computed
			return
		}
		s.bad, s.before = n, this
		return
	}
	this.computed = s.frameSum(s.before.stored, b)
	follows := this.computed == this.stored || s.frameSum(s.before.computed, b) == this.stored
	if live && follows && s.before.commit {
		s.dropped++
	}
	s.before = this
}

func (s *walScan) frameSum(from [2]uint32, b []byte) [2]uint32 {
	return walChecksum(s.header.order, walChecksum(s.header.order, from, b[:8]), b[walFrameHeader:])
}

func (s *walScan) verdict() *book.Finding {
	if s.dropped == 0 {
		return nil
	}
	at := walHeaderSize + int64(s.bad-1)*int64(walFrameHeader+s.header.pageSize)
	return &book.Finding{Code: "wal-frame",
		Where: fmt.Sprintf("frame %d at byte %d", s.bad, at),
		What:  fmt.Sprintf("the frame is damaged, and SQLite would drop it and more than %d commits from there on", s.dropped)}
}

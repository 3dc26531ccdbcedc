package index

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"strconv"
	"strings"
)

// A run is one file of entries in ascending order, little endian:
//
//	page 0    head: what is in the file, checksum
//	filter    whole pages, as many as the head says, perhaps none
//	groups    each a directory and the blocks that it lists, up to 255
//	summary   first entry of each group
//
// A block is a page of up to 255 entries, number of the run, number of the block,
// checksum. A directory is one too: its entries are the first ones of its blocks.
//
// The manifest holds the head's checksum, the head those of the filter and the
// summary, the summary a copy of each directory's first entry and the directory
// of each block's. So a good file in the wrong place is found as surely as a bad
// one. And everything is written from front to back, the filter beside the groups,
// so that a writer holds one group however large the run becomes.
const (
	runMagic   = "JZRUN04\n"
	pageSize   = 4096
	entrySize  = 16
	perBlock   = 255
	groupPages = 1 + perBlock
	trailerAt  = perBlock * entrySize // run, block, CRC-32C
	checksumAt = pageSize - 4

	// isDirectory stands in the number of a block that is the directory of a group.
	isDirectory = 1 << 31

	// Bounds of what a head may claim. Its sums fit in 63 bits.
	maxEntries = perBlock << 31
	maxFilter  = 1 << 44
)

var (
	little     = binary.LittleEndian
	castagnoli = crc32.MakeTable(crc32.Castagnoli)
)

func checksum(b []byte) uint32 { return crc32.Checksum(b, castagnoli) }

type page = [pageSize]byte

// head is page 0 of a run.
type head struct {
	number     uint64 // of the run
	seq        uint64 // the journal was at this sequence number when the newest entry was sealed
	count      uint64 // entries
	last       Entry
	filterSize uint64 // bytes
	filterSum  uint32 // CRC-32 (IEEE)
	summarySum uint32 // checksum
}

// blocks is how many blocks the entries fill.
func (h *head) blocks() uint64 { return (h.count + perBlock - 1) / perBlock }

// inBlock is how many entries block n holds: only the last may have room left.
func (h *head) inBlock(n uint64) int { return int(min(perBlock, h.count-n*perBlock)) }

// groups is how many directories list the blocks.
func (h *head) groups() uint64 { return (h.blocks() + perBlock - 1) / perBlock }

// inGroup is how many blocks group g lists: only the last may list fewer.
func (h *head) inGroup(g uint64) int { return int(min(perBlock, h.blocks()-g*perBlock)) }

const filterAt = pageSize

func (h *head) directoryAt(g uint64) int64 {
	return filterAt + int64(h.filterSize) + int64(g)*groupPages*pageSize
}
func (h *head) blockAt(n uint64) int64 {
	return h.directoryAt(n/perBlock) + int64(1+n%perBlock)*pageSize
}
func (h *head) summaryAt() int64 {
	return filterAt + int64(h.filterSize) + int64(h.blocks()+h.groups())*pageSize
}
func (h *head) summarySize() int64 { return int64(h.groups()) * entrySize }
func (h *head) size() int64        { return h.summaryAt() + h.summarySize() }

func (h *head) encode() []byte {
	b := append(make([]byte, 0, pageSize), runMagic...)
	for _, n := range []uint64{h.number, h.seq, h.count, h.last.Hash, h.last.Pos, h.filterSize} {
		b = little.AppendUint64(b, n)
	}
	b = little.AppendUint32(b, h.filterSum)
	b = little.AppendUint32(b, h.summarySum)
	b = b[:checksumAt]
	return little.AppendUint32(b, checksum(b))
}

func decodeHead(b []byte) (head, error) {
	var h head
	if len(b) != pageSize || string(b[:len(runMagic)]) != runMagic {
		return h, errors.New("not a run of this version")
	}
	at := len(runMagic)
	for _, n := range []*uint64{&h.number, &h.seq, &h.count, &h.last.Hash, &h.last.Pos, &h.filterSize} {
		*n = little.Uint64(b[at:])
		at += 8
	}
	h.filterSum, h.summarySum = little.Uint32(b[at:]), little.Uint32(b[at+4:])
	if !bytes.Equal(b, h.encode()) {
		return head{}, errors.New("the head's checksum is wrong")
	}
	if h.count == 0 || h.count > maxEntries || h.filterSize > maxFilter || h.filterSize%pageSize != 0 {
		return head{}, fmt.Errorf("the head claims %d entries and a filter of %d bytes", h.count, h.filterSize)
	}
	return h, nil
}

func putEntry(b []byte, e Entry) {
	little.PutUint64(b, e.Hash)
	little.PutUint64(b[8:], e.Pos)
}

func getEntry(b []byte) Entry { return Entry{little.Uint64(b), little.Uint64(b[8:])} }

// sealBlock ends a block, or a directory.
func sealBlock(b []byte, run, block uint64) {
	little.PutUint64(b[trailerAt:], run)
	little.PutUint32(b[trailerAt+8:], uint32(block))
	little.PutUint32(b[checksumAt:], checksum(b[:checksumAt]))
}

// checkBlock says what is wrong with a block, "" if nothing is.
func checkBlock(b []byte, run, block uint64, first Entry) string {
	switch {
	case little.Uint32(b[checksumAt:]) != checksum(b[:checksumAt]):
		return "wrong checksum"
	case little.Uint64(b[trailerAt:]) != run || little.Uint32(b[trailerAt+8:]) != uint32(block) || getEntry(b) != first:
		return "another block stands there"
	}
	return ""
}

// lowerBound is the place of the first of n entries that is not below e.
func lowerBound(block []byte, n int, e Entry) int {
	low := 0
	for low < n {
		mid := int(uint(low+n) / 2)
		if getEntry(block[mid*entrySize:]).less(e) {
			low = mid + 1
		} else {
			n = mid
		}
	}
	return low
}

const runSuffix = ".run"

func runName(number uint64) string { return fmt.Sprintf("%016x", number) + runSuffix }

// runNumber reads the name of a run and of nothing else.
func runNumber(name string) (uint64, bool) {
	digits, ok := strings.CutSuffix(name, runSuffix)
	number, err := strconv.ParseUint(digits, 16, 64)
	return number, ok && err == nil && name == runName(number)
}

package proof

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"fmt"
)

// cacheMagic opens a kept tree; the number is the version of its form, which
// depends on tileLevel.
const cacheMagic = "jiaozi tree 1\n"

const (
	cacheHeader = len(cacheMagic) + 2
	cacheTile   = 8 + 4 + sha256.Size
)

// Append writes what Open can go on from: 44 bytes for each 4096 entries. It
// holds nothing that the journal does not, so it may be lost.
func (t *Tree) Append(b []byte) []byte {
	start := len(b)
	b = append(b, cacheMagic...)
	b = binary.BigEndian.AppendUint16(b, t.chain)
	for i := range t.tiles {
		b = binary.BigEndian.AppendUint64(b, t.tiles[i].end.seq)
		b = binary.BigEndian.AppendUint32(b, t.tiles[i].end.taken)
		b = append(b, t.tiles[i].root[:]...)
	}
	sum := sha256.Sum256(b[start:])
	return append(b, sum[:]...)
}

func decodeTree(b []byte) (*Tree, error) {
	whole := len(b) - cacheHeader - sha256.Size
	if whole < 0 || whole%cacheTile != 0 || string(b[:len(cacheMagic)]) != cacheMagic {
		return nil, fmt.Errorf("%w: the kept tree", ErrForm)
	}
	sum := sha256.Sum256(b[:len(b)-sha256.Size])
	if !bytes.Equal(sum[:], b[len(b)-sha256.Size:]) {
		return nil, fmt.Errorf("%w: the kept tree has another check sum", ErrForm)
	}
	t := New(binary.BigEndian.Uint16(b[len(cacheMagic):]))
	b = b[cacheHeader : cacheHeader+whole]
	t.tiles = make([]tile, 0, whole/cacheTile)
	last := place{seq: 1}
	for ; len(b) > 0; b = b[cacheTile:] {
		next := tile{end: place{binary.BigEndian.Uint64(b), binary.BigEndian.Uint32(b[8:])}}
		copy(next.root[:], b[12:])
		if !last.before(next.end) || next.end.seq > maxSeq {
			return nil, fmt.Errorf("%w: the kept tree is out of order", ErrForm)
		}
		t.tiles, last = append(t.tiles, next), next.end
	}
	return t, nil
}

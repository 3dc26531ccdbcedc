package book

import (
	"encoding/binary"

	"github.com/dchest/siphash"
)

// keyHash stands for a command id or a once-key in memory and in the index. It
// is keyed with a secret of the store, so that nobody can choose two keys that
// fall together. The index keeps its first half; what is found there is compared
// with the journal before it is believed.
type keyHash struct{ index, rest uint64 }

// The two kinds of keys that are hashed.
const (
	hashedID   = 1
	hashedOnce = 2
)

// hasher makes key hashes with the secret of one store. It is not safe for
// concurrent use: it has a buffer.
type hasher struct {
	k0, k1 uint64
	buffer [3 + MaxName + MaxKey]byte
}

func newHasher(secret [16]byte) *hasher {
	return &hasher{k0: binary.LittleEndian.Uint64(secret[:8]), k1: binary.LittleEndian.Uint64(secret[8:])}
}

func (h *hasher) id(id ID) keyHash {
	b := append(h.buffer[:0], hashedID)
	return h.sum(append(b, id[:]...))
}

func (h *hasher) once(space string, key []byte) keyHash {
	b := append(h.buffer[:0], hashedOnce)
	b = binary.BigEndian.AppendUint16(b, uint16(len(space)))
	b = append(b, space...)
	return h.sum(append(b, key...))
}

func (h *hasher) sum(b []byte) keyHash {
	x, y := siphash.Hash128(h.k0, h.k1, b)
	return keyHash{x, y}
}

// lineHash stands for an account in the index of statements.
func lineHash(id AccountID) uint64 { return binary.BigEndian.Uint64(id[:8]) }

// Position is where an entry stands in the journal.
type Position struct {
	Seq   uint64
	Index int
}

// indexBits is the room of an entry's index in a position that is one number.
const indexBits = 13

func (p Position) number() uint64 { return p.Seq<<indexBits | uint64(p.Index) }

func position(number uint64) Position {
	return Position{Seq: number >> indexBits, Index: int(number & (1<<indexBits - 1))}
}

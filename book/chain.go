package book

import (
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"hash"
)

// Hash is a link of the chain.
type Hash [32]byte

func (h Hash) String() string { return hex.EncodeToString(h[:]) }

// Head is the last batch of a journal. The zero value is an empty journal.
type Head struct {
	Seq  uint64
	Hash Hash
}

func (h Head) String() string { return fmt.Sprintf("%d:%s", h.Seq, h.Hash) }

// Row is one batch as the journal keeps it. Hash covers every other column.
type Row struct {
	Part uint16
	Seq  uint64
	Prev Hash
	Hash Hash
	Body []byte
}

// chainDomain separates these hashes from all others; the number is the version
// of the row's form.
const chainDomain = "jiaozi book journal row 1\x00"

// Link computes the hash of a row from its other columns.
func Link(part uint16, seq uint64, prev Hash, body []byte) Hash {
	h := newLink(part, seq, prev, len(body))
	h.Write(body)
	return Hash(h.Sum(nil))
}

// newLink begins a link, for a body of so many bytes.
func newLink(part uint16, seq uint64, prev Hash, size int) hash.Hash {
	h := sha256.New()
	var fixed [len(chainDomain) + 2 + 8 + 32 + 8]byte
	b := append(fixed[:0], chainDomain...)
	b = binary.BigEndian.AppendUint16(b, part)
	b = binary.BigEndian.AppendUint64(b, seq)
	b = append(b, prev[:]...)
	h.Write(binary.BigEndian.AppendUint64(b, uint64(size)))
	return h
}

package proof

import (
	"crypto/sha256"
	"encoding/binary"
	"fmt"

	"jiaozi/book"

	"github.com/transparency-dev/merkle/rfc6962"
)

// leafDomain opens the bytes of a leaf; the number is the version of their form.
const leafDomain = "jiaozi book leaf 1\x00"

const leafHeader = len(leafDomain) + 2 + 8 + 2 + sha256.Size

// maxLeaf bounds a leaf: the largest command, and a balance for each of its legs.
const maxLeaf = leafHeader + book.MaxCommand + 8*book.MaxLegs + 1

// Leaf is one entry of the journal with its place: batch Seq, entry Index in it.
type Leaf struct {
	Chain uint16
	Seq   uint64
	Index uint16
	// Salt keeps the entry secret from those who see the hash of the leaf beside
	// their own: ids of commands may follow from facts that can be guessed. It is
	// derived from the hash of the row, hence from all that was booked before,
	// and needs no key that could be lost.
	Salt  [sha256.Size]byte
	Entry []byte // canonical bytes, as in the body of the row
}

func newLeaf(row *book.Row, index int, entry []byte) Leaf {
	return Leaf{Chain: row.Part, Seq: row.Seq, Index: uint16(index), Salt: saltOf(row.Hash, index), Entry: entry}
}

// saltOf is one-way and its own for each entry: a customer's salt says nothing
// about those of his neighbours in the same batch.
func saltOf(row book.Hash, index int) [sha256.Size]byte {
	const domain = "jiaozi leaf salt 1\x00" // short: all of it is one block of SHA-256
	var b [len(domain) + sha256.Size + 2]byte
	n := copy(b[:], domain)
	n += copy(b[n:], row[:])
	binary.BigEndian.PutUint16(b[n:], uint16(index))
	return sha256.Sum256(b[:])
}

func (l *Leaf) appendTo(b []byte) []byte {
	b = append(b, leafDomain...)
	b = binary.BigEndian.AppendUint16(b, l.Chain)
	b = binary.BigEndian.AppendUint64(b, l.Seq)
	b = binary.BigEndian.AppendUint16(b, l.Index)
	b = append(b, l.Salt[:]...)
	return append(b, l.Entry...)
}

func decodeLeaf(b []byte) (Leaf, error) {
	if len(b) <= leafHeader || len(b) > maxLeaf || string(b[:len(leafDomain)]) != leafDomain {
		return Leaf{}, fmt.Errorf("%w: the entry's bytes are not a leaf of this tree", ErrForm)
	}
	b = b[len(leafDomain):]
	l := Leaf{Chain: binary.BigEndian.Uint16(b), Seq: binary.BigEndian.Uint64(b[2:]), Index: binary.BigEndian.Uint16(b[10:])}
	copy(l.Salt[:], b[12:])
	l.Entry = b[12+sha256.Size:]
	return l, nil
}

var hasher = rfc6962.DefaultHasher

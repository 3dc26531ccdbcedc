package book

import "encoding/binary"

func AppendBody(b []byte, entries [][]byte) []byte {
	b = append(b, 2)
	b = binary.AppendUvarint(b, uint64(len(entries)))
	for _, e := range entries {
		b = appendBytes(b, e)
	}
	return b
}

func Link(part uint16, seq uint64, prev Hash, body []byte) Hash { return link(part, seq, prev, body) }

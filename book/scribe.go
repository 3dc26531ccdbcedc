package book

import (
	"encoding/binary"
	"hash"
	"slices"
)

// scribe writes the body of a large batch and hashes it while the writer plans the
// rest. A body begins with the number of its entries and its hash with the length
// of the body, so the scribe assumes that every command will be booked, and gives
// up at the first that is not: then the writer does it himself, afterwards.
type scribe struct {
	pieces chan []answer // that are planned, with room for all; closed when there are no more
	done   chan struct{} // closed when the scribe looks at nothing any more
	body   []byte
	link   hash.Hash
	whole  bool // all is written and hashed
}

// employ lets a scribe work on a batch. The buffer of the body is the scribe's until
// decide returns.
func (st *state) employ(chain uint16, prev Hash, batch []candidate, piece int) {
	s := &scribe{pieces: make(chan []answer, len(batch)/piece+1), done: make(chan struct{}), body: st.bytes}
	st.scribe, st.bytes = s, nil
	seq := st.seq
	go func() {
		defer close(s.done)
		if size, ok := foreseen(batch); ok {
			s.body = slices.Grow(s.body[:0], size)
			s.link = newLink(chain, seq, prev, size)
			s.write(batch, size)
		}
	}()
}

// foreseen is the size of the body if every command is booked; false if that is
// known not to happen.
func foreseen(batch []candidate) (size int, ok bool) {
	size = 1 + uvarintSize(len(batch))
	for i := range batch {
		c := &batch[i]
		if c.form != OK {
			return 0, false
		}
		entry := len(c.raw) + 1 + 8*len(c.cmd.Legs)
		size += uvarintSize(entry) + entry
	}
	return size, true
}

func uvarintSize(n int) int {
	size := 1
	for ; n >= 0x80; n >>= 7 {
		size++
	}
	return size
}

// write puts the pieces down as they come.
func (s *scribe) write(batch []candidate, size int) {
	s.body = binary.AppendUvarint(append(s.body, bodyVersion), uint64(len(batch)))
	hashed, entries := 0, 0
	for kept := range s.pieces {
		for i := range kept {
			if kept[i].c != &batch[entries] || kept[i].result.Code != OK {
				return
			}
			s.body = kept[i].append(s.body)
			entries++
		}
		s.link.Write(s.body[hashed:])
		hashed = len(s.body)
	}
	s.whole = entries == len(batch) && hashed == size
}

// take gives a piece to the scribe, if there is one. The answers in it never change.
func (s *scribe) take(kept []answer) {
	if s != nil {
		s.pieces <- kept
	}
}

// end waits until the scribe, if there is one, has done what it was given.
func (s *scribe) end() {
	if s != nil {
		close(s.pieces)
		<-s.done
	}
}

package book

import (
	"math/bits"

	"jiaozi/book/index"
)

// keySet finds the positions of key hashes that the index does not have yet. The
// hashes are keyed and therefore uniform, so they are used as they are: an open
// table at most half full, and before it a few bits for each, small enough to
// stay in the processor's cache, because nearly every question is about a key
// that nobody has used.
type keySet struct {
	seen  []uint64 // a bit for each of filterBits places
	table []index.Entry
	used  int
	// glance takes what addEach sees at a first look, which is of no use: without it
	// there would be no look.
	glance [32]uint64
}

const (
	firstTable = 1 << 10 // entries
	bitsPerKey = 8       // of seen, for a full table
)

// add takes a position in. No position is 0: journals begin with batch 1.
func (k *keySet) add(hash, pos uint64) {
	if 2*k.used >= len(k.table) {
		k.grow()
	}
	k.put(index.Entry{Hash: hash, Pos: pos})
	k.used++
}

// addEach is add for many. It looks at the places of some of them before it fills
// the first, so that the processor waits for many places of the table at once.
func (k *keySet) addEach(list []index.Entry) {
	for 2*(k.used+len(list)) > len(k.table) && len(list) > 0 {
		k.grow()
	}
	k.used += len(list)
	for len(list) > 0 {
		some := list[:min(len(list), len(k.glance))]
		list = list[len(some):]
		for i := range some {
			word, _ := k.bit(some[i].Hash)
			k.glance[i] = k.seen[word] ^ k.table[k.slot(some[i].Hash)].Pos
		}
		for _, e := range some {
			k.put(e)
		}
	}
}

func (k *keySet) put(e index.Entry) {
	word, bit := k.bit(e.Hash)
	k.seen[word] |= bit
	at := k.slot(e.Hash)
	for k.table[at].Pos != 0 {
		at = (at + 1) & (len(k.table) - 1)
	}
	k.table[at] = e
}

func (k *keySet) grow() {
	old := k.table
	k.table = make([]index.Entry, max(firstTable, 2*len(old)))
	k.seen = make([]uint64, len(k.table)/2*bitsPerKey/64)
	for _, e := range old {
		if e.Pos != 0 {
			k.put(e)
		}
	}
}

// reset takes everything out. A table larger than growing to what was in it would have
// made is given up.
func (k *keySet) reset() {
	if len(k.table) > 4*k.used {
		*k = keySet{}
		return
	}
	clear(k.table)
	clear(k.seen)
	k.used = 0
}

// slot comes from the upper bits of a hash, the bit in seen from the lower ones.
func (k *keySet) slot(hash uint64) int {
	return int(hash >> (64 - bits.Len(uint(len(k.table)-1))))
}

func (k *keySet) bit(hash uint64) (word int, bit uint64) {
	return int(hash>>6) & (len(k.seen) - 1), 1 << (hash & 63)
}

func (k *keySet) find(hash uint64, to []uint64) []uint64 {
	if len(k.table) == 0 {
		return to
	}
	if word, bit := k.bit(hash); k.seen[word]&bit == 0 {
		return to
	}
	for at := k.slot(hash); k.table[at].Pos != 0; at = (at + 1) & (len(k.table) - 1) {
		if k.table[at].Hash == hash {
			to = append(to, k.table[at].Pos)
		}
	}
	return to
}

// entries lists everything, in no order.
func (k *keySet) entries() []index.Entry {
	list := make([]index.Entry, 0, k.used)
	for _, e := range k.table {
		if e.Pos != 0 {
			list = append(list, e)
		}
	}
	return list
}

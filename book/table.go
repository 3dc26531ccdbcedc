package book

import (
	"encoding/binary"
	"hash/maphash"
	"math/bits"
)

// idTable finds the slot of an account by its id: an open table of numbers, at
// most half full, beside the slots, which have the ids. It takes 8 to 16 bytes an
// account, a map of ids several times as much, and one wait for memory less.
type idTable struct {
	seed  uint64
	cells []uint32 // 1 + the slot, or 0
	used  int
}

func newIDTable() idTable {
	return idTable{seed: maphash.Comparable(maphash.MakeSeed(), 0) | 1, cells: make([]uint32, firstTable)}
}

// home is where an id would stand if nothing were in its way.
func (t *idTable) home(id *AccountID) int {
	hi, lo := bits.Mul64(binary.LittleEndian.Uint64(id[:8])^t.seed, binary.LittleEndian.Uint64(id[8:])|1)
	h := (hi ^ lo) * 0x9e3779b97f4a7c15
	return int(h >> (64 - bits.Len(uint(len(t.cells)-1))))
}

// find is the cell of an id, or the empty one where it would go.
func (t *idTable) find(slots []slot, id *AccountID) int {
	mask := len(t.cells) - 1
	at := t.home(id)
	for t.cells[at] != 0 && slots[t.cells[at]-1].id != *id {
		at = (at + 1) & mask
	}
	return at
}

// findEach gives the cells of many ids. It looks for none before it has asked for
// all, so that the processor waits for many places of the table at once.
func (t *idTable) findEach(slots []slot, ids []*AccountID, cells []uint32) []uint32 {
	for _, id := range ids {
		cells = append(cells, t.cells[t.home(id)])
	}
	for i, cell := range cells {
		if cell != 0 && slots[cell-1].id != *ids[i] {
			cells[i] = t.cells[t.find(slots, ids[i])]
		}
	}
	return cells
}

// add puts an id in that is not there; its slot has it already.
func (t *idTable) add(slots []slot, i uint32) {
	if 2*(t.used+1) > len(t.cells) {
		old := t.cells
		t.cells = make([]uint32, 2*len(old))
		for _, c := range old {
			if c != 0 {
				t.cells[t.find(slots, &slots[c-1].id)] = c
			}
		}
	}
	t.cells[t.find(slots, &slots[i].id)] = i + 1
	t.used++
}

// remove takes an id out and closes the gap, so that whatever was pushed past it
// is found again.
func (t *idTable) remove(slots []slot, id *AccountID) {
	mask := len(t.cells) - 1
	gap := t.find(slots, id)
	if t.cells[gap] == 0 {
		return
	}
	t.used--
	for at := gap; ; {
		at = (at + 1) & mask
		c := t.cells[at]
		if c == 0 {
			break
		}
		if home := t.home(&slots[c-1].id); (at-home)&mask >= (at-gap)&mask {
			t.cells[gap] = c
			gap = at
		}
	}
	t.cells[gap] = 0
}

package book

import (
	"encoding/binary"
	"testing"

	"pgregory.net/rapid"
)

// Goal: the table finds what is in it and nothing else, whatever was taken out.
// Method: a map beside it; ids from a few values, so that they fall together.
func TestIDTableFindsAsAMapDoes(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		table, slots, want := newIDTable(), []slot{}, map[AccountID]uint32{}
		for range rapid.IntRange(1, 3000).Draw(t, "steps") {
			var id AccountID
			binary.LittleEndian.PutUint16(id[14:], rapid.Uint16Range(0, 1500).Draw(t, "id"))
			cell := table.cells[table.find(slots, &id)]
			slot, there := want[id]
			if (cell != 0) != there || there && cell != slot+1 {
				t.Fatalf("%v: cell %d, want slot %d (%v)", id, cell, slot, there)
			}
			if there {
				table.remove(slots, &id)
				delete(want, id)
				continue
			}
			slots = append(slots, slotOf(id))
			want[id] = uint32(len(slots) - 1)
			table.add(slots, want[id])
		}
		if table.used != len(want) {
			t.Fatalf("%d used, %d there", table.used, len(want))
		}
	})
}

func slotOf(id AccountID) slot { return slot{id: id} }

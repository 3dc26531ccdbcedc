package book

// hashed holds values by the hash of their key, in the order in which they came:
// an open table of numbers, at most half full, beside the list of values. It is
// emptied, and what came last is taken out, for less than a map takes, and a
// question about a key that is not there hardly ever leaves the table.
type hashed[V any] struct {
	cells []hashedCell
	list  []hashedValue[V]
}

type hashedCell struct {
	tag uint32 // of the hash, so that the list is asked only where it will say yes
	at  uint32 // 1 + the place in the list, or 0
}

type hashedValue[V any] struct {
	key   keyHash
	value V
}

// cell is where a key stands, or the empty cell where it would go.
func (h *hashed[V]) cell(key keyHash) *hashedCell {
	mask := uint64(len(h.cells) - 1)
	for i := key.rest; ; i++ {
		c := &h.cells[i&mask]
		if c.at == 0 || c.tag == tagOf(key) && h.list[c.at-1].key == key {
			return c
		}
	}
}

// tagOf takes bits that do not choose the cell.
func tagOf(key keyHash) uint32 { return uint32(key.rest >> 32) }

// find gives the value of a key, or nil.
func (h *hashed[V]) find(key keyHash) *V {
	if len(h.list) == 0 {
		return nil
	}
	if c := h.cell(key); c.at != 0 {
		return &h.list[c.at-1].value
	}
	return nil
}

// add takes a key in that is not there.
func (h *hashed[V]) add(key keyHash, value V) {
	h.list = append(h.list, hashedValue[V]{key, value})
	if 2*len(h.list) > len(h.cells) {
		h.cells = make([]hashedCell, max(firstHashed, 2*len(h.cells)))
		for i := range h.list {
			h.put(i)
		}
		return
	}
	h.put(len(h.list) - 1)
}

const firstHashed = 1 << 6 // cells

func (h *hashed[V]) put(i int) {
	key := h.list[i].key
	*h.cell(key) = hashedCell{tagOf(key), uint32(i + 1)}
}

// cut takes out what came after the first n. Newest first, it leaves every cell
// as it was before.
func (h *hashed[V]) cut(n int) {
	for i := len(h.list) - 1; i >= n; i-- {
		*h.cell(h.list[i].key) = hashedCell{}
	}
	clear(h.list[n:])
	h.list = h.list[:n]
}

// reset takes everything out.
func (h *hashed[V]) reset() {
	clear(h.cells)
	clear(h.list)
	h.list = h.list[:0]
}

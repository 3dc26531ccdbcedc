package book

// history is where the entries on an account stand. An account that came with its
// part from another chain has those from before first, in the rows that came along,
// and then those of the journal from the batch of its arrival on. What the journal
// has from an earlier stay came along too, and is not looked at.
type history struct {
	carried   bool
	low, high uint64 // positions of the rows that came along: [low, high)
	from      uint64 // the first position in the journal
	since     uint64 // the batch of the arrival
}

func (m *memory) historyOf(id AccountID) history {
	m.mu.RLock()
	defer m.mu.RUnlock()
	return m.history(id)
}

func (m *memory) history(id AccountID) history {
	t, found := m.parts.arrival(id.Part(), m.head.Seq+1)
	if !found {
		return history{}
	}
	low := carriedPosition(t.part, t.chain, 0)
	return history{carried: true, low: low, high: low + maxCarried, from: Position{Seq: t.seq}.number(), since: t.seq}
}

// historyFrom lists positions from one on, in the order of time; 0 begins at the
// beginning.
func (m *memory) historyFrom(id AccountID, from uint64, limit int) (list []uint64, err error) {
	h := m.history(id)
	if h.carried && (from == 0 || from&carriedBit != 0) {
		// The slice of another stay is the beginning of this one: its numbers are the same.
		if list, err = m.linesOf(id, h.low+from&maxCarried, h.high, limit); err != nil || len(list) == limit {
			return list, err
		}
		from = 0
	}
	here, err := m.linesOf(id, max(from, h.from), carriedBit, limit-len(list))
	return append(list, here...), err
}

func (m *memory) movedSince(at At) bool {
	m.mu.RLock()
	defer m.mu.RUnlock()
	return m.parts.movedSince(at)
}

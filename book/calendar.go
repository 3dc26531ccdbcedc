package book

import (
	"encoding/binary"
	"fmt"

	"jiaozi/value/clock"
)

// calendar is the history of the business days that were open, kept as a record
// of the book: which days may be booked, and from which batch on.
type calendar struct {
	chain   uint16
	version uint64
	turns   []turn
}

type turn struct {
	seq  uint64 // the batch that opened these days
	days Days
}

// SpaceBook is where the book keeps records of its own. No command may name it.
const SpaceBook = "book/"

const turnSize = 8 + 4 + 4

func (c calendar) last() Days {
	if len(c.turns) == 0 {
		return Days{}
	}
	return c.turns[len(c.turns)-1].days
}

// with adds what a batch opened. The last word of a batch is the one that counts.
func (c calendar) with(seq uint64, d Days) calendar {
	c.turns = append(c.turns[:len(c.turns):len(c.turns)], turn{seq, d})
	c.version++
	return c
}

// calendarKey lives in the shard's first part.
func calendarKey(chain uint16) Key {
	return Key{SpaceBook + "days", string([]byte{byte(chain >> 4), byte(chain << 4)})}
}

func (c calendar) record() RecordRow {
	var b []byte
	for _, t := range c.turns {
		b = binary.BigEndian.AppendUint64(b, t.seq)
		b = binary.BigEndian.AppendUint32(b, uint32(t.days.From))
		b = binary.BigEndian.AppendUint32(b, uint32(t.days.To))
	}
	return RecordRow{calendarKey(c.chain), Record{Value: b, Version: c.version}}
}

func parseCalendar(chain uint16, r Record) (calendar, error) {
	c := calendar{chain: chain, version: r.Version}
	for b := r.Value; len(b) > 0; b = b[turnSize:] {
		if len(b) < turnSize {
			return calendar{}, fmt.Errorf("%w (the record of business days has %d bytes too many)", ErrDamaged, len(b))
		}
		c.turns = append(c.turns, turn{binary.BigEndian.Uint64(b), Days{
			From: clock.Date(binary.BigEndian.Uint32(b[8:])), To: clock.Date(binary.BigEndian.Uint32(b[12:])),
		}})
	}
	return c, nil
}

package book

import (
	"encoding/binary"
	"fmt"

	"jiaozi/value/clock"
)

// calendar is the history of the business days that were open, kept as a record
// of the book: which days may be booked, and after which entry.
type calendar struct {
	chain   uint16
	version uint64
	turns   []turn
}

type turn struct {
	at   uint64 // position of the entry that opened these days, itself still booked under the last ones
	days Days
}

// SpaceBook is where the book keeps records of its own. No command may name it.
const SpaceBook = "book/"

// spaceDays is that of the calendar. Who may open and close business days has it.
const spaceDays = SpaceBook + "days"

const turnSize = 8 + 4 + 4

func (c calendar) last() Days {
	if len(c.turns) == 0 {
		return Days{}
	}
	return c.turns[len(c.turns)-1].days
}

// with adds what a batch opened.
func (c calendar) with(turns []turn) calendar {
	c.turns = append(c.turns[:len(c.turns):len(c.turns)], turns...)
	c.version += uint64(len(turns))
	return c
}

// span narrows a business date down, up to position high. Entries up to first
// may have any date; after it, none up to low has a later date than this one, and
// none above high has this one or an earlier one.
func (c calendar) span(date clock.Date, high uint64) (first, low, end uint64) {
	for i := len(c.turns) - 1; i >= 0 && c.turns[i].days.From > date; i-- {
		high = min(high, c.turns[i].at)
	}
	if len(c.turns) == 0 {
		return high, high, high
	}
	low = high
	for _, t := range c.turns {
		if t.days.To > date {
			low = min(low, t.at)
			break
		}
	}
	return min(c.turns[0].at, high), low, high
}

// calendarKey lives in the shard's first part.
func calendarKey(chain uint16) Key {
	return Key{spaceDays, string([]byte{byte(chain >> 4), byte(chain << 4)})}
}

func (c calendar) record() RecordRow {
	var b []byte
	for _, t := range c.turns {
		b = binary.BigEndian.AppendUint64(b, t.at)
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

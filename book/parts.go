package book

import (
	"encoding/binary"
	"fmt"

	"jiaozi/value/clock"
)

// PartRange is a range of parts, both ends included.
type PartRange struct{ From, To uint16 }

func (r PartRange) String() string { return fmt.Sprintf("%d-%d", r.From, r.To) }

func (r PartRange) wrong() bool { return r.From > r.To || r.To >= Parts }

// Has reports whether the part is in the range.
func (r PartRange) Has(part uint16) bool { return part >= r.From && part <= r.To }

// travel is one step of a part between chains, as the journal has it.
type travel struct {
	kind   Kind // Leave, Stay, HandOut or HandIn
	part   uint16
	chain  uint16 // the other one
	seq    uint64 // the batch of the step
	date   clock.Date
	count  uint64 // of the slice
	digest Hash
}

// here reports whether the part is kept after the step.
func (t travel) here() bool { return t.kind == HandIn || t.kind == Stay }

// ownership says which parts a shard keeps: what the shard map says, unless the
// journal says otherwise. It is replaced, never changed, and the history is kept
// as a record of the book.
type ownership struct {
	chain   uint16
	travels []travel
	keeps   [Parts]bool
	whole   bool // nothing is kept elsewhere, and nothing ever was
}

// newOwnership keeps everything that no travel took away.
func newOwnership(chain uint16, travels []travel) *ownership {
	o := &ownership{chain: chain, whole: true}
	for part := range o.keeps {
		o.keeps[part] = true
	}
	for _, t := range travels {
		o = o.with(t)
	}
	return o
}

// within keeps, of the parts that never travelled, those in the ranges alone. No
// ranges are all parts.
func (o *ownership) within(ranges []PartRange) *ownership {
	if len(ranges) == 0 {
		return o
	}
	next := *o
	next.keeps, next.whole = [Parts]bool{}, false
	for _, r := range ranges {
		for part := int(r.From); part <= int(r.To) && part < Parts; part++ {
			next.keeps[part] = true
		}
	}
	for _, t := range o.travels {
		next.keeps[t.part] = t.here()
	}
	return &next
}

func (o *ownership) with(t travel) *ownership {
	next := *o
	next.travels = append(next.travels[:len(next.travels):len(next.travels)], t)
	next.keeps[t.part], next.whole = t.here(), false
	return &next
}

// last is the newest step of a part, if it ever travelled.
func (o *ownership) last(part uint16) (t travel, found bool) {
	for i := len(o.travels) - 1; i >= 0; i-- {
		if o.travels[i].part == part {
			return o.travels[i], true
		}
	}
	return t, false
}

// arrival is the newest arrival of a part before a batch.
func (o *ownership) arrival(part uint16, before uint64) (t travel, found bool) {
	for i := len(o.travels) - 1; i >= 0; i-- {
		if t := o.travels[i]; t.part == part && t.kind == HandIn && t.seq < before {
			return t, true
		}
	}
	return t, false
}

// arrivedFrom reports whether a part once came from a chain, before a batch.
func (o *ownership) arrivedFrom(part, chain uint16, before uint64) bool {
	for _, t := range o.travels {
		if t.part == part && t.chain == chain && t.kind == HandIn && t.seq < before {
			return true
		}
	}
	return false
}

// shows reports whether what lives in a part can be read here. It can while the
// part is leaving.
func (o *ownership) shows(part uint16) bool {
	if o.has(part) {
		return true
	}
	t, found := o.last(part)
	return found && t.kind == Leave
}

// has reports whether commands that touch a part are booked here.
func (o *ownership) has(part uint16) bool { return part < Parts && o.keeps[part] }

// movedSince reports whether a part came or went after a moment, so that accounts
// as they were then are not all here.
func (o *ownership) movedSince(at At) bool {
	for _, t := range o.travels {
		switch {
		case t.kind == Leave, t.kind == Stay:
		case at.Date != 0 && t.date > at.Date, at.Seq != 0 && t.kind == HandOut && t.seq > at.Seq:
			return true
		}
	}
	return false
}

// holds reports whether all that a command touches is kept here.
func (o *ownership) holds(c *Command) bool {
	ok := true
	if o.whole {
		return ok
	}
	c.EachPart(func(part uint16) { ok = ok && o.keeps[part] })
	return ok
}

const travelSize = 1 + 2 + 2 + 8 + 4 + 8 + 32

func travelsKey(chain uint16) Key {
	return Key{SpaceBook + "parts", calendarKey(chain).Key}
}

func (t travel) append(b []byte) []byte {
	b = append(b, byte(t.kind))
	b = binary.BigEndian.AppendUint16(b, t.part)
	b = binary.BigEndian.AppendUint16(b, t.chain)
	b = binary.BigEndian.AppendUint64(b, t.seq)
	b = binary.BigEndian.AppendUint32(b, uint32(t.date))
	b = binary.BigEndian.AppendUint64(b, t.count)
	return append(b, t.digest[:]...)
}

func (o *ownership) record() RecordRow {
	var b []byte
	for _, t := range o.travels {
		b = t.append(b)
	}
	return RecordRow{travelsKey(o.chain), Record{Value: b, Version: uint64(len(o.travels))}}
}

func parseTravels(r Record) (list []travel, err error) {
	for b := r.Value; len(b) > 0; b = b[travelSize:] {
		if len(b) < travelSize || b[0] < byte(Leave) || b[0] > byte(HandIn) || binary.BigEndian.Uint16(b[1:]) >= Parts {
			return nil, fmt.Errorf("%w (the record of parts that moved cannot be read %d bytes before its end)", ErrDamaged, len(b))
		}
		list = append(list, travel{
			kind: Kind(b[0]), part: binary.BigEndian.Uint16(b[1:]), chain: binary.BigEndian.Uint16(b[3:]),
			seq: binary.BigEndian.Uint64(b[5:]), date: clock.Date(binary.BigEndian.Uint32(b[13:])),
			count: binary.BigEndian.Uint64(b[17:]), digest: Hash(b[25:travelSize]),
		})
	}
	return list, nil
}

// EachPart visits the parts of all that a command touches, some of them more
// than once. The shard that keeps them all is the one to send it to.
func (c *Command) EachPart(fn func(part uint16)) {
	for i := range c.Legs {
		fn(c.Legs[i].Account.Part())
	}
	for i := range c.Open {
		fn(c.Open[i].ID.Part())
	}
	for i := range c.Limit {
		fn(c.Limit[i].Account.Part())
	}
	for i := range c.Close {
		fn(c.Close[i].Part())
	}
	for i := range c.Once {
		fn(partOf(c.Once[i].Key))
	}
	for i := range c.Put {
		fn(partOf(c.Put[i].Key))
	}
	if c.Hold != (ID{}) {
		fn(c.Hold.Part())
	}
}

// touches reports whether a command has to do with a part.
func (c *Command) touches(part uint16) bool {
	found := false
	c.EachPart(func(p uint16) { found = found || p == part })
	return found
}

// home is the part of the first thing that a command touches. Its messages live
// there.
func home(c *Command) uint16 {
	switch {
	case len(c.Legs) > 0:
		return c.Legs[0].Account.Part()
	case len(c.Open) > 0:
		return c.Open[0].ID.Part()
	case len(c.Once) > 0:
		return partOf(c.Once[0].Key)
	case len(c.Put) > 0:
		return partOf(c.Put[0].Key)
	}
	return c.Hold.Part()
}

package book

import "fmt"

// PartRange is a range of parts, both ends included.
type PartRange struct{ From, To uint16 }

func (r PartRange) String() string { return fmt.Sprintf("%d-%d", r.From, r.To) }

// Has reports whether the part is in the range.
func (r PartRange) Has(part uint16) bool { return part >= r.From && part <= r.To }

// ownership says which parts a shard keeps. Nil keeps all.
type ownership struct{ keeps [Parts]bool }

// newOwnership is what the shard map says; no ranges are all parts.
func newOwnership(ranges []PartRange) *ownership {
	if len(ranges) == 0 {
		return nil
	}
	o := &ownership{}
	for _, r := range ranges {
		for part := int(r.From); part <= int(r.To) && part < Parts; part++ {
			o.keeps[part] = true
		}
	}
	return o
}

func (o *ownership) has(part uint16) bool { return o.keeps[part] }

// holds reports whether all that a command touches is kept here.
func (o *ownership) holds(c *Command) bool {
	if o == nil {
		return true
	}
	ok := true
	c.EachPart(func(part uint16) { ok = ok && o.has(part) })
	return ok
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

package tlv

import "fmt"

// MaxDOL is the longest data that a list may ask for: it travels in one short
// command, behind the tag and length of template 83.
const MaxDOL = 252

// DOLEntry asks for one object in a fixed number of bytes.
type DOLEntry struct {
	Tag Tag
	Len int
}

// DOL is a data object list: what a card wants to hear (PDOL, CDOL, DDOL) or
// what its log holds (9F4F). The data itself carries neither tags nor lengths,
// so both sides must read the list alike.
type DOL []DOLEntry

// Fill says how a value is brought to the length that a list asks for.
type Fill uint8

const (
	// FillRight pads with trailing 00 and cuts on the right: binary, text.
	FillRight Fill = iota
	// FillLeft pads with leading 00 and cuts on the left: format n.
	FillLeft
	// FillF pads with trailing FF and cuts on the right: format cn.
	FillF
)

// ParseDOL reads a list. A tag asked for twice would let two values stand for
// one name on the card's side, so it is refused.
func ParseDOL(b []byte) (DOL, error) {
	if len(b) > MaxDOL {
		return nil, fmt.Errorf("%d bytes: %w", len(b), ErrDOL)
	}
	var dol DOL
	total := 0
	for len(b) > 0 {
		tag, n, err := DecodeTag(b)
		if err != nil {
			return nil, fmt.Errorf("entry %d: %w", len(dol)+1, err)
		}
		if n == len(b) {
			return nil, fmt.Errorf("%v has no length: %w", tag, ErrDOL)
		}
		size := int(b[n])
		if total += size; total > MaxDOL {
			return nil, fmt.Errorf("asks for more than %d bytes: %w", MaxDOL, ErrDOL)
		}
		if dol.asks(tag) {
			return nil, fmt.Errorf("%v: %w", tag, ErrDuplicate)
		}
		dol, b = append(dol, DOLEntry{Tag: tag, Len: size}), b[n+1:]
	}
	return dol, nil
}

// Append writes the list itself (tags and lengths).
func (d DOL) Append(dst []byte) []byte {
	for _, e := range d {
		dst = append(e.Tag.Append(dst), byte(e.Len))
	}
	return dst
}

// Len is the number of bytes that the list asks for.
func (d DOL) Len() int {
	total := 0
	for _, e := range d {
		total += e.Len
	}
	return total
}

func (d DOL) asks(t Tag) bool {
	for _, e := range d {
		if e.Tag == t {
			return true
		}
	}
	return false
}

// Build answers the list. An object that get does not know, or that is a
// template, is sent as zeros (EMV Book 3, 5.4 steps a and b).
func (d DOL) Build(get func(Tag) ([]byte, bool), fill func(Tag) Fill) []byte {
	out := make([]byte, 0, d.Len())
	for _, e := range d {
		value, ok := get(e.Tag)
		if !ok || Constructed(e.Tag) {
			out = append(out, make([]byte, e.Len)...)
			continue
		}
		out = appendFitted(out, value, e.Len, fill(e.Tag))
	}
	return out
}

// appendFitted cuts or pads the value to size (EMV Book 3, 5.4 steps c and d).
func appendFitted(dst, value []byte, size int, fill Fill) []byte {
	gap := size - len(value)
	switch {
	case gap < 0 && fill == FillLeft:
		return append(dst, value[-gap:]...)
	case gap < 0:
		return append(dst, value[:size]...)
	case fill == FillLeft:
		dst = append(dst, make([]byte, gap)...)
		return append(dst, value...)
	}
	var pad byte
	if fill == FillF {
		pad = 0xFF
	}
	dst = append(dst, value...)
	for range gap {
		dst = append(dst, pad)
	}
	return dst
}

// Split cuts the answer back into objects; the values alias data.
func (d DOL) Split(data []byte) (List, error) {
	if len(data) != d.Len() {
		return nil, fmt.Errorf("%d bytes for a list of %d: %w", len(data), d.Len(), ErrDOLPayload)
	}
	list := make(List, 0, len(d))
	for _, e := range d {
		list = append(list, Item{Tag: e.Tag, Value: data[:e.Len:e.Len]})
		data = data[e.Len:]
	}
	return list, nil
}

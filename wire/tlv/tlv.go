// Package tlv reads and writes the BER-TLV of chip cards (EMV Book 3 Annex B)
// and the data object lists built on it (EMV Book 3, 5.4).
//
//	tag (1-4 bytes) | length (1-3 bytes) | value
//	9F02              06                   000000001234
//
// It is strict on purpose, because lenient parsers are how cards and terminals
// come to disagree about the same bytes: lengths must use their shortest form,
// a tag may appear once per level unless the caller names it repeatable (the
// shadow-tag attack puts a second 5A behind the signed one), nothing may trail,
// and neither 00 nor FF filler is skipped. What Decode accepts, AppendList
// writes back byte for byte.
//
// Start at Decode for one level, Find for a value, Append to build. Next reads
// without allocating. Walk visits a whole tree and is meant for showing data.
// Values alias the input: copy what must outlive it.
package tlv

import (
	"errors"
	"fmt"

	"jiaozi/value/must"
)

const (
	// MaxBytes bounds every input. A length that needs more than two bytes
	// cannot fit, so 83 and longer length forms are refused outright.
	MaxBytes = 64 << 10
	// MaxItems bounds one level, which keeps the search for duplicates cheap.
	MaxItems = 1024
	// MaxDepth bounds nesting in Walk; EMV templates nest four deep.
	MaxDepth = 8
)

// The ways in which input can be malformed. They say what to look for in a
// dump; callers treat all of them alike and refuse the data.
var (
	ErrTruncated  = errors.New("tlv: the data ends inside an object")
	ErrTag        = errors.New("tlv: not a tag of one to four bytes (00 filler is not allowed)")
	ErrLength     = errors.New("tlv: the length is not in its shortest form or above 64 KiB")
	ErrDuplicate  = errors.New("tlv: the tag appears twice at one level")
	ErrTooLarge   = errors.New("tlv: more data than any card or terminal sends")
	ErrTooDeep    = errors.New("tlv: templates are nested too deeply")
	ErrDOL        = errors.New("tlv: malformed data object list")
	ErrDOLPayload = errors.New("tlv: the data does not have the length its list asks for")
)

// Item is one data object. Value aliases the decoded input.
type Item struct {
	Tag   Tag
	Value []byte
}

// List is one level of objects in the order in which they were sent.
type List []Item

// Decode reads one level. A tag may repeat only if it is named in repeatable.
func Decode(b []byte, repeatable ...Tag) (List, error) {
	if len(b) > MaxBytes {
		return nil, ErrTooLarge
	}
	list := make(List, 0, min(len(b)/3+1, 32))
	for rest := b; len(rest) > 0; {
		it, tail, err := Next(rest)
		if err != nil {
			return nil, fmt.Errorf("object %d: %w", len(list)+1, err)
		}
		if len(list) == MaxItems {
			return nil, ErrTooLarge
		}
		if !among(repeatable, it.Tag) && list.has(it.Tag) {
			return nil, fmt.Errorf("%v: %w", it.Tag, ErrDuplicate)
		}
		list, rest = append(list, it), tail
	}
	return list, nil
}

// Next reads the first object of b and returns what follows it. It allocates
// nothing and does not look inside templates.
func Next(b []byte) (Item, []byte, error) {
	tag, n, err := DecodeTag(b)
	if err != nil {
		return Item{}, nil, err
	}
	size, m, err := decodeLength(b[n:])
	if err != nil {
		return Item{}, nil, fmt.Errorf("%v: %w", tag, err)
	}
	b = b[n+m:]
	if size > len(b) {
		return Item{}, nil, fmt.Errorf("%v wants %d bytes, %d are left: %w", tag, size, len(b), ErrTruncated)
	}
	// The capacity ends with the value: appending to it must not overwrite
	// the neighbour.
	return Item{Tag: tag, Value: b[:size:size]}, b[size:], nil
}

// decodeLength returns the length and the number of bytes it occupies.
func decodeLength(b []byte) (size, n int, err error) {
	if len(b) == 0 {
		return 0, 0, ErrTruncated
	}
	switch first := b[0]; {
	case first < 0x80:
		return int(first), 1, nil
	case first == 0x81:
		if len(b) < 2 {
			return 0, 0, ErrTruncated
		}
		size, n = int(b[1]), 2
		if size < 0x80 {
			return 0, 0, ErrLength
		}
	case first == 0x82:
		if len(b) < 3 {
			return 0, 0, ErrTruncated
		}
		size, n = int(b[1])<<8|int(b[2]), 3
		if size < 0x100 {
			return 0, 0, ErrLength
		}
	default:
		// 80 is BER's indefinite length, 83 and above exceed MaxBytes.
		return 0, 0, ErrLength
	}
	return size, n, nil
}

// Find returns the value of the first object with this tag.
func (l List) Find(t Tag) ([]byte, bool) {
	for _, it := range l {
		if it.Tag == t {
			return it.Value, true
		}
	}
	return nil, false
}

// All returns the values of every object with this tag, in order.
func (l List) All(t Tag) [][]byte {
	var values [][]byte
	for _, it := range l {
		if it.Tag == t {
			values = append(values, it.Value)
		}
	}
	return values
}

func (l List) has(t Tag) bool {
	_, ok := l.Find(t)
	return ok
}

func among(tags []Tag, t Tag) bool {
	for _, x := range tags {
		if x == t {
			return true
		}
	}
	return false
}

// Append writes one object to dst. A tag that could not be read back, or a
// value over 65535 bytes, is a bug of the caller and stops the program.
func Append(dst []byte, t Tag, v []byte) []byte {
	if !t.Valid() || len(v) >= MaxBytes { // a plain if: arguments of Hold would allocate
		must.Hold(false, "tlv: %v with %d bytes cannot be written", t, len(v))
	}
	dst = t.Append(dst)
	switch n := len(v); {
	case n < 0x80:
		dst = append(dst, byte(n))
	case n < 0x100:
		dst = append(dst, 0x81, byte(n))
	default:
		dst = append(dst, 0x82, byte(n>>8), byte(n))
	}
	return append(dst, v...)
}

// AppendList writes the objects in order.
func AppendList(dst []byte, l List) []byte {
	for _, it := range l {
		dst = Append(dst, it.Tag, it.Value)
	}
	return dst
}

// Walk visits every object, outer before inner, and looks into each template.
// It shows what is there, so it does not refuse duplicates; decisions belong
// to data read with Decode. An error of fn stops the walk.
func Walk(b []byte, fn func(depth int, it Item) error) error {
	if len(b) > MaxBytes {
		return ErrTooLarge
	}
	return walk(b, 0, fn)
}

func walk(b []byte, depth int, fn func(int, Item) error) error {
	if depth == MaxDepth {
		return ErrTooDeep
	}
	for len(b) > 0 {
		it, rest, err := Next(b)
		if err != nil {
			return err
		}
		if err := fn(depth, it); err != nil {
			return err
		}
		if Constructed(it.Tag) {
			if err := walk(it.Value, depth+1, fn); err != nil {
				return fmt.Errorf("in %v: %w", it.Tag, err)
			}
		}
		b = rest
	}
	return nil
}

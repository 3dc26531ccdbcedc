package iso8583

import (
	"encoding/binary"
	"slices"
)

// MaxMessage bounds a body: what a two-byte length can say, less TPDU and header.
const MaxMessage = 0xFFFF - frameHead

// Decode unpacks a body (from the MTI to the last field) into m. On error m is
// empty. The values do not alias b.
func (s *Spec) Decode(b []byte, m *Message) error {
	m.Reset()
	mti, has, rest, err := s.decodeHead(b)
	if err != nil {
		return err
	}
	// One string holds all values: unpack into the stack, then copy once.
	var room [512]byte
	var end [LastField + 1]uint16 // MaxMessage digits fit: fields are bounded far below
	text := room[:0]
	for w, word := range has {
		for n := 0; word != 0; {
			n, word = lowest(word)
			at := w<<6 + n
			if text, rest, err = s.Fields[at].unpack(text, rest, &m.pad[at]); err != nil {
				m.pad = [LastField + 1]uint8{}
				return fieldError(at, err)
			}
			end[at] = uint16(len(text))
		}
	}
	if len(rest) != 0 {
		m.pad = [LastField + 1]uint8{}
		return pathError("end", ErrTrailing)
	}
	m.MTI, m.has = mti, has
	m.slice(string(text), &end)
	return nil
}

// slice hands each field its part of the text.
func (m *Message) slice(text string, end *[LastField + 1]uint16) {
	start := uint16(0)
	for w, word := range m.has {
		for n := 0; word != 0; {
			n, word = lowest(word)
			at := w<<6 + n
			m.value[at] = text[start:end[at]]
			start = end[at]
		}
	}
}

// decodeHead reads the type and the bitmaps and checks that the dialect has them.
func (s *Spec) decodeHead(b []byte) (MTI, Bits, []byte, error) {
	if len(b) > MaxMessage {
		return 0, Bits{}, nil, pathError("end", ErrTooLong)
	}
	if len(b) < 10 {
		return 0, Bits{}, nil, pathError("mti", ErrTruncated)
	}
	mti := MTI(binary.BigEndian.Uint16(b))
	if !s.knows(mti) {
		return 0, Bits{}, nil, pathError("mti", ErrUnknownType)
	}
	has := Bits{binary.BigEndian.Uint64(b[2:])}
	rest := b[10:]
	if s.Wide && has.Has(1) {
		if len(rest) < 8 {
			return 0, Bits{}, nil, pathError("bitmap", ErrTruncated)
		}
		has.drop(1)
		has[1] = binary.BigEndian.Uint64(rest)
		rest = rest[8:]
		if has[1] == 0 {
			return 0, Bits{}, nil, pathError("bitmap", ErrBitmap)
		}
	}
	return mti, has, rest, nil
}

func (s *Spec) knows(t MTI) bool {
	for i := range s.Types {
		if s.Types[i].MTI == t {
			return true
		}
	}
	return false
}

// unpack appends the value of one field to text and gives what follows the field.
func (f *Field) unpack(text, b []byte, pad *uint8) (more, rest []byte, err error) {
	if f.Form == 0 {
		return nil, nil, ErrUnknownField
	}
	size, b, err := f.size(b)
	if err != nil {
		return nil, nil, err
	}
	width := f.width(size)
	if len(b) < width {
		return nil, nil, ErrTruncated
	}
	raw, rest := b[:width], b[width:]
	switch f.Form {
	case Digits:
		text, err = f.unpackNibbles(text, raw, size, &decimals, pad)
	case Track:
		text, err = f.unpackNibbles(text, raw, size, &nibbles, pad)
	case Text:
		if !printable(raw) {
			return nil, nil, ErrCharacter
		}
		text = append(text, raw...)
	default:
		text = append(text, raw...)
	}
	return text, rest, err
}

// size reads the length prefix, which counts digits for n and z and bytes
// otherwise.
func (f *Field) size(b []byte) (int, []byte, error) {
	if f.Prefix == 0 {
		return f.Size, b, nil
	}
	width := int(f.Prefix+1) / 2
	if len(b) < width {
		return 0, nil, ErrTruncated
	}
	size := 0
	for _, c := range b[:width] {
		if c>>4 > 9 || c&15 > 9 {
			return 0, nil, ErrLength
		}
		size = size*100 + int(c>>4)*10 + int(c&15)
	}
	if size > f.Size {
		return 0, nil, ErrTooLong
	}
	return size, b[width:], nil
}

// width gives the bytes that size digits, characters or bytes occupy.
func (f *Field) width(size int) int {
	if f.Form == Digits || f.Form == Track {
		return (size + 1) / 2
	}
	return size
}

// padsLeft tells where the spare nibble of an odd count is: in front only for a
// fixed numeric field that is not marked Left.
func (f *Field) padsLeft() bool { return f.Prefix == 0 && !f.Left }

// unpackNibbles looks up both characters of each byte at once.
func (f *Field) unpackNibbles(text, raw []byte, size int, table *[256]uint16, pad *uint8) ([]byte, error) {
	start := len(text)
	text = slices.Grow(text, size+1)[:start+size]
	out := text[start:]
	if size&1 == 1 && f.padsLeft() {
		pair := table[raw[0]]
		if raw[0]>>4 != 0 {
			return nil, ErrPadding
		}
		if pair == 0 {
			return nil, ErrDigit
		}
		out[0] = byte(pair)
		out, raw = out[1:], raw[1:]
	}
	for len(out) >= 2 && len(raw) >= 1 {
		pair := table[raw[0]]
		if pair == 0 {
			return nil, ErrDigit
		}
		binary.BigEndian.PutUint16(out, pair)
		out, raw = out[2:], raw[1:]
	}
	if len(out) == 0 {
		return text, nil
	}
	low := raw[0] & 15
	pair := table[raw[0]&^15] // what the pad nibble holds is for Pads to say
	if pair == 0 {
		return nil, ErrDigit
	}
	if low != 0 && f.Pads&(1<<low) == 0 {
		return nil, ErrPadding
	}
	out[0], *pad = byte(pair>>8), low
	return text, nil
}

// decimals and nibbles give the two characters of a packed byte, 0 if it is none of
// the form: one look instead of two shifts and two comparisons.
var decimals, nibbles = pairs(9), pairs(15)

func pairs(highest int) (table [256]uint16) {
	for high := range highest + 1 {
		for low := range highest + 1 {
			table[high<<4|low] = uint16('0'+high)<<8 | uint16('0'+low)
		}
	}
	return table
}

func printable[T string | []byte](s T) bool {
	for i := 0; i < len(s); i++ {
		if s[i]-0x20 > 0x7E-0x20 { // below the space wraps to more
			return false
		}
	}
	return true
}

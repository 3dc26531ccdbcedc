package iso8583

import "encoding/binary"

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
	// One string holds all values: unpack into the stack, then copy once. A byte
	// unpacks to two characters at most.
	var room [512]byte
	text := room[:]
	if most := 2 * len(rest); most > len(room) {
		text = make([]byte, most)
	}
	var end [LastField + 1]uint16 // MaxMessage digits fit: fields are bounded far below
	at, size, err := s.unpack(text, rest, has, &m.pad, &end)
	if err != nil {
		m.pad = [LastField + 1]uint8{}
		if at == 0 {
			return pathError("end", err)
		}
		return fieldError(at, err)
	}
	m.MTI, m.has = mti, has
	m.slice(string(text[:size]), &end)
	return nil
}

// slice hands each field its part of the text.
func (m *Message) slice(text string, end *[LastField + 1]uint16) {
	start := uint16(0)
	for w, word := range m.has {
		for ; word != 0; word &= word - 1 {
			at := lowest(w, word)
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
	has := Bits{mirror(binary.BigEndian.Uint64(b[2:]))}
	rest := b[10:]
	if s.Wide && has.Has(1) {
		if len(rest) < 8 {
			return 0, Bits{}, nil, pathError("bitmap", ErrTruncated)
		}
		has.drop(1)
		has[1] = mirror(binary.BigEndian.Uint64(rest))
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

// unpack writes the values of all fields to text, which is long enough, notes where
// each one ends, and gives the size of all. On error it tells the field, 0 for the
// end. It is one loop with only the rare cases in functions of their own: handing
// text and rest from function to function cost a fifth of the decode.
func (s *Spec) unpack(text, rest []byte, has Bits, pad *[LastField + 1]uint8, end *[LastField + 1]uint16) (at, used int, err error) {
	for w, word := range has {
		for ; word != 0; word &= word - 1 {
			at := lowest(w, word)
			f := &s.Fields[at]
			size := f.Size
			if f.Prefix != 0 {
				if size, err = f.size(rest); err != nil {
					return at, 0, err
				}
				rest = rest[(f.Prefix+1)/2:]
			}
			width := f.width(size)
			if len(rest) < width {
				return at, 0, ErrTruncated
			}
			out, raw := text[used:used+size], rest[:width]
			rest, used = rest[width:], used+size
			end[at] = uint16(used)
			switch f.Form {
			case Digits, Track:
				table := f.Form.table()
				if size&1 != 0 {
					if out, raw, err = f.unpackOdd(out, raw, &pad[at]); err != nil {
						return at, 0, err
					}
				}
				for i := 1; i < len(out); i += 2 {
					pair := table[raw[uint(i)>>1]]
					if pair == 0 {
						return at, 0, ErrDigit
					}
					out[i-1], out[i] = byte(pair), byte(pair>>8)
				}
			case Text:
				if !printable(raw) {
					return at, 0, ErrCharacter
				}
				copy(out, raw)
			case Binary:
				copy(out, raw)
			default:
				return at, 0, ErrUnknownField
			}
		}
	}
	if len(rest) != 0 {
		return 0, 0, ErrTrailing
	}
	return 0, used, nil
}

// size reads the length prefix, which counts digits for n and z and bytes
// otherwise.
func (f *Field) size(b []byte) (int, error) {
	width := int(f.Prefix+1) / 2
	if len(b) < width {
		return 0, ErrTruncated
	}
	size := 0
	for _, c := range b[:width] {
		if c>>4 > 9 || c&15 > 9 {
			return 0, ErrLength
		}
		size = size*100 + int(c>>4)*10 + int(c&15)
	}
	if size > f.Size {
		return 0, ErrTooLong
	}
	return size, nil
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

// unpackOdd unpacks the digit that shares its byte with padding and gives what is
// left to unpack.
func (f *Field) unpackOdd(out, raw []byte, pad *uint8) (more, rest []byte, err error) {
	table := f.Form.table()
	if f.padsLeft() {
		if raw[0]>>4 != 0 {
			return nil, nil, ErrPadding
		}
		pair := table[raw[0]]
		if pair == 0 {
			return nil, nil, ErrDigit
		}
		out[0] = byte(pair >> 8)
		return out[1:], raw[1:], nil
	}
	last := len(raw) - 1
	low := raw[last] & 15
	pair := table[raw[last]&^15] // what the pad nibble holds is for Pads to say
	if pair == 0 {
		return nil, nil, ErrDigit
	}
	if low != 0 && f.Pads&(1<<low) == 0 {
		return nil, nil, ErrPadding
	}
	out[len(out)-1], *pad = byte(pair), low
	return out[:len(out)-1], raw[:last], nil
}

// table tells what the packed bytes of a form unpack to.
func (f Form) table() *[256]uint16 {
	if f == Track {
		return &nibbles
	}
	return &decimals
}

// decimals and nibbles give the two characters of a packed byte, the first one in
// the low half, 0 if it is none of the form: one look instead of two shifts and two
// comparisons.
var decimals, nibbles = pairs(9), pairs(15)

func pairs(highest int) (table [256]uint16) {
	for high := range highest + 1 {
		for low := range highest + 1 {
			table[high<<4|low] = uint16('0'+low)<<8 | uint16('0'+high)
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

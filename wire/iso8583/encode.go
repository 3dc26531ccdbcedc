package iso8583

import (
	"encoding/binary"
	"slices"
)

// Append packs m behind dst. On error it returns dst as it was.
func (s *Spec) Append(dst []byte, m *Message) ([]byte, error) {
	if !s.knows(m.MTI) {
		return dst, pathError("mti", ErrUnknownType)
	}
	if m.has[1] != 0 && !s.Wide {
		return dst, pathError("bitmap", ErrUnknownField)
	}
	if dst == nil {
		dst = make([]byte, 0, 256) // most messages fit: one allocation, little to collect
	}
	out := binary.BigEndian.AppendUint16(dst, uint16(m.MTI))
	if m.has[1] != 0 {
		out = binary.BigEndian.AppendUint64(out, mirror(m.has[0]|mask(1)))
		out = binary.BigEndian.AppendUint64(out, mirror(m.has[1]))
	} else {
		out = binary.BigEndian.AppendUint64(out, mirror(m.has[0]))
	}
	for w, word := range m.has {
		for ; word != 0; word &= word - 1 {
			at := lowest(w, word)
			var err error
			if out, err = s.Fields[at].pack(out, m.value[at], m.pad[at]); err != nil {
				return dst, fieldError(at, err)
			}
		}
	}
	if len(out)-len(dst) > MaxMessage {
		return dst, pathError("end", ErrTooLong)
	}
	return out, nil
}

func (f *Field) pack(dst []byte, v string, pad uint8) ([]byte, error) {
	if f.Form == 0 {
		return nil, ErrUnknownField
	}
	if len(v) > f.Size {
		return nil, ErrTooLong
	}
	if f.Prefix == 0 && len(v) != f.Size {
		return nil, ErrLength
	}
	if f.Prefix == 3 {
		dst = append(dst, byte(len(v)/100))
	}
	if f.Prefix != 0 {
		dst = append(dst, byte(len(v)/10%10<<4|len(v)%10))
	}
	switch f.Form {
	case Digits:
		return f.packNibbles(dst, v, 9, pad)
	case Track:
		return f.packNibbles(dst, v, 15, pad)
	case Text:
		if !printable(v) {
			return nil, ErrCharacter
		}
	}
	return append(dst, v...), nil
}

func (f *Field) packNibbles(dst []byte, v string, highest, pad uint8) ([]byte, error) {
	start := len(dst)
	dst = slices.Grow(dst, len(v)/2+1)[:start+(len(v)+1)/2]
	out := dst[start:]
	if len(v)&1 == 1 && f.padsLeft() {
		if v[0]-'0' > highest {
			return nil, ErrDigit
		}
		out[0] = v[0] - '0'
		out, v = out[1:], v[1:]
	}
	for len(v) >= 2 && len(out) >= 1 {
		high, low := v[0]-'0', v[1]-'0' // below '0' wraps to more than any nibble
		if high > highest || low > highest {
			return nil, ErrDigit
		}
		out[0] = high<<4 | low
		out, v = out[1:], v[2:]
	}
	if len(v) == 0 {
		return dst, nil
	}
	if v[0]-'0' > highest {
		return nil, ErrDigit
	}
	if f.Pads&(1<<pad) == 0 {
		pad = 0 // copied from a dialect that tolerates more
	}
	out[0] = (v[0]-'0')<<4 | pad
	return dst, nil
}

// macLen is the size of the MAC field of every dialect: b8.
const macLen = 8

// Seal packs m with a MAC: it sets the MAC field from what mac makes of all bytes
// before it. The bitmap is part of them, the MAC's own bit included.
func (s *Spec) Seal(dst []byte, m *Message, mac func(mab []byte) ([8]byte, error)) ([]byte, error) {
	m.Set(s.MAC, string(make([]byte, macLen)))
	out, err := s.Append(dst, m)
	if err != nil {
		return dst, err
	}
	sum, err := mac(out[len(dst) : len(out)-macLen])
	if err != nil {
		return dst, err
	}
	copy(out[len(out)-macLen:], sum[:])
	m.SetBytes(s.MAC, sum[:])
	return out, nil
}

// MAB splits a body that Decode accepted into the bytes under the MAC and the MAC.
// Both alias raw.
func (s *Spec) MAB(raw []byte) (mab, mac []byte, err error) {
	_, has, rest, err := s.decodeHead(raw)
	if err != nil {
		return nil, nil, err
	}
	if !has.Has(s.MAC) {
		return nil, nil, fieldError(s.MAC, ErrNoMAC)
	}
	if len(rest) < macLen {
		return nil, nil, fieldError(s.MAC, ErrTruncated)
	}
	cut := len(raw) - macLen
	return raw[:cut], raw[cut:], nil
}

package iso8583

import "encoding/binary"

// Refuse makes the least answer to a request that Decode did not accept: its type
// plus 0010, and field 39. It gives nil if the bytes do not show a request at all:
// an answer, or noise, is never answered. The type need not be one of the dialect,
// for its sender knows it.
func Refuse(raw []byte, code string) []byte {
	if len(raw) < 2 || len(code) != 2 || !printable(code) {
		return nil
	}
	mti := MTI(binary.BigEndian.Uint16(raw))
	for digits := mti; digits != 0; digits >>= 4 {
		if digits&15 > 9 {
			return nil
		}
	}
	if mti>>12 != 0 || mti>>4&1 != 0 { // version 0 (1987) only; an odd third digit is an answer
		return nil
	}
	out := binary.BigEndian.AppendUint16(make([]byte, 0, 12), uint16(mti.Response()))
	out = binary.BigEndian.AppendUint64(out, mirror(mask(39)))
	return append(out, code...)
}

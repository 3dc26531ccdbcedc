package iso8583

import (
	"fmt"
	"math/bits"
)

// MTI is a message type indicator in BCD: 0x0200 reads as 0200.
type MTI uint16

// Response gives the type that answers t.
func (t MTI) Response() MTI { return t + 0x0010 }

func (t MTI) String() string { return fmt.Sprintf("%04X", uint16(t)) }

// LastField is the highest field number of any dialect.
const LastField = 128

// Bits is a set of field numbers. Field n is bit (n-1)%64 of word (n-1)/64: the
// mirror of the bitmap on the wire, because to find and drop the lowest bit is
// cheaper than the highest: a twentieth of a decode and of an encode.
type Bits [2]uint64

// Fields makes a set.
func Fields(numbers ...int) Bits {
	var b Bits
	for _, n := range numbers {
		b.add(n)
	}
	return b
}

// Has tells whether n is in the set.
func (b Bits) Has(n int) bool {
	return n >= 1 && n <= LastField && b[(n-1)>>6]&mask(n) != 0
}

func (b *Bits) add(n int)  { b[(n-1)>>6] |= mask(n) }
func (b *Bits) drop(n int) { b[(n-1)>>6] &^= mask(n) }

func mask(n int) uint64 { return 1 << (uint(n-1) & 63) }

// mirror turns a word of a set into a word of a bitmap, and back.
func mirror(word uint64) uint64 { return bits.Reverse64(word) }

// lowest gives the lowest number in word w of a set, if word is what is left of it
// and not 0. A loop over all fields drops that number by word &= word-1.
func lowest(w int, word uint64) int { return w<<6 + bits.TrailingZeros64(word) + 1 }

// pop removes the lowest number from the set and gives it, or 0.
func (b *Bits) pop() int {
	for w, word := range b {
		if word != 0 {
			b[w] = word & (word - 1)
			return lowest(w, word)
		}
	}
	return 0
}

// Message is one unpacked message: digits for numeric fields, track characters
// for z, characters for text, raw bytes for binary. It is a plain value: it can
// be copied and compared with ==. The zero value is an empty message.
type Message struct {
	MTI MTI
	has Bits
	// pad keeps the pad nibble of a field whose dialect tolerates more than 0, so
	// that Append gives back the bytes that Decode saw (a MAC was made over them).
	pad   [LastField + 1]uint8
	value [LastField + 1]string
}

// Set stores the unpacked value of field n. A value that does not fit the field is
// reported by Append, which knows the dialect.
func (m *Message) Set(n int, v string) {
	if n < 2 || n > LastField {
		panic(fmt.Sprintf("iso8583: field %d does not exist; use 2 to %d", n, LastField))
	}
	m.has.add(n)
	m.value[n], m.pad[n] = v, 0
}

// SetBytes stores a copy of v in field n.
func (m *Message) SetBytes(n int, v []byte) { m.Set(n, string(v)) }

// Get gives the unpacked value of field n.
func (m *Message) Get(n int) (string, bool) {
	if !m.has.Has(n) {
		return "", false
	}
	return m.value[n], true
}

// Text gives the value of field n, empty if it is absent.
func (m *Message) Text(n int) string {
	v, _ := m.Get(n)
	return v
}

// Bytes gives a copy of the value of field n, nil if it is absent.
func (m *Message) Bytes(n int) []byte {
	v, ok := m.Get(n)
	if !ok {
		return nil
	}
	return []byte(v)
}

// Has tells whether field n is present.
func (m *Message) Has(n int) bool { return m.has.Has(n) }

// Present gives the set of fields that are present.
func (m *Message) Present() Bits { return m.has }

// Unset removes fields.
func (m *Message) Unset(numbers ...int) {
	for _, n := range numbers {
		if m.has.Has(n) {
			m.has.drop(n)
			m.value[n], m.pad[n] = "", 0
		}
	}
}

// Copy sets each of the fields that from has, padding included.
func (m *Message) Copy(from *Message, numbers ...int) {
	for _, n := range numbers {
		if from.has.Has(n) {
			m.has.add(n)
			m.value[n], m.pad[n] = from.value[n], from.pad[n]
		}
	}
}

// Clone gives an independent copy.
func (m *Message) Clone() *Message {
	c := *m
	return &c
}

// Reset empties the message. Absent fields hold nothing, so it is enough, and much
// cheaper than clearing two kilobytes, to drop those that are present.
func (m *Message) Reset() {
	for w, word := range m.has {
		for ; word != 0; word &= word - 1 {
			n := lowest(w, word)
			m.value[n], m.pad[n] = "", 0
		}
	}
	m.MTI, m.has = 0, Bits{}
}

// Format keeps card data out of logs: every verb prints the type and the field
// numbers. Describe shows the masked content.
func (m Message) Format(f fmt.State, _ rune) {
	fmt.Fprintf(f, "%s[", m.MTI)
	sep := ""
	left := m.has
	for n := left.pop(); n != 0; n = left.pop() {
		fmt.Fprintf(f, "%s%d", sep, n)
		sep = " "
	}
	fmt.Fprint(f, "]")
}

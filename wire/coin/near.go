package coin

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
)

// MediaType is the type of a message in an NDEF record and over HTTP.
const MediaType = "application/vnd.jiaozi.coin"

// The head of an NDEF record (NFC Forum, NDEF 1.0, 3.2): it begins and ends the
// message, is not chunked, has no id, and its type is a media type; a short record
// has a length of one byte.
const (
	ndefLong  = 0x80 | 0x40 | 0x02
	ndefShort = ndefLong | 0x10
)

// AppendNDEF writes an NDEF message of one record that holds m.
func AppendNDEF(dst []byte, m Message) ([]byte, error) {
	payload, err := Append(nil, m)
	if err != nil {
		return nil, err
	}
	return append(ndefHead(dst, len(payload)), payload...), nil
}

func ndefHead(dst []byte, size int) []byte {
	if size < 256 {
		dst = append(dst, ndefShort, byte(len(MediaType)), byte(size))
	} else {
		dst = binary.BigEndian.AppendUint32(append(dst, ndefLong, byte(len(MediaType))), uint32(size))
	}
	return append(dst, MediaType...)
}

// ParseNDEF reads what AppendNDEF writes: one record, in the shorter form if it
// fits, and nothing else on the tag.
func ParseNDEF(b []byte) (Message, error) {
	if len(b) == 0 {
		return nil, fmt.Errorf("read NDEF: %w", ErrShort)
	}
	var size int
	switch {
	case b[0] == ndefShort && len(b) >= 3:
		size = int(b[2])
	case b[0] == ndefLong && len(b) >= 6:
		size = int(binary.BigEndian.Uint32(b[2:]))
	case b[0] == ndefShort || b[0] == ndefLong:
		return nil, fmt.Errorf("read NDEF: %w", ErrShort)
	default:
		return nil, fmt.Errorf("read NDEF: the tag does not hold one single record of a media type: %w", ErrForm)
	}
	if size > MaxMessage {
		return nil, fmt.Errorf("read NDEF: %d bytes: %w", size, ErrTooLarge)
	}
	payload, ok := bytes.CutPrefix(b, ndefHead(nil, size))
	if !ok {
		return nil, fmt.Errorf("read NDEF: the record is not of type %s: %w", MediaType, ErrForm)
	}
	if len(payload) < size {
		return nil, fmt.Errorf("read NDEF: it announces %d bytes, %d came: %w", size, len(payload), ErrShort)
	}
	if len(payload) > size {
		return nil, fmt.Errorf("read NDEF: %d bytes follow the record: %w", len(payload)-size, ErrForm)
	}
	return Decode(payload)
}

// A fragment is what one write or notification of BLE carries. Fragments come in
// order, since the link keeps it:
//
//	message 1 | index 2 | count 2 | bytes
//
// All but the last are of one length. The message number tells one message from
// the next: two in a row never share it.
const (
	fragmentHead = 1 + 2 + 2
	attHead      = 3  // operation and handle, which the protocol puts before each value
	minMTU       = 23 // Bluetooth Core, Vol 3 Part G, 5.2.1
)

// ErrGap: the fragments are forgotten; ask the sender to begin the message again.
var ErrGap = errors.New("a fragment of the message is missing: send it again from the start")

// Fragments cuts the message for a link whose ATT MTU is mtu, at least 23 bytes.
// number differs from that of the message before.
func Fragments(m Message, number byte, mtu int) ([][]byte, error) {
	b, err := Append(nil, m)
	if err != nil {
		return nil, err
	}
	if mtu < minMTU {
		return nil, fmt.Errorf("an MTU of %d is below the %d that every link has: ask the link for its own", mtu, minMTU)
	}
	room := mtu - attHead - fragmentHead
	count := (len(b) + room - 1) / room
	if count > 1<<16-1 {
		return nil, fmt.Errorf("%d bytes do not fit 65535 fragments of %d: ask the link for a larger MTU", len(b), room)
	}
	fragments := make([][]byte, count)
	for i := range fragments {
		f := append(make([]byte, 0, fragmentHead+room), number)
		f = binary.BigEndian.AppendUint16(f, uint16(i))
		f = binary.BigEndian.AppendUint16(f, uint16(count))
		fragments[i] = append(f, b[i*room:min((i+1)*room, len(b))]...)
	}
	return fragments, nil
}

// Assembler puts fragments together. The same fragment twice in a row counts once;
// a first fragment begins anew, whatever came before. The zero Assembler is ready.
type Assembler struct {
	number      byte
	count, next int    // next is the index that should come; 0 if nothing was begun
	room        int    // bytes in each fragment but the last
	b, last     []byte // what came, and the last piece of it
}

// Add takes one fragment. It gives the message with the last one, and nil before.
func (a *Assembler) Add(fragment []byte) (Message, error) {
	if len(fragment) <= fragmentHead {
		return nil, fmt.Errorf("fragment of %d bytes: %w", len(fragment), ErrShort)
	}
	number, piece := fragment[0], fragment[fragmentHead:]
	index, count := int(binary.BigEndian.Uint16(fragment[1:])), int(binary.BigEndian.Uint16(fragment[3:]))
	if index >= count {
		return nil, fmt.Errorf("fragment %d of %d: %w", index+1, count, ErrForm)
	}
	if a.repeated(number, index, count, piece) {
		return nil, nil
	}
	if index == 0 {
		if (count-1)*len(piece) >= MaxMessage {
			return nil, fmt.Errorf("%d fragments of %d bytes: %w", count, len(piece), ErrTooLarge)
		}
		*a = Assembler{number: number, count: count, room: len(piece)}
	}
	if number != a.number || count != a.count || index != a.next {
		*a = Assembler{}
		return nil, ErrGap
	}
	if len(piece) > a.room || len(piece) < a.room && index != count-1 {
		*a = Assembler{}
		return nil, fmt.Errorf("fragment %d of %d is not as long as the first: %w", index+1, count, ErrForm)
	}
	a.b, a.last, a.next = append(a.b, piece...), bytes.Clone(piece), a.next+1
	if a.next < a.count {
		return nil, nil
	}
	whole := a.b
	a.b = nil
	return Decode(whole)
}

// repeated reports whether this is the fragment that came last.
func (a *Assembler) repeated(number byte, index, count int, piece []byte) bool {
	return a.next > 0 && number == a.number && count == a.count && index == a.next-1 && bytes.Equal(piece, a.last)
}

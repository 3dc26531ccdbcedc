package iso8583

import "fmt"

const frameHead = 11 // TPDU and header

// TPDU is the transport address: 60, destination, source.
type TPDU [5]byte

// Reply swaps destination and source.
func (t TPDU) Reply() TPDU { return TPDU{t[0], t[3], t[4], t[1], t[2]} }

// NewTPDU addresses a message.
func NewTPDU(destination, source uint16) TPDU {
	return TPDU{0x60, byte(destination >> 8), byte(destination), byte(source >> 8), byte(source)}
}

// Header is the twelve BCD digits before the MTI: application class, version,
// terminal status, instruction, software version.
type Header [6]byte

// DefaultHeader is what a healthy terminal of this dialect sends.
var DefaultHeader = Header{0x60, 0x31, 0x00, 0x31, 0x00, 0x00}

// Instruction is what a host asks of the terminal in the header of an answer.
type Instruction byte

// The host's instructions, by the dialect's convention.
const (
	AskNothing    Instruction = 0
	AskParameters Instruction = 1
	AskStatus     Instruction = 2
	AskSignOn     Instruction = 3
	AskCAKeys     Instruction = 4
	AskBlacklist  Instruction = 7
)

// Instruction reads the fourth group of the header.
func (h Header) Instruction() Instruction { return Instruction(h[2] & 15) }

// Instruct gives the header with another instruction.
func (h Header) Instruct(i Instruction) Header {
	h[2] = h[2]&0xF0 | byte(i)&15
	return h
}

// Frame is a POS message as it travels, without the two-byte length.
type Frame struct {
	TPDU   TPDU
	Header Header
	Body   []byte
}

// DecodeFrame splits a frame. Body aliases b.
func DecodeFrame(b []byte) (Frame, error) {
	if len(b) < frameHead {
		return Frame{}, pathError("tpdu", ErrTruncated)
	}
	f := Frame{TPDU: TPDU(b[:5]), Header: Header(b[5:frameHead]), Body: b[frameHead:]}
	if f.TPDU[0] != 0x60 {
		return Frame{}, pathError("tpdu", fmt.Errorf("%w: it starts with 60", ErrValue))
	}
	for _, c := range f.Header {
		if c>>4 > 9 || c&15 > 9 {
			return Frame{}, pathError("header", ErrDigit)
		}
	}
	return f, nil
}

// AppendFrame packs a frame behind dst.
func AppendFrame(dst []byte, f Frame) []byte {
	dst = append(dst, f.TPDU[:]...)
	dst = append(dst, f.Header[:]...)
	return append(dst, f.Body...)
}

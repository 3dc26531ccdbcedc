// Package apdu is the language that cards are spoken to in: a command of four
// header bytes with data and an expected length, a response of data and a
// status word (ISO 7816-4, short form only: up to 255 bytes out, 256 back).
//
//	command   CLA INS P1 P2 [Lc data] [Le]
//	response  [data] SW1 SW2
//
// Card is the one-method door to anything that answers commands: a card in
// this process, a reader, a virtual reader, a wrapper that tears the line. The
// constructors (Select, GPO, ReadRecord, GenerateAC ...) are the commands of
// EMV Book 1 and 3 and of PBOC electronic cash, so that nobody writes hex.
//
// Decoders refuse what is not exactly one command or response; decode then
// append gives the same bytes. What a command means is the card's business.
package apdu

import (
	"errors"
	"fmt"

	"jiaozi/value/must"
)

const (
	// MaxData is the most that a short command carries.
	MaxData = 255
	// MaxLe is the most that a short command can ask for, written as Le 00.
	MaxLe = 256
	// NoLe marks a command that expects no data back.
	NoLe = -1

	headerBytes = 4
)

var (
	// ErrCommand: the bytes are not one short command.
	ErrCommand = errors.New("apdu: not a command (CLA INS P1 P2, then Lc and data, then Le)")
	// ErrResponse: the bytes are not one short response.
	ErrResponse = errors.New("apdu: not a response (up to 256 bytes, then SW1 SW2)")
	// ErrGone is wrapped by every Transmit error that means the card left the
	// field or the slot. Whether the last command was carried out is then
	// unknown, and the caller must recover rather than assume.
	ErrGone = errors.New("apdu: the card is gone; present it again")
)

// Card answers commands. An error means that the card is gone or the line is
// broken; a refusal of the card is a Response with its status word.
type Card interface {
	Transmit(Command) (Response, error)
}

// Command is one C-APDU. Le is NoLe or 1 to 256.
type Command struct {
	CLA, INS, P1, P2 byte
	Data             []byte
	Le               int
}

// ParseCommand reads exactly one short command. Data aliases b.
func ParseCommand(b []byte) (Command, error) {
	if len(b) < headerBytes {
		return Command{}, fmt.Errorf("%d bytes: %w", len(b), ErrCommand)
	}
	c := Command{CLA: b[0], INS: b[1], P1: b[2], P2: b[3], Le: NoLe}
	body := b[headerBytes:]
	switch {
	case len(body) == 0: // case 1
		return c, nil
	case len(body) == 1: // case 2
		c.Le = decodeLe(body[0])
		return c, nil
	}
	lc := int(body[0])
	if lc == 0 {
		return Command{}, fmt.Errorf("extended lengths are not spoken here: %w", ErrCommand)
	}
	switch len(body) {
	case 1 + lc: // case 3
	case 2 + lc: // case 4
		c.Le = decodeLe(body[1+lc])
	default:
		return Command{}, fmt.Errorf("length byte says %d, %d bytes follow: %w", lc, len(body)-1, ErrCommand)
	}
	c.Data = body[1 : 1+lc : 1+lc]
	return c, nil
}

func decodeLe(b byte) int {
	if b == 0 {
		return MaxLe
	}
	return int(b)
}

// Append writes the command. A command that cannot be written is a bug.
func (c Command) Append(dst []byte) []byte {
	must.Hold(len(c.Data) <= MaxData, "apdu: %d bytes of data in INS %02X", len(c.Data), c.INS)
	must.Hold(c.Le == NoLe || c.Le >= 1 && c.Le <= MaxLe, "apdu: Le %d in INS %02X", c.Le, c.INS)
	dst = append(dst, c.CLA, c.INS, c.P1, c.P2)
	if len(c.Data) > 0 {
		dst = append(append(dst, byte(len(c.Data))), c.Data...)
	}
	if c.Le != NoLe {
		dst = append(dst, byte(c.Le)) // 256 is written 00
	}
	return dst
}

// Header returns CLA INS P1 P2 Lc, the part of a secured command that the
// script MAC covers before the data.
func (c Command) Header() [5]byte {
	return [5]byte{c.CLA, c.INS, c.P1, c.P2, byte(len(c.Data))}
}

// Response is one R-APDU.
type Response struct {
	Data []byte
	SW   SW
}

// ParseResponse reads exactly one response. Data aliases b.
func ParseResponse(b []byte) (Response, error) {
	n := len(b) - 2
	if n < 0 || n > MaxLe {
		return Response{}, fmt.Errorf("%d bytes: %w", len(b), ErrResponse)
	}
	r := Response{SW: SW(b[n])<<8 | SW(b[n+1])}
	if n > 0 {
		r.Data = b[:n:n]
	}
	return r, nil
}

// Append writes the response.
func (r Response) Append(dst []byte) []byte {
	must.Hold(len(r.Data) <= MaxLe, "apdu: %d bytes in a response", len(r.Data))
	dst = append(dst, r.Data...)
	return append(dst, byte(r.SW>>8), byte(r.SW))
}

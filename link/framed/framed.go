// Package framed carries messages over TCP, each with its length before it: two
// bytes, big-endian, the length not counting itself. It knows nothing of what the
// messages mean.
//
//	| length 2 | message 1..65535 |
//
// Client asks one question at a time and is strict about answers: after a time-out
// or any fault the connection is closed, so that a late answer can never be taken
// for the answer to the next question. Server bounds its connections, drops those
// that stay idle or trickle, and drains on shutdown: a question that was read is
// answered before the connection goes.
//
// Both take the moment to give up from the caller (context, Limits) and hold no
// retry policy: whether to ask again is a matter of money, not of links.
//
// Start with Client.Exchange and Server.Serve.
package framed

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
)

// MaxMessage is what two length bytes can say.
const MaxMessage = 0xFFFF

const lengthLen = 2

// ErrEmpty: a frame of length zero; some hosts send it as a heartbeat, we do not.
var ErrEmpty = errors.New("a frame of length 0 carries no message")

// ErrTooLong: the message does not fit two length bytes; nothing was sent.
var ErrTooLong = fmt.Errorf("a message of more than %d bytes does not fit a frame", MaxMessage)

// Write sends one message in one call, so that it leaves in as few packets as can be.
func Write(w io.Writer, message []byte) error {
	if len(message) == 0 {
		return ErrEmpty
	}
	if len(message) > MaxMessage {
		return ErrTooLong
	}
	frame := make([]byte, lengthLen+len(message))
	binary.BigEndian.PutUint16(frame, uint16(len(message)))
	copy(frame[lengthLen:], message)
	if _, err := w.Write(frame); err != nil {
		return fmt.Errorf("write frame: %w", err)
	}
	return nil
}

// Read receives one message. It gives io.EOF only if the connection ended between
// frames; inside one it is io.ErrUnexpectedEOF.
func Read(r io.Reader) ([]byte, error) {
	var head [lengthLen]byte
	if _, err := io.ReadFull(r, head[:]); err != nil {
		if errors.Is(err, io.EOF) {
			return nil, io.EOF
		}
		return nil, fmt.Errorf("read frame length: %w", err)
	}
	size := binary.BigEndian.Uint16(head[:])
	if size == 0 {
		return nil, ErrEmpty
	}
	message := make([]byte, size)
	if _, err := io.ReadFull(r, message); err != nil {
		if errors.Is(err, io.EOF) {
			err = io.ErrUnexpectedEOF
		}
		return nil, fmt.Errorf("read frame of %d bytes: %w", size, err)
	}
	return message, nil
}

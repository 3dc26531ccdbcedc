package iso8583

import (
	"errors"
	"fmt"
)

// What can be wrong with a message. An *Error wraps one of these and says where.
var (
	ErrTruncated    = errors.New("the message ends too early")
	ErrTooLong      = errors.New("longer than the dialect allows")
	ErrTrailing     = errors.New("bytes follow the last field; check the bitmap and the lengths")
	ErrUnknownType  = errors.New("the dialect has no such message type")
	ErrUnknownField = errors.New("the dialect has no such field")
	ErrDigit        = errors.New("not a decimal digit")
	ErrCharacter    = errors.New("a character outside the field's set")
	ErrPadding      = errors.New("padding that the dialect does not name")
	ErrLength       = errors.New("wrong length")
	ErrBitmap       = errors.New("bitmap that has a shorter form")
	ErrMissing      = errors.New("the message type requires this field")
	ErrNoMAC        = errors.New("the message carries no MAC")
	ErrValue        = errors.New("value out of range")
)

// Error says where a message is wrong, never what it holds: a message in a log
// must not leak a card.
type Error struct {
	Path string // "mti", "bitmap", "35", "60.2"
	Err  error
}

func (e *Error) Error() string { return fmt.Sprintf("iso8583 field %s: %v", e.Path, e.Err) }

// Unwrap gives the kind of fault.
func (e *Error) Unwrap() error { return e.Err }

func fieldError(n int, err error) error { return &Error{Path: fmt.Sprint(n), Err: err} }

func pathError(path string, err error) error { return &Error{Path: path, Err: err} }

package vpcd

import (
	"errors"
	"io"
	"net"
	"testing"

	"jiaozi/wire/apdu"
)

// calm is a card that agrees with everything.
type calm struct{}

func (calm) PowerOn() ([]byte, error) { return testATR, nil }
func (calm) PowerOff()                {}
func (calm) Transmit(apdu.Command) (apdu.Response, error) {
	return apdu.Response{SW: apdu.OK}, nil
}

// FuzzServe sends a card whatever a broken reader might: Serve ends when the
// line does, without panic and without calling the card broken.
func FuzzServe(f *testing.F) {
	f.Add([]byte{0, 1, 4, 0, 1, 1, 0, 5, 0x80, 0xCA, 0x9F, 0x36, 0x00, 0, 1, 0})
	f.Add([]byte{0, 0})
	f.Add([]byte{0xFF, 0xFF, 1})
	f.Add([]byte{0, 3, 1, 2, 3, 0, 1, 9})
	f.Fuzz(func(t *testing.T, b []byte) {
		ours, theirs := net.Pipe()
		go func() {
			_, _ = io.Copy(io.Discard, theirs)
		}()
		go func() {
			_, _ = theirs.Write(b)
			theirs.Close()
		}()
		if err := Serve(t.Context(), ours, calm{}); errors.Is(err, ErrCard) {
			t.Fatalf("a sound card was called broken: %v", err)
		}
	})
}

package observer

import (
	"crypto/hmac"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"strings"

	"jiaozi/value/must"
	"jiaozi/wire/apdu"
)

// Secret is 32 secret bytes: what a card's o1 and o2 come from, or the key by which
// a card knows its wallet. It shows only a check value; the zero Secret is none.
//
// The bytes lie behind two pointers, because fmt does not call methods of
// unexported fields and follows one pointer under some verbs.
type Secret struct{ b **[Size]byte }

// NewSecret takes 32 bytes that are not all zero.
func NewSecret(raw []byte) (Secret, error) {
	if len(raw) != Size || [Size]byte(raw) == [Size]byte{} {
		return Secret{}, fmt.Errorf("secret of %d bytes: it has %d, not all zero", len(raw), Size)
	}
	b := [Size]byte(raw)
	p := &b
	return Secret{&p}, nil
}

// DrawSecret makes a secret from randomness.
func DrawSecret(random io.Reader) (Secret, error) {
	var raw [Size]byte
	if _, err := io.ReadFull(random, raw[:]); err != nil {
		return Secret{}, fmt.Errorf("no randomness for a secret: %w", err)
	}
	return NewSecret(raw[:])
}

// IsZero reports whether there is no secret.
func (s Secret) IsZero() bool { return s.b == nil }

// Reveal gives the bytes. Search for its callers to see where they leave the type.
func (s Secret) Reveal() []byte {
	must.Hold(!s.IsZero(), "observer: use of a secret that is not there")
	return append([]byte(nil), (*s.b)[:]...)
}

// Equal compares in constant time.
func (s Secret) Equal(other Secret) bool {
	if s.IsZero() || other.IsZero() {
		return s.IsZero() == other.IsZero()
	}
	return subtle.ConstantTimeCompare((*s.b)[:], (*other.b)[:]) == 1
}

// String shows a check value, by which people can compare two secrets.
func (s Secret) String() string {
	if s.IsZero() {
		return "secret(none)"
	}
	sum := sha256.Sum256(append([]byte("jiaozi/observer/check/1"), (*s.b)[:]...))
	return "secret(" + strings.ToUpper(hex.EncodeToString(sum[:3])) + ")"
}

// Format is String under every verb, %x and %#v included.
func (s Secret) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, s.String()) }

// MarshalText is String, for JSON and every other text encoding.
func (s Secret) MarshalText() ([]byte, error) { return []byte(s.String()), nil }

// LogValue is String, for structured logs.
func (s Secret) LogValue() slog.Value { return slog.StringValue(s.String()) }

// MACBytes is the length of the MAC that ends a sealed command.
const MACBytes = 16

// ErrMAC: the command does not come from the wallet whose key this is.
var ErrMAC = errors.New("observer: the command is not sealed with this key")

// Seal makes the over-the-air form of a command: class ClaSealed, and behind the
// data the first half of HMAC-SHA-256 over a domain, the header and the data. There
// is no challenge in it: whoever plays a sealed command to the card again hears
// what the first one heard, and changes nothing.
func Seal(key Secret, c apdu.Command) apdu.Command {
	must.Hold(c.CLA == ClaPlain, "observer: seal a command of class %02X", c.CLA)
	c.CLA = ClaSealed
	m := mac(key, c)
	c.Data = append(append(make([]byte, 0, len(c.Data)+MACBytes), c.Data...), m[:]...)
	return c
}

// Unseal checks a sealed command and gives the plain one.
func Unseal(key Secret, c apdu.Command) (apdu.Command, error) {
	n := len(c.Data) - MACBytes
	if key.IsZero() || c.CLA != ClaSealed || n < 0 {
		return apdu.Command{}, ErrMAC
	}
	got := c.Data[n:]
	c.Data = c.Data[:n:n]
	want := mac(key, c)
	if !hmac.Equal(got, want[:]) {
		return apdu.Command{}, ErrMAC
	}
	c.CLA = ClaPlain
	if n == 0 {
		c.Data = nil
	}
	return c, nil
}

func mac(key Secret, c apdu.Command) [MACBytes]byte {
	h := hmac.New(sha256.New, key.Reveal())
	head := c.Header()
	h.Write([]byte("jiaozi/observer/seal/1"))
	h.Write(head[:])
	h.Write(c.Data)
	return [MACBytes]byte(h.Sum(nil))
}

package brands

import (
	"errors"
	"fmt"
	"io"

	"github.com/oasisprotocol/curve25519-voi/curve/scalar"
)

// secret is a number that nobody else may learn: it shows nothing, and is used by constant-time functions alone.
//
// The number lies behind two pointers, because fmt does not call methods of unexported fields and follows one pointer
// under some verbs. The zero secret is none.
type secret struct {
	masked
	k **scalar.Scalar
}

func seal(k *scalar.Scalar) secret { return secret{k: &k} }

// num gives the number for computing; callers keep no copy.
func (s secret) num() *scalar.Scalar { return *s.k }

// reveal gives the encoding, for sealed files.
func (s secret) reveal() [Size]byte { return open(*s.k).enc }

func (s secret) none() bool { return s.k == nil }

// masked, embedded, hides a value under every fmt verb, in JSON and in logs: slog asks for MarshalText. A LogValue of its
// own would link slog and encoding/json into every browser wallet.
type masked struct{}

const mask = "[secret]"

// String shows nothing.
func (masked) String() string { return mask }

// Format shows nothing under every verb.
func (masked) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, mask) }

// MarshalText shows nothing in JSON and other text.
func (masked) MarshalText() ([]byte, error) { return []byte(mask), nil }

// drawSecret takes 64 bytes of rand. Zero, which chance never gives, is a source that does not work.
func drawSecret(rand io.Reader) (secret, error) {
	var b [64]byte
	if _, err := io.ReadFull(rand, b[:]); err != nil {
		return secret{}, fmt.Errorf("draw a secret: %w", err)
	}
	k := wide(b[:])
	if k.Equal(new(scalar.Scalar)) == 1 {
		return secret{}, errors.New("draw a secret: the random source gives zeros")
	}
	return seal(k), nil
}

// parseSecret reads what reveal gave.
func parseSecret(b []byte) (secret, error) {
	if len(b) != Size {
		return secret{}, fmt.Errorf("secret of %d bytes, not %d: %w", len(b), Size, ErrEncoding)
	}
	k, err := scalar.NewFromCanonicalBytes(b)
	if err != nil {
		return secret{}, fmt.Errorf("secret is not below the group's order: %w", ErrEncoding)
	}
	return seal(k), nil
}

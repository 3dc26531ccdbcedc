// Package emvkey derives the keys of a PBOC chip card and computes with them:
// application cryptograms, issuer answers, script MACs and the MAC over the
// electronic-cash balance.
//
//	issuer master key --PAN, PSN--> card key (UDK) --ATC--> session key --> AC
//
// It promises that a Key shows only its check value in fmt, JSON and logs; the
// bytes are had through the loudly named Reveal alone. It knows neither tags
// nor messages: cryptogram versions differ in their data, which the caller
// builds, not in the computation. Start with NewKey, CardKey, Session and AC.
//
// The rules are EMV Book 2 annexes A1.2 and A1.4 for card keys and MACs; the
// session key, the issuer's answer under the session key and the balance MAC
// are PBOC 3.0 (JR/T 0025) as far as public implementations show it: the text
// of that standard was not at hand. SM4 cards come with a later issue.
package emvkey

import (
	"encoding/hex"
	"fmt"
	"io"
	"log/slog"
	"strings"

	"jiaozi/crypt/internal/tdes"
	"jiaozi/value/must"
)

// Size is the length of a key in bytes: two DES keys.
const Size = 16

// Key is a two-key triple-DES key, opaque and ready for use. It is immutable;
// copies share one schedule. The zero Key is no key and must not be used.
//
// The schedule lies behind two pointers, because fmt does not call methods of
// unexported fields and follows one pointer under some verbs.
type Key struct{ k **tdes.Key }

// NewKey takes 16 bytes. Parity is not checked: published master keys and
// session keys do not keep it.
func NewKey(raw []byte) (Key, error) {
	if len(raw) != Size {
		return Key{}, fmt.Errorf("card key of %d bytes: it has %d", len(raw), Size)
	}
	k, err := tdes.New(raw)
	if err != nil {
		return Key{}, fmt.Errorf("card key: %w", err)
	}
	return Key{&k}, nil
}

// IsZero reports whether there is no key.
func (k Key) IsZero() bool { return k.k == nil }

// KCV is the key check value: the first three bytes of zeros enciphered.
func (k Key) KCV() [3]byte {
	v := k.use().CheckValue()
	return [3]byte(v[:3])
}

// Reveal gives the key in the clear, for writing it into a card. Search for its
// callers to see every place where a card key leaves the type.
func (k Key) Reveal() []byte { return k.use().Bytes() }

// String shows the check value alone.
func (k Key) String() string {
	if k.IsZero() {
		return "key(none)"
	}
	v := k.KCV()
	return "key(" + strings.ToUpper(hex.EncodeToString(v[:])) + ")"
}

// Format is String under every verb, %x and %#v included.
func (k Key) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, k.String()) }

// MarshalText is String, for JSON and every other text encoding.
func (k Key) MarshalText() ([]byte, error) { return []byte(k.String()), nil }

// LogValue is String, for structured logs.
func (k Key) LogValue() slog.Value { return slog.StringValue(k.String()) }

func (k Key) use() *tdes.Key {
	must.Hold(k.k != nil, "use of a card key that was never set")
	return *k.k
}

// CardKeys are the three keys of one card.
type CardKeys struct {
	AC  Key // application cryptograms and the issuer's answer
	MAC Key // scripts and the balance in the issuer application data
	ENC Key // confidential script data
}

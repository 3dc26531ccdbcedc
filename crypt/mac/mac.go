// Package mac authenticates messages between terminals, acquirers and issuers.
//
//   - CMAC: AES-CMAC (NIST SP 800-38B), the default of this house.
//   - X919: ANSI X9.19, the retail MAC, for hosts that ask for it.
//   - CUPECB: the checksum of the older UnionPay POS dialect. It is NOT a MAC by
//     today's standard: it enciphers the exclusive-or of all blocks, so swapping
//     two 8-byte blocks, or flipping the same bits in two of them, keeps it
//     valid. It exists so that such terminals can be spoken to, under a profile
//     that says so; TestCUPECBAcceptsSwappedBlocks shows the forgery.
//
// Keys are opaque and mask themselves. The package computes and never compares:
// comparing is the vault's, in constant time.
package mac

import (
	"crypto/aes"
	"crypto/cipher"
	"encoding/hex"
	"fmt"
	"io"
	"log/slog"
	"strings"

	"jiaozi/crypt/internal/tdes"
	"jiaozi/value/must"
)

// DESKey is a single (8 bytes) or two-key triple (16 bytes) DES key.
//
// Keys lie behind two pointers, because fmt does not call methods of unexported
// fields and follows one pointer under some verbs.
type DESKey struct{ k **tdes.Key }

// NewDESKey takes 8 or 16 bytes.
func NewDESKey(raw []byte) (DESKey, error) {
	k, err := tdes.New(raw)
	if err != nil {
		return DESKey{}, fmt.Errorf("MAC key: %w", err)
	}
	return DESKey{&k}, nil
}

// String hides the key.
func (k DESKey) String() string { return "mac key(DES, hidden)" }

// Format is String under every verb.
func (k DESKey) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, k.String()) }

// MarshalText is String.
func (k DESKey) MarshalText() ([]byte, error) { return []byte(k.String()), nil }

// LogValue is String.
func (k DESKey) LogValue() slog.Value { return slog.StringValue(k.String()) }

func (k DESKey) use() *tdes.Key {
	must.Hold(k.k != nil, "use of a MAC key that was never set")
	return *k.k
}

// AESKey is an AES key with the two CMAC subkeys. It is immutable.
type AESKey struct{ k **aesKey }

type aesKey struct {
	block cipher.Block
	k1    [aes.BlockSize]byte // mixed into a last block that is whole
	k2    [aes.BlockSize]byte // mixed into a last block that was padded
}

// NewAESKey takes 16, 24 or 32 bytes.
func NewAESKey(raw []byte) (AESKey, error) {
	block, err := aes.NewCipher(raw)
	if err != nil {
		return AESKey{}, fmt.Errorf("MAC key of %d bytes: an AES key has 16, 24 or 32", len(raw))
	}
	k := &aesKey{block: block}
	block.Encrypt(k.k1[:], k.k1[:])
	k.k1 = double(k.k1)
	k.k2 = double(k.k1)
	return AESKey{&k}, nil
}

// String hides the key.
func (k AESKey) String() string { return "mac key(AES, hidden)" }

// Format is String under every verb.
func (k AESKey) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, k.String()) }

// MarshalText is String.
func (k AESKey) MarshalText() ([]byte, error) { return []byte(k.String()), nil }

// LogValue is String.
func (k AESKey) LogValue() slog.Value { return slog.StringValue(k.String()) }

func (k AESKey) use() *aesKey {
	must.Hold(k.k != nil, "use of a MAC key that was never set")
	return *k.k
}

// double multiplies by x in GF(2^128) without a branch on the secret
// (SP 800-38B, 5.3 and 6.1).
func double(in [aes.BlockSize]byte) (out [aes.BlockSize]byte) {
	var carry byte
	for i := len(in) - 1; i >= 0; i-- {
		out[i] = in[i]<<1 | carry
		carry = in[i] >> 7
	}
	out[len(out)-1] ^= carry * 0x87
	return out
}

// CMAC is AES-CMAC, all sixteen bytes; a field of eight takes the left half.
func CMAC(k AESKey, data []byte) [aes.BlockSize]byte {
	key := k.use()
	var h [aes.BlockSize]byte
	for ; len(data) > aes.BlockSize; data = data[aes.BlockSize:] {
		xor(h[:], data[:aes.BlockSize])
		key.block.Encrypt(h[:], h[:])
	}
	xor(h[:], data)
	if len(data) == aes.BlockSize {
		xor(h[:], key.k1[:])
	} else {
		h[len(data)] ^= 0x80
		xor(h[:], key.k2[:])
	}
	key.block.Encrypt(h[:], h[:])
	return h
}

// X919 is ANSI X9.19 with zero padding; under an 8-byte key it is X9.9.
func X919(k DESKey, data []byte) [8]byte {
	padded := make([]byte, (len(data)+7)/8*8)
	copy(padded, data)
	return k.use().Retail(padded)
}

// CUPECB is the checksum of field 64 in the older UnionPay POS dialect: eight
// upper-case hex characters. See the package comment before using it.
func CUPECB(k DESKey, data []byte) [8]byte {
	hexed := []byte(strings.ToUpper(hex.EncodeToString(fold(data))))
	t := k.use().Encrypt([8]byte(hexed[:8]))
	xor(t[:], hexed[8:])
	u := k.use().Encrypt(t)
	return [8]byte([]byte(strings.ToUpper(hex.EncodeToString(u[:4]))))
}

// fold is the exclusive-or of all 8-byte blocks, the last one filled with zeros.
func fold(data []byte) []byte {
	x := make([]byte, 8)
	for i, b := range data {
		x[i%8] ^= b
	}
	return x
}

// xor mixes src into the front of dst.
func xor(dst, src []byte) {
	for i, b := range src {
		dst[i] ^= b
	}
}

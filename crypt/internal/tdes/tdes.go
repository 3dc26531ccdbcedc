// Package tdes is two-key triple DES for the rooms of crypt that still need it:
// card keys, terminal PIN keys and the legacy message authentication codes.
//
// A Key holds two single-DES schedules instead of the three that crypto/des
// builds for EDE2, because key setup is the cost of triple DES and card keys
// are set up once per cryptogram. The retail MAC needs the two halves anyway.
// An 8-byte key is taken as both halves, which is single DES.
//
// The package is internal: outside crypt nobody may encrypt or decrypt a block
// of its own choice. The block cipher is crypto/des, whose S-boxes are table
// look-ups; an attacker who shares the processor's cache is not defended
// against (SECURITY.md says so).
package tdes

import (
	"crypto/cipher"
	"crypto/des"
	"fmt"
	"io"
	"math/bits"
)

// BlockSize is the DES block in bytes.
const BlockSize = 8

// Key is a key ready for use. It is immutable and safe for concurrent use.
type Key struct {
	raw         []byte
	left, right cipher.Block
}

// New takes an 8 or 16-byte key. Parity bits are kept but not looked at.
func New(raw []byte) (*Key, error) {
	if len(raw) != BlockSize && len(raw) != 2*BlockSize {
		return nil, fmt.Errorf("DES key of %d bytes: it has 8 or 16", len(raw))
	}
	k := &Key{raw: append([]byte(nil), raw...)}
	k.left = half(raw[:BlockSize])
	k.right = k.left
	if len(raw) == 2*BlockSize {
		k.right = half(raw[BlockSize:])
	}
	return k, nil
}

func half(raw []byte) cipher.Block {
	b, err := des.NewCipher(raw)
	if err != nil {
		panic("tdes: an 8-byte half is always a DES key: " + err.Error())
	}
	return b
}

// SetOddParity sets the lowest bit of each byte so that its ones are odd in
// number, as DES keys carry it.
func SetOddParity(raw []byte) {
	for i, b := range raw {
		if bits.OnesCount8(b)%2 == 0 {
			raw[i] = b ^ 1
		}
	}
}

// Bytes gives a copy of the key.
func (k *Key) Bytes() []byte { return append([]byte(nil), k.raw...) }

// Encrypt enciphers one block (EDE).
func (k *Key) Encrypt(block [BlockSize]byte) [BlockSize]byte {
	b := block[:]
	k.left.Encrypt(b, b)
	k.right.Decrypt(b, b)
	k.left.Encrypt(b, b)
	return block
}

// Decrypt deciphers one block (DED).
func (k *Key) Decrypt(block [BlockSize]byte) [BlockSize]byte {
	b := block[:]
	k.left.Decrypt(b, b)
	k.right.Encrypt(b, b)
	k.left.Decrypt(b, b)
	return block
}

// Retail is ISO/IEC 9797-1 MAC algorithm 3 over data that the caller padded to
// whole blocks: single DES in CBC under the left half, then triple DES once.
func (k *Key) Retail(padded []byte) [BlockSize]byte {
	if len(padded)%BlockSize != 0 {
		panic("tdes: retail MAC over a broken block")
	}
	var h [BlockSize]byte
	for ; len(padded) > 0; padded = padded[BlockSize:] {
		for i := range h {
			h[i] ^= padded[i]
		}
		k.left.Encrypt(h[:], h[:])
	}
	k.right.Decrypt(h[:], h[:])
	k.left.Encrypt(h[:], h[:])
	return h
}

// CheckValue is the block of zeros enciphered; its first three or four bytes
// name the key without revealing it.
func (k *Key) CheckValue() [BlockSize]byte { return k.Encrypt([BlockSize]byte{}) }

// Format hides the key under every verb.
func (k *Key) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, "key(hidden)") }

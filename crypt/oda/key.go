package oda

import (
	"bytes"
	"crypto/sha1"
	"fmt"
	"math/big"

	"jiaozi/value/clock"
)

// Sizes of EMV RSA keys in bytes (EMV Book 2, 12.2.1 sets the ceiling; the
// floor is ours: shorter keys have been factored).
const (
	minModulus = 1024 / 8
	maxModulus = 1984 / 8
)

// PublicKey is an RSA public key, both numbers big-endian without leading
// zeros.
type PublicKey struct{ Modulus, Exponent []byte }

// Equal compares both numbers.
func (k PublicKey) Equal(o PublicKey) bool {
	return bytes.Equal(k.Modulus, o.Modulus) && bytes.Equal(k.Exponent, o.Exponent)
}

// Check refuses keys outside EMV's and our bounds: 1024 to 1984 bits in whole
// bytes, odd, exponent 3 or 65537 (EMV Book 2, B2.1).
func (k PublicKey) Check() error {
	n := len(k.Modulus)
	if n < minModulus || n > maxModulus || k.Modulus[0]&0x80 == 0 {
		return fmt.Errorf("RSA modulus is not of %d to %d bits in whole bytes", minModulus*8, maxModulus*8)
	}
	if k.Modulus[n-1]&1 == 0 {
		return fmt.Errorf("RSA modulus is even")
	}
	if !validExponent(k.Exponent) {
		return fmt.Errorf("RSA exponent is neither 3 nor 65537")
	}
	return nil
}

func validExponent(e []byte) bool {
	return bytes.Equal(e, []byte{3}) || bytes.Equal(e, []byte{1, 0, 1})
}

// raw is the public operation. Nothing in it is secret, so math/big serves.
// The caller has checked the key; the block has the length of the modulus.
func (k PublicKey) raw(block []byte) ([]byte, error) {
	n := new(big.Int).SetBytes(k.Modulus)
	x := new(big.Int).SetBytes(block)
	if x.Cmp(n) >= 0 {
		return nil, fmt.Errorf("signed block is not below the modulus")
	}
	x.Exp(x, new(big.Int).SetBytes(k.Exponent), n)
	return x.FillBytes(make([]byte, len(k.Modulus))), nil
}

// CAKey is a certification authority's public key as a terminal stores it.
type CAKey struct {
	RID      [5]byte
	Index    byte
	Modulus  []byte
	Exponent []byte
	Expiry   clock.Date // zero: the scheme set no date
}

// Public gives the key without its name.
func (k CAKey) Public() PublicKey { return PublicKey{k.Modulus, k.Exponent} }

// Checksum is the SHA-1 over RID, index, modulus and exponent by which schemes
// publish their keys (EMV Book 2, 11.2.2). It guards against typing errors, not
// against an attacker.
func (k CAKey) Checksum() [sha1.Size]byte {
	h := sha1.New()
	h.Write(k.RID[:])
	h.Write([]byte{k.Index})
	h.Write(k.Modulus)
	h.Write(k.Exponent)
	return [sha1.Size]byte(h.Sum(nil))
}

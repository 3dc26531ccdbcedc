package vault

import (
	"crypto/cipher"
	"crypto/subtle"
	"encoding/binary"
	"fmt"

	"jiaozi/crypt/internal/tdes"
)

// wrapper protects a 16-byte working key under a terminal master key.
type wrapper interface {
	wrap(raw []byte) []byte
	unwrap(wrapped []byte) ([]byte, error)
}

// workingSize is the length of every working key.
const workingSize = 16

// wrap in ECB binds neither the halves to one another nor the key to its use:
// this is the compatibility profile.
func (k *desKey) wrap(raw []byte) []byte { return ecb(raw, k.key.Encrypt) }

func (k *desKey) unwrap(wrapped []byte) ([]byte, error) {
	if len(wrapped) != workingSize {
		return nil, fmt.Errorf("wrapped key of %d bytes: it has %d", len(wrapped), workingSize)
	}
	return ecb(wrapped, k.key.Decrypt), nil
}

func ecb(in []byte, step func([tdes.BlockSize]byte) [tdes.BlockSize]byte) []byte {
	out := make([]byte, 0, len(in))
	for ; len(in) > 0; in = in[tdes.BlockSize:] {
		block := step([tdes.BlockSize]byte(in[:tdes.BlockSize]))
		out = append(out, block[:]...)
	}
	return out
}

// integrity is the initial value of RFC 3394, 2.2.3.1: it comes back only if no
// bit of the wrapped key was altered.
const (
	integrity  = 0xA6A6A6A6A6A6A6A6
	wrapRounds = 6
)

// wrap is the AES key wrap of RFC 3394.
func (k *aesKey) wrap(raw []byte) []byte {
	const n = workingSize / 8
	out := make([]byte, 8+workingSize)
	copy(out[8:], raw)
	a := uint64(integrity)
	for t := 1; t <= wrapRounds*n; t++ {
		a = wrapStep(k.block, a, out[8*((t-1)%n+1):][:8]) ^ uint64(t)
	}
	binary.BigEndian.PutUint64(out, a)
	return out
}

func wrapStep(block cipher.Block, a uint64, r []byte) uint64 {
	var b [16]byte
	binary.BigEndian.PutUint64(b[:], a)
	copy(b[8:], r)
	block.Encrypt(b[:], b[:])
	copy(r, b[8:])
	return binary.BigEndian.Uint64(b[:])
}

func (k *aesKey) unwrap(wrapped []byte) ([]byte, error) {
	if len(wrapped) != workingSize+8 {
		return nil, fmt.Errorf("wrapped key of %d bytes: it has %d", len(wrapped), workingSize+8)
	}
	const n = workingSize / 8
	out := append([]byte(nil), wrapped[8:]...)
	a := binary.BigEndian.Uint64(wrapped)
	for t := wrapRounds * n; t >= 1; t-- {
		a = unwrapStep(k.block, a^uint64(t), out[8*((t-1)%n):][:8])
	}
	var got, want [8]byte
	binary.BigEndian.PutUint64(got[:], a)
	binary.BigEndian.PutUint64(want[:], integrity)
	if subtle.ConstantTimeCompare(got[:], want[:]) != 1 {
		return nil, ErrKCV
	}
	return out, nil
}

func unwrapStep(block cipher.Block, a uint64, r []byte) uint64 {
	var b [16]byte
	binary.BigEndian.PutUint64(b[:], a)
	copy(b[8:], r)
	block.Decrypt(b[:], b[:])
	copy(r, b[8:])
	return binary.BigEndian.Uint64(b[:])
}

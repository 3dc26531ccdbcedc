package brands

import (
	"crypto/hmac"
	"crypto/sha512"
	"encoding/binary"
	"encoding/hex"
	"hash"

	"github.com/oasisprotocol/curve25519-voi/curve/scalar"
)

// Every hash and every derived secret starts with this and a name of its own, so that no value computed for one purpose
// means anything for another.
const domain = "jiaozi/brands/1/"

// Digest is 32 bytes of a hash.
type Digest [32]byte

// String gives the digest in hexadecimal.
func (d Digest) String() string { return hex.EncodeToString(d[:]) }

// MarshalText is String.
func (d Digest) MarshalText() ([]byte, error) { return []byte(d.String()), nil }

// A transcript is what a hash covers: parts behind their lengths, so that no two lists of parts read the same.
type transcript []byte

func begin(name string) transcript {
	return make(transcript, 0, 512).add([]byte(domain + name))
}

// add is called, not copied into all its callers: that would make a browser's wallet 9 kB larger, gzipped.
//
//go:noinline
func (t transcript) add(part []byte) transcript {
	return append(binary.BigEndian.AppendUint32(t, uint32(len(part))), part...)
}

func (t transcript) uint(n uint64) transcript {
	return t.add(binary.BigEndian.AppendUint64(nil, n))
}

// challenge hashes to a number of 252 bits. The order is 2^252 and a little: only one number in 2^127 is never drawn, and
// none needs reducing.
func (t transcript) challenge() Scalar {
	sum := sha512.Sum512(t)
	c := Scalar{[Size]byte(sum[:])}
	c.enc[Size-1] &= 0x0f
	return c
}

func (t transcript) digest() Digest {
	sum := sha512.Sum512(t)
	return Digest(sum[:32])
}

// A prf is the pseudo-random function HMAC-SHA-512 under one key. Being a function it cannot be printed.
type prf func(t transcript) secret

// newPRF hashes the key once for all that will be derived from it.
func newPRF(key []byte) prf {
	mac := hmac.New(sha512.New, key)
	mac.Reset() // keeps the states of both hashes behind the key
	keyed := mac.(hash.Cloner)
	return func(t transcript) secret {
		mac, err := keyed.Clone()
		if err != nil {
			panic(err) // every hash of the standard library can be cloned
		}
		mac.Write(t)
		var sum [64]byte
		return seal(wide(mac.Sum(sum[:0])))
	}
}

func wide(b []byte) *scalar.Scalar {
	k, err := scalar.NewFromBytesModOrderWide(b)
	if err != nil {
		panic(err) // always 64 bytes
	}
	return k
}

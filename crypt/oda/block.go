package oda

import (
	"bytes"
	"crypto/sha1"
	"crypto/subtle"
)

// Framing of a signed block (EMV Book 2, A2.1): 6A, content, SHA-1, BC.
const (
	header     = 0x6A
	trailer    = 0xBC
	pad        = 0xBB
	frame      = 2 + sha1.Size
	formatIss  = 0x02
	formatICC  = 0x04
	formatSDAD = 0x05
	algSHA1    = 0x01
	algRSA     = 0x01
)

// sign makes the block 6A content hash BC over content and what follows it
// outside the block, and applies the private key. The content fills the block.
func sign(k PrivateKey, content []byte, outside ...[]byte) ([]byte, error) {
	block := make([]byte, 0, k.Size())
	block = append(block, header)
	block = append(block, content...)
	sum := digest(content, outside)
	block = append(block, sum[:]...)
	block = append(block, trailer)
	return k.use().raw(block)
}

// open applies the public key to a signed block and gives content and hash
// after the framing was checked. The hash is checked by the caller, who knows
// what lies outside.
func open(object string, k PublicKey, signed []byte, format byte) (content, hash []byte, err error) {
	if k.Check() != nil {
		return nil, nil, refuse(object, BadKey)
	}
	if len(signed) != len(k.Modulus) {
		return nil, nil, refuse(object, BadLength)
	}
	block, err := k.raw(signed)
	if err != nil {
		return nil, nil, refuse(object, NotRecovered)
	}
	last := len(block) - 1
	if block[0] != header || block[1] != format || block[last] != trailer {
		return nil, nil, refuse(object, NotRecovered)
	}
	return block[1 : last-sha1.Size], block[last-sha1.Size : last], nil
}

func digest(content []byte, outside [][]byte) [sha1.Size]byte {
	h := sha1.New()
	h.Write(content)
	for _, b := range outside {
		h.Write(b)
	}
	return [sha1.Size]byte(h.Sum(nil))
}

func hashFits(hash, content []byte, outside ...[]byte) bool {
	sum := digest(content, outside)
	return subtle.ConstantTimeCompare(hash, sum[:]) == 1
}

// filled reports whether b is nothing but BB.
func filled(b []byte) bool { return bytes.Count(b, []byte{pad}) == len(b) }

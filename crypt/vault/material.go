package vault

import (
	"bytes"
	"crypto/aes"
	"crypto/cipher"
	"crypto/ed25519"
	"crypto/hmac"
	"crypto/sha256"
	"errors"

	"jiaozi/crypt/emvkey"
	"jiaozi/crypt/internal/tdes"
	"jiaozi/crypt/mac"
	"jiaozi/crypt/oda"
)

// material is a key ready for use. All forms are pointers: fmt, which follows
// unexported fields without asking them, prints an address.
type material interface {
	checkValue() []byte // at least four bytes
}

type (
	cardMaster struct{ key emvkey.Key }
	desKey     struct{ key *tdes.Key }
	aesKey     struct {
		block cipher.Block
		cmac  mac.AESKey
	}
	cupMAC struct {
		key mac.DESKey
		des *tdes.Key
	}
	cmacKey struct{ key mac.AESKey }
	hmacKey struct{ raw []byte }
	signer  struct{ key ed25519.PrivateKey }
	rsaKey  struct{ key oda.PrivateKey }
)

func loadCardMaster(raw []byte) (material, error) {
	k, err := emvkey.NewKey(raw)
	return &cardMaster{k}, err
}

func loadDES(raw []byte) (material, error) {
	k, err := tdes.New(raw)
	return &desKey{k}, err
}

func loadCUPMAC(raw []byte) (material, error) {
	k, err := mac.NewDESKey(raw)
	if err != nil {
		return nil, err
	}
	des, err := tdes.New(raw)
	return &cupMAC{k, des}, err
}

func loadAES(raw []byte) (material, error) {
	k, err := mac.NewAESKey(raw)
	if err != nil {
		return nil, err
	}
	block, err := aes.NewCipher(raw)
	return &aesKey{block, k}, err
}

func loadCMAC(raw []byte) (material, error) {
	k, err := mac.NewAESKey(raw)
	return &cmacKey{k}, err
}

func loadHMAC(raw []byte) (material, error) {
	return &hmacKey{append([]byte(nil), raw...)}, nil
}

func loadSigner(raw []byte) (material, error) {
	return &signer{ed25519.NewKeyFromSeed(raw)}, nil
}

// loadRSA also insists that the DER is the one way of writing the key, so that a
// sealed vault has one form.
func loadRSA(raw []byte) (material, error) {
	if len(raw) > maxMaterial {
		return nil, errors.New("an RSA key is not that long")
	}
	k, err := oda.Parse(raw)
	if err != nil {
		return nil, err
	}
	if !bytes.Equal(k.Reveal(), raw) {
		return nil, errors.New("RSA private key is not in canonical PKCS#8 DER")
	}
	return &rsaKey{k}, nil
}

func (k *cardMaster) checkValue() []byte { v := k.key.KCV(); return append(v[:], 0) }
func (k *desKey) checkValue() []byte     { v := k.key.CheckValue(); return v[:4] }
func (k *cupMAC) checkValue() []byte     { v := k.des.CheckValue(); return v[:4] }

// checkValue of an AES key is the CMAC of a block of zeros (ANSI X9.24-1:2017,
// annex A): enciphered zeros would give away part of a CMAC subkey.
func (k *aesKey) checkValue() []byte {
	v := mac.CMAC(k.cmac, make([]byte, aes.BlockSize))
	return v[:4]
}
func (k *cmacKey) checkValue() []byte {
	v := mac.CMAC(k.key, make([]byte, aes.BlockSize))
	return v[:4]
}

func (k *hmacKey) checkValue() []byte { return k.sum("jiaozi key check v1")[:4] }

func (k *signer) checkValue() []byte {
	sum := sha256.Sum256(k.key.Public().(ed25519.PublicKey))
	return sum[:4]
}

func (k *rsaKey) checkValue() []byte {
	sum := sha256.Sum256(k.key.Public().Modulus)
	return sum[:4]
}

// sum is HMAC-SHA-256 over a domain and parts of at most 255 bytes, each with its
// length before it, so that no two lists of parts run into one another.
func (k *hmacKey) sum(domain string, parts ...[]byte) []byte {
	h := hmac.New(sha256.New, k.raw)
	for _, part := range append([][]byte{[]byte(domain)}, parts...) {
		h.Write([]byte{byte(len(part))})
		h.Write(part)
	}
	return h.Sum(nil)
}

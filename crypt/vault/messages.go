package vault

import (
	"crypto/ed25519"
	"crypto/subtle"
	"errors"
	"strings"

	"jiaozi/crypt/mac"
)

// MAC authenticates a message between terminal and host or between institutions.
// The algorithm belongs to the key: the CUP-ECB checksum under TAKCUP, AES-CMAC
// cut to eight bytes under TAKSecure and ZAK.
func (v *Vault) MAC(h Handle, data []byte) ([8]byte, error) {
	k, err := use[authenticator](v, h, TAKCUP, TAKSecure, ZAK)
	if err != nil {
		return [8]byte{}, err
	}
	return k.mac(data), nil
}

// VerifyMAC reports whether mac is the MAC of data. A MAC of the wrong length is
// a wrong MAC, not a fault.
func (v *Vault) VerifyMAC(h Handle, data, mac []byte) (bool, error) {
	want, err := v.MAC(h, data)
	if err != nil {
		return false, err
	}
	return subtle.ConstantTimeCompare(want[:], mac) == 1, nil
}

// authenticator is a key that makes field 64 or 128.
type authenticator interface {
	material
	mac(data []byte) [8]byte
}

func (k *cupMAC) mac(data []byte) [8]byte { return mac.CUPECB(k.key, data) }

func (k *cmacKey) mac(data []byte) [8]byte {
	full := mac.CMAC(k.key, data)
	return [8]byte(full[:8])
}

// ErrDomain says that a message is not of the kind its caller claimed.
var ErrDomain = errors.New("the message does not begin with its domain; sign the whole message from its magic on")

// Sign makes an Ed25519 signature over msg, verifiable by anyone with Public.
// The message must begin with domain, the magic of its format: whoever asks for
// a list to be signed cannot be tricked into signing a settlement.
func (v *Vault) Sign(h Handle, domain string, msg []byte) ([]byte, error) {
	k, err := use[*signer](v, h, Signing)
	if err != nil {
		return nil, err
	}
	if domain == "" || !strings.HasPrefix(string(msg[:min(len(msg), len(domain))]), domain) {
		return nil, about(h, ErrDomain)
	}
	return ed25519.Sign(k.key, msg), nil
}

// Public gives the public half of a signing key.
func (v *Vault) Public(h Handle) (ed25519.PublicKey, error) {
	k, err := use[*signer](v, h, Signing)
	if err != nil {
		return nil, err
	}
	return k.key.Public().(ed25519.PublicKey), nil
}

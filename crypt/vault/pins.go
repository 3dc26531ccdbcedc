package vault

import (
	"crypto/subtle"

	"jiaozi/crypt/pin"
	"jiaozi/value/ident"
)

// EncryptPIN makes the PIN block of field 52 at the terminal: ISO 9564-1 format 0
// under the terminal's PIN key.
func (v *Vault) EncryptPIN(tpk Handle, p pin.PIN, pan ident.PAN) ([8]byte, error) {
	k, err := use[*desKey](v, tpk, TPK)
	if err != nil {
		return [8]byte{}, err
	}
	if err := present(p, pan); err != nil {
		return [8]byte{}, err
	}
	return k.key.Encrypt(pin.Format0(p, pan)), nil
}

// TranslatePIN moves a PIN block from a terminal's or institution's PIN key to an
// institution's. The card number stays: a block cannot be moved to another card.
func (v *Vault) TranslatePIN(from, to Handle, block [8]byte, pan ident.PAN) ([8]byte, error) {
	out, err := use[*desKey](v, to, ZPK)
	if err != nil {
		return [8]byte{}, err
	}
	p, err := v.openPIN(from, block, pan)
	if err != nil {
		return [8]byte{}, err
	}
	return out.key.Encrypt(pin.Format0(p, pan)), nil
}

// SetPIN makes the reference by which the issuer verifies a PIN later: a keyed
// hash of PIN and PAN. It is of no use without the key, but PINs are few: with the
// key they can be tried, so the reference is kept like one.
func (v *Vault) SetPIN(pvk Handle, p pin.PIN, pan ident.PAN) ([]byte, error) {
	k, err := use[*hmacKey](v, pvk, PVK)
	if err != nil {
		return nil, err
	}
	if err := present(p, pan); err != nil {
		return nil, err
	}
	return k.reference(p, pan), nil
}

// VerifyPIN reports whether the block holds the PIN that made ref. A block that
// does not open (pin.ErrBlock) is an error: it says nothing about the PIN and must
// not cost the cardholder a try.
func (v *Vault) VerifyPIN(zpk Handle, block [8]byte, pan ident.PAN, pvk Handle, ref []byte) (bool, error) {
	k, err := use[*hmacKey](v, pvk, PVK)
	if err != nil {
		return false, err
	}
	p, err := v.openPIN(zpk, block, pan)
	if err != nil {
		return false, err
	}
	return subtle.ConstantTimeCompare(k.reference(p, pan), ref) == 1, nil
}

// openPIN is the one place where a PIN block is deciphered.
func (v *Vault) openPIN(h Handle, block [8]byte, pan ident.PAN) (pin.PIN, error) {
	k, err := use[*desKey](v, h, TPK, ZPK)
	if err != nil {
		return pin.PIN{}, err
	}
	if pan.IsZero() {
		return pin.PIN{}, ErrNoPAN
	}
	p, err := pin.ParseFormat0(k.key.Decrypt(block), pan)
	if err != nil {
		return pin.PIN{}, about(h, err)
	}
	return p, nil
}

func (k *hmacKey) reference(p pin.PIN, pan ident.PAN) []byte {
	return k.sum("jiaozi pin reference v1", []byte(pan.Reveal()), []byte(p.Reveal()))
}

func present(p pin.PIN, pan ident.PAN) error {
	if p.IsZero() {
		return pin.ErrPIN
	}
	if pan.IsZero() {
		return ErrNoPAN
	}
	return nil
}

package vault

import (
	"crypto/subtle"
	"fmt"
)

// Profile is how a terminal and its host protect keys and messages.
type Profile uint8

// Profiles.
const (
	CUP    Profile = 1 // 3DES, ECB wrapping, CUP-ECB checksum: compatibility only
	Secure Profile = 2 // AES, RFC 3394 wrapping, AES-CMAC
)

// ParseProfile reads "cup" or "secure".
func ParseProfile(s string) (Profile, error) {
	for _, p := range []Profile{CUP, Secure} {
		if p.String() == s {
			return p, nil
		}
	}
	return 0, fmt.Errorf("terminal profile is neither cup nor secure")
}

// String names the profile.
func (p Profile) String() string {
	switch p {
	case CUP:
		return "cup"
	case Secure:
		return "secure"
	default:
		return fmt.Sprintf("profile(%d)", uint8(p))
	}
}

// Master is the purpose of the terminal master key under this profile.
func (p Profile) Master() Purpose {
	if p == CUP {
		return TMKCUP
	}
	return TMKSecure
}

// MACKey is the purpose of the terminal's MAC key under this profile.
func (p Profile) MACKey() Purpose {
	if p == CUP {
		return TAKCUP
	}
	return TAKSecure
}

// WorkingKeys are a terminal's keys of the day as they travel at sign-on: each
// wrapped under the terminal's master key, with its check value. The PIN key is
// two-key 3DES under both profiles, because field 52 has room for one DES block.
type WorkingKeys struct {
	TPK, TAK       []byte
	TPKKCV, TAKKCV [4]byte
}

// IssueWorkingKeys makes new keys at the host, keeps them under tpk and tak in
// place of older ones, and gives them wrapped for the terminal.
func (v *Vault) IssueWorkingKeys(tmk, tpk, tak Handle, p Profile) (WorkingKeys, error) {
	w, err := v.wrapper(tmk, p)
	if err != nil {
		return WorkingKeys{}, err
	}
	v.mu.Lock()
	defer v.mu.Unlock()
	pinKey, err := v.random(TPK)
	if err != nil {
		return WorkingKeys{}, about(tpk, err)
	}
	macKey, err := v.random(p.MACKey())
	if err != nil {
		return WorkingKeys{}, about(tak, err)
	}
	if err := v.replace(tpk, pinKey, tak, macKey); err != nil {
		return WorkingKeys{}, err
	}
	return WorkingKeys{
		TPK: w.wrap(pinKey.raw), TPKKCV: [4]byte(pinKey.key.checkValue()),
		TAK: w.wrap(macKey.raw), TAKKCV: [4]byte(macKey.key.checkValue()),
	}, nil
}

// AcceptWorkingKeys unwraps keys at the terminal and keeps them under tpk and tak.
// If either fails its check (ErrKCV) both old keys stay: sign on again.
func (v *Vault) AcceptWorkingKeys(tmk, tpk, tak Handle, p Profile, keys WorkingKeys) error {
	w, err := v.wrapper(tmk, p)
	if err != nil {
		return err
	}
	pinKey, err := v.unwrap(w, TPK, keys.TPK, keys.TPKKCV)
	if err != nil {
		return about(tpk, err)
	}
	macKey, err := v.unwrap(w, p.MACKey(), keys.TAK, keys.TAKKCV)
	if err != nil {
		return about(tak, err)
	}
	v.mu.Lock()
	defer v.mu.Unlock()
	return v.replace(tpk, pinKey, tak, macKey)
}

func (v *Vault) unwrap(w wrapper, p Purpose, wrapped []byte, kcv [4]byte) (*entry, error) {
	raw, err := w.unwrap(wrapped)
	if err != nil {
		return nil, err
	}
	e, err := v.newEntry(p, raw)
	if err != nil {
		return nil, err
	}
	if subtle.ConstantTimeCompare(e.key.checkValue(), kcv[:]) != 1 {
		return nil, ErrKCV
	}
	return e, nil
}

// replace stores both keys or none. It never turns a key into one of another
// purpose. The caller holds the lock.
func (v *Vault) replace(tpk Handle, pinKey *entry, tak Handle, macKey *entry) error {
	if tpk == tak {
		return about(tpk, ErrExists)
	}
	if err := v.replaceable(tpk, pinKey); err != nil {
		return err
	}
	if err := v.replaceable(tak, macKey); err != nil {
		return err
	}
	v.keys[tpk], v.keys[tak] = pinKey, macKey
	return nil
}

func (v *Vault) replaceable(h Handle, e *entry) error {
	old := v.keys[h]
	if old == nil {
		return v.room(h)
	}
	if old.purpose != e.purpose {
		return about(h, ErrPurpose)
	}
	return nil
}

// wrapper finds the master key for a profile.
func (v *Vault) wrapper(tmk Handle, p Profile) (wrapper, error) {
	switch p {
	case CUP:
		return use[*desKey](v, tmk, TMKCUP)
	case Secure:
		return use[*aesKey](v, tmk, TMKSecure)
	default:
		return nil, fmt.Errorf("there is no terminal %s", p)
	}
}

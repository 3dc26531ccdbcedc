package vault

import (
	"crypto/subtle"
	"sync"

	"jiaozi/crypt/emvkey"
	"jiaozi/value/ident"
)

// KeySet names an issuer's three master keys.
type KeySet struct{ AC, MAC, ENC Handle }

// PersonaliseCard derives the keys that are written into one card.
func (v *Vault) PersonaliseCard(set KeySet, pan ident.PAN, psn ident.PSN) (emvkey.CardKeys, error) {
	var keys emvkey.CardKeys
	var err error
	if keys.AC, err = v.cardKey(set.AC, IMKAC, pan, psn); err != nil {
		return emvkey.CardKeys{}, err
	}
	if keys.MAC, err = v.cardKey(set.MAC, IMKMAC, pan, psn); err != nil {
		return emvkey.CardKeys{}, err
	}
	if keys.ENC, err = v.cardKey(set.ENC, IMKENC, pan, psn); err != nil {
		return emvkey.CardKeys{}, err
	}
	return keys, nil
}

// VerifyAC reports whether a card made this application cryptogram over data.
func (v *Vault) VerifyAC(ac Handle, pan ident.PAN, psn ident.PSN, atc uint16, data []byte, cryptogram [8]byte) (bool, error) {
	sk, err := v.session(ac, IMKAC, pan, psn, atc)
	if err != nil {
		return false, err
	}
	want := emvkey.AC(sk, data)
	return subtle.ConstantTimeCompare(want[:], cryptogram[:]) == 1, nil
}

// RespondARQC makes the issuer's answer to a request cryptogram. Verify the
// cryptogram first: the answer tells the card that the issuer believed it.
func (v *Vault) RespondARQC(ac Handle, pan ident.PAN, psn ident.PSN, atc uint16, arqc [8]byte, arc [2]byte) ([8]byte, error) {
	sk, err := v.session(ac, IMKAC, pan, psn, atc)
	if err != nil {
		return [8]byte{}, err
	}
	return emvkey.ARPC(sk, arqc, arc), nil
}

// ScriptMAC authenticates an issuer script command that answers this ARQC.
func (v *Vault) ScriptMAC(mac Handle, pan ident.PAN, psn ident.PSN, header [5]byte, atc uint16, arqc [8]byte, data []byte) ([4]byte, error) {
	sk, err := v.session(mac, IMKMAC, pan, psn, atc)
	if err != nil {
		return [4]byte{}, err
	}
	return emvkey.ScriptMAC(sk, header, atc, arqc, data), nil
}

// VerifyBalance reports whether a card authenticated this electronic-cash balance
// in its issuer application data.
func (v *Vault) VerifyBalance(mac Handle, pan ident.PAN, psn ident.PSN, atc uint16, value [5]byte, mac4 [4]byte) (bool, error) {
	sk, err := v.session(mac, IMKMAC, pan, psn, atc)
	if err != nil {
		return false, err
	}
	want := emvkey.BalanceMAC(sk, atc, value)
	return subtle.ConstantTimeCompare(want[:], mac4[:]) == 1, nil
}

// CardRef gives a card's pseudonym: equal for equal PAN and PSN, and not to be
// computed by anyone without the key, though PANs are few enough to be tried.
func (v *Vault) CardRef(h Handle, pan ident.PAN, psn ident.PSN) (ident.CardRef, error) {
	k, err := use[*hmacKey](v, h, Pseudonym)
	if err != nil {
		return ident.CardRef{}, err
	}
	if pan.IsZero() {
		return ident.CardRef{}, ErrNoPAN
	}
	sum := k.sum("jiaozi card reference v1", []byte(pan.Reveal()), []byte{byte(psn)})
	return ident.CardRef(sum[:16]), nil
}

func (v *Vault) session(h Handle, p Purpose, pan ident.PAN, psn ident.PSN, atc uint16) (emvkey.Key, error) {
	udk, err := v.cardKey(h, p, pan, psn)
	if err != nil {
		return emvkey.Key{}, err
	}
	return emvkey.Session(udk, atc), nil
}

func (v *Vault) cardKey(h Handle, p Purpose, pan ident.PAN, psn ident.PSN) (emvkey.Key, error) {
	master, err := use[*cardMaster](v, h, p)
	if err != nil {
		return emvkey.Key{}, err
	}
	if pan.IsZero() {
		return emvkey.Key{}, ErrNoPAN
	}
	return v.cards.get(cardID{master, pan, psn}), nil
}

// cardCache keeps derived card keys, because setting up a triple-DES key costs
// more than the cryptogram made with it. Two generations bound it: when the young
// one is full it becomes the old one, and what was old is dropped.
type cardCache struct {
	mu         sync.Mutex
	young, old map[cardID]emvkey.Key
}

// cardID names a derived key by the master key itself, not by its handle, so that
// a handle used again never meets keys of its predecessor.
type cardID struct {
	master *cardMaster
	pan    ident.PAN
	psn    ident.PSN
}

// generation is how many card keys one generation holds, about 1 MB.
const generation = 2048

func (c *cardCache) get(id cardID) emvkey.Key {
	if k, ok := c.look(id); ok {
		return k
	}
	k := emvkey.CardKey(id.master.key, id.pan, id.psn)
	c.mu.Lock()
	defer c.mu.Unlock()
	c.keep(id, k)
	return k
}

func (c *cardCache) look(id cardID) (emvkey.Key, bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if k, ok := c.young[id]; ok {
		return k, true
	}
	k, ok := c.old[id]
	if ok {
		c.keep(id, k)
	}
	return k, ok
}

func (c *cardCache) keep(id cardID, k emvkey.Key) {
	if len(c.young) >= generation {
		c.old, c.young = c.young, nil
	}
	if c.young == nil {
		c.young = make(map[cardID]emvkey.Key)
	}
	c.young[id] = k
}

func (c *cardCache) clear() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.young, c.old = nil, nil
}

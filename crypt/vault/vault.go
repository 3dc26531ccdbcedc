// Package vault is the only holder of clear keys and the only place where a PIN
// block is opened. Everyone else holds a Handle, a name, and asks for a verb of
// purpose: verify this cryptogram and answer it, translate this PIN, MAC this,
// sign that. There is no verb "encrypt" or "decrypt".
//
// It promises:
//   - a key is used for the purpose it was imported for, and no other;
//   - keys rest sealed with age, in one canonical bounded form (Seal, Open);
//   - published test keys, weak DES keys and keys of a simple pattern are refused,
//     unless the vault was made for a test scheme; that mark is sealed with the
//     keys, and opening the vault differently is refused;
//   - no error, log line, JSON or fmt verb shows a key, a PIN or a full PAN;
//   - cryptograms, MACs, check values and PINs are compared in constant time;
//   - a Vault may be used from many goroutines.
//
// What it does not promise: it is software in the process of its caller, a seam
// where an HSM fits, not an HSM. Keys lie in this process's memory, which Go does
// not let us wipe with certainty, and crypto/des is not constant time.
//
// Two verbs do let keys out, each by its nature: PersonaliseCard gives a card's
// own keys to whoever writes the card, and IssueWorkingKeys gives keys wrapped
// under the terminal's master key. Start with New or Open, then Generate.
package vault

import (
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"strings"
	"sync"

	"jiaozi/crypt/internal/tdes"
	"jiaozi/crypt/oda"
	"jiaozi/value/must"
)

// Handle names a key: 1 to 64 letters, digits and -._:/ characters.
type Handle string

// Options of a vault.
type Options struct {
	Test bool      // a test scheme: published keys are welcome
	Rand io.Reader // source of new keys; nil is the machine's. RSA keys ignore it.
}

// Errors on which a caller acts.
var (
	ErrNoKey    = errors.New("there is no key under this handle; generate or import it first")
	ErrPurpose  = errors.New("the key under this handle was made for another purpose")
	ErrExists   = errors.New("there is a key under this handle already; remove it first")
	ErrTestKey  = errors.New("this is a published, weak or patterned key; use a random one, or mark the scheme as a test")
	ErrTestMark = errors.New("test and production are mixed up: the vault was sealed as the other kind")
	ErrKCV      = errors.New("key check value does not fit: the key was altered or wrapped under another master key")
	ErrNoPAN    = errors.New("there is no card number")
)

// Vault holds keys. Make one with New or Open.
type Vault struct {
	test  bool
	mu    sync.RWMutex
	keys  map[Handle]*entry
	rand  io.Reader
	cards *cardCache // a pointer: it holds card numbers, which fmt must not reach
}

// entry is one key; it never changes once stored.
type entry struct {
	purpose Purpose
	raw     []byte // as sealed
	key     material
}

// New makes an empty vault.
func New(o Options) *Vault {
	if o.Rand == nil {
		o.Rand = rand.Reader
	}
	return &Vault{test: o.Test, keys: map[Handle]*entry{}, rand: o.Rand, cards: &cardCache{}}
}

// Test reports whether the vault belongs to a test scheme.
func (v *Vault) Test() bool { return v.test }

// Format shows how many keys there are, and none of them.
func (v *Vault) Format(f fmt.State, _ rune) {
	v.mu.RLock()
	defer v.mu.RUnlock()
	_, _ = fmt.Fprintf(f, "vault(%d keys, test %t)", len(v.keys), v.test)
}

// Has reports whether there is a key under h.
func (v *Vault) Has(h Handle) bool {
	v.mu.RLock()
	defer v.mu.RUnlock()
	return v.keys[h] != nil
}

// KCV gives the check value by which people compare keys without seeing them.
func (v *Vault) KCV(h Handle) ([3]byte, error) {
	v.mu.RLock()
	e := v.keys[h]
	v.mu.RUnlock()
	if e == nil {
		return [3]byte{}, about(h, ErrNoKey)
	}
	check := e.key.checkValue()
	return [3]byte(check[:3]), nil
}

// Remove forgets the key under h, and card keys derived from it.
func (v *Vault) Remove(h Handle) error {
	v.mu.Lock()
	defer v.mu.Unlock()
	if v.keys[h] == nil {
		return about(h, ErrNoKey)
	}
	delete(v.keys, h)
	v.cards.clear()
	return nil
}

// Import stores a key given in the clear: a component ceremony, a terminal's
// master key, a key of a partner. RSA keys are PKCS#8 DER, signing keys the
// 32-byte Ed25519 seed, coin keys what Seal keeps of them (coins.go).
func (v *Vault) Import(h Handle, p Purpose, clear []byte) error {
	e, err := v.newEntry(p, clear)
	if err != nil {
		return about(h, err)
	}
	return v.add(h, e)
}

// ImportRSA stores a certification key.
func (v *Vault) ImportRSA(h Handle, p Purpose, k oda.PrivateKey) error {
	return v.Import(h, p, k.Reveal())
}

// Generate makes a random key.
func (v *Vault) Generate(h Handle, p Purpose) error {
	v.mu.Lock()
	defer v.mu.Unlock()
	e, err := v.random(p)
	if err != nil {
		return about(h, err)
	}
	return v.addLocked(h, e)
}

// GenerateRSA makes a certification key of the given size.
func (v *Vault) GenerateRSA(h Handle, p Purpose, bits int) error {
	if !p.isRSA() {
		return about(h, ErrPurpose)
	}
	k, err := oda.Generate(bits)
	if err != nil {
		return about(h, err)
	}
	return v.ImportRSA(h, p, k)
}

func (v *Vault) add(h Handle, e *entry) error {
	v.mu.Lock()
	defer v.mu.Unlock()
	return v.addLocked(h, e)
}

func (v *Vault) addLocked(h Handle, e *entry) error {
	if v.keys[h] != nil {
		return about(h, ErrExists)
	}
	if err := v.room(h); err != nil {
		return err
	}
	v.keys[h] = e
	return nil
}

// room checks a new handle. Two keys may enter at once: the bound leaves a place.
func (v *Vault) room(h Handle) error {
	if err := h.check(); err != nil {
		return err
	}
	if len(v.keys) >= maxKeys-1 {
		return fmt.Errorf("the vault is full with %d keys; remove some first", len(v.keys))
	}
	return nil
}

// newEntry checks a key's form and that it may be used here.
func (v *Vault) newEntry(p Purpose, raw []byte) (*entry, error) {
	key, err := p.load(raw)
	if err != nil {
		return nil, err
	}
	if !v.test && published(raw, key) {
		return nil, ErrTestKey
	}
	return &entry{purpose: p, raw: append([]byte(nil), raw...), key: key}, nil
}

// random makes a key of purpose p; the caller holds the lock, because a reader
// that a test supplies need not be safe for concurrent use.
func (v *Vault) random(p Purpose) (*entry, error) {
	size := p.generated()
	if size == 0 {
		return nil, fmt.Errorf("keys of purpose %s are not made of random bytes; use GenerateRSA or GenerateCoin", p)
	}
	raw := make([]byte, size)
	if _, err := io.ReadFull(v.rand, raw); err != nil {
		return nil, fmt.Errorf("no randomness for a key: %w", err)
	}
	if p.isDES() {
		tdes.SetOddParity(raw)
	}
	return v.newEntry(p, raw)
}

// use finds the key under h for a verb that is allowed these purposes.
func use[M material](v *Vault, h Handle, allowed ...Purpose) (M, error) {
	var none M
	v.mu.RLock()
	e := v.keys[h]
	v.mu.RUnlock()
	if e == nil {
		return none, about(h, ErrNoKey)
	}
	for _, p := range allowed {
		if e.purpose == p {
			key, ok := e.key.(M)
			must.Hold(ok, "a key of purpose %s has another form", p)
			return key, nil
		}
	}
	return none, about(h, ErrPurpose)
}

func about(h Handle, err error) error { return fmt.Errorf("key %q: %w", clip(h), err) }

func clip(h Handle) Handle {
	if len(h) > maxHandle {
		return h[:maxHandle] + "..."
	}
	return h
}

const (
	maxHandle = 64
	maxKeys   = 1 << 18
	alphabet  = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-._:/"
)

func (h Handle) check() error {
	if len(h) == 0 || len(h) > maxHandle || strings.Trim(string(h), alphabet) != "" {
		return errors.New("a key handle has 1 to 64 letters, digits and -._:/ characters")
	}
	return nil
}

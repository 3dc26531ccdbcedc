package vault

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"

	"filippo.io/age"
)

// The sealed form is an age file around this, all numbers big-endian:
//
//	"JZVAULT1" test(1) count(4) { handle-length(1) handle purpose(1) length(2) key }
//
// Handles ascend strictly, nothing follows the last key, and each key has one way
// of being written, so equal vaults have equal clear forms.
const (
	magic       = "JZVAULT1"
	maxMaterial = 2048      // an RSA key of 1984 bits takes some 1200
	maxSealed   = 128 << 20 // a vault full of working keys takes some 25 MB
)

// ErrSealed says that a vault file opened but does not hold a vault.
var ErrSealed = errors.New("vault file is damaged or of another version; restore it from a backup")

// Seal writes all keys and the test mark, readable to the recipient alone.
func (v *Vault) Seal(to age.Recipient) ([]byte, error) {
	var out bytes.Buffer
	w, err := age.Encrypt(&out, to)
	if err != nil {
		return nil, fmt.Errorf("seal vault: %w", err)
	}
	if _, err := w.Write(v.encode()); err != nil {
		return nil, fmt.Errorf("seal vault: %w", err)
	}
	if err := w.Close(); err != nil {
		return nil, fmt.Errorf("seal vault: %w", err)
	}
	return out.Bytes(), nil
}

// Open reads what Seal wrote. The options must say test exactly if the vault was
// sealed as a test vault (ErrTestMark otherwise): the mark cannot be changed.
func Open(sealed []byte, id age.Identity, o Options) (*Vault, error) {
	r, err := age.Decrypt(bytes.NewReader(sealed), id)
	if foreign := new(age.NoIdentityMatchError); errors.As(err, &foreign) {
		return nil, fmt.Errorf("open vault: this key does not fit the file, or the file is damaged: %w", err)
	}
	if err != nil {
		return nil, fmt.Errorf("open vault: %w: %w", ErrSealed, err)
	}
	clear, err := io.ReadAll(io.LimitReader(r, maxSealed+1))
	if err != nil {
		return nil, fmt.Errorf("open vault: %w: %w", ErrSealed, err)
	}
	v := New(o)
	if err := v.decode(clear); err != nil {
		return nil, fmt.Errorf("open vault: %w", err)
	}
	return v, nil
}

func (v *Vault) encode() []byte {
	v.mu.RLock()
	defer v.mu.RUnlock()
	out := append([]byte(magic), markOf(v.test))
	out = binary.BigEndian.AppendUint32(out, uint32(len(v.keys)))
	for _, h := range slices.Sorted(maps.Keys(v.keys)) {
		e := v.keys[h]
		out = append(out, byte(len(h)))
		out = append(out, h...)
		out = append(out, byte(e.purpose))
		out = binary.BigEndian.AppendUint16(out, uint16(len(e.raw)))
		out = append(out, e.raw...)
	}
	return out
}

func markOf(test bool) byte {
	if test {
		return 1
	}
	return 0
}

// decode fills an empty vault and checks every key as Import does.
func (v *Vault) decode(clear []byte) error {
	if len(clear) > maxSealed {
		return ErrSealed
	}
	r := reader{rest: clear}
	if string(r.take(len(magic))) != magic {
		return ErrSealed
	}
	mark, count := r.byte(), r.number(4)
	if r.bad || mark > 1 || count > maxKeys {
		return ErrSealed
	}
	if mark != markOf(v.test) {
		return ErrTestMark
	}
	last := Handle("")
	for range count {
		h := Handle(r.take(int(r.byte())))
		purpose := Purpose(r.byte())
		raw := r.take(r.number(2))
		if r.bad || h <= last || h.check() != nil || len(raw) > maxMaterial {
			return ErrSealed
		}
		if err := v.Import(h, purpose, raw); err != nil {
			return fmt.Errorf("%w (%w)", ErrSealed, err)
		}
		last = h
	}
	if len(r.rest) != 0 {
		return ErrSealed
	}
	return nil
}

// reader takes bytes from the front; once it ran short, it stays bad.
type reader struct {
	rest []byte
	bad  bool
}

func (r *reader) take(n int) []byte {
	if r.bad || n > len(r.rest) {
		r.bad = true
		return nil
	}
	out := r.rest[:n]
	r.rest = r.rest[n:]
	return out
}

func (r *reader) byte() byte { return byte(r.number(1)) }

func (r *reader) number(n int) int {
	out := 0
	for _, b := range r.take(n) {
		out = out<<8 | int(b)
	}
	return out
}

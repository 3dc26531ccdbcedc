package walletfile

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"

	"filippo.io/age"
)

const (
	magic = "JZWALLET1\n"
	// maxSealedKey bounds the sealed file key: age's header and 74 characters.
	maxSealedKey = 4 << 10
	// maxFile adds age's 16 bytes for every 64 KiB to the largest state.
	maxFile = int64(len(magic) + 4 + maxSealedKey + MaxState + 64<<10)

	// DefaultCost is age's own choice: the base-2 logarithm of scrypt's work, about
	// a second and 256 MiB.
	DefaultCost = 18
	// maxCost bounds the work that a file may demand of whoever opens it.
	maxCost = 20
)

// Secret is what opens a wallet file: a passphrase or a key file's identity. It
// is shown by nothing and compared with nothing.
type Secret struct{ s **secret }

type secret struct {
	passphrase string
	cost       int
	identity   *age.X25519Identity
}

// Passphrase makes a secret of a text. Cost is the base-2 logarithm of scrypt's
// work for files that it seals, DefaultCost in earnest and small in tests.
func Passphrase(text string, cost int) (Secret, error) {
	if text == "" {
		return Secret{}, errors.New("the passphrase is empty: choose one, or use a key file")
	}
	if cost < 1 || cost > maxCost {
		return Secret{}, fmt.Errorf("scrypt cost %d: it is 1 to %d, %d in earnest", cost, maxCost, DefaultCost)
	}
	s := &secret{passphrase: text, cost: cost}
	return Secret{&s}, nil
}

// Key makes a secret of a key file's identity.
func Key(id *age.X25519Identity) Secret {
	s := &secret{identity: id}
	return Secret{&s}
}

// Format shows nothing under every verb.
func (Secret) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, "secret(hidden)") }

// MarshalText is for JSON and logs, and shows nothing.
func (Secret) MarshalText() ([]byte, error) { return []byte("secret(hidden)"), nil }

func (s Secret) use() (*secret, error) {
	if s.s == nil {
		return nil, errors.New("no passphrase and no key was given")
	}
	return *s.s, nil
}

func (s Secret) recipient() (age.Recipient, error) {
	in, err := s.use()
	if err != nil || in.identity != nil {
		if err != nil {
			return nil, err
		}
		return in.identity.Recipient(), nil
	}
	to, err := age.NewScryptRecipient(in.passphrase)
	if err != nil {
		return nil, fmt.Errorf("passphrase: %w", err)
	}
	to.SetWorkFactor(in.cost)
	return to, nil
}

func (s Secret) reader() (age.Identity, error) {
	in, err := s.use()
	if err != nil || in.identity != nil {
		if err != nil {
			return nil, err
		}
		return in.identity, nil
	}
	id, err := age.NewScryptIdentity(in.passphrase)
	if err != nil {
		return nil, fmt.Errorf("passphrase: %w", err)
	}
	id.SetMaxWorkFactor(maxCost)
	return id, nil
}

// seal puts the file key under the secret.
func (s Secret) seal(key *age.X25519Identity) ([]byte, error) {
	to, err := s.recipient()
	if err != nil {
		return nil, err
	}
	return encrypt([]byte(key.String()), to)
}

func (s Secret) unseal(sealed []byte) (*age.X25519Identity, error) {
	id, err := s.reader()
	if err != nil {
		return nil, err
	}
	text, err := decrypt(sealed, id)
	if err != nil {
		return nil, err
	}
	key, err := age.ParseX25519Identity(string(text))
	if err != nil {
		return nil, ErrDamaged // the library's error may quote the key
	}
	return key, nil
}

// Seal gives the file form of a state, for a backup that is kept elsewhere.
func Seal(state []byte, s Secret) ([]byte, error) {
	key, err := age.GenerateX25519Identity()
	if err != nil {
		return nil, fmt.Errorf("make the backup's key: %w", err)
	}
	sealed, err := s.seal(key)
	if err != nil {
		return nil, err
	}
	return join(sealed, state, key)
}

// Unseal reads what Seal or a File has written.
func Unseal(b []byte, s Secret) ([]byte, error) {
	sealed, body, err := part(b)
	if err != nil {
		return nil, err
	}
	key, err := s.unseal(sealed)
	if err != nil {
		return nil, err
	}
	return openState(body, key)
}

func join(sealed, state []byte, key *age.X25519Identity) ([]byte, error) {
	if len(state) > MaxState {
		return nil, fmt.Errorf("a wallet state of %d bytes, at most %d: deposit old coins first", len(state), MaxState)
	}
	body, err := encrypt(state, key.Recipient())
	if err != nil {
		return nil, err
	}
	out := binary.BigEndian.AppendUint32([]byte(magic), uint32(len(sealed)))
	return append(append(out, sealed...), body...), nil
}

// part finds the sealed key and the sealed state.
func part(b []byte) (sealed, body []byte, err error) {
	rest, ok := bytes.CutPrefix(b, []byte(magic))
	if !ok || len(rest) < 4 {
		return nil, nil, ErrDamaged
	}
	n := binary.BigEndian.Uint32(rest)
	if n > maxSealedKey || int(n) > len(rest)-4 {
		return nil, nil, ErrDamaged
	}
	return rest[4 : 4+n], rest[4+n:], nil
}

func openState(body []byte, key *age.X25519Identity) ([]byte, error) {
	state, err := decrypt(body, key)
	if errors.Is(err, ErrForeign) {
		return nil, ErrDamaged // the secret fitted; it is the file that does not fit itself
	}
	return state, err
}

func encrypt(plain []byte, to age.Recipient) ([]byte, error) {
	var out bytes.Buffer
	w, err := age.Encrypt(&out, to)
	if err != nil {
		return nil, fmt.Errorf("seal the wallet: %w", err)
	}
	_, _ = w.Write(plain) // into a buffer; Close reports what age could not do
	if err := w.Close(); err != nil {
		return nil, fmt.Errorf("seal the wallet: %w", err)
	}
	return out.Bytes(), nil
}

func decrypt(sealed []byte, id age.Identity) ([]byte, error) {
	r, err := age.Decrypt(bytes.NewReader(sealed), id)
	if noMatch := (*age.NoIdentityMatchError)(nil); errors.As(err, &noMatch) {
		return nil, ErrForeign
	}
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrDamaged, err)
	}
	plain, err := io.ReadAll(io.LimitReader(r, MaxState+1))
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrDamaged, err)
	}
	if len(plain) > MaxState {
		return nil, ErrDamaged
	}
	return plain, nil
}

package node

import (
	"fmt"
	"io"
	"os"
	"path/filepath"
	"sync"

	"jiaozi/crypt/oda/testkeys"
	"jiaozi/crypt/vault"
	"jiaozi/node/durable"
	"jiaozi/value/ident"

	"filippo.io/age"
)

// The keys of a scheme, by the name of the hand that uses them.
const (
	keyAC        vault.Handle = "issuer/imk-ac"
	keyMAC       vault.Handle = "issuer/imk-mac"
	keyENC       vault.Handle = "issuer/imk-enc"
	keyPVK       vault.Handle = "issuer/pvk"
	keyIssuerRSA vault.Handle = "issuer/rsa"
	keyIssuer    vault.Handle = "issuer/sign"
	keyList      vault.Handle = "issuer/list"
	keyAcquirer  vault.Handle = "acquirer/sign"
	keyClearing  vault.Handle = "clearing/sign"
	keyMint      vault.Handle = "mint/sign"
	keyCA        vault.Handle = "scheme/ca"
	keyBook      vault.Handle = "scheme/book" // checkpoints
	keyPseudonym vault.Handle = "scheme/pseudonym"
	keyZPK       vault.Handle = "zone/pin"
	keyZAK       vault.Handle = "zone/mac"
)

// RSA sizes of a scheme made here: the certificate of each level fits the
// signature of the level above, and each record fits 254 bytes.
const (
	caBits     = 1984
	issuerBits = 1408
)

var symmetricKeys = map[vault.Handle]vault.Purpose{
	keyAC: vault.IMKAC, keyMAC: vault.IMKMAC, keyENC: vault.IMKENC, keyPVK: vault.PVK,
	keyIssuer: vault.Signing, keyList: vault.Signing, keyAcquirer: vault.Signing, keyClearing: vault.Signing,
	keyBook: vault.Signing, keyMint: vault.Signing, keyPseudonym: vault.Pseudonym, keyZPK: vault.ZPK, keyZAK: vault.ZAK,
}

// terminal key handles; the host and the terminal each have their own vault.
func tmk(tid ident.TID) vault.Handle { return vault.Handle("tmk/" + tid) }
func tpk(tid ident.TID) vault.Handle { return vault.Handle("tpk/" + tid) }
func tak(tid ident.TID) vault.Handle { return vault.Handle("tak/" + tid) }

// safe is a vault in a sealed file. Every verb that changes keys saves the file
// before it returns, so that no key is handed out that a crash would forget.
type safe struct {
	*vault.Vault
	mu   sync.Mutex
	path string
	to   age.Recipient
}

func (s *safe) save() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	sealed, err := s.Seal(s.to)
	if err != nil {
		return fmt.Errorf("seal vault: %w", err)
	}
	return durable.WriteFile(s.path, sealed, 0o600)
}

// IssueWorkingKeys makes a terminal's keys and keeps them before they leave.
func (s *safe) IssueWorkingKeys(tmk, tpk, tak vault.Handle, p vault.Profile) (vault.WorkingKeys, error) {
	keys, err := s.Vault.IssueWorkingKeys(tmk, tpk, tak, p)
	if err != nil {
		return keys, err
	}
	return keys, s.save()
}

// AcceptWorkingKeys takes a terminal's keys and keeps them before they are used.
func (s *safe) AcceptWorkingKeys(tmk, tpk, tak vault.Handle, p vault.Profile, keys vault.WorkingKeys) error {
	if err := s.Vault.AcceptWorkingKeys(tmk, tpk, tak, p, keys); err != nil {
		return err
	}
	return s.save()
}

// Import stores a key and keeps it.
func (s *safe) Import(h vault.Handle, p vault.Purpose, clear []byte) error {
	if err := s.Vault.Import(h, p, clear); err != nil {
		return err
	}
	return s.save()
}

func openSafe(path string, id *age.X25519Identity, test bool) (*safe, error) {
	sealed, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("read vault: %w", err)
	}
	v, err := vault.Open(sealed, id, vault.Options{Test: test})
	if err != nil {
		return nil, fmt.Errorf("vault %s: %w", filepath.Base(path), err)
	}
	return &safe{Vault: v, path: path, to: id.Recipient()}, nil
}

// newSchemeVault makes all keys of a scheme. A seeded scheme draws them from the
// seed and takes stored RSA test keys, because RSA generation ignores the seed.
func newSchemeVault(test bool, rand io.Reader, stored bool) (*vault.Vault, error) {
	v := vault.New(vault.Options{Test: test, Rand: rand})
	for _, h := range sortedKeys(symmetricKeys) {
		if err := v.Generate(h, symmetricKeys[h]); err != nil {
			return nil, fmt.Errorf("make keys: %w", err)
		}
	}
	if stored {
		return v, storedRSA(v)
	}
	if err := v.GenerateRSA(keyCA, vault.RSACA, caBits); err != nil {
		return nil, fmt.Errorf("make keys: %w", err)
	}
	if err := v.GenerateRSA(keyIssuerRSA, vault.RSAIssuer, issuerBits); err != nil {
		return nil, fmt.Errorf("make keys: %w", err)
	}
	return v, nil
}

func storedRSA(v *vault.Vault) error {
	if err := v.ImportRSA(keyCA, vault.RSACA, testkeys.CA()); err != nil {
		return fmt.Errorf("make keys: %w", err)
	}
	if err := v.ImportRSA(keyIssuerRSA, vault.RSAIssuer, testkeys.Issuer()); err != nil {
		return fmt.Errorf("make keys: %w", err)
	}
	return nil
}

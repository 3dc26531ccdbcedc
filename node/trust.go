package node

import (
	"bytes"
	"crypto/ed25519"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"

	"jiaozi/crypt/oda"
	"jiaozi/crypt/vault"
	"jiaozi/node/durable"
	"jiaozi/value/clock"
)

// Trust is what terminals are given to believe in: the scheme's public keys.
// It is kept as trust.json and holds no secret.
type Trust struct {
	CA   []CAKey `json:"ca"`
	List []byte  `json:"list"` // Ed25519 key that signs blacklists
}

// CAKey is the public key of a card certification authority, as people and
// terminals' download messages know it.
type CAKey struct {
	RID      []byte     `json:"rid"`
	Index    byte       `json:"index"`
	Modulus  []byte     `json:"modulus"`
	Exponent []byte     `json:"exponent"`
	Expiry   clock.Date `json:"expiry"`
	Checksum []byte     `json:"checksum"` // SHA-1 as EMV defines it, for people to compare
}

func newCAKey(k oda.CAKey) CAKey {
	sum := k.Checksum()
	return CAKey{RID: k.RID[:], Index: k.Index, Modulus: k.Modulus, Exponent: k.Exponent, Expiry: k.Expiry, Checksum: sum[:]}
}

// caYears is how long the certification key of a new scheme is valid.
const caYears = 10

// newTrust collects the public keys of a new scheme.
func newTrust(s *Scheme, v *vault.Vault, today clock.Date) (*Trust, error) {
	aid, err := s.aid()
	if err != nil {
		return nil, err
	}
	ca, err := v.RSAPublic(keyCA)
	if err != nil {
		return nil, fmt.Errorf("trusted keys: %w", err)
	}
	listKey, err := v.Public(keyList)
	if err != nil {
		return nil, fmt.Errorf("trusted keys: %w", err)
	}
	key := oda.CAKey{RID: aid.RID(), Index: s.CA, Modulus: ca.Modulus, Exponent: ca.Exponent, Expiry: today.AddDays(365 * caYears)}
	return &Trust{CA: []CAKey{newCAKey(key)}, List: listKey}, nil
}

func (t *Trust) caKeys() []oda.CAKey {
	out := make([]oda.CAKey, len(t.CA))
	for i, k := range t.CA {
		out[i] = oda.CAKey{RID: [5]byte(k.RID), Index: k.Index, Modulus: k.Modulus, Exponent: k.Exponent, Expiry: k.Expiry}
	}
	return out
}

func (t *Trust) check() error {
	if len(t.List) != ed25519.PublicKeySize {
		return fmt.Errorf("trust.json: the blacklist key has %d bytes, not %d", len(t.List), ed25519.PublicKeySize)
	}
	for _, k := range t.CA {
		if len(k.RID) != 5 {
			return fmt.Errorf("trust.json: a registered provider has %d bytes, not 5", len(k.RID))
		}
	}
	for i, k := range t.caKeys() {
		if sum := k.Checksum(); !bytes.Equal(sum[:], t.CA[i].Checksum) {
			return fmt.Errorf("%w: trust.json: certification key %02X does not fit its checksum", ErrIntegrity, k.Index)
		}
	}
	return nil
}

func trustPath(dir string) string { return filepath.Join(dir, "trust.json") }

func loadTrust(dir string) (*Trust, error) {
	raw, err := os.ReadFile(trustPath(dir))
	if err != nil {
		return nil, fmt.Errorf("read trusted keys: %w", err)
	}
	if len(raw) > maxSchemeFile {
		return nil, fmt.Errorf("trust.json has %d bytes, at most %d", len(raw), maxSchemeFile)
	}
	var t Trust
	dec := json.NewDecoder(bytes.NewReader(raw))
	dec.DisallowUnknownFields()
	if err := dec.Decode(&t); err != nil {
		return nil, fmt.Errorf("trust.json: %w", err)
	}
	return &t, t.check()
}

func (t *Trust) save(dir string) error {
	raw, err := json.MarshalIndent(t, "", "  ")
	if err != nil {
		return fmt.Errorf("write trusted keys: %w", err)
	}
	return durable.WriteFile(trustPath(dir), append(raw, '\n'), 0o644)
}

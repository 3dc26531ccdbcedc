package vault

import (
	"bytes"
	"errors"
	"fmt"

	"jiaozi/crypt/brands"
)

// coinKey signs coins. It is sealed as
//
//	secret(32) public key, with what it stands for and its proof
//
// so that the description can never part from the key.
type coinKey struct{ key *brands.PrivateKey }

// loadCoin insists that the public half is the one that belongs to the secret.
func loadCoin(raw []byte) (material, error) {
	if len(raw) <= brands.Size || len(raw) > maxMaterial {
		return nil, errors.New("a coin key has a secret of 32 bytes and its public key")
	}
	public, err := brands.ParsePublicKey(raw[brands.Size:])
	if err != nil {
		return nil, fmt.Errorf("the public half of a coin key: %w", err)
	}
	key, err := brands.ParsePrivateKey(public.Info(), raw[:brands.Size])
	if err != nil {
		return nil, err
	}
	if !bytes.Equal(key.Public().Append(nil), raw[brands.Size:]) {
		return nil, errors.New("the halves of a coin key do not belong together")
	}
	return &coinKey{key}, nil
}

func (k *coinKey) checkValue() []byte {
	id := k.key.Public().ID()
	return id[:4]
}

// GenerateCoin makes a random key for what info says.
func (v *Vault) GenerateCoin(h Handle, info brands.KeyInfo) error {
	v.mu.Lock()
	defer v.mu.Unlock()
	key, err := brands.GenerateKey(info, v.rand)
	if err != nil {
		return about(h, err)
	}
	secret := key.Bytes()
	e, err := v.newEntry(CoinKey, key.Public().Append(secret[:]))
	if err != nil {
		return about(h, err)
	}
	return v.addLocked(h, e)
}

// CoinPublic gives the public half of a coin key, with what it stands for.
func (v *Vault) CoinPublic(h Handle) (*brands.PublicKey, error) {
	k, err := use[*coinKey](v, h, CoinKey)
	if err != nil {
		return nil, err
	}
	return k.key.Public(), nil
}

// CoinCommit opens a session of an account. The same session has the same
// commitment, so nothing is stored. With an observer in the account's card the
// commitment also holds the account's image under the key.
func (v *Vault) CoinCommit(h Handle, session brands.Digest, account brands.Element, card bool) (brands.Commitment, error) {
	k, err := use[*coinKey](v, h, CoinKey)
	if err != nil {
		return brands.Commitment{}, err
	}
	if card {
		return k.key.CommitForCard(session, account), nil
	}
	return k.key.Commit(session, account), nil
}

// CoinRespond answers a challenge. The vault keeps no memory of sessions: the
// caller must have written down, durably and first, that this challenge is the one
// that this session answers. Two challenges answered under one session give the
// key away; package mint is the only caller.
func (v *Vault) CoinRespond(h Handle, session brands.Digest, account brands.Element, c brands.Scalar) (brands.Scalar, error) {
	k, err := use[*coinKey](v, h, CoinKey)
	if err != nil {
		return brands.Scalar{}, err
	}
	return k.key.Respond(session, account, c), nil
}

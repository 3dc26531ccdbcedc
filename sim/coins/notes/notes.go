// Package notes is a person with divisible notes, honest or not, for stories and
// random histories: role/wallet keeps coins only.
//
// A Holder opens an account at the mint as a wallet does, withdraws notes, and pays
// any amount from one, in pieces. It keeps nothing on a disk and begins nothing that
// it could not end at once, so it may be used where losing it loses pretended money.
// What it is really for is the cheat: Note.Copy forgets what the original pays, and
// paying one node twice names whoever does it.
//
// Start with New, Enrol, Withdraw; then Note.Pay answers a request of any wallet.
package notes

import (
	"context"
	"crypto/ed25519"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"slices"

	"jiaozi/crypt/brands"
	"jiaozi/value/clock"
	"jiaozi/value/money"
	"jiaozi/wire/coin"
)

// Mint carries messages to the mint; what wallets use does.
type Mint interface {
	Keys(ctx context.Context) ([]byte, error)
	Do(ctx context.Context, request []byte) ([]byte, error)
}

// ErrRefused: the mint or the request does not allow it; the text says why.
var ErrRefused = errors.New("refused")

// Holder is a person with an account and notes.
type Holder struct {
	mint    Mint
	clock   clock.Clock
	rand    io.Reader
	network brands.Network
	keys    map[brands.KeyID]*brands.PublicKey
	holder  *brands.Holder
	factors brands.Digest
	auth    ed25519.PrivateKey
	serial  uint64
}

// New asks the mint for its keys and makes a holder of a seed: the same seed is the
// same person.
func New(ctx context.Context, mint Mint, clk clock.Clock, rand io.Reader, seed [32]byte) (*Holder, error) {
	b, err := mint.Keys(ctx)
	if err != nil {
		return nil, fmt.Errorf("ask for keys: %w", err)
	}
	published, err := coin.Parse[coin.Keys](b)
	if err != nil {
		return nil, fmt.Errorf("ask for keys: %w", err)
	}
	h := &Holder{mint: mint, clock: clk, rand: rand, network: published.Network, keys: map[brands.KeyID]*brands.PublicKey{}}
	for _, raw := range published.Keys {
		key, err := brands.ParsePublicKey(raw)
		if err != nil {
			return nil, fmt.Errorf("read the mint's keys: %w", err)
		}
		if key.Info().Kind == brands.KindNote {
			h.keys[key.ID()] = key
		}
	}
	part := func(name string) [32]byte { return sha256.Sum256(append([]byte(name), seed[:]...)) }
	auth := part("auth")
	h.holder, h.factors, h.auth = brands.NewHolder(part("holder"), h.network), part("factors"), ed25519.NewKeyFromSeed(auth[:])
	return h, nil
}

// Identity is the holder's number, which a proof of guilt names.
func (h *Holder) Identity() [32]byte { return h.holder.Identity().Bytes() }

// ask sends a signed message and reads the answer, which must be of one type.
func ask[T any, M interface {
	*T
	coin.Message
}](ctx context.Context, h *Holder, body coin.Message) (*T, error) {
	h.serial++
	m := &coin.Signed{Account: h.Identity(), Time: h.clock.Now().Unix(), Serial: h.serial, Body: body}
	msg, err := m.SigningBytes(h.network)
	if err != nil {
		return nil, err
	}
	m.Signature = [64]byte(ed25519.Sign(h.auth, msg))
	request, err := coin.Append(nil, m)
	if err != nil {
		return nil, err
	}
	b, err := h.mint.Do(ctx, request)
	if err != nil {
		return nil, err
	}
	answer, err := coin.Decode(b)
	if err != nil {
		return nil, err
	}
	switch a := answer.(type) {
	case M:
		return a, nil
	case *coin.Failure:
		return nil, fmt.Errorf("%w: %v", ErrRefused, a.Code)
	}
	return nil, fmt.Errorf("the mint answers %v: %w", answer.Type(), coin.ErrType)
}

// Enrol opens the account under the bank's code.
func (h *Holder) Enrol(ctx context.Context, account string, code coin.EnrolCode) error {
	auth := [32]byte(h.auth.Public().(ed25519.PublicKey))
	opening, err := h.holder.Open(auth[:], h.rand, nil)
	if err != nil {
		return err
	}
	_, err = ask[coin.Enrolled](ctx, h, &coin.Enrol{Network: h.network, Code: code, Account: account, Opening: opening.Append(nil), AuthKey: auth})
	return err
}

// Withdraw draws a note of this value.
func (h *Holder) Withdraw(ctx context.Context, value money.Amount) (*Note, error) {
	key := h.issuing(value)
	if key == nil {
		return nil, fmt.Errorf("%w: the mint makes no notes of %s now", ErrRefused, value)
	}
	opened, err := ask[coin.Commitments](ctx, h, &coin.Commit{Keys: [][16]byte{key.ID()}})
	if err != nil {
		return nil, fmt.Errorf("open a withdrawal: %w", err)
	}
	c := opened.Items[0]
	if !c.Code.Paid() {
		return nil, fmt.Errorf("%w: open a withdrawal: %v", ErrRefused, c.Code)
	}
	commitment, err := brands.ParseCommitment(slices.Concat(c.A[:], c.B[:]))
	if err != nil {
		return nil, err
	}
	waiting, challenge, err := h.holder.Challenge(key, brands.DeriveBlinding(h.factors, key.ID(), c.Session), commitment, nil)
	if err != nil {
		return nil, err
	}
	answered, err := ask[coin.Answer](ctx, h, &coin.Challenge{Items: []coin.ChallengeItem{{Key: c.Key, Session: c.Session, C: challenge.Bytes()}}})
	if err != nil {
		return nil, fmt.Errorf("withdraw: %w", err)
	}
	if a := answered.Items[0]; !a.Code.Paid() {
		return nil, fmt.Errorf("%w: withdraw: %v", ErrRefused, a.Code)
	}
	return finish(key, waiting, answered.Items[0].R)
}

func (h *Holder) issuing(value money.Amount) *brands.PublicKey {
	now := h.clock.Now().Unix()
	for _, key := range h.keys {
		i := key.Info()
		if i.Value == value.Minor() && i.Currency == value.Currency() && now >= i.From && now < i.IssueUntil {
			return key
		}
	}
	return nil
}

func finish(key *brands.PublicKey, waiting *brands.Withdrawal, answer [32]byte) (*Note, error) {
	r, err := brands.ParseScalar(answer[:])
	if err != nil {
		return nil, err
	}
	own, err := waiting.Finish(r)
	if err != nil {
		return nil, err
	}
	tree, err := own.Note(key)
	return &Note{info: key.Info(), head: own.Coin(), tree: tree}, err
}

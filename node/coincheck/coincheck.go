// Package coincheck looks at coins and proofs of guilt with nothing but a file of
// the mint's keys: no wallet, no network.
//
// It promises that what it calls good was signed by the mint whose keys were given,
// and is bound to the request that was given. It cannot know whether the same coin
// was paid elsewhere: only the mint learns that, when both are deposited. Whether
// the keys are the mint's own is for whoever brings the file to know.
//
// Start with ParseKeys, then Keys.Payment and Keys.Trace.
package coincheck

import (
	"errors"
	"fmt"
	"io"

	"jiaozi/crypt/brands"
	"jiaozi/role/wallet"
	"jiaozi/value/money"
	"jiaozi/wire/coin"
)

// What a caller must tell apart.
var (
	// ErrFalse: what was shown is not what it says it is.
	ErrFalse = errors.New("it does not verify")
	// ErrNeedsRequest: coins that are paid to an account are bound to the request.
	ErrNeedsRequest = errors.New("this payment is bound to a request: give the request as well")
	// ErrKind: another message would have to be given.
	ErrKind = errors.New("this message is neither a payment nor a receipt with change")
)

// Keys are what one mint has published.
type Keys struct {
	brands.KeyRing
	file *coin.Keys
}

// Mint is the mint's name for people.
func (k *Keys) Mint() string { return k.file.Mint }

// ParseKeys reads a file of keys, an envelope or its text, and checks every key.
func ParseKeys(b []byte) (*Keys, error) {
	m, err := coin.Read(b)
	if err != nil {
		return nil, fmt.Errorf("keys: %w", err)
	}
	file, ok := m.(*coin.Keys)
	if !ok {
		return nil, fmt.Errorf("keys: this is a %v: %w", m.Type(), coin.ErrType)
	}
	if err := file.Verify(file.Sign); err != nil {
		return nil, fmt.Errorf("keys: %w: %w", ErrFalse, err)
	}
	k := &Keys{make(brands.KeyRing, len(file.Keys)), file}
	for i, raw := range file.Keys {
		key, err := brands.ParsePublicKey(raw)
		if err != nil {
			return nil, fmt.Errorf("keys: key %d: %w: %w", i+1, ErrFalse, err)
		}
		if key.Info().Network != brands.Network(file.Network) {
			return nil, fmt.Errorf("keys: key %d is of another scheme than the file: %w", i+1, ErrFalse)
		}
		k.KeyRing[key.ID()] = key
	}
	return k, nil
}

// Piece is one coin, or piece of a note, that was found good.
type Piece struct {
	Value money.Amount
	Epoch uint32
	Group string
	Hops  int
	Until int64 // Unix seconds: payees take it before
}

// Payment checks the coins of a payment or of the change in a receipt. Request is the
// one that the payment answers; it may be nil for money that went onto blanks.
func (k *Keys) Payment(m coin.Message, request *coin.Request, rand io.Reader) ([]Piece, error) {
	switch m := m.(type) {
	case *coin.Payment:
		if err := answers(m, request); err != nil {
			return nil, err
		}
		if !m.ToBlanks {
			return k.payments(m, request, rand)
		}
		list, err := k.money(m.Items, rand)
		if err != nil {
			return nil, err
		}
		return list, adds(list, m.Paid)
	case *coin.Receipt:
		return k.money(m.Change, rand)
	}
	return nil, fmt.Errorf("%w: it is a %v", ErrKind, m.Type())
}

// answers reports whether the payment is one on this request.
func answers(m *coin.Payment, r *coin.Request) error {
	if r == nil {
		if !m.ToBlanks {
			return ErrNeedsRequest
		}
		return nil
	}
	digest, err := r.Digest()
	if err != nil {
		return err
	}
	if m.Request != digest || m.Nonce != r.Nonce || m.ToBlanks != (r.Payee == "") {
		return fmt.Errorf("the payment answers another request: %w", ErrFalse)
	}
	return nil
}

func (k *Keys) money(items [][]byte, rand io.Reader) ([]Piece, error) {
	var list []Piece
	for i, raw := range items {
		m, err := brands.ParseMoney(raw)
		if err == nil {
			err = m.VerifyVartime(k, rand)
		}
		if err != nil {
			return nil, fmt.Errorf("coin %d: %w: %w", i+1, ErrFalse, err)
		}
		p, err := k.piece(m)
		if err != nil {
			return nil, fmt.Errorf("coin %d: %w", i+1, err)
		}
		list = append(list, p)
	}
	return list, nil
}

func (k *Keys) payments(m *coin.Payment, r *coin.Request, rand io.Reader) ([]Piece, error) {
	var list []Piece
	terms := wallet.TermsDigest(&r.Terms)
	for i, raw := range m.Items {
		p, err := brands.ParsePayment(raw)
		if err == nil {
			err = p.VerifyVartime(k, terms, rand)
		}
		if err != nil {
			return nil, fmt.Errorf("coin %d: %w: %w", i+1, ErrFalse, err)
		}
		piece, err := k.piece(&p.Money)
		if err != nil {
			return nil, fmt.Errorf("coin %d: %w", i+1, err)
		}
		list = append(list, piece)
	}
	return list, adds(list, m.Paid)
}

func (k *Keys) piece(m *brands.Money) (Piece, error) {
	value, err := m.Value(k)
	if err != nil {
		return Piece{}, fmt.Errorf("%w: %w", ErrFalse, err)
	}
	info := k.KeyRing[m.Head.Key()].Info() // Value has found it
	p := Piece{Value: value, Epoch: info.Epoch, Group: info.Group, Hops: m.Hops(), Until: info.SpendUntil}
	for i := range m.Links {
		p.Until = min(p.Until, k.KeyRing[m.Links[i].Next.Key()].Info().SpendUntil)
	}
	return p, nil
}

// adds reports whether the coins are worth what the message says.
func adds(list []Piece, want money.Amount) error {
	sum := money.Zero(want.Currency())
	for _, p := range list {
		var err error
		if sum, err = sum.Add(p.Value); err != nil {
			return fmt.Errorf("%w: %w", ErrFalse, err)
		}
	}
	if sum != want {
		return fmt.Errorf("the coins are worth %s, the message says %s: %w", sum, want, ErrFalse)
	}
	return nil
}

// Named is whom a proof of guilt names.
type Named struct {
	Identity brands.Element
	Account  string // as the mint knows it; "" if it knows none
	Coin     brands.CoinID
	Value    money.Amount // of the coin, or of the whole note
	Time     int64        // Unix seconds of the second payment
}

// Trace checks a proof of guilt: the mint's signature, and the two payments of one
// coin, which only its owner could make. That the identity is the account's is what
// the mint has signed.
func (k *Keys) Trace(g *coin.GuiltFile) (Named, error) {
	if g.Network != k.file.Network {
		return Named{}, fmt.Errorf("the proof is of another scheme than the keys: %w", ErrFalse)
	}
	if err := g.Verify(k.file.Sign); err != nil {
		return Named{}, fmt.Errorf("%w: %w", ErrFalse, err)
	}
	key, err := brands.ParsePublicKey(g.Key)
	if err != nil || key.Info().Network != brands.Network(g.Network) {
		return Named{}, fmt.Errorf("the coin's key: %w", errors.Join(ErrFalse, err))
	}
	proof, err := brands.ParseGuilt(g.Guilt)
	if err != nil {
		return Named{}, fmt.Errorf("%w: %w", ErrFalse, err)
	}
	// The key may be older than the file of keys; then the mint's signature vouches
	// for it. A mint that lied could not make the two payments all the same.
	who, err := proof.VerifyVartime(brands.RingOf(key))
	if err != nil {
		return Named{}, fmt.Errorf("%w: %w", ErrFalse, err)
	}
	if who.Bytes() != g.Identity {
		return Named{}, fmt.Errorf("the payments name another than the file does: %w", ErrFalse)
	}
	if len(g.Opening) > 0 {
		if o, err := brands.ParseOpening(g.Opening); err != nil || o.Account.Bytes() != g.Identity {
			return Named{}, fmt.Errorf("the account was opened with another identity: %w", errors.Join(ErrFalse, err))
		}
	}
	info := key.Info()
	return Named{who, g.Account, proof.Coin.ID(), money.New(info.Currency, info.Value), g.Time}, nil
}

package brands

import (
	"crypto/sha512"
	"encoding/binary"
	"fmt"
	"io"
	"testing"

	"jiaozi/value/money"
)

// stream is a random source that gives the same bytes for the same seed.
type stream struct {
	seed string
	n    uint64
	rest []byte
}

func (s *stream) Read(b []byte) (int, error) {
	for n := 0; n < len(b); {
		if len(s.rest) == 0 {
			sum := sha512.Sum512(binary.BigEndian.AppendUint64([]byte(s.seed), s.n))
			s.rest, s.n = sum[:], s.n+1
		}
		took := copy(b[n:], s.rest)
		n, s.rest = n+took, s.rest[took:]
	}
	return len(b), nil
}

func dice(format string, args ...any) io.Reader { return &stream{seed: fmt.Sprintf(format, args...)} }

func digestOf(format string, args ...any) Digest {
	return begin("test").add(fmt.Appendf(nil, format, args...)).digest()
}

// got takes a result that must not come with an error: got(ParseCoin(b))(t).
func got[T any](v T, err error) func(testing.TB) T {
	return func(t testing.TB) T {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
}

var testNet = Network{1, 2, 3}

func infoOf(kind Kind, value money.Minor) KeyInfo {
	return KeyInfo{Network: testNet, Kind: kind, Currency: money.CNY, Value: value, Epoch: 202611, From: 10, IssueUntil: 20, SpendUntil: 30, DepositUntil: 40}
}

func keyOf(t testing.TB, info KeyInfo) *PrivateKey {
	t.Helper()
	return got(GenerateKey(info, dice("key %+v", info)))(t)
}

// A town has a mint's keys and what everybody knows of them.
type town struct {
	coin, big, blank *PrivateKey
	known            map[KeyID]*PublicKey
}

func (w *town) Key(id KeyID) (*PublicKey, bool) {
	k, ok := w.known[id]
	return k, ok
}

// learn reads a key as everybody reads it from the mint's list.
func (w *town) learn(t testing.TB, k *PrivateKey) *PublicKey {
	t.Helper()
	pub := got(ParsePublicKey(k.Public().Append(nil)))(t)
	w.known[pub.ID()] = pub
	return pub
}

func newTown(t testing.TB) *town {
	t.Helper()
	w := &town{
		coin: keyOf(t, infoOf(KindCoin, 100)), big: keyOf(t, infoOf(KindCoin, 800)), blank: keyOf(t, infoOf(KindBlank, 0)),
		known: make(map[KeyID]*PublicKey),
	}
	for _, k := range []*PrivateKey{w.coin, w.big, w.blank} {
		w.learn(t, k)
	}
	return w
}

func holderOf(name string) *Holder { return NewHolder(digestOf("seed of %s", name), testNet) }

// withdraw plays one session between a holder without a card and the mint.
func withdraw(t testing.TB, h *Holder, key *PrivateKey, session uint64) *Own {
	t.Helper()
	id, account := digestOf("session %d", session), h.Identity()
	bl := DeriveBlinding(digestOf("blinding of %s", account), key.Public().ID(), session)
	com := key.Commit(id, account)
	com = got(ParseCommitment(com.Append(nil)))(t)
	w, c, err := h.Challenge(key.Public(), bl, com, nil)
	if err != nil {
		t.Fatal(err)
	}
	return got(w.Finish(key.Respond(id, account, c)))(t)
}

// payment is a coin paid to terms through hands, each of which gives a blank.
func payment(t testing.TB, w *town, key *PrivateKey, terms Digest, name string, hops int) *Payment {
	t.Helper()
	at := withdraw(t, holderOf(name), key, 0)
	m := Money{Head: at.Coin()}
	for i := range hops {
		next := withdraw(t, holderOf(fmt.Sprintf("%s, hand %d", name, i)), w.blank, uint64(i))
		coin := next.Coin()
		line := got(at.Pay(LinkSpec(m.Spec(), &coin)))(t)
		m.Links, at = append(m.Links, Link{line, coin}), next
	}
	return &Payment{m, got(at.Pay(FinalSpec(m.Spec(), terms)))(t)}
}

func parsed(t testing.TB, p *Payment) *Payment {
	t.Helper()
	return got(ParsePayment(p.Append(nil)))(t)
}

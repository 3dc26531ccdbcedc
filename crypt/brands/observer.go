package brands

import (
	"fmt"
	"io"
)

// Observer is the card's part of a holder: it holds o1, and of every coin o2, so that no coin can be paid without it.
// Everything here takes the same time whatever the secrets are.
//
//	phone                             card
//	            <----  Nonce(i)       when the coin is withdrawn
//	d' = s(d+e) ---->  Answer(i, d')  when it is paid, ONE d' per index
//
// The card sees d', which is uniform whatever coin and payee are, and can say nothing but the one right answer, which the
// phone checks: it can refuse, and neither learn nor tell. role/card guards the indexes; this type has no memory.
type Observer struct {
	masked
	o1     secret
	nonces prf
}

// NewObserver derives the card's secrets from one of 32 bytes.
func NewObserver(seed Digest) *Observer {
	derive := newPRF(seed[:])
	o1, key := derive(begin("observer")), derive(begin("observer nonces")).reveal()
	return &Observer{o1: o1, nonces: newPRF(key[:])}
}

// Identity gives A_O = o1·G1, the card's part of the account.
func (o *Observer) Identity() Element { return onG1(o.o1) }

// Nonce gives B_O = o2·G1 of an index, the card's part of a coin or of an Opening. The same index gives the same element every time.
func (o *Observer) Nonce(index uint32) Element { return onG1(o.part(index)) }

// Answer gives d·o1 + o2 of the index. The caller guards ONE d per index, for ever: two answers give away o1, and with it
// the power to pay every coin twice.
func (o *Observer) Answer(index uint32, d Scalar) Scalar {
	o2 := o.part(index)
	return open(mulAdd(d.num(), o.o1.num(), o2.num()))
}

// part is o2, the secret of an index.
func (o *Observer) part(index uint32) secret {
	return o.nonces(begin("observer coin").uint(uint64(index)))
}

// onG1 is k·G1, in constant time.
func onG1(k secret) Element { return newElement(times1(k.num())) }

// OpenPhone proves that the phone knows its own part of the secret, u1 of u1·G1. Beside the card's part this shows that
// the phone does not know the secret of the account, and so cannot pay without the card: who knew both would know
// the card's.
func (h *Holder) OpenPhone(context []byte, rand io.Reader) (Opening, error) {
	phone := Holder{network: h.network, u1: h.u1, account: onG1(h.u1)}
	return phone.Open(context, rand, nil)
}

// Guarded reports whether account is what phone and card have together; phone is the account of a verified OpenPhone,
// card that of a card which the issuer answers for.
func Guarded(account, phone, card Element) error {
	if phone.IsZero() || card.IsZero() || account.IsZero() || plus(phone.point(), card.point()).Equal(account.point()) != 1 {
		return fmt.Errorf("account %v is not held by phone and card together: %w", account, ErrProof)
	}
	return nil
}

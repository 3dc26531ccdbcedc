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
	o1, nonces secret
}

// NewObserver derives the card's secrets from one of 32 bytes.
func NewObserver(seed Digest) *Observer {
	return &Observer{o1: begin("observer").secret(seed[:]), nonces: begin("observer nonces").secret(seed[:])}
}

// Identity gives A_O = o1·G1, the card's part of the account.
func (o *Observer) Identity() Element { return onG1(o.o1) }

// Nonce gives B_O = o2·G1 of an index, the card's part of a coin. The same index gives the same element every time.
func (o *Observer) Nonce(index uint32) Element { return onG1(o.part("observer coin", index)) }

// Answer gives d·o1 + o2 of the index. The caller guards ONE d per index, for ever: two answers give away o1, and with it
// the power to pay every coin twice.
func (o *Observer) Answer(index uint32, d Scalar) Scalar {
	return o.answer(o.part("observer coin", index), d)
}

// OpeningNonce gives the commitment for the card's half of an Opening. The caller takes a serial that it never took before,
// and has stored that before the commitment leaves.
func (o *Observer) OpeningNonce(serial uint32) Element {
	return onG1(o.part("observer opening", serial))
}

// OpeningAnswer completes the card's half. The caller guards ONE e per serial, as for Answer.
func (o *Observer) OpeningAnswer(serial uint32, e Scalar) Scalar {
	return o.answer(o.part("observer opening", serial), e)
}

// part is the secret of an index, one series for coins and one for openings.
func (o *Observer) part(series string, index uint32) secret {
	key := o.nonces.reveal()
	return begin(series).uint(uint64(index)).secret(key[:])
}

func (o *Observer) answer(o2 secret, d Scalar) Scalar {
	return open(mulAdd(d.num(), o.o1.num(), o2.num()))
}

// onG1 is k·G1, in constant time.
func onG1(k secret) Element { return newElement(times1(k.num())) }

// CardCertificate is what an issuer signs with Ed25519 (RFC 8032) to say: a card that I made, which answers each index
// once, holds the secret of this element, and nothing else knows it.
func CardCertificate(network Network, card Element) []byte {
	return begin("card certificate").add(network[:]).add(card.enc[:])
}

// OpenPhone proves that the phone knows its own part of the secret, u1 of u1·G1. Beside a certificate of the card this shows
// that the phone does not know the secret of the account, and so cannot pay without the card: who knew both would know
// the card's.
func (h *Holder) OpenPhone(context []byte, rand io.Reader) (Opening, error) {
	phone := Holder{network: h.network, u1: h.u1, account: onG1(h.u1)}
	return phone.Open(context, rand, nil)
}

// Guarded reports whether account is what phone and card have together; phone is the account of a verified OpenPhone,
// card stands in a verified certificate.
func Guarded(account, phone, card Element) error {
	if phone.IsZero() || card.IsZero() || account.IsZero() || plus(&phone.p, &card.p).Equal(&account.p) != 1 {
		return fmt.Errorf("account %v is not held by phone and card together: %w", account, ErrProof)
	}
	return nil
}

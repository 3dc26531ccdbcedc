package observer

import (
	"crypto/ed25519"
	"encoding/binary"
	"errors"
	"fmt"

	"jiaozi/value/clock"
)

// Domain begins what the issuer signs, and the certificate.
const Domain = "JZOBSV1\n"

// ErrCertificate: nobody who is trusted vouches for the card. A mint must not open
// an account on it, for it could be a program that answers twice.
var ErrCertificate = errors.New("the card's observer certificate does not verify: the card is not of this issuer, or is none")

// Certificate is the issuer's word that Identity (A_O) belongs to a card that it
// personalised. It says nothing about the holder and nothing about the purse on the
// same card.
//
//	Domain 8 | A_O 32 | last day 4, as 20311231 | Ed25519 signature of all that 64
type Certificate struct {
	Identity  [Size]byte
	Expiry    clock.Date
	Signature [ed25519.SignatureSize]byte
}

// CertificateBytes is the length of a certificate.
const CertificateBytes = signedBytes + ed25519.SignatureSize

const signedBytes = len(Domain) + Size + 4

// Certify makes a certificate. Sign makes a plain Ed25519 signature over the
// message, which begins with Domain.
func Certify(identity [Size]byte, expiry clock.Date, sign func(msg []byte) ([]byte, error)) (Certificate, error) {
	c := Certificate{Identity: identity, Expiry: expiry}
	if !expiry.Valid() {
		return Certificate{}, errors.New("certify observer: the last day is not a date")
	}
	sig, err := sign(c.signed(nil))
	if err != nil {
		return Certificate{}, fmt.Errorf("certify observer: %w", err)
	}
	if len(sig) != len(c.Signature) {
		return Certificate{}, fmt.Errorf("certify observer: a signature of %d bytes is not Ed25519", len(sig))
	}
	copy(c.Signature[:], sig)
	return c, nil
}

// Verify asks whether issuer vouches for the card on that day.
func (c *Certificate) Verify(issuer ed25519.PublicKey, today clock.Date) error {
	switch {
	case len(issuer) != ed25519.PublicKeySize || !ed25519.Verify(issuer, c.signed(nil), c.Signature[:]):
		return ErrCertificate
	case today > c.Expiry:
		return fmt.Errorf("the card was good until %s: %w", c.Expiry, ErrCertificate)
	}
	return nil
}

func (c *Certificate) signed(dst []byte) []byte {
	dst = append(append(dst, Domain...), c.Identity[:]...)
	return binary.BigEndian.AppendUint32(dst, uint32(c.Expiry))
}

// Append writes the certificate.
func (c *Certificate) Append(dst []byte) []byte { return append(c.signed(dst), c.Signature[:]...) }

// ParseCertificate reads a certificate, which Verify then judges.
func ParseCertificate(b []byte) (Certificate, error) {
	if len(b) != CertificateBytes || string(b[:len(Domain)]) != Domain {
		return Certificate{}, form("certificate", b)
	}
	c := Certificate{Identity: [Size]byte(b[len(Domain):]), Signature: [ed25519.SignatureSize]byte(b[signedBytes:])}
	c.Expiry = clock.Date(binary.BigEndian.Uint32(b[len(Domain)+Size:]))
	if !c.Expiry.Valid() {
		return Certificate{}, fmt.Errorf("certificate whose last day is no date: %w", ErrForm)
	}
	return c, nil
}

package oda

import (
	"encoding/hex"
	"errors"
	"fmt"
	"strings"

	"jiaozi/value/clock"
	"jiaozi/value/ident"
)

// Certificate is a certificate with the parts of the certified key that travel
// beside it: tags 90, 92 and 9F32 for an issuer, 9F46, 9F48 and 9F47 for a card.
type Certificate struct {
	Cert      []byte
	Remainder []byte // empty when the whole modulus fits the certificate
	Exponent  []byte
}

// IssuerCertInput is what a certification authority certifies.
type IssuerCertInput struct {
	IIN    string     // the 3 to 8 leading digits of the issuer's PANs
	Expiry clock.Date // valid to the last day of this month
	Serial [3]byte
	Key    PublicKey
}

// ICCCertInput is what an issuer certifies for one card.
type ICCCertInput struct {
	PAN    ident.PAN
	Expiry clock.Date // valid to the last day of this month
	Serial [3]byte
	Key    PublicKey
	Static []byte // static data to be authenticated, as the terminal will collect it
}

// Two-digit years mean 2000 to 2049 to everyone who will read the certificate.
const (
	firstExpiry clock.Date = 20000101
	lastExpiry  clock.Date = 20491231
)

// layout is what the two certificates share (EMV Book 2, tables 6 and 14):
//
//	format subject expiry(2) serial(3) hashalg keyalg keylen explen key.. BB..
type layout struct {
	object  string
	format  byte
	subject int // bytes of IIN or PAN
}

var (
	issuerLayout = layout{issuerCert, formatIss, 4}
	iccLayout    = layout{iccCert, formatICC, 10}
)

// head is the content before the key field.
func (l layout) head() int { return 1 + l.subject + 2 + 3 + 1 + 1 + 1 + 1 }

// IssueIssuerCert certifies an issuer's key with the authority's.
func IssueIssuerCert(ca PrivateKey, in IssuerCertInput) (Certificate, error) {
	if len(in.IIN) < 3 || len(in.IIN) > 8 || strings.Trim(in.IIN, "0123456789") != "" {
		return Certificate{}, errors.New("issuer certificate: the issuer identification number has 3 to 8 digits")
	}
	return issuerLayout.issue(ca, in.IIN, in.Expiry, in.Serial, in.Key, nil)
}

// IssueICCCert certifies a card's key, and its static data, with the issuer's.
func IssueICCCert(issuer PrivateKey, in ICCCertInput) (Certificate, error) {
	if in.PAN.IsZero() {
		return Certificate{}, errors.New("card certificate: there is no PAN")
	}
	return iccLayout.issue(issuer, in.PAN.Reveal(), in.Expiry, in.Serial, in.Key, in.Static)
}

func (l layout) issue(signer PrivateKey, subject string, expiry clock.Date, serial [3]byte, key PublicKey, static []byte) (Certificate, error) {
	if err := key.Check(); err != nil {
		return Certificate{}, fmt.Errorf("%s: key to certify: %w", l.object, err)
	}
	if !expiry.Valid() || expiry < firstExpiry || expiry > lastExpiry {
		return Certificate{}, fmt.Errorf("%s: the expiry is not a date from %s to %s", l.object, firstExpiry, lastExpiry)
	}
	room := signer.Size() - frame - l.head()
	content := append([]byte{l.format}, filledDigits(subject, l.subject)...)
	yymmdd := expiry.YYMMDD()
	content = append(content, yymmdd[1], yymmdd[0])
	content = append(content, serial[:]...)
	content = append(content, algSHA1, algRSA, byte(len(key.Modulus)), byte(len(key.Exponent)))
	inside := min(room, len(key.Modulus))
	content = append(content, key.Modulus[:inside]...)
	for i := inside; i < room; i++ {
		content = append(content, pad)
	}
	c := Certificate{
		Remainder: append([]byte(nil), key.Modulus[inside:]...),
		Exponent:  append([]byte(nil), key.Exponent...),
	}
	var err error
	if c.Cert, err = sign(signer, content, c.Remainder, c.Exponent, static); err != nil {
		return Certificate{}, fmt.Errorf("%s: %w", l.object, err)
	}
	return c, nil
}

// filledDigits packs digits from the left and fills n bytes with F (format cn).
func filledDigits(digits string, n int) []byte {
	b, err := hex.DecodeString(digits + strings.Repeat("f", 2*n-len(digits)))
	if err != nil {
		panic("oda: digits were checked by the caller")
	}
	return b
}

// RecoverIssuer opens an issuer certificate (EMV Book 2, 6.3) for a card of this
// PAN on this day and gives the issuer's key.
func RecoverIssuer(ca CAKey, cert, remainder, exponent []byte, pan ident.PAN, now clock.Date) (PublicKey, error) {
	if ca.Expiry != 0 && now > ca.Expiry {
		return PublicKey{}, refuse(issuerCert, CAExpired)
	}
	subject, key, err := issuerLayout.recover(ca.Public(), cert, remainder, exponent, nil, now)
	if err != nil {
		return PublicKey{}, err
	}
	iin := strings.TrimRight(hex.EncodeToString(subject), "f")
	if len(iin) < 3 || !strings.HasPrefix(pan.Reveal(), iin) {
		return PublicKey{}, refuse(issuerCert, WrongIssuer)
	}
	return key, nil
}

// RecoverICC opens a card certificate (EMV Book 2, 6.4) over the static data that
// the terminal collected, and gives the card's key.
func RecoverICC(issuer PublicKey, cert, remainder, exponent, static []byte, pan ident.PAN, now clock.Date) (PublicKey, error) {
	subject, key, err := iccLayout.recover(issuer, cert, remainder, exponent, static, now)
	if err != nil {
		return PublicKey{}, err
	}
	if pan.IsZero() || strings.TrimRight(hex.EncodeToString(subject), "f") != pan.Reveal() {
		return PublicKey{}, refuse(iccCert, WrongPAN)
	}
	return key, nil
}

// recover checks in EMV's order; the hash comes before any field is believed.
func (l layout) recover(signer PublicKey, cert, remainder, exponent, static []byte, now clock.Date) (subject []byte, key PublicKey, err error) {
	content, hash, err := open(l.object, signer, cert, l.format)
	if err != nil {
		return nil, PublicKey{}, err
	}
	if !hashFits(hash, content, remainder, exponent, static) {
		return nil, PublicKey{}, refuse(l.object, BadHash)
	}
	subject, rest := content[1:1+l.subject], content[1+l.subject:]
	expiry, algorithms, lengths, field := rest[:2], rest[5:7], rest[7:9], rest[9:]
	if algorithms[0] != algSHA1 || algorithms[1] != algRSA {
		return nil, PublicKey{}, refuse(l.object, BadAlgorithm)
	}
	if why := expired(expiry, now); why != "" {
		return nil, PublicKey{}, refuse(l.object, why)
	}
	key, why := assemble(int(lengths[0]), int(lengths[1]), field, remainder, exponent)
	if why != "" {
		return nil, PublicKey{}, refuse(l.object, why)
	}
	return subject, key, nil
}

// assemble joins the certified modulus from the certificate's field and the
// remainder beside it.
func assemble(keyLen, expLen int, field, remainder, exponent []byte) (PublicKey, Reason) {
	if keyLen < minModulus || keyLen > maxModulus {
		return PublicKey{}, BadKeyLength
	}
	if expLen != len(exponent) || !validExponent(exponent) {
		return PublicKey{}, BadExponent
	}
	inside := min(keyLen, len(field))
	if len(remainder) != keyLen-inside {
		return PublicKey{}, BadRemainder
	}
	if !filled(field[inside:]) {
		return PublicKey{}, BadPadding
	}
	key := PublicKey{
		Modulus:  append(append([]byte(nil), field[:inside]...), remainder...),
		Exponent: append([]byte(nil), exponent...),
	}
	if key.Check() != nil {
		return PublicKey{}, BadKeyLength
	}
	return key, ""
}

// expired reads MMYY; the last day of the month is still good. Years are EMV's
// window (Book 4, 6.7.3).
func expired(mmyy []byte, now clock.Date) Reason {
	first, err := clock.FromYYMMDD([3]byte{mmyy[1], mmyy[0], 0x01})
	if err != nil {
		return BadDate
	}
	if now/100 > first/100 {
		return Expired
	}
	return ""
}

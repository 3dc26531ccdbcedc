// Package perso prepares cards: from the verbs of an issuer's vault and an order
// for one card to the card.Profile that card.Format writes.
//
//	order -> card keys (derived in the vault) -> RSA key -> static data ->
//	issuer certificate, card certificates (made in the vault) ->
//	observer secret, its certificate (signed in the vault) -> profile
//
// The issuer's keys never leave the vault; the card's own keys do, because they
// are about to be written into a card. A scheme's cards and a stand-alone test
// card are prepared alike: Fresh makes the vault of an issuer of one.
//
// Start with Build.
package perso

import (
	"crypto/rand"
	"fmt"
	"io"

	"jiaozi/crypt/emvkey"
	"jiaozi/crypt/oda"
	"jiaozi/crypt/pin"
	"jiaozi/crypt/vault"
	"jiaozi/role/card"
	"jiaozi/value/bcd"
	"jiaozi/value/clock"
	"jiaozi/value/ident"
	"jiaozi/value/money"
	"jiaozi/wire/observer"
)

// RSA sizes, in bits. A card's signature must fit the one answer of a tap; the
// certificates of the levels above must fit a record each.
const (
	CardBits   = 1152
	IssuerBits = 1408
	CABits     = 1984
)

// Vault is what a personalisation asks of the issuer's vault.
type Vault interface {
	PersonaliseCard(set vault.KeySet, pan ident.PAN, psn ident.PSN) (emvkey.CardKeys, error)
	CertifyIssuer(ca, issuer vault.Handle, in oda.IssuerCertInput) (oda.Certificate, error)
	CertifyCard(issuer vault.Handle, in oda.ICCCertInput) (oda.Certificate, error)
	Sign(h vault.Handle, domain string, msg []byte) ([]byte, error)
}

// Keys names the keys of an issuer in its vault.
type Keys struct {
	Vault  Vault
	Cards  vault.KeySet // the issuer's master keys
	CA     vault.Handle // certifies the issuer
	Issuer vault.Handle // certifies its cards
	Signer vault.Handle // vouches for observers of coins; empty: cards with a purse alone
}

// Order is what is to be written into one card. Zero amounts are zero.
type Order struct {
	AID               ident.AID
	Label, Holder     string
	PAN               ident.PAN
	PSN               ident.PSN
	Effective, Expiry clock.Date
	Country           uint16
	Currency          money.Currency

	CAIndex byte
	DKI     byte   // number of the issuer's master keys
	IIN     string // leading digits of the issuer's card numbers

	PIN      pin.PIN // zero for a card without PIN; TryLimit is 0 then
	TryLimit uint8
	PINAbove money.Amount

	Balance, BalanceLimit, SingleLimit, Threshold money.Amount

	RSA      oda.PrivateKey  // zero: a new one is made
	Observer observer.Secret // zero: a new one is drawn
}

// certificateDays is how much longer a certificate lives than its card, so that
// an expired card is refused for being expired and not for a failed signature.
const certificateDays = 366

// Build prepares the profile of one card.
func Build(k Keys, o Order) (card.Profile, error) {
	p, err := prepare(k, o)
	if err != nil {
		return card.Profile{}, fmt.Errorf("prepare card %s: %w", o.PAN, err)
	}
	return p, nil
}

func prepare(k Keys, o Order) (card.Profile, error) {
	keys, err := k.Vault.PersonaliseCard(k.Cards, o.PAN, o.PSN)
	if err != nil {
		return card.Profile{}, err
	}
	if o.RSA.IsZero() {
		if o.RSA, err = oda.Generate(CardBits); err != nil {
			return card.Profile{}, err
		}
	}
	p := card.Profile{
		AID: o.AID, Label: o.Label, Holder: o.Holder, PAN: o.PAN, PSN: o.PSN,
		Effective: o.Effective, Expiry: o.Expiry, Country: o.Country, Currency: o.Currency,
		DKI: o.DKI, Keys: keys, Private: o.RSA, CAIndex: o.CAIndex,
		TryLimit: o.TryLimit, PINAbove: o.PINAbove, PIN: o.PIN,
		Balance: o.Balance, BalanceLimit: o.BalanceLimit, SingleLimit: o.SingleLimit, ResetThreshold: o.Threshold,
	}
	for _, a := range []*money.Amount{&p.PINAbove, &p.Balance, &p.BalanceLimit, &p.SingleLimit, &p.ResetThreshold} {
		if *a == (money.Amount{}) {
			*a = money.Zero(o.Currency)
		}
	}
	if p.Coins, err = observe(k, o); err != nil {
		return card.Profile{}, err
	}
	return p, certify(k, o, &p)
}

// airLimit is how many coins a card pays over the air before it wants its PIN over
// the contacts: twice the most that one payment may have.
const airLimit = 128

// observe draws the secret of the card's observer and has the issuer vouch for it.
// Nothing of it is kept here: two cards made by one order with its secret given are
// one observer, every other card is its own.
func observe(k Keys, o Order) (p card.CoinProfile, err error) {
	if k.Signer == "" {
		return p, nil
	}
	p = card.CoinProfile{Secret: o.Observer, AirLimit: airLimit}
	if p.Secret.IsZero() {
		if p.Secret, err = observer.DrawSecret(rand.Reader); err != nil {
			return p, err
		}
	}
	p.Certificate, err = observer.Certify(card.CoinIdentity(p.Secret), o.Expiry, func(msg []byte) ([]byte, error) {
		return k.Vault.Sign(k.Signer, observer.Domain, msg)
	})
	return p, err
}

// certify has the issuer certified by the authority, and the card's key, with
// the data of each interface, by the issuer.
func certify(k Keys, o Order, p *card.Profile) (err error) {
	until := o.Expiry.AddDays(certificateDays)
	p.Issuer, err = k.Vault.CertifyIssuer(k.CA, k.Issuer, oda.IssuerCertInput{IIN: o.IIN, Expiry: until, Serial: [3]byte{0, 0, o.DKI}})
	if err != nil {
		return fmt.Errorf("certify issuer: %w", err)
	}
	serial, err := serialOf(o.PAN)
	if err != nil {
		return err
	}
	for side, cert := range map[card.Interface]*oda.Certificate{card.Contact: &p.Contact, card.Contactless: &p.Contactless} {
		*cert, err = k.Vault.CertifyCard(k.Issuer, oda.ICCCertInput{
			PAN: o.PAN, Expiry: until, Serial: serial, Key: o.RSA.Public(), Static: p.Static(side),
		})
		if err != nil {
			return fmt.Errorf("certify card: %w", err)
		}
	}
	return nil
}

// serialOf numbers a card's certificates by the end of its card number, so that
// making the same card again makes the same bytes.
func serialOf(pan ident.PAN) ([3]byte, error) {
	digits := pan.Reveal()
	if len(digits) < 6 {
		return [3]byte{}, vault.ErrNoPAN
	}
	b, err := bcd.Encode(digits[len(digits)-6:])
	if err != nil {
		return [3]byte{}, err
	}
	return [3]byte(b), nil
}

// The keys of an issuer of one, by the handles that Fresh gives them.
const (
	freshAC     vault.Handle = "issuer/imk-ac"
	freshMAC    vault.Handle = "issuer/imk-mac"
	freshENC    vault.Handle = "issuer/imk-enc"
	freshCA     vault.Handle = "scheme/ca"
	freshIssuer vault.Handle = "issuer/rsa"
	freshSigner vault.Handle = "issuer/sign"
)

// Fresh makes the keys of an issuer that belongs to no scheme, and gives the
// public keys that prove its cards.
func Fresh(random io.Reader, aid ident.AID, index byte) (Keys, Proofs, error) {
	v := vault.New(vault.Options{Rand: random})
	for h, purpose := range map[vault.Handle]vault.Purpose{freshAC: vault.IMKAC, freshMAC: vault.IMKMAC, freshENC: vault.IMKENC, freshSigner: vault.Signing} {
		if err := v.Generate(h, purpose); err != nil {
			return Keys{}, Proofs{}, fmt.Errorf("make issuer keys: %w", err)
		}
	}
	if err := v.GenerateRSA(freshCA, vault.RSACA, CABits); err != nil {
		return Keys{}, Proofs{}, fmt.Errorf("make authority key: %w", err)
	}
	if err := v.GenerateRSA(freshIssuer, vault.RSAIssuer, IssuerBits); err != nil {
		return Keys{}, Proofs{}, fmt.Errorf("make issuer key: %w", err)
	}
	ca, err := v.RSAPublic(freshCA)
	if err != nil {
		return Keys{}, Proofs{}, fmt.Errorf("read authority key: %w", err)
	}
	signer, err := v.Public(freshSigner)
	if err != nil {
		return Keys{}, Proofs{}, fmt.Errorf("read observer key: %w", err)
	}
	keys := Keys{Vault: v, Cards: vault.KeySet{AC: freshAC, MAC: freshMAC, ENC: freshENC}, CA: freshCA, Issuer: freshIssuer, Signer: freshSigner}
	return keys, Proofs{oda.CAKey{RID: aid.RID(), Index: index, Modulus: ca.Modulus, Exponent: ca.Exponent}, signer}, nil
}

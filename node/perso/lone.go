package perso

import (
	"cmp"
	"crypto/ed25519"
	"crypto/rand"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"io"

	"jiaozi/crypt/oda"
	"jiaozi/crypt/pin"
	"jiaozi/role/card"
	"jiaozi/value/clock"
	"jiaozi/value/ident"
	"jiaozi/value/money"
)

// Lone is the order for a test card that belongs to no scheme and no book: its
// balance is zero and nobody can load it, but every terminal that is given its
// authority's key can read and authenticate it. Zero fields are chosen.
type Lone struct {
	PAN    ident.PAN
	Limit  money.Amount // 9F77; its currency is the card's
	PIN    pin.PIN
	Expiry clock.Date
	Today  clock.Date
}

// What a lone card has when its order does not say. The first digits are, to our
// knowledge, no bank's; the index is in the range that schemes leave to tests.
const (
	loneAID       = "A000000333010101"
	loneIIN       = "62999901"
	loneIndex     = 0xE1
	loneYears     = 5
	loneCountry   = 156
	loneTries     = 3
	lonePINAbove  = 300_00
	loneDigits    = 16
	loneIINDigits = 6 // of the card number, in the issuer certificate
)

// Proofs are the keys by which others know that a card is an issuer's.
type Proofs struct {
	CA       oda.CAKey         // of the purse, for terminals
	Observer ed25519.PublicKey // of the coin application's certificate, for mints
}

// BuildLone prepares a card of an issuer of one, and gives the keys that prove it.
func BuildLone(l Lone) (card.Profile, Proofs, error) {
	raw, err := hex.DecodeString(loneAID)
	if err != nil {
		return card.Profile{}, Proofs{}, fmt.Errorf("prepare card: %w", err)
	}
	if l.PAN.IsZero() {
		if l.PAN, err = anyPAN(rand.Reader); err != nil {
			return card.Profile{}, Proofs{}, err
		}
	}
	keys, proofs, err := Fresh(rand.Reader, ident.AID(raw), loneIndex)
	if err != nil {
		return card.Profile{}, Proofs{}, err
	}
	currency := l.Limit.Currency()
	o := Order{
		AID: ident.AID(raw), Label: "JIAOZI TEST", Holder: "CARDHOLDER/TEST", PAN: l.PAN, PSN: 1,
		Effective: l.Today, Expiry: cmp.Or(l.Expiry, l.Today.AddDays(365*loneYears)), Country: loneCountry, Currency: currency,
		CAIndex: loneIndex, DKI: 1, IIN: l.PAN.Reveal()[:loneIINDigits],
		BalanceLimit: l.Limit, SingleLimit: l.Limit,
	}
	if !l.PIN.IsZero() {
		o.PIN, o.TryLimit, o.PINAbove = l.PIN, loneTries, money.New(currency, lonePINAbove)
	}
	proofs.CA.Expiry = o.Expiry.AddDays(certificateDays)
	p, err := Build(keys, o)
	return p, proofs, err
}

// anyPAN makes a card number with random digits behind the test issuer's.
func anyPAN(random io.Reader) (ident.PAN, error) {
	var b [8]byte
	if _, err := io.ReadFull(random, b[:]); err != nil {
		return ident.PAN{}, fmt.Errorf("choose a card number: %w", err)
	}
	room := loneDigits - 1 - len(loneIIN)
	digits := fmt.Sprintf("%020d", binary.BigEndian.Uint64(b[:]))
	return ident.ParsePAN(ident.WithLuhn(loneIIN + digits[len(digits)-room:]))
}

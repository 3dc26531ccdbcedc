package card

import (
	"bytes"
	"encoding/binary"
	"fmt"

	"jiaozi/crypt/emvkey"
	"jiaozi/crypt/oda"
	"jiaozi/value/clock"
	"jiaozi/value/ident"
	"jiaozi/value/money"
	"jiaozi/value/must"
	"jiaozi/wire/emv"
	"jiaozi/wire/tlv"
)

// The permanent part of a profile as the memory holds it: TLV objects, under
// their EMV tags where one exists.
const (
	tagFixed       tlv.Tag = 0xDF01 // see fixed
	tagPANDigits   tlv.Tag = 0xDF02
	tagKeys        tlv.Tag = 0xDF03 // AC, MAC, ENC
	tagPrivate     tlv.Tag = 0xDF04 // PKCS#8
	tagContact     tlv.Tag = 0xE1
	tagContactless tlv.Tag = 0xE2
	tagIssuer      tlv.Tag = 0xE3
	tagCertBody    tlv.Tag = 0xC1
	tagCertRest    tlv.Tag = 0xC2
	tagCertExp     tlv.Tag = 0xC3
)

// fixed holds the numbers of a profile.
type fixed struct {
	PSN               ident.PSN
	Effective, Expiry clock.Date
	Country           uint16
	Currency          money.Currency
	DKI, CAIndex      byte
	TryLimit          uint8
	PINAbove          money.Minor
}

func (p *Profile) append(dst []byte) []byte {
	numbers, err := binary.Append(nil, binary.BigEndian, fixed{
		PSN: p.PSN, Effective: p.Effective, Expiry: p.Expiry, Country: p.Country, Currency: p.Currency,
		DKI: p.DKI, CAIndex: p.CAIndex, TryLimit: p.TryLimit, PINAbove: p.PINAbove.Minor(),
	})
	must.Hold(err == nil, "card: the profile's numbers have variable size")
	keys := append(append(p.Keys.AC.Reveal(), p.Keys.MAC.Reveal()...), p.Keys.ENC.Reveal()...)
	return tlv.AppendList(dst, tlv.List{
		{Tag: tagFixed, Value: numbers},
		{Tag: emv.TagAID, Value: []byte(p.AID)},
		{Tag: emv.TagLabel, Value: []byte(p.Label)},
		{Tag: emv.TagHolderName, Value: []byte(p.Holder)},
		{Tag: tagPANDigits, Value: []byte(p.PAN.Reveal())},
		{Tag: tagKeys, Value: keys},
		{Tag: tagPrivate, Value: p.Private.Reveal()},
		{Tag: tagIssuer, Value: appendCert(p.Issuer)},
		{Tag: tagContact, Value: appendCert(p.Contact)},
		{Tag: tagContactless, Value: appendCert(p.Contactless)},
	})
}

func appendCert(c oda.Certificate) []byte {
	return tlv.AppendList(nil, tlv.List{
		{Tag: tagCertBody, Value: c.Cert},
		{Tag: tagCertRest, Value: c.Remainder},
		{Tag: tagCertExp, Value: c.Exponent},
	})
}

// decodeProfile reads what append wrote. The memory's hash has already spoken
// for the bytes, so a failure here means another version of the format.
func decodeProfile(b []byte) (*Profile, error) {
	list, err := tlv.Decode(b)
	if err != nil {
		return nil, fmt.Errorf("card profile: %w", err)
	}
	r := reader{list: list}
	p := &Profile{
		AID:    ident.AID(r.bytes(emv.TagAID)),
		Label:  string(r.bytes(emv.TagLabel)),
		Holder: string(r.bytes(emv.TagHolderName)),
	}
	r.fixed(p)
	// A card keeps the number it was made with; whoever made it checked it.
	p.PAN, err = ident.UncheckedPAN(string(r.bytes(tagPANDigits)))
	r.note(err)
	p.Keys = r.keys()
	p.Private, err = oda.Parse(r.bytes(tagPrivate))
	r.note(err)
	p.Issuer, p.Contact, p.Contactless = r.cert(tagIssuer), r.cert(tagContact), r.cert(tagContactless)
	if r.err != nil {
		return nil, fmt.Errorf("card profile: %w", r.err)
	}
	if !bytes.Equal(p.append(nil), b) {
		return nil, fmt.Errorf("card profile has unknown or impossible parts: %w", ErrMemory)
	}
	return p, nil
}

// reader collects the first error, so that decodeProfile reads like the list.
type reader struct {
	list tlv.List
	err  error
}

func (r *reader) note(err error) {
	if r.err == nil {
		r.err = err
	}
}

func (r *reader) bytes(t tlv.Tag) []byte {
	v, ok := r.list.Find(t)
	if !ok {
		r.note(fmt.Errorf("%v is missing: %w", t, ErrMemory))
	}
	return v
}

func (r *reader) fixed(p *Profile) {
	var f fixed
	if _, err := binary.Decode(r.bytes(tagFixed), binary.BigEndian, &f); err != nil {
		r.note(fmt.Errorf("numbers are cut short: %w", ErrMemory))
		return
	}
	p.PSN, p.Effective, p.Expiry, p.Country, p.Currency = f.PSN, f.Effective, f.Expiry, f.Country, f.Currency
	p.DKI, p.CAIndex, p.TryLimit, p.PINAbove = f.DKI, f.CAIndex, f.TryLimit, money.New(f.Currency, f.PINAbove)
}

func (r *reader) keys() emvkey.CardKeys {
	b := r.bytes(tagKeys)
	if len(b) != 3*emvkey.Size {
		r.note(fmt.Errorf("card keys are cut short: %w", ErrMemory))
		return emvkey.CardKeys{}
	}
	key := func(n int) emvkey.Key {
		k, err := emvkey.NewKey(b[n*emvkey.Size : (n+1)*emvkey.Size])
		r.note(err)
		return k
	}
	return emvkey.CardKeys{AC: key(0), MAC: key(1), ENC: key(2)}
}

func (r *reader) cert(t tlv.Tag) oda.Certificate {
	list, err := tlv.Decode(r.bytes(t))
	r.note(err)
	in := reader{list: list}
	c := oda.Certificate{Cert: in.bytes(tagCertBody), Remainder: in.bytes(tagCertRest), Exponent: in.bytes(tagCertExp)}
	r.note(in.err)
	return c
}

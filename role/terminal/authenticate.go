package terminal

import (
	"bytes"
	"errors"
	"fmt"
	"slices"

	"jiaozi/crypt/oda"
	"jiaozi/value/clock"
	"jiaozi/value/reason"
	"jiaozi/wire/apdu"
	"jiaozi/wire/emv"
	"jiaozi/wire/tlv"
)

// Offline data authentication (EMV Book 2, 6; fDDA as in JR/T 0025.12). There is
// no falling back: a card that does not authenticate is declined (attacks 2, 6, 9).

var (
	errNoODA      = errors.New("the card does not offer dynamic authentication")
	errNoCAKey    = errors.New("no scheme key of this index: the certificate cannot be checked")
	errStaticTags = errors.New("the list of signed data (9F4A) holds something else than 82")
	errCTQ        = errors.New("the qualifiers in clear are not those that the card signed")
	errPSN        = errors.New("the sequence number in clear is not the one that the card signed")
	errFDDA       = errors.New("the card does not sign the amount (fDDA version 01)")
)

const (
	cardAuthMin     = 7  // version, number of the card (4), qualifiers (2)
	cardAuthMax     = 16 // EMV Contactless Book C-3, 9F69
	cardAuthVersion = 1
)

// odaFailed counts the failure where the issuer will see it.
func (s *session) odaFailed(err error) *stop {
	s.tvr.Set(emv.TVRDDAFailed)
	return because(reason.ODAFailed, err)
}

// cardKey recovers the card's public key through both certificates. The card's
// certificate covers the signed records and the AIP, so that neither can be
// changed on the way (attacks 4, 5).
func (s *session) cardKey() (oda.PublicKey, *stop) {
	index := s.data[emv.TagCAIndex]
	if len(index) != 1 {
		return oda.PublicKey{}, s.odaFailed(errNoCAKey)
	}
	ca, ok := s.t.cfg.key(s.aid, index[0])
	if !ok {
		return oda.PublicKey{}, s.odaFailed(fmt.Errorf("index %02X: %w", index[0], errNoCAKey))
	}
	static, err := s.static()
	if err != nil {
		return oda.PublicKey{}, s.odaFailed(err)
	}
	today := clock.DateOf(s.when)
	issuer, err := oda.RecoverIssuer(ca, s.data[emv.TagIssuerCert], s.data[emv.TagIssuerRemainder], s.data[emv.TagIssuerExponent], s.pan, today)
	if err != nil {
		return oda.PublicKey{}, s.odaFailed(err)
	}
	card, err := oda.RecoverICC(issuer, s.data[emv.TagICCCert], s.data[emv.TagICCRemainder], s.data[emv.TagICCExponent], static, s.pan, today)
	if err != nil {
		return oda.PublicKey{}, s.odaFailed(err)
	}
	return card, nil
}

// static is what the card's certificate covers (EMV Book 3, 10.3): the signed
// records, and the AIP if 9F4A says so; it may say nothing else.
func (s *session) static() ([]byte, error) {
	list, ok := s.data[emv.TagSDATagList]
	if !ok {
		return s.signed, nil
	}
	if len(list) != 1 || tlv.Tag(list[0]) != emv.TagAIP {
		return nil, errStaticTags
	}
	return append(slices.Clone(s.signed), s.aip[:]...), nil
}

// tapSigned checks, before anything is debited, that the card has offered all
// that the later signature check needs, and that the qualifiers are the signed ones.
func (s *session) tapSigned() *stop {
	if !s.aip.Has(emv.AIPDDA) {
		s.tvr.Set(emv.TVRODANotPerformed)
		return because(reason.ODAFailed, errNoODA)
	}
	auth := s.data[emv.TagCardAuthData]
	if len(auth) < cardAuthMin || len(auth) > cardAuthMax || auth[0] != cardAuthVersion {
		return s.odaFailed(errFDDA)
	}
	if string(auth[5:7]) != string(s.data[emv.TagCTQ]) {
		return s.odaFailed(errCTQ)
	}
	if len(auth) > emv.CardAuthPSN && !bytes.Equal(auth[emv.CardAuthPSN:emv.CardAuthPSN+1], s.data[emv.TagPSN]) {
		return s.odaFailed(errPSN) // a listed card under another number is not on the list
	}
	return nil
}

// fDDA checks the signature of a tap over number, amount, currency and qualifiers.
func (s *session) fDDA() *stop {
	key, st := s.cardKey()
	if st != nil {
		return st
	}
	tail := oda.TailV01(s.un, s.n12, s.amount.Currency().BCD(), s.data[emv.TagCardAuthData])
	if _, err := oda.VerifyDynamic(key, s.data[emv.TagSDAD], tail); err != nil {
		return s.odaFailed(err)
	}
	return nil
}

// defaultDDOL signs the terminal's number (EMV Book 2, 6.5.1).
var defaultDDOL = tlv.DOL{{Tag: emv.TagUN, Len: 4}}

// dda makes the inserted card sign a fresh number.
func (s *session) dda() *stop {
	if !s.aip.Has(emv.AIPDDA) {
		s.tvr.Set(emv.TVRODANotPerformed)
		return because(reason.ODAFailed, errNoODA)
	}
	key, st := s.cardKey()
	if st != nil {
		return st
	}
	data, st := s.ddolData()
	if st != nil {
		return st
	}
	r, st := s.send(apdu.InternalAuth(data))
	if st != nil {
		return st
	}
	if !r.SW.OK() {
		return s.odaFailed(fmt.Errorf("INTERNAL AUTHENTICATE: the card answers %v", r.SW))
	}
	objects, st := answer(r.Data, []tlv.Tag{emv.TagSDAD}, []int{-1})
	if st != nil {
		return st
	}
	sdad, _ := objects.Find(emv.TagSDAD)
	if _, err := oda.VerifyDynamic(key, sdad, data); err != nil {
		return s.odaFailed(err)
	}
	return nil
}

func (s *session) ddolData() ([]byte, *stop) {
	dol := defaultDDOL
	if raw, ok := s.data[emv.TagDDOL]; ok {
		parsed, err := tlv.ParseDOL(raw)
		if err != nil {
			return nil, because(reason.ProtocolError, err)
		}
		dol = parsed
	}
	// EMV Book 2, 6.5.1: a list without the terminal's number proves nothing new.
	if !slices.ContainsFunc(dol, func(e tlv.DOLEntry) bool { return e.Tag == emv.TagUN && e.Len == 4 }) {
		return nil, s.odaFailed(errors.New("the card does not sign the terminal's number"))
	}
	return dol.Build(s.own, emv.Fill), nil
}

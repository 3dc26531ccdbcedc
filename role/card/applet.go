package card

import (
	"fmt"

	"jiaozi/crypt/oda"
	"jiaozi/value/bcd"
	"jiaozi/value/money"
	"jiaozi/value/must"
	"jiaozi/wire/apdu"
	"jiaozi/wire/emv"
	"jiaozi/wire/tlv"
)

// The files of the card. Certificates of the issuer are the same on both
// interfaces; the card's own are not, because each covers its interface's
// profile (AIP): a contact transcript cannot pass for a tap.
//
//	1  track 2, holder name          contact
//	2  card data, lists, CVM (signed) contact
//	3  issuer certificate            both
//	4  card certificate              contact
//	5  e-cash authorisation code     contact, e-cash path only
//	6  card data (signed)            contactless
//	7  card certificate              contactless
const (
	sfiHolder        = 1
	sfiContactData   = 2
	sfiIssuer        = 3
	sfiContactCert   = 4
	sfiElectronic    = 5
	sfiTapData       = 6
	sfiTapCert       = 7
	sfiDirectory     = 1 // of the PSE, another file system
	maxPatchableFile = 10
)

// record is one record of one file, template 70 included.
type record struct {
	sfi, number byte
	data        []byte
}

// path is one way through the application: what the card supports there and
// which records belong to it.
type path struct {
	aip emv.AIP
	afl emv.AFL
}

// applet is what the card answers from: derived from the profile at power-on,
// never stored.
type applet struct {
	*Profile
	records  []record
	contact  path // online: loads
	cash     path // contact electronic cash
	tap      path
	contacts []byte // FCI of the application, contact
	tapFCI   []byte
	track2   []byte
}

// What the card asks the terminal for. CDOL1 begins with the data of the
// cryptogram, in its order (facts of CVN 01), see cryptogram.
var (
	contactPDOL = tlv.DOL{{Tag: emv.TagECSupport, Len: 1}, {Tag: emv.TagAmount, Len: 6}, {Tag: emv.TagCurrency, Len: 2}}

	tapPDOL = tlv.DOL{
		{Tag: emv.TagTTQ, Len: 4}, {Tag: emv.TagAmount, Len: 6}, {Tag: emv.TagAmountOther, Len: 6},
		{Tag: emv.TagTerminalCountry, Len: 2}, {Tag: emv.TagTVR, Len: 5}, {Tag: emv.TagCurrency, Len: 2},
		{Tag: emv.TagDate, Len: 3}, {Tag: emv.TagTxnType, Len: 1}, {Tag: emv.TagUN, Len: 4},
		{Tag: emv.TagTime, Len: 3}, {Tag: emv.TagMerchantName, Len: 20},
	}

	cdol1 = tlv.DOL{
		{Tag: emv.TagAmount, Len: 6}, {Tag: emv.TagAmountOther, Len: 6}, {Tag: emv.TagTerminalCountry, Len: 2},
		{Tag: emv.TagTVR, Len: 5}, {Tag: emv.TagCurrency, Len: 2}, {Tag: emv.TagDate, Len: 3},
		{Tag: emv.TagTxnType, Len: 1}, {Tag: emv.TagUN, Len: 4},
		{Tag: emv.TagTime, Len: 3}, {Tag: emv.TagMerchantName, Len: 20},
	}

	cdol2 = append(tlv.DOL{{Tag: emv.TagARC, Len: 2}}, cdol1...)

	ddol = tlv.DOL{{Tag: emv.TagUN, Len: 4}}
)

// newApplet lays out the records and refuses a profile whose data do not fit.
func newApplet(p *Profile) (*applet, error) {
	track, err := emv.NewTrack2(p.PAN, p.Expiry.String()[2:4]+p.Expiry.String()[5:7], serviceCode, "")
	if err != nil {
		return nil, fmt.Errorf("card track 2: %w", err)
	}
	a := &applet{Profile: p, track2: track.Append(nil)}
	a.contact, a.tap = contactPath(), tapPath()
	a.cash = path{aip: a.contact.aip, afl: append(contactPath().afl, emv.AFLEntry{SFI: sfiElectronic, First: 1, Last: 1})}
	a.records = p.records(a.track2)
	for _, r := range a.records {
		if len(r.data) > maxRecord {
			return nil, fmt.Errorf("card record %d of file %d has %d bytes, at most %d fit: use a shorter key", r.number, r.sfi, len(r.data), maxRecord)
		}
	}
	// EMV answers carry at most 256 bytes, and a tap has one answer for everything.
	full := tap{iad: make([]byte, 19), cardAuth: make([]byte, emv.CardAuthPSN+1), sdad: make([]byte, p.Private.Size())}
	if n := len(a.tapAnswer(0, &full)); n > apdu.MaxLe {
		return nil, fmt.Errorf("the answer to a tap would have %d bytes, at most %d fit: use a shorter RSA key", n, apdu.MaxLe)
	}
	a.contacts, a.tapFCI = p.fci(contactPDOL), p.fci(tapPDOL)
	return a, nil
}

// serviceCode 220: international use is not offered, chip cards go online by
// issuer, no restrictions (ISO/IEC 7813).
const serviceCode = "220"

func contactPath() path {
	var aip emv.AIP
	for _, b := range []emv.AIPBit{emv.AIPDDA, emv.AIPCVM, emv.AIPTerminalRisk, emv.AIPIssuerAuth} {
		aip.Set(b)
	}
	return path{aip: aip, afl: emv.AFL{
		{SFI: sfiHolder, First: 1, Last: 1},
		{SFI: sfiContactData, First: 1, Last: 2, Signed: 2},
		{SFI: sfiIssuer, First: 1, Last: 2},
		{SFI: sfiContactCert, First: 1, Last: 1},
	}}
}

func tapPath() path {
	var aip emv.AIP
	aip.Set(emv.AIPDDA)
	return path{aip: aip, afl: emv.AFL{
		{SFI: sfiTapData, First: 1, Last: 1, Signed: 1},
		{SFI: sfiIssuer, First: 1, Last: 2},
		{SFI: sfiTapCert, First: 1, Last: 1},
	}}
}

// Static gives the static data that the card certificate of an interface must
// cover: the signed records' contents, then the AIP, which tag 9F4A names
// (EMV Book 3, 10.3).
func (p *Profile) Static(i Interface) []byte {
	if i == Contactless {
		aip := tapPath().aip
		return append(p.tapData(), aip[:]...)
	}
	aip := contactPath().aip
	return append(append(p.contactData(), p.contactLists()...), aip[:]...)
}

func (p *Profile) records(track2 []byte) []record {
	issuer := certificate(p.Issuer, emv.TagIssuerCert, emv.TagIssuerRemainder, emv.TagIssuerExponent)
	contact := certificate(p.Contact, emv.TagICCCert, emv.TagICCRemainder, emv.TagICCExponent)
	tap := certificate(p.Contactless, emv.TagICCCert, emv.TagICCRemainder, emv.TagICCExponent)
	// The issuer certificate may fill a record, so its companions have the next.
	companions := append(tlv.List{{Tag: emv.TagCAIndex, Value: []byte{p.CAIndex}}}, issuer[1:]...)
	holder := tlv.List{{Tag: emv.TagTrack2, Value: track2}, {Tag: emv.TagHolderName, Value: []byte(p.Holder)}}
	code := tlv.List{{Tag: emv.TagECIssuerAuth, Value: []byte(electronicCash)}}
	template := func(sfi, number byte, body []byte) record {
		return record{sfi, number, tlv.Append(nil, emv.TagRecord, body)}
	}
	return []record{
		template(sfiHolder, 1, tlv.AppendList(nil, holder)),
		template(sfiContactData, 1, p.contactData()),
		template(sfiContactData, 2, p.contactLists()),
		template(sfiIssuer, 1, tlv.AppendList(nil, issuer[:1])),
		template(sfiIssuer, 2, tlv.AppendList(nil, companions)),
		template(sfiContactCert, 1, tlv.AppendList(nil, contact)),
		template(sfiElectronic, 1, tlv.AppendList(nil, code)),
		template(sfiTapData, 1, p.tapData()),
		template(sfiTapCert, 1, tlv.AppendList(nil, tap)),
	}
}

// certificate lists a certificate's objects; a remainder that is not needed is
// left out (EMV Book 2, 5.1).
func certificate(c oda.Certificate, cert, rest, exponent tlv.Tag) tlv.List {
	l := tlv.List{{Tag: cert, Value: c.Cert}}
	if len(c.Remainder) > 0 {
		l = append(l, tlv.Item{Tag: rest, Value: c.Remainder})
	}
	return append(l, tlv.Item{Tag: exponent, Value: c.Exponent})
}

// tapData is the signed record of the contactless path. The sequence number is
// not in it because the tap's GPO answer must carry it, where 9F69 brings it under
// the signature, and a tag that appears twice is refused.
func (p *Profile) tapData() []byte {
	return tlv.Append(p.commonData(), emv.TagECIssuerAuth, []byte(electronicCash))
}

// contactData is the first signed record of the contact paths.
func (p *Profile) contactData() []byte {
	return tlv.Append(p.commonData(), emv.TagPSN, p.psn())
}

// electronicCash is the authorisation code of tag 9F74: an offline payment shows
// it in the place of the issuer's.
const electronicCash = "ECC001"

func (p *Profile) commonData() []byte {
	pan := p.PAN.Reveal()
	digits, err := bcd.EncodeLeft(pan, (len(pan)+1)/2)
	must.Hold(err == nil, "card: a PAN that is not digits")
	effective, expiry, currency := p.Effective.YYMMDD(), p.Expiry.YYMMDD(), p.Currency.BCD()
	country := money.Currency(p.Country).BCD() // the same n3 form
	return tlv.AppendList(nil, tlv.List{
		{Tag: emv.TagPAN, Value: digits},
		{Tag: emv.TagExpiry, Value: expiry[:]},
		{Tag: emv.TagEffective, Value: effective[:]},
		{Tag: emv.TagIssuerCountry, Value: country[:]},
		{Tag: emv.TagServiceCode, Value: []byte{0x02, 0x20}},
		{Tag: emv.TagAppCurrency, Value: currency[:]},
		{Tag: emv.TagAUC, Value: []byte{0xFF, 0x00}},
		{Tag: emv.TagCardVersion, Value: []byte{0x00, 0x30}},
		{Tag: emv.TagSDATagList, Value: []byte{byte(emv.TagAIP)}},
	})
}

func (p *Profile) psn() []byte { return []byte{byte(p.PSN/10)<<4 | byte(p.PSN%10)} }

// contactLists is the signed record with the rules of the contact path. Terminals
// must find the rules in signed records or an attacker writes them.
func (p *Profile) contactLists() []byte {
	return tlv.AppendList(nil, tlv.List{
		{Tag: emv.TagCDOL1, Value: cdol1.Append(nil)},
		{Tag: emv.TagCDOL2, Value: cdol2.Append(nil)},
		{Tag: emv.TagDDOL, Value: ddol.Append(nil)},
		{Tag: emv.TagCVMList, Value: p.cvmList()},
		{Tag: emv.TagIACDenial, Value: iacDenial[:]},
		{Tag: emv.TagIACOnline, Value: iacOnline[:]},
		{Tag: emv.TagIACDefault, Value: iacOnline[:]},
	})
}

// Issuer action codes. Data authentication that failed, an expired card or a
// failed cardholder verification is refused, never sent online: otherwise an
// attacker breaks a certificate on purpose to reach weaker rules.
var (
	iacDenial = emv.TVR{0x7C, 0x70, 0x80, 0x00, 0x00}
	iacOnline = emv.TVR{0x80, 0x00, 0x7C, 0xF8, 0x00}
)

// cvmList says: above the amount the PIN, checked by the card, and no other way
// if it fails; otherwise nothing (EMV Book 3, 10.5).
func (p *Profile) cvmList() []byte {
	const (
		plainPIN, noCVM = 0x01, 0x1F
		always, overX   = 0x00, 0x07
	)
	list := make([]byte, 8)
	if p.TryLimit > 0 {
		x := uint32(p.PINAbove.Minor())
		list[0], list[1], list[2], list[3] = byte(x>>24), byte(x>>16), byte(x>>8), byte(x)
		list = append(list, plainPIN, overX)
	}
	return append(list, noCVM, always)
}

// fci is the file control information of the application (EMV Book 1, 11.3.4).
func (p *Profile) fci(pdol tlv.DOL) []byte {
	logs := tlv.AppendList(nil, tlv.List{
		{Tag: emv.TagLogEntry, Value: []byte{sfiPayments, logSize}},
		{Tag: emv.TagLoadLogEntry, Value: []byte{sfiLoads, logSize}},
	})
	return fci([]byte(p.AID), tlv.List{
		{Tag: emv.TagLabel, Value: []byte(p.Label)},
		{Tag: emv.TagPriority, Value: []byte{0x01}},
		{Tag: emv.TagPDOL, Value: pdol.Append(nil)},
		{Tag: emv.TagLanguage, Value: []byte("zhen")},
		{Tag: emv.TagFCIDiscretionary, Value: logs},
	})
}

// fci wraps the proprietary part that every SELECT answers with.
func fci(name []byte, proprietary tlv.List) []byte {
	body := tlv.Append(nil, emv.TagDFName, name)
	body = tlv.Append(body, emv.TagFCIProprietary, tlv.AppendList(nil, proprietary))
	return tlv.Append(nil, emv.TagFCI, body)
}

// entry names the application in both directories.
func (p *Profile) entry() []byte {
	return tlv.Append(nil, emv.TagDirectoryEntry, tlv.AppendList(nil, tlv.List{
		{Tag: emv.TagAID, Value: []byte(p.AID)},
		{Tag: emv.TagLabel, Value: []byte(p.Label)},
		{Tag: emv.TagPriority, Value: []byte{0x01}},
	}))
}

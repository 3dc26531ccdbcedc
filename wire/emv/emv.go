// Package emv is the vocabulary of payment cards: what each tag is called, how
// its value is formed, and what its bits mean, in English and Chinese.
//
//	tlv   knows where a value begins and ends
//	emv   knows what it is
//	roles know what to do about it
//
// Lookup finds a tag in the dictionary, ByName finds it by the short name that
// engineers say (TVR), Explain puts a value into words. TVR, AIP, TTQ, CTQ, CVR
// are bit fields with named bits; AFL, IAD and Track2 are parsed strictly and
// written back byte for byte; Track2 masks itself.
//
// The dictionary is that of EMV Books 1, 3 and 4 and of PBOC debit/credit and
// electronic cash (JR/T 0025, kernel 7). Other kernels give some of these tags
// other meanings (9F5D, 9F69, 9F6D, 9F74 to 9F7B): do not read their cards with
// it. The texts of the JR/T standards are not public; names of their tags are
// the ones in common use.
package emv

import (
	"jiaozi/value/lang"
	"jiaozi/wire/tlv"
)

// Format is how a value is formed (EMV Book 3, 4.3).
type Format uint8

// The formats. A template holds other objects, a DOL lists tags and lengths.
const (
	Binary Format = iota
	Num           // n: BCD, right-justified behind zeros
	CNum          // cn: BCD, left-justified before F
	Alpha         // a, an, ans: characters
	Date          // n6 YYMMDD
	Money         // n12 in minor units
	Template
	List // DOL
	Secret
)

var formatNames = [...]string{"b", "n", "cn", "ans", "n6 YYMMDD", "n12", "template", "DOL", "b"}

// String is the standard's abbreviation.
func (f Format) String() string { return formatNames[f] }

// Info is one line of the dictionary. Lengths are bytes; Max 0 means that the
// standard sets no upper bound.
type Info struct {
	Tag      tlv.Tag
	Name     lang.Text
	Format   Format
	Min, Max int
	Source   string
}

// Where names and formats come from.
const (
	srcISO  = "ISO/IEC 7816"
	srcEMV  = "EMV Book 3 Annex A"
	srcCtls = "EMV Contactless"
	srcPBOC = "JR/T 0025.5"
	srcTap  = "JR/T 0025.12"
	srcEC   = "JR/T 0025.13"
	srcPOS  = "POS dialect"
	srcOwn  = "Jiaozi"
)

var dictionary = index(templateTags, cardTags, odaTags, terminalTags, cryptogramTags, pbocTags, cashTags, posTags, recordTags)

func index(tables ...[]Info) map[tlv.Tag]Info {
	all := make(map[tlv.Tag]Info, 256)
	for _, table := range tables {
		for _, info := range table {
			all[info.Tag] = info
		}
	}
	return all
}

// Lookup finds a tag.
func Lookup(t tlv.Tag) (Info, bool) {
	info, ok := dictionary[t]
	return info, ok
}

// Fits reports whether a value of n bytes has a length that the tag allows.
func (i Info) Fits(n int) bool { return n >= i.Min && (i.Max == 0 || n <= i.Max) }

// Numeric reports whether the tag is format n, which lists cut and pad on the
// left.
func Numeric(t tlv.Tag) bool {
	switch dictionary[t].Format {
	case Num, Date, Money:
		return true
	}
	return false
}

// Fill tells tlv.DOL.Build how to bring the tag's value to length.
func Fill(t tlv.Tag) tlv.Fill {
	switch {
	case Numeric(t):
		return tlv.FillLeft
	case dictionary[t].Format == CNum:
		return tlv.FillF
	default:
		return tlv.FillRight
	}
}

// The names that engineers say instead of the number.
var shortNames = map[string]tlv.Tag{
	"AAC": TagAC, "ARQC": TagAC, "TC": TagAC, "AFL": TagAFL, "AID": TagAID, "AIP": TagAIP,
	"ARC": TagARC, "ATC": TagATC, "AUC": TagAUC, "CDOL1": TagCDOL1, "CDOL2": TagCDOL2, "CID": TagCID,
	"CTQ": TagCTQ, "CVM": TagCVMList, "CVMLIST": TagCVMList, "CVMR": TagCVMResults, "CVMRESULTS": TagCVMResults,
	"CVR": tagCVR, "DDOL": TagDDOL, "IAC": TagIACDefault, "IAD": TagIAD, "PAN": TagPAN, "PDOL": TagPDOL,
	"PSN": TagPSN, "TAC": TagIACDefault, "TSI": TagTSI, "TTQ": TagTTQ, "TVR": TagTVR, "UN": TagUN,
	"TRACK2": TagTrack2,
}

// tagCVR stands for the three CVR bytes, which travel inside the IAD and have
// no tag of their own; 00 can never be one.
const tagCVR tlv.Tag = 0

// ByName finds a tag by its short name in capitals, such as "TVR". CVR names
// the three bytes inside the IAD, which have no tag: it is found as tag 0,
// which Explain understands.
func ByName(name string) (tlv.Tag, bool) {
	t, ok := shortNames[name]
	return t, ok
}

package emv

import "jiaozi/value/must"

// Decision is a card's word on a transaction, coded as in CID and in P1 of
// GENERATE AC.
type Decision byte

// The three decisions.
const (
	AAC  Decision = 0x00 // declined
	TC   Decision = 0x40 // approved offline, or completed after going online
	ARQC Decision = 0x80 // the issuer must be asked

	decisionMask Decision = 0xC0
)

// String is the name of the cryptogram.
func (d Decision) String() string {
	switch d {
	case AAC:
		return "AAC"
	case TC:
		return "TC"
	case ARQC:
		return "ARQC"
	}
	return "RFU"
}

// CID is the cryptogram information data (tag 9F27).
type CID byte

// Decision is the cryptogram that the card made.
func (c CID) Decision() Decision { return Decision(c) & decisionMask }

// CVR is the card verification results inside the issuer application data: the
// card's own account of this transaction and the last ones. The layout is that
// of JR/T 0025.5, shared with VIS 1.4.
type CVR [3]byte

// CVRBit names one bit of a CVR.
type CVRBit uint16

// The bits. The first four of the first byte are the two decisions.
const (
	CVRIssuerAuthFailed       CVRBit = 0x0008
	CVRPINVerified            CVRBit = 0x0004 // offline PIN verification was performed
	CVRPINFailed              CVRBit = 0x0002
	CVRUnableOnline           CVRBit = 0x0001
	CVRLastOnlineIncomplete   CVRBit = 0x0180
	CVRPINTriesExceeded       CVRBit = 0x0140
	CVRVelocityExceeded       CVRBit = 0x0120 // also: balance short, over the single limit, below the threshold
	CVRNewCard                CVRBit = 0x0110
	CVRLastIssuerAuthFailed   CVRBit = 0x0108
	CVRIssuerAuthNotPerformed CVRBit = 0x0104
	CVRBlockedByPINTries      CVRBit = 0x0102
	CVRLastSDAFailed          CVRBit = 0x0101
	CVRScriptFailed           CVRBit = 0x0208
	CVRLastDDAFailed          CVRBit = 0x0204
	CVRDDAPerformed           CVRBit = 0x0202
	CVRPINNotReceived         CVRBit = 0x0201
)

const (
	cvrSecondMask  = 0xC0
	cvrSecondNone  = 0x80 // the second GENERATE AC has not been asked for
	cvrFirstMask   = 0x30
	maxScriptCount = 15
)

// Has reports whether the bit is set.
func (v CVR) Has(b CVRBit) bool { return hasBit(v[:], uint16(b)) }

// Set sets the bit.
func (v *CVR) Set(b CVRBit) { setBit(v[:], uint16(b)) }

// First is the cryptogram of the first GENERATE AC, or of the contactless GPO.
func (v CVR) First() Decision { return Decision(v[0]&cvrFirstMask) << 2 }

// Second is the cryptogram of the second GENERATE AC, if there was one.
func (v CVR) Second() (Decision, bool) {
	if s := v[0] & cvrSecondMask; s != cvrSecondNone {
		return Decision(s), true
	}
	return 0, false
}

// SetFirst records the first decision and that no second was asked for yet.
func (v *CVR) SetFirst(d Decision) {
	v[0] = v[0]&^(cvrFirstMask|cvrSecondMask) | byte(d)>>2 | cvrSecondNone
}

// SetSecond records the second decision, which is never to go online again.
func (v *CVR) SetSecond(d Decision) {
	must.Hold(d == AAC || d == TC, "emv: second decision %v", d)
	v[0] = v[0]&^cvrSecondMask | byte(d)
}

// Scripts counts the secured script commands that the card carried out after
// the second cryptogram of its last online transaction; it stops at 15.
func (v CVR) Scripts() int { return int(v[2] >> 4) }

// SetScripts records that count.
func (v *CVR) SetScripts(n int) {
	v[2] = v[2]&0x0F | byte(min(n, maxScriptCount))<<4
}

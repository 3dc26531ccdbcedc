package emv

// A bit of a bit field is named by a number: the byte's index above, the mask
// in that byte below. 0x0280 is the top bit of the third byte.

func hasBit(field []byte, bit uint16) bool { return field[bit>>8]&byte(bit) != 0 }
func setBit(field []byte, bit uint16)      { field[bit>>8] |= byte(bit) }

// TVR is the terminal verification results (tag 95): what went wrong so far.
type TVR [5]byte

// TVRBit names one bit of a TVR.
type TVRBit uint16

// EMV Book 3 Annex C5.
const (
	TVRODANotPerformed    TVRBit = 0x0080
	TVRSDAFailed          TVRBit = 0x0040
	TVRDataMissing        TVRBit = 0x0020
	TVROnExceptionFile    TVRBit = 0x0010
	TVRDDAFailed          TVRBit = 0x0008
	TVRCDAFailed          TVRBit = 0x0004
	TVRSDASelected        TVRBit = 0x0002
	TVRVersionsDiffer     TVRBit = 0x0180
	TVRExpired            TVRBit = 0x0140
	TVRNotYetEffective    TVRBit = 0x0120
	TVRServiceNotAllowed  TVRBit = 0x0110
	TVRNewCard            TVRBit = 0x0108
	TVRCVMFailed          TVRBit = 0x0280
	TVRUnknownCVM         TVRBit = 0x0240
	TVRPINTriesExceeded   TVRBit = 0x0220
	TVRNoPINPad           TVRBit = 0x0210
	TVRPINNotEntered      TVRBit = 0x0208
	TVROnlinePIN          TVRBit = 0x0204
	TVROverFloorLimit     TVRBit = 0x0380
	TVRLowerOfflineLimit  TVRBit = 0x0340
	TVRUpperOfflineLimit  TVRBit = 0x0320
	TVRRandomOnline       TVRBit = 0x0310
	TVRForcedOnline       TVRBit = 0x0308
	TVRDefaultTDOL        TVRBit = 0x0480
	TVRIssuerAuthFailed   TVRBit = 0x0440
	TVRScriptFailedBefore TVRBit = 0x0420
	TVRScriptFailedAfter  TVRBit = 0x0410
	TVRRelayOverThreshold TVRBit = 0x0408
	TVRRelayTimeExceeded  TVRBit = 0x0404
)

// Has reports whether the bit is set.
func (v TVR) Has(b TVRBit) bool { return hasBit(v[:], uint16(b)) }

// Set sets the bit.
func (v *TVR) Set(b TVRBit) { setBit(v[:], uint16(b)) }

// Meets reports whether any bit is set that an action code (IAC or TAC) also
// sets: the comparison of terminal action analysis (EMV Book 3, 10.7).
func (v TVR) Meets(actionCode TVR) bool {
	for i := range v {
		if v[i]&actionCode[i] != 0 {
			return true
		}
	}
	return false
}

// TSI is the transaction status information (tag 9B): what was done.
type TSI [2]byte

// TSIBit names one bit of a TSI.
type TSIBit uint16

// EMV Book 3 Annex C6.
const (
	TSIODADone          TSIBit = 0x0080
	TSICVMDone          TSIBit = 0x0040
	TSICardRiskDone     TSIBit = 0x0020
	TSIIssuerAuthDone   TSIBit = 0x0010
	TSITerminalRiskDone TSIBit = 0x0008
	TSIScriptDone       TSIBit = 0x0004
)

// Has reports whether the bit is set.
func (v TSI) Has(b TSIBit) bool { return hasBit(v[:], uint16(b)) }

// Set sets the bit.
func (v *TSI) Set(b TSIBit) { setBit(v[:], uint16(b)) }

// AIP is the application interchange profile (tag 82): what the card can do.
type AIP [2]byte

// AIPBit names one bit of an AIP.
type AIPBit uint16

// EMV Book 3 Annex C1; the bits of the second byte are the contactless ones.
const (
	AIPSDA          AIPBit = 0x0040
	AIPDDA          AIPBit = 0x0020
	AIPCVM          AIPBit = 0x0010
	AIPTerminalRisk AIPBit = 0x0008
	AIPIssuerAuth   AIPBit = 0x0004
	AIPOnDeviceCVM  AIPBit = 0x0002
	AIPCDA          AIPBit = 0x0001
	AIPEMVMode      AIPBit = 0x0180
	AIPRelay        AIPBit = 0x0101
)

// Has reports whether the bit is set.
func (v AIP) Has(b AIPBit) bool { return hasBit(v[:], uint16(b)) }

// Set sets the bit.
func (v *AIP) Set(b AIPBit) { setBit(v[:], uint16(b)) }

// TTQ is the terminal transaction qualifiers (tag 9F66): what a contactless
// terminal can do and wants for this transaction.
type TTQ [4]byte

// TTQBit names one bit of a TTQ.
type TTQBit uint16

// EMV Contactless Book C-7; JR/T 0025.12.
const (
	TTQMSD             TTQBit = 0x0080
	TTQFullContactless TTQBit = 0x0040
	TTQqPBOC           TTQBit = 0x0020
	TTQContact         TTQBit = 0x0010
	TTQOfflineOnly     TTQBit = 0x0008
	TTQOnlinePIN       TTQBit = 0x0004
	TTQSignature       TTQBit = 0x0002
	TTQODAForOnline    TTQBit = 0x0001
	TTQOnlineRequired  TTQBit = 0x0180
	TTQCVMRequired     TTQBit = 0x0140
	TTQContactPIN      TTQBit = 0x0120
	TTQIssuerUpdate    TTQBit = 0x0280
	TTQCDCVM           TTQBit = 0x0240
	TTQfDDAVersion01   TTQBit = 0x0380
)

// Has reports whether the bit is set.
func (v TTQ) Has(b TTQBit) bool { return hasBit(v[:], uint16(b)) }

// Set sets the bit.
func (v *TTQ) Set(b TTQBit) { setBit(v[:], uint16(b)) }

// CTQ is the card transaction qualifiers (tag 9F6C): the card's answer to it.
type CTQ [2]byte

// CTQBit names one bit of a CTQ.
type CTQBit uint16

// EMV Contactless Book C-7. Sources disagree about who sets CTQCDCVMDone.
const (
	CTQOnlinePIN         CTQBit = 0x0080
	CTQSignature         CTQBit = 0x0040
	CTQOnlineIfODAFails  CTQBit = 0x0020
	CTQSwitchIfODAFails  CTQBit = 0x0010
	CTQOnlineIfExpired   CTQBit = 0x0008
	CTQSwitchForCash     CTQBit = 0x0004
	CTQSwitchForCashback CTQBit = 0x0002
	CTQCDCVMDone         CTQBit = 0x0180
	CTQIssuerUpdate      CTQBit = 0x0140
)

// Has reports whether the bit is set.
func (v CTQ) Has(b CTQBit) bool { return hasBit(v[:], uint16(b)) }

// Set sets the bit.
func (v *CTQ) Set(b CTQBit) { setBit(v[:], uint16(b)) }

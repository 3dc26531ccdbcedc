package apdu

import (
	"jiaozi/value/must"
	"jiaozi/wire/tlv"
)

// Instruction bytes of ISO 7816-4, EMV Book 3 (6.5) and PBOC scripts.
const (
	InsAppBlock     = 0x1E
	InsAppUnblock   = 0x18
	InsVerify       = 0x20
	InsPINChange    = 0x24
	InsExternalAuth = 0x82
	InsGetChallenge = 0x84
	InsInternalAuth = 0x88
	InsSelect       = 0xA4
	InsGPO          = 0xA8
	InsGenerateAC   = 0xAE
	InsReadRecord   = 0xB2
	InsGetResponse  = 0xC0
	InsGetData      = 0xCA
	InsPutData      = 0xDA
	InsUpdateRecord = 0xDC
	InsCardBlock    = 0x16
)

// Class bytes. The low nibble 4 announces secure messaging (data, then MAC).
const (
	ClaISO         = 0x00
	ClaISOSecure   = 0x04
	ClaEMV         = 0x80
	ClaEMVSecure   = 0x84
	selectByName   = 0x04
	selectNext     = 0x02
	plainPIN       = 0x80
	tagCommandTmpl = tlv.Tag(0x83)
)

// The cryptogram that GENERATE AC asks for (P1). Adding RequestCDA asks for a
// combined signature.
const (
	RequestAAC  = 0x00
	RequestTC   = 0x40
	RequestARQC = 0x80
	RequestCDA  = 0x10
)

// MACBytes is the length of the MAC that ends a secured script command.
const MACBytes = 4

// Select chooses an application, or a directory such as 2PAY.SYS.DDF01.
func Select(aid []byte) Command {
	return Command{CLA: ClaISO, INS: InsSelect, P1: selectByName, Data: aid, Le: MaxLe}
}

// SelectNext asks for the next application with the same partial name.
func SelectNext(aid []byte) Command {
	return Command{CLA: ClaISO, INS: InsSelect, P1: selectByName, P2: selectNext, Data: aid, Le: MaxLe}
}

// ReadRecord reads record rec (1..255) of the file with short id sfi (1..30).
func ReadRecord(sfi, rec byte) Command {
	must.Hold(sfi >= 1 && sfi <= 30, "apdu: SFI %d", sfi)
	return Command{CLA: ClaISO, INS: InsReadRecord, P1: rec, P2: sfi<<3 | 4, Le: MaxLe}
}

// GPO starts a transaction with the data that the PDOL asked for; with no PDOL
// pdolData is empty and the template is sent as 8300.
func GPO(pdolData []byte) Command {
	return Command{CLA: ClaEMV, INS: InsGPO, Data: tlv.Append(nil, tagCommandTmpl, pdolData), Le: MaxLe}
}

// GetData reads one object that lives outside the records, such as 9F36.
func GetData(tag tlv.Tag) Command {
	must.Hold(tag <= 0xFFFF, "apdu: GET DATA of %v", tag)
	return Command{CLA: ClaEMV, INS: InsGetData, P1: byte(tag >> 8), P2: byte(tag), Le: MaxLe}
}

// Verify presents a plain PIN block (ISO 9564 format 2).
func Verify(block [8]byte) Command {
	return Command{CLA: ClaISO, INS: InsVerify, P2: plainPIN, Data: block[:], Le: NoLe}
}

// InternalAuth asks for a dynamic signature over the DDOL data.
func InternalAuth(data []byte) Command {
	return Command{CLA: ClaISO, INS: InsInternalAuth, Data: data, Le: MaxLe}
}

// ExternalAuth hands the issuer's answer (tag 91: ARPC and code) to the card.
func ExternalAuth(data []byte) Command {
	return Command{CLA: ClaISO, INS: InsExternalAuth, Data: data, Le: NoLe}
}

// GenerateAC asks for a cryptogram over the CDOL data; p1 is RequestTC etc.
func GenerateAC(p1 byte, data []byte) Command {
	return Command{CLA: ClaEMV, INS: InsGenerateAC, P1: p1, Data: data, Le: MaxLe}
}

// GetChallenge asks for eight random bytes.
func GetChallenge() Command {
	return Command{CLA: ClaISO, INS: InsGetChallenge, Le: MaxLe}
}

// PutData writes one object by issuer script: 04DA, tag, value, MAC. The MAC
// covers Header, so build the command once with a zero MAC to learn it.
func PutData(tag tlv.Tag, value []byte, mac [MACBytes]byte) Command {
	must.Hold(tag <= 0xFFFF, "apdu: PUT DATA of %v", tag)
	return Command{CLA: ClaISOSecure, INS: InsPutData, P1: byte(tag >> 8), P2: byte(tag), Data: secured(value, mac), Le: NoLe}
}

// BlockApplication makes the selected application refuse payment from now on.
func BlockApplication(mac [MACBytes]byte) Command {
	return Command{CLA: ClaEMVSecure, INS: InsAppBlock, Data: secured(nil, mac), Le: NoLe}
}

// UnblockApplication takes a block back.
func UnblockApplication(mac [MACBytes]byte) Command {
	return Command{CLA: ClaEMVSecure, INS: InsAppUnblock, Data: secured(nil, mac), Le: NoLe}
}

// UnblockPIN resets the PIN try counter (PIN CHANGE/UNBLOCK with P2 00).
func UnblockPIN(mac [MACBytes]byte) Command {
	return Command{CLA: ClaEMVSecure, INS: InsPINChange, Data: secured(nil, mac), Le: NoLe}
}

func secured(value []byte, mac [MACBytes]byte) []byte {
	return append(append(make([]byte, 0, len(value)+MACBytes), value...), mac[:]...)
}

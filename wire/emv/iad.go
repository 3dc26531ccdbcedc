package emv

import (
	"errors"
	"fmt"

	"jiaozi/value/money"
)

// Cryptogram versions of PBOC: which data the cryptogram covers.
const (
	CVN01 byte = 0x01 // contact: amounts, country, TVR, ... and the whole CVR
	CVN17 byte = 0x11 // contactless: amount, UN, ATC and one CVR byte
)

// Algorithm of cryptograms and MACs, byte 8 of the IAD.
const (
	Alg3DES byte = 0x01
	AlgSM4  byte = 0x04
)

// What the five-byte value in the issuer discretionary data means.
const (
	IDDBalance    byte = 0x01 // electronic cash balance
	IDDCumulative byte = 0x02 // cumulative total (CTTA)
	IDDBoth       byte = 0x03
	IDDTotalLimit byte = 0x04 // CTTA and its limit
	IDDAvailable  byte = 0x05 // available offline amount (9F5D)
	iadBytes           = 19
	iadHeadLen         = 0x07
	iadCVRLen          = 0x03
	iadTailLen         = 0x0A
	iadOffCVRLen       = 3
	iadOffTailLen      = 8
)

// ErrIAD: the issuer application data is not in the PBOC form; whatever signed
// it is not a card of this scheme.
var ErrIAD = errors.New("emv: issuer application data is not 07 DKI CVN 03 CVR alg 0A id value MAC")

// ErrNoBalance: the card sent another value than its balance.
var ErrNoBalance = errors.New("emv: the issuer application data carries no balance")

// IAD is the issuer application data (tag 9F10), 19 bytes:
//
//	07 | DKI | CVN | 03 CVR CVR CVR | alg | 0A | id | value(5) | MAC(4)
//
// The MAC is the only proof of the value: a balance read in clear is a rumour.
type IAD struct {
	DKI, CVN byte
	CVR      CVR
	Alg      byte
	IDD      byte
	Value    [5]byte
	MAC      [4]byte
}

// ParseIAD reads the 19-byte form and nothing else.
func ParseIAD(b []byte) (IAD, error) {
	if len(b) != iadBytes || b[0] != iadHeadLen || b[iadOffCVRLen] != iadCVRLen || b[iadOffTailLen] != iadTailLen {
		return IAD{}, fmt.Errorf("%d bytes: %w", len(b), ErrIAD)
	}
	return IAD{
		DKI: b[1], CVN: b[2], CVR: CVR(b[4:7]), Alg: b[7],
		IDD: b[9], Value: [5]byte(b[10:15]), MAC: [4]byte(b[15:19]),
	}, nil
}

// Append writes the 19 bytes.
func (d IAD) Append(dst []byte) []byte {
	dst = append(dst, iadHeadLen, d.DKI, d.CVN, iadCVRLen, d.CVR[0], d.CVR[1], d.CVR[2], d.Alg, iadTailLen, d.IDD)
	dst = append(dst, d.Value[:]...)
	return append(dst, d.MAC[:]...)
}

// Decision is the card's decision when it made this cryptogram: the second one
// if there was one. Cards without CID (qPBOC) say it nowhere else.
func (d IAD) Decision() Decision {
	if second, ok := d.CVR.Second(); ok {
		return second
	}
	return d.CVR.First()
}

// Balance is the electronic cash balance that the MAC covers. The value holds
// the right five bytes of n12, so ten digits.
func (d IAD) Balance(c money.Currency) (money.Amount, error) {
	if d.IDD != IDDBalance {
		return money.Amount{}, fmt.Errorf("data id %02X: %w", d.IDD, ErrNoBalance)
	}
	n12 := append(make([]byte, 1, 6), d.Value[:]...)
	balance, err := money.FromN12(c, n12)
	if err != nil {
		return money.Amount{}, fmt.Errorf("balance in the issuer application data: %w", err)
	}
	return balance, nil
}

// BalanceValue packs a balance into the five bytes of Value.
func BalanceValue(a money.Amount) ([5]byte, error) {
	n12, err := a.N12()
	if err != nil {
		return [5]byte{}, err
	}
	if n12[0] != 0 {
		return [5]byte{}, money.ErrOverflow
	}
	return [5]byte(n12[1:]), nil
}

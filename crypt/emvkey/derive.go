package emvkey

import (
	"encoding/binary"
	"fmt"
	"strings"

	"jiaozi/crypt/internal/tdes"
	"jiaozi/value/ident"
)

// CardKey derives a card's key from an issuer master key: EMV Book 2, A1.4.1
// option A, which takes the rightmost sixteen digits of PAN and PSN.
func CardKey(imk Key, pan ident.PAN, psn ident.PSN) Key {
	y := diversifier(pan, psn)
	left := imk.use().Encrypt(y)
	for i := range y {
		y[i] = ^y[i]
	}
	right := imk.use().Encrypt(y)
	tdes.SetOddParity(left[:])
	tdes.SetOddParity(right[:])
	return fromHalves(left, right)
}

// diversifier packs the rightmost sixteen digits of PAN and two-digit PSN,
// zeros before a shorter number.
func diversifier(pan ident.PAN, psn ident.PSN) [8]byte {
	digits := strings.Repeat("0", 16) + pan.Reveal() + fmt.Sprintf("%02d", psn)
	digits = digits[len(digits)-16:]
	var y [8]byte
	for i := range y {
		y[i] = digits[2*i]&15<<4 | digits[2*i+1]&15
	}
	return y
}

// Session derives the PBOC session key of one transaction: the card key
// enciphers the counter and its complement, each right-aligned in a block. It
// is neither EMV's common session key nor Visa's exclusive-or.
func Session(udk Key, atc uint16) Key {
	return fromHalves(
		udk.use().Encrypt(counterBlock(atc)),
		udk.use().Encrypt(counterBlock(^atc)))
}

func counterBlock(n uint16) (b [8]byte) {
	binary.BigEndian.PutUint16(b[6:], n)
	return b
}

func fromHalves(left, right [8]byte) Key {
	var raw [Size]byte
	copy(raw[:8], left[:])
	copy(raw[8:], right[:])
	k, err := tdes.New(raw[:])
	if err != nil {
		panic("emvkey: two halves are always a key: " + err.Error())
	}
	return Key{&k}
}

package oda

import (
	"fmt"
)

// Length of the ICC Dynamic Number (tag 9F4C; EMV Book 2, 6.5.1).
const (
	minDynamic = 2
	maxDynamic = 8
)

// TailV00 is the terminal's part of a DDA or fDDA version 00 signature: the
// unpredictable number alone, tag 9F37.
func TailV00(un [4]byte) []byte { return append([]byte(nil), un[:]...) }

// TailV01 is the terminal's part of an fDDA version 01 signature (EMV Contactless
// Book C-7 and PBOC): 9F37, 9F02, 5F2A and the card authentication related data
// 9F69, which carries the card's own random number and the CTQ. Signing the
// amount, the currency and the CTQ is what stops a man in the middle from
// changing them.
func TailV01(un [4]byte, amount [6]byte, currency [2]byte, cardAuthData []byte) []byte {
	tail := make([]byte, 0, len(un)+len(amount)+len(currency)+len(cardAuthData))
	tail = append(tail, un[:]...)
	tail = append(tail, amount[:]...)
	tail = append(tail, currency[:]...)
	return append(tail, cardAuthData...)
}

// SignDynamic makes the Signed Dynamic Application Data (tag 9F4B): the card's
// dynamic number of 2 to 8 bytes, bound to the terminal's tail. The number is
// given without its length byte.
func SignDynamic(k PrivateKey, number, tail []byte) ([]byte, error) {
	if len(number) < minDynamic || len(number) > maxDynamic {
		return nil, fmt.Errorf("%s: dynamic number of %d bytes: it has %d to %d (without its length byte)",
			signedData, len(number), minDynamic, maxDynamic)
	}
	return signDynamicData(k, append([]byte{byte(len(number))}, number...), tail)
}

// signDynamicData signs ICC dynamic data as given; tests make malformed ones.
func signDynamicData(k PrivateKey, data, tail []byte) ([]byte, error) {
	content := make([]byte, 0, k.Size()-frame)
	content = append(content, formatSDAD, algSHA1, byte(len(data)))
	content = append(content, data...)
	for len(content) < cap(content) {
		content = append(content, pad)
	}
	sdad, err := sign(k, content, tail)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", signedData, err)
	}
	return sdad, nil
}

// VerifyDynamic opens a 9F4B (EMV Book 2, 6.5.2) over the terminal's tail and
// gives the card's dynamic number.
//
// Cards exist whose dynamic data lacks the inner length byte; some readers take
// the first random byte for it. Here the dynamic data must be exactly that byte
// and the number, or the signature is refused as BadDynamic.
func VerifyDynamic(k PublicKey, sdad, tail []byte) (number []byte, err error) {
	content, hash, err := open(signedData, k, sdad, formatSDAD)
	if err != nil {
		return nil, err
	}
	if !hashFits(hash, content, tail) {
		return nil, refuse(signedData, BadHash)
	}
	if content[1] != algSHA1 {
		return nil, refuse(signedData, BadAlgorithm)
	}
	n, rest := int(content[2]), content[3:]
	if n > len(rest) || n < 1+minDynamic || n > 1+maxDynamic || int(rest[0]) != n-1 {
		return nil, refuse(signedData, BadDynamic)
	}
	if !filled(rest[n:]) {
		return nil, refuse(signedData, BadPadding)
	}
	return append([]byte(nil), rest[1:n]...), nil
}

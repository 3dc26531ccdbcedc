// Package bcd packs decimal digits two to a byte, as cards and ISO 8583 do.
//
// It is strict both ways: a character that is not a digit, or a nibble above
// nine, is an error, never a guess. Left-justified numbers (EMV format cn) pad
// with trailing F (EMV Book 3, 4.3).
package bcd

import "fmt"

// Encode packs an even number of digits.
func Encode(digits string) ([]byte, error) {
	if len(digits)%2 != 0 {
		return nil, fmt.Errorf("bcd: %d digits do not fill whole bytes", len(digits))
	}
	return pack(digits, make([]byte, len(digits)/2))
}

// EncodeLeft packs digits into n bytes, justified to the left before F nibbles.
func EncodeLeft(digits string, n int) ([]byte, error) {
	if len(digits) > 2*n {
		return nil, fmt.Errorf("bcd: %d digits do not fit %d bytes", len(digits), n)
	}
	out := make([]byte, n)
	for i := range out {
		out[i] = 0xFF
	}
	for i := 0; i < len(digits); i++ {
		v, err := nibble(digits[i])
		if err != nil {
			return nil, err
		}
		shift := 4 * (1 - i%2)
		out[i/2] = out[i/2]&^(0xF<<shift) | v<<shift
	}
	return out, nil
}

// Decode unpacks bytes whose every nibble must be a digit.
func Decode(b []byte) (string, error) {
	out := make([]byte, 0, 2*len(b))
	for i, v := range b {
		if v>>4 > 9 || v&0xF > 9 {
			return "", fmt.Errorf("bcd: byte %d holds a nibble above 9", i)
		}
		out = append(out, '0'+v>>4, '0'+v&0xF)
	}
	return string(out), nil
}

// DecodeLeft unpacks left-justified digits; F may only pad the end.
func DecodeLeft(b []byte) (string, error) {
	out := make([]byte, 0, 2*len(b))
	padded := false
	for i := 0; i < 2*len(b); i++ {
		v := b[i/2] >> (4 * (1 - i%2)) & 0xF
		switch {
		case v == 0xF:
			padded = true
		case v > 9 || padded:
			return "", fmt.Errorf("bcd: nibble %d is not a digit", i)
		default:
			out = append(out, '0'+v)
		}
	}
	return string(out), nil
}

func pack(digits string, out []byte) ([]byte, error) {
	for i := 0; i < len(digits); i++ {
		v, err := nibble(digits[i])
		if err != nil {
			return nil, err
		}
		out[i/2] |= v << (4 * (1 - i%2))
	}
	return out, nil
}

func nibble(c byte) (byte, error) {
	if c < '0' || c > '9' {
		return 0, fmt.Errorf("bcd: a character is not a digit")
	}
	return c - '0', nil
}

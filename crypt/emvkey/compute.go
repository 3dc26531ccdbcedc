package emvkey

import (
	"encoding/binary"
)

// AC computes an application cryptogram under a session key: retail MAC, the
// data padded with 80 00.. (EMV Book 2, A1.2.1). What the data holds is decided
// by the cryptogram version, at the caller.
func AC(sk Key, data []byte) [8]byte {
	return sk.use().Retail(pad80(data))
}

// ARPC computes the issuer's answer to an ARQC (EMV Book 2, 8.2.1, method 1):
// the response code is mixed into the cryptogram and enciphered. PBOC uses the
// session key here; Visa's CVN 10 passes the card key.
func ARPC(sk Key, ac [8]byte, arc [2]byte) [8]byte {
	ac[0] ^= arc[0]
	ac[1] ^= arc[1]
	return sk.use().Encrypt(ac)
}

// ScriptMAC authenticates an issuer script command under the session key of the
// card's MAC key: command header with its length byte, ATC, the ARQC that the
// script answers, then the data; the left four bytes travel. Counter and
// cryptogram in the input are what stops a replay of an absolute balance.
func ScriptMAC(skMAC Key, header [5]byte, atc uint16, ac [8]byte, data []byte) [4]byte {
	full := scriptMAC(skMAC, header, atc, ac, data)
	return [4]byte(full[:4])
}

func scriptMAC(skMAC Key, header [5]byte, atc uint16, ac [8]byte, data []byte) [8]byte {
	in := make([]byte, 0, len(header)+2+len(ac)+len(data)+8)
	in = append(in, header[:]...)
	in = binary.BigEndian.AppendUint16(in, atc)
	in = append(in, ac[:]...)
	in = append(in, data...)
	return AC(skMAC, in)
}

// BalanceMAC authenticates the electronic-cash balance in the issuer
// application data (identifier 01): ATC, the right five bytes of the n12
// balance and one zero byte, exactly one block before padding.
func BalanceMAC(skMAC Key, atc uint16, value [5]byte) [4]byte {
	in := make([]byte, 8, 16)
	binary.BigEndian.PutUint16(in, atc)
	copy(in[2:], value[:])
	full := AC(skMAC, in)
	return [4]byte(full[:4])
}

// pad80 is ISO/IEC 9797-1 padding method 2.
func pad80(data []byte) []byte {
	padded := make([]byte, (len(data)/8+1)*8)
	copy(padded, data)
	padded[len(data)] = 0x80
	return padded
}

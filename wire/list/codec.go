package list

import (
	"crypto/ed25519"
	"encoding/binary"
	"errors"
	"fmt"
	"time"
)

const (
	magic     = Domain
	headLen   = len(magic) + 2 + 4 + 16 + 8 + 8 + 4
	entryLen  = 8
	signature = ed25519.SignatureSize
	maxUnix   = 1<<37 - 1 // some year beyond 6000; keeps the sign bit out of the format
)

// ErrSignature: the list was not signed by the issuer's key; do not use it.
var ErrSignature = errors.New("the list's signature does not verify: it was changed on the way or comes from somebody else")

// Append packs and signs a list behind dst. Sign makes a plain Ed25519 signature
// over the message, which begins with Domain.
func Append(dst []byte, l *List, sign func(msg []byte) ([]byte, error)) ([]byte, error) {
	start := len(dst)
	dst = append(dst, magic...)
	dst = binary.BigEndian.AppendUint16(dst, l.ID)
	dst = binary.BigEndian.AppendUint32(dst, l.Number)
	dst = append(dst, l.Salt[:]...)
	dst = binary.BigEndian.AppendUint64(dst, uint64(l.Issued.Unix()))
	dst = binary.BigEndian.AppendUint64(dst, uint64(l.Expires.Unix()))
	dst = binary.BigEndian.AppendUint32(dst, uint32(len(l.entries)))
	for _, e := range l.entries {
		dst = append(dst, e[:]...)
	}
	sig, err := sign(dst[start:])
	if err != nil {
		return nil, fmt.Errorf("sign list %d: %w", l.ID, err)
	}
	if len(sig) != signature {
		return nil, fmt.Errorf("sign list %d: a signature of %d bytes is not Ed25519", l.ID, len(sig))
	}
	return append(dst, sig...), nil
}

// Decode checks the signature first, then the form, and gives the list.
func Decode(b []byte, pub ed25519.PublicKey) (*List, error) {
	if len(b) < headLen+signature || string(b[:len(magic)]) != magic {
		return nil, errors.New("decode list: this is not a blacklist, or it is cut short; fetch it again")
	}
	if len(b) > headLen+MaxEntries*entryLen+signature {
		return nil, fmt.Errorf("decode list: more than %d entries", MaxEntries)
	}
	cut := len(b) - signature
	if len(pub) != ed25519.PublicKeySize || !ed25519.Verify(pub, b[:cut], b[cut:]) {
		return nil, ErrSignature
	}
	return decodeSigned(b[:cut])
}

// decodeSigned reads what the issuer signed. It is strict all the same: a mistake
// of the issuer must not become a rule of the terminal.
func decodeSigned(b []byte) (*List, error) {
	l := &List{
		ID:     binary.BigEndian.Uint16(b[4:]),
		Number: binary.BigEndian.Uint32(b[6:]),
		Salt:   [16]byte(b[10:26]),
	}
	issued, expires := binary.BigEndian.Uint64(b[26:]), binary.BigEndian.Uint64(b[34:])
	if issued > maxUnix || expires > maxUnix || expires <= issued {
		return nil, errors.New("decode list: its dates make no sense")
	}
	l.Issued, l.Expires = time.Unix(int64(issued), 0), time.Unix(int64(expires), 0)
	count := int(binary.BigEndian.Uint32(b[42:]))
	if len(b) != headLen+count*entryLen {
		return nil, fmt.Errorf("decode list: it announces %d entries and holds another number", count)
	}
	l.entries = make([]entry, count)
	for i := range l.entries {
		copy(l.entries[i][:], b[headLen+i*entryLen:])
		if i > 0 && compare(l.entries[i-1], l.entries[i]) >= 0 {
			return nil, fmt.Errorf("decode list: entry %d is out of order", i)
		}
	}
	return l, nil
}

package iso8583

import (
	"fmt"
	"strings"
)

// KeyField is field 62 of a sign-on answer: PIN and MAC key under the terminal's
// master key, each with its four-byte check value. A key is 8 bytes (24 in all), 16
// (40 in all, ECB) or 24 (56 in all, an AES or 3DES key wrapped by RFC 3394).
type KeyField struct {
	TPK, TAK           []byte
	TPKCheck, TAKCheck [4]byte
}

const checkLen = 4

// Bytes packs the field.
func (k KeyField) Bytes() ([]byte, error) {
	if len(k.TPK) != len(k.TAK) || !keyFieldSize(2*(len(k.TPK)+checkLen)) {
		return nil, pathError("62", ErrLength)
	}
	out := append([]byte{}, k.TPK...)
	out = append(out, k.TPKCheck[:]...)
	out = append(out, k.TAK...)
	return append(out, k.TAKCheck[:]...), nil
}

func keyFieldSize(n int) bool { return n == 24 || n == 40 || n == 56 }

// ParseKeyField reads the field into slices of its own.
func ParseKeyField(b []byte) (KeyField, error) {
	if !keyFieldSize(len(b)) {
		return KeyField{}, pathError("62", ErrLength)
	}
	half := len(b) / 2
	size := half - checkLen
	return KeyField{
		TPK: append([]byte{}, b[:size]...), TPKCheck: [4]byte(b[size:half]),
		TAK: append([]byte{}, b[half:half+size]...), TAKCheck: [4]byte(b[half+size:]),
	}, nil
}

const signOnLabel = "Sequence No"

// SignOnText is field 62 of a sign-on: the serial number of the terminal.
func SignOnText(serial string) string {
	return fmt.Sprintf("%s%02d%s", signOnLabel, len(serial), serial)
}

// ParseSignOnText gives the serial number.
func ParseSignOnText(s string) (string, error) {
	rest, ok := strings.CutPrefix(s, signOnLabel)
	if !ok || len(rest) < 2 || !printable(rest) {
		return "", pathError("62", ErrValue)
	}
	n, err := number(rest[:2])
	if err != nil || int(n) != len(rest)-2 {
		return "", pathError("62", ErrLength)
	}
	return rest[2:], nil
}

// ListChunk is field 62 of an answer with a part of the signed blacklist.
type ListChunk struct {
	More  bool
	Total uint16 // chunks of the whole list, 1 to 999
	Data  []byte
}

// MaxChunk is the most bytes of a list in one answer.
const MaxChunk = 480

const chunkHead = 4

// Bytes packs the field: '1' more or '0' last, n3 total, data.
func (c ListChunk) Bytes() ([]byte, error) {
	if c.Total < 1 || c.Total > 999 || len(c.Data) > MaxChunk {
		return nil, pathError("62", ErrValue)
	}
	flag := byte('0')
	if c.More {
		flag = '1'
	}
	return append(fmt.Appendf([]byte{flag}, "%03d", c.Total), c.Data...), nil
}

// ParseListChunk reads the field.
func ParseListChunk(b []byte) (ListChunk, error) {
	if len(b) < chunkHead || len(b) > chunkHead+MaxChunk {
		return ListChunk{}, pathError("62", ErrLength)
	}
	if b[0] != '0' && b[0] != '1' {
		return ListChunk{}, pathError("62.1", ErrValue)
	}
	total, err := number(string(b[1:chunkHead]))
	if err != nil || total == 0 {
		return ListChunk{}, pathError("62.2", ErrValue)
	}
	return ListChunk{More: b[0] == '1', Total: uint16(total), Data: append([]byte{}, b[chunkHead:]...)}, nil
}

// ListRequest is field 62 of a blacklist request: the chunk asked for, from 0.
func ListRequest(index uint16) string { return fmt.Sprintf("%03d", index) }

// ParseListRequest gives the chunk asked for.
func ParseListRequest(b []byte) (uint16, error) {
	if len(b) != 3 {
		return 0, pathError("62", ErrLength)
	}
	n, err := number(string(b))
	if err != nil {
		return 0, pathError("62", err)
	}
	return uint16(n), nil
}

// flagHead is the TLV head of the flag of an offline record: DF01, one byte.
const flagHead = "\xDF\x01\x01"

// FlagField is field 62 of an uploaded offline record that is not a plain sale.
func FlagField(flag uint8) string { return flagHead + string([]byte{flag}) }

// ParseFlagField gives the flag.
func ParseFlagField(b []byte) (uint8, error) {
	rest, ok := strings.CutPrefix(string(b), flagHead)
	if !ok || len(rest) != 1 {
		return 0, pathError("62", ErrValue)
	}
	return rest[0], nil
}

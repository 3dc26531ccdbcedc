package observer

import (
	"encoding/binary"
	"fmt"

	"jiaozi/wire/tlv"
)

// Flags say under which rules the card speaks now.
type Flags byte

// The flags.
const (
	OverAir  Flags = 1 << iota // this is the contactless side: commands must be sealed
	HasPIN                     // over the contacts the PIN comes first
	Paired                     // a wallet has given its key
	allFlags = OverAir | HasPIN | Paired
)

// Has reports whether every flag of want is set.
func (f Flags) Has(want Flags) bool { return f&want == want }

// The objects of the answer to SELECT, inside A5 of the FCI (ISO 7816-4, 7.4).
const (
	tagFCI         tlv.Tag = 0x6F
	tagName        tlv.Tag = 0x84
	tagProprietary tlv.Tag = 0xA5
	tagVersion     tlv.Tag = 0xC0
	tagFlags       tlv.Tag = 0xC1
)

// AppendSelected writes the answer to SELECT. It tells nobody which card this is.
func AppendSelected(dst []byte, f Flags) []byte {
	body := tlv.Append(nil, tagName, []byte(AID))
	body = tlv.Append(body, tagProprietary, tlv.AppendList(nil, tlv.List{
		{Tag: tagVersion, Value: []byte{Version}},
		{Tag: tagFlags, Value: []byte{byte(f)}},
	}))
	return tlv.Append(dst, tagFCI, body)
}

// ParseSelected reads the answer to SELECT.
func ParseSelected(b []byte) (Flags, error) {
	if len(b) == 0 {
		return 0, form("answer to SELECT", b)
	}
	f := Flags(b[len(b)-1]) // its place in the one form there is
	if f > allFlags || string(AppendSelected(nil, f)) != string(b) {
		return 0, form("answer to SELECT", b)
	}
	return f, nil
}

// Info is what the card says of itself.
type Info struct {
	Flags    Flags
	PINTries uint8  // left; 0 also without PIN, see HasPIN
	AirLeft  uint8  // answers left over the air until the PIN is next verified over the contacts; unused without PIN
	Low      uint32 // every index below is closed
	Next     uint32 // no index from here on was ever prepared
	Window   uint32 // Next may run ahead of Low by this many
	Certificate
}

const infoBytes = 4 + 3*4 + CertificateBytes

// Append writes the answer to INFO.
func (i *Info) Append(dst []byte) []byte {
	dst = append(dst, Version, byte(i.Flags), i.PINTries, i.AirLeft)
	for _, n := range []uint32{i.Low, i.Next, i.Window} {
		dst = binary.BigEndian.AppendUint32(dst, n)
	}
	return i.Certificate.Append(dst)
}

// ParseInfo reads the answer to INFO. The certificate in it is not yet verified.
func ParseInfo(b []byte) (*Info, error) {
	if len(b) != infoBytes || b[0] != Version || Flags(b[1]) > allFlags {
		return nil, form("answer to INFO", b)
	}
	number := func(n int) uint32 { return binary.BigEndian.Uint32(b[4+4*n:]) }
	i := &Info{Flags: Flags(b[1]), PINTries: b[2], AirLeft: b[3], Low: number(0), Next: number(1), Window: number(2)}
	if i.Low > i.Next || i.Next-i.Low > i.Window {
		return nil, fmt.Errorf("answer to INFO with indices %d to %d open: %w", i.Low, i.Next, ErrForm)
	}
	var err error
	i.Certificate, err = ParseCertificate(b[4+3*4:])
	return i, err
}

// State is what became of an index.
type State byte

// The states.
const (
	Unknown  State = iota // never prepared
	Open                  // prepared, not answered
	Answered              // answered, and the card still knows with which challenge
	Closed                // answered longer ago, or retired
)

var stateNames = [...]string{"unknown", "open", "answered", "closed"}

// String is a stable code.
func (s State) String() string {
	if int(s) >= len(stateNames) {
		return "invalid"
	}
	return stateNames[s]
}

// Status is the answer to STATUS. The challenge is there if State is Answered.
type Status struct {
	State     State
	Challenge [Size]byte
}

// Append writes the answer to STATUS.
func (s Status) Append(dst []byte) []byte {
	dst = append(dst, byte(s.State))
	if s.State == Answered {
		dst = append(dst, s.Challenge[:]...)
	}
	return dst
}

// ParseStatus reads the answer to STATUS.
func ParseStatus(b []byte) (Status, error) {
	if len(b) == 0 || State(b[0]) > Closed {
		return Status{}, form("answer to STATUS", b)
	}
	s, want := Status{State: State(b[0])}, 1
	if s.State == Answered {
		want += Size
	}
	if len(b) != want {
		return Status{}, form("answer to STATUS", b)
	}
	copy(s.Challenge[:], b[1:])
	return s, nil
}

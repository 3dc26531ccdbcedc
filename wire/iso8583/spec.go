package iso8583

import "jiaozi/value/lang"

// Form says how a field's content is packed.
type Form uint8

// The forms of the trade. The zero Form marks a field that the dialect lacks.
const (
	_      Form = iota
	Digits      // n: BCD, unpacked to ASCII digits
	Track       // z: nibbles, unpacked to '0'+nibble, so that the separator D reads '='
	Text        // an, ans: printable ASCII
	Binary      // b: as it is
)

// Show says what Describe may print of a field.
type Show uint8

// How much of a field a person may see.
const (
	ShowAll    Show = iota
	ShowPAN         // first six and last four digits
	ShowTrack       // the card number's ends only
	ShowLength      // nothing but the length
	ShowTLV         // each element, secrets masked
)

// Field is one row of a dialect.
type Field struct {
	Name   lang.Text
	Form   Form
	Size   int   // digits, characters or bytes: exact without Prefix, the largest with it
	Prefix uint8 // BCD digits of the length: 0, 2 (LL, one byte) or 3 (LLL, two bytes)
	// Left marks a fixed numeric field of odd size that is packed from the left with
	// a trailing pad nibble (field 22); others are packed from the right with a
	// leading 0 (field 23).
	Left bool
	// Pads names pad nibbles besides 0 that terminals of this dialect send, as a bit
	// set (1<<0xF). They are kept; all others are refused.
	Pads uint16
	Show Show
}

// MACRule says which messages of a type must carry a MAC.
type MACRule uint8

// When a MAC is required. One that is present is always verified.
const (
	MACNever  MACRule = iota // sign-on: there is no working key yet
	MACSecure                // in the secure profile; the old dialect sends none
	MACAlways
)

// Type is one message type of a dialect.
type Type struct {
	MTI  MTI
	Name lang.Text
	Need Bits // fields without which the message has no meaning
	MAC  MACRule
}

// Spec is a dialect: nothing but data.
type Spec struct {
	Name   string
	Fields [LastField + 1]Field
	Types  []Type
	MAC    int  // the field of the MAC, the last one of a message
	Wide   bool // a secondary bitmap is allowed
}

// Type looks up a message type.
func (s *Spec) Type(t MTI) (Type, bool) {
	for i := range s.Types {
		if s.Types[i].MTI == t {
			return s.Types[i], true
		}
	}
	return Type{}, false
}

// MustMAC tells whether a message of type t has to carry a MAC: always, or only
// under the secure profile.
func (s *Spec) MustMAC(t MTI, secure bool) bool {
	row, ok := s.Type(t)
	return ok && (row.MAC == MACAlways || row.MAC == MACSecure && secure)
}

// Validate reports the first field that the message's type requires and the
// message lacks. Decode checks form only, so that a message with a bad MAC is
// refused for its MAC before anything else is believed.
func (s *Spec) Validate(m *Message) error {
	for i := range s.Types {
		if s.Types[i].MTI != m.MTI {
			continue
		}
		need := s.Types[i].Need
		missing := Bits{need[0] &^ m.has[0], need[1] &^ m.has[1]}
		if n := missing.pop(); n != 0 {
			return fieldError(n, ErrMissing)
		}
		return nil
	}
	return pathError("mti", ErrUnknownType)
}

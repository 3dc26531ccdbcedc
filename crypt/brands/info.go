package brands

import (
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"

	"jiaozi/value/money"
)

// Network names one scheme: what belongs to another network is refused. Derived by node from the scheme's published key.
type Network [16]byte

// String gives the name in hexadecimal.
func (n Network) String() string { return hex.EncodeToString(n[:]) }

// MarshalText is String.
func (n Network) MarshalText() ([]byte, error) { return []byte(n.String()), nil }

// Kind says what a key signs.
type Kind uint8

// Kinds. The numbers are in published keys.
const (
	KindCoin  Kind = 1 // a coin of the key's value
	KindBlank Kind = 2 // a coin of no value, which receives another's money
	KindNote  Kind = 3 // a tree: any node can be paid by itself
)

// String names the kind.
func (k Kind) String() string {
	switch k {
	case KindCoin:
		return "coin"
	case KindBlank:
		return "blank"
	case KindNote:
		return "note"
	}
	return fmt.Sprintf("kind(%d)", uint8(k))
}

const (
	// MaxDepth is the number of levels below the root of the deepest note: a holder computes 2^(depth+1)-1 lines.
	MaxDepth = 6
	// MaxGroup is the length of the longest name of a group of merchants.
	MaxGroup = 32

	infoFixed = 16 + 1 + 2 + 8 + 1 + 4 + 4*8 + 1 // everything but the group's name
)

// ErrInfo is wrapped when the description of a key contradicts itself.
var ErrInfo = errors.New("key description is inconsistent")

// KeyInfo is what a key stands for. It is part of the key: two keys that differ in it have different identities, and so
// have their coins.
type KeyInfo struct {
	Network  Network
	Kind     Kind
	Currency money.Currency
	Value    money.Minor // of the coin, or of the whole note; 0 for a blank
	Depth    uint8       // notes: levels below the root, 1 to MaxDepth; a leaf is Value>>Depth, without remainder
	Epoch    uint32      // such as 202611; ordered
	Group    string      // only merchants of this group take it; "" is everywhere. Lower-case letters, digits, '-' and '.'

	// Unix seconds, ascending: keys are published before From, coins issued until IssueUntil, taken by payees until
	// SpendUntil, and by the mint until DepositUntil.
	From, IssueUntil, SpendUntil, DepositUntil int64
}

// Check reports what is inconsistent, wrapping ErrInfo.
func (i *KeyInfo) Check() error {
	fail := func(what string) error { return fmt.Errorf("%s: %w", what, ErrInfo) }
	switch i.Kind {
	case KindCoin, KindNote:
		if i.Value <= 0 || i.Currency == 0 {
			return fail("a " + i.Kind.String() + " needs a value and a currency")
		}
	case KindBlank:
		if i.Value != 0 || i.Group != "" {
			return fail("a blank has no value and no group")
		}
	default:
		return fail(i.Kind.String())
	}
	if note := i.Kind == KindNote; note != (i.Depth != 0) || i.Depth > MaxDepth {
		return fail(fmt.Sprintf("a %s of depth %d", i.Kind, i.Depth))
	}
	if i.Value&(1<<i.Depth-1) != 0 {
		return fail("the note's value does not divide into its leaves")
	}
	if !groupName(i.Group) {
		return fail("the group's name has other than 0 to 32 lower-case letters, digits, '-' and '.'")
	}
	if i.From < 0 || i.From >= i.IssueUntil || i.IssueUntil > i.SpendUntil || i.SpendUntil > i.DepositUntil {
		return fail("the dates do not ascend")
	}
	return nil
}

func groupName(s string) bool {
	for _, c := range []byte(s) {
		if (c < 'a' || c > 'z') && (c < '0' || c > '9') && c != '-' && c != '.' {
			return false
		}
	}
	return len(s) <= MaxGroup
}

func (i *KeyInfo) append(b []byte) []byte {
	b = append(b, i.Network[:]...)
	b = append(b, byte(i.Kind))
	b = binary.BigEndian.AppendUint16(b, uint16(i.Currency))
	b = binary.BigEndian.AppendUint64(b, uint64(i.Value))
	b = append(b, i.Depth)
	b = binary.BigEndian.AppendUint32(b, i.Epoch)
	for _, t := range []int64{i.From, i.IssueUntil, i.SpendUntil, i.DepositUntil} {
		b = binary.BigEndian.AppendUint64(b, uint64(t))
	}
	b = append(b, byte(len(i.Group)))
	return append(b, i.Group...)
}

// parseInfo reads the description at the start of b and gives the rest.
func parseInfo(b []byte) (KeyInfo, []byte, error) {
	if len(b) < infoFixed || len(b) < infoFixed+int(b[infoFixed-1]) {
		return KeyInfo{}, nil, fmt.Errorf("key description cut short at %d bytes: %w", len(b), ErrEncoding)
	}
	var i KeyInfo
	i.Network, i.Kind = Network(b[:16]), Kind(b[16])
	i.Currency = money.Currency(binary.BigEndian.Uint16(b[17:]))
	i.Value = money.Minor(binary.BigEndian.Uint64(b[19:]))
	i.Depth, i.Epoch = b[27], binary.BigEndian.Uint32(b[28:])
	for n, t := range []*int64{&i.From, &i.IssueUntil, &i.SpendUntil, &i.DepositUntil} {
		*t = int64(binary.BigEndian.Uint64(b[32+8*n:]))
	}
	end := infoFixed + int(b[infoFixed-1])
	i.Group = string(b[infoFixed:end])
	if err := i.Check(); err != nil {
		return KeyInfo{}, nil, err
	}
	return i, b[end:], nil
}

// Package observer is the language in which a wallet speaks to the coin
// application of its card, the observer of blind coins: which commands there are,
// how their data lie, what the status words mean. It carries points and scalars
// as 32 opaque bytes and computes with none of them.
//
//	SELECT AID                      -> FCI: version and flags
//	VERIFY (contact, ISO form)      -> the PIN, once for each selection
//	INFO                            -> certificate of A_O, window, counters
//	PREPARE first, count            -> B_O of each index      (withdrawal)
//	ANSWER index, challenge d'      -> r'                     (payment)
//	STATUS index                    -> open, answered with d', closed, unknown
//	RETIRE below                    -> indices below are closed for ever
//	PAIR key                        -> this wallet may speak over the air
//
// Every index is answered once. That is also how the card does its half of the
// proof that opens an account: its commitment is the B_O of a fresh index, its
// response the answer to the proof's challenge. One rule guards both, and outlives
// a loss of power.
//
// Every command may be sent again after a torn one: it then gives the same answer
// and changes nothing more. Over the air commands carry a MAC of the paired wallet
// (Seal), which for that reason needs no challenge against replays.
//
// Decoders refuse what is not exactly the form; decode then append gives the same
// bytes. Start with Select and Prepare; Text explains a status word.
package observer

import (
	"encoding/binary"
	"errors"
	"fmt"

	"jiaozi/value/must"
	"jiaozi/wire/apdu"
)

// AID names the application. F0 marks it as nobody's registered name (ISO 7816-4,
// 8.2.1.2); the last byte is the version of the language.
const AID = "\xF0JZCOIN\x01"

// Version of the language, in the answers to SELECT and INFO.
const Version = 1

// Instructions, of class ClaPlain over the contacts and ClaSealed over the air.
const (
	InsInfo    = 0x30
	InsPrepare = 0x32
	InsAnswer  = 0x34
	InsStatus  = 0x36
	InsRetire  = 0x38
	InsPair    = 0x3A
)

// Classes: a sealed command ends with a MAC of MACBytes.
const (
	ClaPlain  = 0x80
	ClaSealed = 0x84
)

// Sizes.
const (
	Size       = 32 // of a point, a scalar, a key
	MaxPrepare = apdu.MaxLe / Size
	indexBytes = 4
)

// ErrForm is wrapped by every refusal of bytes that are not in the form.
var ErrForm = errors.New("observer: not the form of the coin application; is this another card, or a newer one?")

// Select chooses the coin application.
func Select() apdu.Command { return apdu.Select([]byte(AID)) }

// ReadInfo asks for an Info.
func ReadInfo() apdu.Command { return plain(InsInfo, nil, apdu.MaxLe) }

// Range is count indices from first on, 1 to MaxPrepare of them.
type Range struct {
	First uint32
	Count uint8
}

// End is the index behind the range. It may be 2^32.
func (r Range) End() uint64 { return uint64(r.First) + uint64(r.Count) }

// Prepare asks for the B_O of a range of indices. Those from the card's next index
// on are reserved by it; earlier ones are shown again.
func Prepare(r Range) apdu.Command {
	must.Hold(r.Count >= 1 && r.Count <= MaxPrepare, "observer: %d indices in one command", r.Count)
	return plain(InsPrepare, append(be32(r.First), r.Count), apdu.MaxLe)
}

// ParsePrepare reads the data of PREPARE.
func ParsePrepare(data []byte) (Range, error) {
	if len(data) != indexBytes+1 {
		return Range{}, form("PREPARE", data)
	}
	r := Range{binary.BigEndian.Uint32(data), data[indexBytes]}
	if r.Count < 1 || r.Count > MaxPrepare {
		return Range{}, fmt.Errorf("PREPARE of %d indices, 1 to %d fit: %w", r.Count, MaxPrepare, ErrForm)
	}
	return r, nil
}

// ParsePrepared reads the answer to PREPARE of count indices: their points.
func ParsePrepared(data []byte, count uint8) ([][Size]byte, error) {
	if len(data) != int(count)*Size {
		return nil, form("answer to PREPARE", data)
	}
	points := make([][Size]byte, count)
	for i := range points {
		points[i] = [Size]byte(data[i*Size:])
	}
	return points, nil
}

// Question is what a card is to answer: the challenge d' for one index.
type Question struct {
	Index     uint32
	Challenge [Size]byte
}

// Answer asks for r' = d'·o1 + o2 of the index.
func Answer(q Question) apdu.Command {
	return plain(InsAnswer, append(be32(q.Index), q.Challenge[:]...), apdu.MaxLe)
}

// ParseAnswer reads the data of ANSWER.
func ParseAnswer(data []byte) (Question, error) {
	if len(data) != indexBytes+Size {
		return Question{}, form("ANSWER", data)
	}
	return Question{binary.BigEndian.Uint32(data), [Size]byte(data[indexBytes:])}, nil
}

// ParseAnswered reads the answer to ANSWER: the scalar r'.
func ParseAnswered(data []byte) ([Size]byte, error) {
	if len(data) != Size {
		return [Size]byte{}, form("answer to ANSWER", data)
	}
	return [Size]byte(data), nil
}

// ReadStatus asks what became of an index.
func ReadStatus(index uint32) apdu.Command { return plain(InsStatus, be32(index), apdu.MaxLe) }

// Retire closes every index below this one for ever; open ones among them are
// given up.
func Retire(below uint32) apdu.Command { return plain(InsRetire, be32(below), apdu.NoLe) }

// ParseIndex reads the data of STATUS and RETIRE.
func ParseIndex(data []byte) (uint32, error) {
	if len(data) != indexBytes {
		return 0, form("index", data)
	}
	return binary.BigEndian.Uint32(data), nil
}

// Pair gives the card the key that its wallet seals commands with from now on. The
// key crosses the contacts in the clear, as the PIN does.
func Pair(key Secret) apdu.Command { return plain(InsPair, key.Reveal(), apdu.NoLe) }

func plain(ins byte, data []byte, le int) apdu.Command {
	return apdu.Command{CLA: ClaPlain, INS: ins, Data: data, Le: le}
}

func be32(n uint32) []byte { return binary.BigEndian.AppendUint32(make([]byte, 0, indexBytes+Size), n) }

// form says what was malformed, not what it held.
func form(what string, data []byte) error {
	return fmt.Errorf("%s of %d bytes: %w", what, len(data), ErrForm)
}

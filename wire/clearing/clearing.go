// Package clearing is the file that carries offline payments between acquirer,
// clearing and issuer: a header that names it, details in order, a trailer with
// count, sum, hash and signature.
//
//	acquirer --Presentment--> clearing --Presentment--> issuer
//	acquirer <--Settlement--- clearing <----Outcome---- issuer
//
//	"JZC1" | header | detail... | "JZCT" | count 4 | sum 8 | SHA-256 32 | Ed25519 64
//
// A detail carries the card's proof byte for byte (a purse.Record), so that the
// issuer verifies what the terminal logged and nothing that was retold. Outcome and
// Settlement add a verdict, a reason and the fees.
//
// It promises that Decode gives only a file that is complete, in canonical form and
// signed by the institution that its header names, and that the id follows from
// sender, receiver, kind, date and sequence: a file sent twice has one id, so the
// receiver can count it once. It knows no fees and no verdicts of its own.
//
// Start with Append and Decode; ID makes the id.
package clearing

import (
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"fmt"

	"jiaozi/value/clock"
	"jiaozi/value/ident"
	"jiaozi/value/money"
	"jiaozi/value/reason"
)

// Domain begins every message that is signed as a clearing file: it is the magic of
// the trailer, so no other signature can pass for one over a file.
const Domain = "JZCT"

// Bounds of a file. A record of the purse is some 200 bytes.
const (
	MaxDetails = 1_000_000
	MaxRecord  = 1024
)

// FileID names a file for ever.
type FileID [16]byte

func (id FileID) String() string { return hex.EncodeToString(id[:]) }

// Kind says which way a file goes.
type Kind uint8

// The kinds of files.
const (
	Presentment Kind = iota + 1 // what terminals took, to be paid
	Outcome                     // what the issuer made of it
	Settlement                  // what was paid, with fees
)

func (k Kind) String() string {
	switch k {
	case Presentment:
		return "presentment"
	case Outcome:
		return "outcome"
	case Settlement:
		return "settlement"
	}
	return fmt.Sprintf("kind %d", uint8(k))
}

// judged tells whether details of this kind carry a verdict and fees.
func (k Kind) judged() bool { return k == Outcome || k == Settlement }

// Verdict is what the issuer decided about one record.
type Verdict uint8

// The verdicts. A presentment has none.
const (
	NoVerdict Verdict = iota
	Accepted          // paid
	Duplicate         // the same proof again: counts once, nothing moves
	Clone             // another proof on a counter that was used: in suspense
	Rejected          // the proof does not verify: nothing moves
	Pending           // the next balance that the card MACs decides
)

func (v Verdict) String() string {
	names := [...]string{"none", "accepted", "duplicate", "clone", "rejected", "pending"}
	if int(v) < len(names) {
		return names[v]
	}
	return fmt.Sprintf("verdict %d", uint8(v))
}

// Header names a file. ID is derived: see ID.
type Header struct {
	ID       FileID
	Kind     Kind
	From, To ident.Inst
	Date     clock.Date // business date
	Sequence uint32     // of this kind, sender, receiver and date, from 1
	Currency money.Currency
}

// ID derives a file's id from what makes it the one it is.
func ID(h Header) FileID {
	h.ID = FileID{}
	sum := sha256.Sum256(appendHeader([]byte(magic), h))
	return FileID(sum[:16])
}

// Fees are what a payment costs whom, each zero or positive. All zero in an Outcome.
type Fees struct {
	Interchange     money.Amount // acquirer to issuer
	NetworkIssuer   money.Amount // issuer to network
	NetworkAcquirer money.Amount // acquirer to network
	Merchant        money.Amount // merchant to acquirer
}

// Detail is one payment. Sequences rise strictly within a file; an Outcome keeps
// those of the presentment that it answers.
type Detail struct {
	Sequence         uint32
	Acquirer, Issuer ident.Inst
	Record           []byte // purse.Record, as the terminal logged it
	Gross            money.Amount
	Verdict          Verdict
	Reason           reason.Code
	Fees             Fees
}

// Trailer closes a file. Append and Decode fill it.
type Trailer struct {
	Count     uint32
	Sum       money.Amount // of all gross amounts
	Hash      [32]byte     // of all bytes before it
	Signature [64]byte     // by Header.From, over the trailer before it
}

// File is a whole file.
type File struct {
	Header  Header
	Details []Detail
	Trailer Trailer
}

func appendHeader(dst []byte, h Header) []byte {
	dst = append(dst, byte(h.Kind))
	dst = append(dst, h.ID[:]...)
	dst = appendString(dst, string(h.From))
	dst = appendString(dst, string(h.To))
	dst = binary.BigEndian.AppendUint32(dst, uint32(h.Date))
	dst = binary.BigEndian.AppendUint32(dst, h.Sequence)
	return binary.BigEndian.AppendUint16(dst, uint16(h.Currency))
}

func appendString(dst []byte, s string) []byte {
	return append(append(dst, byte(len(s))), s...)
}

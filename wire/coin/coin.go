// Package coin is everything that is said about coins: between a payer and a
// payee, and between them and the mint. It makes and reads the messages, and
// knows the forms in which they travel.
//
//	payee --Request--> payer --Payment--> payee --Receipt--> payer
//	wallet --Ask--> mint --Keys or Status--> wallet
//	wallet --Signed{Commit}--> mint --Commitments--> wallet --Signed{Challenge}--> mint --Answer--> wallet
//	payee --Deposit--> mint --Deposited--> payee
//
// One message is one envelope, and equal messages are equal bytes:
//
//	"JZC" | version 1 | type 1 | length 4 | body
//
// An envelope goes as it is over HTTP and in files, as a `jiaozi:` text that a
// person can send or a picture can show (Text, Parts, Collector), as an NDEF
// record for NFC (AppendNDEF) and in fragments for BLE (Fragments, Assembler).
// Text and Parts carry a checksum, since people and pictures make mistakes.
//
// It promises that Decode takes the one canonical form and nothing else, that
// every list and string has a bound with a name, and that whatever Decode gives
// Append writes back byte for byte. Coins, keys, openings, claims and proofs of
// guilt are bytes here: package brands owns them and says whether they are true.
// Nothing here knows a clock, a key or a network.
//
// Start with Decode and Append; Parse reads a message of a type that is known.
package coin

import (
	"errors"
	"fmt"
)

// Bounds of a message. MaxMessage holds the longest payment, MaxItems coins of
// MaxItem bytes, with room to spare.
const (
	MaxMessage = 1 << 20 // bytes of an envelope
	MaxItems   = 64      // coins of a payment, blanks of a request, items of a mint request
	MaxItem    = 8 << 10 // bytes of one coin with its history: eight hops take 2.5 KiB, a piece of a note 4 KiB
	MaxAid     = 9 * 160 // bytes of what helps to decode one coin with its history: nine coins of five points
	MaxKey     = 1 << 10 // bytes of a public key, an opening or a certificate
	MaxKeys    = 2048    // public keys of a mint
	MaxStatus  = 512     // lines of a status: one for each epoch and currency
	MaxAccount = 64      // bytes of an account's name
	MaxName    = 64      // bytes of a name for people
	MaxMemo    = 140     // runes
	MaxText    = 280     // runes of a failure's words
	MaxGroup   = 32      // bytes
	MaxURL     = 256     // bytes
	MaxCode    = 64      // bytes of an enrolment code
)

// Why a message is not read. Ask the sender for it again; ErrVersion asks for a
// newer program.
var (
	ErrShort    = errors.New("the message is cut short: ask for it again")
	ErrForm     = errors.New("the message is not in its canonical form: refuse it and ask for it again")
	ErrTooLarge = errors.New("the message is larger than any of its kind: refuse it")
	ErrVersion  = errors.New("the message is of another version: update the older of the two programs")
	ErrType     = errors.New("the message is of another type than is expected here")
)

// Type says what a message is.
type Type uint8

// The types. Numbers never change once released.
const (
	TypeRequest     Type = 1 // people
	TypePayment     Type = 2
	TypeReceipt     Type = 3
	TypeSigned      Type = 16 // mint
	TypeFailure     Type = 17
	TypeKeys        Type = 18
	TypeEnrol       Type = 19
	TypeEnrolled    Type = 20
	TypeCommit      Type = 21
	TypeCommitments Type = 22
	TypeChallenge   Type = 23
	TypeAnswer      Type = 24
	TypeDeposit     Type = 25
	TypeDeposited   Type = 26
	TypeRecover     Type = 27
	TypeRecovered   Type = 28
	TypeClaim       Type = 29
	TypeClaimed     Type = 30
	TypeStatus      Type = 31
	TypeGuilt       Type = 32
	TypeAsk         Type = 33
)

// kinds gives each type its stable name and an empty message to read into.
var kinds = map[Type]struct {
	name string
	make func() Message
}{
	TypeRequest:     {"request", func() Message { return new(Request) }},
	TypePayment:     {"payment", func() Message { return new(Payment) }},
	TypeReceipt:     {"receipt", func() Message { return new(Receipt) }},
	TypeFailure:     {"failure", func() Message { return new(Failure) }},
	TypeKeys:        {"keys", func() Message { return new(Keys) }},
	TypeEnrol:       {"enrol", func() Message { return new(Enrol) }},
	TypeEnrolled:    {"enrolled", func() Message { return new(Enrolled) }},
	TypeCommit:      {"commit", func() Message { return new(Commit) }},
	TypeCommitments: {"commitments", func() Message { return new(Commitments) }},
	TypeChallenge:   {"challenge", func() Message { return new(Challenge) }},
	TypeAnswer:      {"answer", func() Message { return new(Answer) }},
	TypeDeposit:     {"deposit", func() Message { return new(Deposit) }},
	TypeDeposited:   {"deposited", func() Message { return new(Deposited) }},
	TypeRecover:     {"recover", func() Message { return new(Recover) }},
	TypeRecovered:   {"recovered", func() Message { return new(Recovered) }},
	TypeClaim:       {"claim", func() Message { return new(Claim) }},
	TypeClaimed:     {"claimed", func() Message { return new(Claimed) }},
	TypeStatus:      {"status", func() Message { return new(Status) }},
	TypeGuilt:       {"guilt", func() Message { return new(GuiltFile) }},
	TypeAsk:         {"ask", func() Message { return new(Ask) }},
}

// String is a stable name for logs and JSON.
func (t Type) String() string {
	if t == TypeSigned {
		return "signed"
	}
	if k, ok := kinds[t]; ok {
		return k.name
	}
	return fmt.Sprintf("type %d", uint8(t))
}

// Message is one of the messages of this package, by pointer.
type Message interface {
	Type() Type
	// fields reads or writes the body, whichever the codec is for: one layout
	// cannot disagree with itself.
	fields(c *codec)
}

// blank makes an empty message of the type, or nil. Signed is not in the table:
// it holds a message itself, and the table would be made of itself.
func blank(t Type) Message {
	if t == TypeSigned {
		return new(Signed)
	}
	if k, ok := kinds[t]; ok {
		return k.make()
	}
	return nil
}

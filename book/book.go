// Package book is the ledger: the one place where money moves. Commands come
// in, every command gets one result, and what was answered is on the disk.
//
//	commands --> find what they touch --> plan (pure) --> one journal row --> results
//	             memory, index, tables                    durable, hash chain
//	                                                          |
//	                        tables and index <-- keeper <-- memory
//
// Promises: debits equal credits in every currency of every entry; an account
// that must not go negative never does, holds included; a once-key is taken
// once for ever; a record changes only under the version that its writer read;
// a command id is booked once, and asking again returns the first answer. Money,
// once-keys, records and outgoing messages of a command are booked together or
// not at all. The journal is a hash chain over canonical bytes; tables and index
// are derived from it and written behind, and Verify recomputes them all with code
// of its own.
//
// The package knows no SQL (book/sqlite does), no clock, and no business: which
// accounts a business event moves stands in book/chart. Start with Open and
// (*Ledger).Apply; a role gets a (*Ledger).Door with its own events and spaces.
package book

import (
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"reflect"
	"strconv"

	"jiaozi/value/clock"
	"jiaozi/value/money"
	"jiaozi/value/must"
)

// ID names a command. The client chooses it; a retry uses the same one.
type ID [16]byte

func (id ID) String() string { return hex.EncodeToString(id[:]) }

// DeriveID makes an id from the facts that name a business event, so that the
// same event always gets the same id. A part is a string, bytes, an integer, or
// a type made of one of these. Anything else is a bug and panics: a card number,
// for one, prints masked, and two cards would share an id.
func DeriveID(parts ...any) ID {
	h := sha256.New()
	var size [8]byte
	for _, part := range parts {
		b := partBytes(reflect.ValueOf(part))
		binary.BigEndian.PutUint64(size[:], uint64(len(b))) // so ("ab","c") is not ("a","bc")
		h.Write(size[:])
		h.Write(b)
	}
	return ID(h.Sum(nil)[:16])
}

func partBytes(v reflect.Value) []byte {
	switch kind := v.Kind(); {
	case kind == reflect.String:
		return []byte(v.String())
	case v.CanInt():
		return strconv.AppendInt(nil, v.Int(), 10)
	case v.CanUint():
		return strconv.AppendUint(nil, v.Uint(), 10)
	case (kind == reflect.Slice || kind == reflect.Array) && v.Type().Elem().Kind() == reflect.Uint8:
		b := make([]byte, v.Len())
		reflect.Copy(reflect.ValueOf(b), v)
		return b
	}
	must.Hold(false, "an id cannot be derived from a %v", v.Kind())
	return nil
}

// AccountID names an account. book/chart derives it from the readable name.
type AccountID [16]byte

func (id AccountID) String() string { return hex.EncodeToString(id[:]) }

// Side is the side of an account that a leg is written on.
type Side uint8

const (
	Debit  Side = 1
	Credit Side = 2
)

func (s Side) String() string {
	switch s {
	case Debit:
		return "Dr"
	case Credit:
		return "Cr"
	}
	return fmt.Sprintf("side(%d)", uint8(s))
}

// Leg is one line of an entry. Amount is positive; Side says the direction.
type Leg struct {
	Account AccountID
	Side    Side
	Amount  money.Amount
}

// Account is what an account is, apart from its balance. Normal is the side on
// which its balance grows. NeverNegative refuses a balance below what is held,
// or, with a credit line, one further below than the line. Line is the line to
// begin with; a Limit changes it later.
type Account struct {
	ID            AccountID
	Name          string
	Normal        Side
	Currency      money.Currency
	NeverNegative bool
	Line          money.Minor
}

// Limit sets the credit line of an account that is NeverNegative.
type Limit struct {
	Account AccountID
	Line    money.Minor
}

// Days is the range of business dates that may be booked from now on. The zero
// value changes nothing.
type Days struct{ From, To clock.Date }

// Once takes a key for ever. If the key is taken, nothing of the command is
// booked and the value that was there first comes back in Result.Prior.
type Once struct {
	Space      string
	Key, Value []byte
}

// Put writes a record if its version is still the one that the caller read
// (Expect; 0 = there is none). A nil Value deletes it; an empty one does not.
// A new record's version is unique for ever; each Put adds one to it.
type Put struct {
	Space  string
	Key    []byte
	Expect uint64
	Value  []byte
}

// Out is a message for the outside, durable with the command and kept until a
// later command names its number in Done.
type Out struct {
	Topic     string
	Key, Body []byte
}

// Kind is what a command does with its legs.
type Kind uint8

const (
	// Transfer posts the legs. Without legs it only books its records.
	Transfer Kind = iota
	// Hold reserves its one leg: the amount stays on the account, but nothing
	// else can take it. The id of the command is the id of the hold.
	Hold
	// Capture posts the legs; those on the held account and side use the hold
	// up. Final gives back what is left.
	Capture
	// Release gives back a hold.
	Release
	// Expire gives back a hold whose time has passed.
	Expire
	// Leave, Stay, HandOut and HandIn move a part to another chain; see Handover.
	Leave
	Stay
	HandOut
	HandIn
)

var kindNames = [...]string{"transfer", "hold", "capture", "release", "expire", "leave", "stay", "hand-out", "hand-in"}

func (k Kind) String() string {
	if int(k) < len(kindNames) {
		return kindNames[k]
	}
	return fmt.Sprintf("kind(%d)", uint8(k))
}

// Command is one step of the book: booked whole, or refused whole.
type Command struct {
	ID    ID
	Kind  Kind
	Event string     // the business event, a name from book/chart
	Date  clock.Date // business date
	Legs  []Leg
	Open  []Account   // opened first, if absent; if present they must be the same
	Limit []Limit     // set before the legs are posted
	Close []AccountID // closed after the legs; they must be empty then
	Hold  ID          // Capture, Release, Expire: the hold meant
	Final bool        // Capture: give back what is left of the hold
	// Reverses names an entry that this transfer undoes: same legs, other sides.
	// An entry is reversed once. (*Ledger).Reversal makes such a command.
	Reverses ID
	// Linked ties the command to the next one of the same call: a chain is booked
	// whole or refused whole. The last of a chain is not linked.
	Linked bool
	// Days, if set, limits the business dates of all commands after this one.
	Days Days
	// At is the caller's time in Unix seconds. The book has no clock: a capture
	// is refused, and an expiry accepted, if At >= Expires of the hold.
	At      int64
	Expires int64 // Hold: Unix seconds; 0 = never
	Once    []Once
	Put     []Put
	Out     []Out
	Done    []uint64 // outbox numbers that were delivered; unknown ones are ignored
	Note    []byte   // short, opaque, kept with the entry
	// Handover belongs to the steps of a part that moves. Only the ledger makes
	// them.
	Handover Handover
}

// Posting is a business event turned into balanced legs, as book/chart makes it.
type Posting struct {
	Event string
	Open  []Account
	Legs  []Leg
}

// Command makes the transfer that books the posting.
func (p Posting) Command(id ID, date clock.Date) Command {
	return Command{ID: id, Kind: Transfer, Event: p.Event, Date: date, Open: p.Open, Legs: p.Legs}
}

// At moves an id to a part: a hold lives where its account is, and the first
// twelve bits of an id say where it lives.
func (id ID) At(part uint16) ID {
	id[0] = byte(part >> 4)
	id[1] = byte(part<<4) | id[1]&0x0F
	return id
}

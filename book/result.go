package book

import (
	"fmt"

	"jiaozi/value/money"
)

// Code says what became of a command.
type Code uint8

const (
	OK Code = iota + 1
	Insufficient
	HoldUnknown
	HoldExceeded
	HoldExpired
	LinkRefused
	LinkBroken
	HoldActive
	Exists
	UnknownAccount
	AccountDiffers
	VersionConflict
	Unbalanced
	Overflow
	CurrencyMismatch
	AccountClosed
	AccountInUse
	NotReversible
	PastDate
	FutureDate
	PartMoved
	IDReused
	Malformed
)

var codeWords = [...]struct{ name, what string }{
	OK:               {"ok", "booked"},
	Insufficient:     {"insufficient", "the account would go below zero or below what is held"},
	HoldUnknown:      {"hold_unknown", "no such hold: never made, used up, released or expired"},
	HoldExceeded:     {"hold_exceeded", "the capture is more than what is left of the hold"},
	HoldExpired:      {"hold_expired", "the hold's time has passed"},
	LinkRefused:      {"link_refused", "another command of the same chain was refused; nothing of the chain is booked"},
	LinkBroken:       {"link_broken", "another command of the same chain cannot be booked as it stands; nothing of the chain is booked"},
	HoldActive:       {"hold_active", "the hold's time has not passed yet"},
	Exists:           {"exists", "a once-key is taken; Prior holds the value that was first"},
	UnknownAccount:   {"unknown_account", "a leg names an account that was never opened"},
	AccountDiffers:   {"account_differs", "the account is open with another name, side, currency or rule"},
	VersionConflict:  {"version_conflict", "a record changed since it was read; read it again"},
	Unbalanced:       {"unbalanced", "debits and credits of a currency differ"},
	Overflow:         {"overflow", "a sum leaves the range of amounts"},
	CurrencyMismatch: {"currency_mismatch", "a leg is not in the currency of its account"},
	AccountClosed:    {"account_closed", "the account is closed for ever"},
	AccountInUse:     {"account_in_use", "the account is not empty, or is used beyond the new limit"},
	NotReversible:    {"not_reversible", "no such entry, not a booked transfer, reversed before, or these are not its legs turned around"},
	PastDate:         {"past_date", "the business date is closed"},
	FutureDate:       {"future_date", "the business date is not open yet"},
	PartMoved:        {"part_moved", "another shard keeps this part; look at the shard map and send the command there"},
	IDReused:         {"id_reused", "the id was used for a command with other content"},
	Malformed:        {"malformed", "the command breaks a rule of form"},
}

func (c Code) String() string {
	if c.known() {
		return codeWords[c].name
	}
	return fmt.Sprintf("code(%d)", uint8(c))
}

// Explain says in a sentence what the code means.
func (c Code) Explain() string {
	if c.known() {
		return codeWords[c].what
	}
	return "not a code of the book"
}

func (c Code) known() bool { return c >= OK && int(c) < len(codeWords) }

// Kept reports whether the answer is final for the command's id and stands in
// the journal. A booking is; so is a refusal that its customer may have been
// told, because a retry that comes late must not book what was declined. The
// others leave no trace: the same command may be sent again, corrected or not.
func (c Code) Kept() bool { return c >= OK && c <= LinkRefused }

// Result is the answer to one command.
type Result struct {
	Code     Code
	Seq      uint64 // batch that holds the entry; 0 if the answer is not kept
	Replayed bool   // this is the first answer again
	Prior    []byte // Exists: the value that was first
	// Balances are the balances after the command, one per leg, each signed on
	// the normal side of its account. Empty unless Code is OK.
	Balances []money.Amount
}

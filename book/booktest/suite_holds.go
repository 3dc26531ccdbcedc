package booktest

import (
	"testing"

	"jiaozi/book"
	"jiaozi/value/money"
)

func hold(id string, from book.Account, amount money.Minor, expires int64) book.Command {
	c := note(id)
	c.Kind, c.Expires, c.Open = book.Hold, expires, []book.Account{from}
	c.Legs = []book.Leg{{Account: from.ID, Side: book.Debit, Amount: money.New(from.Currency, amount)}}
	return c
}

func capture(id, of string, from, to book.Account, amount money.Minor, final bool) book.Command {
	c := move(id, from, to, amount)
	c.Kind, c.Hold, c.Final = book.Capture, named(of), final
	return c
}

func end(id, of string, kind book.Kind, at int64) book.Command {
	c := note(id)
	c.Kind, c.Hold, c.At = kind, named(of), at
	return c
}

func holdsReserveUntilUsedUp(_ *testing.T, h *harness) {
	h.ok(move("fund", bank, alice, 100), hold("h", alice, 80, 0))
	h.codes([]book.Code{book.Insufficient, book.Insufficient, book.OK},
		move("1", alice, bob, 21), hold("h2", alice, 21, 0), move("2", alice, bob, 20))
	h.codes([]book.Code{book.HoldExceeded, book.OK, book.HoldExceeded, book.OK},
		capture("3", "h", alice, bob, 81, false), capture("4", "h", alice, bob, 50, false),
		capture("5", "h", alice, bob, 31, false), capture("6", "h", alice, bob, 10, true))
	h.balance(alice, 20)
	h.codes([]book.Code{book.HoldUnknown, book.OK},
		capture("7", "h", alice, bob, 1, false), move("8", alice, bob, 20))
	h.ok(move("more", bank, alice, 50), hold("h3", alice, 50, 0))
	h.codes([]book.Code{book.Insufficient, book.OK, book.OK, book.HoldUnknown},
		move("9", alice, bob, 1), end("10", "h3", book.Release, 0), move("11", alice, bob, 50), end("12", "h3", book.Release, 0))
	h.balance(bob, 150)
	gain, foreign := hold("13", alice, 1, 0), hold("14", bob, 1, 0)
	gain.Legs[0].Side = book.Credit
	foreign.Legs[0].Amount = money.New(hkd, 1)
	h.codes([]book.Code{book.Malformed, book.CurrencyMismatch, book.UnknownAccount}, gain, foreign, nowhere(hold("15", bob, 1, 0)))
	h.codes([]book.Code{book.OK, book.OK, book.OK, book.HoldUnknown}, // the last fen of a hold is its own
		hold("h4", bob, 3, 0), capture("16", "h4", bob, alice, 2, false), capture("17", "h4", bob, alice, 1, false), end("18", "h4", book.Release, 0))
}

// nowhere takes the accounts out of a command's mouth.
func nowhere(c book.Command) book.Command {
	c.Open = nil
	c.Legs[0].Account = unknown
	return c
}

func holdsExpire(_ *testing.T, h *harness) {
	h.ok(move("fund", bank, alice, 100), hold("h", alice, 60, 1000), hold("forever", alice, 40, 0))
	late := capture("2", "h", alice, bob, 10, false)
	late.At = 1000
	inTime := capture("3", "h", alice, bob, 10, false)
	inTime.At = 999
	h.codes([]book.Code{book.HoldActive, book.HoldExpired, book.OK, book.HoldActive, book.OK, book.HoldUnknown},
		end("1", "h", book.Expire, 999), late, inTime, end("4", "forever", book.Expire, 1<<40),
		end("5", "h", book.Expire, 1000), end("6", "h", book.Expire, 1001))
	h.codes([]book.Code{book.OK, book.Insufficient}, move("7", alice, bob, 50), move("8", alice, bob, 1))
}

package booktest

import (
	"slices"
	"testing"

	"jiaozi/book"
	"jiaozi/value/money"
)

// carol may fall to -100.
var carol = func() book.Account {
	a := account("carol", book.Credit, true)
	a.Line = 100
	return a
}()

func limit(id string, a book.Account, line money.Minor) book.Command {
	c := note(id)
	c.Limit = []book.Limit{{Account: a.ID, Line: line}}
	return c
}

func shut(id string, accounts ...book.Account) book.Command {
	c := note(id)
	for _, a := range accounts {
		c.Close = append(c.Close, a.ID)
	}
	return c
}

func creditLinesCarryHoldsAndLegs(_ *testing.T, h *harness) {
	h.codes([]book.Code{book.Insufficient, book.OK, book.Insufficient, book.OK, book.Insufficient},
		move("1", carol, bob, 101), move("2", carol, bob, 60), hold("3", carol, 41, 0), hold("4", carol, 40, 0), move("5", carol, bob, 1))
	h.balance(carol, -60)
	h.ok(end("6", "4", book.Release, 0))
	longer := carol
	longer.Line = 1000 // what an account is opened with again is not its line
	h.codes([]book.Code{book.OK, book.Insufficient}, move("7", longer, bob, 40), move("8", longer, bob, 1))
	h.ok(limit("9", carol, 150))
	h.codes([]book.Code{book.OK, book.Insufficient}, move("10", carol, bob, 50), move("11", carol, bob, 1))
	wider := move("12", carol, bob, 100) // the line is set before the legs
	wider.Limit = []book.Limit{{Account: carol.ID, Line: 250}}
	h.ok(wider)
	h.balance(carol, -250)
	h.balance(bob, 250)
}

func limitsAreNotBelowWhatIsUsed(_ *testing.T, h *harness) {
	h.ok(move("1", carol, bob, 30), hold("2", carol, 20, 0), move("fund", bank, alice, 5))
	h.codes([]book.Code{book.AccountInUse, book.OK, book.Insufficient, book.OK},
		limit("3", carol, 49), limit("4", carol, 50), move("5", carol, bob, 1), limit("6", carol, 51))
	narrow := move("7", carol, bob, 1)
	narrow.Limit = []book.Limit{{Account: carol.ID, Line: 50}}
	h.codes([]book.Code{book.Insufficient, book.Malformed, book.UnknownAccount}, narrow,
		limit("8", bank, 10), limit("9", account("nobody", book.Credit, true), 10))
	twice := limit("10", carol, 60)
	twice.Limit = append(twice.Limit, book.Limit{Account: carol.ID, Line: 70})
	negative := limit("11", carol, -1)
	h.codes([]book.Code{book.Malformed, book.Malformed}, twice, negative)
	opened := limit("12", account("dora", book.Credit, true), 9) // opened and limited at once
	opened.Open = []book.Account{account("dora", book.Credit, true)}
	h.ok(opened)
	h.codes([]book.Code{book.OK, book.Insufficient},
		move("13", account("dora", book.Credit, true), bob, 9), move("14", account("dora", book.Credit, true), bob, 1))
	bare := account("line without floor", book.Credit, false)
	bare.Line = 1
	odd := note("15")
	odd.Open = []book.Account{bare}
	h.codes([]book.Code{book.Malformed}, odd)
}

func accountsCloseEmptyAndForEver(_ *testing.T, h *harness) {
	h.ok(move("fund", bank, alice, 100), hold("h", alice, 40, 0), move("to bob", alice, bob, 60))
	h.codes([]book.Code{book.AccountInUse, book.UnknownAccount, book.Malformed},
		shut("1", alice), shut("2", account("nobody", book.Credit, true)), shut("3", bob, bob))
	leave := move("4", bob, bank, 60) // emptied and closed at once
	leave.Close = []book.AccountID{bob.ID}
	used := capture("5", "h", alice, bank, 40, true)
	used.Close = []book.AccountID{alice.ID}
	h.ok(leave, used)
	h.codes([]book.Code{book.AccountClosed, book.AccountClosed, book.AccountClosed, book.AccountClosed, book.AccountClosed},
		move("6", bank, alice, 1), nameless(move("7", bank, bob, 1)), nameless(hold("8", alice, 1, 0)), shut("9", alice), limit("10", bob, 5))
	again := h.ok(leave, used) // the first answers
	if !again[0].Replayed || !again[1].Replayed {
		h.Fatal("a closed account took its first answer back")
	}
	h.balance(alice, 0)
	h.codes([]book.Code{book.OK, book.AccountClosed}, shut("11", bank), move("12", bank, account("dora", book.Credit, true), 1))
	brief := move("13", account("x", book.Debit, false), account("y", book.Credit, true), 5)
	brief.Legs = slices.Concat(brief.Legs, []book.Leg{{Account: brief.Legs[0].Account, Side: book.Credit, Amount: brief.Legs[0].Amount},
		{Account: brief.Legs[1].Account, Side: book.Debit, Amount: brief.Legs[1].Amount}})
	brief.Close = []book.AccountID{brief.Legs[0].Account, brief.Legs[1].Account} // opened, used and closed by one command
	h.ok(brief)
}

// nameless takes the openings out of a command.
func nameless(c book.Command) book.Command {
	c.Open = nil
	return c
}

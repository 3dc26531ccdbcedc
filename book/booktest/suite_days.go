package booktest

import (
	"testing"

	"jiaozi/book"
	"jiaozi/value/clock"
	"jiaozi/value/money"
)

func days(id string, from, to clock.Date) book.Command {
	c := note(id)
	c.Days = book.Days{From: from, To: to}
	return c
}

func on(date clock.Date, c book.Command) book.Command {
	c.Date = date
	return c
}

func businessDaysOpenAndClose(_ *testing.T, h *harness) {
	h.ok(on(day-20, move("any day", bank, alice, 100)), on(day-1, days("open", day, day+1)))
	yesterday, later := on(day-1, move("1", alice, bob, 1)), on(day+2, move("2", alice, bob, 1))
	h.codes([]book.Code{book.PastDate, book.FutureDate, book.OK, book.OK},
		yesterday, later, on(day, move("3", alice, bob, 1)), on(day+1, move("4", alice, bob, 1)))
	h.codes([]book.Code{book.Malformed, book.Malformed, book.Malformed},
		days("5", day+1, day), days("6", 20261131, 20261231), days("7", 0, day))
	next := days("8", day+1, day+2) // its own date is judged by the days before it
	h.codes([]book.Code{book.OK, book.FutureDate, book.PastDate, book.OK}, next, on(day+3, days("9", day+3, day+3)),
		on(day, move("10", alice, bob, 1)), later) // a refusal for its date leaves the id free
	h.crash()
	h.codes([]book.Code{book.PastDate, book.OK}, on(day, move("11", alice, bob, 1)), on(day+2, move("12", alice, bob, 1)))
	first := h.ok(next) // answered, whatever days are open now
	if !first[0].Replayed {
		h.Fatal("the answer changed with the days")
	}
	back := days("13", day-1, day+2)
	back.Date = day + 1
	h.ok(back)
	h.ok(yesterday) // days may be opened again
	h.balance(bob, 5)
}

// balancesStandAsOfAnyDay books dates in any order, days that open in the middle
// of a batch, twice in one, and before and after the first of them. What history
// then compares is every balance on every date.
func balancesStandAsOfAnyDay(_ *testing.T, h *harness) {
	pay := func(id string, date clock.Date, amount money.Minor) book.Command {
		return on(date, move(id, bank, alice, amount))
	}
	first := pay("d1", day+8, 2) // opens days and has legs on a day that is then closed
	first.Days = book.Days{From: day, To: day + 4}
	h.ok(pay("1", day+5, 1), pay("2", day-5, 10), first, pay("3", day+2, 100), pay("4", day+4, 1000))
	h.ok(pay("5", day, 10000), on(day, days("d2", day, day+5)), pay("6", day+5, 20000), on(day, days("d3", day, day+1)), pay("7", day+1, 30000))
	h.ok(pay("8", day, 1), on(day+1, days("d4", day+1, day+2)))
	h.history()
	h.ok(pay("9", day+1, 7), pay("10", day+2, 8), on(day+1, days("d5", day+2, day+3)), pay("11", day+3, 9))
	h.ok(on(day+2, move("12", alice, bob, 55)), pay("13", day+2, 4))
	h.history()
	h.ok(on(day+2, days("d6", day-9, day+8)), pay("14", day-7, 66), pay("15", day+7, 77))
}

package chart

import (
	"jiaozi/book"
	"jiaozi/value/clock"
	"jiaozi/value/ident"
	"jiaozi/value/money"
)

// DayLimit is the bucket of one customer and business day: it starts at zero, and
// its credit line is the limit, so the book itself refuses what would pass it. The
// next day has a bucket of its own; nothing is set back at midnight.
func DayLimit(inst ident.Inst, number string, date clock.Date, limit money.Amount) book.Account {
	a := covered(book.Credit, limit.Currency(), string(inst), KindDayLimit, number, date.String())
	a.Line = limit.Minor()
	return a
}

// DayUsed is the other side of all buckets of an institution: what was spent
// under limits.
func DayUsed(inst ident.Inst, c money.Currency) book.Account {
	return open(book.Credit, c, string(inst), KindDayUsed)
}

// WithinDay adds a customer's limit of a business day to a posting that spends
// amount: both are booked, or the book answers Insufficient. The limit counts when
// the bucket is opened; a Limit of a later command changes it for the rest of the
// day.
//
//	Dr DayLimit   Cr DayUsed
func WithinDay(p book.Posting, inst ident.Inst, number string, date clock.Date, amount, limit money.Amount) book.Posting {
	q := post(p.Event, dr(DayLimit(inst, number, date, limit), amount), cr(DayUsed(inst, amount.Currency()), amount))
	return book.Posting{
		Event: p.Event,
		Open:  append(append([]book.Account(nil), p.Open...), q.Open...),
		Legs:  append(append([]book.Leg(nil), p.Legs...), q.Legs...),
	}
}

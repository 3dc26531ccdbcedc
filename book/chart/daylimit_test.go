package chart_test

import (
	"fmt"
	"testing"

	"jiaozi/book"
	"jiaozi/book/booktest"
	"jiaozi/book/chart"
	"jiaozi/value/clock"
	"jiaozi/value/ident"
	"jiaozi/value/money"
)

// What one day may spend is spent by none of its payments together, whatever the
// account holds; the next day begins with an empty bucket, and a new limit counts.
func TestDayLimitHoldsOverAllPaymentsOfADay(t *testing.T) {
	ledger, err := book.Open(t.Context(), &booktest.Memory{})
	if err != nil {
		t.Fatal(err)
	}
	defer ledger.Close()
	const monday, tuesday = clock.Date(20261123), clock.Date(20261124)
	yuan := func(m money.Minor) money.Amount { return money.New(156, 100*m) }
	n := 0
	book1 := func(want book.Code, c book.Command) {
		t.Helper()
		n++
		c.ID = book.DeriveID(n)
		r, err := ledger.Apply(t.Context(), []book.Command{c})
		if err != nil || r[0].Code != want {
			t.Fatalf("command %d: %v %v, want %s", n, r, err, want)
		}
	}
	pay := func(date clock.Date, m money.Minor) book.Command {
		p := chart.LoadAccount("10000001", "alice", ident.CardRef{1}, yuan(m))
		return chart.WithinDay(p, "10000001", "alice", date, yuan(m), yuan(100)).Command(book.ID{}, date)
	}
	book1(book.OK, chart.Fund("10000001", "alice", yuan(1000)).Command(book.ID{}, monday))
	book1(book.OK, pay(monday, 60))
	book1(book.Insufficient, pay(monday, 41))
	book1(book.OK, pay(monday, 40))
	book1(book.Insufficient, pay(monday, 1))
	book1(book.OK, pay(tuesday, 100))
	bucket := chart.DayLimit("10000001", "alice", tuesday, yuan(100))
	book1(book.OK, book.Command{Event: chart.EventFund, Date: tuesday, Limit: []book.Limit{{Account: bucket.ID, Line: yuan(150).Minor()}}})
	book1(book.OK, pay(tuesday, 50))
	book1(book.Insufficient, pay(tuesday, 1))
	customer := chart.Customer("10000001", "alice", 156)
	if have, _, err := ledger.Balance(t.Context(), customer.ID); err != nil || have != yuan(1000-60-40-100-50) {
		t.Fatal(fmt.Sprint(have), err)
	}
	if report, err := ledger.Verify(t.Context()); err != nil || len(report.Findings) > 0 {
		t.Fatal(report.Findings, err)
	}
}

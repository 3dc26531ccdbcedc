package mint

import (
	"errors"
	"fmt"
	"time"

	"jiaozi/value/clock"
)

// Plan says how long the coins of an epoch live, in months. An epoch is named
// after the month in which its coins are issued first, such as 202611.
//
//	|-- Issue --|-------- Spend --------|- Deposit -|
//	keys make    payees take coins       only the     what is left is income
//	coins        and the mint too        mint does
type Plan struct {
	Issue, Spend, Deposit int
}

var defaultPlan = Plan{Issue: 1, Spend: 3, Deposit: 1}

// MaxPlanMonths bounds how long coins are worth something after their epoch.
const MaxPlanMonths = 120

func (p Plan) check() error {
	if p.Issue < 1 || 12%p.Issue != 0 || p.Spend < 1 || p.Deposit < 1 || p.Spend+p.Deposit > MaxPlanMonths {
		return fmt.Errorf("epoch plan %+v: Issue divides 12, Spend and Deposit are at least a month, and together at most %d", p, MaxPlanMonths)
	}
	return nil
}

// Alive is how many epochs have published keys at a time: from when the epoch
// before begins until nobody takes their coins any more.
func (p Plan) Alive() int {
	return 1 + (p.Issue+p.Spend+p.Deposit+p.Issue-1)/p.Issue
}

// epoch is one epoch with its dates.
type epoch struct {
	number                                     uint32 // such as 202611
	from, issueUntil, spendUntil, depositUntil time.Time
}

func (p Plan) at(t time.Time) epoch {
	t = t.In(clock.Zone)
	first := time.Month((int(t.Month())-1)/p.Issue*p.Issue + 1)
	return p.from(time.Date(t.Year(), first, 1, 0, 0, 0, 0, clock.Zone))
}

func (p Plan) from(start time.Time) epoch {
	e := epoch{number: uint32(start.Year()*100 + int(start.Month())), from: start, issueUntil: start.AddDate(0, p.Issue, 0)}
	e.spendUntil = e.issueUntil.AddDate(0, p.Spend, 0)
	e.depositUntil = e.spendUntil.AddDate(0, p.Deposit, 0)
	return e
}

func (p Plan) after(e epoch) epoch { return p.from(e.issueUntil) }

var errClock = errors.New("mint: the clock is outside the years 2000 to 9999: set it")

// sane refuses a clock that no scheme has, such as that of a machine without a
// battery.
func sane(now time.Time) error {
	if y := now.In(clock.Zone).Year(); y < 2000 || y > 9999 {
		return fmt.Errorf("%w (it says %d)", errClock, y)
	}
	return nil
}

package auditor

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"

	"jiaozi/book"
	"jiaozi/book/chart"
	"jiaozi/value/ident"
	"jiaozi/value/money"
)

// audit is one run.
type audit struct {
	evidence Evidence
	report   Report
	totals   map[money.Currency]*Total
	owed     map[cardKey]*owed
	payments map[ident.CardRef][]Payment // once each, not in the book
	clones   map[ident.CardRef]*history  // read when a difference wants explaining
}

// cardKey is a card in one currency.
type cardKey struct {
	ref      string
	currency money.Currency
}

// owed is the book's side of the equation for one card.
type owed struct {
	float, inFlight money.Amount
	seen            bool
}

func (a *audit) find(code Code, where, format string, args ...any) {
	a.report.Findings = append(a.report.Findings, Finding{code, where, text(code, format, args...)})
}

func (a *audit) note(code Code, where, format string, args ...any) {
	a.report.Notes = append(a.report.Notes, Finding{code, where, text(code, format, args...)})
}

// control checks the ranges of the control accounts and gathers the book's side.
func (a *audit) control(accounts []book.AccountRow) {
	a.owed = map[cardKey]*owed{}
	for _, row := range accounts {
		_, kind, detail, ok := chart.Name(row.Name)
		if !ok || row.ID != chart.AccountID(row.Name) {
			a.find(CodeControl, row.Name, "not an account of the chart")
			continue
		}
		balance := money.New(row.Currency, row.Balance)
		if balance.Sign() < 0 && !eitherSign(kind) && !chart.Split(row.Name) {
			a.find(CodeControl, row.Name, "%s", balance)
		}
		total := a.total(row.Currency)
		switch kind {
		case chart.KindFloat:
			a.owedTo(detail, row.Currency).float = balance
			a.add(&total.Float, balance)
		case chart.KindInFlight:
			a.owedTo(detail, row.Currency).inFlight = balance
			a.add(&total.InFlight, balance)
		case chart.KindSuspense:
			a.add(&total.Suspense, balance)
		}
	}
}

// eitherSign lists the accounts that may stand on either side: positions between
// institutions, merchants after a clawback, and what a day's limit has left.
func eitherSign(kind string) bool {
	switch kind {
	case chart.KindReserve, chart.KindClearing, chart.KindMerchant, chart.KindTill, chart.KindDayLimit:
		return true
	}
	return false
}

func (a *audit) owedTo(ref string, c money.Currency) *owed {
	key := cardKey{ref, c}
	if a.owed[key] == nil {
		a.owed[key] = &owed{float: money.Zero(c), inFlight: money.Zero(c)}
	}
	return a.owed[key]
}

func (a *audit) total(c money.Currency) *Total {
	if a.totals[c] == nil {
		z := money.Zero(c)
		a.totals[c] = &Total{Currency: c, Float: z, InFlight: z, OnCards: z, Uncleared: z, OnTheWay: z, Unseen: z, Suspense: z}
	}
	return a.totals[c]
}

// add adds up a total; a sum out of range is a finding, not a panic.
func (a *audit) add(to *money.Amount, b money.Amount) {
	sum, err := to.Add(b)
	if err != nil {
		a.find(CodeOverflow, to.Currency().Code(), "%v", err)
		return
	}
	*to = sum
}

// cards goes through the card files, and then through the cards without one.
func (a *audit) cards(ctx context.Context) error {
	if err := a.gatherPayments(ctx); err != nil {
		return fmt.Errorf("audit payments: %w", err)
	}
	files := map[ident.CardRef][]Card{}
	for _, c := range a.evidence.Cards {
		files[c.Ref] = append(files[c.Ref], c)
	}
	for _, ref := range slices.SortedFunc(maps.Keys(files), compareRefs) {
		if err := a.card(ctx, files[ref]); err != nil {
			return fmt.Errorf("audit card %s: %w", ref, err)
		}
	}
	a.unseen()
	return nil
}

func compareRefs(a, b ident.CardRef) int { return slices.Compare(a[:], b[:]) }

// unseen lists the float of cards whose file nobody showed.
func (a *audit) unseen() {
	for _, key := range slices.SortedFunc(maps.Keys(a.owed), compareKeys) {
		o := a.owed[key]
		if o.seen {
			continue
		}
		total := a.total(key.currency)
		a.add(&total.Unseen, o.float)
		a.add(&total.Unseen, o.inFlight)
		if !o.float.IsZero() || !o.inFlight.IsZero() {
			a.note(CodeUnseen, "card "+key.ref, "%s + %s %s", o.float, o.inFlight, key.currency.Code())
		}
	}
}

func compareKeys(a, b cardKey) int {
	if a.ref != b.ref {
		return strings.Compare(a.ref, b.ref)
	}
	return int(a.currency) - int(b.currency)
}

func (a *audit) finish() Report {
	for _, c := range slices.Sorted(maps.Keys(a.totals)) {
		a.report.Totals = append(a.report.Totals, *a.totals[c])
	}
	a.report.Float = a.total(a.evidence.Currency).Float
	a.report.Conserved = len(a.report.Findings) == 0
	return a.report
}

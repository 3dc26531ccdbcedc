package auditor

import (
	"context"
	"encoding/binary"
	"maps"
	"slices"

	"jiaozi/book"
	"jiaozi/book/chart"
	"jiaozi/value/ident"
	"jiaozi/value/money"
)

// history is what the journal holds about one card's counters.
type history struct {
	debited  map[uint16]money.Minor   // off the float, by the entry that took the counter
	suspense map[uint16][]money.Minor // paid out of suspense for the counter
}

// explainClone compares counter by counter what the book took off the float
// with what the card logged. That is an explanation only if the journal itself
// knows of the clone: it must hold a payment of this card in suspense, and where
// both sides have a payment on one counter, that of the card must be the one in
// suspense. Otherwise an issuer could book what it likes and call it a clone.
func (a *audit) explainClone(ctx context.Context, c *Card, e *ending) error {
	if err := a.readHistory(ctx); err != nil {
		return err
	}
	h := a.clones[c.Ref]
	if h == nil || len(h.suspense) == 0 {
		return nil
	}
	logged := map[uint16]money.Minor{}
	for _, d := range c.Log {
		logged[d.ATC] = d.Amount.Minor()
	}
	var sum checked
	for atc, off := range h.debited {
		on, has := logged[atc]
		if !has && !reaches(c, atc) {
			continue // too old to tell: taken as the card's own
		}
		if has && on != off && !slices.Contains(h.suspense[atc], on) {
			return nil
		}
		sum.add(on)
		sum.sub(off)
	}
	if sum.overflow || sum.value != e.difference {
		return nil
	}
	e.explained = true
	for _, atc := range slices.Sorted(maps.Keys(h.suspense)) {
		code := text(CodeClone, "ATC %d, %s", atc, money.New(c.Balance.Currency(), h.suspense[atc][0]))
		e.notes = append(e.notes, Finding{CodeClone, "card " + c.Ref.String(), code})
	}
	return nil
}

// reaches reports whether the card's log would show a debit on this counter.
func reaches(c *Card, atc uint16) bool {
	return c.LogComplete || atc > c.ATC || slices.ContainsFunc(c.Log, func(d Debit) bool { return d.ATC < atc })
}

// readHistory reads the journal once for all cards.
func (a *audit) readHistory(ctx context.Context) error {
	if a.clones != nil || a.evidence.Journal == nil {
		return nil
	}
	a.clones = map[ident.CardRef]*history{}
	kinds := map[book.AccountID]string{}
	for _, row := range a.evidence.Book.Books.Accounts() {
		_, kinds[row.ID], _, _ = chart.Name(row.Name)
	}
	return a.evidence.Journal.Journal(ctx, 0, func(b book.Batch) error {
		for i := range b.Entries {
			if b.Entries[i].Result.Code == book.OK {
				a.remember(&b.Entries[i].Command, kinds)
			}
		}
		return nil
	})
}

// remember notes an entry that took a card's counter, in the space of accepted
// payments or in another (a clone's counter is taken twice).
func (a *audit) remember(c *book.Command, kinds map[book.AccountID]string) {
	const refAndATC = len(ident.CardRef{}) + 2
	for _, o := range c.Once {
		if len(o.Key) < refAndATC {
			continue
		}
		float, suspense := debits(c.Legs, kinds, chart.KindFloat), debits(c.Legs, kinds, chart.KindSuspense)
		if o.Space != SpaceTap && suspense == 0 {
			continue
		}
		h := a.historyOf(ident.CardRef(o.Key[:refAndATC-2]))
		atc := binary.BigEndian.Uint16(o.Key[refAndATC-2:])
		if o.Space == SpaceTap {
			h.debited[atc] = float
		}
		if suspense != 0 {
			h.suspense[atc] = append(h.suspense[atc], suspense)
		}
	}
}

func (a *audit) historyOf(ref ident.CardRef) *history {
	if a.clones[ref] == nil {
		a.clones[ref] = &history{debited: map[uint16]money.Minor{}, suspense: map[uint16][]money.Minor{}}
	}
	return a.clones[ref]
}

func debits(legs []book.Leg, kinds map[book.AccountID]string, kind string) (sum money.Minor) {
	for _, leg := range legs {
		if leg.Side == book.Debit && kinds[leg.Account] == kind {
			sum += leg.Amount.Minor()
		}
	}
	return sum
}

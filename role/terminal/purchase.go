package terminal

import (
	"context"

	"jiaozi/value/money"
	"jiaozi/value/reason"
	"jiaozi/wire/apdu"
	"jiaozi/wire/purse"
)

// Purchase takes one payment in electronic cash: under one name whatever the
// customer does with the card, tap or insert. It never returns with a debit that
// is not in the journal.
func (t *Terminal) Purchase(_ context.Context, card apdu.Card, sale Sale) Outcome {
	if err := t.sound(); err != nil {
		return t.refused(0, sale.Amount, because(reason.SystemError, err))
	}
	if sale.Entry != purse.Contact && sale.Entry != purse.Contactless {
		return t.refused(0, sale.Amount, because(reason.FormatError, nil))
	}
	if st := t.admits(sale, t.now()); st != nil {
		return t.refused(0, sale.Amount, st)
	}
	s, st := t.present(card, sale.Amount, sale.Entry)
	if st != nil {
		return s.declined(st)
	}
	s.txnType, s.pin, s.arc = txnPurchase, sale.PIN, arcApproved
	var out Outcome
	if sale.Entry == purse.Contactless {
		out = s.tap()
	} else {
		out = s.insert()
	}
	if out.Result == Approved || out.Result == Recovered {
		t.told()
	}
	return out
}

// told notes that the outcome is on its way to the till.
func (t *Terminal) told() {
	if r := t.state.unsaid; r != nil {
		t.signalled = traceOf(r)
	}
}

// Unsaid gives the last sale of a process that died before anything proves that
// it signalled success. A till shows it at start.
func (t *Terminal) Unsaid() (purse.Record, bool) {
	if t.guarded == nil || t.now().Sub(t.guarded.When) > shieldWindow {
		return purse.Record{}, false
	}
	return *t.guarded, true
}

// refused declines before any card is there.
func (t *Terminal) refused(what Service, amount money.Amount, st *stop) Outcome {
	out := Outcome{Result: Declined, Reason: st.code, Amount: amount, Err: st.err}
	out.Receipt = t.slip(what, out, t.now())
	return out
}

package auditor

import (
	"context"
	"encoding/binary"
	"math"
	"slices"

	"jiaozi/value/ident"
	"jiaozi/value/money"
	"jiaozi/wire/purse"
)

// SpaceTap is the book's space of accepted payments: the key is the card's
// reference and its counter (tapKey), whoever presented it.
const SpaceTap = "tap"

func tapKey(ref ident.CardRef, atc uint16) []byte {
	return binary.BigEndian.AppendUint16(slices.Clone(ref[:]), atc)
}

// gatherPayments sorts the payments by card, each once, without those whose
// counter the book has taken: their money is in the book, or in suspense.
func (a *audit) gatherPayments(ctx context.Context) error {
	type name struct {
		ref   ident.CardRef
		atc   uint16
		proof [32]byte
	}
	seen := map[name]bool{}
	a.payments = map[ident.CardRef][]Payment{}
	for _, p := range a.evidence.Payments {
		if err := p.Record.Validate(); err != nil {
			a.find(CodeRecord, p.Where, "%v", err)
			continue
		}
		n := name{p.Ref, p.Record.ATC, p.Record.Proof()}
		taken, err := a.taken(ctx, p.Ref, p.Record.ATC)
		if err != nil {
			return err
		}
		if taken || seen[n] {
			continue
		}
		seen[n] = true
		a.payments[p.Ref] = append(a.payments[p.Ref], p)
	}
	return nil
}

// taken reports whether the book has taken a card's counter.
func (a *audit) taken(ctx context.Context, ref ident.CardRef, atc uint16) (bool, error) {
	_, taken, err := a.evidence.Journal.GetOnce(ctx, SpaceTap, tapKey(ref, atc))
	return taken, err
}

// card balances all the files that claim to be one card. One of them must agree
// with the book; another is a copy, or an old state of it.
func (a *audit) card(ctx context.Context, files []Card) error {
	best, explained := 0, false
	var ends []ending
	for i := range files {
		e, err := a.equation(ctx, &files[i])
		if err != nil {
			return err
		}
		ends = append(ends, e)
		if e.explained && !explained {
			best, explained = i, true
		}
	}
	for i, e := range ends {
		if i != best {
			a.note(CodeTwin, "card "+files[i].Ref.String(), "ATC %d, %s", files[i].ATC, files[i].Balance)
			continue
		}
		a.settleCard(&files[i], e)
	}
	return nil
}

// ending is how the equation of one file came out.
type ending struct {
	owed       *owed
	uncleared  money.Minor
	difference money.Minor // book less outside
	notes      []Finding
	explained  bool
	onTheWay   bool // the difference is the load in flight
	closing    bool // the difference is the balance of the closure in flight
}

// settleCard puts the outcome for the file that counts into the report.
func (a *audit) settleCard(c *Card, e ending) {
	cur, where := c.Balance.Currency(), "card "+c.Ref.String()
	a.report.Notes = append(a.report.Notes, e.notes...)
	total := a.total(cur)
	a.add(&total.OnCards, c.Balance)
	a.add(&total.Uncleared, money.New(cur, e.uncleared))
	if e.onTheWay {
		a.add(&total.OnTheWay, e.owed.inFlight)
		a.note(CodeOnTheWay, where, "%s", e.owed.inFlight)
	}
	if e.closing {
		a.add(&total.OnTheWay, c.Closing)
		a.note(CodeClosing, where, "%s", c.Closing)
	}
	if e.owed == nil {
		if !e.explained {
			a.find(CodeStranger, where, "%s", c.Balance)
		}
		return
	}
	e.owed.seen = true
	if !e.explained {
		a.find(CodeCard, where, "float %s + in flight %s, card %s + uncleared %s, difference %s %s",
			e.owed.float, e.owed.inFlight, c.Balance, money.New(cur, e.uncleared), money.New(cur, e.difference), cur.Code())
	}
}

// equation computes both sides for one file.
func (a *audit) equation(ctx context.Context, c *Card) (ending, error) {
	cur := c.Balance.Currency()
	e := ending{owed: a.owed[cardKey{c.Ref.String(), cur}]}
	sum := checked{}
	if e.owed != nil {
		sum.add(e.owed.float.Minor())
		sum.add(e.owed.inFlight.Minor())
	}
	sum.sub(c.Balance.Minor())
	var unsure []Payment
	for _, p := range a.payments[c.Ref] {
		switch made(c, &p.Record) {
		case yes:
			sum.sub(p.Record.Amount.Minor())
			e.uncleared += p.Record.Amount.Minor()
		case no:
			if p.Record.Flag == purse.None {
				e.notes = append(e.notes, noteOf(CodeNotMade, p))
			}
		case maybe:
			unsure = append(unsure, p)
		}
	}
	if err := a.elsewhere(ctx, c, &sum, &e); err != nil {
		return e, err
	}
	e.difference = sum.value
	if sum.overflow {
		return e, nil
	}
	return e, a.explain(ctx, c, unsure, &e)
}

// elsewhere counts the debits of the card's own log that neither the book nor
// anybody's evidence knows: a point of sale that is not at hand still has them.
func (a *audit) elsewhere(ctx context.Context, c *Card, sum *checked, e *ending) error {
	for _, d := range c.Log {
		taken, err := a.taken(ctx, c.Ref, d.ATC)
		if err != nil {
			return err
		}
		known := slices.ContainsFunc(a.payments[c.Ref], func(p Payment) bool {
			return p.Record.ATC == d.ATC && p.Record.Amount == d.Amount
		})
		if taken || known || d.Amount.Currency() != c.Balance.Currency() {
			continue
		}
		sum.sub(d.Amount.Minor())
		e.uncleared += d.Amount.Minor()
		where := "card " + c.Ref.String()
		e.notes = append(e.notes, Finding{CodeElsewhere, where, text(CodeElsewhere, "%s, ATC %d", d.Amount, d.ATC)})
	}
	return nil
}

// gap is money that is in the book and neither on the card nor with a payment.
type gap struct {
	size              money.Minor
	onTheWay, closing bool
}

// gaps lists what may be open about a card, the plainest first: nothing, a load
// that has not arrived, a closure whose proof is on its way.
func gaps(c *Card, e *ending) []gap {
	list := []gap{{}}
	if e.owed != nil && !e.owed.inFlight.IsZero() {
		list = append(list, gap{size: e.owed.inFlight.Minor(), onTheWay: true})
	}
	if !c.Closing.IsZero() && c.Balance.IsZero() {
		list = append(list, gap{size: c.Closing.Minor(), closing: true})
	}
	return list
}

// explain accounts for a difference: one of the gaps, with or without payments
// that the log is too short to tell of, or a clone.
func (a *audit) explain(ctx context.Context, c *Card, unsure []Payment, e *ending) error {
	for _, g := range gaps(c, e) {
		used := subset(unsure, e.difference-g.size)
		if used == nil {
			continue
		}
		for _, p := range used {
			e.notes = append(e.notes, noteOf(CodeUndecided, p))
			e.uncleared += p.Record.Amount.Minor()
			e.difference -= p.Record.Amount.Minor()
		}
		e.explained, e.onTheWay, e.closing = true, g.onTheWay, g.closing
		return nil
	}
	return a.explainClone(ctx, c, e)
}

func noteOf(code Code, p Payment) Finding {
	return Finding{code, p.Where, text(code, "%s, ATC %d, card %s", p.Record.Amount, p.Record.ATC, p.Ref)}
}

// verdict is what a card says about a payment.
type verdict uint8

const (
	no verdict = iota
	yes
	maybe
)

// made asks the card whether it made a payment: its log if that reaches back so
// far, otherwise its counter, which at least rules out the future.
func made(c *Card, r *purse.Record) verdict {
	if r.ATC > c.ATC || r.Amount.Currency() != c.Balance.Currency() {
		return no
	}
	if i := slices.IndexFunc(c.Log, func(d Debit) bool { return d.ATC == r.ATC }); i >= 0 {
		if c.Log[i].Amount == r.Amount {
			return yes
		}
		return no
	}
	oldest := uint16(math.MaxUint16)
	for _, d := range c.Log {
		oldest = min(oldest, d.ATC)
	}
	switch {
	case c.LogComplete || r.ATC > oldest:
		return no
	case r.Flag == purse.None:
		return yes // approved with the card's own cryptogram
	}
	return maybe
}

// maxUnsure bounds the search for the payments that explain a difference.
const maxUnsure = 12

// subset finds payments that add up to want; nil if there are none, or too many
// to try. The empty set, for want = 0, is not nil.
func subset(list []Payment, want money.Minor) []Payment {
	if len(list) > maxUnsure {
		return nil
	}
	for pick := range 1 << len(list) {
		used, sum := []Payment{}, checked{}
		for i := range list {
			if pick&(1<<i) != 0 {
				used = append(used, list[i])
				sum.add(list[i].Record.Amount.Minor())
			}
		}
		if !sum.overflow && sum.value == want {
			return used
		}
	}
	return nil
}

// checked adds minor units and remembers an overflow.
type checked struct {
	value    money.Minor
	overflow bool
}

func (s *checked) add(m money.Minor) {
	next := s.value + m
	if (m > 0 && next < s.value) || (m < 0 && next > s.value) {
		s.overflow = true
	}
	s.value = next
}

func (s *checked) sub(m money.Minor) {
	if m == math.MinInt64 {
		s.overflow = true
		return
	}
	s.add(-m)
}

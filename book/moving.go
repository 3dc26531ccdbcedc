package book

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"jiaozi/value/clock"
	"jiaozi/value/money"
)

// What stops a step of a part.
var (
	// ErrNotHere: the part is not in the state that the step begins with.
	ErrNotHere = errors.New("book: the part is not where the step expects it")
	// ErrUnsent: messages of the part wait in the outbox. Deliver them first.
	ErrUnsent = errors.New("book: the part has messages in the outbox: deliver them first")
)

// carryBytes bounds what is written to the carried rows at a time.
const carryBytes = 4 << 20

// Leave stops booking on a part, because it is about to move to another chain:
// commands that touch it get PartMoved from here on. Reads go on. The home of the
// chain cannot leave. Doing it twice does it once.
func (l *Ledger) Leave(ctx context.Context, part, to uint16, date clock.Date) error {
	if last, found := l.lastTravel(part); found && last.kind == Leave && last.chain == to {
		return nil
	}
	_, err := l.step(ctx, Leave, Handover{Part: part, Chain: to}, nil, date)
	return err
}

// Stay takes Leave back: the part is booked here again. Once it is handed out it
// is too late.
func (l *Ledger) Stay(ctx context.Context, part uint16, date clock.Date) error {
	last, found := l.lastTravel(part)
	if !found || last.here() {
		return nil
	}
	_, err := l.step(ctx, Stay, Handover{Part: part, Chain: last.chain}, nil, date)
	return err
}

// CarryOut brings the slice of a part, in the carried rows, up to the journal's
// head, while the part is in use or after it has left. It goes on where it
// stopped, and says how far it came. Once the part is handed out, its slice is
// what it was then: refusals of later commands that name the part are none of it.
func (l *Ledger) CarryOut(ctx context.Context, part uint16) (h Handover, err error) {
	carrier, ok := l.engine.(Carrier)
	if !ok {
		return h, ErrNoCarrier
	}
	view, err := l.engine.View(ctx)
	if err != nil {
		return h, fmt.Errorf("carry part %d out: %w", part, err)
	}
	o := &outward{view: view, carrier: carrier, part: part, own: l.engine.Chain(), sum: newDigester(part)}
	m := l.mem()
	m.mu.RLock()
	o.arrived, o.came = m.parts.arrival(part, maxSeq)
	m.mu.RUnlock()
	if o.head, err = l.endOf(ctx, part, view); err == nil {
		err = o.run(ctx)
	}
	if err = errors.Join(err, view.Close()); err != nil {
		return h, fmt.Errorf("carry part %d out: %w", part, err)
	}
	return Handover{Part: part, Count: o.sum.count, Digest: o.sum.digest(), Head: o.head}, nil
}

// endOf is the batch up to which the slice of a part goes.
func (l *Ledger) endOf(ctx context.Context, part uint16, view View) (Head, error) {
	if last, found := l.lastTravel(part); found && last.kind == HandOut {
		h, _, err := l.handOutOf(ctx, last)
		return h.Head, err
	}
	return view.Head(ctx)
}

// outward writes the slice of a part: what came with it from another chain, and
// then the entries of this one's journal that touch it.
type outward struct {
	view      View
	carrier   Carrier
	part, own uint16
	arrived   travel
	came      bool
	sum       *digester
	done      uint64 // rows that were there
	rows      []CarriedRow
	bytes     int
	head      Head
}

func (o *outward) run(ctx context.Context) error {
	err := eachCarried(ctx, o.view, o.part, o.own, func(r CarriedRow) error {
		o.done++
		return o.sum.add(r)
	})
	if err != nil {
		return err
	}
	if o.came && o.done < o.arrived.count {
		if err := o.passOn(ctx); err != nil {
			return err
		}
	}
	from := Position{Seq: o.arrived.seq}.number()
	if o.done > o.arrived.count {
		from = Position{o.sum.last.Seq, o.sum.last.Place}.number() + 1
	}
	err = o.view.Journal(ctx, position(from).Seq, func(row Row) error {
		if row.Seq > o.head.Seq {
			return errEnough
		}
		return Entries(row.Body, func(place int, raw []byte) error {
			if (Position{row.Seq, place}).number() < from {
				return nil
			}
			e, err := DecodeEntry(row.Seq, raw)
			if err != nil || !e.Command.touches(o.part) {
				return err
			}
			return o.add(ctx, row.Seq, place, raw)
		})
	})
	if err != nil && !errors.Is(err, errEnough) {
		return err
	}
	return o.write(ctx)
}

// passOn copies what came with the part.
func (o *outward) passOn(ctx context.Context) error {
	return eachCarried(ctx, o.view, o.part, o.arrived.chain, func(r CarriedRow) error {
		if r.N < o.done {
			return nil
		}
		return o.add(ctx, r.Seq, r.Place, r.Entry)
	})
}

func (o *outward) add(ctx context.Context, seq uint64, place int, raw []byte) error {
	r := CarriedRow{Part: o.part, Chain: o.own, N: o.sum.count, Seq: seq, Place: place, Entry: slices.Clone(raw)}
	if err := o.sum.add(r); err != nil {
		return err
	}
	o.rows = append(o.rows, r)
	if o.bytes += len(raw); o.bytes < carryBytes && len(o.rows) < carryPage {
		return nil
	}
	return o.write(ctx)
}

func (o *outward) write(ctx context.Context) error {
	if len(o.rows) == 0 {
		return nil
	}
	err := o.carrier.Carry(ctx, o.rows)
	o.rows, o.bytes = o.rows[:0:0], 0
	return err
}

// HandOut gives a part to the chain for which it left: its accounts, records and
// holds are no longer here. What it returns is for HandIn there, and nowhere else.
// Doing it twice does it once. A part that left for another chain is refused with
// ErrNotHere.
func (l *Ledger) HandOut(ctx context.Context, part, to uint16, date clock.Date) (Handover, error) {
	last, found := l.lastTravel(part)
	switch {
	case !found || last.kind != Leave && last.kind != HandOut:
		return Handover{}, fmt.Errorf("hand part %d out: %w: it has not left", part, ErrNotHere)
	case last.chain != to:
		return Handover{}, fmt.Errorf("hand part %d out: %w: it left for chain %d, not for %d", part, ErrNotHere, last.chain, to)
	case last.kind == HandOut:
		return l.handedOut(ctx, last)
	}
	if err := l.Unsent(ctx, part); err != nil {
		return Handover{}, err
	}
	h, err := l.CarryOut(ctx, part)
	if err != nil {
		return h, err
	}
	state := newStater(part)
	list := func(after AccountID, fn func(AccountRow) error) error { return l.AccountsAfter(ctx, after, fn) }
	if err := eachOf(part, list, func(row AccountRow) error { return state.add(&row) }); err != nil {
		return h, err
	}
	h.Chain, h.State = to, state.digest()
	if err := l.provable(ctx, h); err != nil {
		return h, fmt.Errorf("hand part %d out: %w", part, err)
	}
	if _, err := l.step(ctx, HandOut, h, state.nets, date); err != nil {
		return h, err
	}
	last, _ = l.lastTravel(part)
	return l.handedOut(ctx, last)
}

// provable makes the part from its slice, as the target will: what it would refuse
// is better learned while the part can stay.
func (l *Ledger) provable(ctx context.Context, h Handover) error {
	h.Chain = l.engine.Chain()
	return l.at(ctx, func(*memory) {}, func(v View) error {
		_, err := readArrival(ctx, v, &h)
		return err
	})
}

// handedOut is what the target is told, from the journal.
func (l *Ledger) handedOut(ctx context.Context, t travel) (Handover, error) {
	h, at, err := l.handOutOf(ctx, t)
	h.Chain, h.Head = l.engine.Chain(), at
	return h, err
}

// handOutOf finds what a HandOut says, and its batch.
func (l *Ledger) handOutOf(ctx context.Context, t travel) (h Handover, at Head, err error) {
	err = l.Journal(ctx, t.seq, func(b Batch) error {
		for i := range b.Entries {
			if c := &b.Entries[i].Command; c.Kind == HandOut && c.Handover.Part == t.part {
				h, at = c.Handover, Head{b.Seq, b.Hash}
			}
		}
		return errEnough
	})
	if errors.Is(err, errEnough) {
		err = nil
	}
	return h, at, err
}

// Unsent returns ErrUnsent if messages of the part wait in the outbox.
func (l *Ledger) Unsent(ctx context.Context, part uint16) error {
	if err := l.WriteBehind(ctx); err != nil {
		return err
	}
	return l.at(ctx, func(*memory) {}, func(v View) error {
		return v.AllOutbox(ctx, func(p Pending) error {
			if p.Part == part {
				return fmt.Errorf("%w (part %d, message %d to %s)", ErrUnsent, part, p.Number, p.Topic)
			}
			return nil
		})
	})
}

// BeforePart is the id after which the accounts of a part come: the last one of the
// part before it, or that of zeros, which is no account.
func BeforePart(part uint16) (id AccountID) {
	if part == 0 {
		return id
	}
	for i := range id {
		id[i] = 0xff
	}
	return AccountID(ID(id).At(part - 1))
}

// eachOf visits the accounts of a part, which list visits in the order of ids.
func eachOf(part uint16, list func(AccountID, func(AccountRow) error) error, fn func(AccountRow) error) error {
	err := list(BeforePart(part), func(row AccountRow) error {
		if row.ID.Part() != part {
			return errEnough
		}
		return fn(row)
	})
	if errors.Is(err, errEnough) {
		return nil
	}
	return err
}

// HandIn takes a part in that another chain handed out, when all of its slice has
// come into the carried rows: from the batch of this step on the part is kept
// here, with everything that was ever booked on it. A slice that is not what was
// handed out is refused with ErrDamaged, and nothing is booked. Doing it twice
// does it once.
func (l *Ledger) HandIn(ctx context.Context, h Handover, date clock.Date) error {
	if last, found := l.lastTravel(h.Part); found && last.kind == HandIn && last.chain == h.Chain && last.digest == h.Digest {
		return nil
	}
	err := l.CanTake(ctx, h.Part, h.Chain, date)
	if err != nil {
		return err
	}
	var nets map[money.Currency]money.Minor // and not the arrival: the writer reads one again, and one is enough
	err = l.at(ctx, func(*memory) {}, func(v View) error {
		a, err := readArrival(ctx, v, &h)
		if err == nil {
			nets = a.nets
		}
		return err
	})
	if err != nil {
		return fmt.Errorf("hand part %d in: %w", h.Part, err)
	}
	_, err = l.step(ctx, HandIn, h, nets, date)
	return err
}

// CanTake says why HandIn of a part from a chain would be refused, whatever its
// slice is. Ask before the part leaves: once it is handed out, only HandIn goes on.
func (l *Ledger) CanTake(ctx context.Context, part, from uint16, date clock.Date) error {
	if _, ok := l.engine.(Carrier); !ok {
		return ErrNoCarrier
	}
	m := l.mem()
	m.mu.RLock()
	days, came := m.days.last(), m.parts.arrivedFrom(part, from, maxSeq)
	m.mu.RUnlock()
	if days != (Days{}) && (date < days.From || date > days.To) {
		return fmt.Errorf("take part %d: %w: business day %s is not open here", part, ErrNotHere, date)
	}
	if came {
		return fmt.Errorf("take part %d: %w: it came from chain %d before, and its rows of that time are still needed", part, ErrNotHere, from)
	}
	return l.vacant(ctx, part)
}

// Keeps reports whether commands that touch a part are booked here.
func (l *Ledger) Keeps(part uint16) bool {
	m := l.mem()
	m.mu.RLock()
	defer m.mu.RUnlock()
	return m.parts.has(part)
}

// vacant checks that the part is not in use here: two states would mix. It looks at
// the tables themselves, because nobody is shown what a part has that is not kept.
func (l *Ledger) vacant(ctx context.Context, part uint16) error {
	if l.Keeps(part) {
		return fmt.Errorf("hand part %d in: %w: it is kept here already", part, ErrNotHere)
	}
	if err := l.WriteBehind(ctx); err != nil { // also what leaves the tables
		return err
	}
	return l.at(ctx, func(*memory) {}, func(v View) error {
		list := func(after AccountID, fn func(AccountRow) error) error { return v.Accounts(ctx, after, fn) }
		return eachOf(part, list, func(row AccountRow) error {
			return fmt.Errorf("hand part %d in: %w: account %s is open here", part, ErrNotHere, row.ID)
		})
	})
}

func (l *Ledger) lastTravel(part uint16) (travel, bool) {
	m := l.mem()
	m.mu.RLock()
	defer m.mu.RUnlock()
	return m.parts.last(part)
}

var stepNames = map[Kind]string{Leave: "part-leave", Stay: "part-stay", HandOut: "part-out", HandIn: "part-in"}

// step books one step.
func (l *Ledger) step(ctx context.Context, kind Kind, h Handover, nets map[money.Currency]money.Minor, date clock.Date) (Result, error) {
	m := l.mem()
	m.mu.RLock()
	nth := len(m.parts.travels)
	m.mu.RUnlock()
	c := Command{Kind: kind, Event: stepNames[kind], Date: date, Handover: h}
	c.ID = DeriveID("book", "part", h.Part, h.Chain, kind, date, nth)
	carryLegs(&c, l.engine.Chain(), nets)
	r, err := l.newRequest([]Command{c})
	if err != nil {
		return Result{}, err
	}
	results, err := l.await(ctx, r)
	if err != nil {
		return Result{}, fmt.Errorf("%s of part %d: %w", kind, h.Part, err)
	}
	if code := results[0].Code; code != OK {
		return results[0], fmt.Errorf("%s of part %d: %w: %s", kind, h.Part, ErrNotHere, code.Explain())
	}
	return results[0], nil
}

// Forget removes the slice of a part that a chain had: this one, when the part is
// safe elsewhere or did not leave after all; or another one from which it never
// came. What came is the only copy, and stays.
func (l *Ledger) Forget(ctx context.Context, part, chain uint16) error {
	carrier, ok := l.engine.(Carrier)
	if !ok {
		return ErrNoCarrier
	}
	m := l.mem()
	m.mu.RLock()
	came := m.parts.arrivedFrom(part, chain, maxSeq)
	m.mu.RUnlock()
	if came {
		return fmt.Errorf("forget part %d of chain %d: %w: it came from there", part, chain, ErrNotHere)
	}
	return carrier.Forget(ctx, part, chain)
}

package clearing

import (
	"context"
	"encoding/binary"
	"fmt"
	"strings"

	"jiaozi/book"
	"jiaozi/book/chart"
	"jiaozi/value/clock"
	"jiaozi/value/ident"
	"jiaozi/value/money"
	"jiaozi/value/reason"
	"jiaozi/wire/clearing"
	"jiaozi/wire/purse"
)

// item is one line of a day: a judged payment, or a cash load.
type item struct {
	clearing.Detail
	mid  ident.MID
	day  clock.Date
	cash cashKind
	// key names a payment in suspense for good.
	key []byte
}

type cashKind uint8

const (
	noCash cashKind = iota
	cashPosted
	cashUndone
)

// paid tells whether the item moved money to the acquirer.
func (i *item) paid() bool {
	return i.cash == noCash && (i.Verdict == clearing.Accepted || i.Verdict == clearing.Clone)
}

func (i *item) pair() chart.Pair { return chart.Pair{Issuer: i.Issuer, Acquirer: i.Acquirer} }

// items reads what was taken for some days.
func (c *Clearing) items(ctx context.Context, days []clock.Date) ([]item, error) {
	var list []item
	for _, day := range days {
		err := c.door.Scan(ctx, c.space(spaceDone), dateKey(day), func(_, value []byte, _ uint64) error {
			more, err := c.judged(day, value)
			list = append(list, more...)
			return err
		})
		if err == nil {
			err = c.door.Scan(ctx, c.space(spaceCash), dateKey(day), func(_, value []byte, _ uint64) error {
				one, err := c.cashItem(day, value)
				list = append(list, one)
				return err
			})
		}
		if err != nil {
			return nil, fmt.Errorf("clearing %s: read %s: %w", c.cfg.Inst, day, err)
		}
	}
	return list, nil
}

// judged reads a stored outcome. Its signature was checked when it came; the
// book vouches for it since.
func (c *Clearing) judged(day clock.Date, file []byte) ([]item, error) {
	f, err := clearing.Decode(file, func(ident.Inst, []byte, []byte) error { return nil })
	if err != nil {
		return nil, fmt.Errorf("stored outcome: %w: %w", errRecord, err)
	}
	list := make([]item, len(f.Details))
	for n, d := range f.Details {
		list[n] = item{Detail: d, day: day}
		if !list[n].paid() {
			continue
		}
		r, err := purse.Decode(d.Record)
		if err != nil {
			return nil, fmt.Errorf("stored outcome %s: %w: %w", f.Header.ID, errRecord, err)
		}
		list[n].mid = r.MID
		list[n].key = binary.BigEndian.AppendUint32(append([]byte(nil), f.Header.ID[:]...), d.Sequence)
	}
	return list, nil
}

// cashReport is an issuer's word on a cash load, as kept for its day.
type cashReport struct {
	Key  string `json:"key"`
	Body []byte `json:"body"` // purse.Record
}

// cashItem reads a report: what/issuer/acquirer/trace.
func (c *Clearing) cashItem(day clock.Date, value []byte) (item, error) {
	var report cashReport
	if err := decode(value, &report); err != nil {
		return item{}, err
	}
	parts := strings.SplitN(report.Key, "/", 4)
	r, err := purse.Decode(report.Body)
	if err != nil || len(parts) != 4 {
		return item{}, fmt.Errorf("cash load: %w", errRecord)
	}
	one := item{day: day, mid: r.MID, cash: cashPosted, Detail: clearing.Detail{
		Issuer: ident.Inst(parts[1]), Acquirer: ident.Inst(parts[2]), Record: report.Body,
		Gross: r.Amount, Verdict: clearing.Accepted, Reason: reason.Approved}}
	if parts[0] == "undone" {
		one.cash, one.Verdict, one.Reason = cashUndone, clearing.Rejected, reason.LoadLost
	}
	return one, nil
}

// drained is how many reports one command takes.
const drained = 1000

// drain moves the issuers' reports of cash loads from the outbox to a day.
func (c *Clearing) drain(ctx context.Context, day clock.Date) error {
	for range maxStale {
		pending, err := c.door.Outbox(ctx, topicClearing, 0, drained)
		if err != nil {
			return fmt.Errorf("clearing %s: read the reports of cash loads: %w", c.cfg.Inst, err)
		}
		if len(pending) == 0 {
			return nil
		}
		st, version, err := c.state(ctx)
		if err != nil {
			return err
		}
		st.take(day)
		cmd := book.Command{Event: eventCash, Date: day,
			ID:  book.DeriveID("clr/cash", string(c.cfg.Inst), st.Taken, pending[0].Number),
			Put: []book.Put{c.put(spaceState, keyState, version, st)}}
		for _, p := range pending {
			key := binary.BigEndian.AppendUint64(dateKey(day), p.Number)
			cmd.Put = append(cmd.Put, c.put(spaceCash, key, 0, cashReport{Key: string(p.Key), Body: p.Body}))
			cmd.Done = append(cmd.Done, p.Number)
		}
		if _, err := c.apply(ctx, "take reports of cash loads", cmd); err != nil {
			return err
		}
	}
	return ErrBusy
}

// agree compares what the files say with what the issuers posted: for each pair,
// the Clearing account holds all that is not settled yet. Payments of files
// whose outcome has not arrived may be in it or not.
func (c *Clearing) agree(ctx context.Context, all []item) error {
	expected := make(map[chart.Pair]money.Amount)
	for n := range all {
		if err := addTo(expected, all[n].pair(), clearingEffect(&all[n])); err != nil {
			return err
		}
	}
	waiting, err := c.unanswered(ctx)
	if err != nil {
		return err
	}
	for _, pair := range c.pairs() {
		zero := money.Zero(c.cfg.Currency)
		have, open, err := c.door.Balance(ctx, chart.Clearing(pair, c.cfg.Currency).ID)
		if err != nil {
			return fmt.Errorf("clearing %s: read the account with %s and %s: %w", c.cfg.Inst, pair.Issuer, pair.Acquirer, err)
		}
		if !open {
			have = zero
		}
		want := orZero(expected[pair], zero)
		surplus, err := have.Sub(want)
		if err != nil {
			return err
		}
		if surplus.Sign() < 0 || surplus.Minor() > orZero(waiting[pair], zero).Minor() {
			return fmt.Errorf("%w: issuer %s, acquirer %s: the files say %s, the book %s", ErrNet, pair.Issuer, pair.Acquirer, want, have)
		}
	}
	return nil
}

// clearingEffect is what an item did to the Clearing account of its pair.
func clearingEffect(i *item) money.Amount {
	gross := i.Gross
	switch {
	case i.paid() || i.cash == cashUndone:
		return gross
	case i.cash == cashPosted:
		return money.New(gross.Currency(), -gross.Minor())
	}
	return money.Zero(gross.Currency())
}

// unanswered adds up the files whose outcome has not arrived.
func (c *Clearing) unanswered(ctx context.Context) (map[chart.Pair]money.Amount, error) {
	sums := make(map[chart.Pair]money.Amount)
	err := c.door.Scan(ctx, c.space(spaceOpen), nil, func(_, value []byte, _ uint64) error {
		var r routed
		if err := decode(value, &r); err != nil {
			return err
		}
		return addTo(sums, chart.Pair{Issuer: r.Issuer, Acquirer: r.Acquirer}, money.New(c.cfg.Currency, r.Sum))
	})
	return sums, err
}

// pairs are all issuers with all acquirers.
func (c *Clearing) pairs() []chart.Pair {
	var list []chart.Pair
	for issuer, m := range c.cfg.Members {
		for acquirer, n := range c.cfg.Members {
			if m.Issuer && n.Acquirer {
				list = append(list, chart.Pair{Issuer: issuer, Acquirer: acquirer})
			}
		}
	}
	return list
}

// addTo adds to a sum that may not have begun.
func addTo[K comparable](sums map[K]money.Amount, k K, more money.Amount) error {
	sum, ok := sums[k]
	if !ok {
		sums[k] = more
		return nil
	}
	sum, err := sum.Add(more)
	if err != nil {
		return fmt.Errorf("clearing: %w", err)
	}
	sums[k] = sum
	return nil
}

func orZero(a, zero money.Amount) money.Amount {
	if a == (money.Amount{}) {
		return zero
	}
	return a
}

package clearing

import (
	"cmp"
	"context"
	"fmt"
	"slices"

	"jiaozi/book"
	"jiaozi/book/chart"
	"jiaozi/value/clock"
	"jiaozi/value/ident"
	"jiaozi/value/money"
	"jiaozi/wire/clearing"
)

// closing is the record of a closed day: which open days it took in, and the
// rules that were in force. Everything else follows from the files.
type closing struct {
	Days    []clock.Date `json:"days"`
	Tariffs Tariffs      `json:"tariffs"`
	Bearer  chart.Bearer `json:"bearer"`
}

// Settle ends a day: it takes in all that is there up to date, checks that the
// net is zero and agrees with the book, closes the day, posts the settlement and
// returns the report and the files for acquirers and issuers. If it fails before
// the day is closed, nothing is settled; afterwards, call it again: it posts
// what is missing and returns the same files.
func (c *Clearing) Settle(ctx context.Context, date clock.Date) (*Report, []Dispatch, error) {
	if !date.Valid() {
		return nil, nil, fmt.Errorf("%w: %d is not a date", ErrDay, uint32(date))
	}
	if err := c.closeDay(ctx, date); err != nil {
		return nil, nil, err
	}
	d, err := c.finish(ctx, date)
	if err != nil {
		return nil, nil, err
	}
	files, err := c.settlements(d)
	return d.report, files, err
}

// finish reckons a closed day from its record and posts what is missing.
func (c *Clearing) finish(ctx context.Context, date clock.Date) (*day, error) {
	var rules closing
	version, err := c.get(ctx, spaceDay, dateKey(date), &rules)
	if err != nil {
		return nil, err
	}
	if version == 0 {
		return nil, fmt.Errorf("%w: %s was settled with a later day", ErrDay, date)
	}
	items, err := c.items(ctx, rules.Days)
	if err != nil {
		return nil, err
	}
	d, err := c.reckon(date, rules, items)
	if err != nil {
		return nil, err
	}
	return d, c.post(ctx, d)
}

// closeDay closes a day that is still open. The state's version makes sure that
// nothing is taken between counting and closing.
func (c *Clearing) closeDay(ctx context.Context, date clock.Date) error {
	st, _, err := c.state(ctx)
	if err != nil || date <= st.Closed {
		return err
	}
	if st.Closed != 0 { // a crash may have left the last day closed and not posted
		if _, err := c.finish(ctx, st.Closed); err != nil {
			return err
		}
	}
	for range maxStale {
		if closed, err := c.tryClose(ctx, date); closed || err != nil {
			return err
		}
	}
	return ErrBusy
}

func (c *Clearing) tryClose(ctx context.Context, date clock.Date) (closed bool, err error) {
	if err := c.drain(ctx, date); err != nil {
		return false, err
	}
	st, version, err := c.state(ctx)
	if err != nil || date <= st.Closed {
		return true, err
	}
	if ready, err := c.count(ctx, date, st); !ready || err != nil {
		return false, err
	}
	rules := closing{Tariffs: c.cfg.Tariffs, Bearer: c.cfg.Bearer}
	rules.Days, st.Open = st.until(date)
	st.Closed = date
	st.Taken++
	stale, err := c.apply(ctx, "close "+date.String(), book.Command{
		ID:    book.DeriveID("clr/close", string(c.cfg.Inst), uint32(date), encode(rules), st.Taken),
		Event: eventClose, Date: date,
		Put: []book.Put{c.put(spaceState, keyState, version, st), c.put(spaceDay, dateKey(date), 0, rules)},
	})
	return !stale, err
}

// count checks the day that is about to be closed. It is not ready if cash loads
// were reported meanwhile: the accounts then hold what the items lack.
func (c *Clearing) count(ctx context.Context, date clock.Date, st state) (ready bool, err error) {
	all, err := c.items(ctx, st.Open)
	if err != nil {
		return false, err
	}
	disagree := c.agree(ctx, all)
	late, err := c.door.Outbox(ctx, topicClearing, 0, 1)
	if err != nil {
		return false, fmt.Errorf("clearing %s: read the reports of cash loads: %w", c.cfg.Inst, err)
	}
	if len(late) > 0 {
		return false, nil
	}
	if disagree != nil {
		return false, disagree
	}
	today := slices.DeleteFunc(all, func(i item) bool { return i.day > date })
	_, err = c.reckon(date, closing{Tariffs: c.cfg.Tariffs, Bearer: c.cfg.Bearer}, today)
	return err == nil, err
}

// day is a reckoned day.
type day struct {
	date    clock.Date
	bearer  chart.Bearer
	items   []item
	pairs   []chart.Settlement // in the order of issuer, acquirer
	clones  []suspended
	report  *Report
	network ident.Inst
}

// suspended is a payment in suspense with its bearer.
type suspended struct {
	key   []byte
	event chart.Clone
}

// reckon computes a day from its items: fees, pairs, and the report, whose
// columns it proves to be zero in sum and to be what the postings will move.
func (c *Clearing) reckon(date clock.Date, rules closing, items []item) (*day, error) {
	d := &day{date: date, bearer: rules.Bearer, items: items, network: c.cfg.Inst,
		report: newReport(date, c.cfg.Inst, c.cfg.Currency)}
	byPair := make(map[chart.Pair]*pairing)
	for n := range items {
		it := &items[n]
		if it.paid() {
			fees, err := rules.Tariffs.fees(it.mid, it.Gross)
			if err != nil {
				return nil, err
			}
			it.Fees = fees
		}
		p := byPair[it.pair()]
		if p == nil {
			p = newPairing(it.pair(), c.cfg)
			byPair[it.pair()] = p
		}
		if err := p.add(it); err != nil {
			return nil, err
		}
		if it.cash == noCash && it.Verdict == clearing.Clone {
			d.clones = append(d.clones, suspended{it.key, chart.Clone{Pair: it.pair(), MID: it.mid, Bearer: rules.Bearer, Amount: it.Gross}})
		}
		if err := d.report.add(it, rules.Bearer); err != nil {
			return nil, err
		}
	}
	for _, p := range byPair {
		d.pairs = append(d.pairs, p.settlement())
	}
	slices.SortFunc(d.pairs, func(a, b chart.Settlement) int {
		return cmp.Or(cmp.Compare(a.Issuer, b.Issuer), cmp.Compare(a.Acquirer, b.Acquirer))
	})
	return d, d.prove()
}

// prove compares two computations of the net: the report's, item by item, and
// the chart's, posting by posting; and checks that the sum is zero.
func (d *day) prove() error {
	net := make(map[ident.Inst]money.Amount)
	for _, s := range d.pairs {
		n, err := s.Net()
		if err != nil {
			return fmt.Errorf("%w: %w", ErrNet, err)
		}
		for _, move := range []struct {
			inst ident.Inst
			sum  money.Amount
		}{{s.Issuer, n.Issuer}, {s.Acquirer, n.Acquirer}, {s.Network, n.Network}} {
			if err := addTo(net, move.inst, move.sum); err != nil {
				return err
			}
		}
	}
	for _, s := range d.clones {
		if s.event.Bearer == chart.IssuerBears {
			continue
		}
		back := money.New(s.event.Amount.Currency(), -s.event.Amount.Minor())
		if err := addTo(net, s.event.Issuer, s.event.Amount); err != nil {
			return err
		}
		if err := addTo(net, s.event.Acquirer, back); err != nil {
			return err
		}
	}
	return d.report.prove(net)
}

// batch is how many postings go to the book at once.
const batch = 4096

// post books the settlement: each pair once, each suspended payment once. The
// ids follow from the day and from the payments, so a repetition posts nothing.
func (c *Clearing) post(ctx context.Context, d *day) error {
	var cmds []book.Command
	for _, s := range d.pairs {
		p, err := chart.Settle(s)
		if err != nil {
			return fmt.Errorf("clearing %s: %w", c.cfg.Inst, err)
		}
		if len(p.Legs) > 0 {
			cmds = append(cmds, p.Command(book.DeriveID("clr/settle", string(c.cfg.Inst), uint32(d.date), string(s.Issuer), string(s.Acquirer)), d.date))
		}
	}
	for _, s := range d.clones {
		p, err := chart.CloneBorne(s.event)
		if err != nil {
			return fmt.Errorf("clearing %s: %w", c.cfg.Inst, err)
		}
		cmds = append(cmds, p.Command(book.DeriveID("clr/clone", string(c.cfg.Inst), s.key), d.date))
	}
	for start := 0; start < len(cmds); start += batch {
		if _, err := c.apply(ctx, "settle "+d.date.String(), cmds[start:min(start+batch, len(cmds))]...); err != nil {
			return err
		}
	}
	return nil
}

// settlements writes the files: each institution gets the lines that concern it.
func (c *Clearing) settlements(d *day) ([]Dispatch, error) {
	lines := make(map[ident.Inst][]clearing.Detail)
	for n := range d.items {
		it := &d.items[n]
		lines[it.Issuer] = append(lines[it.Issuer], it.Detail)
		if it.Acquirer != it.Issuer {
			lines[it.Acquirer] = append(lines[it.Acquirer], it.Detail)
		}
	}
	var out []Dispatch
	for _, inst := range issuers(lines) {
		all := lines[inst]
		for n := range all {
			all[n].Sequence = uint32(n + 1)
		}
		for start, sequence := 0, uint32(1); start < len(all); start, sequence = start+clearing.MaxDetails, sequence+1 {
			file, err := c.write(&clearing.File{
				Header:  clearing.Header{Kind: clearing.Settlement, To: inst, Date: d.date, Sequence: sequence},
				Details: all[start:min(start+clearing.MaxDetails, len(all))],
			})
			if err != nil {
				return nil, err
			}
			out = append(out, Dispatch{To: inst, File: file})
		}
	}
	return out, nil
}

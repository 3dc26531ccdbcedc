package book

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"math/big"
	"slices"

	"jiaozi/book/index"
	"jiaozi/value/money"
)

// partFold follows the parts that move.
type partFold struct {
	away    map[uint16]uint16 // parts that left, with the chain they left for
	came    map[Handover]bool // where parts came from: part and chain
	history string            // the record that the book keeps of it
	steps   uint64
	// slice sums up what the journal and the carried rows have on a part, up to a
	// batch; arrived reads what came.
	slice   func(part uint16, upTo uint64) (count uint64, digest Hash, err error)
	arrived func(*Handover) (*arrival, error)
}

// fenced checks that nothing is booked on a part that has left.
func (b *Books) fenced(c *Command) (first *complaint) {
	if len(b.parts.away) == 0 {
		return nil
	}
	c.EachPart(func(part uint16) {
		if _, away := b.parts.away[part]; away && first == nil {
			first = complain("entry-part", "part %d had left this chain", part)
		}
	})
	return first
}

// move folds a step of a part in.
func (b *Books) move(at Position, e *Entry) *complaint {
	c, h := &e.Command, &e.Command.Handover
	if !c.moves() {
		return nil
	}
	left, away := b.parts.away[h.Part]
	first := b.mirror(c)
	switch c.Kind {
	case Leave:
		if away || h.Part == b.chainNumber {
			first = complain("entry-part", "part %d left and was not here to leave", h.Part)
		}
		b.parts.away[h.Part] = h.Chain
	case Stay:
		if !away || left != h.Chain {
			first = complain("entry-part", "part %d stays and was not leaving", h.Part)
		}
		delete(b.parts.away, h.Part)
	case HandOut:
		if !away || left != h.Chain {
			first = complain("entry-part", "part %d is handed to chain %d and had not left for it", h.Part, h.Chain)
		}
		first = later(first, b.handOut(e))
	case HandIn:
		first = later(first, b.handIn(e))
		delete(b.parts.away, h.Part)
	}
	b.remember(at, c)
	return first
}

func later(first, second *complaint) *complaint {
	if first != nil {
		return first
	}
	return second
}

// mirror checks that the balances go against the account of the other chain.
func (b *Books) mirror(c *Command) *complaint {
	for _, leg := range c.Legs {
		if leg.Account != CarriedAccount(b.chainNumber, c.Handover.Chain, leg.Amount.Currency()).ID {
			return complain("entry-part", "the balances of part %d go against %s", c.Handover.Part, leg.Account)
		}
	}
	return nil
}

// handOut takes a part out, and compares what goes with what is said of it.
func (b *Books) handOut(e *Entry) (first *complaint) {
	h := &e.Command.Handover
	first = b.sameSlice(h)
	first = later(first, b.accountsOut(&e.Command))
	for key := range b.records {
		if key.Part() == h.Part {
			delete(b.records, key)
		}
	}
	for id, row := range b.holds {
		if row.Leg.Account.Part() == h.Part {
			delete(b.holds, id)
		}
	}
	for _, p := range b.outbox {
		if p.Part == h.Part {
			first = later(first, complain("entry-part", "part %d goes while message %d of it waits", h.Part, p.Number))
		}
	}
	return first
}

// accountsOut takes the accounts of a part out.
func (b *Books) accountsOut(c *Command) *complaint {
	h := &c.Handover
	var ids []AccountID
	for id := range b.accounts {
		if id.Part() == h.Part {
			ids = append(ids, id)
		}
	}
	slices.SortFunc(ids, compare16)
	nets, state := map[money.Currency]*big.Int{}, newStater(h.Part)
	for _, id := range ids {
		addBig(nets, b.accounts[id])
		if err := state.add(b.accounts[id]); err != nil {
			return complain("entry-part", "%v", err)
		}
		delete(b.accounts, id)
	}
	if have := state.digest(); have != h.State {
		return complain("entry-part", "the accounts of part %d have digest %s and were handed over with %s", h.Part, have, h.State)
	}
	return sameNets(c, nets, 1)
}

func (b *Books) sameSlice(h *Handover) *complaint {
	count, digest, err := b.parts.slice(h.Part, h.Head.Seq)
	if err != nil {
		return complain("entry-part", "the slice of part %d cannot be read: %v", h.Part, err)
	}
	if count != h.Count || digest != h.Digest {
		return complain("entry-part", "the slice of part %d has %d entries and digest %s, and was handed over as %d with digest %s",
			h.Part, count, digest, h.Count, h.Digest)
	}
	return nil
}

// handIn takes a part in.
func (b *Books) handIn(e *Entry) *complaint {
	first := b.vacant(&e.Command.Handover)
	a, err := b.parts.arrived(&e.Command.Handover)
	if err != nil {
		return complain("entry-part", "what came with part %d: %v", e.Command.Handover.Part, err)
	}
	nets := map[money.Currency]*big.Int{}
	for i := range a.accounts {
		row := a.accounts[i]
		b.accounts[row.ID] = &row
		addBig(nets, &row)
	}
	for _, r := range a.records {
		b.records[r.Key] = bookRecord{value: string(r.Record.Value), gone: r.Record.Value == nil, version: r.Record.Version}
	}
	for _, hold := range a.holds {
		b.holds[hold.ID] = hold.Row
	}
	return later(first, sameNets(&e.Command, nets, -1))
}

// vacant checks that a part that comes is not here, and never came from that chain.
func (b *Books) vacant(h *Handover) *complaint {
	way := Handover{Part: h.Part, Chain: h.Chain}
	if b.parts.came[way] {
		return complain("entry-part", "part %d comes from chain %d a second time", h.Part, h.Chain)
	}
	b.parts.came[way] = true
	for id := range b.accounts {
		if id.Part() == h.Part {
			return complain("entry-part", "part %d comes and has account %s here", h.Part, id)
		}
	}
	return nil
}

// addBig adds the balance of an account to the net of its currency, debits less
// credits.
func addBig(nets map[money.Currency]*big.Int, a *AccountRow) {
	net := nets[a.Currency]
	if net == nil {
		net = new(big.Int)
		nets[a.Currency] = net
	}
	m := big.NewInt(int64(a.Balance))
	if a.Normal == Credit {
		m.Neg(m)
	}
	net.Add(net, m)
}

// sameNets checks that the legs are the balances of the part, debits less credits,
// or the other way round.
func sameNets(c *Command, nets map[money.Currency]*big.Int, sign int64) *complaint {
	for _, leg := range c.Legs {
		m := big.NewInt(sign * int64(leg.Amount.Minor()))
		if leg.Side == Credit {
			m.Neg(m)
		}
		net := nets[leg.Amount.Currency()]
		if net == nil || net.Cmp(m) != 0 {
			return complain("entry-part", "the balances of part %d are not the %s that stands against them", c.Handover.Part, leg.Amount)
		}
		delete(nets, leg.Amount.Currency())
	}
	for currency, net := range nets {
		if net.Sign() != 0 {
			return complain("entry-part", "the balances of part %d in %s stand against nothing", c.Handover.Part, currency.Code())
		}
	}
	return nil
}

// remember keeps the record of the book's parts.
func (b *Books) remember(at Position, c *Command) {
	h := &c.Handover
	line := []byte{byte(c.Kind)}
	line = binary.BigEndian.AppendUint16(line, h.Part)
	line = binary.BigEndian.AppendUint16(line, h.Chain)
	line = binary.BigEndian.AppendUint64(line, at.Seq)
	line = binary.BigEndian.AppendUint32(line, uint32(c.Date))
	line = binary.BigEndian.AppendUint64(line, h.Count)
	b.parts.history += string(append(line, h.Digest[:]...))
	b.parts.steps++
	b.records[travelsKey(b.chainNumber)] = bookRecord{value: b.parts.history, version: b.parts.steps}
}

// sliceOf sums the slice of a part up from what came with it and from the journal.
func (v *verifier) sliceOf(part uint16, upTo uint64) (count uint64, digest Hash, err error) {
	d := newDigester(part)
	number := func(r CarriedRow) error {
		r.N = d.count
		return d.add(r)
	}
	from := uint64(0)
	if came, ok := v.came[part]; ok && came.seq <= upTo {
		from = came.seq
		err = eachCarried(v.ctx, v.aside, part, came.chain, number)
	}
	if err == nil {
		err = eachTouching(v.ctx, v.aside, part, from, upTo, number)
	}
	return d.count, d.digest(), err
}

// eachTouching visits the entries of a journal that touch a part.
func eachTouching(ctx context.Context, view View, part uint16, from, upTo uint64, fn func(CarriedRow) error) error {
	err := view.Journal(ctx, from, func(row Row) error {
		if row.Seq > upTo {
			return errEnough
		}
		return Entries(row.Body, func(place int, raw []byte) error {
			e, err := DecodeEntry(row.Seq, raw)
			if err != nil || !e.Command.touches(part) {
				return err
			}
			return fn(CarriedRow{Part: part, Seq: row.Seq, Place: place, Entry: raw})
		})
	})
	if errors.Is(err, errEnough) {
		return nil
	}
	return err
}

// arrivedWith reads what came with a part, and tells the keys of it.
func (v *verifier) arrivedWith(at Position, h *Handover) (*arrival, error) {
	a, err := readArrival(v.ctx, v.aside, h)
	if err != nil {
		return nil, fmt.Errorf("read it: %w", err)
	}
	v.came[h.Part] = travel{seq: at.Seq, chain: h.Chain}
	v.keys.arrival(at, a)
	return a, nil
}

// brought reports whether a carried row is one of those that its part came with
// last, as far as the fold has come.
func (v *verifier) brought(at Position) bool {
	part, chain, _ := at.carried()
	t, came := v.came[part]
	return came && t.chain == chain
}

// arrival takes the keys and lines that came with a part in.
func (k *keyring) arrival(at Position, a *arrival) {
	for i := range a.keys {
		c := &a.keys[i]
		h := k.hash.id(c.id)
		if c.space != "" {
			h = k.hash.once(c.space, c.key)
		}
		if at.Seq <= k.keys.Seq() {
			k.keySum.add(index.Entry{Hash: h.index, Pos: c.at})
		} else if _, known := k.tail[h]; !known {
			k.tail[h] = position(c.at)
		}
	}
	if at.Seq <= k.lines.Seq() {
		for _, line := range a.lines {
			k.lineSum.add(line)
		}
	}
}

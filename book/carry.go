package book

import (
	"bytes"
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"hash"
	"slices"
	"strconv"

	"jiaozi/book/index"
	"jiaozi/value/money"
)

// CarriedRow is one entry of the slice of a part: on the source a copy of what the
// journal has, on the target the only one, and part of the truth.
type CarriedRow struct {
	Part  uint16
	Chain uint16 // whose slice it is: that of the source
	N     uint64 // from 0, without gaps
	Seq   uint64 // where the entry was first booked: the batch
	Place int    // and its place there
	Entry []byte // canonical bytes
}

// Carrier is an Engine that keeps carried rows. Its views are CarriedViews.
type Carrier interface {
	// Carry adds rows durably. A row that is there already stays as it is.
	Carry(ctx context.Context, rows []CarriedRow) error
	// Forget removes the slice of a part, on the source after a move.
	Forget(ctx context.Context, part, chain uint16) error
}

// CarriedView is a View of a Carrier.
type CarriedView interface {
	// Carried visits rows of a slice from number from on, in order, at most max.
	Carried(ctx context.Context, part, chain uint16, from uint64, max int, fn func(CarriedRow) error) error
}

// ErrNoCarrier: the store cannot keep parts of other servers.
var ErrNoCarrier = errors.New("book: this store cannot send or take parts: only a PostgreSQL store can")

// A position with bit 63 set is that of a carried row: part, chain, number.
const (
	carriedBit = 1 << 63
	nBits      = 39
	maxCarried = 1<<nBits - 1
)

func carriedPosition(part, chain uint16, n uint64) uint64 {
	return carriedBit | uint64(part)<<(nBits+12) | uint64(chain)<<nBits | n
}

// Carried reports whether the entry came with a part from another chain.
func (p Position) Carried() bool { return p.number()&carriedBit != 0 }

// carried takes a position apart.
func (p Position) carried() (part, chain uint16, n uint64) {
	number := p.number()
	return uint16(number>>(nBits+12)) & (Parts - 1), uint16(number>>nBits) & (Parts - 1), number & maxCarried
}

func partName(part uint16) string { return strconv.Itoa(int(part)) }

// digester sums a slice up.
type digester struct {
	hash  hash.Hash
	count uint64
	last  CarriedRow
}

func newDigester(part uint16) *digester {
	d := &digester{hash: sha256.New()}
	d.hash.Write(binary.BigEndian.AppendUint16([]byte("jiaozi book slice 1\x00"), part))
	return d
}

func (d *digester) add(r CarriedRow) error {
	if r.N != d.count {
		return fmt.Errorf("%w (carried row %d of part %d is missing)", ErrDamaged, d.count, r.Part)
	}
	var b [20]byte
	binary.BigEndian.PutUint64(b[:], r.Seq)
	binary.BigEndian.PutUint32(b[8:], uint32(r.Place))
	binary.BigEndian.PutUint64(b[12:], uint64(len(r.Entry)))
	d.hash.Write(b[:])
	d.hash.Write(r.Entry)
	d.count, d.last = d.count+1, r
	return nil
}

func (d *digester) digest() Hash { return Hash(d.hash.Sum(nil)) }

// stater sums the accounts of a part up, in the order of their ids.
type stater struct {
	hash hash.Hash
	nets map[money.Currency]money.Minor // debits less credits
}

func newStater(part uint16) *stater {
	s := &stater{sha256.New(), map[money.Currency]money.Minor{}}
	s.hash.Write(binary.BigEndian.AppendUint16([]byte("jiaozi book part 1\x00"), part))
	return s
}

func (s *stater) add(a *AccountRow) error {
	b := append([]byte(nil), a.ID[:]...)
	b = append(b, byte(a.Normal), boolByte(a.NeverNegative), boolByte(a.Closed))
	b = binary.BigEndian.AppendUint16(b, uint16(a.Currency))
	for _, m := range []money.Minor{a.Account.Line, a.AccountState.Line, a.Balance, a.Held} {
		b = binary.BigEndian.AppendUint64(b, uint64(m))
	}
	s.hash.Write(appendString(b, a.Name))
	return addNet(s.nets, a)
}

func (s *stater) digest() Hash { return Hash(s.hash.Sum(nil)) }

const carryPage = 1024

// eachCarried visits a whole slice, page by page.
func eachCarried(ctx context.Context, v View, part, chain uint16, fn func(CarriedRow) error) error {
	view, ok := carriedView(v)
	if !ok {
		return ErrNoCarrier
	}
	for from := uint64(0); ; from += carryPage {
		n := 0
		err := view.Carried(ctx, part, chain, from, carryPage, func(r CarriedRow) error {
			n++
			return fn(r)
		})
		if err != nil || n < carryPage {
			return err
		}
	}
}

func carriedView(v View) (CarriedView, bool) {
	if l, ok := v.(lent); ok {
		v = l.View
	}
	view, ok := v.(CarriedView)
	return view, ok
}

// arrival is what a slice makes of a part: the state that the source had.
type arrival struct {
	accounts []AccountRow // in the order of ids
	records  []RecordRow
	holds    []HoldChange
	keys     []carriedKey
	lines    []index.Entry
	nets     map[money.Currency]money.Minor // debits less credits
}

// carriedKey is an id, or a once-key, with the place of its entry.
type carriedKey struct {
	id    ID
	space string
	key   []byte
	at    uint64
}

// readArrival folds a slice and compares it with what the source said of it.
func readArrival(ctx context.Context, v View, h *Handover) (*arrival, error) {
	f := &sliceFold{part: h.Part, chain: h.Chain, accounts: map[AccountID]*AccountRow{}, records: map[Key]Record{}, holds: map[ID]HoldRow{}}
	d := newDigester(h.Part)
	err := eachCarried(ctx, v, h.Part, h.Chain, func(r CarriedRow) error {
		if err := d.add(r); err != nil {
			return err
		}
		return f.row(r)
	})
	if err != nil {
		return nil, err
	}
	if d.count != h.Count || d.digest() != h.Digest {
		return nil, fmt.Errorf("%w (of part %d, %d entries came from chain %d with digest %s; %d with digest %s were handed over)",
			ErrDamaged, h.Part, d.count, h.Chain, d.digest(), h.Count, h.Digest)
	}
	a, state, err := f.arrival()
	if err == nil && state != h.State {
		err = fmt.Errorf("%w (the accounts of part %d, made from its slice, have digest %s; those that were handed over have %s)",
			ErrDamaged, h.Part, state, h.State)
	}
	return a, err
}

// sliceFold makes the state of one part from the entries that touch it.
type sliceFold struct {
	part, chain uint16
	accounts    map[AccountID]*AccountRow
	records     map[Key]Record
	holds       map[ID]HoldRow
	keys        []carriedKey
	lines       []index.Entry
}

func (f *sliceFold) row(r CarriedRow) error {
	e, err := DecodeEntry(r.Seq, r.Entry)
	if err != nil {
		return fmt.Errorf("%w: carried row %d of part %d: %w", ErrDamaged, r.N, r.Part, err)
	}
	at := carriedPosition(f.part, f.chain, r.N)
	c := &e.Command
	f.keys = append(f.keys, carriedKey{id: c.ID, at: at})
	if e.Result.Code != OK {
		return nil
	}
	for i := range c.Once {
		if partOf(c.Once[i].Key) == f.part {
			f.keys = append(f.keys, carriedKey{space: c.Once[i].Space, key: slices.Clone(c.Once[i].Key), at: at})
		}
	}
	if c.Reverses != (ID{}) {
		f.keys = append(f.keys, carriedKey{space: SpaceBook + "reversed", key: slices.Clone(c.Reverses[:]), at: at})
	}
	for _, line := range appendLines(nil, c, &e.Result, at) {
		if partOf(binary.BigEndian.AppendUint64(nil, line.Hash)) == f.part {
			f.lines = append(f.lines, line)
		}
	}
	return f.book(&e)
}

// book does to the part what the entry did.
func (f *sliceFold) book(e *Entry) error {
	c := &e.Command
	for _, a := range c.Open {
		if a.ID.Part() == f.part && f.accounts[a.ID] == nil {
			f.accounts[a.ID] = &AccountRow{a, AccountState{Line: a.Line}}
		}
	}
	for _, l := range c.Limit {
		if a := f.accounts[l.Account]; a != nil {
			a.AccountState.Line = l.Line
		}
	}
	f.hold(c)
	for i := range c.Legs {
		id := c.Legs[i].Account
		if id.Part() != f.part || c.Kind == Hold {
			continue
		}
		a := f.accounts[id]
		if a == nil {
			return fmt.Errorf("%w (the slice of part %d has a leg on account %s and not its opening)", ErrDamaged, f.part, id)
		}
		a.Balance = e.Result.Balances[i].Minor()
	}
	for _, id := range c.Close {
		if a := f.accounts[id]; a != nil {
			a.Closed = true
		}
	}
	for i := range c.Put {
		if key := c.Put[i].key(); key.Part() == f.part {
			f.records[key] = Record{Value: bytes.Clone(c.Put[i].Value), Version: f.records[key].Version + 1}
		}
	}
	return nil
}

// hold makes, shrinks and ends holds of the part.
func (f *sliceFold) hold(c *Command) {
	if c.Kind == Hold {
		if a := f.accounts[c.Legs[0].Account]; a != nil {
			a.Held += c.Legs[0].Amount.Minor()
			f.holds[c.ID] = HoldRow{Leg: c.Legs[0], Expires: c.Expires}
		}
		return
	}
	h, found := f.holds[c.Hold]
	if !found {
		return
	}
	left := h.Leg.Amount.Minor()
	used := left
	if c.Kind == Capture && !c.Final {
		used, _ = captured(c.Legs, h.Leg)
	}
	f.accounts[h.Leg.Account].Held -= used
	h.Leg.Amount = money.New(h.Leg.Amount.Currency(), left-used)
	f.holds[c.Hold] = h
	if left == used {
		delete(f.holds, c.Hold)
	}
}

func (f *sliceFold) arrival() (*arrival, Hash, error) {
	s := newStater(f.part)
	a := &arrival{keys: f.keys, lines: f.lines, nets: s.nets}
	for _, row := range f.accounts {
		a.accounts = append(a.accounts, *row)
	}
	slices.SortFunc(a.accounts, func(x, y AccountRow) int { return compare16(x.ID, y.ID) })
	for i := range a.accounts {
		if err := s.add(&a.accounts[i]); err != nil {
			return nil, Hash{}, err
		}
	}
	for key, r := range f.records {
		a.records = append(a.records, RecordRow{key, r})
	}
	for id, row := range f.holds {
		a.holds = append(a.holds, HoldChange{ID: id, Row: row})
	}
	return a, s.digest(), nil
}

// addNet adds an account to debits less credits.
func addNet(nets map[money.Currency]money.Minor, row *AccountRow) error {
	m := row.Balance
	if row.Normal == Credit {
		m = -m
	}
	sum, ok := addMinor(nets[row.Currency], m)
	if !ok {
		return fmt.Errorf("the balances of part %d in %s add up beyond the range of amounts", row.ID.Part(), row.Currency.Code())
	}
	nets[row.Currency] = sum
	return nil
}

// carryLegs are the legs that balance the leaving, or the arrival, of a part.
func carryLegs(c *Command, own uint16, nets map[money.Currency]money.Minor) {
	currencies := make([]money.Currency, 0, len(nets))
	for currency, net := range nets {
		if net != 0 {
			currencies = append(currencies, currency)
		}
	}
	slices.SortFunc(currencies, func(a, b money.Currency) int { return cmp.Compare(a, b) })
	for _, currency := range currencies {
		net := nets[currency]
		if c.Kind == HandIn {
			net = -net
		}
		leg := Leg{Side: Debit, Amount: money.New(currency, net)}
		if net < 0 {
			leg.Side, leg.Amount = Credit, money.New(currency, -net)
		}
		account := CarriedAccount(own, c.Handover.Chain, currency)
		leg.Account = account.ID
		c.Open, c.Legs = append(c.Open, account), append(c.Legs, leg)
	}
}

package book

import (
	"fmt"
	"math"
	"math/big"
	"slices"
	"strings"

	"jiaozi/value/money"
)

// Books is what the journal says, recomputed entry by entry. The code shares
// nothing with plan but the types, so that a mistake in one shows in the other.
type Books struct {
	accounts map[AccountID]*AccountRow
	records  map[Key]bookRecord
	holds    map[ID]HoldRow
	outbox   map[uint64]Pending
	days     Days
	// chainNumber says under which key the history of business days is kept.
	chainNumber uint16
	// original finds an entry before a position that is said to be reversed.
	original func(Position, ID) (Entry, bool, error)
	chain    *chainFold
	parts    partFold
}

// chainFold follows a run of linked entries: all are booked, or none.
type chainFold struct {
	booked, refused bool
	causes          int // refusals that have a reason of their own
}

type bookRecord struct {
	value   string
	gone    bool
	version uint64
}

func newBooks() *Books {
	return &Books{
		accounts: map[AccountID]*AccountRow{}, records: map[Key]bookRecord{},
		holds: map[ID]HoldRow{}, outbox: map[uint64]Pending{}, parts: partFold{away: map[uint16]uint16{}, came: map[Handover]bool{}},
	}
}

// Accounts lists every account with its balance, by name.
func (b *Books) Accounts() []AccountRow {
	list := make([]AccountRow, 0, len(b.accounts))
	for _, a := range b.accounts {
		list = append(list, *a)
	}
	slices.SortFunc(list, func(x, y AccountRow) int { return strings.Compare(x.Name, y.Name) })
	return list
}

// Record reads a record.
func (b *Books) Record(space string, key []byte) (value []byte, found bool) {
	r, ok := b.records[Key{space, string(key)}]
	if !ok || r.gone {
		return nil, false
	}
	return []byte(r.value), true
}

// complaint is a broken rule: a stable code and what is wrong.
type complaint struct{ code, what string }

func complain(code, format string, args ...any) *complaint {
	return &complaint{code, fmt.Sprintf(format, args...)}
}

// entry folds one entry in. A broken rule is returned, and as much of the entry
// as can be is folded in all the same, so that one fault is one finding.
func (b *Books) entry(at Position, e *Entry) (first *complaint) {
	note := func(c *complaint) {
		if first == nil {
			first = c
		}
	}
	note(b.linked(e))
	if e.Result.Code != OK {
		return first // a refusal changes nothing
	}
	note(b.date(&e.Command))
	note(b.fenced(&e.Command))
	note(b.openAll(e.Command.Open))
	note(b.limitAll(e.Command.Limit))
	note(b.hold(&e.Command))
	note(b.post(e))
	note(b.floors(e.Command.Limit))
	note(b.reversal(at, &e.Command))
	note(b.closeAll(e.Command.Close))
	note(b.putAll(e.Command.Put))
	b.turn(at, e.Command.Days)
	note(b.move(at, e))
	for k, out := range e.Command.Out {
		number := (at.Seq*8192+uint64(at.Index))*64 + uint64(k)
		copied := Out{out.Topic, slices.Clone(out.Key), slices.Clone(out.Body)}
		b.outbox[number] = Pending{Number: number, Part: home(&e.Command), Out: copied}
	}
	for _, number := range e.Command.Done {
		delete(b.outbox, number)
	}
	return first
}

func (b *Books) openAll(opens []Account) *complaint {
	for _, a := range opens {
		have, open := b.accounts[a.ID]
		if open && have.Account.unlike(a) {
			return complain("entry-account", "account %s is opened again as something else", a.Name)
		}
		if open && have.Closed {
			return complain("entry-closed", "account %s is opened again after it was closed", a.Name)
		}
		if !open {
			b.accounts[a.ID] = &AccountRow{Account: a, AccountState: AccountState{Line: a.Line}}
		}
	}
	return nil
}

// unlike compares what never changes.
func (a Account) unlike(other Account) bool {
	a.Line = other.Line
	return a != other
}

// post adds the legs and then looks at every account that they touched.
func (b *Books) post(e *Entry) *complaint {
	if e.Command.Kind == Hold {
		return b.checkAccounts(e)
	}
	debits := map[money.Currency]*big.Int{}
	for _, leg := range e.Command.Legs {
		a, open := b.accounts[leg.Account]
		if !open {
			return complain("entry-account", "account %s was never opened", leg.Account)
		}
		if a.Closed {
			return complain("entry-closed", "a leg on %s, which is closed", a.Name)
		}
		if a.Currency != leg.Amount.Currency() {
			return complain("entry-currency", "%s is in %s, the leg in %s", a.Name, a.Currency.Code(), leg.Amount.Currency().Code())
		}
		if leg.Amount.Sign() <= 0 {
			return complain("entry-leg", "a leg of %s", leg.Amount)
		}
		sum := debits[a.Currency]
		if sum == nil {
			sum = new(big.Int)
			debits[a.Currency] = sum
		}
		m := big.NewInt(int64(leg.Amount.Minor()))
		if leg.Side == Debit {
			sum.Add(sum, m)
		} else {
			sum.Sub(sum, m)
		}
		balance := big.NewInt(int64(a.Balance))
		if leg.Side == a.Normal {
			balance.Add(balance, m)
		} else {
			balance.Sub(balance, m)
		}
		if !balance.IsInt64() {
			return complain("entry-overflow", "%s leaves the range of amounts", a.Name)
		}
		a.Balance = money.Minor(balance.Int64())
	}
	if e.Command.moves() {
		return b.checkAccounts(e) // they stand against the balances of the part
	}
	for c, sum := range debits {
		if sum.Sign() != 0 {
			return complain("entry-unbalanced", "debits less credits in %s are %s minor units", c.Code(), sum)
		}
	}
	return b.checkAccounts(e)
}

// checkAccounts compares the balances that were answered, and the floor.
func (b *Books) checkAccounts(e *Entry) *complaint {
	if len(e.Result.Balances) != len(e.Command.Legs) {
		return complain("entry-answer", "%d balances for %d legs", len(e.Result.Balances), len(e.Command.Legs))
	}
	for i, leg := range e.Command.Legs {
		a, open := b.accounts[leg.Account]
		if !open {
			return complain("entry-account", "account %s was never opened", leg.Account)
		}
		if said := e.Result.Balances[i]; said != money.New(a.Currency, a.Balance) {
			return complain("entry-answer", "%s was answered as %s and is %s", a.Name, said, money.New(a.Currency, a.Balance))
		}
		if c := a.floor(); c != nil {
			return c
		}
	}
	return nil
}

// hold makes, uses up or gives back a hold.
func (b *Books) hold(c *Command) *complaint {
	switch c.Kind {
	case Transfer, Leave, Stay, HandOut, HandIn:
		return nil
	case Hold:
		leg := c.Legs[0]
		a, open := b.accounts[leg.Account]
		if !open {
			return complain("entry-account", "account %s was never opened", leg.Account)
		}
		if leg.Side == a.Normal || leg.Amount.Currency() != a.Currency {
			return complain("entry-hold", "a hold that takes nothing from %s", a.Name)
		}
		if a.Closed {
			return complain("entry-closed", "a hold on %s, which is closed", a.Name)
		}
		if a.Held > math.MaxInt64-leg.Amount.Minor() {
			return complain("entry-overflow", "what is held of %s leaves the range of amounts", a.Name)
		}
		a.Held += leg.Amount.Minor()
		b.holds[c.ID] = HoldRow{Leg: leg, Expires: c.Expires}
		return nil
	}
	h, ok := b.holds[c.Hold]
	if !ok {
		return complain("entry-hold", "there is no hold %s", c.Hold)
	}
	lapsed := h.Expires > 0 && c.At >= h.Expires
	if (c.Kind == Capture && lapsed) || (c.Kind == Expire && !lapsed) {
		return complain("entry-hold", "%s of hold %s on the wrong side of its expiry", c.Kind, c.Hold)
	}
	return b.shrink(c, h)
}

// shrink takes what a capture, release or expiry frees off a hold.
func (b *Books) shrink(c *Command, h HoldRow) *complaint {
	left, used := h.Leg.Amount.Minor(), money.Minor(0)
	for _, leg := range c.Legs {
		if leg.Account == h.Leg.Account && leg.Side == h.Leg.Side {
			if leg.Amount.Minor() > left-used {
				return complain("entry-hold", "captured more than hold %s has left", c.Hold)
			}
			used += leg.Amount.Minor()
		}
	}
	if c.Kind == Capture && used == 0 {
		return complain("entry-hold", "a capture takes nothing of hold %s", c.Hold)
	}
	if c.Kind != Capture || c.Final {
		used = left
	}
	b.accounts[h.Leg.Account].Held -= used
	if used == left {
		delete(b.holds, c.Hold)
		return nil
	}
	h.Leg.Amount = money.New(h.Leg.Amount.Currency(), left-used)
	b.holds[c.Hold] = h
	return nil
}

func (b *Books) putAll(puts []Put) (first *complaint) {
	for _, p := range puts {
		key := Key{p.Space, string(p.Key)}
		have := b.records[key]
		seen := have.version
		if have.gone {
			seen = 0
		}
		if seen != p.Expect && first == nil {
			first = complain("entry-version", "record %x of %s was at version %d, not %d", p.Key, p.Space, seen, p.Expect)
		}
		b.records[key] = bookRecord{value: string(p.Value), gone: p.Value == nil, version: have.version + 1}
	}
	return first
}

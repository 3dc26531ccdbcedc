package book

import (
	"encoding/binary"

	"jiaozi/value/money"
)

func (b *Books) limitAll(limits []Limit) *complaint {
	for _, l := range limits {
		a, open := b.accounts[l.Account]
		if !open || a.Closed || !a.NeverNegative {
			return complain("entry-limit", "account %s cannot have a credit line", l.Account)
		}
		a.AccountState.Line = l.Line
	}
	return nil
}

// floors looks at the accounts with a new limit when the legs are posted.
func (b *Books) floors(limits []Limit) *complaint {
	for _, l := range limits {
		if a := b.accounts[l.Account]; a != nil {
			if c := a.floor(); c != nil {
				return c
			}
		}
	}
	return nil
}

// floor checks an account that must not go below its credit line.
func (a *AccountRow) floor() *complaint {
	if !a.NeverNegative || a.Balance-a.Held >= -a.AccountState.Line {
		return nil
	}
	return complain("entry-negative", "%s falls to %s with %s held and a credit line of %s", a.Name,
		money.New(a.Currency, a.Balance), money.New(a.Currency, a.Held), money.New(a.Currency, a.AccountState.Line))
}

// closeAll closes accounts, which must be empty.
func (b *Books) closeAll(ids []AccountID) *complaint {
	for _, id := range ids {
		a, open := b.accounts[id]
		if !open || a.Closed {
			return complain("entry-closed", "account %s cannot be closed: it is not open", id)
		}
		if a.Balance != 0 || a.Held != 0 {
			return complain("entry-closed", "account %s is closed with %d on it and %d held", a.Name, a.Balance, a.Held)
		}
		a.Closed = true
	}
	return nil
}

// date checks that the business date was open.
func (b *Books) date(c *Command) *complaint {
	if b.days != (Days{}) && (c.Date < b.days.From || c.Date > b.days.To) {
		return complain("entry-date", "booked on %s while %s to %s were open", c.Date, b.days.From, b.days.To)
	}
	return nil
}

// turn opens and closes business days, and keeps the history of it.
func (b *Books) turn(at Position, d Days) {
	if d == (Days{}) {
		return
	}
	b.days = d
	key := calendarKey(b.chainNumber)
	have := b.records[key]
	line := binary.BigEndian.AppendUint64(nil, at.Seq*8192+uint64(at.Index))
	line = binary.BigEndian.AppendUint32(line, uint32(d.From))
	line = binary.BigEndian.AppendUint32(line, uint32(d.To))
	b.records[key] = bookRecord{value: have.value + string(line), version: have.version + 1}
}

// linked checks that a chain has one fate. A linked entry has the next one of its
// chain behind it.
func (b *Books) linked(e *Entry) *complaint {
	c := b.chain
	if c == nil {
		if !e.Command.Linked {
			if e.Result.Code == LinkRefused {
				return complain("entry-chain", "refused because of a chain that it is not part of")
			}
			return nil
		}
		c = &chainFold{}
		b.chain = c
	}
	c.booked = c.booked || e.Result.Code == OK
	c.refused = c.refused || e.Result.Code != OK
	if e.Result.Code != OK && e.Result.Code != LinkRefused {
		c.causes++
	}
	if !e.Command.Linked {
		b.chain = nil
	}
	switch {
	case c.booked && c.refused:
		return complain("entry-chain", "a chain is booked in part")
	case c.refused && b.chain == nil && c.causes != 1:
		return complain("entry-chain", "a chain is refused for %d reasons, not for one", c.causes)
	}
	return nil
}

// reversal checks that an entry turns the legs of an earlier one around. That it
// does so once is a matter of keys, like any once-key.
func (b *Books) reversal(at Position, c *Command) *complaint {
	if c.Reverses == (ID{}) {
		return nil
	}
	first, found, err := b.original(at, c.Reverses)
	if err != nil {
		return complain("entry-reversal", "the entry that it reverses cannot be read: %v", err)
	}
	if !found || first.Result.Code != OK || len(first.Command.Legs) != len(c.Legs) {
		return complain("entry-reversal", "there is no such entry %s to reverse", c.Reverses)
	}
	if first.Command.Kind == Hold || first.Command.Reverses != (ID{}) {
		return complain("entry-reversal", "entry %s moved nothing that can be reversed", c.Reverses)
	}
	for i, leg := range first.Command.Legs {
		was, now := leg, c.Legs[i]
		if was.Side == now.Side || was.Account != now.Account || was.Amount != now.Amount {
			return complain("entry-reversal", "leg %d is not that of %s turned around", i, c.Reverses)
		}
	}
	return nil
}

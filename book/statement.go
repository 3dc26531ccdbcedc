package book

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"jiaozi/value/clock"
	"jiaozi/value/money"
)

// At is a moment in the book: after a batch, or after all that carries a business
// date up to Date. The zero value is now.
type At struct {
	Seq  uint64
	Date clock.Date
}

// ErrNotYet: the book has not come as far as was asked.
var ErrNotYet = errors.New("book: not that far yet")

// Line is one leg of an entry in the statement of an account.
type Line struct {
	Position uint64 // where the entry stands; ascending
	ID       ID
	Event    string
	Date     clock.Date
	Side     Side
	Amount   money.Amount
	Balance  money.Amount // after the whole entry, signed on the normal side
	Note     []byte
}

// Place is the position in its two parts.
func (l *Line) Place() Position { return position(l.Position) }

// Statement lists the legs on an account from a position on, oldest first: those
// of at most limit entries. Ask again from next; 0 means that there is no more.
func (d *desk) Statement(ctx context.Context, id AccountID, from uint64, limit int) (lines []Line, next uint64, err error) {
	if limit <= 0 {
		return nil, 0, fmt.Errorf("statement: the limit is %d; ask for at least one entry", limit)
	}
	var places []uint64
	find := func(m *memory) ([]uint64, error) { return m.historyFrom(id, from, limit+1) }
	err = d.atLines(ctx, find, &places, func(r *rowReader) error {
		for i, number := range places {
			if i == limit {
				next = number
				return nil
			}
			if err := appendStatement(ctx, r, id, number, &lines); err != nil {
				return err
			}
		}
		return nil
	})
	return lines, next, err
}

func appendStatement(ctx context.Context, r *rowReader, id AccountID, number uint64, lines *[]Line) error {
	e, _, err := r.entry(ctx, position(number))
	if err != nil {
		return err
	}
	c := &e.Command
	if !posts(c, &e.Result) {
		return fmt.Errorf("%w: the index of statements leads to entry %d of batch %d, which posts nothing", ErrDamaged,
			position(number).Index, position(number).Seq)
	}
	for i := range c.Legs {
		if c.Legs[i].Account != id {
			continue
		}
		*lines = append(*lines, Line{
			Position: number, ID: c.ID, Event: c.Event, Date: c.Date, Side: c.Legs[i].Side,
			Amount: c.Legs[i].Amount, Balance: e.Result.Balances[i], Note: c.Note,
		})
	}
	return nil
}

// atLines finds places of entries on an account and calls fn with a reader of the
// journal. A place may belong to another account whose id begins alike.
func (d *desk) atLines(ctx context.Context, find func(*memory) ([]uint64, error), places *[]uint64, fn func(*rowReader) error) error {
	var err error
	return d.at(ctx, func(m *memory) { *places, err = find(m) }, func(v View) error {
		if err != nil {
			return err
		}
		return fn(&rowReader{view: v})
	})
}

// linesOf lists positions in [from, to), ascending, the first limit of them.
func (m *memory) linesOf(id AccountID, from, to uint64, limit int) ([]uint64, error) {
	hash := lineHash(id)
	list, err := m.lines.From(hash, from, limit, nil)
	if err != nil {
		return nil, err
	}
	m.each(func(l *layer) bool {
		for _, e := range l.lines {
			if e.Hash == hash && e.Pos >= from {
				list = append(list, e.Pos)
			}
		}
		return true
	})
	slices.Sort(list)
	list = slices.Compact(list)
	list = slices.DeleteFunc(list, func(pos uint64) bool { return pos >= to })
	return list[:min(limit, len(list))], nil
}

// lineBefore is the last position below to.
func (m *memory) lineBefore(id AccountID, to uint64) (pos uint64, found bool, err error) {
	hash := lineHash(id)
	pos, found, err = m.lines.Before(hash, to)
	m.each(func(l *layer) bool {
		for _, e := range l.lines {
			if e.Hash == hash && e.Pos < to && (!found || e.Pos > pos) {
				pos, found = e.Pos, true
			}
		}
		return true
	})
	return pos, found, err
}

// BalanceAt is the balance of an account as it was. An account that was not open
// yet had nothing on it. It asks for every entry that a business date leaves in
// doubt, so a date is dearer than a sequence number unless business days are
// opened and closed (Command.Days).
func (d *desk) BalanceAt(ctx context.Context, id AccountID, at At) (balance money.Amount, open bool, err error) {
	row, open, err := d.account(ctx, id)
	if err != nil || !open {
		return balance, open, err
	}
	if at == (At{}) {
		return money.New(row.Currency, row.Balance), true, nil
	}
	m := d.memory()
	first, low, high, err := m.span(at)
	if err != nil {
		return balance, open, err
	}
	h := m.historyOf(id)
	h.carried = h.carried && (at.Seq == 0 || at.Seq >= h.since) // before it came there is nothing of it here
	minor, err := d.balanceBefore(ctx, id, h, high+1)
	if err != nil || at.Date == 0 {
		return money.New(row.Currency, minor), true, err
	}
	if minor, err = d.without(ctx, row, minor, h.from, first+1, at.Date); err == nil {
		minor, err = d.without(ctx, row, minor, max(h.from, max(first, low)+1), high+1, at.Date)
	}
	if err == nil && h.carried {
		minor, err = d.without(ctx, row, minor, h.low, h.high, at.Date)
	}
	return money.New(row.Currency, minor), true, err
}

// span is where to look for the balance at a moment: all up to high, but for
// entries with a later date, which stand at positions up to first or above low.
func (m *memory) span(at At) (first, low, high uint64, err error) {
	m.mu.RLock()
	defer m.mu.RUnlock()
	if at.Seq > m.head.Seq {
		return 0, 0, 0, fmt.Errorf("%w: batch %d was asked for, the last is %d", ErrNotYet, at.Seq, m.head.Seq)
	}
	seq := at.Seq
	if seq == 0 {
		seq = m.head.Seq
	}
	high = Position{Seq: seq + 1}.number() - 1
	if at.Date == 0 {
		return high, high, high, nil
	}
	first, low, high = m.days.span(at.Date, high)
	return first, low, high, nil
}

// balanceBefore is the balance that the last entry below position to left: here,
// or before the account came here.
func (d *desk) balanceBefore(ctx context.Context, id AccountID, h history, to uint64) (money.Minor, error) {
	minor, found, err := d.lastBalance(ctx, id, h.from, to)
	if err == nil && !found && h.carried {
		minor, _, err = d.lastBalance(ctx, id, h.low, h.high)
	}
	return minor, err
}

// lastBalance is the balance after the last entry in [from, to).
func (d *desk) lastBalance(ctx context.Context, id AccountID, from, to uint64) (minor money.Minor, found bool, err error) {
	for {
		var pos uint64
		var lines []Line
		find := func(m *memory) { pos, found, err = m.lineBefore(id, to) }
		lookErr := d.at(ctx, find, func(v View) error {
			if err != nil || !found || pos < from {
				return err
			}
			return appendStatement(ctx, &rowReader{view: v}, id, pos, &lines)
		})
		switch {
		case lookErr != nil:
			return 0, false, lookErr
		case !found || pos < from:
			return 0, false, nil
		case len(lines) > 0:
			return lines[len(lines)-1].Balance.Minor(), true, nil
		}
		to = pos // another account's
	}
}

// linesPage is how many entries are looked at in one go.
const linesPage = 1024

// without takes off what entries in [from, to) with a later date did.
func (d *desk) without(ctx context.Context, row AccountRow, minor money.Minor, from, to uint64, date clock.Date) (money.Minor, error) {
	for from < to {
		var places []uint64
		find := func(m *memory) ([]uint64, error) { return m.linesOf(row.ID, from, to, linesPage) }
		err := d.atLines(ctx, find, &places, func(r *rowReader) error {
			var lines []Line
			for _, number := range places {
				if err := appendStatement(ctx, r, row.ID, number, &lines); err != nil {
					return err
				}
			}
			for i := range lines {
				if lines[i].Date <= date {
					continue
				}
				change := lines[i].Amount.Minor()
				if lines[i].Side == row.Normal {
					change = -change
				}
				var ok bool
				if minor, ok = addMinor(minor, change); !ok {
					return fmt.Errorf("balance of %s on %s: a sum leaves the range of amounts", row.ID, date)
				}
			}
			return nil
		})
		if err != nil || len(places) < linesPage {
			return minor, err
		}
		from = places[len(places)-1] + 1
	}
	return minor, nil
}

// TrialRow is an account in a trial balance.
type TrialRow struct {
	Account
	Balance money.Amount // signed on the normal side
}

// TrialBalance lists accounts with ids above after, at most limit, with their
// balances at a moment. Over all pages debits equal credits in every currency. A
// moment before a part came or went is refused with ErrNotHere: the accounts of
// then are not all here.
func (d *desk) TrialBalance(ctx context.Context, at At, after AccountID, limit int) (rows []TrialRow, err error) {
	if limit <= 0 {
		return nil, fmt.Errorf("trial balance: the limit is %d; ask for at least one account", limit)
	}
	if m := d.memory(); m.movedSince(at) {
		return nil, fmt.Errorf("%w: a part came or went since; ask for a later moment, or add the lines of statements up", ErrNotHere)
	}
	err = d.AccountsAfter(ctx, after, func(a AccountRow) error {
		rows = append(rows, TrialRow{a.Account, money.New(a.Currency, a.Balance)})
		if len(rows) == limit {
			return errEnough
		}
		return nil
	})
	if err != nil && !errors.Is(err, errEnough) {
		return nil, err
	}
	for i := range rows {
		if at == (At{}) {
			break
		}
		if rows[i].Balance, _, err = d.BalanceAt(ctx, rows[i].ID, at); err != nil {
			return nil, err
		}
	}
	return rows, nil
}

// Reversal makes the command that undoes a booked transfer or capture, under an
// id and date of its own.
func (d *desk) Reversal(ctx context.Context, of, id ID, event string, date clock.Date) (Command, error) {
	e, _, found, err := d.Entry(ctx, of)
	if err != nil {
		return Command{}, err
	}
	if !found {
		return Command{}, fmt.Errorf("reverse command %s: the book never answered it", of)
	}
	c := Command{ID: id, Kind: Transfer, Event: event, Date: date, Reverses: of}
	for i := range e.Command.Legs {
		c.Legs = append(c.Legs, e.Command.Legs[i].reverse())
	}
	return c, nil
}

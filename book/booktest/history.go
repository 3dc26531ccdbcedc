package booktest

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"jiaozi/book"
	"jiaozi/value/clock"
	"jiaozi/value/money"
)

// Asker is whoever answers questions about the past: a ledger or a reader.
type Asker interface {
	Head(ctx context.Context) (book.Head, error)
	Journal(ctx context.Context, from uint64, fn func(book.Batch) error) error
	Entry(ctx context.Context, id book.ID) (book.Entry, book.Position, bool, error)
	Balance(ctx context.Context, id book.AccountID) (money.Amount, bool, error)
	BalanceAt(ctx context.Context, id book.AccountID, at book.At) (money.Amount, bool, error)
	Statement(ctx context.Context, id book.AccountID, from uint64, limit int) ([]book.Line, uint64, error)
	TrialBalance(ctx context.Context, at book.At, after book.AccountID, limit int) ([]book.TrialRow, error)
}

var (
	_ Asker = (*book.Ledger)(nil)
	_ Asker = (*book.Reader)(nil)
)

// CheckHistory asks for every statement, every balance after every batch and on
// every date, and every trial balance, and compares them with what a plain walk
// through the journal says. Nobody may write meanwhile.
func CheckHistory(ctx context.Context, ask Asker) error {
	p := past{ask: ask, ctx: ctx, terms: map[book.AccountID]book.Account{}, lines: map[book.AccountID][]pastLine{}}
	if err := ask.Journal(ctx, 0, p.batch); err != nil {
		return err
	}
	slices.SortFunc(p.accounts, order16)
	slices.Sort(p.dates)
	p.dates = slices.Compact(p.dates)
	errs := []error{p.entries(), p.moments(book.At{})}
	for seq := range p.head.Seq {
		errs = append(errs, p.moments(book.At{Seq: seq + 1}))
	}
	for _, date := range p.dates {
		errs = append(errs, p.moments(book.At{Date: date}), p.moments(book.At{Date: date, Seq: 1 + p.head.Seq/2}))
	}
	for _, id := range p.accounts {
		errs = append(errs, p.statement(id, 1), p.statement(id, 3), p.statement(id, 1<<20))
	}
	if _, _, err := ask.BalanceAt(ctx, p.first(), book.At{Seq: p.head.Seq + 1}); len(p.accounts) > 0 && !errors.Is(err, book.ErrNotYet) {
		errs = append(errs, errors.New("there is a balance after the last batch"), err)
	}
	return errors.Join(errs...)
}

// past is the journal, read as simply as possible.
type past struct {
	ctx      context.Context
	ask      Asker
	head     book.Head
	accounts []book.AccountID
	terms    map[book.AccountID]book.Account
	lines    map[book.AccountID][]pastLine
	ids      []book.ID
	places   []book.Position
	dates    []clock.Date
}

type pastLine struct {
	book.Line
	at book.Position
}

func (p *past) first() (id book.AccountID) {
	if len(p.accounts) > 0 {
		id = p.accounts[0]
	}
	return id
}

func (p *past) batch(b book.Batch) error {
	p.head = book.Head{Seq: b.Seq, Hash: b.Hash}
	for i := range b.Entries {
		e := &b.Entries[i]
		at := book.Position{Seq: b.Seq, Index: i}
		p.ids, p.places = append(p.ids, e.Command.ID), append(p.places, at)
		p.dates = append(p.dates, e.Command.Date)
		if e.Result.Code == book.OK {
			p.entry(at, &e.Command)
		}
	}
	return nil
}

func (p *past) entry(at book.Position, c *book.Command) {
	for _, a := range c.Open {
		if _, open := p.terms[a.ID]; !open {
			p.terms[a.ID] = a
			p.accounts = append(p.accounts, a.ID)
		}
	}
	if c.Kind == book.Hold {
		return
	}
	for _, leg := range c.Legs {
		p.lines[leg.Account] = append(p.lines[leg.Account], pastLine{book.Line{
			ID: c.ID, Event: c.Event, Date: c.Date, Side: leg.Side, Amount: leg.Amount, Note: c.Note,
		}, at})
	}
	for _, leg := range c.Legs { // after the whole entry
		lines := p.lines[leg.Account]
		balance := money.New(p.terms[leg.Account].Currency, p.balance(leg.Account, func(pastLine) bool { return true }))
		for i := range lines {
			if lines[i].at == at {
				lines[i].Balance = balance
			}
		}
	}
}

// balance adds up the lines of an account that count.
func (p *past) balance(id book.AccountID, counts func(pastLine) bool) (sum money.Minor) {
	for _, line := range p.lines[id] {
		switch {
		case !counts(line):
		case line.Side == p.terms[id].Normal:
			sum += line.Amount.Minor()
		default:
			sum -= line.Amount.Minor()
		}
	}
	return sum
}

// moments compares balances and the trial balance at a moment.
func (p *past) moments(at book.At) error {
	if at.Seq > p.head.Seq {
		return nil
	}
	want := map[book.AccountID]money.Amount{}
	for _, id := range p.accounts {
		want[id] = money.New(p.terms[id].Currency, p.balance(id, func(l pastLine) bool {
			return (at.Seq == 0 || l.at.Seq <= at.Seq) && (at.Date == 0 || l.Date <= at.Date)
		}))
		have, open, err := p.ask.BalanceAt(p.ctx, id, at)
		if err != nil {
			return err
		}
		if !open || have != want[id] {
			return fmt.Errorf("balance of %s at %+v: %s (open %v), the journal says %s", p.terms[id].Name, at, have, open, want[id])
		}
		if at != (book.At{}) {
			continue
		}
		if have, _, err = p.ask.Balance(p.ctx, id); err != nil || have != want[id] {
			return errors.Join(fmt.Errorf("balance of %s: %s, the journal says %s", p.terms[id].Name, have, want[id]), err)
		}
	}
	return p.trial(at, want)
}

func (p *past) trial(at book.At, want map[book.AccountID]money.Amount) error {
	var seen []book.AccountID
	for after := (book.AccountID{}); ; {
		rows, err := p.ask.TrialBalance(p.ctx, at, after, 2)
		if err != nil {
			return err
		}
		for _, row := range rows {
			if want[row.ID] != row.Balance || p.terms[row.ID].Name != row.Name {
				return fmt.Errorf("trial balance at %+v: %s has %s, the journal says %s", at, row.Name, row.Balance, want[row.ID])
			}
			seen = append(seen, row.ID)
			after = row.ID
		}
		if len(rows) < 2 {
			break
		}
	}
	if !slices.Equal(seen, p.accounts) {
		return fmt.Errorf("trial balance at %+v lists %v, the journal has %v", at, seen, p.accounts)
	}
	return nil
}

// statement reads an account in pages and compares every line.
func (p *past) statement(id book.AccountID, limit int) error {
	want := p.lines[id]
	for from := uint64(0); ; {
		lines, next, err := p.ask.Statement(p.ctx, id, from, limit)
		if err != nil {
			return err
		}
		for _, have := range lines {
			if len(want) == 0 || !sameLine(have, want[0].Line) {
				return fmt.Errorf("statement of %s by %d: %+v, the journal says %+v", p.terms[id].Name, limit, have, want)
			}
			want = want[1:]
		}
		if from = next; next == 0 {
			break
		}
	}
	if len(want) > 0 {
		return fmt.Errorf("statement of %s by %d lacks %+v", p.terms[id].Name, limit, want)
	}
	return nil
}

func sameLine(a, b book.Line) bool {
	return a.ID == b.ID && a.Event == b.Event && a.Date == b.Date && a.Side == b.Side && a.Amount == b.Amount &&
		a.Balance == b.Balance && string(a.Note) == string(b.Note)
}

// entries finds every entry again by its id.
func (p *past) entries() error {
	for i, id := range p.ids {
		e, at, found, err := p.ask.Entry(p.ctx, id)
		if err != nil {
			return err
		}
		if !found || at != p.places[i] || e.Command.ID != id {
			return fmt.Errorf("entry %s: found %v at %v, the journal has it at %v", id, found, at, p.places[i])
		}
	}
	if head, err := p.ask.Head(p.ctx); err != nil || head != p.head {
		return errors.Join(fmt.Errorf("head %v, the journal ends at %v", head, p.head), err)
	}
	return nil
}

// history compares what the ledger, and a reader beside it, say about the past
// with the journal.
func (h *harness) history() {
	h.Helper()
	const many = 256 // more would take longer than it tells
	if head, err := h.ledger.Head(h.ctx()); err != nil || head.Seq > many || h.entries() > many {
		return
	}
	reader, err := book.OpenReader(h.ctx(), h.engine.Chain(), h.engine)
	if err != nil {
		h.Fatal(err)
	}
	defer reader.Close()
	for who, ask := range map[string]Asker{"ledger": h.ledger, "reader": reader} {
		if err := CheckHistory(h.ctx(), ask); err != nil {
			h.Errorf("%s: %v", who, err)
		}
	}
}

// entries counts what the journal holds.
func (h *harness) entries() (n int) {
	h.Helper()
	err := h.ledger.Journal(h.ctx(), 0, func(b book.Batch) error { n += len(b.Entries); return nil })
	if err != nil {
		h.Fatal(err)
	}
	return n
}

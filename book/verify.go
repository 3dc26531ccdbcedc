package book

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"math/big"

	"jiaozi/value/money"
)

// Report is what Verify found. A shard is sound if Findings is empty.
type Report struct {
	Head     Head
	Batches  uint64
	Entries  uint64
	Findings []Finding // the first bad entry first, at most MaxFindings
	Books    *Books    // what the journal says; nil if it could not be read
}

// MaxFindings bounds a report: after so many the rest says nothing new.
const MaxFindings = 64

// Verify recomputes a shard from its journal and compares everything else with
// it: chain, entries, tables, trial balance, head, and the engine's own files.
// It changes nothing and may run beside the writer. An error means that it
// could not look; what it saw and did not like is in the report.
func Verify(ctx context.Context, e Evidence) (Report, error) {
	v := &verifier{ctx: ctx}
	kept, err := e.Kept(ctx) // before the view, which may only be ahead of it
	v.damage("head", "the head kept outside", err)
	v.kept, v.hasKept = kept, err == nil
	findings, err := e.Inspect(ctx)
	v.report.Findings = append(v.report.Findings, findings...)
	v.damage("store", "the engine's own check", err)
	view, err := e.View(ctx)
	if err != nil {
		v.damage("store", "opening a view", err)
		return v.report, v.fault
	}
	v.journal(view)
	v.tables(view)
	err = view.Close()
	return v.report, errors.Join(v.fault, err)
}

type verifier struct {
	ctx     context.Context
	report  Report
	kept    Head
	hasKept bool
	fault   error // why Verify could not look
}

func (v *verifier) find(code, where, format string, args ...any) {
	if len(v.report.Findings) < MaxFindings {
		v.report.Findings = append(v.report.Findings, Finding{code, where, fmt.Sprintf(format, args...)})
	}
}

// damage makes a finding of an error that says so, and a fault of any other.
func (v *verifier) damage(code, where string, err error) {
	switch {
	case err == nil:
	case errors.Is(err, ErrDamaged):
		v.find(code, where, "%v", err)
	default:
		v.fault = errors.Join(v.fault, fmt.Errorf("verify: %s: %w", where, err))
	}
}

// journal folds all rows and checks the chain on the way.
func (v *verifier) journal(view View) {
	books := newBooks()
	last := Head{}
	err := view.Journal(v.ctx, 0, func(row Row) error {
		where := fmt.Sprintf("batch %d", row.Seq)
		if row.Seq != last.Seq+1 || row.Prev != last.Hash {
			v.find("chain", where, "does not follow batch %d: rows are missing, moved or changed", last.Seq)
		}
		if row.Hash != link(row.Part, row.Seq, row.Prev, row.Body) {
			v.find("hash", where, "the row is not what was hashed when it was written")
		}
		last = Head{row.Seq, row.Hash}
		v.report.Batches++
		if v.hasKept && row.Seq == v.kept.Seq && row.Hash != v.kept.Hash {
			v.find("head", where, "is not the batch that the head kept outside names")
		}
		v.entries(books, row)
		return nil
	})
	v.damage("journal", fmt.Sprintf("after batch %d", last.Seq), err)
	if v.hasKept && v.kept.Seq > last.Seq {
		v.find("head", fmt.Sprintf("batch %d", last.Seq+1),
			"the tail is lost: batch %d was answered, the journal ends at %d", v.kept.Seq, last.Seq)
	}
	v.report.Head, v.report.Books = last, books
}

func (v *verifier) entries(books *Books, row Row) {
	entries, err := DecodeBody(row.Seq, row.Body)
	if err != nil {
		v.find("body", fmt.Sprintf("batch %d", row.Seq), "%v", err)
		return
	}
	for i := range entries {
		if c := books.entry(Position{row.Seq, i}, &entries[i]); c != nil {
			v.find(c.code, fmt.Sprintf("batch %d, entry %d (%s)", row.Seq, i, entries[i].Command.Event), "%s", c.what)
		}
		v.report.Entries++
	}
}

// tables compares every projection with the fold, both ways.
func (v *verifier) tables(view View) {
	b := v.report.Books
	v.trialBalance(b)
	compare(v, "accounts", b.accounts,
		func(fn func(AccountID, AccountRow) error) error {
			return view.Accounts(v.ctx, func(a AccountRow) error { return fn(a.ID, a) })
		},
		func(want *AccountRow, have AccountRow) bool { return *want == have })
	compare(v, "onces", b.onces,
		func(fn func(Key, []byte) error) error { return view.Onces(v.ctx, fn) },
		func(want string, have []byte) bool { return want == string(have) })
	compare(v, "records", b.records,
		func(fn func(Key, Record) error) error { return view.AllRecords(v.ctx, fn) },
		func(want bookRecord, have Record) bool {
			return want == bookRecord{string(have.Value), have.Value == nil, have.Version}
		})
	compare(v, "holds", b.holds,
		func(fn func(ID, HoldRow) error) error { return view.Holds(v.ctx, fn) },
		func(want, have HoldRow) bool { return want == have })
	compare(v, "outbox", b.outbox,
		func(fn func(uint64, Out) error) error {
			return view.AllOutbox(v.ctx, func(p Pending) error { return fn(p.Number, p.Out) })
		},
		func(want, have Out) bool {
			return want.Topic == have.Topic && bytes.Equal(want.Key, have.Key) && bytes.Equal(want.Body, have.Body)
		})
	compare(v, "commands", b.commands,
		func(fn func(ID, Position) error) error { return view.Commands(v.ctx, fn) },
		func(want, have Position) bool { return want == have })
}

// compare walks a table and marks what it saw, so that what the journal has and
// the table lacks is found too.
func compare[K comparable, W, H any](v *verifier, table string, want map[K]W, walk func(func(K, H) error) error, same func(W, H) bool) {
	seen := make(map[K]struct{}, len(want))
	err := walk(func(key K, have H) error {
		w, ok := want[key]
		switch {
		case !ok:
			v.find("table", fmt.Sprintf("%s %v", table, printable(key)), "the journal knows nothing of it")
		case !same(w, have):
			v.find("table", fmt.Sprintf("%s %v", table, printable(key)), "differs from what the journal says")
		}
		seen[key] = struct{}{}
		return nil
	})
	if err != nil {
		v.damage("table", table, err)
		return
	}
	for key := range want {
		if _, ok := seen[key]; !ok {
			v.find("table", fmt.Sprintf("%s %v", table, printable(key)), "is missing; the journal has it")
		}
	}
}

func printable(key any) string {
	if k, ok := key.(Key); ok {
		return fmt.Sprintf("%s %x", k.Space, k.Key)
	}
	return fmt.Sprint(key)
}

// trialBalance adds all accounts up: debits and credits of a currency are equal.
func (v *verifier) trialBalance(b *Books) {
	sums := map[money.Currency]*big.Int{}
	for _, a := range b.accounts {
		sum := sums[a.Currency]
		if sum == nil {
			sum = new(big.Int)
			sums[a.Currency] = sum
		}
		m := big.NewInt(int64(a.Balance))
		if a.Normal == Credit {
			m.Neg(m)
		}
		sum.Add(sum, m)
	}
	for c, sum := range sums {
		if sum.Sign() != 0 {
			v.find("trial-balance", c.Code(), "debits less credits are %s minor units", sum)
		}
	}
}

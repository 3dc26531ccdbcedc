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
// it: chain, entries, keys, tables, index, trial balance, head, and the engine's
// own files. It streams the journal; what it keeps in memory is what the tables
// hold. It changes nothing and may run beside the writer. An error means that it
// could not look; what it saw and did not like is in the report.
func Verify(ctx context.Context, chain uint16, e Evidence) (Report, error) {
	v := &verifier{ctx: ctx, chain: chain, evidence: e, came: map[uint16]travel{}}
	kept, err := e.Kept(ctx) // before the views, which may only be ahead of it
	v.damage("head", "the head kept outside", err)
	v.kept, v.hasKept = kept, err == nil
	findings, err := e.Inspect(ctx)
	v.report.Findings = append(v.report.Findings, findings...)
	v.damage("store", "the engine's own check", err)
	err = v.open(e)
	if err == nil {
		v.journal()
		v.keys.compare(v)
	}
	v.damage("store", "opening it", err)
	return v.report, errors.Join(v.fault, v.close())
}

type verifier struct {
	ctx      context.Context
	chain    uint16
	evidence Evidence
	report   Report
	books    *Books
	keys     *keyring
	came     map[uint16]travel // parts with what came with them, and when
	// tables is a view from before journal was opened, so that the journal has
	// all that the tables have. They are read at the same time.
	tables, rows View
	// aside is from after journal was opened: it looks up single entries of it.
	aside    View
	applied  Head
	compared bool
	kept     Head
	hasKept  bool
	fault    error // why Verify could not look
}

// open opens the index first and the journal last: each is then in the journal.
func (v *verifier) open(e Evidence) (err error) {
	if v.keys, err = openKeyring(e.IndexDir()); err != nil {
		return err
	}
	if v.tables, err = e.View(v.ctx); err != nil {
		return err
	}
	if v.rows, err = e.View(v.ctx); err != nil {
		return err
	}
	if v.aside, err = e.View(v.ctx); err != nil {
		return err
	}
	v.applied, err = v.tables.Applied(v.ctx)
	return err
}

func (v *verifier) close() error {
	var errs []error
	for _, view := range []View{v.aside, v.rows, v.tables} {
		if view != nil {
			errs = append(errs, view.Close())
		}
	}
	if v.keys != nil {
		errs = append(errs, v.keys.close())
	}
	return errors.Join(errs...)
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
	case errors.Is(err, ErrDamaged), errors.Is(err, errIndex):
		v.find(code, where, "%v", err)
	default:
		v.fault = errors.Join(v.fault, fmt.Errorf("verify: %s: %w", where, err))
	}
}

// journal folds all rows and checks the chain on the way. The tables are compared
// when the fold has come as far as they have.
func (v *verifier) journal() {
	v.books = newBooks()
	v.books.chainNumber, v.books.original, v.books.parts.slice = v.chain, v.original, v.sliceOf
	last := Head{}
	v.compareTables(last)
	err := v.rows.Journal(v.ctx, 0, func(row Row) error {
		v.link(&row, last)
		last = Head{row.Seq, row.Hash}
		v.report.Batches++
		v.entries(&row)
		v.compareTables(last)
		return v.ctx.Err()
	})
	v.damage("journal", fmt.Sprintf("after batch %d", last.Seq), err)
	if v.hasKept && v.kept.Seq > last.Seq {
		v.find("head", fmt.Sprintf("batch %d", last.Seq+1),
			"the tail is lost: batch %d was answered, the journal ends at %d", v.kept.Seq, last.Seq)
	}
	if !v.compared && v.applied.Seq > last.Seq {
		v.find("table", "progress", "the tables reflect batch %d, the journal ends at %d", v.applied.Seq, last.Seq)
	}
	v.trialBalance()
	v.report.Head, v.report.Books = last, v.books
}

func (v *verifier) link(row *Row, last Head) {
	where := fmt.Sprintf("batch %d", row.Seq)
	if row.Seq != last.Seq+1 || row.Prev != last.Hash || row.Part != v.chain {
		v.find("chain", where, "does not follow batch %d: rows are missing, moved or changed", last.Seq)
	}
	if row.Hash != Link(row.Part, row.Seq, row.Prev, row.Body) {
		v.find("hash", where, "the row is not what was hashed when it was written")
	}
	if v.hasKept && row.Seq == v.kept.Seq && row.Hash != v.kept.Hash {
		v.find("head", where, "is not the batch that the head kept outside names")
	}
}

func (v *verifier) entries(row *Row) {
	err := Entries(row.Body, func(i int, raw []byte) error {
		e, err := DecodeEntry(row.Seq, raw)
		if err != nil {
			return fmt.Errorf("entry %d: %w", i, err)
		}
		at := Position{row.Seq, i}
		v.books.parts.arrived = func(h *Handover) (*arrival, error) { return v.arrivedWith(at, h) }
		if c := v.books.entry(at, &e); c != nil {
			v.find(c.code, fmt.Sprintf("batch %d, entry %d (%s)", row.Seq, i, e.Command.Event), "%s", c.what)
		}
		v.keys.entry(v, at, &e)
		v.report.Entries++
		return nil
	})
	if err == nil && v.books.chain != nil {
		err = fmt.Errorf("%w: its last chain has no end", errBody)
	}
	if err != nil {
		v.find("body", fmt.Sprintf("batch %d", row.Seq), "%v", err)
	}
	v.books.chain = nil
}

// original reads an entry before a position through the index.
func (v *verifier) original(before Position, id ID) (Entry, bool, error) {
	places, err := v.keys.places(v.keys.hash.id(id))
	if err != nil {
		return Entry{}, false, err
	}
	r := rowReader{view: v.aside}
	for _, at := range places {
		if at.Carried() && !v.brought(at) || !at.Carried() && at.number() >= before.number() {
			continue
		}
		e, _, err := r.entry(v.ctx, at)
		if err != nil || e.Command.ID == id {
			return e, err == nil, err
		}
	}
	return Entry{}, false, nil
}

// compareTables compares every table with the fold, both ways, once.
func (v *verifier) compareTables(at Head) {
	if v.compared || at.Seq < v.applied.Seq {
		return
	}
	v.compared = true
	if at != v.applied {
		v.find("table", "progress", "the tables reflect batch %s, the journal has %s", v.applied, at)
		return
	}
	b, view := v.books, v.tables
	compare(v, "accounts", b.accounts,
		func(fn func(AccountID, AccountRow) error) error {
			return view.Accounts(v.ctx, AccountID{}, func(a AccountRow) error { return fn(a.ID, a) })
		},
		func(want *AccountRow, have AccountRow) bool { return *want == have })
	compare(v, "records", b.records,
		func(fn func(Key, Record) error) error { return view.AllRecords(v.ctx, fn) },
		func(want bookRecord, have Record) bool {
			return want == bookRecord{string(have.Value), have.Value == nil, have.Version}
		})
	compare(v, "holds", b.holds,
		func(fn func(ID, HoldRow) error) error { return view.Holds(v.ctx, fn) },
		func(want, have HoldRow) bool { return want == have })
	compare(v, "outbox", b.outbox,
		func(fn func(uint64, Pending) error) error {
			return view.AllOutbox(v.ctx, func(p Pending) error { return fn(p.Number, p) })
		},
		func(want, have Pending) bool {
			return want.Part == have.Part && want.Topic == have.Topic &&
				bytes.Equal(want.Key, have.Key) && bytes.Equal(want.Body, have.Body)
		})
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
func (v *verifier) trialBalance() {
	sums := map[money.Currency]*big.Int{}
	for _, a := range v.books.accounts {
		addBig(sums, a)
	}
	for c, sum := range sums {
		if sum.Sign() != 0 {
			v.find("trial-balance", c.Code(), "debits less credits are %s minor units", sum)
		}
	}
}

package booktest

import (
	"context"
	"errors"
	"slices"
	"sync/atomic"
	"testing"

	"jiaozi/book"
	"jiaozi/value/money"

	"github.com/google/go-cmp/cmp"
)

// harness drives one ledger and knows how to open it again.
type harness struct {
	*testing.T
	store    Store
	options  book.Options
	restless bool
	calls    int
	engine   book.Engine
	mortal   *mortal
	ledger   *book.Ledger
}

// mortal is an engine whose tables and index stay behind when it dies.
type mortal struct {
	book.Engine
	dead atomic.Bool
}

// Flush writes nothing after death.
func (m *mortal) Flush(ctx context.Context, c *book.Change) error {
	if m.dead.Load() {
		return ErrInjected
	}
	return m.Engine.Flush(ctx, c)
}

// crash opens the book again without having written anything behind.
func (h *harness) crash() {
	h.Helper()
	h.mortal.dead.Store(true)
	if err := h.ledger.Close(); err != nil && !errors.Is(err, ErrInjected) {
		h.Fatal(err)
	}
	h.ledger = nil
	h.reopen()
}

// stir does to a restless ledger what operators and power cuts do.
func (h *harness) stir() {
	h.Helper()
	if h.calls++; !h.restless {
		return
	}
	switch h.calls % 5 {
	case 1, 4:
		if err := h.ledger.WriteBehind(h.ctx()); err != nil {
			h.Fatal(err)
		}
	case 2:
		h.crash()
	case 3:
		h.reopen()
	}
}

func (h *harness) ctx() context.Context { return h.T.Context() }

func (h *harness) reopen() {
	h.Helper()
	if h.ledger != nil {
		h.close()
	}
	engine, err := h.store()
	if err != nil {
		h.Fatal(err)
	}
	h.engine, h.mortal = engine, &mortal{Engine: engine}
	if h.ledger, err = book.OpenWith(h.ctx(), h.mortal, h.options); err != nil {
		h.Fatal(err)
	}
}

func (h *harness) close() {
	h.Helper()
	if err := h.ledger.Close(); err != nil {
		h.Fatal(err)
	}
}

func (h *harness) sound() book.Report {
	h.Helper()
	report, err := h.ledger.Verify(h.ctx())
	if err != nil {
		h.Fatal(err)
	}
	for _, f := range report.Findings {
		h.Errorf("finding: %s", f)
	}
	return report
}

// apply books commands and returns their results.
func (h *harness) apply(cmds ...book.Command) []book.Result {
	h.Helper()
	results, err := h.ledger.Apply(h.ctx(), cmds)
	if err != nil {
		h.Fatal(err)
	}
	h.stir()
	return results
}

// codes books commands and compares the codes.
func (h *harness) codes(want []book.Code, cmds ...book.Command) []book.Result {
	h.Helper()
	results := h.apply(cmds...)
	var have []book.Code
	for _, r := range results {
		have = append(have, r.Code)
	}
	if diff := cmp.Diff(want, have); diff != "" {
		h.Fatalf("codes (-want +have):\n%s", diff)
	}
	return results
}

func (h *harness) ok(cmds ...book.Command) []book.Result {
	h.Helper()
	return h.codes(slices.Repeat([]book.Code{book.OK}, len(cmds)), cmds...)
}

func (h *harness) balance(a book.Account, want money.Minor) {
	h.Helper()
	have, open, err := h.ledger.Balance(h.ctx(), a.ID)
	if err != nil || !open || have != money.New(a.Currency, want) {
		h.Fatalf("balance of %s: %v (open %v, %v), want %v", a.Name, have, open, err, money.New(a.Currency, want))
	}
}

// place is the part where everything lives.
const place = 0x5A5

func named(name string) book.ID { return book.DeriveID(name).At(place) }

// unknown is an account that nobody opens.
var unknown = book.AccountID(named("unknown"))

func account(name string, normal book.Side, covered bool) book.Account {
	return book.Account{ID: book.AccountID(book.DeriveID("account", name).At(place)), Name: name, Normal: normal, Currency: cny, NeverNegative: covered}
}

var (
	bank  = account("bank", book.Debit, false)
	alice = account("alice", book.Credit, true)
	bob   = account("bob", book.Credit, true)
)

// move is a transfer: debit one, credit the other, opening both.
func move(id string, debit, credit book.Account, amount money.Minor) book.Command {
	a := money.New(debit.Currency, amount)
	return book.Command{
		ID: named(id), Event: "test", Date: day, Open: []book.Account{debit, credit},
		Legs: []book.Leg{
			{Account: debit.ID, Side: book.Debit, Amount: a},
			{Account: credit.ID, Side: book.Credit, Amount: a},
		},
	}
}

// note is a command that moves nothing.
func note(id string) book.Command {
	return book.Command{ID: named(id), Event: "test", Date: day}
}

package book

import (
	"math"
	"testing"

	"jiaozi/value/money"
)

// Goal: the auditor's fold finds each broken rule by itself, even in a journal
// whose hashes are right, because whoever wrote it could hash as well. Method:
// an entry that plan would never have kept, after a sound beginning.
func TestFoldFindsBrokenRules(t *testing.T) {
	bank := Account{ID: AccountID{1}, Name: "bank", Normal: Debit, Currency: 156}
	alice := Account{ID: AccountID{2}, Name: "alice", Normal: Credit, Currency: 156, NeverNegative: true}
	cny := func(m money.Minor) money.Amount { return money.New(156, m) }
	legs := func(debit, credit Account, m money.Minor) []Leg {
		return []Leg{{debit.ID, Debit, cny(m)}, {credit.ID, Credit, cny(m)}}
	}
	booked := func(c Command, balances ...money.Minor) *Entry {
		e := &Entry{Command: c, Result: Result{Code: OK}}
		for _, b := range balances {
			e.Result.Balances = append(e.Result.Balances, cny(b))
		}
		return e
	}
	begin := []*Entry{
		booked(Command{ID: ID{1}, Open: []Account{bank, alice}, Legs: legs(bank, alice, 100),
			Once: []Once{{Space: "s", Key: []byte("k")}}, Put: []Put{{Space: "s", Key: []byte("r"), Value: []byte("v")}}}, 100, 100),
		booked(Command{ID: ID{2}, Kind: Hold, Legs: legs(alice, bank, 40)[:1], Expires: 10}, 100),
	}
	richer := alice
	richer.NeverNegative = false
	for want, broken := range map[string][]*Entry{
		"entry-account": {
			booked(Command{ID: ID{3}, Open: []Account{richer}}),
			booked(Command{ID: ID{3}, Legs: legs(bank, Account{ID: AccountID{9}}, 1)}, 101, 1),
			booked(Command{ID: ID{3}, Kind: Hold, Legs: []Leg{{AccountID{9}, Debit, cny(1)}}}, 1)},
		"entry-currency":   {booked(Command{ID: ID{3}, Legs: []Leg{{bank.ID, Debit, money.New(344, 1)}}}, 101)},
		"entry-leg":        {booked(Command{ID: ID{3}, Legs: []Leg{{bank.ID, Debit, cny(-1)}}}, 99)},
		"entry-overflow":   {booked(Command{ID: ID{3}, Legs: legs(bank, alice, math.MaxInt64)}, 1, 1)},
		"entry-unbalanced": {booked(Command{ID: ID{3}, Legs: legs(bank, alice, 5)[:1]}, 105)},
		"entry-answer": {booked(Command{ID: ID{3}, Legs: legs(bank, alice, 5)}, 105, 106),
			booked(Command{ID: ID{3}, Legs: legs(bank, alice, 5)}, 105)},
		"entry-negative": {booked(Command{ID: ID{3}, Legs: legs(alice, bank, 61)}, 39, 39),
			booked(Command{ID: ID{3}, Kind: Hold, Legs: legs(alice, bank, 61)[:1]}, 100)},
		"entry-hold": {booked(Command{ID: ID{3}, Kind: Capture, Hold: ID{2}, Legs: legs(alice, bank, 41)}, 59, 59),
			booked(Command{ID: ID{3}, Kind: Capture, Hold: ID{2}, At: 10, Legs: legs(alice, bank, 1)}, 99, 99),
			booked(Command{ID: ID{3}, Kind: Expire, Hold: ID{2}, At: 9}),
			booked(Command{ID: ID{3}, Kind: Release, Hold: ID{7}}),
			booked(Command{ID: ID{3}, Kind: Hold, Legs: legs(bank, bank, 1)[:1]}, 100)},
		"entry-version": {booked(Command{ID: ID{3}, Put: []Put{{Space: "s", Key: []byte("r"), Expect: 2}}})},
		"":              {booked(Command{ID: ID{3}, Kind: Capture, Hold: ID{2}, At: 9, Final: true, Legs: legs(alice, bank, 40)}, 60, 60)},
	} {
		for i, entry := range broken {
			b := newBooks()
			for k, e := range begin {
				if c := b.entry(Position{1, k}, e); c != nil {
					t.Fatalf("the beginning: %s", c.what)
				}
			}
			have := ""
			if c := b.entry(Position{2, 0}, entry); c != nil {
				have = c.code
			}
			if have != want {
				t.Errorf("entry %d: found %q, want %q", i, have, want)
			}
		}
	}
}

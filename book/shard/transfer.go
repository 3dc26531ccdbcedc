package shard

import (
	"context"
	"fmt"

	"jiaozi/book"
	"jiaozi/value/clock"
	"jiaozi/value/money"
)

// Transfer moves value from one account to another, wherever they live: a debit
// of From and a credit of To. The accounts must be open.
type Transfer struct {
	ID       book.ID // the caller's; a retry uses the same
	From, To book.AccountID
	Amount   money.Amount
	Event    string
	Date     clock.Date
}

// Transfer books transfers and returns one result for each, in order. Balances
// holds that of the payer alone.
//
// Between accounts of one shard all is done when it returns. Between shards the
// payer has paid then, and Pump carries the value to the payee, or back, if the
// payee's shard refuses for good. Sending the same transfer again gets the first
// answer, also after an account has moved to another shard.
func (s *Shards) Transfer(ctx context.Context, list []Transfer) ([]book.Result, error) {
	s.carrying.RLock()
	defer s.carrying.RUnlock()
	results, err := s.transfer(ctx, list)
	if err != nil || s.options.Reload == nil {
		return results, err
	}
	var again []Transfer
	var places []int
	for i := range results {
		if results[i].Code == book.PartMoved {
			again, places = append(again, list[i]), append(places, i)
		}
	}
	if len(again) == 0 {
		return results, nil
	}
	if err := s.reload(ctx); err != nil {
		return results, err
	}
	answers, err := s.transfer(ctx, again)
	for k := range answers {
		results[places[k]] = answers[k]
	}
	return results, err
}

func (s *Shards) transfer(ctx context.Context, list []Transfer) ([]book.Result, error) {
	t := s.table()
	results, cmds, r := make([]book.Result, len(list)), make([]book.Command, len(list)), routes{}
	for i := range list {
		payer := t.Of(list[i].From.Part())
		cmds[i] = t.pay(payer, &list[i])
		r[payer.Name] = append(r[payer.Name], i)
	}
	if err := t.send(ctx, cmds, r, results); err != nil {
		return results, err
	}
	for i := range results {
		if results[i].Code == book.IDReused {
			if err := t.recall(ctx, &list[i], &results[i]); err != nil {
				return results, err
			}
		}
		results[i].Balances = results[i].Balances[:min(1, len(results[i].Balances))]
	}
	return results, nil
}

// pay makes the command of a transfer on the payer's shard.
func (t *table) pay(payer Shard, tr *Transfer) book.Command {
	c := book.Command{
		ID: tr.ID, Event: tr.Event, Date: tr.Date,
		Legs: []book.Leg{
			{Account: tr.From, Side: book.Debit, Amount: tr.Amount},
			{Account: tr.To, Side: book.Credit, Amount: tr.Amount},
		},
	}
	payee := t.Of(tr.To.Part())
	if payee.Name == payer.Name {
		return c
	}
	way := towards(payer, payee.Name, tr.Amount.Currency())
	c.Open = []book.Account{way}
	c.Legs[1].Account = way.ID
	c.Out = []book.Out{messageOf(payer, tr).out(payee.Name)}
	return c
}

// messageOf names the way of a transfer after the chain where it began: ids are
// unique in one chain only.
func messageOf(payer Shard, tr *Transfer) *message {
	return &message{
		id: book.DeriveID("shard", "way", payer.Name, tr.ID), from: tr.From, to: tr.To, amount: tr.Amount, event: tr.Event,
	}
}

// recall answers a transfer whose id was used before: if it was for the same
// transfer, which now would be booked in another way because an account has
// moved, then by the first answer.
func (t *table) recall(ctx context.Context, tr *Transfer, r *book.Result) error {
	l, err := t.ledger(t.Of(tr.From.Part()).Name)
	if err != nil {
		return err
	}
	e, _, found, err := l.Entry(ctx, tr.ID)
	if err != nil {
		return fmt.Errorf("transfer %s: %w", tr.ID, err)
	}
	if found && tr.sameAs(&e.Command) {
		*r = e.Result
		r.Replayed = true
	}
	return nil
}

// sameAs reports whether a booked command is this transfer.
func (tr *Transfer) sameAs(c *book.Command) bool {
	pays := book.Leg{Account: tr.From, Side: book.Debit, Amount: tr.Amount}
	if c.Kind != book.Transfer || c.Event != tr.Event || c.Date != tr.Date || len(c.Legs) != 2 || c.Legs[0] != pays {
		return false
	}
	if c.Legs[1] == (book.Leg{Account: tr.To, Side: book.Credit, Amount: tr.Amount}) {
		return len(c.Out) == 0
	}
	if len(c.Out) != 1 {
		return false
	}
	m, err := decodeMessage(c.Out[0].Body)
	return err == nil && !m.back && m.from == tr.From && m.to == tr.To && m.amount == tr.Amount
}

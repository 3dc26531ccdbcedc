package shard

import (
	"encoding/binary"

	"jiaozi/book"
	"jiaozi/value/money"
)

// The names that this package has for itself in every shard.
const (
	space         = "shard/received" // once-keys of what came in
	topic         = "shard/to/"      // and the name of a shard: what goes there
	eventForward  = "shard-forward"
	eventReturn   = "shard-return"
	eventUnclaim  = "shard-unclaimed"
	eventDone     = "shard-done"
	clearingNames = "shard/"
)

// Clearing accounts live in the home of their shard. What went towards a shard
// and what came from one are two accounts that only grow, so that the sum of
// either is known however much goes to and fro.

// towards is what at owes another shard: all value that ever went there.
func towards(at Shard, other string, c money.Currency) book.Account {
	return clearing(at, "towards", other, book.Credit, c)
}

// received is what another shard owes at: all value that ever came from there.
func received(at Shard, other string, c money.Currency) book.Account {
	return clearing(at, "received", other, book.Debit, c)
}

// unclaimed is value that no account would take, neither the payee's nor, when it
// came back, the payer's. People must look at it.
func unclaimed(at Shard, c money.Currency) book.Account {
	return clearing(at, "unclaimed", "", book.Credit, c)
}

func clearing(at Shard, kind, other string, normal book.Side, c money.Currency) book.Account {
	id := book.DeriveID("shard", kind, at.Name, other, c.Code()).At(at.Chain)
	name := clearingNames + at.Name + "/" + kind + "/"
	if other != "" {
		name += other + "/"
	}
	return book.Account{ID: book.AccountID(id), Name: name + c.Code(), Normal: normal, Currency: c}
}

// key is the once-key that a message takes in the home of the shard where it
// arrives.
func key(at Shard, m *message) []byte {
	return append(binary.BigEndian.AppendUint16(nil, at.Chain<<4), m.id[:]...)
}

// credit makes the command that takes a message in at a shard: out of the way,
// into an account. Its id is derived, and the once-key of the message bars every
// other way of taking it in.
func credit(at Shard, from string, m *message, to book.AccountID, how, event string) book.Command {
	way := received(at, from, m.amount.Currency())
	return book.Command{
		ID: book.DeriveID("shard", how, at.Name, m.id, m.target(), to), Event: event, Open: []book.Account{way},
		Legs: []book.Leg{
			{Account: way.ID, Side: book.Debit, Amount: m.amount},
			{Account: to, Side: book.Credit, Amount: m.amount},
		},
		Once: []book.Once{{Space: space, Key: key(at, m), Value: []byte(how)}},
	}
}

// onward makes the command that takes a message in and sends it on to another
// shard, under the id of its next stretch.
func onward(at Shard, from string, m *message, next string, event string) book.Command {
	way := towards(at, next, m.amount.Currency())
	c := credit(at, from, m, way.ID, "onward", event)
	c.Open = append(c.Open, way)
	on := *m
	on.id = book.DeriveID("shard", "onward", at.Name, m.id)
	c.Out = []book.Out{on.out(next)}
	return c
}

// out is the outbox message.
func (m *message) out(to string) book.Out {
	return book.Out{Topic: topic + to, Key: m.id[:], Body: m.append(nil)}
}

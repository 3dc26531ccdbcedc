package load

import (
	"context"
	"errors"
	"sync"

	"jiaozi/book"
	"jiaozi/value/money"
)

// naive is a book as one would write it on a napkin, in memory: it judges
// whether commands are sound, by code that shares nothing with the workload.
type naive struct {
	mu       sync.Mutex
	accounts map[book.AccountID]*naiveAccount
	ids      map[book.ID]bool
	holds    map[book.ID]book.Leg
	once     map[string]bool
	closed   bool
}

type naiveAccount struct {
	never         bool
	normal        book.Side
	balance, held money.Minor
}

func newNaive() *naive {
	return &naive{accounts: map[book.AccountID]*naiveAccount{}, ids: map[book.ID]bool{}, holds: map[book.ID]book.Leg{}, once: map[string]bool{}}
}

func (n *naive) Apply(ctx context.Context, cmds []book.Command) ([]book.Result, error) {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.closed {
		return nil, book.ErrClosed
	}
	results := make([]book.Result, len(cmds))
	for i := range cmds {
		results[i].Code = n.one(&cmds[i])
	}
	return results, ctx.Err()
}

func (n *naive) Close() error {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.closed {
		return errors.New("closed twice")
	}
	n.closed = true
	return nil
}

func (n *naive) one(c *book.Command) book.Code {
	if c.ID == (book.ID{}) || n.ids[c.ID] {
		return book.IDReused
	}
	n.ids[c.ID] = true
	for _, o := range c.Once {
		if n.once[string(o.Key)] {
			return book.Exists
		}
		n.once[string(o.Key)] = true
	}
	for _, a := range c.Open {
		if n.accounts[a.ID] == nil {
			n.accounts[a.ID] = &naiveAccount{never: a.NeverNegative, normal: a.Normal}
		}
	}
	switch c.Kind {
	case book.Hold:
		return n.hold(c)
	case book.Capture:
		leg, ok := n.holds[c.Hold]
		if !ok || leg.Account != c.Legs[0].Account || leg.Amount != c.Legs[0].Amount || !c.Final {
			return book.HoldUnknown
		}
		delete(n.holds, c.Hold)
		n.accounts[leg.Account].held -= leg.Amount.Minor()
	}
	return n.post(c.Legs)
}

func (n *naive) hold(c *book.Command) book.Code {
	a := n.accounts[c.Legs[0].Account]
	if len(c.Legs) != 1 || a == nil || c.ID.Part() != c.Legs[0].Account.Part() {
		return book.Malformed
	}
	n.holds[c.ID] = c.Legs[0]
	a.held += c.Legs[0].Amount.Minor()
	return n.enough(a)
}

func (n *naive) post(legs []book.Leg) book.Code {
	var sum money.Minor
	for _, l := range legs {
		a, signed := n.accounts[l.Account], l.Amount.Minor()
		if a == nil {
			return book.UnknownAccount
		}
		if l.Side == book.Credit {
			sum += signed
		} else {
			sum -= signed
		}
		if l.Side != a.normal {
			signed = -signed
		}
		a.balance += signed
		if code := n.enough(a); code != book.OK {
			return code
		}
	}
	if sum != 0 {
		return book.Unbalanced
	}
	return book.OK
}

func (n *naive) enough(a *naiveAccount) book.Code {
	if a.never && a.balance < a.held {
		return book.Insufficient
	}
	return book.OK
}

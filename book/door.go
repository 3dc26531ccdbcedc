package book

import (
	"context"
	"fmt"
	"strings"

	"jiaozi/value/money"
)

// Door is what a role gets: the ledger, narrowed to the role's own events of
// book/chart and its own spaces. A role that reaches further has a bug, and
// gets ErrForeign instead of somebody else's money.
type Door struct {
	ledger         *Ledger
	events, spaces names
}

// Door makes a door for the named events and spaces. Topics of the outbox count
// as spaces. A name that ends in "/" stands for all names that begin with it.
func (l *Ledger) Door(events, spaces []string) *Door {
	return &Door{ledger: l, events: nameSet(events), spaces: nameSet(spaces)}
}

type names struct {
	exact    map[string]bool
	prefixes []string
}

func nameSet(list []string) names {
	n := names{exact: make(map[string]bool, len(list))}
	for _, s := range list {
		if strings.HasSuffix(s, "/") {
			n.prefixes = append(n.prefixes, s)
		} else {
			n.exact[s] = true
		}
	}
	return n
}

func (n names) check(what, s string) error {
	if n.exact[s] {
		return nil
	}
	for _, p := range n.prefixes {
		if strings.HasPrefix(s, p) {
			return nil
		}
	}
	return fmt.Errorf("%w: %s %q", ErrForeign, what, s)
}

// Apply is Ledger.Apply for commands that stay inside the door.
func (d *Door) Apply(ctx context.Context, cmds []Command) ([]Result, error) {
	for i := range cmds {
		if err := d.check(&cmds[i]); err != nil {
			return nil, err
		}
	}
	return d.ledger.Apply(ctx, cmds)
}

func (d *Door) check(c *Command) error {
	if err := d.events.check("event", c.Event); err != nil {
		return err
	}
	if c.Days != (Days{}) { // they are everybody's
		if err := d.spaces.check("space", spaceDays); err != nil {
			return err
		}
	}
	for i := range c.Once {
		if err := d.spaces.check("space", c.Once[i].Space); err != nil {
			return err
		}
	}
	for i := range c.Put {
		if err := d.spaces.check("space", c.Put[i].Space); err != nil {
			return err
		}
	}
	for i := range c.Out {
		if err := d.spaces.check("topic", c.Out[i].Topic); err != nil {
			return err
		}
	}
	return nil
}

// Get is Ledger.Get.
func (d *Door) Get(ctx context.Context, space string, key []byte) (value []byte, version uint64, err error) {
	if err := d.spaces.check("space", space); err != nil {
		return nil, 0, err
	}
	return d.ledger.Get(ctx, space, key)
}

// GetMany is Ledger.GetMany.
func (d *Door) GetMany(ctx context.Context, space string, keys [][]byte) ([]Record, error) {
	if err := d.spaces.check("space", space); err != nil {
		return nil, err
	}
	return d.ledger.GetMany(ctx, space, keys)
}

// GetOnce is Ledger.GetOnce.
func (d *Door) GetOnce(ctx context.Context, space string, key []byte) (value []byte, taken bool, err error) {
	if err := d.spaces.check("space", space); err != nil {
		return nil, false, err
	}
	return d.ledger.GetOnce(ctx, space, key)
}

// Scan is Ledger.Scan.
func (d *Door) Scan(ctx context.Context, space string, prefix []byte, fn func(key, value []byte, version uint64) error) error {
	if err := d.spaces.check("space", space); err != nil {
		return err
	}
	return d.ledger.Scan(ctx, space, prefix, fn)
}

// Outbox is Ledger.Outbox.
func (d *Door) Outbox(ctx context.Context, topic string, after uint64, max int) ([]Pending, error) {
	if err := d.spaces.check("topic", topic); err != nil {
		return nil, err
	}
	return d.ledger.Outbox(ctx, topic, after, max)
}

// Balance is Ledger.Balance. Knowing an account's name is what permits to ask.
func (d *Door) Balance(ctx context.Context, id AccountID) (balance money.Amount, open bool, err error) {
	return d.ledger.Balance(ctx, id)
}

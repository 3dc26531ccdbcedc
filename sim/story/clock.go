package story

import (
	"context"
	"sync"
	"time"

	"jiaozi/node"
	"jiaozi/value/clock"
)

// Clock is the time of a story: the machine's, and whatever the story has let pass
// besides. It may be read while it is moved.
type Clock struct {
	mu    sync.Mutex
	ahead time.Duration
}

// Now is the story's time.
func (c *Clock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return clock.System{}.Now().Add(c.ahead)
}

// Resume takes up the time of a scheme's data, whose node reads this clock: a day
// that was closed is over.
func (c *Clock) Resume(ctx context.Context, n *node.Node) error {
	date, err := n.BusinessDate(ctx)
	if err != nil {
		return err
	}
	if date > clock.DateOf(c.Now()) {
		c.Reach(date.Time().Add(12 * time.Hour))
	}
	return nil
}

// Reach moves the clock on to a moment, if it has not passed yet: a story that runs
// again on its data begins where the last run ended.
func (c *Clock) Reach(t time.Time) {
	if left := t.Sub(c.Now()); left > 0 {
		c.mu.Lock()
		defer c.mu.Unlock()
		c.ahead += left
	}
}

package load

import (
	"context"
	"slices"
	"testing"

	"jiaozi/book"
	"jiaozi/value/money"
)

// listener is a store that notes what it is sent and when it is asked.
type listener struct {
	sent  []book.ID
	asked []int // after how many commands
}

func (l *listener) Apply(_ context.Context, cmds []book.Command) ([]book.Result, error) {
	results := make([]book.Result, len(cmds))
	for i := range cmds {
		l.sent, results[i].Code = append(l.sent, cmds[i].ID), book.OK
	}
	return results, nil
}

func (l *listener) Balance(context.Context, book.AccountID) (money.Amount, bool, error) {
	l.asked = append(l.asked, len(l.sent))
	return money.Amount{}, false, nil
}

func (l *listener) Close() error { return nil }

// Every order is sent once, in its place, whatever the size of calls, and the store
// has settled whenever the clock stands to build more.
func TestShelvesHoldEveryOrderOnce(t *testing.T) {
	orders := newWorkload(10, 0).spends(2*shelf+shelf/3, 0)
	for _, size := range []int{1, 1000, 8000, book.MaxBatch} {
		var l listener
		desk := teller{ctx: t.Context(), store: &l}
		w := desk.book(orders, size, nil, 0)
		if _, err := w.book(); err != nil {
			t.Fatal(err)
		}
		if !slices.EqualFunc(l.sent, orders, func(id book.ID, o order) bool { return id == o.id }) {
			t.Errorf("calls of %d: other commands than there are orders", size)
		}
		full := shelf / size * size
		if want := []int{full, 2 * full}; !slices.Equal(l.asked[:2], want) || l.asked[len(l.asked)-1] != len(orders) {
			t.Errorf("calls of %d: asked after %d commands", size, l.asked)
		}
	}
}

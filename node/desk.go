package node

import (
	"context"
	"encoding/binary"
	"fmt"

	"jiaozi/book"
	"jiaozi/value/clock"
)

// The node's own records in the book.
const (
	deskEvents  = "node/"
	deskSpaces  = "node/"
	deskSpace   = "node/desk"
	deskEvent   = "node/desk"
	deskRun     = "run"     // how many runs have begun
	deskDay     = "day"     // the open business date
	deskCardSeq = "cardseq" // how many card numbers were given out
)

// number reads one of the desk's numbers; none is zero.
func (n *Node) number(ctx context.Context, key string) (value, version uint64, err error) {
	raw, version, err := n.desk.Get(ctx, deskSpace, []byte(key))
	if err != nil || version == 0 {
		return 0, version, err
	}
	if len(raw) != 8 {
		return 0, 0, fmt.Errorf("%w: record %s of the desk has %d bytes", ErrIntegrity, key, len(raw))
	}
	return binary.BigEndian.Uint64(raw), version, nil
}

// setNumber replaces a number if it is still of the version that was read. The
// id of the command is derived from both, so that repeating it is harmless.
func (n *Node) setNumber(ctx context.Context, key string, version, value uint64) error {
	results, err := n.desk.Apply(ctx, []book.Command{{
		ID: book.DeriveID("node/desk", key, version, value), Event: deskEvent, Date: clock.DateOf(n.Now()),
		Put: []book.Put{{Space: deskSpace, Key: []byte(key), Expect: version, Value: binary.BigEndian.AppendUint64(nil, value)}},
	}})
	if err != nil {
		return err
	}
	if results[0].Code != book.OK {
		return fmt.Errorf("the desk's record %s was changed by somebody else: %s", key, results[0].Code)
	}
	return nil
}

// next counts a number up and gives the new value.
func (n *Node) next(ctx context.Context, key string) (uint64, error) {
	value, version, err := n.number(ctx, key)
	if err != nil {
		return 0, err
	}
	return value + 1, n.setNumber(ctx, key, version, value+1)
}

func (n *Node) loadRun(ctx context.Context) error {
	var err error
	n.run, _, err = n.number(ctx, deskRun)
	return err
}

// BeginRun gives this run of a story a number of its own, so that its command
// ids, cards and random numbers repeat nobody else's.
func (n *Node) BeginRun(ctx context.Context) (uint64, error) {
	run, err := n.next(ctx, deskRun)
	if err == nil {
		n.run = run
	}
	return run, err
}

// BusinessDate is the day on which money is posted now: the calendar's, or a
// later one when that day was closed already.
func (n *Node) BusinessDate(ctx context.Context) (clock.Date, error) {
	open, _, err := n.number(ctx, deskDay)
	return max(clock.Date(open), clock.DateOf(n.Now())), err
}

// closeDate opens the day after date.
func (n *Node) closeDate(ctx context.Context, date clock.Date) error {
	_, version, err := n.number(ctx, deskDay)
	if err != nil {
		return err
	}
	return n.setNumber(ctx, deskDay, version, uint64(date.AddDays(1)))
}

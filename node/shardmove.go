package node

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"jiaozi/book/postgres"
	"jiaozi/book/shard"
	"jiaozi/node/durable"
)

// MoveOrder asks for a part to move to another shard.
type MoveOrder struct {
	Part uint16
	To   string // name of a shard
	// Reach is the address by which the server of To finds that of the part; "" is
	// the one in the map.
	Reach string
	// Abandon gives up a move that was begun, unless it went too far.
	Abandon bool
}

// roadPause is how long a move rests before it looks again what has arrived.
const roadPause = 200 * time.Millisecond

// MovePart moves a part between two shards on servers, and puts the new map in
// the place of the old one. The same order again goes on where it was stopped.
func MovePart(ctx context.Context, o ShardOptions, order MoveOrder) error {
	if err := checkStore(order.Reach); err != nil {
		return err
	}
	m, err := ReadShards(o.Map)
	if err != nil {
		return err
	}
	moves, err := o.moves(m, order)
	if err != nil {
		return err
	}
	return o.with(ctx, func(s *shard.Shards) error {
		for _, m := range moves {
			step := s.Move
			if order.Abandon {
				step = s.Abandon
			}
			if err := step(ctx, m); err != nil {
				return err
			}
		}
		return order.settled(s)
	})
}

// settled refuses to call a part at home that is on its way out.
func (order *MoveOrder) settled(s *shard.Shards) error {
	at := s.Map().Of(order.Part).Name
	l, err := s.Ledger(at)
	if err == nil && !l.Keeps(order.Part) {
		err = fmt.Errorf("part %d is on its way out of shard %s: finish that move, or abandon it", order.Part, at)
	}
	return err
}

// moves is the one move that is asked for. When the map says that it is done, and
// no longer where from, what it may have left behind is tidied up everywhere.
func (o *ShardOptions) moves(m shard.Map, order MoveOrder) (list []shard.Move, err error) {
	if _, err := m.Moved(order.Part, order.To); err != nil {
		return nil, err
	}
	owner := m.Of(order.Part)
	done := owner.Name == order.To
	if done && order.Abandon {
		return nil, fmt.Errorf("part %d is in shard %s already: move it back instead", order.Part, order.To)
	}
	var to shard.Shard
	for _, s := range m.Shards() {
		if s.Name == order.To {
			to = s
		}
	}
	if !onServer(owner) || !onServer(to) {
		return nil, errors.New("only shards in PostgreSQL send and receive parts, and one of the two is a file")
	}
	for _, from := range m.Shards() {
		if onServer(from) && (from.Name == owner.Name) != done {
			list = append(list, o.move(order, from, to))
		}
	}
	return list, nil
}

func (o *ShardOptions) move(order MoveOrder, from, to shard.Shard) shard.Move {
	road := &postgres.Road{Source: from.Store, Target: to.Store, Reach: order.Reach, Part: order.Part, Chain: from.Chain}
	if road.Reach == "" {
		road.Reach = from.Store
	}
	return shard.Move{Part: order.Part, From: from.Name, To: to.Name, Date: o.date(), Road: road, Wait: rest, Save: o.save}
}

// save puts a map in the place of the old one, also where that is a link.
func (o *ShardOptions) save(_ context.Context, m shard.Map) error {
	path, err := filepath.EvalSymlinks(o.Map)
	if err != nil {
		return err
	}
	info, err := os.Stat(path)
	if err != nil {
		return err
	}
	return durable.WriteFile(path, m.JSON(), info.Mode().Perm())
}

func rest(ctx context.Context) error {
	timer := time.NewTimer(roadPause)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-timer.C:
		return nil
	}
}

package shard

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"

	"jiaozi/book"
)

// Apply books commands, each on the shard that keeps all it touches, and returns
// one result for each, in order. Those of one shard go there in one call; shards
// work at the same time. Commands that are linked stay together, so all of a
// chain must be of one shard.
//
// If a shard fails, the error says which, and its commands have a result of Code
// 0; what other shards answered stands. ErrSpans and ErrNoPlace come before
// anything is sent.
func (s *Shards) Apply(ctx context.Context, cmds []book.Command) ([]book.Result, error) {
	results := make([]book.Result, len(cmds))
	all := make([]int, len(cmds))
	for i := range all {
		all[i] = i
	}
	t := s.table()
	routes, err := t.route(cmds, all)
	if err != nil {
		return nil, err
	}
	if err := t.send(ctx, cmds, routes, results); err != nil {
		return results, err
	}
	moved := movedOf(cmds, results)
	if len(moved) == 0 || s.options.Reload == nil {
		return results, nil
	}
	if err := s.reload(ctx); err != nil {
		return results, err
	}
	t = s.table()
	if routes, err = t.route(cmds, moved); err != nil {
		return results, err
	}
	return results, t.send(ctx, cmds, routes, results)
}

// routes are the places in the call of the commands for each shard.
type routes map[string][]int

// route finds the shard of every command at the places given, chain by chain.
func (t *table) route(cmds []book.Command, places []int) (routes, error) {
	r := routes{}
	for at := 0; at < len(places); {
		end := at + 1
		for end < len(places) && cmds[places[end-1]].Linked {
			end++
		}
		chain := places[at:end]
		name, err := t.shardOf(cmds, chain)
		if err != nil {
			return nil, err
		}
		r[name] = append(r[name], chain...)
		at = end
	}
	return r, nil
}

func (t *table) shardOf(cmds []book.Command, chain []int) (string, error) {
	var parts []uint16
	for _, i := range chain {
		cmds[i].EachPart(func(part uint16) { parts = append(parts, part) })
	}
	if len(parts) == 0 {
		return "", fmt.Errorf("%w (command %s)", ErrNoPlace, cmds[chain[0]].ID)
	}
	slices.Sort(parts)
	parts = slices.Compact(parts)
	owner := t.Of(parts[0])
	for _, part := range parts {
		if other := t.Of(part); other.Name != owner.Name {
			return "", fmt.Errorf("%w: command %s touches part %d of %s and part %d of %s (all of its parts: %v)",
				ErrSpans, cmds[chain[0]].ID, parts[0], owner.Name, part, other.Name, parts)
		}
	}
	return owner.Name, nil
}

// send applies the commands of each shard there, all shards at once.
func (t *table) send(ctx context.Context, cmds []book.Command, r routes, results []book.Result) error {
	var wait sync.WaitGroup
	errs := make([]error, 0, len(r))
	var mu sync.Mutex
	for name, places := range r {
		wait.Go(func() {
			if err := t.sendTo(ctx, name, cmds, places, results); err != nil {
				mu.Lock()
				errs = append(errs, fmt.Errorf("shard %s: %w", name, err))
				mu.Unlock()
			}
		})
	}
	wait.Wait()
	return errors.Join(errs...)
}

func (t *table) sendTo(ctx context.Context, name string, cmds []book.Command, places []int, results []book.Result) error {
	l, err := t.ledger(name)
	if err != nil {
		return err
	}
	list := cmds
	if len(places) < len(cmds) {
		list = make([]book.Command, len(places))
		for k, i := range places {
			list[k] = cmds[i]
		}
	}
	answers, err := l.Apply(ctx, list)
	for k := range answers {
		results[places[k]] = answers[k]
	}
	return err
}

// movedOf lists the commands that must be sent again because a part has moved,
// each with its whole chain.
func movedOf(cmds []book.Command, results []book.Result) (places []int) {
	for at := 0; at < len(cmds); {
		end, moved := at+1, results[at].Code == book.PartMoved
		for end < len(cmds) && cmds[end-1].Linked {
			moved = moved || results[end].Code == book.PartMoved
			end++
		}
		for i := at; moved && i < end; i++ {
			places = append(places, i)
		}
		at = end
	}
	return places
}

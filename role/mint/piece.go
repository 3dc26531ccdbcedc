package mint

import (
	"context"
	"fmt"

	"jiaozi/book"
	"jiaozi/crypt/brands"
	"jiaozi/wire/coin"
)

// A piece of a note comes with a point of its own node, and with a fixed point of
// every node above it. The mint keeps all of them under note and node:
//
//	there    comes   then
//	nothing  either  keep it
//	fixed    fixed   two parts of the node were paid: as it should be
//	paid     paid    the same payment again, or guilt
//	fixed    paid    guilt: a part of the node was paid before
//	paid     fixed   guilt: the node was paid before
//
// The note's record says which of them are there, and its version lets nobody
// decide on an older state.

// pieceCommand is the next step of a piece; nil if it was decided without one.
func (d *desk) pieceCommand(ctx context.Context, item *deposited) (*book.Command, error) {
	n, err := d.Mint.note(ctx, item.id)
	if err != nil {
		return nil, err
	}
	points := item.pay.NodePoints(d.terms)
	next := *n
	var keep []book.Once
	for _, p := range points {
		clash, err := d.clash(ctx, item, n, p)
		if clash || err != nil {
			return nil, err
		}
		if p.Spent {
			next.spent.add(p.Node)
			kept := &spent{kind: spentPaid, name: d.payee.name, value: item.value.Minor(), points: item.points}
			keep = append(keep, d.keep(item, p.Node, kept))
		} else if !n.fixed.has(p.Node) {
			next.fixed.add(p.Node)
			keep = append(keep, d.keep(item, p.Node, &spent{kind: spentFixed, points: []brands.Point3{p.Point}}))
		}
	}
	if item.late = n.claim; n.claim == nil {
		next.back += item.value.Minor()
	}
	node := nodeKey(item.id, item.pay.Piece.Node)
	cmd := d.pay(item, node)
	cmd.Once = keep
	cmd.Put = []book.Put{{Space: d.space(spaceNote), Key: item.id[:], Expect: n.version, Value: next.record()}}
	cmd.ID = book.DeriveID(cmd.Event, string(d.cfg.Inst), spaceNote, node, keep[0].Value, n.version, next.record(), d.source(item), d.date)
	return &cmd, nil
}

func (d *desk) keep(item *deposited, node uint16, s *spent) book.Once {
	return book.Once{Space: d.space(spaceSpent), Key: nodeKey(item.id, node), Value: s.record()}
}

// clash compares one point of a piece with what is there. True says that the piece
// is decided.
func (d *desk) clash(ctx context.Context, item *deposited, n *note, p brands.NodePoint) (bool, error) {
	paid, fixed := n.spent.has(p.Node), n.fixed.has(p.Node)
	if !paid && !fixed || fixed && !p.Spent {
		return false, nil
	}
	had, err := d.lookSpent(ctx, nodeKey(item.id, p.Node))
	if err != nil {
		return false, err
	}
	if had == nil || had.kind == spentClaimed {
		return false, fmt.Errorf("node %d of a note: %w", p.Node, errRecord)
	}
	if paid && p.Spent {
		return true, d.compare(ctx, item, had.points)
	}
	guilt, err := item.pay.AccuseNodeVartime(d.terms, brands.NodePoint{Node: p.Node, Spent: paid, Point: had.points[0]})
	if err != nil {
		return false, fmt.Errorf("mint %s: compare two payments of a note: %w", d.cfg.Inst, err)
	}
	if guilt == nil {
		// A node's own point equals its fixed one for no payment that anyone could find.
		item.end(coin.Invalid)
		return true, nil
	}
	return true, d.accuse(ctx, item, guilt)
}

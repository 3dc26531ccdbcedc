package brands

import "fmt"

// Note is a note with its lines worked out, ready to pay any of its nodes.
//
// It gives every node ONE line, and none for a node above or below a paid one: KeyInfo.Allocate and Used keep that, and
// the caller stores the new Used before a line leaves the device.
type Note struct {
	masked
	own  *Own
	info KeyInfo
	tree *tree
}

// Note works out the lines of a note, about 3 ms for the deepest; key is the one that signed it.
func (o *Own) Note(key *PublicKey) (*Note, error) {
	info := key.Info()
	if info.Kind != KindNote {
		return nil, fmt.Errorf("a %s has no nodes: %w", info.Kind, ErrKind)
	}
	if key.ID() != o.coin.key {
		return nil, fmt.Errorf("note of key %v, not %v: %w", o.coin.key, key.ID(), ErrUnknownKey)
	}
	t := growTree(o.tree, o.coin.key, info.Depth)
	if t.hash[1] != Digest(o.coin.b) {
		return nil, fmt.Errorf("the note's seed does not give the lines that the mint signed: %w", ErrSignature)
	}
	return &Note{own: o, info: info, tree: t}, nil
}

// Pay gives the piece for a node and the node's line for a spec (LinkSpec or FinalSpec). The same node and spec give the
// same answer.
func (n *Note) Pay(node uint16, spec Digest) (*Piece, Line, error) {
	if !inTree(node, n.info.Depth) {
		return nil, Line{}, fmt.Errorf("node %d is not in a note of depth %d: %w", node, n.info.Depth, ErrChain)
	}
	p := &Piece{Branch: n.tree.branch(n.own.coin.key, node), Fixed: make([]Line, level(node))}
	for i := range p.Fixed {
		above := p.ancestor(i)
		p.Fixed[i] = n.line(above, n.own.coin.fixedAbscissa(above))
	}
	return p, n.line(node, nodeAbscissa(n.own.coin.challenge(), node, spec)), nil
}

// line is the point of a node's line at d.
func (n *Note) line(node uint16, d Scalar) Line {
	x1, x2 := nodeSecrets(n.own.tree, n.own.coin.key, node)
	return n.own.answer(d, x1, x2)
}

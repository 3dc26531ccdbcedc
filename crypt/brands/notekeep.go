package brands

import "fmt"

// NodePoint is what a mint keeps of one node of a note, once, under the note's ID and the node's number.
//
// A payment of node n brings Depth+1 of them at most: one for n, spent, and one for each node above, fixed. The rule by
// which comparing keys finds every clash:
//
//	found there   brought   then
//	nothing       either    keep it
//	fixed         fixed     the same point: two nodes below were paid, which is allowed
//	spent         spent     the same point: the same payment so far, and AccuseVartime compares the rest; else guilt
//	fixed         spent     guilt: a node below was paid before
//	spent         fixed     guilt: this node was paid before, and now one below it
//
// All of a payment is kept or nothing, in the commit that pays for it; of a payment that is refused nothing is kept.
type NodePoint struct {
	Node  uint16
	Spent bool // the node itself was paid; else one below it
	Point Point3
}

// NodePoints are those of a payment with a piece: the node's own, which is spent, then those above, the parent first, the
// root last. None for a payment without a piece. The payment was verified.
func (p *Payment) NodePoints(terms Digest) []NodePoint {
	if p.Piece == nil {
		return nil
	}
	list := []NodePoint{{Node: p.Piece.Node, Spent: true, Point: p.Points(terms)[0]}}
	for i, at := range p.Piece.fixedPoints(&p.Head) {
		list = append(list, NodePoint{Node: p.Piece.ancestor(i), Point: at})
	}
	return list
}

// AccuseNodeVartime compares what this payment brings for a node with what the mint has there, by the table at NodePoint.
// nil means that nothing speaks against the note's owner; the guilt is always his, because only he divides a note. Both
// payments were verified, and this one brings a point for the node.
func (p *Payment) AccuseNodeVartime(terms Digest, had NodePoint) (*Guilt, error) {
	for i, now := range p.NodePoints(terms) {
		if now.Node != had.Node {
			continue
		}
		if now.Point == had.Point {
			return nil, nil
		}
		branch := p.Piece.above(p.Head.key, i)
		return newGuiltVartime(&p.Head, &branch, now.Point, had.Point)
	}
	return nil, fmt.Errorf("the payment brings no point for node %d: %w", had.Node, ErrTrace)
}

// above is the branch of the node that is up steps above this one.
func (b *Branch) above(key KeyID, up int) Branch {
	at := *b
	for range up {
		own := hashNode(key, at.Node, at.B.enc, at.Below)
		left, right := own, at.Above[0].Sibling
		if at.Node&1 == 1 {
			left, right = right, left
		}
		at = Branch{Node: at.Node / 2, B: at.Above[0].B, Below: hashPair(key, left, right), Above: at.Above[1:]}
	}
	return at
}

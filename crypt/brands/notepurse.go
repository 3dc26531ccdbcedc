package brands

import (
	"errors"
	"fmt"
	"math/bits"

	"jiaozi/value/money"
)

// Used tells which leaves of a note have been paid away, one bit each, the leftmost leaf in bit 0. The deepest
// note has 64 (MaxDepth). It is all that a wallet remembers of how far a note is spent: a node can be paid as long as none of its leaves is used, which is the
// same as saying that neither the node, nor one above it, nor one below it was paid before.
type Used uint64

// ErrNoteRest says that a note cannot pay an amount: too little is left, or the amount is no multiple of a leaf.
var ErrNoteRest = errors.New("the note cannot pay this amount; take another note or coin for it")

// Leaf is the smallest amount that a note of this key pays, and the step between amounts; 0 for other keys.
func (k KeyInfo) Leaf() money.Minor {
	if k.Kind != KindNote {
		return 0
	}
	return k.Value >> k.Depth
}

// NodeValue is what node pays: the root, number 1, the whole note; the nodes 2n and 2n+1 half of what node n does.
func (k KeyInfo) NodeValue(node uint16) (money.Minor, error) {
	if k.Kind != KindNote || !inTree(node, k.Depth) {
		return 0, fmt.Errorf("node %d is not in the tree of this key: %w", node, ErrChain)
	}
	return k.Value >> level(node), nil
}

// Rest is what can still be paid from a note.
func (k KeyInfo) Rest(used Used) money.Minor {
	if k.Kind != KindNote {
		return 0
	}
	free := bits.OnesCount64(^uint64(used) & uint64(leavesOf(1, k.Depth)))
	return k.Leaf() * money.Minor(free)
}

// Allocate picks the nodes that pay amount from a note of which used is gone, largest first, and tells what is used
// once they are paid. From a note that was only ever spent this way it takes one node for each one in the binary form
// of amount/Leaf, so never more than Depth nodes for a part of a note.
//
// It splits the smallest subtree that is large enough, which leaves free subtrees of sizes that all differ. The caller
// stores the new Used before a line leaves the device: after a crash in between, the amount is lost to the wallet until
// the note is claimed, and nobody looks like a double spender.
func (k KeyInfo) Allocate(used Used, amount money.Minor) ([]uint16, Used, error) {
	if amount <= 0 || k.Kind != KindNote || amount%k.Leaf() != 0 || amount > k.Rest(used) {
		return nil, used, ErrNoteRest
	}
	var nodes []uint16
	for units := uint64(amount / k.Leaf()); units > 0; { // every turn takes at least one of at most 64 leaves
		node := pick(used, k.Depth, uint64(1)<<(bits.Len64(units)-1))
		nodes = append(nodes, node)
		used |= leavesOf(node, k.Depth)
		units -= uint64(1) << (k.Depth - level(node))
	}
	return nodes, used, nil
}

// pick is a node of size leaves out of the smallest free subtree that holds them, or the largest free subtree if all are
// smaller. The caller knows that something is free.
func pick(used Used, depth uint8, size uint64) uint16 {
	var best uint16
	for node := uint16(1); inTree(node, depth); node++ {
		if !freeSubtree(used, node, depth) {
			continue
		}
		if best == 0 || better(sizeOf(node, depth), sizeOf(best, depth), size) {
			best = node
		}
	}
	for sizeOf(best, depth) > size {
		best *= 2 // the left half; the right one stays free and whole
	}
	return best
}

// better prefers, of two sizes, the smaller one that holds want, else the larger one.
func better(a, b, want uint64) bool {
	if a >= want && b >= want {
		return a < b
	}
	return a > b
}

// freeSubtree reports whether node is free and its parent is not.
func freeSubtree(used Used, node uint16, depth uint8) bool {
	return used&leavesOf(node, depth) == 0 && (node == 1 || used&leavesOf(node/2, depth) != 0)
}

// level is the distance of node from the root; node is not 0.
func level(node uint16) uint8 { return uint8(bits.Len16(node)) - 1 }

func inTree(node uint16, depth uint8) bool { return node >= 1 && level(node) <= depth }

func sizeOf(node uint16, depth uint8) uint64 { return uint64(1) << (depth - level(node)) }

// leavesOf are the leaves below node.
func leavesOf(node uint16, depth uint8) Used {
	size := sizeOf(node, depth)
	first := (uint64(node) - uint64(1)<<level(node)) * size
	if size == 64 {
		return ^Used(0)
	}
	return Used((uint64(1)<<size - 1) << first)
}

package proof

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"sort"

	"jiaozi/book"
	"jiaozi/value/clock"

	"github.com/transparency-dev/merkle/compact"
	"github.com/transparency-dev/merkle/proof"
)

// A tile is a perfect subtree of this many leaves.
const (
	tileLevel  = 12
	tileLeaves = 1 << tileLevel
)

// Tree is what is kept of a chain's Merkle tree: the roots of its full tiles.
// All else is hashed again from the journal, at most two tiles for a proof. It
// is not safe for concurrent use.
type Tree struct {
	chain uint16
	tiles []tile
}

type tile struct {
	end  place // where the next tile begins
	root [sha256.Size]byte
}

// place is the position after an entry: that many entries of row seq are taken.
type place struct {
	seq   uint64
	taken uint32
}

func (p place) before(q place) bool { return p.seq < q.seq || p.seq == q.seq && p.taken < q.taken }

// Tip is a tree as a checkpoint describes it, and the last row in it.
type Tip struct {
	Size uint64
	Root [sha256.Size]byte
	Head book.Head
}

// Checkpoint makes the statement to be signed about the tip.
func (t Tip) Checkpoint(origin string, chain uint16, date clock.Date) Checkpoint {
	return Checkpoint{Origin: origin, Size: t.Size, Root: t.Root, Chain: chain, Seq: t.Head.Seq, Head: Commit(t.Head.Hash), Date: date}
}

// New is the tree of an empty chain.
func New(chain uint16) *Tree { return &Tree{chain: chain} }

// Open gives the tree of a chain whose last checkpoint is last (nil if it has
// none), and checks the journal against it. Cache is what Append wrote; a cache
// that is missing, damaged or of another book costs one reading of the journal
// and nothing else. ErrHistory says that the journal was changed.
func Open(ctx context.Context, j Journal, chain uint16, cache []byte, last *Checkpoint) (*Tree, error) {
	if last == nil {
		return New(chain), nil
	}
	if last.Chain != chain {
		return nil, fmt.Errorf("%w: the checkpoint is of chain %d, the journal of chain %d", ErrHistory, last.Chain, chain)
	}
	if t, err := decodeTree(cache); err == nil && t.chain == chain {
		if err := t.holds(ctx, j, last); err == nil || !errors.Is(err, ErrHistory) {
			return t, err
		}
	}
	t := New(chain)
	return t, t.holds(ctx, j, last)
}

// holds checks that the journal up to the checkpoint is what was signed.
func (t *Tree) holds(ctx context.Context, j Journal, c *Checkpoint) error {
	tip, err := t.Grow(ctx, j, c.Seq)
	if err != nil {
		return err
	}
	if tip.Size != c.Size || tip.Root != c.Root || Commit(tip.Head.Hash) != c.Head {
		return fmt.Errorf("%w: the checkpoint of %s has %d entries up to batch %d", ErrHistory, c.Date, c.Size, c.Seq)
	}
	return nil
}

// Grow takes the journal in, up to row seq, and gives the tip there. Rows that
// are missing, out of order or not in the chain are ErrHistory. The cost is one
// reading of what is not in full tiles yet, some two microseconds an entry.
func (t *Tree) Grow(ctx context.Context, j Journal, seq uint64) (Tip, error) {
	// Tiles beyond seq stay, but are not part of this tip.
	n := t.within(seq)
	known := t.tiles[:n:n]
	at := uint64(len(known)) << tileLevel
	rng, part := factory.NewEmptyRange(0), factory.NewEmptyRange(at)
	for i := range known {
		if err := appendTile(rng, i, known[i].root[:], nil); err != nil {
			return Tip{}, err
		}
	}
	head, err := t.walk(ctx, j, startOf(known, len(known)), seq, func(p place, hash []byte) error {
		if err := part.Append(hash, nil); err != nil {
			return err
		}
		if part.End()-part.Begin() < tileLeaves {
			return nil
		}
		known = append(known, tile{end: p, root: [sha256.Size]byte(part.Hashes()[0])})
		err := rng.AppendRange(part, nil)
		part = factory.NewEmptyRange(part.End())
		return err
	})
	if err != nil {
		return Tip{}, err
	}
	if len(known) > len(t.tiles) {
		t.tiles = known
	}
	return tipOf(rng, part, head)
}

func tipOf(rng, part *compact.Range, head book.Head) (Tip, error) {
	if err := rng.AppendRange(part, nil); err != nil {
		return Tip{}, err
	}
	root, err := rng.GetRootHash(nil)
	if err != nil {
		return Tip{}, err
	}
	if root == nil {
		root = hasher.EmptyRoot()
	}
	return Tip{Size: rng.End(), Root: [sha256.Size]byte(root), Head: head}, nil
}

var factory = &compact.RangeFactory{Hash: hasher.HashChildren}

// appendTile extends a range by the whole of tile number i.
func appendTile(rng *compact.Range, i int, root []byte, visit compact.VisitFn) error {
	begin := uint64(i) << tileLevel
	whole, err := factory.NewRange(begin, begin+tileLeaves, [][]byte{root})
	if err != nil {
		return err
	}
	return rng.AppendRange(whole, visit)
}

// within counts the tiles that end at or before row seq.
func (t *Tree) within(seq uint64) int {
	return sort.Search(len(t.tiles), func(i int) bool { return t.tiles[i].end.seq > seq })
}

// startOf is where tile number i begins.
func startOf(tiles []tile, i int) place {
	if i == 0 {
		return place{seq: 1}
	}
	return tiles[i-1].end
}

// hashes gives the hashes of perfect subtrees, in the order asked for: those of
// a tile and larger from the tiles, smaller ones by reading their tile again.
func (t *Tree) hashes(ctx context.Context, j Journal, ids []compact.NodeID) ([][]byte, error) {
	found := make(map[compact.NodeID][]byte, len(ids))
	open := make(map[uint64]bool)
	for _, id := range ids {
		found[id] = nil
		if id.Level < tileLevel {
			open[id.Index>>(tileLevel-id.Level)] = true
		}
	}
	visit := func(id compact.NodeID, hash []byte) {
		if _, wanted := found[id]; wanted {
			found[id] = hash
		}
	}
	rng := factory.NewEmptyRange(0)
	for i := range t.tiles {
		visit(compact.NewNodeID(tileLevel, uint64(i)), t.tiles[i].root[:])
		if err := appendTile(rng, i, t.tiles[i].root[:], visit); err != nil {
			return nil, err
		}
	}
	for number := range open {
		if err := t.visitTile(ctx, j, number, visit); err != nil {
			return nil, err
		}
	}
	out := make([][]byte, len(ids))
	for i, id := range ids {
		if out[i] = found[id]; out[i] == nil {
			return nil, fmt.Errorf("%w: it is shorter", ErrHistory)
		}
	}
	return out, nil
}

// visitTile hashes the leaves of one tile, full or not, from the journal.
func (t *Tree) visitTile(ctx context.Context, j Journal, number uint64, visit compact.VisitFn) error {
	if number > uint64(len(t.tiles)) {
		return fmt.Errorf("%w: it is shorter", ErrHistory)
	}
	rng := factory.NewEmptyRange(number << tileLevel)
	_, err := t.walk(ctx, j, startOf(t.tiles, int(number)), maxSeq, func(_ place, hash []byte) error {
		if err := rng.Append(hash, visit); err != nil {
			return err
		}
		if rng.End()-rng.Begin() == tileLeaves {
			return errStop
		}
		return nil
	})
	return err
}

// inclusion is the path from a leaf to the root of the tree of that size.
func (t *Tree) inclusion(ctx context.Context, j Journal, index, size uint64) ([][]byte, error) {
	nodes, err := proof.Inclusion(index, size)
	if err != nil {
		return nil, err
	}
	return t.path(ctx, j, nodes)
}

// consistency shows that the tree of size b begins with the tree of size a.
func (t *Tree) consistency(ctx context.Context, j Journal, a, b uint64) ([][]byte, error) {
	nodes, err := proof.Consistency(a, b)
	if err != nil {
		return nil, err
	}
	return t.path(ctx, j, nodes)
}

func (t *Tree) path(ctx context.Context, j Journal, nodes proof.Nodes) ([][]byte, error) {
	hashes, err := t.hashes(ctx, j, nodes.IDs)
	if err != nil {
		return nil, err
	}
	return nodes.Rehash(hashes, hasher.HashChildren)
}

package brands

import (
	"encoding/binary"
	"fmt"

	"jiaozi/value/money"
)

// A note is a tree of lines under one signature. Node 1 is the root and worth the note, the nodes 2n and 2n+1 are worth half
// of node n; the mint signs A and, in the place of B, the root of a hash tree of the same shape over the lines' B.
//
// Who pays a node shows one point of its line, as with a coin, and one point of each line above it, at an abscissa that is
// fixed by note and node. Siblings show the same fixed points, which say no more than one of them. A node paid twice, or
// paid besides one above or below it, gives two points of one line, and they name the owner.

// Branch shows that a line belongs to a node of a note: it leads from the node to the root that the mint signed.
type Branch struct {
	Node  uint16
	B     Element // of the node's line
	Below Digest  // hash of what is under the node; zero under a leaf
	Above []Fork  // the nodes above, the parent first, the root last
}

// Fork is a node on the way to the root.
type Fork struct {
	B       Element // of the node's line
	Sibling Digest  // hash of the node's other child, the one that is not on the way
}

// Piece is a node of a note as it is paid: the node's branch, and of each node above it the fixed point.
type Piece struct {
	Branch
	Fixed []Line // in the order of Above
}

const (
	branchFixed = 2 + Size + 32
	forkSize    = Size + 32
)

// append adds node (2 bytes), B, Below, and a B and a sibling for each node above. Their number follows from the node.
func (b *Branch) append(to []byte) []byte {
	to = binary.BigEndian.AppendUint16(to, b.Node)
	to = append(to, b.B.enc[:]...)
	to = append(to, b.Below[:]...)
	for i := range b.Above {
		to = append(to, b.Above[i].B.enc[:]...)
		to = append(to, b.Above[i].Sibling[:]...)
	}
	return to
}

// parseBranch reads a branch at the start of from and gives the rest. Nothing is decoded before the length is known.
func parseBranch(from []byte) (Branch, []byte, error) {
	var b Branch
	if len(from) < branchFixed {
		return b, nil, fmt.Errorf("branch of a note cut short at %d bytes: %w", len(from), ErrEncoding)
	}
	b.Node = binary.BigEndian.Uint16(from)
	if !inTree(b.Node, MaxDepth) {
		return b, nil, fmt.Errorf("no note has a node %d: %w", b.Node, ErrEncoding)
	}
	up := int(level(b.Node))
	if len(from) < branchFixed+up*forkSize {
		return b, nil, fmt.Errorf("branch of node %d cut short at %d bytes: %w", b.Node, len(from), ErrEncoding)
	}
	var err error
	if b.B, err = ParseElement(from[2 : 2+Size]); err != nil {
		return b, nil, fmt.Errorf("line of node %d: %w", b.Node, err)
	}
	b.Below = Digest(from[2+Size:])
	from = from[branchFixed:]
	b.Above = make([]Fork, up)
	for i := range b.Above {
		if b.Above[i].B, err = ParseElement(from[:Size]); err != nil {
			return b, nil, fmt.Errorf("line of a node above %d: %w", b.Node, err)
		}
		b.Above[i].Sibling = Digest(from[Size:])
		from = from[forkSize:]
	}
	return b, from, nil
}

// append adds the branch and the lines.
func (p *Piece) append(to []byte) []byte {
	to = p.Branch.append(to)
	for _, l := range p.Fixed {
		to = l.Append(to)
	}
	return to
}

// parsePiece reads a piece at the start of from and gives the rest.
func parsePiece(from []byte) (*Piece, []byte, error) {
	b, from, err := parseBranch(from)
	if err != nil {
		return nil, nil, err
	}
	p := &Piece{Branch: b, Fixed: make([]Line, len(b.Above))}
	if len(from) < len(p.Fixed)*LineSize {
		return nil, nil, fmt.Errorf("piece of a note cut short at %d bytes: %w", len(from), ErrEncoding)
	}
	for i := range p.Fixed {
		if p.Fixed[i], err = ParseLine(from[:LineSize]); err != nil {
			return nil, nil, fmt.Errorf("fixed point of a node above %d: %w", b.Node, err)
		}
		from = from[LineSize:]
	}
	return p, from, nil
}

// check reports whether the branch is one of the note: the node is in the tree that the key describes, and the way up
// ends at the root under the mint's signature. It says nothing about the signature.
func (b *Branch) check(note *Coin, info KeyInfo) error {
	switch {
	case info.Kind != KindNote:
		return fmt.Errorf("%s with a branch: %w", info.Kind, ErrKind)
	case !inTree(b.Node, info.Depth):
		return fmt.Errorf("node %d of a note of depth %d: %w", b.Node, info.Depth, ErrChain)
	case len(b.Above) != int(level(b.Node)):
		return fmt.Errorf("node %d has %d nodes above it, not %d: %w", b.Node, level(b.Node), len(b.Above), ErrChain)
	case level(b.Node) == info.Depth && b.Below != Digest{}:
		return fmt.Errorf("leaf %d has something below it: %w", b.Node, ErrChain)
	case b.root(note.key) != Digest(note.b):
		return fmt.Errorf("line of node %d is not in the note: %w", b.Node, ErrSignature)
	}
	return nil
}

// root hashes the way up.
func (b *Branch) root(key KeyID) Digest {
	h := hashNode(key, b.Node, b.B.enc, b.Below)
	for i, n := 0, b.Node; n > 1; i, n = i+1, n/2 {
		left, right := h, b.Above[i].Sibling
		if n&1 == 1 {
			left, right = right, left
		}
		h = hashNode(key, n/2, b.Above[i].B.enc, hashPair(key, left, right))
	}
	return h
}

// ancestor is the number of the node in Above[i].
func (b *Branch) ancestor(i int) uint16 { return b.Node >> (i + 1) }

// check is the branch's, and that no line is missing.
func (p *Piece) check(note *Coin, info KeyInfo) error {
	if len(p.Fixed) != len(p.Above) {
		return fmt.Errorf("%d fixed points for %d nodes: %w", len(p.Fixed), len(p.Above), ErrChain)
	}
	return p.Branch.check(note, info)
}

// state adds what a piece claims: its line answers a spec, each line above answers at its fixed abscissa, and all of
// them are under the root that the note, signed by key, has for B.
func (p *Piece) state(to *claims, at *answered, key *PublicKey) error {
	note := at.coin
	if err := p.check(note, key.info); err != nil {
		return err
	}
	to.list = append(to.list, onLine(&note.a, &p.B, Point3{nodeAbscissa(at.c, p.Node, at.spec), *at.line}))
	for i, fixed := range p.fixedPoints(note) {
		to.list = append(to.list, onLine(&note.a, &p.Above[i].B, fixed))
	}
	return nil
}

// fixedPoints are those of the nodes above, the parent's first.
func (p *Piece) fixedPoints(note *Coin) []Point3 {
	points := make([]Point3, len(p.Fixed))
	for i := range points {
		points[i] = Point3{note.fixedAbscissa(p.ancestor(i)), p.Fixed[i]}
	}
	return points
}

// value is what the piece is worth of a note.
func (p *Piece) value(note *KeyInfo) (money.Minor, error) { return note.NodeValue(p.Node) }

// nodeAbscissa is where a node's line answers a spec; for coins see abscissaOf.
func nodeAbscissa(challenge Scalar, node uint16, spec Digest) Scalar {
	return begin("pay node").add(challenge.enc[:]).uint(uint64(node)).add(spec[:]).challenge()
}

// fixedAbscissa is where the line of a node answers whenever a node below it is paid. It hangs on what the note is, not on
// the signature, of which one note may have bought several.
func (c *Coin) fixedAbscissa(node uint16) Scalar {
	id := c.ID()
	return begin("fixed point").add(id[:]).uint(uint64(node)).challenge()
}

func hashNode(key KeyID, node uint16, b [Size]byte, below Digest) Digest {
	return begin("note node").add(key[:]).uint(uint64(node)).add(b[:]).add(below[:]).digest()
}

func hashPair(key KeyID, left, right Digest) Digest {
	return begin("note pair").add(key[:]).add(left[:]).add(right[:]).digest()
}

// A tree is a note's lines worked out: nodes count from 1, so place 0 is empty.
type tree struct {
	b      []Element
	hash   []Digest
	leaves int
}

// growTree works out the lines of a note from its seed: 2^(depth+1)-1 of them, about 20 us each.
func growTree(seed secret, key KeyID, depth uint8) *tree {
	t := &tree{b: make([]Element, 2<<depth), hash: make([]Digest, 2<<depth), leaves: 1 << depth}
	for n := len(t.b) - 1; n >= 1; n-- {
		x1, x2 := nodeSecrets(seed, key, uint16(n))
		t.b[n] = newElement(plus(times1(x1.num()), times2(x2.num())))
		t.hash[n] = hashNode(key, uint16(n), t.b[n].enc, t.below(key, n))
	}
	return t
}

// below is the hash of what is under node n, zero under a leaf.
func (t *tree) below(key KeyID, n int) Digest {
	if n >= t.leaves {
		return Digest{}
	}
	return hashPair(key, t.hash[2*n], t.hash[2*n+1])
}

// nodeSecrets are x1 and x2 of a node's line.
func nodeSecrets(seed secret, key KeyID, node uint16) (x1, x2 secret) {
	raw := seed.reveal()
	derive := newPRF(raw[:])
	of := func(which uint64) secret {
		return derive(begin("note line").add(key[:]).uint(uint64(node)).uint(which))
	}
	return of(1), of(2)
}

// noteRoot is B of a note whose lines come from seed.
func noteRoot(seed secret, key *PublicKey) [Size]byte {
	return growTree(seed, key.id, key.info.Depth).hash[1]
}

// branch leads from node to the root.
func (t *tree) branch(key KeyID, node uint16) Branch {
	b := Branch{Node: node, B: t.b[node], Below: t.below(key, int(node)), Above: make([]Fork, level(node))}
	for i, n := 0, node; n > 1; i, n = i+1, n/2 {
		b.Above[i] = Fork{B: t.b[n/2], Sibling: t.hash[n^1]}
	}
	return b
}

package brands

import "jiaozi/value/money"

// AncestorLine is the line of a node above the paid one, at the abscissa that is fixed for that node.
type AncestorLine struct {
	B    Element
	Path []Digest
	Line Line
}

// Piece is a node of a note that is paid by itself. Node counts from 1 (the root), children of n are 2n and 2n+1.
type Piece struct {
	Node  uint16
	B     Element
	Path  []Digest
	Fixed []AncestorLine // root first
}

// PayNode gives a piece of a note and its line for a spec.
func (o *Own) PayNode(node uint16, spec Digest) (Piece, Line, error) { panic("unwritten") }

// noteRoot is B of a note: the root over its lines, whose x1 and x2 come from tree.
func noteRoot(tree secret, info *KeyInfo) [Size]byte { panic("unwritten") }

// statements adds what a piece claims: the node's line at spec, the ancestors' lines, all of them under the note's root.
func (p *Piece) statements(list []statement, note *Coin, key *PublicKey, spec Digest, line Line) ([]statement, error) {
	panic("unwritten")
}

// abscissa is where the node's line is answered for a spec.
func (p *Piece) abscissa(note *Coin, spec Digest) Scalar { panic("unwritten") }

// value is what the piece is worth of a note.
func (p *Piece) value(note *KeyInfo) (money.Minor, error) { panic("unwritten") }

func (p *Piece) append(b []byte) []byte { panic("unwritten") }

// parsePiece reads a piece from the start of b and gives the rest.
func parsePiece(b []byte) (*Piece, []byte, error) { panic("unwritten") }

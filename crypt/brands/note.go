package brands

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

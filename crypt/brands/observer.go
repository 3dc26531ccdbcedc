package brands

// Observer is the card's part of a holder: without it no coin of his can be paid.
type Observer struct {
	masked
	o1 secret
}

// NewObserver derives the card's secrets.
func NewObserver(secret Digest) *Observer { panic("unwritten") }

// Identity gives A_O = o1·G1, the card's part of the account.
func (o *Observer) Identity() Element { panic("unwritten") }

// Nonce gives B_O of an index, the card's part of a coin.
func (o *Observer) Nonce(index uint32) Element { panic("unwritten") }

// Answer gives d·o1 + o2 of the index. The caller guards ONE d per index.
func (o *Observer) Answer(index uint32, d Scalar) Scalar { panic("unwritten") }

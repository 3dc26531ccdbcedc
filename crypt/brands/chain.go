package brands

import "fmt"

// How money goes from hand to hand, offline all the way:
//
//	payee: shows a blank of his, each to one payer alone and never again
//	payer: SpecTo(blank), gives his line for that spec, and hands over Pass
//	payee: VerifyVartime, and takes no second money on that blank, because then he would have to answer on it twice
//	       ... and pays on in the same way, or to terms: SpecFor, his line, Close
//
// The mint sees the head, every blank, and who deposits; it knows the owner of none of them.

// SpecTo is what the owner of Last answers to pass the money on to next. It refuses before a line is given: money that
// went through MaxHops hands, and a coin that is in the chain already.
func (m *Money) SpecTo(next *Coin) (Digest, error) {
	if m.Hops() >= MaxHops {
		return Digest{}, fmt.Errorf("the money went through %d hands; exchange it at the mint first: %w", m.Hops(), ErrChain)
	}
	for _, at := range m.chain(nil) {
		if at.coin.a.Equal(next.a) {
			return Digest{}, fmt.Errorf("the payee's blank %v is in the chain already; ask for another: %w", next.ID(), ErrChain)
		}
	}
	return LinkSpec(m.Spec(), next), nil
}

// Pass is the money in the hands of next's owner; line answers SpecTo(next). m stays as it is.
func (m *Money) Pass(line Line, next *Coin) *Money {
	links := append(m.Links[:len(m.Links):len(m.Links)], Link{Line: line, Next: *next})
	return &Money{Head: m.Head, Piece: m.Piece, Links: links}
}

// SpecFor is what the owner of Last answers to pay the money to terms (Terms.Digest).
func (m *Money) SpecFor(terms Digest) Digest { return FinalSpec(m.Spec(), terms) }

// Close is the finished payment; line answers SpecFor.
func (m *Money) Close(line Line) *Payment { return &Payment{Money: *m, Final: line} }

// AccuseVartime compares the points of this payment with those that the mint keeps of the payment that came first with
// the same head (or the same node of a note). Both were verified. nil means that they are one payment, which came again.
// Otherwise the guilt is of the first coin in the chain that was paid in two ways: the holders before it answered once, and
// those after it took what they were given.
//
// Who pays twice what had been paid twice before him is not named by this: his payments differ from the first one where the
// cheat before him did. Comparing refused payments with each other finds him too.
//
// The pieces of a note clash in more ways: there, ask AccuseNodeVartime first.
func (p *Payment) AccuseVartime(terms Digest, first []Point3) (*Guilt, error) {
	now := p.Points(terms)
	for i := range min(len(now), len(first)) {
		if now[i] != first[i] {
			coin, branch := p.at(i)
			return newGuiltVartime(coin, branch, now[i], first[i])
		}
	}
	if len(now) != len(first) {
		// The last point answers terms and every other a blank, so where one chain ends and the other goes on they differ.
		return nil, fmt.Errorf("one list of points begins the other, they are not of two payments: %w", ErrTrace)
	}
	return nil, nil
}

// at is the coin at place i of the chain, and for the piece of a note its branch.
func (p *Payment) at(i int) (*Coin, *Branch) {
	if i > 0 {
		return &p.Links[i-1].Next, nil
	}
	if p.Piece != nil {
		return &p.Head, &p.Piece.Branch
	}
	return &p.Head, nil
}

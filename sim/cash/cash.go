// Package cash plays the first story of the house: a day of electronic cash,
// from the bank to the card, from the card to two shops, and from the shops
// back to the bank, ending in an audit.
//
// Nothing in it is pretended. Cards are card images that answer APDUs, tills
// speak ISO 8583 over TCP to the acquirer, and money moves in the book of the
// node that is handed in. The story only decides who does what, and says
// beforehand how each scene must end: Play returns story.ErrAstray when one ends
// otherwise, so that the demo is a test too.
//
// Each run has a number of its own, kept in the book; cards and command ids
// include it, so that a second run on the same data continues instead of
// replaying. Start with Play; the scenes stand in scenes.go, in the order of
// the day.
package cash

import (
	"context"

	"jiaozi/node"
	"jiaozi/sim/story"
	"jiaozi/value/money"
)

// Summary counts the run. Taps are tapped or inserted; a torn tap and the tap that
// resolves it are one attempt. Float is all electronic cash there is, in every
// run's cards on this data.
type Summary struct {
	story.Tally
	Float     money.Amount
	Conserved bool
}

// Play runs the story on n and returns what it counted.
func Play(ctx context.Context, n *node.Node, o story.Options) (Summary, error) {
	s := &stage{node: n, options: o, cards: map[string]*node.OpenCard{}, tills: map[string]*till{}}
	defer s.close()
	if err := s.open(ctx); err != nil {
		return s.summary, err
	}
	var err error
	s.summary.Tally, err = story.Tell(ctx, o, s, scenes)
	return s.summary, err
}

// Short names of what stories share.
type (
	scene  = story.Scene[*stage]
	ending = story.Ending
	result = story.Result
)

// Package coins plays the second story of the house: blind electronic cash, from the
// bank into wallets, from hand to hand without any network, to two shops and back to
// the bank, with three people who pay twice on the way.
//
// Nothing in it is pretended. Wallets are sealed files, the mint answers over HTTP, the
// card with an observer is a card image that answers APDUs, and what people hand each
// other are the texts that a telephone shows as pictures. While they do, the line to
// the mint is cut. Cheats copy files, as real ones would. The story's own clock lets
// months pass until an epoch of coins is over.
//
// Each run has a number of its own, so that a second run on the same data continues.
// Start with Play; the scenes stand in scenes.go.
package coins

import (
	"context"

	"jiaozi/node"
	"jiaozi/sim/story"
	"jiaozi/value/money"
)

// Summary counts the run. Taps are payments between people, whether they met a till
// or each other. Float is all electronic cash there is on this data afterwards, on
// cards and in coins; the other figures are this run's alone.
type Summary struct {
	story.Tally
	Float          money.Amount
	CoinsIssued    uint64
	CoinsDeposited uint64
	DoubleSpends   int // coins that were paid twice, each with its proof
	Named          int // accounts that the proofs name
	AccusedHonest  int // of these, accounts of people who did not cheat
	Conserved      bool
}

// Play runs the story on n, whose clock is c. It returns story.ErrAstray if a scene
// ends otherwise than written, and node.ErrIntegrity if money is missing or somebody
// honest is accused.
func Play(ctx context.Context, n *node.Node, c *story.Clock, o story.Options) (Summary, error) {
	s := &stage{node: n, clock: c, options: o, people: map[string]*person{}}
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
	scene    = story.Scene[*stage]
	result   = story.Result
	playFunc = func(context.Context, *stage) (result, error)
)

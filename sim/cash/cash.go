// Package cash plays the first story of the house: a day of electronic cash,
// from the bank to the card, from the card to two shops, and from the shops
// back to the bank, ending in an audit.
//
// Nothing in it is pretended. Cards are card images that answer APDUs, tills
// speak ISO 8583 over TCP to the acquirer, and money moves in the book of the
// node that is handed in. The story only decides who does what, and says
// beforehand how each scene must end: Play returns ErrAstray when one ends
// otherwise, so that the demo is a test too.
//
// Each run has a number of its own, kept in the book; cards and command ids
// include it, so that a second run on the same data continues instead of
// replaying. Start with Play; the scenes stand in scenes.go, in the order of
// the day.
package cash

import (
	"context"
	"errors"
	"fmt"

	"jiaozi/node"
	"jiaozi/value/lang"
	"jiaozi/value/money"
	"jiaozi/value/reason"
)

// ErrAstray says that a scene did not end as the story is written.
var ErrAstray = errors.New("the story did not end as written")

// Outcomes of a step, as scripts compare them.
const (
	Approved  = "approved"
	Declined  = "declined"
	Unknown   = "unknown"
	Recovered = "recovered"
)

// Step is one line that a person understands.
type Step struct {
	Number  int
	Name    string // stable, for scripts
	Outcome string
	Amount  money.Amount
	Reason  reason.Code
	Text    string
}

// Summary counts the run. Taps are all payment attempts, tapped or inserted;
// each ended in exactly one of the three. A torn tap and the tap that resolves
// it are one attempt. Float is all electronic cash there is, in every run's
// cards on this data.
type Summary struct {
	Taps, Approved, Declined, Recovered, Loads int
	Float                                      money.Amount
	Conserved                                  bool
}

// Options of a run.
type Options struct {
	Lang lang.Lang
	Emit func(Step) error // called once for each step, as it ends
}

// Play runs the story on n and returns what it counted.
func Play(ctx context.Context, n *node.Node, o Options) (Summary, error) {
	s := &stage{node: n, options: o, cards: map[string]*node.OpenCard{}, tills: map[string]*till{}}
	defer s.close()
	if err := s.open(ctx); err != nil {
		return s.summary, err
	}
	for i := range scenes {
		if err := s.play(ctx, &scenes[i]); err != nil {
			return s.summary, err
		}
	}
	return s.summary, nil
}

// scene is one step of the day: what it is called, how it must end, and how it
// is played.
type scene struct {
	name  string
	kind  kind
	ends  ending
	about lang.Text
	play  func(context.Context, *stage) (result, error)
}

// kind decides what the summary counts.
type kind uint8

const (
	errand  kind = iota // neither payment nor load
	payment             // a finished payment attempt
	torn                // a payment attempt that the next scene finishes
	load
)

// ending is how a scene must end.
type ending struct {
	outcome string
	reason  reason.Code
}

// result is how it did end; detail is appended to the scene's text.
type result struct {
	ending
	amount money.Amount
	detail lang.Text
}

func (s *stage) play(ctx context.Context, sc *scene) error {
	r, err := sc.play(ctx, s)
	if err != nil {
		return fmt.Errorf("scene %q: %w", sc.name, err)
	}
	s.count(sc.kind, r)
	s.steps++
	step := Step{Number: s.steps, Name: sc.name, Outcome: r.outcome, Amount: r.amount, Reason: r.reason, Text: s.words(sc, r)}
	if err := s.options.Emit(step); err != nil {
		return err
	}
	if r.ending != sc.ends {
		return fmt.Errorf("%w: scene %q ended %s/%s, not %s/%s", ErrAstray, sc.name, r.outcome, r.reason, sc.ends.outcome, sc.ends.reason)
	}
	return nil
}

// words makes the line: the scene, why it ended so, and what else is to say.
func (s *stage) words(sc *scene, r result) string {
	l := s.options.Lang
	text := sc.about.In(l)
	if r.reason != reason.Approved {
		text += lang.Text{EN: ": ", ZH: "："}.In(l) + r.reason.Text(l)
	}
	if detail := r.detail.In(l); detail != "" {
		text += lang.Text{EN: " (", ZH: "（"}.In(l) + detail + lang.Text{EN: ")", ZH: "）"}.In(l)
	}
	return text
}

func (s *stage) count(k kind, r result) {
	switch {
	case k == load && r.outcome == Approved:
		s.summary.Loads++
	case k != payment:
	case r.outcome == Approved:
		s.summary.Approved++
	case r.outcome == Declined:
		s.summary.Declined++
	case r.outcome == Recovered:
		s.summary.Recovered++
	}
	s.summary.Taps = s.summary.Approved + s.summary.Declined + s.summary.Recovered
}

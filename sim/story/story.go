// Package story is what every story of the house shares: scenes with an ending that
// is written beforehand, told one by one, and counted.
//
// A scene says how it must end; Tell returns ErrAstray when one ends otherwise, so
// that a demo is a test too. What a scene plays with, the stage, is each story's
// own. Time is a story's own as well (Clock): some of them need months.
//
// Start with Act and Tell; sim/cash and sim/coins are the stories.
package story

import (
	"context"
	"errors"
	"fmt"

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

// Tally counts a run. Taps are all payment attempts; each ended in exactly one of
// the three. A torn attempt and the one that resolves it are one.
type Tally struct {
	Taps, Approved, Declined, Recovered, Loads int
}

// Options of a run.
type Options struct {
	Lang lang.Lang
	Emit func(Step) error // called once for each step, as it ends
}

// Scene is one step: what it is called, how it must end, and how it is played on a
// stage.
type Scene[S any] struct {
	Name  string
	Kind  Kind
	Ends  Ending
	About lang.Text
	Play  func(context.Context, S) (Result, error)
}

// Act makes a scene.
func Act[S any](name string, kind Kind, ends Ending, about lang.Text, play func(context.Context, S) (Result, error)) Scene[S] {
	return Scene[S]{name, kind, ends, about, play}
}

// Kind decides what the tally counts.
type Kind uint8

const (
	Errand  Kind = iota // neither payment nor load
	Payment             // a finished payment attempt
	Torn                // a payment attempt that a later scene finishes
	Load                // money from the bank to the purse
)

// Ending is how a scene must end.
type Ending struct {
	Outcome string
	Reason  reason.Code
}

// Result is how it did end; Detail is appended to the scene's text.
type Result struct {
	Ending
	Amount money.Amount
	Detail lang.Text
}

// End makes an ending.
func End(outcome string, why reason.Code) Ending { return Ending{outcome, why} }

// Done is the result of something that went well, unless it says otherwise.
func Done(r Result) Result {
	if r.Ending == (Ending{}) {
		r.Ending = Ending{Approved, reason.Approved}
	}
	return r
}

// Tell plays the scenes in their order and counts them. It stops at the first that
// fails or ends otherwise than written.
func Tell[S any](ctx context.Context, o Options, stage S, scenes []Scene[S]) (Tally, error) {
	var t Tally
	for i := range scenes {
		sc := &scenes[i]
		r, err := sc.Play(ctx, stage)
		if err != nil {
			return t, fmt.Errorf("scene %q: %w", sc.Name, err)
		}
		t.count(sc.Kind, r)
		step := Step{Number: i + 1, Name: sc.Name, Outcome: r.Outcome, Amount: r.Amount, Reason: r.Reason, Text: words(o.Lang, sc.About, r)}
		if err := o.Emit(step); err != nil {
			return t, err
		}
		if r.Ending != sc.Ends {
			return t, fmt.Errorf("%w: scene %q ended %s/%s, not %s/%s", ErrAstray, sc.Name, r.Outcome, r.Reason, sc.Ends.Outcome, sc.Ends.Reason)
		}
	}
	return t, nil
}

// words makes the line: the scene, why it ended so, and what else is to say.
func words(l lang.Lang, about lang.Text, r Result) string {
	text := about.In(l)
	if r.Reason != reason.Approved {
		text += lang.Text{EN: ": ", ZH: "："}.In(l) + r.Reason.Text(l)
	}
	if detail := r.Detail.In(l); detail != "" {
		text += lang.Text{EN: " (", ZH: "（"}.In(l) + detail + lang.Text{EN: ")", ZH: "）"}.In(l)
	}
	return text
}

func (t *Tally) count(k Kind, r Result) {
	switch {
	case k == Load && r.Outcome == Approved:
		t.Loads++
	case k != Payment:
	case r.Outcome == Approved:
		t.Approved++
	case r.Outcome == Declined:
		t.Declined++
	case r.Outcome == Recovered:
		t.Recovered++
	}
	t.Taps = t.Approved + t.Declined + t.Recovered
}

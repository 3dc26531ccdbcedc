// Package mem stands between a card and its terminal inside one process, for
// simulations and tests: it lets one command or one answer get lost, or writes
// down what was said.
//
// A lost command and a lost answer look alike to the terminal (the card is
// gone), but not to the card: the first never reached it, the second found it
// working. That difference is what torn payments are made of. Once something is
// lost the line stays dead, as for a card that left the field.
//
// Start with LoseCommand, LoseAnswer or Trace; Nth and Reading say when.
package mem

import (
	"fmt"

	"jiaozi/wire/apdu"
)

// Moment picks the command at which something happens. It is asked about every
// command in order until it says yes.
type Moment func(apdu.Command) bool

// Nth is the n-th command, counted from 0.
func Nth(n int) Moment {
	return func(apdu.Command) bool {
		n--
		return n < 0
	}
}

// Reading is the READ RECORD of one record.
func Reading(sfi, number byte) Moment {
	want := apdu.ReadRecord(sfi, number)
	return func(c apdu.Command) bool {
		return c.CLA == want.CLA && c.INS == want.INS && c.P1 == want.P1 && c.P2 == want.P2
	}
}

// LoseCommand takes the card away before it hears the command.
func LoseCommand(c apdu.Card, when Moment) apdu.Card { return &line{card: c, when: when} }

// LoseAnswer takes the card away after it carried the command out.
func LoseAnswer(c apdu.Card, when Moment) apdu.Card { return &line{card: c, when: when, heard: true} }

type line struct {
	card  apdu.Card
	when  Moment
	heard bool
	dead  bool
}

// Transmit implements apdu.Card.
func (l *line) Transmit(cmd apdu.Command) (apdu.Response, error) {
	if !l.dead && !l.when(cmd) {
		return l.card.Transmit(cmd)
	}
	if !l.dead && l.heard {
		if _, err := l.card.Transmit(cmd); err != nil {
			l.dead = true
			return apdu.Response{}, err
		}
	}
	l.dead = true
	return apdu.Response{}, fmt.Errorf("the line was torn: %w", apdu.ErrGone)
}

// Exchange is one command with what came of it.
type Exchange struct {
	Command  apdu.Command
	Response apdu.Response
	Err      error
}

// Trace passes everything on and tells note of it, after each command. What it
// tells holds card data in the clear: show it only through masking.
func Trace(c apdu.Card, note func(Exchange)) apdu.Card { return &tap{c, note} }

type tap struct {
	card apdu.Card
	note func(Exchange)
}

// Transmit implements apdu.Card.
func (t *tap) Transmit(cmd apdu.Command) (apdu.Response, error) {
	answer, err := t.card.Transmit(cmd)
	t.note(Exchange{cmd, answer, err})
	return answer, err
}

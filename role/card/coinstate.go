package card

import (
	"bytes"
	"fmt"

	"jiaozi/wire/observer"
)

// Bounds of what the coin application remembers; together they fill its slots.
const (
	openIndices = 4096 // prepared and not closed: coins in the wallet, and what it has in stock
	maxAnswered = 128  // challenges kept: two payments of the most coins that one may have
)

// coins is everything about the coin application that changes. It is replaced as
// a whole: code changes a clone.
type coins struct {
	window   window
	answered []observer.Question // oldest first; all closed, no index twice
	airLeft  uint8
	pairing  observer.Secret // zero: no wallet is paired
}

func (s *coins) clone() *coins {
	next := *s
	next.window = s.window.clone()
	next.answered = append([]observer.Question(nil), s.answered...)
	return &next
}

// challenge gives the challenge that index was answered with, as long as the card
// remembers it.
func (s *coins) challenge(index uint32) (c [observer.Size]byte, ok bool) {
	for _, q := range s.answered {
		if q.Index == index {
			return q.Challenge, true
		}
	}
	return c, false
}

// answer closes an open index and remembers why; the oldest memory makes room.
func (s *coins) answer(q observer.Question) {
	s.window.close(q.Index)
	s.answered = append(s.answered, q)
	s.answered = s.answered[max(0, len(s.answered)-maxAnswered):]
}

// status tells what became of an index.
func (s *coins) status(index uint32) observer.Status {
	if c, ok := s.challenge(index); ok {
		return observer.Status{State: observer.Answered, Challenge: c}
	}
	return observer.Status{State: s.window.state(index)}
}

// coinsHead is the fixed part: answers left over the air, whether a wallet is
// paired, its key, how many challenges follow.
const coinsHead = 1 + 1 + observer.Size + 1

// questionBytes is the length of an answered question: index, challenge.
const questionBytes = 4 + observer.Size

func (s *coins) append(dst []byte) []byte {
	key, paired := make([]byte, observer.Size), byte(0)
	if !s.pairing.IsZero() {
		key, paired = s.pairing.Reveal(), 1
	}
	dst = append(dst, s.airLeft, paired)
	dst = append(append(dst, key...), byte(len(s.answered)))
	dst = s.window.append(dst)
	for _, q := range s.answered {
		dst = append(dst, observer.Answer(q).Data...)
	}
	return dst
}

func decodeCoins(b []byte) (*coins, error) {
	if len(b) < coinsHead || b[coinsHead-1] > maxAnswered {
		return nil, fmt.Errorf("coin application's state is cut short: %w", ErrMemory)
	}
	s, head := &coins{airLeft: b[0]}, b[:coinsHead]
	var err error
	if head[1] != 0 {
		if s.pairing, err = observer.NewSecret(head[2 : coinsHead-1]); err != nil {
			return nil, fmt.Errorf("coin application's pairing (%w): %w", err, ErrMemory)
		}
	}
	rest := b[coinsHead:]
	if s.window, rest, err = cutWindow(rest, openIndices); err != nil {
		return nil, err
	}
	for range head[coinsHead-1] {
		if len(rest) < questionBytes {
			return nil, fmt.Errorf("coin application's answers are cut short: %w", ErrMemory)
		}
		q, err := observer.ParseAnswer(rest[:questionBytes])
		if err != nil {
			return nil, fmt.Errorf("coin application's answers (%w): %w", err, ErrMemory)
		}
		if _, twice := s.challenge(q.Index); twice || s.window.state(q.Index) != observer.Closed {
			return nil, fmt.Errorf("coin application answered index %d in an impossible way: %w", q.Index, ErrMemory)
		}
		s.answered, rest = append(s.answered, q), rest[questionBytes:]
	}
	// Reading back must give the same bytes, or something is not as written.
	if !bytes.Equal(s.append(nil), b) {
		return nil, fmt.Errorf("coin application's state has impossible values: %w", ErrMemory)
	}
	return s, nil
}

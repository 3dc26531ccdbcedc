package book

import (
	"sync/atomic"

	"jiaozi/value/must"
)

// asker finds out where in the journal the keys of a piece may have been used. It
// reads the keys of the commands, the layers and the sealed index, none of which
// change while a batch is planned, so it may be ahead of the writer.
type asker struct {
	m    *memory
	hash *hasher // its own: it has a buffer
	// The batch, and who came with which part before it.
	seq   uint64
	found *ownership
	// What may have been used before, and its hashes, side by side.
	questions []question
	hashes    []uint64
}

// question is a key that may have been used before.
type question struct {
	c   *candidate
	key int // 0 is the id, then the once-keys, then the reversal; -1 the entry that is reversed
}

// suspect is a place in the journal where a key may have been used before.
type suspect struct {
	at Position
	question
}

// ask lists the suspects of a piece.
func (a *asker) ask(piece []candidate) (suspects []suspect, err error) {
	for i := range piece {
		a.note(&piece[i])
	}
	a.m.mu.RLock()
	err = a.m.findEach(a.hashes, func(i int, pos uint64) {
		if at := position(pos); a.before(at) {
			suspects = append(suspects, suspect{at, a.questions[i]})
		}
	})
	a.m.mu.RUnlock()
	clear(a.questions) // they point to what callers sent
	a.questions, a.hashes = a.questions[:0], a.hashes[:0]
	return suspects, err
}

// note takes down the keys of a command.
func (a *asker) note(c *candidate) {
	for k, h := range c.keys {
		a.questions = append(a.questions, question{c, k})
		a.hashes = append(a.hashes, h.index)
	}
	if c.form == OK && c.cmd.Reverses != (ID{}) {
		a.questions = append(a.questions, question{c, -1})
		a.hashes = append(a.hashes, a.hash.id(c.cmd.Reverses).index)
	}
}

// before reports whether an entry was here before the batch. What comes later is
// the batch itself, read again.
func (a *asker) before(at Position) bool {
	if !at.Carried() {
		return at.Seq < a.seq
	}
	part, chain, _ := at.carried()
	return a.found.arrivedFrom(part, chain, a.seq)
}

// ahead is an asker at work on a whole batch, in a goroutine of its own.
type ahead struct {
	answers chan asked // one for each piece, in order, with room for all; then closed
	enough  atomic.Bool
}

// asked is what the asker found for one piece.
type asked struct {
	suspects []suspect
	err      error
}

// goAhead asks for all pieces of a batch, up to the first error. The asker is the
// goroutine's until stop returns.
func (a *asker) goAhead(batch []candidate) *ahead {
	h := &ahead{answers: make(chan asked, len(batch)/a.m.piece+1)}
	go func() {
		defer close(h.answers)
		for from := 0; from < len(batch) && !h.enough.Load(); {
			to := a.m.pieceEnd(batch, from)
			suspects, err := a.ask(batch[from:to])
			h.answers <- asked{suspects, err}
			if err != nil {
				return
			}
			from = to
		}
	}()
	return h
}

// next is ask for the next piece.
func (h *ahead) next([]candidate) ([]suspect, error) {
	answer, ok := <-h.answers
	must.Hold(ok, "nobody asked for a piece of a batch")
	return answer.suspects, answer.err
}

// stop waits until nobody is at work any more.
func (h *ahead) stop() {
	h.enough.Store(true)
	for range h.answers {
	}
}

package terminal

import (
	"errors"
	"fmt"
	"slices"
	"time"

	"jiaozi/value/ident"
	"jiaozi/wire/purse"
)

// ErrJournal: the entries contradict one another. Nothing of the terminal can be
// trusted then: keep a copy of the file, settle with the acquirer by its log.
var ErrJournal = errors.New("the terminal's journal contradicts itself")

// ErrOtherTerminal: the store belongs to another terminal; give each its own.
var ErrOtherTerminal = errors.New("the journal belongs to another terminal")

// sale is a record of a batch: approved, or flagged for the issuer to decide.
type sale struct {
	record    purse.Record
	recovered bool
	acked     bool
	refused   string // the acquirer's code for "never", empty if it has not said so
}

// settled reports whether the batch can be closed without hearing more of it.
func (x *sale) settled() bool { return x.acked || x.refused != "" }

// state is what the journal adds up to. It changes only in apply.
type state struct {
	identity opened
	reserved uint64
	batch    uint32 // the open batch; closing.Batch, if any, is the one before it
	pending  []pended
	sales    []sale // of the open and of the closing batch, and refused ones of older batches
	outbox   []step
	list     []byte
	closing  *closing
	unsaid   *purse.Record // the last sale, if nothing proves that it was signalled
}

// firstBatch is where a new terminal starts until the host names another number.
const firstBatch = 1

// apply folds one entry into the state, or says why it cannot have happened.
func (s *state) apply(e entry) error {
	if _, first := e.(opened); first == (s.identity != opened{}) {
		return fmt.Errorf("entry of kind %d out of place: %w", e.kind(), ErrJournal)
	}
	if err := s.fold(e); err != nil {
		return err
	}
	switch e := e.(type) {
	case sold:
		s.unsaid = &e.Record
	case said, closed:
		s.unsaid = nil
	}
	return nil
}

func (s *state) fold(e entry) error {
	switch e := e.(type) {
	case opened:
		s.identity, s.batch = e, firstBatch
	case reserved:
		if e.Upto < s.reserved {
			return contradiction("trace numbers go back")
		}
		s.reserved = e.Upto
	case renumbered:
		return s.renumber(e.Batch)
	case pended:
		return s.pend(e)
	case dropped:
		_, err := s.settlePending(e.Trace)
		return err
	case sold:
		return s.keep(sale{record: e.Record, recovered: e.Recovered}, purse.None)
	case flagged:
		return s.keep(sale{record: e.Record}, e.Record.Flag)
	case acked:
		return s.ack(e.Trace)
	case refused:
		return s.refuse(e)
	case left:
		return s.leave(e)
	case step:
		return s.step(e)
	case ended:
		return s.end(e.Trace)
	case listed:
		s.list = e.Signed
	case closing:
		return s.beginClosing(e)
	case closed:
		return s.endClosing(e)
	case said:
	}
	return nil
}

func contradiction(what string) error { return fmt.Errorf("%s: %w", what, ErrJournal) }

func (s *state) renumber(batch uint32) error {
	if !s.empty() || s.closing != nil || batch == 0 || batch > lastBatch {
		return contradiction("a batch in use is renumbered")
	}
	s.batch = batch
	return nil
}

// empty reports whether the open batch holds nothing yet.
func (s *state) empty() bool { return s.size() == 0 }

// size counts what the open batch holds or may come to hold.
func (s *state) size() int {
	n := len(s.pending)
	for i := range s.sales {
		if s.sales[i].record.Batch == s.batch {
			n++
		}
	}
	return n
}

func (s *state) pend(e pended) error {
	if s.used(traceOf(&e.Record)) || e.Record.Batch != s.batch {
		return contradiction("a trace number is used twice")
	}
	if _, twice := s.pendingOf(e.Record.PAN, e.Record.PSN); twice {
		return contradiction("a card has two open payments")
	}
	s.pending = append(s.pending, e)
	return nil
}

// used reports whether a trace number still names something.
func (s *state) used(t trace) bool {
	return slices.ContainsFunc(s.pending, func(p pended) bool { return traceOf(&p.Record) == t }) ||
		slices.ContainsFunc(s.sales, func(x sale) bool { return traceOf(&x.record) == t }) ||
		slices.ContainsFunc(s.outbox, func(x step) bool { return x.Trace == t })
}

// pendingOf finds the payment that this card may have made.
func (s *state) pendingOf(pan ident.PAN, psn ident.PSN) (pended, bool) {
	for _, p := range s.pending {
		if p.Record.PAN == pan && p.Record.PSN == psn {
			return p, true
		}
	}
	return pended{}, false
}

func (s *state) settlePending(t trace) (pended, error) {
	for i, p := range s.pending {
		if traceOf(&p.Record) == t {
			s.pending = slices.Delete(s.pending, i, i+1)
			return p, nil
		}
	}
	return pended{}, contradiction("no open payment has this trace number")
}

// keep turns the pending of the same trace into a record of the batch. Each
// record was pending first: that is what makes it recoverable.
func (s *state) keep(x sale, flag purse.Flag) error {
	p, err := s.settlePending(traceOf(&x.record))
	if err != nil {
		return err
	}
	if p.Record.PAN != x.record.PAN || p.Record.PSN != x.record.PSN || p.Record.Amount != x.record.Amount {
		return contradiction("a record is not the payment that was open")
	}
	if x.record.Flag != flag {
		return contradiction("a record's flag does not fit its entry")
	}
	s.sales = append(s.sales, x)
	return nil
}

// ack notes that the acquirer has a record. One of an older batch is then done with.
func (s *state) ack(t trace) error {
	x := s.unacked(t)
	if x == nil {
		return contradiction("an acknowledgement fits no record")
	}
	x.acked = true
	if t.Batch != s.batch && (s.closing == nil || t.Batch != s.closing.Batch) {
		s.sales = slices.DeleteFunc(s.sales, func(x sale) bool { return traceOf(&x.record) == t })
	}
	return nil
}

func (s *state) refuse(e refused) error {
	x := s.unacked(e.Trace)
	if x == nil {
		return contradiction("a refusal fits no record")
	}
	x.refused = e.Code
	return nil
}

func (s *state) unacked(t trace) *sale {
	for i := range s.sales {
		if traceOf(&s.sales[i].record) == t && !s.sales[i].acked {
			return &s.sales[i]
		}
	}
	return nil
}

func (s *state) leave(e left) error {
	// A snapshot writes these first, so nothing of a present batch stands before them.
	fresh := s.closing == nil && !slices.ContainsFunc(s.sales, func(x sale) bool { return x.refused == "" || x.record.Batch == s.batch })
	if !fresh || s.used(traceOf(&e.Record)) || e.Record.Flag != purse.None || e.Record.Batch == s.batch {
		return contradiction("a refused sale is kept out of turn")
	}
	s.sales = append(s.sales, sale{record: e.Record, recovered: e.Recovered, refused: e.Code})
	return nil
}

// step puts an item into the outbox or moves it on; it never goes back from
// "script sent" to "reverse", since the card may hold the money by then.
func (s *state) step(e step) error {
	for i := range s.outbox {
		if s.outbox[i].Trace != e.Trace {
			continue
		}
		if e.Stage < s.outbox[i].Stage || e.Kind != s.outbox[i].Kind || e.Amount != s.outbox[i].Amount {
			return contradiction("a load goes back")
		}
		s.outbox[i] = e
		return nil
	}
	if e.Stage != stageReverse {
		return contradiction("a load starts in the middle")
	}
	if s.used(e.Trace) {
		return contradiction("a trace number is used twice")
	}
	s.outbox = append(s.outbox, e)
	return nil
}

func (s *state) end(t trace) error {
	for i := range s.outbox {
		if s.outbox[i].Trace == t {
			s.outbox = slices.Delete(s.outbox, i, i+1)
			return nil
		}
	}
	return contradiction("no load has this trace number")
}

func (s *state) beginClosing(e closing) error {
	if s.closing != nil || e.Batch != s.batch || len(s.pending) > 0 {
		return contradiction("a batch is closed out of turn")
	}
	for i := range s.sales {
		if !s.sales[i].settled() {
			return contradiction("a batch is closed before it is uploaded")
		}
	}
	s.closing = &e
	s.batch = nextBatch(e.Batch)
	return nil
}

func nextBatch(batch uint32) uint32 {
	if batch >= lastBatch {
		return firstBatch
	}
	return batch + 1
}

func (s *state) endClosing(e closed) error {
	if s.closing == nil || s.closing.Batch != e.Batch || e.Next > lastBatch {
		return contradiction("a batch is settled that was not closed")
	}
	s.sales = slices.DeleteFunc(s.sales, func(x sale) bool {
		return x.record.Batch == e.Batch && (x.acked || x.record.Flag != purse.None)
	})
	s.closing = nil
	if e.Next != 0 && s.empty() {
		s.batch = e.Next
	}
	return nil
}

// latest is the time of the youngest transaction, the least that it can be now.
func (s *state) latest() time.Time {
	var latest time.Time
	later := func(t time.Time) {
		if t.After(latest) {
			latest = t
		}
	}
	for i := range s.sales {
		later(s.sales[i].record.When)
	}
	for i := range s.pending {
		later(s.pending[i].Record.When)
	}
	for i := range s.outbox {
		later(s.outbox[i].When)
	}
	return latest
}

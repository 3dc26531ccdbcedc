package book

import (
	"bytes"
	"math"

	"jiaozi/value/money"
)

// outNumber derives the number of an outgoing message from where it stands in
// the journal: unique for ever, ascending, and no counter to keep.
func outNumber(seq uint64, index, k int) uint64 {
	return (seq*MaxBatch+uint64(index))*MaxOut + uint64(k)
}

// maxSeq keeps outNumber inside a signed 64-bit integer.
const maxSeq = math.MaxInt64/(MaxBatch*MaxOut) - 1

// candidate is a command on its way into a batch, with what was found of it.
type candidate struct {
	cmd    *Command
	form   Code   // what form said
	linked bool   // to the next candidate
	raw    []byte // canonical bytes
	// keys are the hashes of the id, of every once-key, and of the reversal.
	keys []keyHash
	// accounts are the places in state of the accounts of the legs, openings,
	// limits and closures, in this order; puts those of the records.
	accounts, puts []int32
	arrival        *arrival // of a HandIn
}

func (c *candidate) legRef(i int) int32  { return c.accounts[i] }
func (c *candidate) openRef(i int) int32 { return c.accounts[len(c.cmd.Legs)+i] }
func (c *candidate) limitRef(i int) int32 {
	return c.accounts[len(c.cmd.Legs)+len(c.cmd.Open)+i]
}
func (c *candidate) closeRef(i int) int32 {
	return c.accounts[len(c.cmd.Legs)+len(c.cmd.Open)+len(c.cmd.Limit)+i]
}

// plan decides the commands of a batch, or of a piece of it: pure, one after the
// other, each seeing what the ones before it did. It changes st and gives each
// candidate its result.
func plan(st *state, batch []candidate, results []Result) {
	for i := 0; i < len(batch); i++ {
		last := i
		for last < len(batch)-1 && batch[last].linked {
			last++
		}
		if last == i {
			st.decide(&batch[i], &results[i])
			continue
		}
		st.decideChain(batch[i:last+1], results[i:last+1])
		i = last
	}
}

// decide answers one command: the first answer again, a refusal, or a booking.
func (st *state) decide(c *candidate, r *Result) {
	if first := st.answered.find(c.keys[0]); first != nil {
		*r = first.again(c.raw)
		return
	}
	if c.form != OK {
		r.Code = c.form
		return
	}
	code, prior := st.judge(c)
	if !code.Kept() {
		r.Code, r.Prior = code, prior
		return
	}
	r.Code, r.Seq = code, st.seq
	if code == OK {
		st.book(c)
		r.Balances = st.balancesOf(c)
	}
	st.keep(c, r)
}

// judge says what would become of a well-formed command, changing nothing but
// the scratch that book then uses.
func (st *state) judge(c *candidate) (Code, []byte) {
	cmd := c.cmd
	st.ordinal++
	st.touched = st.touched[:0]
	for i := range cmd.Once {
		if first := st.onces.find(c.keys[1+i]); first != nil {
			if st.tookOnce(c.keys[1+i]) {
				return Malformed, nil // nobody has the key: its chain names it twice
			}
			return Exists, bytes.Clone(*first)
		}
	}
	if code := st.judgePlace(cmd); code != OK {
		return code, nil
	}
	if code := st.judgeHandover(cmd); code != OK {
		return code, nil
	}
	if code := st.judgeOpens(c); code != OK {
		return code, nil
	}
	if code := st.judgeHold(cmd); code != OK {
		return code, nil
	}
	for i := range cmd.Put {
		if st.records[c.puts[i]].version() != cmd.Put[i].Expect {
			return VersionConflict, nil
		}
	}
	if code := st.judgeReversal(c); code != OK {
		return code, nil
	}
	if cmd.Kind == Hold {
		return st.judgeReserve(c), nil
	}
	if code := st.judgeLegs(c); code != OK {
		return code, nil
	}
	return st.judgeTerms(c), nil
}

// judgePlace checks that this shard keeps what the command touches, and that its
// business date is open.
func (st *state) judgePlace(c *Command) Code {
	switch {
	case !st.parts.holds(c), st.parts != st.found && !st.found.holds(c):
		return PartMoved // also if it came with this batch: what it touches was looked up before
	case st.days == Days{}:
		return OK
	case c.Date < st.days.From:
		return PastDate
	case c.Date > st.days.To:
		return FutureDate
	}
	return OK
}

// judgeOpens compares with what is open, and with the opens before it.
func (st *state) judgeOpens(c *candidate) Code {
	opens := c.cmd.Open
	for i := range opens {
		w := &st.accounts[c.openRef(i)]
		want := st.termsOf(&opens[i])
		switch have, ok := st.terms(w, opens[:i]); {
		case !ok:
		case have != want:
			return AccountDiffers
		case w.Closed:
			return AccountClosed
		}
	}
	return OK
}

// terms finds those of an account that is open, or that the command is about to
// open.
func (st *state) terms(w *working, opens []Account) (terms, bool) {
	if w.open {
		return w.terms, true
	}
	for i := range opens {
		if opens[i].ID == w.id {
			return st.termsOf(&opens[i]), true
		}
	}
	return terms{}, false
}

// judgeHold checks a capture, release or expiry against its hold.
func (st *state) judgeHold(c *Command) Code {
	if !c.usesHold() {
		return OK
	}
	h := st.holds[c.Hold]
	if h == nil || !h.there {
		return HoldUnknown
	}
	expired := h.row.Expires != 0 && c.At >= h.row.Expires
	switch c.Kind {
	case Capture:
		if expired {
			return HoldExpired
		}
		used, ok := captured(c.Legs, h.row.Leg)
		switch {
		case !ok:
			return Overflow
		case used == 0:
			return Malformed // a capture that leaves its hold alone is a transfer
		case used > h.row.Leg.Amount.Minor():
			return HoldExceeded
		}
	case Expire:
		if !expired {
			return HoldActive
		}
	}
	return OK
}

// captured sums the legs on the held account and side.
func captured(legs []Leg, held Leg) (sum money.Minor, ok bool) {
	for i := range legs {
		if legs[i].Account != held.Account || legs[i].Side != held.Side {
			continue
		}
		if sum, ok = addMinor(sum, legs[i].Amount.Minor()); !ok {
			return 0, false
		}
	}
	return sum, true
}

// judgeReversal checks that a reversal turns the legs of a booked entry around,
// for the first time.
func (st *state) judgeReversal(c *candidate) Code {
	if c.cmd.Reverses == (ID{}) {
		return OK
	}
	first := st.answered.find(st.hash.id(c.cmd.Reverses))
	if first == nil || st.onces.find(c.keys[1+len(c.cmd.Once)]) != nil {
		return NotReversible
	}
	cmd := first.c.cmd
	kind := cmd.Kind == Transfer || cmd.Kind == Capture
	if first.result.Code != OK || !kind || cmd.Reverses != (ID{}) || !mirrored(cmd.Legs, c.cmd.Legs) {
		return NotReversible
	}
	return OK
}

// mirrored reports whether b is a with every leg on the other side.
func mirrored(a, b []Leg) bool {
	if len(a) != len(b) {
		return false
	}
	for i := range a {
		if b[i] != a[i].reverse() {
			return false
		}
	}
	return true
}

// reverse puts a leg on the other side.
func (l Leg) reverse() Leg { l.Side = Debit + Credit - l.Side; return l }

// judgeReserve checks that what a hold asks for is there. A leg on the normal
// side takes nothing away, so there is nothing to reserve.
func (st *state) judgeReserve(c *candidate) Code {
	leg := &c.cmd.Legs[0]
	w := &st.accounts[c.legRef(0)]
	t, ok := st.terms(w, c.cmd.Open)
	switch {
	case !ok:
		return UnknownAccount
	case w.Closed:
		return AccountClosed
	case t.currency != leg.Amount.Currency():
		return CurrencyMismatch
	case t.normal == leg.Side:
		return Malformed
	case len(c.cmd.Limit)+len(c.cmd.Close) > 0:
		return Malformed // a hold reserves, and no more
	}
	held, ok := addMinor(w.Held, leg.Amount.Minor())
	if !ok {
		return Overflow
	}
	if t.never && !covers(st.lineOf(w, c), w.Balance, held) {
		return Insufficient
	}
	return OK
}

// covers reports whether the balance and the credit line carry what is held.
func covers(line, balance, held money.Minor) bool {
	free, ok := addMinor(balance, -held)
	return ok && free >= -line
}

// lineOf is the credit line of an account as the command would have it.
func (st *state) lineOf(w *working, c *candidate) money.Minor {
	line := w.Line
	if !w.open {
		for i := range c.cmd.Open {
			if c.cmd.Open[i].ID == w.id {
				line = c.cmd.Open[i].Line
				break
			}
		}
	}
	for i := range c.cmd.Limit {
		if c.cmd.Limit[i].Account == w.id {
			line = c.cmd.Limit[i].Line
		}
	}
	return line
}

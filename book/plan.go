package book

import (
	"bytes"
	"math"
	"slices"

	"jiaozi/value/money"
)

// outNumber derives the number of an outgoing message from where it stands in
// the journal: unique for ever, ascending, and no counter to keep.
func outNumber(seq uint64, index, k int) uint64 {
	return (seq*MaxBatch+uint64(index))*MaxOut + uint64(k)
}

// maxSeq keeps outNumber inside a signed 64-bit integer.
const maxSeq = math.MaxInt64/(MaxBatch*MaxOut) - 1

// candidate is a command on its way into a batch.
type candidate struct {
	cmd  *Command
	form Code   // what form said
	raw  []byte // canonical bytes
}

// plan decides a batch: pure, one command after the other, each seeing what the
// ones before it did. It changes st and returns one result per candidate.
func plan(st *state, batch []candidate) []Result {
	results := make([]Result, len(batch))
	for i := range batch {
		results[i] = st.decide(&batch[i])
	}
	return results
}

// decide answers one command: the first answer again, a refusal, or a booking.
func (st *state) decide(c *candidate) Result {
	if first, ok := st.answered[c.cmd.ID]; ok {
		if !bytes.Equal(first.raw, c.raw) {
			return Result{Code: IDReused, Seq: first.result.Seq}
		}
		again := first.result
		again.Replayed = true
		again.Balances = slices.Clone(again.Balances) // two callers, two slices
		return again
	}
	if c.form != OK {
		return Result{Code: c.form}
	}
	code, prior := st.judge(c.cmd)
	if !code.Kept() {
		return Result{Code: code, Prior: bytes.Clone(prior)}
	}
	result := Result{Code: code, Seq: st.seq}
	if code == OK {
		st.book(c.cmd)
		result.Balances = st.balances(c.cmd.Legs)
	}
	st.keep(c, result)
	return result
}

// judge says what would become of a well-formed command, changing nothing but
// st.nets, the scratch that book then uses.
func (st *state) judge(c *Command) (Code, []byte) {
	for i := range c.Once {
		if first, taken := st.onces[c.Once[i].key()]; taken {
			return Exists, first
		}
	}
	if code := st.judgeOpens(c.Open); code != OK {
		return code, nil
	}
	if code := st.judgeHold(c); code != OK {
		return code, nil
	}
	for i := range c.Put {
		if st.records[c.Put[i].key()].version() != c.Put[i].Expect {
			return VersionConflict, nil
		}
	}
	if c.Kind == Hold {
		return st.judgeReserve(c), nil
	}
	return st.judgeLegs(c), nil
}

// judgeOpens compares with what is open, and with the opens before it.
func (st *state) judgeOpens(opens []Account) Code {
	for i := range opens {
		if have, ok := st.spec(opens[i].ID, opens[:i]); ok && have != opens[i] {
			return AccountDiffers
		}
	}
	return OK
}

// spec finds an account that is open, or that the command is about to open.
func (st *state) spec(id AccountID, opens []Account) (Account, bool) {
	if have, ok := st.accounts[id]; ok {
		return have.Account, true
	}
	for i := range opens {
		if opens[i].ID == id {
			return opens[i], true
		}
	}
	return Account{}, false
}

// judgeHold checks a capture, release or expiry against its hold.
func (st *state) judgeHold(c *Command) Code {
	if c.Kind == Transfer || c.Kind == Hold {
		return OK
	}
	h, ok := st.holds[c.Hold]
	if !ok {
		return HoldUnknown
	}
	expired := h.Expires != 0 && c.At >= h.Expires
	switch c.Kind {
	case Capture:
		if expired {
			return HoldExpired
		}
		used, ok := captured(c.Legs, h.Leg)
		if !ok {
			return Overflow
		}
		if used == 0 {
			return Malformed // a capture that leaves its hold alone is a transfer
		}
		if used > h.Leg.Amount.Minor() {
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

// judgeReserve checks that what a hold asks for is there. A leg on the normal
// side takes nothing away, so there is nothing to reserve.
func (st *state) judgeReserve(c *Command) Code {
	leg := c.Legs[0]
	a, ok := st.spec(leg.Account, c.Open)
	switch {
	case !ok:
		return UnknownAccount
	case a.Currency != leg.Amount.Currency():
		return CurrencyMismatch
	case a.Normal == leg.Side:
		return Malformed
	}
	have := st.accounts[leg.Account]
	if have == nil {
		have = &AccountRow{}
	}
	held, ok := addMinor(have.Held, leg.Amount.Minor())
	if !ok {
		return Overflow
	}
	if a.NeverNegative && held > have.Balance {
		return Insufficient
	}
	return OK
}

// net is what a command does to one account.
type net struct {
	id      AccountID
	change  money.Minor // signed on the normal side
	release money.Minor // of what is held
}

// judgeLegs checks accounts, currencies, ranges and funds, and leaves the net
// changes in st.nets.
func (st *state) judgeLegs(c *Command) Code {
	st.nets = st.nets[:0]
	for i := range c.Legs {
		if code := st.addNet(&c.Legs[i], c.Open); code != OK {
			return code
		}
	}
	st.netRelease(c)
	for i := range st.nets {
		if code := st.judgeNet(&st.nets[i], c.Open); code != OK {
			return code
		}
	}
	return OK
}

func (st *state) addNet(leg *Leg, opens []Account) Code {
	a, ok := st.spec(leg.Account, opens)
	if !ok {
		return UnknownAccount
	}
	if a.Currency != leg.Amount.Currency() {
		return CurrencyMismatch
	}
	m := leg.Amount.Minor()
	if leg.Side != a.Normal {
		m = -m
	}
	n := st.netOf(leg.Account)
	n.change, ok = addMinor(n.change, m)
	if !ok {
		return Overflow
	}
	return OK
}

func (st *state) netOf(id AccountID) *net {
	for i := range st.nets {
		if st.nets[i].id == id {
			return &st.nets[i]
		}
	}
	st.nets = append(st.nets, net{id: id})
	return &st.nets[len(st.nets)-1]
}

// netRelease adds what the command gives back of its hold.
func (st *state) netRelease(c *Command) {
	if c.Kind == Transfer {
		return
	}
	h := st.holds[c.Hold]
	release := h.Leg.Amount.Minor()
	if c.Kind == Capture && !c.Final {
		release, _ = captured(c.Legs, h.Leg)
	}
	st.netOf(h.Leg.Account).release = release
}

func (st *state) judgeNet(n *net, opens []Account) Code {
	a, _ := st.spec(n.id, opens)
	var have AccountRow
	if row := st.accounts[n.id]; row != nil {
		have = *row
	}
	balance, ok := addMinor(have.Balance, n.change)
	if !ok {
		return Overflow
	}
	if a.NeverNegative && balance < have.Held-n.release {
		return Insufficient
	}
	return OK
}

// book does what judge allowed.
func (st *state) book(c *Command) {
	index := len(st.kept)
	for i := range c.Open {
		st.open(&c.Open[i])
	}
	switch c.Kind {
	case Hold:
		st.reserve(c)
	case Capture, Release, Expire:
		st.useHold(c)
		fallthrough
	default:
		for i := range st.nets {
			st.change(&st.nets[i])
		}
	}
	for i := range c.Once {
		st.take(&c.Once[i])
	}
	for i := range c.Put {
		st.put(&c.Put[i])
	}
	for k := range c.Out {
		st.outs = append(st.outs, Pending{Number: outNumber(st.seq, index, k), Out: c.Out[k]})
	}
	st.done = append(st.done, c.Done...)
}

func (st *state) balances(legs []Leg) []money.Amount {
	if len(legs) == 0 {
		return nil
	}
	out := make([]money.Amount, len(legs))
	for i := range legs {
		out[i] = money.New(legs[i].Amount.Currency(), st.accounts[legs[i].Account].Balance)
	}
	return out
}

package book

import "jiaozi/value/money"

// judgeLegs checks accounts, currencies, ranges and funds, and leaves what the
// command does to each account in the account.
func (st *state) judgeLegs(c *candidate) Code {
	for i := range c.cmd.Legs {
		if code := st.judgeLeg(c, i); code != OK {
			return code
		}
	}
	st.touchHeld(c.cmd)
	for _, ref := range st.touched {
		if code := st.judgeNet(ref, c); code != OK {
			return code
		}
	}
	return OK
}

func (st *state) judgeLeg(c *candidate, i int) Code {
	leg, ref := &c.cmd.Legs[i], c.legRef(i)
	t, ok := st.terms(&st.accounts[ref], c.cmd.Open)
	if !ok {
		return UnknownAccount
	}
	if st.accounts[ref].Closed {
		return AccountClosed
	}
	if t.currency != leg.Amount.Currency() {
		return CurrencyMismatch
	}
	m := leg.Amount.Minor()
	if leg.Side != t.normal {
		m = -m
	}
	w := st.touch(ref)
	if w.change, ok = addMinor(w.change, m); !ok {
		return Overflow
	}
	return OK
}

// touch begins what the command does to an account.
func (st *state) touch(ref int32) *working {
	w := &st.accounts[ref]
	if w.mark != st.ordinal {
		w.mark, w.change, w.release = st.ordinal, 0, 0
		st.touched = append(st.touched, ref)
	}
	return w
}

// touchHeld adds what the command gives back of its hold.
func (st *state) touchHeld(c *Command) {
	if !c.usesHold() {
		return
	}
	h := st.holds[c.Hold]
	release := h.row.Leg.Amount.Minor()
	if c.Kind == Capture && !c.Final {
		release, _ = captured(c.Legs, h.row.Leg)
	}
	st.touch(h.account).release = release
}

func (st *state) judgeNet(ref int32, c *candidate) Code {
	w := &st.accounts[ref]
	balance, ok := addMinor(w.Balance, w.change)
	if !ok {
		return Overflow
	}
	t, _ := st.terms(w, c.cmd.Open)
	if t.never && !covers(st.lineOf(w, c), balance, w.Held-w.release) {
		return Insufficient
	}
	return OK
}

// after is what an account would hold after the legs.
func (st *state) after(ref int32) (balance, held money.Minor) {
	w := &st.accounts[ref]
	balance, held = w.Balance, w.Held
	if w.mark == st.ordinal {
		balance, held = balance+w.change, held-w.release
	}
	return balance, held
}

// judgeTerms checks new limits and closures against what the legs leave.
func (st *state) judgeTerms(c *candidate) Code {
	for i := range c.cmd.Limit {
		if code := st.judgeLimit(c, c.limitRef(i), c.cmd.Limit[i].Line); code != OK {
			return code
		}
	}
	for i := range c.cmd.Close {
		ref := c.closeRef(i)
		w := &st.accounts[ref]
		if _, ok := st.terms(w, c.cmd.Open); !ok {
			return UnknownAccount
		}
		if w.Closed {
			return AccountClosed
		}
		if balance, held := st.after(ref); balance != 0 || held != 0 {
			return AccountInUse
		}
	}
	return OK
}

func (st *state) judgeLimit(c *candidate, ref int32, line money.Minor) Code {
	w := &st.accounts[ref]
	t, ok := st.terms(w, c.cmd.Open)
	switch {
	case !ok:
		return UnknownAccount
	case w.Closed:
		return AccountClosed
	case !t.never:
		return Malformed // an account without a floor has no line
	}
	if balance, held := st.after(ref); !covers(line, balance, held) {
		return AccountInUse
	}
	return OK
}

package book

import "slices"

// A chain is a run of linked commands: booked whole or refused whole. Its
// commands are booked one after the other, and taken back if one is refused.

// undo remembers what a chain changed, oldest first.
type undo struct {
	onces    int // taken when it began
	accounts []savedAccount
	records  []savedRecord
	holds    []savedHold
}

type savedAccount struct {
	ref int32
	was working
}

type savedRecord struct {
	ref int32
	was workingRecord
}

type savedHold struct {
	id    ID
	was   workingHold
	found bool
}

// tookOnce reports whether the chain that is being booked took a once-key.
func (st *state) tookOnce(key keyHash) bool {
	return st.undo != nil && slices.ContainsFunc(st.onces.list[st.undo.onces:], func(o hashedValue[[]byte]) bool { return o.key == key })
}

func (u *undo) saveHold(id ID, h *workingHold) {
	s := savedHold{id: id, found: h != nil}
	if h != nil {
		s.was = *h
	}
	u.holds = append(u.holds, s)
}

// decideChain answers the commands of one chain.
func (st *state) decideChain(chain []candidate, results []Result) {
	if st.replayChain(chain, results) {
		return
	}
	if failed, code := st.misfit(chain); code != OK {
		st.refuseChain(chain, results, failed, code, nil)
		return
	}
	mark := st.mark()
	st.undo = &undo{onces: len(st.onces.list)}
	failed, code, prior := -1, OK, []byte(nil)
	for i := range chain {
		if code, prior = st.judge(&chain[i]); code != OK {
			failed = i
			break
		}
		st.book(&chain[i])
		results[i] = Result{Code: OK, Seq: st.seq, Balances: st.balancesOf(&chain[i])}
		st.keep(&chain[i], &results[i])
	}
	if failed >= 0 {
		st.rollBack(mark)
		st.refuseChain(chain, results, failed, code, prior)
	}
	st.undo = nil
}

// misfit finds a command that no answer could be kept for: it breaks a rule of
// form, or its id has an answer. A refusal is kept for all of a chain or for none,
// so these are looked for before anything is judged.
func (st *state) misfit(chain []candidate) (failed int, code Code) {
	seen := make(map[ID]struct{}, len(chain))
	for i := range chain {
		c := &chain[i]
		answered := st.answered.find(c.keys[0]) != nil
		_, twice := seen[c.cmd.ID]
		switch {
		case answered, twice:
			return i, IDReused
		case c.form != OK:
			return i, c.form
		}
		seen[c.cmd.ID] = struct{}{}
	}
	return 0, OK
}

// replayChain gives the first answers again if the chain was answered before.
func (st *state) replayChain(chain []candidate, results []Result) bool {
	for i := range chain {
		first := st.answered.find(chain[i].keys[0])
		if first == nil {
			return false
		}
		results[i] = first.again(chain[i].raw)
	}
	return true
}

// refuseChain answers a chain that is not booked. If the refusal is one that a
// retry must meet again, all of the chain is kept.
func (st *state) refuseChain(chain []candidate, results []Result, failed int, code Code, prior []byte) {
	for i := range chain {
		switch {
		case !code.Kept() && i == failed:
			results[i] = Result{Code: code, Prior: prior}
		case !code.Kept():
			results[i] = Result{Code: LinkBroken}
		case i == failed:
			results[i] = Result{Code: code, Seq: st.seq}
		default:
			results[i] = Result{Code: LinkRefused, Seq: st.seq}
		}
	}
	if !code.Kept() {
		return
	}
	for i := range chain {
		st.keep(&chain[i], &results[i])
	}
}

// mark is how far the lists had grown when a chain began.
type mark struct {
	kept, answered, outs, done, balances, turns int
	days                                        Days
}

func (st *state) mark() mark {
	return mark{len(st.kept), len(st.answered.list), len(st.outs), len(st.done), len(st.balances), len(st.turns), st.days}
}

func (st *state) rollBack(m mark) {
	u := st.undo
	for i := len(u.accounts) - 1; i >= 0; i-- {
		st.accounts[u.accounts[i].ref] = u.accounts[i].was
	}
	for i := len(u.records) - 1; i >= 0; i-- {
		st.records[u.records[i].ref] = u.records[i].was
	}
	for i := len(u.holds) - 1; i >= 0; i-- {
		s := &u.holds[i]
		if s.found {
			*st.holds[s.id] = s.was
		} else {
			delete(st.holds, s.id)
		}
	}
	st.onces.cut(u.onces)
	st.answered.cut(m.answered)
	st.kept = st.kept[:m.kept]
	st.outs, st.done, st.balances = st.outs[:m.outs], st.done[:m.done], st.balances[:m.balances]
	st.turns, st.days = st.turns[:m.turns], m.days
	st.undo = nil
}

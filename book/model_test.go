package book_test

import (
	"maps"
	"slices"

	"jiaozi/book"
	"jiaozi/value/clock"
)

// model is the book as one would write it on a blackboard: one command at a
// time, nothing clever, big maps. It shares no code with plan or with Verify.
type model struct {
	balance  map[int]int64 // accounts 1..5; 1 and 2 may stand on either side
	line     map[int]int64
	open     map[int]bool
	closed   map[int]bool
	holds    map[string]modelHold
	once     map[string]string
	record   map[string]int
	deleted  map[string]bool
	reversed map[string]bool
	from, to clock.Date
	answers  map[string]modelAnswer
}

type modelHold struct {
	account      int
	left, expiry int64
}

type modelAnswer struct {
	step step
	code book.Code
}

func newModel() *model {
	return &model{
		balance: map[int]int64{}, line: map[int]int64{}, open: map[int]bool{}, closed: map[int]bool{}, holds: map[string]modelHold{},
		once: map[string]string{}, record: map[string]int{}, deleted: map[string]bool{}, reversed: map[string]bool{},
		answers: map[string]modelAnswer{},
	}
}

func (m *model) clone() *model {
	return &model{
		balance: maps.Clone(m.balance), line: maps.Clone(m.line), open: maps.Clone(m.open), closed: maps.Clone(m.closed),
		holds: maps.Clone(m.holds), once: maps.Clone(m.once), record: maps.Clone(m.record), deleted: maps.Clone(m.deleted),
		reversed: maps.Clone(m.reversed), from: m.from, to: m.to, answers: maps.Clone(m.answers),
	}
}

func (m *model) held(account int) (sum int64) {
	for _, h := range m.holds {
		if h.account == account {
			sum += h.left
		}
	}
	return sum
}

// call answers the steps of one call.
func (m *model) call(steps []step) (codes []book.Code) {
	for len(steps) > 0 {
		n := 1 + slices.IndexFunc(steps, func(s step) bool { return !s.Linked })
		if n == 0 {
			n = len(steps)
			endless := slices.Clone(steps)
			endless[n-1].Bad = endless[n-1].Bad || !m.answered(steps[n-1:])
			codes = append(codes, m.chain(steps, endless)...)
			return codes
		}
		codes = append(codes, m.chain(steps[:n], steps[:n])...)
		steps = steps[n:]
	}
	return codes
}

// chain answers a chain, or one command. Asked is what was sent, and judged the
// same with Bad set where a rule of form is broken.
func (m *model) chain(asked, judged []step) (codes []book.Code) {
	if m.answered(asked) {
		for _, s := range asked {
			a := m.answers[s.ID]
			if a.step != s {
				a.code = book.IDReused
			}
			codes = append(codes, a.code)
		}
		return codes
	}
	before := m.clone()
	failed, code := m.misfit(judged)
	for i := 0; code == book.OK && i < len(judged); i++ {
		if code = m.decide(judged[i]); code == book.OK {
			m.answers[asked[i].ID] = modelAnswer{asked[i], book.OK}
		}
		if _, taken := before.once[asked[i].Once]; code == book.Exists && !taken {
			code = book.Malformed // the chain names a key twice
		}
		failed = i
	}
	others := book.OK
	if code != book.OK {
		*m = *before
		others = book.LinkBroken
		if code.Kept() {
			others = book.LinkRefused
		}
	}
	for i, s := range asked {
		codes = append(codes, others)
		if i == failed {
			codes[i] = code
		}
		if code.Kept() {
			m.answers[s.ID] = modelAnswer{s, codes[i]}
		}
	}
	return codes
}

// answered reports whether all of the ids have an answer.
func (m *model) answered(steps []step) bool {
	return !slices.ContainsFunc(steps, func(s step) bool { _, ok := m.answers[s.ID]; return !ok })
}

func (m *model) misfit(steps []step) (int, book.Code) {
	seen := map[string]bool{}
	for i, s := range steps {
		if _, ok := m.answers[s.ID]; ok || seen[s.ID] {
			return i, book.IDReused
		}
		if s.Bad {
			return i, book.Malformed
		}
		seen[s.ID] = true
	}
	return 0, book.OK
}

func (m *model) version(record string) int {
	if m.deleted[record] {
		return 0
	}
	return m.record[record]
}

// decide books one step, or says why not. What it changes before it refuses is
// taken back by its caller.
func (m *model) decide(s step) book.Code {
	if _, taken := m.once[s.Once]; s.Once != "" && taken {
		return book.Exists
	}
	switch {
	case m.from != 0 && s.date() < m.from:
		return book.PastDate
	case m.to != 0 && s.date() > m.to:
		return book.FutureDate
	}
	for _, a := range s.opens() {
		if m.closed[a] {
			return book.AccountClosed
		}
		if !m.open[a] {
			m.open[a], m.line[a] = true, int64(testAccount(a).Line)
		}
	}
	for _, rule := range []func(step) book.Code{m.hold, m.put, m.reversal, m.money, m.terms} {
		if code := rule(s); code != book.OK {
			return code
		}
	}
	if s.Once != "" {
		m.once[s.Once] = s.ID
	}
	if s.DaysTo != 0 {
		m.from, m.to = firstDay+clock.Date(s.DaysFrom), firstDay+clock.Date(s.DaysTo)
	}
	return book.OK
}

// hold looks at the hold that a step is about.
func (m *model) hold(s step) book.Code {
	if s.Kind < book.Capture {
		return book.OK
	}
	h, ok := m.holds[s.Hold]
	switch {
	case !ok:
		return book.HoldUnknown
	case s.Kind == book.Capture && h.expiry != 0 && s.At >= h.expiry:
		return book.HoldExpired
	case s.Kind == book.Capture && s.From != h.account:
		return book.Malformed
	case s.Kind == book.Capture && s.Amount > h.left:
		return book.HoldExceeded
	case s.Kind == book.Expire && (h.expiry == 0 || s.At < h.expiry):
		return book.HoldActive
	}
	return book.OK
}

func (m *model) put(s step) book.Code {
	if s.Record == "" {
		return book.OK
	}
	if m.version(s.Record) != s.Expect {
		return book.VersionConflict
	}
	m.record[s.Record]++
	m.deleted[s.Record] = s.Delete
	return book.OK
}

func (m *model) reversal(s step) book.Code {
	if s.Reverses == "" {
		return book.OK
	}
	of := m.answers[s.Reverses]
	moved := of.step.Kind == book.Transfer || of.step.Kind == book.Capture
	same := of.step.From == s.From && of.step.To == s.To && of.step.Amount == s.Amount
	if of.code != book.OK || !moved || of.step.Reverses != "" || !same || m.reversed[s.Reverses] {
		return book.NotReversible
	}
	m.reversed[s.Reverses] = true
	return book.OK
}

// money moves or reserves, and says whether there was enough.
func (m *model) money(s step) book.Code {
	touched := []int{}
	if s.Limit > 0 && m.open[s.LimitOf] {
		m.line[s.LimitOf] = s.Limit - 1
	}
	switch s.Kind {
	case book.Hold:
		if s.LimitOf+s.Close > 0 {
			return book.Malformed
		}
		m.holds[s.ID] = modelHold{s.From, s.Amount, s.At}
		touched = append(touched, s.From)
	case book.Capture:
		touched = append(touched, m.use(s, s.Amount)...)
	case book.Release, book.Expire:
		touched = append(touched, m.use(s, m.holds[s.Hold].left)...)
	}
	if s.Kind <= book.Capture && s.Kind != book.Hold {
		amount := s.Amount
		if s.Reverses != "" {
			if m.closed[s.From] || m.closed[s.To] {
				return book.AccountClosed
			}
			amount = -amount
		}
		m.balance[s.From] -= amount
		m.balance[s.To] += amount
		touched = append(touched, s.From, s.To)
	}
	if slices.ContainsFunc(touched, func(a int) bool { return !m.covers(a) }) {
		return book.Insufficient
	}
	return book.OK
}

// use takes some of a hold away, and says of which account it was.
func (m *model) use(s step, amount int64) []int {
	h := m.holds[s.Hold]
	h.left -= amount
	m.holds[s.Hold] = h
	if h.left == 0 || s.Final {
		delete(m.holds, s.Hold)
	}
	return []int{h.account}
}

func (m *model) covers(account int) bool {
	return !testAccount(account).NeverNegative || m.balance[account]-m.held(account) >= -m.line[account]
}

// terms looks at a limit and a closure when the money has moved.
func (m *model) terms(s step) book.Code {
	if s.Limit > 0 {
		switch a := s.LimitOf; {
		case !m.open[a]:
			return book.UnknownAccount
		case m.closed[a]:
			return book.AccountClosed
		case !testAccount(a).NeverNegative:
			return book.Malformed
		case !m.covers(a):
			return book.AccountInUse
		}
	}
	if s.Close > 0 {
		switch a := s.Close; {
		case !m.open[a]:
			return book.UnknownAccount
		case m.closed[a]:
			return book.AccountClosed
		case m.balance[a] != 0 || m.held(a) != 0:
			return book.AccountInUse
		}
		m.closed[s.Close] = true
	}
	return book.OK
}

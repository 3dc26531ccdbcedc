package issuer

import (
	"slices"

	"jiaozi/value/money"
)

// Evidence is what one verified transaction tells about a card's balance.
type Evidence struct {
	ATC     uint16
	Balance money.Minor // what the card's MAC proves, if Proved
	Delta   money.Minor // what the transaction did to the balance, if Settled
	Proved  bool
	// Before: the balance is from before the delta, as in an online request; a
	// payment proves the balance after it.
	Before  bool
	Settled bool // the delta is known
	// Scripts counts the script commands that the card carried out in its last
	// online transaction; -1 if the cryptogram does not cover the count.
	Scripts int8
}

// History is evidence in the order of the card's counter.
type History []Evidence

const (
	// keptAtRest is how much evidence stays when no question is open: enough to
	// anchor a flagged payment that arrives after its neighbours.
	keptAtRest = 8
	// maxHistory bounds the evidence while a question is open. What decides a
	// question lies close to it, so newer evidence is dropped first.
	maxHistory = 64
)

// put records e; evidence on the same counter is replaced.
func (h History) put(e Evidence) History {
	i, found := slices.BinarySearchFunc(h, e.ATC, func(e Evidence, atc uint16) int { return int(e.ATC) - int(atc) })
	if found {
		h[i] = e
		return h
	}
	return slices.Insert(h, i, e)
}

// settle notes what the transaction at atc did, once that is known.
func (h History) settle(atc uint16, delta money.Minor) History {
	for i := range h {
		if h[i].ATC == atc {
			h[i].Delta, h[i].Settled = delta, true
			return h
		}
	}
	return h.put(Evidence{ATC: atc, Delta: delta, Settled: true, Scripts: -1})
}

// trim drops what can no longer answer anything: everything before the oldest
// open anchor, or all but the newest entries when nothing is open.
func (h History) trim(open bool, oldest uint16) History {
	if !open {
		return h[max(0, len(h)-keptAtRest):]
	}
	first := slices.IndexFunc(h, func(e Evidence) bool { return e.ATC >= oldest })
	if first > 0 {
		h = h[first:]
	}
	return h[:min(len(h), maxHistory)]
}

// last is the newest proved balance.
func (h History) last() (Evidence, bool) { return h.provedBefore(1 << 16) }

// provedBefore is the newest proved balance at a counter below atc.
func (h History) provedBefore(atc int) (Evidence, bool) {
	for i := len(h) - 1; i >= 0; i-- {
		if h[i].Proved && int(h[i].ATC) < atc {
			return h[i], true
		}
	}
	return Evidence{}, false
}

// after is the balance that the card holds once the transaction is over, if
// that is known.
func (e Evidence) after() (money.Minor, bool) {
	if !e.Before {
		return e.Balance, e.Proved
	}
	return e.Balance + e.Delta, e.Proved && e.Settled
}

// question asks whether one transaction changed the card's balance: at counter
// After the balance was Before; the transaction at counter Own would have
// changed it by Delta.
type question struct {
	After, Own uint16
	Before     money.Minor
	Delta      money.Minor
	// Until ends the evidence: beyond an undecided load nothing is comparable.
	Until uint16
	// Scripted: the change is a script, so the card's own count of carried-out
	// scripts answers what arithmetic cannot. The count begins anew when a card
	// authenticates an issuer's answer: none is none, but some may be those of an
	// earlier order, unless this order's script is known to have been Sent.
	Scripted, Sent bool
}

type answer uint8

const (
	wait answer = iota
	applied
	notApplied
)

// judge answers from arithmetic first. With K the known changes in between and
// U >= 0 the payments that nobody uploaded yet, the card's balance is
// Before + K - U, plus Delta if the change happened. A balance above the lower of
// the two sums therefore proves the higher; the lower one is proved only when no
// counter is missing (U = 0) and the balance is that very sum: a counter that was
// only guessed may have been used by another payment.
func (h History) judge(q question) answer {
	known, settled := money.Minor(0), 0
	for _, e := range h {
		if e.ATC <= q.After || e.ATC == q.Own {
			continue
		}
		if e.ATC > q.Until {
			break
		}
		if e.Proved && e.ATC > q.Own {
			sum := q.Before + known
			if !e.Before {
				sum += e.Delta
			}
			if a := q.weigh(e, sum, settled); a != wait {
				return a
			}
		}
		if e.Settled {
			known += e.Delta
			settled++
		}
	}
	return wait
}

// weigh compares one proved balance with what it would be without the change.
func (q question) weigh(e Evidence, without money.Minor, settled int) answer {
	high, low := applied, notApplied
	if q.Delta < 0 {
		high, low = notApplied, applied
	}
	if e.Balance > without+min(q.Delta, 0) {
		return high
	}
	between := int(e.ATC) - int(q.After) - 1
	if q.Own > q.After && q.Own < e.ATC {
		between--
	}
	switch {
	case between == settled && e.Balance == without+min(q.Delta, 0):
		return low
	case q.Scripted && e.Scripts == 0:
		return notApplied
	case q.Scripted && q.Sent && e.Scripts > 0:
		return applied
	}
	return wait
}

package issuer

import (
	"testing"

	"pgregory.net/rapid"

	"jiaozi/value/money"
)

// life is the truth about a card's counters, of which the issuer sees a part.
type life struct {
	after    uint16 // the anchor
	before   money.Minor
	own      uint16
	delta    money.Minor
	applied  bool
	evidence []Evidence // all of it
}

// lived draws a card's life around one open question: payments before and after
// the transaction asked about, some of which come to nothing.
func lived(r *rapid.T) life {
	l := life{after: rapid.Uint16Range(1, 50).Draw(r, "anchor"), before: money.Minor(rapid.Int64Range(3000, 9000).Draw(r, "before"))}
	l.applied = rapid.Bool().Draw(r, "applied")
	balance, atc := l.before, l.after
	pay := func(n int) {
		for range n {
			atc++
			if rapid.IntRange(0, 4).Draw(r, "online") == 0 { // a load that was declined (0) or done
				sum := money.Minor(rapid.Int64Range(0, 500).Draw(r, "loaded"))
				l.evidence = append(l.evidence, Evidence{ATC: atc, Balance: balance, Delta: sum, Proved: true, Before: true, Settled: true, Scripts: -1})
				balance += sum
				continue
			}
			sum := money.Minor(rapid.Int64Range(0, int64(min(balance, 700))).Draw(r, "sum"))
			balance -= sum
			l.evidence = append(l.evidence, Evidence{ATC: atc, Balance: balance, Delta: -sum, Proved: true, Settled: true, Scripts: -1})
		}
	}
	if rapid.Bool().Draw(r, "load") {
		l.own, l.delta = l.after, money.Minor(rapid.Int64Range(1, 5000).Draw(r, "load"))
	} else {
		pay(rapid.IntRange(0, 3).Draw(r, "earlier"))
		atc++
		l.own, l.delta = atc, -money.Minor(rapid.Int64Range(1, int64(balance)).Draw(r, "torn"))
	}
	if l.applied {
		balance += l.delta
	}
	pay(rapid.IntRange(1, 6).Draw(r, "later"))
	return l
}

// Goal: whatever part of a card's life the issuer has seen, it never decides
// wrongly; and when it has seen all of it, it always decides.
func TestEvidenceNeverMisleads(t *testing.T) {
	rapid.Check(t, func(r *rapid.T) {
		l := lived(r)
		var seen History
		all := true
		for _, e := range l.evidence {
			if e.Before { // online: the issuer was asked, so it knows
				seen = seen.put(e)
				continue
			}
			switch rapid.IntRange(0, 3).Draw(r, "seen") {
			case 0:
				all = false
				continue
			case 1:
				e.Proved = false // its balance was altered on the way
				all = false
			}
			seen = seen.put(e)
		}
		q := question{After: l.after, Own: l.own, Before: l.before, Delta: l.delta, Until: ^uint16(0)}
		want := notApplied
		if l.applied {
			want = applied
		}
		got := seen.judge(q)
		if got != wait && got != want {
			r.Fatalf("decided %d, the truth is %d", got, want)
		}
		if all && got == wait {
			r.Fatal("undecided although everything is known")
		}
	})
}

// Goal: evidence stays in the order of the counter, once per counter, and within
// its bounds, keeping what is closest to an open question.
func TestHistoryIsBounded(t *testing.T) {
	var h History
	for _, atc := range []uint16{9, 3, 7, 3, 200, 5} {
		h = h.put(Evidence{ATC: atc})
	}
	for n := 1; n < len(h); n++ {
		if h[n-1].ATC >= h[n].ATC {
			t.Fatalf("out of order: %+v", h)
		}
	}
	for atc := range uint16(300) {
		h = h.put(Evidence{ATC: atc + 1, Proved: true})
	}
	if open := h.trim(true, 100); len(open) != maxHistory || open[0].ATC != 100 {
		t.Errorf("open: %d entries from %d", len(open), open[0].ATC)
	}
	if rest := h.trim(false, 100); len(rest) != keptAtRest || rest[keptAtRest-1].ATC != 300 {
		t.Errorf("at rest: %d entries to %d", len(rest), rest[len(rest)-1].ATC)
	}
}

package auditor

import (
	"encoding/binary"

	"jiaozi/book"
	"jiaozi/book/chart"
	"jiaozi/crypt/brands"
	"jiaozi/value/money"
)

// moved is what an entry does to the mint's accounts.
type moved struct {
	epoch                   uint32
	key                     string // of the count
	currency                money.Currency
	coins                   money.Minor // out of what is outstanding; negative: into it
	issued, back, expired   money.Minor // added to the counts
	paid                    money.Minor // debited from other accounts than the mint's
	touched, mixed, strange bool
}

// legs adds an entry's legs up.
func (m *mintAudit) legs(c *book.Command) (out moved) {
	for _, leg := range c.Legs {
		a, amount := m.accounts[leg.Account], leg.Amount.Minor()
		if leg.Side == book.Credit {
			amount = -amount
		}
		if a.kind == "" {
			out.paid += max(amount, 0)
			continue
		}
		out.mixed = out.mixed || out.touched && (out.epoch != a.epoch || out.currency != leg.Amount.Currency())
		out.touched, out.epoch, out.currency = true, a.epoch, leg.Amount.Currency()
		if a.key != "" {
			out.mixed = out.mixed || out.key != "" && out.key != a.key
			out.key = a.key
		}
		switch {
		case a.kind == chart.KindCoins:
			out.coins += amount
		case a.what == "issued" && a.key != "":
			out.issued += amount
		case a.what == "deposited" && a.key != "":
			out.back += amount
		case a.what == "expired" && a.key == "":
			out.expired += amount
		default:
			out.strange = true
		}
	}
	return out
}

// entry counts an entry and asks whether it is one that a mint may make.
func (m *mintAudit) entry(where string, c *book.Command) {
	m.records(where, c)
	l := m.legs(c)
	spent, late := m.taken(c, "spent"), m.taken(c, "late")
	fits := !l.mixed && !l.strange
	switch c.Event {
	case chart.EventCoinIssue:
		fits = fits && l.issued == -l.coins && l.back == 0 && l.expired == 0 && len(m.taken(c, "answer")) == 1 && m.worth(&l, l.issued, false)
	case chart.EventCoinDeposit:
		fits = fits && l.isBack() && m.worth(&l, l.back, true) && paysOnce(spent, spentPaid, l.back)
	case chart.EventCoinClaim:
		fits = fits && l.isBack() && m.worth(&l, l.back, true) && (paysOnce(spent, spentClaimed, l.back) || len(spent) == 0 && m.putsNote(c))
	case chart.EventCoinClaimedSpent:
		fits = fits && !l.touched && paysOnce(append(late, spent...), spentPaid, l.paid)
	case chart.EventCoinExpire:
		fits = fits && l.expired == l.coins && l.issued == 0 && l.back == 0 && len(m.taken(c, "expired")) == 1
	default:
		fits = !l.touched
		if len(spent)+len(late) > 0 {
			m.find(CodeCoinSpent, where, "%s takes the spent key of a coin", c.Event)
		}
	}
	if !fits {
		m.find(CodeCoinEntry, where, "%s: %d out of coins, %d issued, %d back, %d expired, %d spent keys", c.Event, l.coins, l.issued, l.back, l.expired, len(spent)+len(late))
	}
	m.count(&l)
}

func (l *moved) isBack() bool {
	return l.coins > 0 && l.back == l.coins && l.issued == 0 && l.expired == 0
}

// worth reports whether a value is that of a coin of the key, or of a part of a note.
func (m *mintAudit) worth(l *moved, value money.Minor, part bool) bool {
	if !l.touched {
		return value == 0 // a blank
	}
	key := m.keys[l.key]
	if key == nil {
		return false
	}
	i := key.Info()
	whole := value == i.Value
	return i.Epoch == l.epoch && i.Currency == l.currency && (whole || part && i.Kind == brands.KindNote && value > 0 && value < i.Value)
}

// count adds an entry to its epoch and key, whether it fits or not: what does not
// fit is found a second time by the sums.
func (m *mintAudit) count(l *moved) {
	if !l.touched {
		return
	}
	e := m.epoch(l.epoch, l.currency)
	m.add(&e.Issued, money.New(l.currency, l.issued))
	m.add(&e.Deposited, money.New(l.currency, l.back))
	m.add(&e.Expired, money.New(l.currency, l.expired))
	if l.key != "" {
		t := m.tally(l.key, l.currency)
		m.add(&t.issued, money.New(l.currency, l.issued))
		m.add(&t.back, money.New(l.currency, l.back))
	}
}

// taken lists the once-keys of an entry in one of the mint's spaces.
func (m *mintAudit) taken(c *book.Command, space string) (out []book.Once) {
	for _, o := range c.Once {
		if o.Space == m.root+space {
			out = append(out, o)
		}
	}
	return out
}

func (m *mintAudit) putsNote(c *book.Command) bool {
	for _, p := range c.Put {
		if p.Space == m.root+"note" {
			return true
		}
	}
	return false
}

// Kinds of records in the spent space; see role/mint. The auditor reads them with
// eyes of its own.
const (
	spentPaid    = 1
	spentClaimed = 2
	spentFixed   = 3
)

const (
	coinKeyBytes = 32
	nodeKeyBytes = coinKeyBytes + 2
)

// paysOnce reports whether an entry takes exactly one spent key of a kind, and
// that this key's record says the value that was paid. Beside a node of a note it
// may fix the nodes above.
func paysOnce(list []book.Once, kind uint64, value money.Minor) bool {
	keys, node := 0, uint16(0)
	for _, o := range list {
		r := openRecord(o.Value)
		is, _, worth := r.uint(), r.bytes(), r.uint()
		switch {
		case r.bad || len(o.Key) != coinKeyBytes && len(o.Key) != nodeKeyBytes:
			return false
		case is == kind && worth == uint64(value):
			keys++
			if len(o.Key) == nodeKeyBytes {
				node = binary.BigEndian.Uint16(o.Key[coinKeyBytes:])
			}
		case is != spentFixed || len(o.Key) != nodeKeyBytes:
			return false
		}
	}
	return keys == 1 && fixesAbove(list, node)
}

// fixesAbove reports whether the other keys are of nodes above the one that is
// paid, and of the same note.
func fixesAbove(list []book.Once, node uint16) bool {
	for _, o := range list {
		if len(list) == 1 {
			break
		}
		if len(o.Key) != nodeKeyBytes || string(o.Key[:coinKeyBytes]) != string(list[0].Key[:coinKeyBytes]) {
			return false
		}
		above, at := binary.BigEndian.Uint16(o.Key[coinKeyBytes:]), node
		for at > above {
			at /= 2
		}
		if at != above {
			return false
		}
	}
	return true
}

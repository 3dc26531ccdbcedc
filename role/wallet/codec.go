package wallet

import (
	"encoding/binary"
	"fmt"
	"math"
	"slices"

	"jiaozi/crypt/brands"
	"jiaozi/crypt/phrase"
	"jiaozi/value/money"
	"jiaozi/wire/coin"
)

// stateMagic heads the state. A change of the layout needs another version.
const stateMagic = "JZW\x01"

// encode gives the bytes of the state, secrets in the clear: only a Store sees them.
func (s *state) encode() []byte {
	c := &codec{b: []byte(stateMagic)}
	s.fields(c)
	return c.b
}

// decodeState reads exactly one state; encode gives the same bytes back.
func decodeState(b []byte) (*state, error) {
	if len(b) < len(stateMagic) || string(b[:len(stateMagic)]) != stateMagic {
		return nil, fmt.Errorf("no wallet state of this version: %w", ErrState)
	}
	c := &codec{b: b[len(stateMagic):], reading: true}
	s := new(state)
	s.fields(c)
	if c.bad || len(c.b) != 0 {
		return nil, ErrState
	}
	return s, nil
}

// codec reads or writes, so that one layout cannot disagree with itself. After the
// first error nothing is read any more.
type codec struct {
	b       []byte
	reading bool
	bad     bool
}

func (c *codec) fixed(v []byte) {
	if !c.reading {
		c.b = append(c.b, v...)
		return
	}
	if c.bad = c.bad || len(c.b) < len(v); !c.bad {
		c.b = c.b[copy(v, c.b):]
	}
}

func (c *codec) u64(v *uint64) {
	var b [8]byte
	binary.BigEndian.PutUint64(b[:], *v)
	c.fixed(b[:])
	if c.reading && !c.bad {
		*v = binary.BigEndian.Uint64(b[:])
	}
}

func (c *codec) u32(v *uint32) {
	n := uint64(*v)
	c.u64(&n)
	c.bad = c.bad || n > math.MaxUint32
	*v = uint32(n)
}

func (c *codec) i64(v *int64) {
	n := uint64(*v)
	c.u64(&n)
	c.bad = c.bad || n > math.MaxInt64
	*v = int64(n)
}

func (c *codec) minor(v *money.Minor) { c.i64((*int64)(v)) }

func (c *codec) bool(v *bool) {
	b := []byte{0}
	if *v {
		b[0] = 1
	}
	c.fixed(b)
	c.bad = c.bad || b[0] > 1
	*v = b[0] == 1
}

func (c *codec) byte(v *byte) {
	b := []byte{*v}
	c.fixed(b)
	*v = b[0]
}

// count is the length of a list or text.
func (c *codec) count(n, most int) int {
	v := uint64(n)
	c.u64(&v)
	if c.bad = c.bad || v > uint64(most); c.bad {
		return 0
	}
	return int(v)
}

func (c *codec) bytes(v *[]byte) {
	n := c.count(len(*v), coin.MaxMessage)
	if !c.reading {
		c.b = append(c.b, *v...)
		return
	}
	if c.bad = c.bad || n > len(c.b); !c.bad {
		*v, c.b = slices.Clone(c.b[:n:n]), c.b[n:]
		if n == 0 {
			*v = nil
		}
	}
}

func (c *codec) text(v *string) {
	b := []byte(*v)
	c.bytes(&b)
	*v = string(b)
}

// list reads or writes items one by one; each takes a byte at least, so a false
// count runs dry before it costs memory.
func list[T any](c *codec, v *[]T, most int, item func(*T)) {
	n := c.count(len(*v), most)
	if !c.reading {
		for i := range *v {
			item(&(*v)[i])
		}
		return
	}
	for i := 0; i < n && !c.bad; i++ {
		var x T
		item(&x)
		*v = append(*v, x)
	}
}

// object is a value of package brands, in the bytes that it makes of itself.
func object[T any](c *codec, v **T, write func(*T) []byte, read func([]byte) (*T, error)) {
	var b []byte
	if !c.reading {
		b = write(*v)
	}
	c.bytes(&b)
	if c.reading && !c.bad {
		var err error
		*v, err = read(b)
		c.bad = err != nil
	}
}

func (c *codec) own(v **brands.Own) {
	object(c, v, func(o *brands.Own) []byte { return o.Append(nil) }, brands.ParseOwn)
}

func (c *codec) money(v **brands.Money) {
	object(c, v, func(m *brands.Money) []byte { return m.Append(nil) }, brands.ParseMoney)
}

func (c *codec) payment(v **brands.Payment) {
	object(c, v, func(p *brands.Payment) []byte { return p.Append(nil) }, brands.ParsePayment)
}

func (c *codec) terms(t *coin.Terms) {
	c.fixed(t.Network[:])
	c.text(&t.Payee)
	currency, minor := uint32(t.Amount.Currency()), t.Amount.Minor()
	c.u32(&currency)
	c.minor(&minor)
	c.bad = c.bad || currency > math.MaxUint16
	t.Amount = money.New(money.Currency(currency), minor)
	c.i64(&t.Time)
	c.fixed(t.Nonce[:])
	c.fixed(t.Contract[:])
	c.text(&t.Group)
}

func (s *state) fields(c *codec) {
	c.fixed(s.network[:])
	currency := uint32(s.currency)
	c.u32(&currency)
	c.bad = c.bad || currency > math.MaxUint16
	s.currency = money.Currency(currency)
	entropy := s.words.RevealEntropy()
	c.fixed(entropy[:])
	s.words = phrase.FromEntropy(entropy)
	c.bytes(&s.card)
	c.fixed(s.mint[:])
	c.text(&s.account)
	c.bool(&s.restored)
	c.u64(&s.serial)
	c.i64(&s.seen)
	list(c, &s.keys, coin.MaxKeys, c.bytes)
	s.lastFields(c)
	list(c, &s.holdings, maxHoldings, func(h *holding) { h.fields(c) })
	list(c, &s.blanks, maxHoldings, func(b *blank) {
		c.own(&b.own)
		c.u32(&b.index)
		c.fixed(b.in[:])
	})
	list(c, &s.takings, maxHoldings, func(t *taking) {
		c.payment(&t.payment)
		c.terms(&t.terms)
		c.minor(&t.value)
	})
	list(c, &s.asked, maxRecords, func(a *asked) { a.fields(c) })
	list(c, &s.sent, maxRecords, func(p *sent) { p.fields(c) })
	list(c, &s.ops, maxRecords, func(o *op) { o.fields(c) })
	list(c, &s.refused, maxRecords, func(r *refused) {
		c.fixed(r.coin[:])
		c.minor(&r.value)
		c.byte((*byte)(&r.code))
		c.bytes(&r.guilt)
	})
}

// lastFields keeps the map in the order of its keys: one state, one form.
func (s *state) lastFields(c *codec) {
	type entry struct {
		key     brands.KeyID
		session uint64
	}
	var entries []entry
	for key, session := range s.last {
		entries = append(entries, entry{key, session})
	}
	order := func(a, b entry) int { return slices.Compare(a.key[:], b.key[:]) }
	slices.SortFunc(entries, order)
	list(c, &entries, coin.MaxKeys, func(e *entry) {
		c.fixed(e.key[:])
		c.u64(&e.session)
	})
	if !c.reading {
		return
	}
	s.last = make(map[brands.KeyID]uint64, len(entries))
	for i, e := range entries {
		c.bad = c.bad || i > 0 && order(entries[i-1], e) >= 0
		s.last[e.key] = e.session
	}
}

func (h *holding) fields(c *codec) {
	c.money(&h.money)
	c.own(&h.own)
	c.u32(&h.index)
	node := uint32(h.node)
	c.u32(&node)
	c.bad = c.bad || node > math.MaxUint16
	h.node = uint16(node)
	c.minor(&h.value)
	c.byte((*byte)(&h.status))
	c.fixed(h.in[:])
	c.bad = c.bad || !h.status.known()
	if c.reading && !c.bad {
		last := h.own.Coin()
		c.bad = last.ID() != h.money.Last().ID()
	}
}

func (c *codec) handovers(v *[]handover) {
	list(c, v, coin.MaxItems, func(h *handover) {
		c.fixed(h.coin[:])
		c.bytes(&h.to)
	})
}

func (a *asked) fields(c *codec) {
	c.bytes(&a.request)
	c.fixed(a.digest[:])
	c.i64(&a.expires)
	c.fixed(a.payment[:])
	c.handovers(&a.change)
	c.bytes(&a.receipt)
}

func (p *sent) fields(c *codec) {
	c.bytes(&p.request)
	c.fixed(p.digest[:])
	c.i64(&p.expires)
	c.handovers(&p.coins)
	c.minor(&p.over)
	c.bytes(&p.payment)
	c.bool(&p.settled)
}

func (o *op) fields(c *codec) {
	c.byte((*byte)(&o.kind))
	c.bad = c.bad || !o.kind.known()
	c.minor(&o.amount)
	c.text(&o.group)
	list(c, &o.plan, coin.MaxKeys, func(p *planned) {
		c.fixed(p.key[:])
		c.minor(&p.value)
		c.u32(&p.count)
	})
	list(c, &o.round, coin.MaxItems, func(r *session) {
		c.fixed(r.key[:])
		c.minor(&r.value)
		c.u64(&r.number)
		c.bytes(&r.commitment)
		c.u32(&r.index)
	})
	c.u64(&o.from)
	c.terms(&o.terms)
	list(c, &o.coins, maxHoldings, func(id *brands.CoinID) { c.fixed(id[:]) })
	c.bool(&o.anew)
}

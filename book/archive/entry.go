package archive

import (
	"jiaozi/book"
	"jiaozi/value/clock"
	"jiaozi/value/money"
)

// entryLine is an entry as text, its fields in the order of the line. What has
// its zero value is left out.
type entryLine struct {
	ID       id          `json:"id"`
	Kind     kind        `json:"kind"`
	Event    string      `json:"event"`
	Date     date        `json:"date"`
	Hold     id          `json:"hold,omitzero"`
	Final    bool        `json:"final,omitzero"`
	Reverses id          `json:"reverses,omitzero"`
	Linked   bool        `json:"linked,omitzero"`
	Days     *daysLine   `json:"days,omitzero"`
	Move     *moveLine   `json:"move,omitzero"`
	At       seconds     `json:"at,omitzero"`
	Expires  seconds     `json:"expires,omitzero"`
	Legs     []legLine   `json:"legs,omitempty"`
	Open     []openLine  `json:"open,omitempty"`
	Limit    []limitLine `json:"limit,omitempty"`
	Close    []id        `json:"close,omitempty"`
	Once     []onceLine  `json:"once,omitempty"`
	Put      []putLine   `json:"put,omitempty"`
	Out      []outLine   `json:"out,omitempty"`
	Done     []number    `json:"done,omitempty"`
	Note     []byte      `json:"note,omitempty"`
	Result   resultLine  `json:"result"`
}

type daysLine struct {
	From date `json:"from"`
	To   date `json:"to"`
}

// moveLine is what a step of a part says. Parts and chains are small numbers.
type moveLine struct {
	Part   uint16 `json:"part"`
	Chain  uint16 `json:"chain"`
	Count  number `json:"count,omitzero"`
	Digest hash   `json:"digest,omitzero"`
	State  hash   `json:"state,omitzero"`
	Seq    number `json:"seq,omitzero"`
	Hash   hash   `json:"hash,omitzero"`
}

func moveOf(c *book.Command) *moveLine {
	if c.Kind < book.Leave {
		return nil
	}
	h := &c.Handover
	return &moveLine{h.Part, h.Chain, number(h.Count), hash(h.Digest), hash(h.State), number(h.Head.Seq), hash(h.Head.Hash)}
}

func (l *moveLine) handover() book.Handover {
	if l == nil {
		return book.Handover{}
	}
	return book.Handover{
		Part: l.Part, Chain: l.Chain, Count: uint64(l.Count), Digest: book.Hash(l.Digest), State: book.Hash(l.State),
		Head: book.Head{Seq: uint64(l.Seq), Hash: book.Hash(l.Hash)},
	}
}

type legLine struct {
	Account  id       `json:"account"`
	Side     side     `json:"side"`
	Currency currency `json:"currency"`
	Minor    minor    `json:"minor"`
}

type openLine struct {
	Account       id       `json:"account"`
	Name          string   `json:"name"`
	Normal        side     `json:"normal"`
	Currency      currency `json:"currency"`
	NeverNegative bool     `json:"never_negative,omitzero"`
	Line          minor    `json:"line,omitzero"`
}

type limitLine struct {
	Account id    `json:"account"`
	Line    minor `json:"line"`
}

type onceLine struct {
	Space string `json:"space"`
	Key   key    `json:"key"`
	Value []byte `json:"value,omitempty"`
}

type putLine struct {
	Space  string `json:"space"`
	Key    key    `json:"key"`
	Expect number `json:"expect"`
	Delete bool   `json:"delete,omitzero"`
	Value  []byte `json:"value,omitempty"`
}

type outLine struct {
	Topic string `json:"topic"`
	Key   key    `json:"key"`
	Body  []byte `json:"body,omitempty"`
}

// resultLine is the answer. Balances are those after the entry, one a leg and in
// its currency.
type resultLine struct {
	Code     code    `json:"code"`
	Balances []minor `json:"balances,omitempty"`
}

// toLine says an entry in the words of a line.
func toLine(e *book.Entry) *entryLine {
	c := &e.Command
	l := &entryLine{
		ID: id(c.ID), Kind: kind(c.Kind), Event: c.Event, Date: date(c.Date), Hold: id(c.Hold), Final: c.Final,
		Reverses: id(c.Reverses), Linked: c.Linked, At: seconds(c.At), Expires: seconds(c.Expires), Note: c.Note,
		Move: moveOf(c), Result: resultLine{Code: code(e.Result.Code)},
	}
	if c.Days != (book.Days{}) {
		l.Days = &daysLine{date(c.Days.From), date(c.Days.To)}
	}
	l.Legs = each(c.Legs, func(v book.Leg) legLine {
		return legLine{id(v.Account), side(v.Side), currency(v.Amount.Currency()), minor(v.Amount.Minor())}
	})
	l.Open = each(c.Open, func(v book.Account) openLine {
		return openLine{id(v.ID), v.Name, side(v.Normal), currency(v.Currency), v.NeverNegative, minor(v.Line)}
	})
	l.Limit = each(c.Limit, func(v book.Limit) limitLine { return limitLine{id(v.Account), minor(v.Line)} })
	l.Close = each(c.Close, func(v book.AccountID) id { return id(v) })
	l.Once = each(c.Once, func(v book.Once) onceLine { return onceLine{v.Space, v.Key, v.Value} })
	l.Put = each(c.Put, func(v book.Put) putLine {
		return putLine{v.Space, v.Key, number(v.Expect), v.Value == nil, v.Value}
	})
	l.Out = each(c.Out, func(v book.Out) outLine { return outLine{v.Topic, v.Key, v.Body} })
	l.Done = each(c.Done, func(v uint64) number { return number(v) })
	l.Result.Balances = each(e.Result.Balances, func(v money.Amount) minor { return minor(v.Minor()) })
	return l
}

// entry is the way back. What a line says twice or wrongly is lost here, and
// found when the line is written again.
func (l *entryLine) entry() *book.Entry {
	c := book.Command{
		ID: book.ID(l.ID), Kind: book.Kind(l.Kind), Event: l.Event, Date: clock.Date(l.Date), Hold: book.ID(l.Hold), Final: l.Final,
		Reverses: book.ID(l.Reverses), Linked: l.Linked, At: int64(l.At), Expires: int64(l.Expires), Note: l.Note,
		Handover: l.Move.handover(),
	}
	if l.Days != nil {
		c.Days = book.Days{From: clock.Date(l.Days.From), To: clock.Date(l.Days.To)}
	}
	c.Legs = each(l.Legs, func(v legLine) book.Leg {
		return book.Leg{Account: book.AccountID(v.Account), Side: book.Side(v.Side), Amount: money.New(money.Currency(v.Currency), money.Minor(v.Minor))}
	})
	c.Open = each(l.Open, func(v openLine) book.Account {
		return book.Account{ID: book.AccountID(v.Account), Name: v.Name, Normal: book.Side(v.Normal), Currency: money.Currency(v.Currency),
			NeverNegative: v.NeverNegative, Line: money.Minor(v.Line)}
	})
	c.Limit = each(l.Limit, func(v limitLine) book.Limit {
		return book.Limit{Account: book.AccountID(v.Account), Line: money.Minor(v.Line)}
	})
	c.Close = each(l.Close, func(v id) book.AccountID { return book.AccountID(v) })
	c.Once = each(l.Once, func(v onceLine) book.Once { return book.Once{Space: v.Space, Key: v.Key, Value: v.Value} })
	c.Put = each(l.Put, putLine.put)
	c.Out = each(l.Out, func(v outLine) book.Out { return book.Out{Topic: v.Topic, Key: v.Key, Body: v.Body} })
	c.Done = each(l.Done, func(v number) uint64 { return uint64(v) })
	r := book.Result{Code: book.Code(l.Result.Code)}
	for i, m := range l.Result.Balances {
		var in money.Currency
		if i < len(c.Legs) {
			in = c.Legs[i].Amount.Currency()
		}
		r.Balances = append(r.Balances, money.New(in, money.Minor(m)))
	}
	return &book.Entry{Command: c, Result: r}
}

// put keeps an empty value apart from none: none deletes.
func (l putLine) put() book.Put {
	p := book.Put{Space: l.Space, Key: l.Key, Expect: uint64(l.Expect)}
	if !l.Delete {
		p.Value = append([]byte{}, l.Value...)
	}
	return p
}

func each[A, B any](list []A, fn func(A) B) []B {
	if len(list) == 0 {
		return nil
	}
	out := make([]B, len(list))
	for i := range list {
		out[i] = fn(list[i])
	}
	return out
}

package clearing

import (
	"fmt"
	"slices"
	"strings"

	"jiaozi/book/chart"
	"jiaozi/value/clock"
	"jiaozi/value/ident"
	"jiaozi/value/lang"
	"jiaozi/value/money"
	"jiaozi/wire/clearing"
)

// Position is what a day does to one institution's reserve, by cause. Incoming
// money is positive. Over all institutions each column adds up to zero.
type Position struct {
	Inst        ident.Inst
	Gross       money.Amount // payments, those in suspense included
	Cash        money.Amount // cash taken for loads
	Interchange money.Amount
	Network     money.Amount
	Clones      money.Amount // payments in suspense paid back
	Net         money.Amount
}

// columns are the causes, in the order of the report.
func (p *Position) columns() []*money.Amount {
	return []*money.Amount{&p.Gross, &p.Cash, &p.Interchange, &p.Network, &p.Clones, &p.Net}
}

// Count tells how many payments got which verdict, and the cash loads.
type Count struct {
	Accepted, Duplicate, Clone, Rejected, Pending int
	Cash, CashUndone                              int
}

// Report is a settled day.
type Report struct {
	Date      clock.Date
	Network   ident.Inst
	Currency  money.Currency
	Count     Count
	Positions []Position // in the order of the institutions
}

func newReport(date clock.Date, network ident.Inst, c money.Currency) *Report {
	return &Report{Date: date, Network: network, Currency: c}
}

// position finds or begins the line of an institution.
func (r *Report) position(inst ident.Inst) *Position {
	n, found := slices.BinarySearchFunc(r.Positions, inst, func(p Position, i ident.Inst) int { return strings.Compare(string(p.Inst), string(i)) })
	if !found {
		p := Position{Inst: inst}
		for _, col := range p.columns() {
			*col = money.Zero(r.Currency)
		}
		r.Positions = slices.Insert(r.Positions, n, p)
	}
	return &r.Positions[n]
}

// column picks one cause of a position.
type column func(*Position) *money.Amount

func gross(p *Position) *money.Amount       { return &p.Gross }
func cash(p *Position) *money.Amount        { return &p.Cash }
func interchange(p *Position) *money.Amount { return &p.Interchange }
func network(p *Position) *money.Amount     { return &p.Network }
func clones(p *Position) *money.Amount      { return &p.Clones }

// move takes money from one institution's reserve to another's.
func (r *Report) move(col column, from, to ident.Inst, sum money.Amount) error {
	out := money.New(sum.Currency(), -sum.Minor())
	for _, m := range []struct {
		inst ident.Inst
		sum  money.Amount
	}{{from, out}, {to, sum}} {
		p := r.position(m.inst)
		if err := increase(col(p), m.sum); err != nil {
			return err
		}
		if err := increase(&p.Net, m.sum); err != nil {
			return err
		}
	}
	return nil
}

// add takes an item into the report.
func (r *Report) add(it *item, bearer chart.Bearer) error {
	r.Count.add(it)
	switch it.cash {
	case cashPosted:
		return r.move(cash, it.Acquirer, it.Issuer, it.Gross)
	case cashUndone:
		return r.move(cash, it.Issuer, it.Acquirer, it.Gross)
	}
	if !it.paid() {
		return nil
	}
	moves := []struct {
		col      column
		from, to ident.Inst
		sum      money.Amount
	}{
		{gross, it.Issuer, it.Acquirer, it.Gross},
		{interchange, it.Acquirer, it.Issuer, it.Fees.Interchange},
		{network, it.Issuer, r.Network, it.Fees.NetworkIssuer},
		{network, it.Acquirer, r.Network, it.Fees.NetworkAcquirer},
	}
	if it.Verdict == clearing.Clone && bearer != chart.IssuerBears {
		moves = append(moves, moves[0])
		last := &moves[len(moves)-1]
		last.col, last.from, last.to = clones, it.Acquirer, it.Issuer
	}
	for _, m := range moves {
		if err := r.move(m.col, m.from, m.to, m.sum); err != nil {
			return err
		}
	}
	return nil
}

func (c *Count) add(it *item) {
	switch {
	case it.cash == cashPosted:
		c.Cash++
	case it.cash == cashUndone:
		c.CashUndone++
	case it.Verdict == clearing.Accepted:
		c.Accepted++
	case it.Verdict == clearing.Duplicate:
		c.Duplicate++
	case it.Verdict == clearing.Clone:
		c.Clone++
	case it.Verdict == clearing.Rejected:
		c.Rejected++
	case it.Verdict == clearing.Pending:
		c.Pending++
	}
}

// prove holds the report to its own rule and to another computation of the net.
func (r *Report) prove(net map[ident.Inst]money.Amount) error {
	total := Position{}
	for _, col := range total.columns() {
		*col = money.Zero(r.Currency)
	}
	for n := range r.Positions {
		p := &r.Positions[n]
		sums := total.columns()
		for k, col := range p.columns() {
			if err := increase(sums[k], *col); err != nil {
				return err
			}
		}
		if want := orZero(net[p.Inst], money.Zero(r.Currency)); p.Net != want {
			return fmt.Errorf("%w: %s: the files give a net of %s, the postings %s", ErrNet, p.Inst, p.Net, want)
		}
	}
	for _, col := range total.columns() {
		if !col.IsZero() {
			return fmt.Errorf("%w: the positions of %s add up to %s and not to zero", ErrNet, r.Date, col)
		}
	}
	return nil
}

var reportWords = struct{ title, inst, gross, cash, interchange, network, clones, net, counts lang.Text }{
	title:       lang.Text{EN: "Net positions of %s in %s", ZH: "%s 清算净额（%s）"},
	inst:        lang.Text{EN: "institution", ZH: "机构"},
	gross:       lang.Text{EN: "payments", ZH: "消费"},
	cash:        lang.Text{EN: "cash loads", ZH: "现金圈存"},
	interchange: lang.Text{EN: "interchange", ZH: "发卡行服务费"},
	network:     lang.Text{EN: "network fee", ZH: "网络服务费"},
	clones:      lang.Text{EN: "clones", ZH: "克隆卡追偿"},
	net:         lang.Text{EN: "net", ZH: "净额"},
	counts: lang.Text{
		EN: "%d paid, %d duplicates, %d clones, %d rejected, %d waiting; %d cash loads, %d undone",
		ZH: "入账 %d 笔，重复 %d 笔，克隆 %d 笔，拒付 %d 笔，待定 %d 笔；现金圈存 %d 笔，撤销 %d 笔"},
}

// Text is the report for a person: one line per institution, incoming positive.
func (r *Report) Text(l lang.Lang) string {
	const first, wide = 13, 14
	var b strings.Builder
	w := reportWords
	fmt.Fprintf(&b, w.title.In(l)+"\n", r.Date, r.Currency)
	b.WriteString(lang.Pad(w.inst.In(l), first))
	for _, head := range []lang.Text{w.gross, w.cash, w.interchange, w.network, w.clones, w.net} {
		b.WriteString(right(head.In(l), wide))
	}
	b.WriteByte('\n')
	for n := range r.Positions {
		p := &r.Positions[n]
		b.WriteString(lang.Pad(string(p.Inst), first))
		for _, col := range p.columns() {
			b.WriteString(right(col.String(), wide))
		}
		b.WriteByte('\n')
	}
	c := r.Count
	fmt.Fprintf(&b, w.counts.In(l)+"\n", c.Accepted, c.Duplicate, c.Clone, c.Rejected, c.Pending, c.Cash, c.CashUndone)
	return b.String()
}

// right sets a text against the right edge of its column.
func right(s string, columns int) string {
	return strings.Repeat(" ", max(1, columns-lang.Width(s))) + s
}

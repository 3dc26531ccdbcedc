package clearing

import (
	"slices"

	"jiaozi/book/chart"
	"jiaozi/value/ident"
	"jiaozi/value/money"
)

// pairing gathers one day between one issuer and one acquirer.
type pairing struct {
	sum    chart.Settlement
	shares map[ident.MID]*chart.Share
}

func newPairing(p chart.Pair, cfg Config) *pairing {
	zero := money.Zero(cfg.Currency)
	return &pairing{shares: make(map[ident.MID]*chart.Share), sum: chart.Settlement{
		Pair: p, Network: cfg.Inst, Currency: cfg.Currency, Interchange: zero, IssuerFee: zero, AcquirerFee: zero}}
}

// add takes an item into the sums.
func (p *pairing) add(it *item) error {
	if !it.paid() && it.cash == noCash {
		return nil
	}
	share := p.shares[it.mid]
	if share == nil {
		zero := money.Zero(p.sum.Currency)
		share = &chart.Share{MID: it.mid, Gross: zero, Fee: zero, Cash: zero}
		p.shares[it.mid] = share
	}
	switch it.cash {
	case cashPosted:
		return increase(&share.Cash, it.Gross)
	case cashUndone:
		return increase(&share.Cash, money.New(it.Gross.Currency(), -it.Gross.Minor()))
	}
	for _, s := range []struct {
		to   *money.Amount
		more money.Amount
	}{
		{&share.Gross, it.Gross}, {&share.Fee, it.Fees.Merchant}, {&p.sum.Interchange, it.Fees.Interchange},
		{&p.sum.IssuerFee, it.Fees.NetworkIssuer}, {&p.sum.AcquirerFee, it.Fees.NetworkAcquirer},
	} {
		if err := increase(s.to, s.more); err != nil {
			return err
		}
	}
	return nil
}

// settlement is the sum, merchants in order.
func (p *pairing) settlement() chart.Settlement {
	mids := make([]ident.MID, 0, len(p.shares))
	for mid := range p.shares {
		mids = append(mids, mid)
	}
	slices.Sort(mids)
	for _, mid := range mids {
		p.sum.Shares = append(p.sum.Shares, *p.shares[mid])
	}
	return p.sum
}

func increase(to *money.Amount, more money.Amount) error {
	sum, err := to.Add(more)
	if err == nil {
		*to = sum
	}
	return err
}

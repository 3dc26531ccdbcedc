package acquirer

import (
	"bytes"
	"context"
	"encoding/csv"
	"encoding/json"
	"fmt"
	"time"

	"jiaozi/value/clock"
	"jiaozi/value/ident"
	"jiaozi/value/lang"
	"jiaozi/value/money"
	"jiaozi/wire/clearing"
	"jiaozi/wire/emv"
)

// Statement is a merchant's settlement of one day. Net is what the day is worth to
// the merchant: payments less fees and less the cash taken in for loads.
type Statement struct {
	Merchant        Merchant
	Date            clock.Date
	Gross, Fee, Net money.Amount
	rows            []row
}

type row struct {
	line
	gross, fee, net money.Amount
}

// Statement gives a merchant's settlement of one day.
func (a *Acquirer) Statement(ctx context.Context, mid ident.MID, date clock.Date) (*Statement, error) {
	m, err := a.Merchant(ctx, mid)
	if err != nil {
		return nil, fmt.Errorf("statement: %w", err)
	}
	zero := money.Zero(a.cfg.Currency)
	s := &Statement{Merchant: m, Date: date, Gross: zero, Fee: zero, Net: zero}
	err = a.door.Scan(ctx, spaceLine, []byte(linePrefix(mid, date)), func(_, value []byte, _ uint64) error {
		var l line
		if err := json.Unmarshal(value, &l); err != nil {
			return fmt.Errorf("a line is damaged, run audit: %w", err)
		}
		return s.add(l, a.cfg.MerchantBearsClones)
	})
	if err != nil {
		return nil, fmt.Errorf("statement of %s: %w", mid, err)
	}
	return s, nil
}

func (s *Statement) add(l line, clawback bool) error {
	r := row{line: l, gross: money.New(l.Currency, l.Gross), fee: money.New(l.Currency, l.Fee)}
	var err error
	if r.net, err = r.worth(clawback); err != nil {
		return err
	}
	s.rows = append(s.rows, r)
	if !r.settled() {
		return nil // listed, with the reason, and in no total
	}
	for _, x := range []struct {
		to   *money.Amount
		more money.Amount
	}{{&s.Gross, r.gross}, {&s.Fee, r.fee}, {&s.Net, r.net}} {
		sum, err := x.to.Add(x.more)
		if err != nil {
			return err
		}
		*x.to = sum
	}
	return nil
}

// settled tells whether the row moved money for the merchant.
func (l line) settled() bool {
	return l.Verdict == clearing.Accepted || l.Verdict == clearing.Clone || (l.cashLoad() && l.Verdict == clearing.Rejected)
}

func (l line) cashLoad() bool { return l.Kind == emv.TxnLoadCash }

// worth is what the merchant gets for one row: nothing for what was refused, and
// less than nothing for cash taken in. A clone is settled like any other payment,
// and taken back if the scheme lets the merchant bear it.
func (r row) worth(clawback bool) (money.Amount, error) {
	switch {
	case r.cashLoad() && r.Verdict == clearing.Accepted:
		return r.gross.Neg() // the till owes the cash
	case r.cashLoad() && r.Verdict == clearing.Rejected:
		return r.gross, nil // a load of an earlier day was undone
	case r.Verdict == clearing.Clone && clawback:
		return r.fee.Neg()
	case r.Verdict == clearing.Accepted, r.Verdict == clearing.Clone:
		return r.gross.Sub(r.fee)
	}
	return money.Zero(r.Currency), nil
}

// columns of a statement.
var columns = []lang.Text{
	{EN: "date", ZH: "日期"}, {EN: "time", ZH: "时间"}, {EN: "terminal", ZH: "终端号"}, {EN: "batch", ZH: "批次号"},
	{EN: "trace", ZH: "凭证号"}, {EN: "card", ZH: "卡号"}, {EN: "type", ZH: "交易类型"}, {EN: "currency", ZH: "币种"},
	{EN: "amount", ZH: "交易金额"}, {EN: "fee", ZH: "手续费"}, {EN: "net", ZH: "净额"}, {EN: "result", ZH: "结果"}, {EN: "reason", ZH: "说明"},
}

var (
	purchaseWord = lang.Text{EN: "purchase", ZH: "消费"}
	cashLoadWord = lang.Text{EN: "cash load", ZH: "现金圈存"}
	totalWord    = lang.Text{EN: "total", ZH: "合计"}
)

var verdictWords = map[clearing.Verdict]lang.Text{
	clearing.Accepted:  {EN: "paid", ZH: "已入账"},
	clearing.Duplicate: {EN: "duplicate", ZH: "重复"},
	clearing.Clone:     {EN: "cloned card", ZH: "疑似伪卡"},
	clearing.Rejected:  {EN: "rejected", ZH: "拒付"},
	clearing.Pending:   {EN: "undecided", ZH: "待定"},
}

// CSV writes the statement for people and spreadsheets (UTF-8, RFC 4180): a header,
// a row for each payment, a row of totals.
func (s *Statement) CSV(l lang.Lang) ([]byte, error) {
	var out bytes.Buffer
	w := csv.NewWriter(&out)
	w.UseCRLF = true
	records := [][]string{make([]string, len(columns))}
	for i, c := range columns {
		records[0][i] = c.In(l)
	}
	for _, r := range s.rows {
		records = append(records, r.cells(l))
	}
	total := make([]string, len(columns))
	total[0], total[7] = totalWord.In(l), s.Net.Currency().Code()
	total[8], total[9], total[10] = s.Gross.String(), s.Fee.String(), s.Net.String()
	if err := w.WriteAll(append(records, total)); err != nil {
		return nil, fmt.Errorf("statement of %s: %w", s.Merchant.MID, err)
	}
	return out.Bytes(), nil
}

func (r row) cells(l lang.Lang) []string {
	at := time.Unix(r.When, 0).In(clock.Zone)
	kind := purchaseWord
	if r.cashLoad() {
		kind = cashLoadWord
	}
	return []string{at.Format("2006-01-02"), at.Format("15:04:05"), string(r.TID), fmt.Sprintf("%06d", r.Batch),
		fmt.Sprintf("%06d", r.STAN), r.Card, kind.In(l), r.Currency.Code(), r.gross.String(), r.fee.String(),
		r.net.String(), verdictWords[r.Verdict].In(l), r.Reason.Text(l)}
}

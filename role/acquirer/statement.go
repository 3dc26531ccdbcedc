package acquirer

import (
	"bytes"
	"context"
	"crypto/ed25519"
	"crypto/sha256"
	"encoding/csv"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"time"

	"jiaozi/book"
	"jiaozi/value/clock"
	"jiaozi/value/ident"
	"jiaozi/value/lang"
	"jiaozi/value/money"
	"jiaozi/value/reason"
	"jiaozi/wire/clearing"
	"jiaozi/wire/emv"
	"jiaozi/wire/purse"
)

const eventSettled = "acq/settled"

// ErrOtherFile: two different settlements under one id. Ask clearing which holds.
var ErrOtherFile = errors.New("acquirer: another settlement file with this id was taken before")

// line is one settled payment, as the merchant is told. The card number is masked:
// the full one stays with the capture.
type line struct {
	When        int64 // Unix seconds, at the terminal
	TID         ident.TID
	Batch, STAN uint32
	Card        string
	Kind        byte // 9C: payment or cash load
	Currency    money.Currency
	Gross, Fee  money.Minor
	Verdict     clearing.Verdict
	Reason      reason.Code
}

// Settled takes a settlement file over into the merchants' statements, once. The
// money itself was posted by clearing.
func (a *Acquirer) Settled(ctx context.Context, raw []byte, now time.Time) error {
	f, err := clearing.Decode(raw, func(from ident.Inst, msg, sig []byte) error {
		if from != a.cfg.Clearing || len(a.cfg.ClearingKey) != ed25519.PublicKeySize || !ed25519.Verify(a.cfg.ClearingKey, msg, sig) {
			return fmt.Errorf("it does not come from clearing %s", a.cfg.Clearing)
		}
		return nil
	})
	if err != nil {
		return fmt.Errorf("take settlement: %w", err)
	}
	if f.Header.Kind != clearing.Settlement || f.Header.To != a.cfg.Inst {
		return fmt.Errorf("take settlement: it is a %s for %s", f.Header.Kind, f.Header.To)
	}
	hash := sha256.Sum256(raw)
	prior, taken, err := a.door.GetOnce(ctx, spaceSettled, f.Header.ID[:])
	if err != nil {
		return fmt.Errorf("take settlement: %w", err)
	}
	if taken {
		return same(prior, hash[:])
	}
	return a.takeSettlement(ctx, f, hash[:], clock.DateOf(now))
}

func same(prior, hash []byte) error {
	if !bytes.Equal(prior, hash) {
		return ErrOtherFile
	}
	return nil
}

// takeSettlement books the lines in commands of bounded size, then the file's id. A
// crash in between is healed by the next delivery: equal lines are equal commands.
func (a *Acquirer) takeSettlement(ctx context.Context, f *clearing.File, hash []byte, date clock.Date) error {
	var puts []book.Put
	flush := func() error {
		if len(puts) == 0 {
			return nil
		}
		done, err := a.book(ctx, eventSettled, date, book.Command{Put: puts})
		if err == nil && !done {
			err = ErrOtherFile
		}
		puts = nil
		return err
	}
	for i := range f.Details {
		put, err := statementLine(f.Header, &f.Details[i])
		if err != nil {
			return fmt.Errorf("take settlement: detail %d: %w", f.Details[i].Sequence, err)
		}
		if puts = append(puts, put); len(puts) == fileDetails {
			if err := flush(); err != nil {
				return err
			}
		}
	}
	if err := flush(); err != nil {
		return err
	}
	res, err := a.apply(ctx, eventSettled, date, book.Command{
		Once: []book.Once{{Space: spaceSettled, Key: f.Header.ID[:], Value: hash}}})
	if err == nil && res.Code == book.Exists {
		return same(res.Prior, hash)
	}
	return err
}

func linePrefix(mid ident.MID, date clock.Date) string { return fmt.Sprintf("%s/%s/", mid, date) }

func statementLine(h clearing.Header, d *clearing.Detail) (book.Put, error) {
	r, err := purse.Decode(d.Record)
	if err != nil {
		return book.Put{}, err
	}
	raw, err := json.Marshal(line{
		When: r.When.Unix(), TID: r.TID, Batch: r.Batch, STAN: r.STAN, Card: r.PAN.Masked(), Kind: r.TxnType,
		Currency: h.Currency, Gross: d.Gross.Minor(), Fee: d.Fees.Merchant.Minor(), Verdict: d.Verdict, Reason: d.Reason})
	if err != nil {
		return book.Put{}, err
	}
	key := fmt.Sprintf("%s%s/%06d", linePrefix(r.MID, h.Date), h.ID, d.Sequence)
	return book.Put{Space: spaceLine, Key: []byte(key), Value: raw}, nil
}

// header of a statement, in both languages: one file serves every reader.
var header = []string{"日期 date", "时间 time", "终端 terminal", "批次 batch", "凭证 trace", "卡号 card",
	"类型 type", "币种 currency", "金额 amount", "手续费 fee", "净额 net", "结果 result", "说明 reason"}

// Statement is a merchant's settlement of one day as CSV (UTF-8, RFC 4180): a
// header in both languages, a row for each payment, a row of totals.
func (a *Acquirer) Statement(ctx context.Context, mid ident.MID, date clock.Date) ([]byte, error) {
	if _, err := a.Merchant(ctx, mid); err != nil {
		return nil, fmt.Errorf("statement: %w", err)
	}
	var out bytes.Buffer
	w := csv.NewWriter(&out)
	w.UseCRLF = true
	if err := w.Write(header); err != nil {
		return nil, fmt.Errorf("statement: %w", err)
	}
	totals := map[money.Currency]*sums{}
	err := a.door.Scan(ctx, spaceLine, []byte(linePrefix(mid, date)), func(_, value []byte, _ uint64) error {
		var l line
		if err := json.Unmarshal(value, &l); err != nil {
			return fmt.Errorf("a line is damaged, run audit: %w", err)
		}
		return l.write(w, totals)
	})
	if err != nil {
		return nil, fmt.Errorf("statement of %s: %w", mid, err)
	}
	if err := writeTotals(w, totals); err != nil {
		return nil, fmt.Errorf("statement of %s: %w", mid, err)
	}
	w.Flush()
	return out.Bytes(), w.Error()
}

// sums are the totals of a statement in one currency.
type sums struct{ gross, fee, net money.Amount }

// write adds one row. The net amount is what the merchant gets for it: nothing for
// what was refused, and less than nothing for cash that it took in for a load.
func (l line) write(w *csv.Writer, totals map[money.Currency]*sums) error {
	gross, fee := money.New(l.Currency, l.Gross), money.New(l.Currency, l.Fee)
	net, err := l.net(gross, fee)
	if err != nil {
		return err
	}
	t := totals[l.Currency]
	if t == nil {
		t = &sums{gross: money.Zero(l.Currency), fee: money.Zero(l.Currency), net: money.Zero(l.Currency)}
		totals[l.Currency] = t
	}
	if err := t.add(gross, fee, net); err != nil {
		return err
	}
	at := time.Unix(l.When, 0).In(clock.Zone)
	return w.Write([]string{at.Format("2006-01-02"), at.Format("15:04:05"), string(l.TID),
		fmt.Sprintf("%06d", l.Batch), fmt.Sprintf("%06d", l.STAN), l.Card, both(l.kind()), l.Currency.Code(),
		gross.String(), fee.String(), net.String(), both(verdicts[l.Verdict]), l.Reason.Text(lang.ZH) + " " + l.Reason.Text(lang.EN)})
}

func (t *sums) add(gross, fee, net money.Amount) error {
	for _, x := range []struct {
		to   *money.Amount
		more money.Amount
	}{{&t.gross, gross}, {&t.fee, fee}, {&t.net, net}} {
		sum, err := x.to.Add(x.more)
		if err != nil {
			return err
		}
		*x.to = sum
	}
	return nil
}

func (l line) cashLoad() bool { return l.Kind == emv.TxnLoadCash }

func (l line) net(gross, fee money.Amount) (money.Amount, error) {
	switch {
	case l.cashLoad() && l.Verdict == clearing.Accepted:
		return gross.Neg() // the till owes the cash
	case l.cashLoad() && l.Verdict == clearing.Rejected:
		return gross, nil // a load of an earlier day was undone
	case l.Verdict == clearing.Accepted:
		return gross.Sub(fee)
	}
	return money.Zero(l.Currency), nil
}

func (l line) kind() lang.Text {
	if l.cashLoad() {
		return lang.Text{EN: "cash load", ZH: "现金圈存"}
	}
	return lang.Text{EN: "purchase", ZH: "消费"}
}

var verdicts = map[clearing.Verdict]lang.Text{
	clearing.Accepted:  {EN: "paid", ZH: "已入账"},
	clearing.Duplicate: {EN: "duplicate", ZH: "重复"},
	clearing.Clone:     {EN: "cloned card", ZH: "疑似伪卡"},
	clearing.Rejected:  {EN: "rejected", ZH: "拒付"},
	clearing.Pending:   {EN: "undecided", ZH: "待定"},
}

func both(t lang.Text) string { return t.ZH + " " + t.EN }

func writeTotals(w *csv.Writer, totals map[money.Currency]*sums) error {
	currencies := make([]money.Currency, 0, len(totals))
	for c := range totals {
		currencies = append(currencies, c)
	}
	slices.Sort(currencies)
	for _, c := range currencies {
		t := totals[c]
		row := make([]string, len(header))
		row[0], row[7] = "合计 total", c.Code()
		row[8], row[9], row[10] = t.gross.String(), t.fee.String(), t.net.String()
		if err := w.Write(row); err != nil {
			return err
		}
	}
	return nil
}

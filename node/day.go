package node

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"path/filepath"
	"slices"

	"jiaozi/node/durable"
	"jiaozi/role/clearing"
	"jiaozi/role/issuer"
	"jiaozi/value/clock"
	"jiaozi/value/ident"
	"jiaozi/value/lang"
	"jiaozi/value/money"
)

// DayReport is a settled business day in the numbers a person asks for.
type DayReport struct {
	Date      clock.Date
	Presented int // details sent to issuers
	Accepted  int
	Clones    int
	Gross     money.Amount // paid between institutions, suspense included
	Net       money.Amount // the sum over all institutions: zero, or nothing was settled
	Positions []clearing.Position
}

// MarshalJSON gives amounts as decimal numbers.
func (r DayReport) MarshalJSON() ([]byte, error) {
	positions := map[string]json.Number{}
	for _, p := range r.Positions {
		positions[string(p.Inst)] = json.Number(p.Net.String())
	}
	return json.Marshal(dayDoc{r.Date.String(), r.Presented, r.Accepted, r.Clones, r.Gross.Currency().Code(),
		json.Number(r.Gross.String()), json.Number(r.Net.String()), positions})
}

type dayDoc struct {
	Date      string                 `json:"date"`
	Presented int                    `json:"presented"`
	Accepted  int                    `json:"accepted"`
	Clones    int                    `json:"clones"`
	Currency  string                 `json:"currency"`
	Gross     json.Number            `json:"gross"`
	Net       json.Number            `json:"net"`
	Positions map[string]json.Number `json:"positions"`
}

// UnmarshalJSON reads what the server's socket answers.
func (r *DayReport) UnmarshalJSON(b []byte) error {
	var d dayDoc
	if err := json.Unmarshal(b, &d); err != nil {
		return err
	}
	c, err := money.ParseCurrency(d.Currency)
	if err != nil {
		return err
	}
	*r = DayReport{Presented: d.Presented, Accepted: d.Accepted, Clones: d.Clones}
	if r.Date, err = clock.ParseDate(d.Date); err != nil {
		return err
	}
	if r.Gross, err = money.Parse(c, d.Gross.String()); err != nil {
		return err
	}
	if r.Net, err = money.Parse(c, d.Net.String()); err != nil {
		return err
	}
	for _, inst := range slices.Sorted(maps.Keys(d.Positions)) {
		net, err := money.Parse(c, d.Positions[inst].String())
		if err != nil {
			return err
		}
		r.Positions = append(r.Positions, clearing.Position{Inst: ident.Inst(inst), Net: net})
	}
	return nil
}

// CloseDay is the order to end the business day now.
type CloseDay struct{}

// Verb names the order.
func (CloseDay) Verb() string { return "day-close" }

// Run ends the day.
func (CloseDay) Run(ctx context.Context, n *Node) (any, error) { return n.EndOfDay(ctx) }

// EndOfDay takes the business day through clearing: the acquirer's captures are
// presented, the issuer verifies and posts them, clearing nets and settles, the
// acquirer takes its settlement over, the cards that turned out to be copied are
// listed, the book is signed, and the next day opens. Every step can be repeated,
// so that after a crash the same call does the rest.
func (n *Node) EndOfDay(ctx context.Context) (*DayReport, error) {
	n.dayMu.Lock()
	defer n.dayMu.Unlock()
	date, err := n.BusinessDate(ctx)
	if err != nil {
		return nil, err
	}
	if err := n.Forward(ctx); err != nil {
		return nil, fmt.Errorf("end of day %s: %w", date, err)
	}
	if err := n.present(ctx, date); err != nil {
		return nil, fmt.Errorf("end of day %s: %w", date, err)
	}
	report, err := n.settle(ctx, date)
	if err != nil {
		return nil, fmt.Errorf("end of day %s: %w", date, err)
	}
	// Copies come to light here: tills must not take them half a list's life longer.
	// But the day is settled, and waits for no list.
	if err := n.PublishList(ctx); err != nil {
		slog.Error("no new blacklist at the end of the day", "error", err)
	}
	if _, err := n.checkpoint(ctx, date); err != nil {
		return nil, fmt.Errorf("end of day %s: %w", date, err)
	}
	return report, n.closeDate(ctx, date)
}

// present carries the acquirer's files to clearing, on to the issuer, and the
// issuer's verdicts back.
func (n *Node) present(ctx context.Context, date clock.Date) error {
	files, err := n.acquirer.Cut(ctx, date)
	if err != nil {
		return err
	}
	for _, file := range files {
		dispatches, err := n.clearing.Accept(ctx, file)
		if err != nil {
			return err
		}
		for _, d := range dispatches {
			outcome, err := n.issuer.Present(ctx, d.File, n.Now())
			if err != nil {
				return err
			}
			if err := n.clearing.Outcome(ctx, outcome); err != nil {
				return err
			}
		}
	}
	return nil
}

// settle nets the day, files what was exchanged, and lets the acquirer take its
// settlement over.
func (n *Node) settle(ctx context.Context, date clock.Date) (*DayReport, error) {
	report, dispatches, err := n.clearing.Settle(ctx, date)
	if err != nil {
		return nil, err
	}
	for i, d := range dispatches {
		if d.To == n.scheme.Acquirer {
			if err := n.acquirer.Settled(ctx, d.File, n.Now()); err != nil {
				return nil, err
			}
		}
		name := fmt.Sprintf("%s-settlement-%s-%d.bin", date, d.To, i+1)
		if err := n.keepFile(name, d.File); err != nil {
			return nil, err
		}
	}
	for _, l := range []lang.Lang{lang.EN, lang.ZH} {
		if err := n.keepFile(fmt.Sprintf("%s-net.%s.txt", date, l), []byte(report.Text(l))); err != nil {
			return nil, err
		}
	}
	if err := n.keepAlerts(ctx); err != nil {
		return nil, err
	}
	return summarise(report)
}

// keepAlerts writes down what the issuer found that an officer must look at, of all
// days, in the language of each reader.
func (n *Node) keepAlerts(ctx context.Context) error {
	var en, zh bytes.Buffer
	err := n.issuer.Alerts(ctx, func(a issuer.Alert) error {
		fmt.Fprintf(&en, "%s  card %s, ATC %d: %s\n", a.Date, a.Card, a.ATC, a.Text(lang.EN))
		fmt.Fprintf(&zh, "%s  卡片 %s，计数器 %d：%s\n", a.Date, a.Card, a.ATC, a.Text(lang.ZH))
		return nil
	})
	if err != nil {
		return err
	}
	return errors.Join(n.keepFile("alerts.en.txt", en.Bytes()), n.keepFile("alerts.zh.txt", zh.Bytes()))
}

func summarise(r *clearing.Report) (*DayReport, error) {
	c := r.Count
	out := &DayReport{
		Date: r.Date, Accepted: c.Accepted, Clones: c.Clone,
		Presented: c.Accepted + c.Duplicate + c.Clone + c.Rejected + c.Pending,
		Gross:     money.Zero(r.Currency), Net: money.Zero(r.Currency), Positions: r.Positions,
	}
	var err error
	for _, p := range r.Positions {
		if p.Gross.Sign() > 0 {
			if out.Gross, err = out.Gross.Add(p.Gross); err != nil {
				return nil, err
			}
		}
		if out.Net, err = out.Net.Add(p.Net); err != nil {
			return nil, err
		}
	}
	return out, nil
}

// keepFile puts a file where people find it.
func (n *Node) keepFile(name string, content []byte) error {
	return durable.WriteFile(filepath.Join(n.dir, "files", name), content, 0o600)
}

// WriteStatement writes a merchant's statement of a day as CSV and says what the
// merchant gets.
func (n *Node) WriteStatement(ctx context.Context, mid ident.MID, date clock.Date, l lang.Lang) (money.Amount, error) {
	s, err := n.acquirer.Statement(ctx, mid, date)
	if err != nil {
		return money.Amount{}, err
	}
	csv, err := s.CSV(l)
	if err != nil {
		return money.Amount{}, err
	}
	return s.Net, n.keepFile(fmt.Sprintf("%s-statement-%s.csv", date, mid), csv)
}

// Forward sends what the acquirer owes the issuer: reversals and script notices.
func (n *Node) Forward(ctx context.Context) error {
	_, err := n.acquirer.Forward(ctx, n.Now())
	return err
}

// cutOff ends the business day when the clock passes the scheme's cut-off.
func (n *Node) cutOff(ctx context.Context) error {
	at, err := n.scheme.cutOff()
	if err != nil {
		return err
	}
	now := n.Now().In(clock.Zone)
	date, err := n.BusinessDate(ctx)
	if err != nil || date > clock.DateOf(now) || now.Hour()*60+now.Minute() < at {
		return err
	}
	_, err = n.EndOfDay(ctx)
	return err
}

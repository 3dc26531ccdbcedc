package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"

	"jiaozi/node"
	"jiaozi/role/auditor"
	"jiaozi/value/money"

	"github.com/spf13/cobra"
)

func auditCommand() *cobra.Command {
	var data dataFlags
	var out output
	cmd := &cobra.Command{
		Use:   "audit",
		Short: "Recompute every balance from the journal and the float from the cards; may run beside up",
		Args:  cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			report, err := node.AuditDir(cmd.Context(), data.options())
			if err != nil {
				return classify(err)
			}
			if err := printReport(cmd.OutOrStdout(), report, out); err != nil {
				return err
			}
			if report.Conserved {
				return nil
			}
			first := report.Findings[0]
			return failWith(exitIntegrity, errors.New(first.Where+": "+first.Text.In(out.lang)))
		},
	}
	data.register(cmd)
	outputFlags(cmd, &out)
	return cmd
}

type findingDoc struct {
	Code  string `json:"reason"`
	Where string `json:"where"`
	Text  string `json:"text"`
}

type auditDoc struct {
	Conserved bool         `json:"conserved"`
	Entries   uint64       `json:"entries"`
	Findings  []findingDoc `json:"findings"`
	Coins     []epochDoc   `json:"coins,omitempty"` // by epoch; none in a scheme whose mint made no keys
}

// epochDoc is an epoch of coins as the auditor counted it in the journal.
type epochDoc struct {
	Epoch       uint32      `json:"epoch"`
	Currency    string      `json:"currency"`
	Issued      json.Number `json:"issued"`
	Deposited   json.Number `json:"deposited"`
	Expired     json.Number `json:"expired"`
	Outstanding json.Number `json:"outstanding"`
	DoubleSpent int         `json:"double_spent"`
	Named       int         `json:"named"`
}

func newEpochDoc(t auditor.CoinTotal) epochDoc {
	number := func(a money.Amount) json.Number { return json.Number(a.String()) }
	return epochDoc{t.Epoch, t.Currency.Code(), number(t.Issued), number(t.Deposited), number(t.Expired), number(t.Outstanding), t.DoubleSpent, t.Named}
}

func printReport(w io.Writer, r auditor.Report, out output) error {
	doc := auditDoc{Conserved: r.Conserved, Entries: r.Entries, Findings: []findingDoc{}}
	for _, f := range r.Findings {
		doc.Findings = append(doc.Findings, findingDoc{string(f.Code), f.Where, f.Text.In(out.lang)})
	}
	for _, t := range r.Coins {
		doc.Coins = append(doc.Coins, newEpochDoc(t))
	}
	if out.json() {
		return line(w, doc)
	}
	rows := [][]string{{"conserved", fmt.Sprint(doc.Conserved)}, {"entries", fmt.Sprint(doc.Entries)}}
	for _, c := range doc.Coins {
		rows = append(rows, []string{fmt.Sprintf("coins %d", c.Epoch), fmt.Sprintf("issued %s, back %s, expired %s, outstanding %s %s; %d paid twice, %d named",
			c.Issued, c.Deposited, c.Expired, c.Outstanding, c.Currency, c.DoubleSpent, c.Named)})
	}
	for _, f := range doc.Findings {
		rows = append(rows, []string{f.Where, f.Text})
	}
	return table(w, rows)
}

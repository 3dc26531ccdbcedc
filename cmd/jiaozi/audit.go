package main

import (
	"errors"
	"fmt"
	"io"

	"jiaozi/node"
	"jiaozi/role/auditor"

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
}

func printReport(w io.Writer, r auditor.Report, out output) error {
	doc := auditDoc{Conserved: r.Conserved, Entries: r.Entries, Findings: []findingDoc{}}
	for _, f := range r.Findings {
		doc.Findings = append(doc.Findings, findingDoc{string(f.Code), f.Where, f.Text.In(out.lang)})
	}
	if out.json() {
		return line(w, doc)
	}
	rows := [][]string{{"conserved", fmt.Sprint(doc.Conserved)}, {"entries", fmt.Sprint(doc.Entries)}}
	for _, f := range doc.Findings {
		rows = append(rows, []string{f.Where, f.Text})
	}
	return table(w, rows)
}

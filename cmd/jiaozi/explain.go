package main

import (
	"fmt"
	"io"
	"slices"
	"strings"

	"jiaozi/wire/explain"

	"github.com/spf13/cobra"
)

func explainCommand() *cobra.Command {
	var out output
	cmd := &cobra.Command{
		Use:   "explain HEX",
		Short: "Explain a card command or response, a status word, TLV, TVR bits or an ISO 8583 message",
		Example: `  jiaozi explain 6985
  jiaozi explain 00A404000E325041592E5359532E444446303100
  jiaozi explain TVR 8000048000
  jiaozi explain 9F79=000000010000 --lang zh`,
		Args: cobra.MinimumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			report, err := explain.Explain(args, out.lang)
			if err != nil {
				return failWith(exitUsage, err)
			}
			if out.json() {
				return line(cmd.OutOrStdout(), report)
			}
			return printExplanation(cmd.OutOrStdout(), report)
		},
	}
	outputFlags(cmd, &out)
	return cmd
}

// printExplanation shows nesting by indentation and puts each note under what
// it explains.
func printExplanation(w io.Writer, r explain.Report) error {
	if _, err := fmt.Fprintln(w, r.Text); err != nil {
		return err
	}
	// In English a message of coins calls its fields what they are: once is enough.
	named := slices.ContainsFunc(r.Lines, func(l explain.Line) bool { return l.Field != l.Name })
	var rows [][]string
	for _, l := range r.Lines {
		row, below := []string{strings.Repeat("  ", l.Depth) + l.Field}, []string{""}
		if named {
			row, below = append(row, l.Name), append(below, "")
		}
		if l.Value != "" {
			row = append(row, l.Value)
		}
		rows = append(rows, row)
		for _, note := range l.Notes {
			rows = append(rows, append(slices.Clone(below), "  "+note))
		}
	}
	return table(w, rows)
}

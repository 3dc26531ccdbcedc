package main

import (
	"encoding/json"
	"fmt"
	"io"

	"jiaozi/value/lang"

	"github.com/spf13/cobra"
)

// output is what -o and --lang decide: how results look. With json, standard
// output holds only JSON; everything else goes to standard error.
type output struct {
	format string
	lang   lang.Lang
}

func outputFlags(cmd *cobra.Command, o *output) {
	cmd.Flags().StringVarP(&o.format, "output", "o", "table", "output form: table or json")
	cmd.Flags().Var(&o.lang, "lang", "language of the texts")
	cmd.PreRunE = func(*cobra.Command, []string) error {
		if o.format != "table" && o.format != "json" {
			return fmt.Errorf("-o %q is not known: use table or json", o.format)
		}
		return nil
	}
}

func (o *output) json() bool { return o.format == "json" }

// line prints one JSON object on one line.
func line(w io.Writer, v any) error {
	enc := json.NewEncoder(w)
	enc.SetEscapeHTML(false)
	return enc.Encode(v)
}

// table prints rows in columns that line up, Chinese text included.
func table(w io.Writer, rows [][]string) error {
	var widths []int
	for _, row := range rows {
		for i, cell := range row {
			if i == len(widths) {
				widths = append(widths, 0)
			}
			widths[i] = max(widths[i], lang.Width(cell))
		}
	}
	for _, row := range rows {
		text := ""
		for i, cell := range row {
			if i == len(row)-1 {
				text += cell
				break
			}
			text += lang.Pad(cell, widths[i]) + "  "
		}
		if _, err := fmt.Fprintln(w, text); err != nil {
			return err
		}
	}
	return nil
}

// say is a text in the reader's language.
func (o *output) say(en, zh string) string { return lang.Text{EN: en, ZH: zh}.In(o.lang) }

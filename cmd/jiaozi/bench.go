package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"slices"
	"strconv"
	"strings"

	"jiaozi/sim/bench"
	"jiaozi/value/lang"

	"github.com/spf13/cobra"
)

func benchCommand() *cobra.Command {
	var out output
	cmd := &cobra.Command{
		Use:   "bench [" + strings.Join(bench.Names(), "|") + "]",
		Short: "Measure speed on this machine, each figure beside its limit (files go to TMPDIR); the book alone: bench book; coins: bench coins",
		Args: func(_ *cobra.Command, args []string) error {
			if len(args) > 1 || len(args) == 1 && !slices.Contains(bench.Names(), args[0]) {
				return fmt.Errorf("bench %s is not known: use one of %s, or nothing for all", strings.Join(args, " "), strings.Join(bench.Names(), ", "))
			}
			return nil
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			names := args
			if len(names) == 0 {
				names = bench.Names()
			}
			return classify(runBench(cmd.Context(), cmd.OutOrStdout(), names, out))
		},
	}
	outputFlags(cmd, &out)
	cmd.AddCommand(benchBookCommand(), benchCoinsCommand())
	return cmd
}

// runBench measures in a directory of its own, which it removes.
func runBench(ctx context.Context, w io.Writer, names []string, out output) error {
	dir, err := os.MkdirTemp("", "jiaozi-bench-")
	if err != nil {
		return fmt.Errorf("bench: %w", err)
	}
	defer os.RemoveAll(dir)
	for _, name := range names {
		if err := bench.Run(ctx, name, dir, func(f bench.Figure) error { return printFigure(w, f, out) }); err != nil {
			return err
		}
	}
	return nil
}

// figureLine is the contract's form of a figure.
type figureLine struct {
	Name  string      `json:"name"`
	Value json.Number `json:"value"`
	Unit  string      `json:"unit"`
	Limit json.Number `json:"limit"`
	Ratio json.Number `json:"ratio"`
}

func printFigure(w io.Writer, f bench.Figure, out output) error {
	l := figureLine{f.Name, significant(f.Value), f.Unit, significant(f.Limit), significant(f.Ratio())}
	if out.json() {
		return line(w, l)
	}
	const nameColumns, unitColumns = 20, 19
	_, err := fmt.Fprintf(w, "%s %9s %s %s %9s  %s %5s  %s\n", lang.Pad(l.Name, nameColumns), l.Value, lang.Pad(l.Unit, unitColumns),
		lang.Text{EN: "limit", ZH: "极限"}.In(out.lang), l.Limit, lang.Text{EN: "ratio", ZH: "比值"}.In(out.lang), l.Ratio, f.About.In(out.lang))
	return err
}

// significant gives three digits: a measurement holds no more.
func significant(x float64) json.Number {
	const digits = 3
	if x >= 1000 {
		return json.Number(strconv.FormatFloat(x, 'f', 0, 64))
	}
	return json.Number(strconv.FormatFloat(x, 'g', digits, 64))
}
